import { describe, expect, test } from 'vitest';
import type { Backup } from '../../src/engine/pair.js';
import { MemoryStore, type MemoryStoreOptions } from '../../src/store/memory/store.js';
import { copyAndDie } from './crash.js';
import { contentOf, POLICY, side } from './support.js';
import { bytesOf, keysOf, Pair, type SyncOptions, sync, synced, syncOptions, TIMES } from './sync.js';

const KiB = 1024;
const PARTS = { partSize: 64 * KiB, partConcurrency: 2, transfers: 2 };
const LARGE = 3 * 64 * KiB + 7;

/** What the destination held before, by key, of what sync overwrites or deletes. */
const OLD: Record<string, Uint8Array> = {
  gone1: bytesOf('gone1', 10),
  gone2: bytesOf('gone2', 10),
  updated: bytesOf('updated', 10),
  large: bytesOf('large', LARGE - 1),
};
/** What sync leaves alone, though the source does not have it. */
const KEPT: Record<string, Uint8Array> = {
  adopted: bytesOf('adopted', 10),
  changed: bytesOf('by somebody', 12),
  unknown: bytesOf('unknown', 10),
};
const NEW: Record<string, Uint8Array> = {
  large: bytesOf('new large', LARGE),
  new: bytesOf('new', 10),
  stays: bytesOf('stays', 10),
  updated: bytesOf('new updated', 11),
};

interface Case {
  stores?: { source?: MemoryStoreOptions; dest?: MemoryStoreOptions };
  options?: SyncOptions;
}

/** Both sides as they are before the run that dies. */
async function prepared({ stores }: Case): Promise<{ pair: Pair; aside: MemoryStore; backup: Backup }> {
  const pair = new Pair(stores);
  for (const side of [pair.source, pair.dest]) await side.put('adopted', bytesOf('adopted', 10));
  // However long the two puts were apart.
  await pair.copy({ policy: { ...POLICY, modifyWindowMs: 60_000 } });
  expect(pair.manifest.get('adopted')?.ours).toBe(false);
  await synced(['gone1', 'gone2', 'updated', 'stays', 'changed'], [], pair);
  await pair.source.put('large', OLD.large ?? new Uint8Array());
  await pair.copy(PARTS);
  await pair.source.delete(['gone1', 'gone2', 'changed', 'adopted']);
  for (const key of ['changed', 'unknown']) await pair.dest.put(key, KEPT[key] ?? new Uint8Array());
  for (const key of ['large', 'new', 'updated']) await pair.source.put(key, NEW[key] ?? new Uint8Array());
  const store = new MemoryStore({ endpoint: 'c', bucket: 'aside', capabilities: { local: false, keepsMtime: false } });
  return {
    pair,
    aside: store,
    backup: { side: side(store, 'old/', 'memory:aside'), suffix: '', keepExtension: false },
  };
}

/** A store holds these bytes under the key. */
async function holds(store: MemoryStore, key: string, bytes: Uint8Array | undefined): Promise<boolean> {
  const found = (await keysOf(store)).includes(key) ? await contentOf(store, key) : undefined;
  return found !== undefined && bytes !== undefined && Buffer.compare(found, bytes) === 0;
}

/** Dies once at every instant there is, each time in a fresh pair, and runs again. */
async function survivesEveryDeath(one: Case): Promise<number> {
  const options: SyncOptions = { ...PARTS, ...one.options };
  for (let instant = 0; ; instant++) {
    const { pair, aside, backup } = await prepared(one);
    const died = await copyAndDie(pair, instant, { ...syncOptions(options), backup });
    const when = `dead at ${instant}`;
    for (const [key, bytes] of Object.entries(OLD)) {
      const somewhere = (await holds(pair.dest, key, bytes)) || (await holds(aside, `old/${key}`, bytes));
      expect(somewhere, `${key} is lost, ${when}`).toBe(true);
    }
    for (const [key, bytes] of Object.entries(KEPT))
      expect(await holds(pair.dest, key, bytes), `${key}, ${when}`).toBe(true);
    if (!died) return instant;
    const run = await sync(pair, { ...options, backup });
    expect(run.failed.list, when).toEqual([]);
    expect(await keysOf(pair.dest), when).toEqual([...Object.keys(KEPT), ...Object.keys(NEW)].sort());
    for (const [key, bytes] of Object.entries({ ...KEPT, ...NEW }))
      expect(await holds(pair.dest, key, bytes), `${key}, ${when}`).toBe(true);
    for (const [key, bytes] of Object.entries(OLD))
      expect(await holds(aside, `old/${key}`, bytes), `${key} aside, ${when}`).toBe(true);
    expect((await pair.dest.listUploads({})).uploads, when).toEqual([]);
    const again = await sync(pair, { ...options, backup });
    expect(again, when).toMatchObject({
      copied: { objects: 0 },
      deleted: { objects: 0, left: 0 },
      kept: { objects: 3 },
    });
    expect(pair.manifest.count(), `rows of what is gone, ${when}`).toBe(Object.keys(NEW).length + 2);
  }
}

const OPAQUE = { partEtagIsMd5: false };

describe('a sync that dies at any instant is made good by the next, and nothing is lost that was to be kept', () => {
  const cases: Record<string, Case> = {
    ...Object.fromEntries(TIMES.map((when) => [`--delete-${when}`, { options: { deletes: { when } } }])),
    'from and to stores whose ETags say nothing': {
      stores: { source: { capabilities: OPAQUE }, dest: { capabilities: OPAQUE } },
    },
    'that copies aside on the server': { stores: { dest: { endpoint: 'c' } } },
  };
  test.each(Object.entries(cases))('%s', async (_, one) => {
    expect(await survivesEveryDeath(one)).toBeGreaterThan(40);
  });
});
