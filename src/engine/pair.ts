/** The two sides that a run works on. Tests: test/engine/sync-crash.test.ts */
import type { Manifest } from '../manifest/port.js';
import { ReversedManifest } from '../manifest/reversed.js';
import type { LineWatch } from '../model/line-state.js';
import type { ObjectEntry } from '../model/object.js';
import type { Prices } from '../model/prices.js';
import type { ClassTable } from '../model/storage-class.js';
import type { ObjectStore, VersionEntry } from '../store/port.js';
import type { Findings } from '../store/wrap/findings.js';
import type { Elsewhere, RetryNotice, StoreView } from '../store/wrap/share.js';
import type { RunEvent, Traffic } from './events.js';
import type { Reading, ReadingOptions } from './fan/reading.js';
import type { SourceReader } from './fan/source.js';
import type { Fleet } from './fleet/port.js';
import type { Pool } from './workers/pool.js';

/** A list of a side's objects that its service made earlier. What it says was true then: the store is asked before it is relied on. */
export interface Inventory {
  /** As the user named it, for messages. */
  text: string;
  /** When the service began to make it, ms since 1970. */
  takenMs: number;
  /** What was written before this time, ms since 1970, is in it. */
  completeUntilMs: number;
  /** It has no sizes, times or ETags, so that each object takes a HEAD. */
  needsHeads: boolean;
  /**
   * The current objects, with full keys, in any order; perhaps of the whole bucket. They are complete only when the
   * iteration has ended.
   * @throws any error: then nothing of it may be used
   */
  entries(signal: AbortSignal): AsyncIterable<readonly ObjectEntry[]>;
  /** Every version and delete marker, otherwise as `entries`. @throws also config: it has the current objects alone */
  versions(signal: AbortSignal): AsyncIterable<readonly VersionEntry[]>;
}

/** One side of a pair: a (wrapped) store and the prefix below which the pair lives. */
export interface RunSide {
  store: ObjectStore;
  /** Empty or ending in `/`; for a single object its full key. */
  prefix: string;
  /** What the user typed, for messages. */
  text: string;
  /** Findings from opening it, for the run to report (which endpoint was chosen, and why). */
  notes: readonly string[];
  /** What the path may not mean as it was meant, or not show, for the run to warn of. */
  warnings?: readonly string[];
  /** The store is a view of the past: what stood there at this time, in ms since 1970. Its entries name their versions. */
  atMs?: number;
  /** Its entries name their versions, which alone are read; as with `atMs`. */
  namesVersions?: boolean;
  /** Read instead of a listing. */
  inventory?: Inventory;
  /** Other pairs of the process read the same source. */
  reader?: SourceReader;
  /** Of a view: what this run shares with theirs. */
  reading?: Reading;
  /** Findings while it is used: what the store lacks, and what is done instead. */
  findings?: Findings;
  /** Requests and bytes since the side was opened. */
  traffic(): Traffic;
  /** For looks at the line to the store; absent if there is none. */
  watchLine?(): LineWatch;
  /** What the service charges; `accelerated`: bytes go through its transfer acceleration. */
  prices?: Prices;
  accelerated?: boolean;
  /** What workers report of their calls; of a view. */
  elsewhere?: Elsewhere;
  /** The same store for one run: it reports only that run's retries and traffic. */
  view(onRetry: (event: RetryNotice) => void): StoreView;
}

/** Where objects are backed up before sync or copy overwrites or deletes them. */
export interface Backup {
  /** May be the destination itself; the suffix then distinguishes backups. */
  side: RunSide;
  suffix: string;
  /** Insert the suffix before the name's extension. */
  keepExtension: boolean;
}

export interface Reverse {
  /** What the direction has in hand. Its rows are in the manifest of the pair. */
  manifest: Manifest;
  classes?: ClassTable;
  /** Rows from before, ms, are of copies that deleted nothing; absent: there are none. */
  sinceMs?: number;
}

