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

describe('the tickets of the pulling end', () => {
  const open = (): TicketQueue => new SqliteTicketQueue(join(directory, 'queue'));

  it('leave no URL behind once they are settled, in a file that is private', async () => {
    const queue = open();
    await queue.add([{ key: 'a', id: 'r1', revision: 1, body: 'https://h/SECRET' }]);
    const claims = await queue.claim({ nowMs: 0, leaseMs: 1000, limit: 1 });
    await queue.settle(claims.map((claim) => ({ ...claim, state: 'dead', fault: { code: 'x', message: 'y' } })));
    await queue.close();
    expect(readFileSync(join(directory, 'queue'), 'latin1')).not.toContain('SECRET');
    expect(statSync(join(directory, 'queue')).mode & 0o777).toBe(0o600);
  });

  it('that a killed process held are due at once, and it does not count as an attempt', async () => {
    const killed = open();
    await killed.add([{ key: 'a', id: 'r1', revision: 1, body: '' }]);
    const [old] = await killed.claim({ nowMs: 0, leaseMs: 1000, limit: 1 });
    const queue = open();
    expect(await queue.claim({ nowMs: 0, leaseMs: 1000, limit: 1 })).toMatchObject([{ id: 'r1', attempts: 0 }]);
    expect(old && (await queue.settle([{ ...old, state: 'done' }]))).toEqual(['r1']);
    await killed.close();
    await queue.close();
  });
});

it('what a wrong clock has put off for years is due once the clock is right', async () => {
  const [wrongMs, nowMs] = [Date.parse('2099-01-01'), Date.parse('2026-01-01')];
  const queue: TicketQueue = new SqliteTicketQueue(join(directory, 'queue'));
  const outbox: Outbox = new SqliteOutbox(join(directory, 'outbox'));
  await queue.add(['a', 'b', 'c'].map((key, at) => ({ key, id: `r${at}`, revision: 1, body: '' })));
  const claims = await queue.claim({ nowMs, leaseMs: 1, limit: 2 });
  await queue.putBack(claims.slice(0, 1), wrongMs);
  await queue.putBack(claims.slice(1), nowMs + 600_000);
  expect((await queue.claim({ nowMs, leaseMs: 1, limit: 1 })).map(({ key }) => key)).toEqual(['c']);
  expect((await queue.claim({ nowMs, leaseMs: 1, limit: 9 })).map(({ key }) => key)).toEqual(['a']);
  await outbox.note(
    ['a', 'b', 'c'].map((key) => ({ key, action: 'copy' as const, etag: 'e', size: 1, mtimeMs: 2 })),
    'waiting',
  );
  const [a, b] = await outbox.due(nowMs, 2);
  if (a) await outbox.move([{ ...a, untilMs: wrongMs }]);
  if (b) await outbox.move([{ ...b, untilMs: nowMs + 600_000 }]);
  expect((await outbox.due(nowMs, 1)).map(({ key }) => key)).toEqual(['c']);
  expect((await outbox.due(nowMs, 9)).map(({ key }) => key)).toEqual(['c', 'a']);
  await queue.close();
  await outbox.close();
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
    expect((await outbox.dead({ key: 'a' }, 10)).map(({ key, fault }) => [key, fault?.message])).toEqual([
      ['b', 'why'],
    ]);
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
