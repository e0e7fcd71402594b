/** A pair of buckets in memory, wrapped as a run wraps them, with a manifest in memory. */
import type { CopyPolicy, SyncPolicy } from '../../src/engine/decide/decide.js';
import type { RunEvent, Summary } from '../../src/engine/events.js';
import type { RunOptions } from '../../src/engine/options.js';
import type { RunPair, RunSide } from '../../src/engine/pair.js';
import { runKeys, runPair } from '../../src/engine/run.js';
import type { Shared } from '../../src/engine/shared.js';
import { IN_MEMORY, openManifest } from '../../src/manifest/sqlite/open.js';
import { MemoryStore, type MemoryStoreOptions } from '../../src/store/memory/store.js';
import type { Capabilities, ObjectStore } from '../../src/store/port.js';
import { share } from '../../src/store/wrap/share.js';
import { FaultyStore } from '../support/faults.js';

export const POLICY: CopyPolicy = {
  mode: 'copy',
  compare: 'default',
  ignoreExisting: false,
  update: false,
  immutable: false,
  modifyWindowMs: 1,
};

export const SYNC_POLICY: SyncPolicy = { ...POLICY, mode: 'sync', deleteUnknown: false };

export const OPTIONS: RunOptions = {
  command: 'copy',
  failedBefore: 'try',
  policy: POLICY,
  dryRun: false,
  transfers: 4,
  partConcurrency: 3,
  checkers: 4,
  maxMemory: 64 * 1024 * 1024,
  createBucket: false,
  noTraverse: false,
  cutoffMode: 'hard',
  objectAttempts: 3,
  stop: new AbortController().signal,
};

/** Behaves as a network store does: a time of its own, no native mtime. */
const REMOTE: Partial<Capabilities> = { local: false, keepsMtime: false };

/** Of the pair below. */
export function emptyManifest() {
  return openManifest(IN_MEMORY, {
    source: { kind: 'memory', endpoint: 'a', bucket: 'src', prefix: '' },
    dest: { kind: 'memory', endpoint: 'b', bucket: 'dst', prefix: '' },
  });
}

export class Pair {
  /** What is in the buckets, without faults. */
  readonly source: MemoryStore;
  readonly dest: MemoryStore;
  /** What runs meet there. */
  readonly faults: { readonly source: FaultyStore; readonly dest: FaultyStore };
  manifest = emptyManifest();
  prefixes = { source: '', dest: '' };

  constructor(options: { source?: MemoryStoreOptions; dest?: MemoryStoreOptions } = {}) {
    const { source, dest } = options;
    this.source = new MemoryStore({
      bucket: 'src',
      endpoint: 'a',
      ...source,
      capabilities: { ...REMOTE, ...source?.capabilities },
    });
    this.dest = new MemoryStore({
      bucket: 'dst',
      endpoint: 'b',
      ...dest,
      capabilities: { ...REMOTE, ...dest?.capabilities },
    });
    this.faults = { source: new FaultyStore(this.source), dest: new FaultyStore(this.dest) };
  }

  /** Runs a copy and returns its summary with every event; `listen` hears them also when the run throws. */
  async copy(
    options: Partial<RunOptions> = {},
    listen: (event: RunEvent) => void = () => undefined,
    shared?: Shared,
  ): Promise<Summary & { events: RunEvent[] }> {
    const events: RunEvent[] = [];
    const all = { ...OPTIONS, ...options };
    const report = (event: RunEvent): void => {
      events.push(event);
      listen(event);
    };
    const { only } = all;
    const summary = only
      ? await runKeys(this.open(), [only], all, report)
      : await runPair(this.open(), all, report, shared);
    return { ...summary, events };
  }

  open(): RunPair {
    const source = side(this.faults.source, this.prefixes.source, 'memory:src');
    const dest = side(this.faults.dest, this.prefixes.dest, 'memory:dst');
    return { source, dest, manifest: this.manifest, settings: 'first', single: false };
  }
}

/** A side over a store, without pauses between retries. */
export function side(store: ObjectStore, prefix: string, text: string): RunSide {
  return { ...share(store, { attempts: 4, sleep: async () => undefined }), prefix, text, notes: [] };
}

/** The side with every call going through `wrap`. */
export function wrapped(side: RunSide, wrap: (store: ObjectStore) => ObjectStore): RunSide {
  const view: RunSide['view'] = (onRetry) => {
    const { store, traffic } = side.view(onRetry);
    return { store: wrap(store), traffic };
  };
  return { ...side, store: wrap(side.store), view };
}

/** Bytes that differ from object to object and are the same each time. */
export function bytesOf(seed: string, size: number): Uint8Array {
  const bytes = Buffer.alloc(size);
  for (let i = 0, x = [...seed].reduce((h, c) => (h * 31 + (c.codePointAt(0) ?? 0)) >>> 0, 7); i < size; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** Lists in two pages, of which the first holds all keys but the first two. */
export function listUpsideDown(store: FaultyStore): void {
  store.around('list', async ({ options }, run) => {
    const { token } = options;
    options.token = undefined;
    const { entries } = await run();
    if (token === undefined) return { entries: entries.slice(2), prefixes: [], nextToken: 'rest' };
    return { entries: entries.slice(0, 2), prefixes: [] };
  });
}

export async function contentOf(store: ObjectStore, key: string): Promise<Buffer> {
  const info = await store.head(key);
  const bytes = Buffer.alloc(info.size);
  await store.read(key, bytes, { ifMatch: info.etag });
  return bytes;
}

export async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for (let token: string | undefined; ; ) {
    const page = await store.list({ token });
    keys.push(...page.entries.map((entry) => entry.key));
    if (page.nextToken === undefined) return keys;
    token = page.nextToken;
  }
}
