/** Listings that fail. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Finder, type Finding } from '../../../src/bridge/push/finder.js';
import type { PushMeans, PushOptions } from '../../../src/bridge/push/options.js';
import { SqliteOutbox } from '../../../src/manifest/sqlite/outbox.js';
import { type ErrorCode, XsyncError } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';

it('a right to list that was revoked is trouble at once, a listing that fails for a moment only when the next one fails', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xsync-finder-'));
  const outbox = new SqliteOutbox(join(directory, 'outbox'));
  const faults: (ErrorCode | undefined)[] = ['access-denied', undefined, 'timeout', 'timeout', undefined];
  const drain = new AbortController();
  const store = new MemoryStore();
  const list: MemoryStore['list'] = async (options) => {
    const code = faults.shift();
    if (code) throw new XsyncError(code, code);
    return MemoryStore.prototype.list.call(store, options);
  };
  const told: string[] = [];
  const source = { store: Object.assign(store, { list }), prefix: '', text: 'source' } as unknown as Finding['source'];
  const means = { drain: drain.signal, say: () => {}, trouble: (text: string) => told.push(`said ${text}`) };
  const finder = new Finder(
    { job: {}, intervalMs: 1, backfill: true, reading: {} } as unknown as PushOptions,
    means as unknown as PushMeans,
    {
      ...{ source, outbox, spool: () => expect.fail(), found: () => {} },
      trouble: (message, fault) => {
        told.push(`${message} ${fault?.class}`);
        if (faults.length === 0) drain.abort();
      },
    },
  );
  await finder.follow();
  expect(told).toEqual([
    ...['access-denied person', 'undefined undefined', 'said timeout', 'timeout temporary', 'undefined undefined'],
  ]);
  await outbox.close();
  rmSync(directory, { recursive: true });
});
