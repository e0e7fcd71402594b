import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Performer, type PerformerMeans } from '../../../src/bridge/pull/performer.js';
import type { RunEvent } from '../../../src/engine/events.js';
import { type Settled, type TicketQueue, ticketId } from '../../../src/manifest/queues.js';
import { SqliteTicketQueue } from '../../../src/manifest/sqlite/ticket-queue.js';
import { XsyncError } from '../../../src/model/error.js';

let directory: string;
let queue: TicketQueue;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-performer-'));
  queue = new SqliteTicketQueue(join(directory, 'queue'));
});
afterEach(async () => {
  await queue.close();
  rmSync(directory, { recursive: true });
});

let revision = 0;
async function add(key: string, more: object = {}): Promise<void> {
  const id = ticketId({ key, revision: ++revision });
  const common = { version: 1, id, key, revision };
  const copy = { action: 'copy', url: 'http://h/a', expiresMs: Date.now() + 60_000, etag: 'e', size: 1, mtimeMs: 1 };
  await queue.add([{ key, id, revision, body: JSON.stringify({ ...common, ...copy, ...more }) }]);
}

type Run = PerformerMeans['run'];

/** Performs until so many tickets are settled. */
async function perform(
  run: Run,
  settled: number,
  attempts = 2,
  trouble: PerformerMeans['trouble'] = () => {},
): Promise<Record<string, string>> {
  const done = new AbortController();
  const results: Record<string, string> = {};
  const note = (key: string, { state, fault }: Settled): void => {
    results[key] = fault ? `${state}: ${fault.code}` : state;
    if (Object.keys(results).length === settled) done.abort();
  };
  const book = { open: () => {}, close: () => {} };
  const means = { queue, book, run, report: () => {}, trouble, settled: note, attempts };
  await new Performer(means).follow(done.signal);
  return results;
}

const failed = (key: string, code: string, kind: 'temporary' | 'permanent' | 'person'): RunEvent =>
  ({ type: 'failed', key, size: 1, class: kind, code, message: 'm', attempts: 1 }) as RunEvent;

it('makes a state of each result', async () => {
  const events: Record<string, RunEvent> = {
    copied: { type: 'copied', key: 'copied' } as RunEvent,
    same: { type: 'skip', key: 'same', size: 1, reason: 'unchanged' },
    missing: { type: 'skip', key: 'missing', size: 1, reason: 'vanished' },
    frozen: { type: 'skip', key: 'frozen', size: 1, reason: 'archived' },
    expired: failed('expired', 'expired-url', 'permanent'),
    halfway: failed('halfway', 'expired-url', 'permanent'),
    revoked: failed('revoked', 'refused-url', 'permanent'),
    changed: failed('changed', 'source-changed', 'temporary'),
    vanished: failed('vanished', 'object-not-found', 'permanent'),
    refused: failed('refused', 'access-denied', 'person'),
    kept: { type: 'keep', key: 'kept', size: 1, reason: 'not-ours' } as unknown as RunEvent,
  };
  for (const key of Object.keys(events)) await add(key);
  await add('late', { expiresMs: 1 });
  await add('other', { version: 2 });
  await add('gone', {
    action: 'delete',
    url: undefined,
    expiresMs: undefined,
    etag: undefined,
    size: undefined,
    mtimeMs: undefined,
  });
  const seen: string[] = [];
  const run: Run = async (keys, report) => {
    seen.push(...keys);
    for (const key of keys) {
      if (key === 'halfway') report({ type: 'progress', key, bytes: 1 });
      if (events[key]) report(events[key]);
    }
    return { stopped: false };
  };
  expect(await perform(run, 14)).toEqual({
    ...{ copied: 'done', same: 'done', gone: 'done', expired: 'expired', late: 'expired', other: 'expired' },
    ...{ halfway: 'expired: expired-url', revoked: 'expired: refused-url' },
    ...{ missing: 'changed: object-not-found', frozen: 'dead: unsupported-object' },
    ...{ changed: 'changed: source-changed', vanished: 'changed: object-not-found' },
    ...{ refused: 'dead: access-denied', kept: 'dead: guard' },
  });
  expect(seen).not.toContain('late');
});

it('waits for a person who can mend it, and tells so; only what is decided is given up at once', async () => {
  const first: Record<string, RunEvent> = {
    right: failed('right', 'access-denied', 'person'),
    full: failed('full', 'not-writable', 'person'),
    thawing: { type: 'skip', key: 'thawing', size: 1, reason: 'restoring' },
    frozen: failed('frozen', 'object-archived', 'person'),
    host: failed('host', 'untrusted-host', 'person'),
    long: failed('long', 'metadata-too-large', 'permanent'),
  };
  for (const key of Object.keys(first)) await add(key);
  let runs = 0;
  const run: Run = async (keys, report) => {
    runs++;
    for (const key of keys) report((runs === 1 && first[key]) || ({ type: 'copied', key } as RunEvent));
    return { stopped: false };
  };
  const told: string[] = [];
  const results = await perform(run, 6, 2, (message, fault) => told.push(`${message} ${fault?.code}`));
  expect(results).toEqual({
    ...{ right: 'done', full: 'done', thawing: 'done' },
    ...{ frozen: 'dead: object-archived', host: 'dead: untrusted-host', long: 'dead: metadata-too-large' },
  });
  expect(told).toEqual([
    'm; its ticket waits, and is tried again access-denied',
    'm; its ticket waits, and is tried again not-writable',
    'undefined undefined',
  ]);
});

it('tries again what may pass, and gives up at last', async () => {
  await add('bad');
  await add('good');
  let runs = 0;
  const run: Run = async (keys, report) => {
    runs++;
    for (const key of keys) {
      const passes = key === 'good' && runs > 1;
      report(passes ? ({ type: 'copied', key } as RunEvent) : failed(key, 'timeout', 'temporary'));
    }
    return { stopped: false };
  };
  expect(await perform(run, 2)).toEqual({ bad: 'dead: timeout', good: 'done' });
});

it('a fault of the destination says nothing of the tickets', async () => {
  await add('a');
  let runs = 0;
  const run: Run = async (_, report) => {
    if (++runs === 1) throw new XsyncError('bad-credentials', 'no');
    report({ type: 'copied', key: 'a' } as RunEvent);
    return { stopped: false };
  };
  expect(await perform(run, 1, 1)).toEqual({ a: 'done' });
  expect(runs).toBe(2);
});

it('a run that was stopped leaves its tickets for the next start', async () => {
  await add('a');
  const done = new AbortController();
  const run: Run = async () => {
    done.abort();
    return { stopped: true };
  };
  const book = { open: () => {}, close: () => {} };
  const nothing = () => {};
  const means = { queue, book, run, report: nothing, trouble: nothing, settled: nothing, attempts: 1 };
  await new Performer(means).follow(done.signal);
  expect(await queue.countWaiting()).toBe(1);
});
