/**
 * The manifest port: what the last runs saw on both sides of one pair, what is half done and what failed. One
 * manifest belongs to one pair (endpoint, bucket and prefix of both sides). All keys here are relative to the
 * pair's prefixes. Ordered by key bytes.
 *
 * Calls are synchronous: the adapter is an embedded database whose calls cost microseconds.
 */
import type { ErrorClass, ErrorCode } from '../model/error.js';
import type { VerifiedBy } from '../model/verified.js';
import type { UploadRows } from './checkpoints.js';

/** One side of a pair. Holds no secret, and no account: new credentials for the same place keep the manifest. */
export interface PlaceIdentity {
  /** As in `StoreIdentity`. */
  kind: string;
  /** Control endpoint as an origin; host name for local. Tells equal bucket names of two partitions apart. */
  endpoint: string;
  /** Bucket, or absolute root directory. */
  bucket: string;
  prefix: string;
}

/** What a manifest belongs to. */
export interface PairIdentity {
  source: PlaceIdentity;
  dest: PlaceIdentity;
}

/** An object that the destination has confirmed, and what both sides called it then. */
export interface ManifestRow {
  key: string;
  size: number;
  sourceEtag: string;
  /** Source Last-Modified, ms. */
  sourceMtimeMs: number;
  destEtag: string;
  /** How the copy was proven; `adopted` rows were found equal, not written by xsync. */
  verifiedBy: VerifiedBy;
  /** True when xsync wrote the destination object (only those may sync delete without being told). */
  ours: boolean;
  /** When the destination confirmed it, ms. */
  atMs: number;
}

/** An object that could not be copied, and stays listed until it is: the dead-letter list. */
export interface FailureRow {
  key: string;
  size: number;
  sourceEtag: string;
  /** Source Last-Modified of the oldest version that has not arrived, nor a newer one, ms; 0 when it is not known. */
  sourceMtimeMs: number;
  class: ErrorClass;
  code: ErrorCode;
  message: string;
  /** Names the settings of both sides at the last attempt: other ones may mend what a person had to mend. */
  settings: string;
  attempts: number;
  firstMs: number;
  lastMs: number;
  /** When a listing last showed the object, ms. */
  seenMs: number;
  /** A person has given the object up: it is left alone until its source changes. */
  dropped: boolean;
}

/** An object that sync is to delete at the destination, once everything that guards deleting has been asked. */
export interface DoomedRow {
  key: string;
  size: number;
  destEtag: string;
  /** When it was found gone from the source, ms. */
  foundMs: number;
}

/** An object that is about to be written at the destination. */
export interface Intent {
  key: string;
  /** Of what is there: as long as it is, nothing was written. Empty when nothing is. */
  destEtag: string;
  /** ms. */
  atMs: number;
}

/** How a run ended; `running` also for one that was killed. */
export type RunOutcome = 'running' | 'complete' | 'stopped' | 'broken' | 'guarded';

/** One run over the pair, for `status` and `report`. */
export interface RunRow {
  id: string;
  command: string;
  startedMs: number;
  /** Of the last writing, while it runs. */
  endedMs: number;
  outcome: RunOutcome;
  /** JSON; what it holds is the engine's. */
  detail: string;
}

/** How many objects took how long from the source's change to the destination's confirmation. */
export interface LagRow {
  /** Start of the minute in which they arrived, ms. */
  minuteMs: number;
  /** Bin of a histogram; its bounds are the engine's. */
  bin: number;
  objects: number;
  maxMs: number;
}

export interface Manifest extends UploadRows {
  /** Where it is, for messages. */
  readonly path: string;

  get(key: string): ManifestRow | undefined;
  /** Rows after `after` (exclusive) in key-byte order, at most `limit`; a page of the M stream. */
  page(after: string | undefined, limit: number): ManifestRow[];
  count(): number;
  /**
   * Of the `rows` rows after `after` (exclusive) the last one's key, and the key of the row that follows it; undefined
   * when none follows. Reads no more than those rows.
   */
  quantile(after: string | undefined, rows: number): { last: string; next: string } | undefined;

  /**
   * Objects are about to be written at the destination. Until a row says that they were, or `forget` that they are not
   * there, what is found under these keys may be xsync's own work. Of a key that was to be written before, the ETag that
   * was found then stays. Durable against kill -9 on return.
   */
  intend(intents: readonly Intent[]): void;
  /** Undefined when it never was about to be written, or a row has said what came of it. */
  intended(key: string): Intent | undefined;
  anyIntended(): boolean;
  /** Forgets intents from before, but those of failed objects. */
  clearIntents(beforeMs: number): void;

  /** Writes rows and removes those keys' failures and intents, in one transaction. */
  commit(rows: readonly ManifestRow[]): void;
  /** The destination does not have them any more: forgets their rows, and that they were to be deleted. */
  forget(keys: readonly string[]): void;

  /** Adds the object to the list, or one more attempt to its row, unless it is told of `again` by the same attempt. */
  fail(row: Omit<FailureRow, 'attempts' | 'firstMs' | 'seenMs' | 'dropped'>, again?: boolean): void;
  failure(key: string): FailureRow | undefined;
  /** As `page`, of the failed list. */
  failures(after?: string, limit?: number): FailureRow[];
  failureCount(): number;
  clearFailures(keys: readonly string[]): void;
  /** A listing has shown the object; it was not tried again. */
  seeFailure(key: string, seenMs: number): void;
  /** Gives objects up until their source changes. */
  dropFailures(keys: readonly string[]): void;

  doom(rows: readonly DoomedRow[]): void;
  /** As `page`, of what is to be deleted. */
  doomed(after?: string, limit?: number): DoomedRow[];
  doomedCount(): number;
  /** All of them when no keys are given. */
  clearDoomed(keys?: readonly string[]): void;

  /** Writes or replaces a run; of older runs a few hundred are kept. */
  putRun(row: RunRow): void;
  run(id: string): RunRow | undefined;
  /** The latest first. */
  runs(limit: number): RunRow[];

  /** Adds to the histogram; minutes older than a day are dropped. */
  addLags(rows: readonly LagRow[]): void;
  /** Summed by bin, `minuteMs` being the latest of each, since an instant. */
  lags(sinceMs: number): LagRow[];

  /** Small facts about the pair, such as that its source lists out of order. */
  getFact(name: string): string | undefined;
  setFact(name: string, value: string): void;

  /** A sorted scratch table for a listing that comes out of order. Dropped when disposed. */
  spool(): Spool;

  close(): void;
}

/** Sorts more entries than fit in memory. `value` is opaque text. */
export interface Spool {
  add(batch: readonly { key: string; value: string }[]): void;
  page(after: string | undefined, limit: number): { key: string; value: string }[];
  dispose(): void;
}

/** Held while a run owns the pair; the operating system frees it when the process dies. */
export interface PairLock {
  release(): void;
}

export interface LockHolder {
  pid: number;
  host: string;
  sinceMs: number;
  command: string;
}
