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

it('a file that is no database is named', () => {
  expect(() => openQueueFile(directory, '')).toThrow(directory);
});
