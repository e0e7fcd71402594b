import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outbox, TicketQueue } from '../../../src/manifest/queues.js';
import { SqliteOutbox } from '../../../src/manifest/sqlite/outbox.js';
import { openQueueFile } from '../../../src/manifest/sqlite/queue-file.js';
import { SqliteTicketQueue } from '../../../src/manifest/sqlite/ticket-queue.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-queues-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const NONE = new Set<string>();
const ticket = (key: string, revision: number, body = `body ${revision}`) => ({
  key,
  id: `r${revision}`,
  revision,
  body,
});

describe('the tickets of the pulling end', () => {
  const open = (): TicketQueue => new SqliteTicketQueue(join(directory, 'queue'));

  it('are one a key, the newest, in whichever order they come', async () => {
    const queue = open();
    expect(await queue.add([ticket('a', 2), ticket('b', 1)])).toEqual([]);
    expect(await queue.add([ticket('a', 1), ticket('b', 3)])).toEqual(['r1']);
    expect((await queue.due(0, 10, NONE)).map(({ id }) => id)).toEqual(['r2', 'r3']);
    expect(await queue.states(['r1', 'r2', 'r9'])).toEqual(new Map([['r2', { state: 'queued' }]]));
    await queue.close();
  });

  it('survive, and a settled one is not performed again when it is repeated', async () => {
    let queue = open();
    await queue.add([ticket('a', 1), ticket('b', 2)]);
    await queue.settle([{ id: 'r1', state: 'done' }]);
    await queue.settle([{ id: 'r2', state: 'expired' }]);
    await queue.close();
    queue = open();
    // A fresh URL for the same change.
    expect(await queue.add([ticket('a', 1, 'again'), ticket('b', 2, 'fresh')])).toEqual(['r1']);
    expect(await queue.due(0, 10, NONE)).toEqual([{ key: 'b', id: 'r2', body: 'fresh', attempts: 0 }]);
    await queue.close();
  });

  it('wait until they are due, and those of busy keys stay', async () => {
    const queue = open();
    await queue.add([ticket('a', 1), ticket('b', 2), ticket('c', 3)]);
    await queue.delay('r1', 5000, { code: 'timeout', message: 'slow' });
    expect(await queue.nextMs()).toBe(0);
    expect((await queue.due(0, 10, new Set(['b']))).map(({ key }) => key)).toEqual(['c']);
    expect(await queue.due(5000, 1, new Set(['b', 'c']))).toMatchObject([{ key: 'a', attempts: 1 }]);
    expect(await queue.count('queued')).toBe(3);
    expect((await queue.states(['r1'])).get('r1')?.fault).toEqual({ code: 'timeout', message: 'slow' });
    await queue.close();
  });

  it('that were overtaken are settled by nobody', async () => {
    const queue = open();
    await queue.add([ticket('a', 1)]);
    await queue.add([ticket('a', 2)]);
    await queue.settle([{ id: 'r1', state: 'done' }]);
    expect(await queue.count('queued')).toBe(1);
    await queue.close();
  });

  it('leave no URL behind once they are settled, in a file that is private', async () => {
    const queue = open();
    await queue.add([ticket('a', 1, 'https://h/SECRET')]);
    await queue.settle([{ id: 'r1', state: 'dead', fault: { code: 'x', message: 'y' } }]);
    await queue.close();
    expect(readFileSync(join(directory, 'queue'), 'latin1')).not.toContain('SECRET');
    expect(statSync(join(directory, 'queue')).mode & 0o777).toBe(0o600);
  });

  it('have nonces that are known once, also after a restart, until their time', async () => {
    let queue = open();
    expect(await queue.once('n', 100, 0)).toBe(true);
    expect(await queue.once('n', 100, 50)).toBe(false);
    await queue.close();
    queue = open();
    expect(await queue.once('n', 100, 100)).toBe(false);
    expect(await queue.once('n', 300, 101)).toBe(true);
    await queue.close();
  });
});

describe('the objects of the pushing end', () => {
  const open = (): Outbox => new SqliteOutbox(join(directory, 'outbox'));
  const change = (key: string, etag = 'e') => ({ key, action: 'copy' as const, etag, size: 1, mtimeMs: 2 });

  it('wait with growing revisions, also after a restart and with a clock that goes back', async () => {
    let outbox = open();
    await outbox.note([change('b'), change('a')], 'waiting');
    const before = await outbox.due(0, 10);
    expect(before.map(({ key }) => key)).toEqual(['b', 'a']);
    await outbox.close();
    outbox = open();
    await outbox.note([{ ...change('b', 'e2'), versionId: 'v', since: before[0]?.revision }], 'waiting');
    const row = await outbox.get('b');
    expect(row).toMatchObject({ etag: 'e2', versionId: 'v', state: 'waiting', attempts: 0 });
    expect(row?.revision).toBeGreaterThan(before[1]?.revision ?? 0);
    expect((await outbox.page('a', 10)).map(({ key }) => key)).toEqual(['b']);
    await outbox.close();
  });

  it('are not moved on by the answer to an older change', async () => {
    const outbox = open();
    await outbox.note([change('a')], 'waiting');
    const [old] = await outbox.due(0, 1);
    await outbox.note([{ ...change('a', 'e2'), since: old?.revision }], 'waiting');
    // Nor is an older change noted over a newer one.
    expect(
      await outbox.note([{ ...change('a', 'e3'), since: old?.revision }, change('a'), change('b')], 'waiting'),
    ).toEqual(['a', 'a']);
    if (old) await outbox.move([{ ...old, state: 'done' }]);
    expect(await outbox.get('a')).toMatchObject({ etag: 'e2', state: 'waiting' });
    await outbox.close();
  });

  it('are given up with the reason, and replayed', async () => {
    const outbox = open();
    await outbox.note([change('a'), change('b'), change('c')], 'waiting');
    for (const row of await outbox.due(0, 2)) {
      await outbox.move([{ ...row, state: 'dead', fault: { code: 'x', message: 'why' } }]);
    }
    expect((await outbox.dead('a', 10)).map(({ key, fault }) => [key, fault?.message])).toEqual([['b', 'why']]);
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

  it('remember facts', async () => {
    const outbox = open();
    expect(await outbox.fact('x')).toBeUndefined();
    await outbox.setFact('x', '1');
    expect(await outbox.fact('x')).toBe('1');
    await outbox.close();
  });
});

it('a file that is no database is named', () => {
  expect(() => openQueueFile(directory, '')).toThrow(directory);
});
