import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Outbox } from '../../../src/manifest/queues.js';
import { SqliteOutbox } from '../../../src/manifest/sqlite/outbox.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-outbox-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (): Outbox => new SqliteOutbox(join(directory, 'outbox'));
const change = (key: string) => ({ key, action: 'copy' as const, etag: 'e', size: 1, mtimeMs: 2 });

it('are given up with the reason, and replayed', async () => {
  const outbox = open();
  await outbox.note([change('a'), change('b'), change('c')], 'waiting');
  for (const row of await outbox.due(0, 2)) {
    await outbox.move([{ ...row, state: 'dead', fault: { code: 'x', message: 'why' } }]);
  }
  expect((await outbox.dead({ key: 'a' }, 10)).map(({ key, fault }) => [key, fault?.message])).toEqual([['b', 'why']]);
  expect((await outbox.counts()).objects).toEqual({ known: 0, waiting: 1, sent: 0, done: 0, dead: 2 });
  expect([await outbox.isIdle(), await outbox.countSent()]).toEqual([false, 0]);
  expect(await outbox.replay(['b', 'c'])).toBe(1);
  expect(await outbox.replay()).toBe(1);
  expect((await outbox.due(0, 10)).map(({ key, attempts }) => [key, attempts])).toEqual([
    ['c', 0],
    ['b', 0],
    ['a', 0],
  ]);
  await outbox.close();
});

it('are replayed in pages, however many were given up, and what is not given up stays', async () => {
  const outbox = open();
  const keys = Array.from({ length: 2_500 }, (_, n) => `k${n}`);
  await outbox.note([change('done'), ...keys.map((key) => change(key)), change('waiting')], 'waiting');
  const rows = await outbox.due(0, 2_501);
  await outbox.move(rows.map((row) => ({ ...row, state: row.key === 'done' ? 'done' : 'dead' })));
  expect(await outbox.replay()).toBe(2_500);
  expect((await outbox.counts()).objects).toEqual({ known: 0, waiting: 2_501, sent: 0, done: 1, dead: 0 });
  expect(await outbox.replay()).toBe(0);
  await outbox.close();
});