/** What a run works on. */
export interface RunPair {
  source: RunSide;
  dest: RunSide;
  manifest: Manifest;
  /** The direction from the destination to the source; only of a mirror. */
  reverse?: Reverse;
  /** A fingerprint of both sides' configuration. If it changes, failures that need the user's action are retried. */
  settings: string;
  /** One object to one object: both prefixes are full keys, and the relative key is empty. */
  single: boolean;
  /** Symbolic links are copied as links, or left out without a warning. Absent: left out with one, where there are any. */
  links?: 'keep' | 'skip';
  backup?: Backup;
  /** Storage classes that the config maps for this route. */
  classes?: ClassTable;
  /** Other places that may have the source's objects. */
  references?: References;
  /** Threads that perform tickets; absent: this one does. */
  workers?: Pool;
  /** Machines that perform tickets. */
  fleet?: Fleet;
}

export interface References {
  sides: readonly RunSide[];
  /** What is found there is copied from there; otherwise it is not copied at all. */
  copies: boolean;
}

/** The pair for one run: it reports only that run's retries and traffic. */
export function viewFor(pair: RunPair, hear: (event: Extract<RunEvent, { type: 'retry' }>) => void): RunPair {
  const source = viewOf(pair.source, (event) => hear({ type: 'retry', side: 'source', ...event }));
  const toDestination = (event: RetryNotice) => hear({ type: 'retry', side: 'destination', ...event });
  const dest = viewOf(pair.dest, toDestination);
  const { backup, references } = pair;
  const places = references?.sides.map((side) => viewOf(side, toDestination)) ?? [];
  const traffic = (): Traffic => places.reduce((sum, side) => addTraffic(sum, side.traffic()), dest.traffic());
  const view = {
    ...{ ...pair, source, dest: places.length > 0 ? { ...dest, traffic } : dest },
    references: references && { ...references, sides: places },
  };
  if (!backup) return view;
  const side = backup.side === pair.dest ? view.dest : viewOf(backup.side, toDestination);
  return { ...view, backup: { ...backup, side } };
}

/** The view of a run that shares what it reads with other pairs. Its reading must be ended. */
export function inCommon(view: RunPair, how: Omit<ReadingOptions, 'prefix' | 'last'>): RunPair {
  const { source } = view;
  const reading = source.reader?.begin({ ...how, prefix: source.prefix });
  return reading ? { ...view, source: { ...source, store: reading.over(source.store), reading } } : view;
}

/** The other direction of a mirror's pair. Its tickets are performed in this thread: workers know one direction. */
export function reversedPair(pair: RunPair, { manifest: own, classes }: Reverse): RunPair {
  const { source, dest } = pair;
  const manifest = new ReversedManifest(pair.manifest, own);
  return {
    ...pair,
    source: dest,
    dest: source,
    manifest,
    classes,
    reverse: undefined,
    workers: undefined,
    fleet: undefined,
  };
}

/** Requests and bytes of both. */
export function addTraffic(a: Traffic, b: Traffic): Traffic {
  const requests = { ...a.requests };
  for (const [name, count] of Object.entries(b.requests)) {
    const kind = name as keyof Traffic['requests'];
    requests[kind] = (requests[kind] ?? 0) + count;
  }
  return { requests, bytesIn: a.bytesIn + b.bytesIn, bytesOut: a.bytesOut + b.bytesOut };
}

function viewOf(side: RunSide, onRetry: (event: RetryNotice) => void): RunSide {
  return { ...side, ...side.view(onRetry) };
}

/** Reports what is found out about the pair's stores, until the returned function is called. */
export function hearFindings({ source, dest, backup }: RunPair, say: (message: string) => void): () => void {
  const found = new Set([source, dest, backup?.side].flatMap((side) => side?.findings ?? []));
  const stops = [...found].map((findings) => findings.hear(say));
  return () => {
    for (const stop of stops) stop();
  };
}
