import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keyIn, look } from '../../../src/bridge/push/look.js';
import type { OutboxState } from '../../../src/manifest/queues.js';
import { SqliteOutbox } from '../../../src/manifest/sqlite/outbox.js';
import type { Checksums } from '../../../src/model/checksum.js';
import { MemoryStore } from '../../../src/store/memory/store.js';

let directory: string;
let outbox: SqliteOutbox;
let store: MemoryStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-look-'));
  outbox = new SqliteOutbox(join(directory, 'outbox'));
  store = new MemoryStore();
});
afterEach(async () => {
  await outbox.close();
  rmSync(directory, { recursive: true });
});

/** An event about `a`. @returns what is to be sent */
async function event(mayDelete = true): Promise<string[]> {
  await look('a', { source: { store, prefix: 'p/' }, outbox, mayDelete: () => mayDelete });
  return (await outbox.due(Date.now(), 9)).map(({ action, key }) => `${action} ${key}`);
}

async function settle(state: OutboxState): Promise<void> {
  const rows = await outbox.due(Date.now(), 9);
  await outbox.move(rows.map((row) => ({ ...row, state })));
}

it('a repeated event changes nothing, whether the object is there or gone', async () => {
  expect(await event()).toEqual([]);
  await store.put('p/a', Buffer.from('a'));
  expect(await event()).toEqual(['copy a']);
  await settle('done');
  expect(await event()).toEqual([]);
  await store.delete(['p/a']);
  expect(await event(false)).toEqual([]);
  expect(await event()).toEqual(['delete a']);
  await settle('done');
  expect(await event()).toEqual([]);
});

it('an event about what was given up is a new attempt, although it looks the same', async () => {
  await store.put('p/a', Buffer.from('a'));
  await event();
  await settle('dead');
  expect(await event()).toEqual(['copy a']);
  await settle('done');
  await store.delete(['p/a']);
  await event();
  await settle('dead');
  expect(await event(false)).toEqual([]);
  expect(await event()).toEqual(['delete a']);
});

it('the checksums that its HEAD tells are those of the ticket, until other bytes are there', async () => {
  const told: Checksums = { crc64nvme: 'rosUhgp5mIg=', etagHint: '0'.repeat(32) };
  const head = async (key: string) => ({ ...(await store.head(key)), checksums: told });
  const source = { store: Object.assign(Object.create(store), { head }), prefix: 'p/' };
  await store.put('p/a', Buffer.from('a'));
  await look('a', { source, outbox, mayDelete: () => true });
  expect((await outbox.get('a'))?.checksums).toEqual({ crc64nvme: told.crc64nvme });
  await store.delete(['p/a']);
  await event();
  expect(await outbox.get('a')).toMatchObject({ action: 'delete' });
  expect((await outbox.get('a'))?.checksums).toBeUndefined();
});

it('an event of another bucket, or outside the prefix, is about nothing', () => {
  const source = { bucket: 'b', prefix: 'p/' };
  expect(keyIn(source, { key: 'p/a' })).toBe('a');
  for (const other of [{ key: 'p/' }, { key: 'q/a' }, { bucket: 'c', key: 'p/a' }]) {
    expect(keyIn(source, other)).toBeUndefined();
  }
});
