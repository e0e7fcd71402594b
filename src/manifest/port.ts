/**
 * The manifest port: what the last runs saw on both sides of one pair, unfinished uploads and failed objects. One
 * manifest belongs to one pair (endpoint, bucket and prefix of both sides). All keys are relative to the pair's
 * prefixes and ordered by key bytes.
 *
 * Calls are synchronous: the adapter is an embedded database whose calls cost microseconds.
 * Tests: test/manifest/rows.test.ts
 */
import type { ErrorClass, ErrorCode } from '../model/error.js';
import type { Spool } from '../model/spool.js';
import type { VerifiedBy } from '../model/verified.js';
import type { UploadRows } from './checkpoints.js';

export type { Spool };

/** One side of a pair. Contains no secret and no account: the manifest stays valid with new credentials. */
export interface PlaceIdentity {
  /** As in `StoreIdentity`. */
  kind: string;
  /** Control endpoint as an origin; host name for local. Distinguishes equal bucket names of two partitions. */
  endpoint: string;
  /** Bucket, or absolute root directory. */
  bucket: string;
  prefix: string;
}

/** The pair that a manifest belongs to. */
export interface PairIdentity {
  source: PlaceIdentity;
  dest: PlaceIdentity;
}

/** An object that the destination has confirmed, with its version on both sides at that time. */
export interface ManifestRow {
  key: string;
  size: number;
  sourceEtag: string;
  /** Source Last-Modified, ms; 0: not known. */
  sourceMtimeMs: number;
  destEtag: string;
  /** The destination's, ms; only a mirror knows it. */
  destMtimeMs?: number;
  /** How the copy was verified, or how an existing object was found equal; `size`: by size and time. */
  verifiedBy: VerifiedBy;
  /** How far the times of both sides were apart when they were taken for equal, ms; absent: not at all. */
  apartMs?: number;
  /** Checksum of the bytes that were copied (`contentText`), where a side is on local disk. */
  content?: string;
  /** True if xsync wrote the destination object. By default sync deletes only such objects. */
  ours: boolean;
  /** When the destination confirmed it, ms. */
  atMs: number;
}

/** An entry of the failed list: an object that could not be copied. It stays in the list until it is. */
export interface FailureRow {
  key: string;
  size: number;
  sourceEtag: string;
  /**
   * Last-Modified of the oldest source version since the last successful copy, ms. 0, with an empty ETag: no version is
   * known, because the source did not answer.
   */
  sourceMtimeMs: number;
  /**
   * Everything written of the object before this is at the destination, ms: at most `sourceMtimeMs`, and earlier if
   * versions may have come and gone that no listing had. 0 if nothing is known of it.
   */
  arrivedMs: number;
  class: ErrorClass;
  code: ErrorCode;
  message: string;
  /** Fingerprint of both sides' settings at the last attempt. New settings may fix an error of class `person`. */
  settings: string;
  attempts: number;
  firstMs: number;
  lastMs: number;
  /** When a listing last contained the object, ms. */
  seenMs: number;
  /** The user has dropped the object: it is not tried again until its source changes. */
  dropped: boolean;
}

/** The rows of the failed list that have one class, in sums. */
export interface FailureSum {
  class: ErrorClass;
  dropped: boolean;
  objects: number;
  bytes: number;
  /** How many have an earlier `arrivedMs` than was asked for. */
  behind: number;
  /** The earliest of theirs. */
  arrivedMs: number;
}

/** An object that sync will delete at the destination after all guards have passed. */
export interface DoomedRow {
  key: string;
  size: number;
  destEtag: string;
  /** When it was found missing at the source, ms. */
  foundMs: number;
}

/** An object that is about to be written at the destination. */
export interface Intent {
  key: string;
  /** ETag of the existing object; while it is unchanged, nothing was written. Empty if there is none. */
  destEtag: string;
  /** Time of the intent, ms. */
  atMs: number;
}

/** A version of the source, or a delete marker, that was carried over or is about to be. */
export interface VersionRow {
  key: string;
  /** `versionName` of the source's version. */
  source: string;
  /** ID of the destination's version, or `UNKNOWN_VERSION`. Empty: it is about to be written, and may have been. */
  dest: string;
  /** ms. */
  atMs: number;
}

/** The destination did not tell the ID of what it wrote. */
export const UNKNOWN_VERSION = 'unknown';

/** An object as one side had it. */
export interface ConflictSide {
  etag: string;
  /** Bytes. */
  size: number;
  /** ms since 1970: the writer's time where the object has it. */
  mtimeMs: number;
}

/** A key of a mirror that had changed on both sides, to different content. */
export interface ConflictRow {
  key: string;
  sides: { source: ConflictSide; dest: ConflictSide };
  foundMs: number;
  /** When a run last found it, ms. */
  seenMs: number;
  /** Absent while it is open. */
  settledMs?: number;
  /** The side whose object has the key now; absent: none was chosen, and the sides were made equal in another way. */
  winner?: 'source' | 'destination';
  /** Key under which the loser is kept. */
  keptAs?: string;
}

export interface Settled extends Pick<ConflictRow, 'winner' | 'keptAs'> {
  /** ms. */
  atMs: number;
}

/** An object that both sides had, whose bytes another object has. */
export type Twin = Pick<ManifestRow, 'key' | 'sourceEtag' | 'destEtag' | 'content'>;

/** Rows by content, without those that nothing proved. The first call of a kind builds an index. */
export interface Twins {
  /** A row of a source object with this size and ETag. */
  ofSource(size: number, etag: string): Twin | undefined;
  /** The same, of a destination object. */
  ofDest(size: number, etag: string): Twin | undefined;
  /** The `content` of some row of this size, if one has it. */
  someContent(size: number): string | undefined;
  ofContent(size: number, content: string): Twin | undefined;
}

/** The conflicts of a mirror, open and past. Some thousand past ones are kept. */
export interface ConflictRows {
  /** Adds an open conflict, or notes that it is still open. */
  note(key: string, sides: ConflictRow['sides'], atMs: number): void;
  /** Does nothing if the key has no open conflict. */
  settle(key: string, settled: Settled): void;
  /** Settles open conflicts that no run has found since. */
  settleUnseen(sinceMs: number, atMs: number): void;
  open(key: string): ConflictRow | undefined;
  countOpen(): number;
  /** The open ones first, then the latest. */
  list(limit: number): ConflictRow[];
}

/** What the tags of an object decided. */
export interface TagVerdict {
  key: string;
  /** The version that had these tags when they were read; they may have changed since. */
  sourceEtag: string;
  /** When it was written; the same bytes may be written again with other tags. */
  sourceMtimeMs: number;
  /** `TagFilter.id` of the filter that was asked. */
  filter: string;
  /** Why it was left out; absent: it passed. */
  exclusion?: string;
  /** When its tags were read, ms since 1970. */
  atMs: number;
}

export interface TagVerdicts {
  get(key: string): TagVerdict | undefined;
  put(verdict: TagVerdict): void;
  /** Keys after one of them (exclusive), in key-byte order. */
  keys(after: string | undefined, limit: number): string[];
  drop(keys: readonly string[]): void;
}

/** How a run ended. A killed run stays `running`. */
export type RunOutcome = 'running' | 'complete' | 'stopped' | 'broken' | 'guarded';

/** One run over the pair, for `status` and `report`. */
export interface RunRow {
  id: string;
  command: string;
  startedMs: number;
  /** Time of the last update while the run is in progress. */
  endedMs: number;
  outcome: RunOutcome;
  /** JSON defined by the engine. */
  detail: string;
}

/** Histogram of the time from the source's change to the destination's confirmation. */
export interface LagRow {
  /** Start of the minute in which the objects were confirmed, ms. */
  minuteMs: number;
  /** Bin of the histogram; the engine defines its bounds. */
  bin: number;
  objects: number;
  maxMs: number;
}

export interface Manifest extends UploadRows {
  /** File path, for messages. */
  readonly path: string;

  get(key: string): ManifestRow | undefined;
  /** At most `limit` rows after `after` (exclusive) in key-byte order. */
  page(after: string | undefined, limit: number): ManifestRow[];
  count(): number;
  /**
   * The key of the last of the `rows` rows after `after` (exclusive), and the key of the row that follows it; undefined
   * if none follows. Reads only those rows.
   */
  quantile(after: string | undefined, rows: number): { last: string; next: string } | undefined;

  /**
   * Records that objects are about to be written at the destination. Until `commit` or `forget` clears the intent, an
   * object found under the key may have been written by xsync. An existing intent keeps its ETag. Durable against
   * kill -9 on return.
   */
  intend(intents: readonly Intent[]): void;
  /** The intent for the key; undefined if there is none, or if `commit` or `forget` has cleared it. */
  intended(key: string): Intent | undefined;
  anyIntended(): boolean;
  /** Deletes older intents except those of failed objects. */
  clearIntents(beforeMs: number): void;

  /** Writes rows and deletes those keys' failures and intents, in one transaction. */
  commit(rows: readonly ManifestRow[]): void;
  /** The destination no longer has the objects: deletes their rows, intents and doomed entries. */
  forget(keys: readonly string[]): void;

  /** Adds the object to the failed list, or an attempt to its row. `again`: the same attempt, which is not counted. */
  fail(row: Omit<FailureRow, 'attempts' | 'firstMs' | 'seenMs' | 'dropped'>, again?: boolean): void;
  failure(key: string): FailureRow | undefined;
  /** Like `page`, for the failed list. */
  failures(after?: string, limit?: number): FailureRow[];
  failureCount(): number;
  /** Reads the whole list, without its texts: about 50 ms for 100,000 rows. @param beforeMs ms since 1970, for `behind` */
  failureSums(beforeMs: number): FailureSum[];
  /** Those that miss the oldest changes first, without dropped ones. */
  oldestFailures(limit: number): FailureRow[];
  clearFailures(keys: readonly string[]): void;
  /** Records that a listing contained the object and that it was not tried again. */
  seeFailure(key: string, seenMs: number): void;
  /** Marks objects as dropped until their source changes. */
  dropFailures(keys: readonly string[]): void;

  doom(rows: readonly DoomedRow[]): void;
  /** Like `page`, for the doomed objects. */
  doomed(after?: string, limit?: number): DoomedRow[];
  doomedCount(): number;
  /** Clears all doomed objects if no keys are given. */
  clearDoomed(keys?: readonly string[]): void;

  /**
   * Writes or replaces a run. A few hundred older runs are kept. Runs that seem to start later than this one's last update
   * were noted by a wrong clock, and are moved before it.
   */
  putRun(row: RunRow): void;
  run(id: string): RunRow | undefined;
  /** Latest first. */
  runs(limit: number): RunRow[];

  /** Adds to the histogram; minutes more than a day older are dropped, and later ones, which a wrong clock noted. */
  addLags(rows: readonly LagRow[]): void;
  /** Rows between two times, summed by bin, with the latest `minuteMs` of each. */
  lags(sinceMs: number, untilMs: number): LagRow[];
  /** The same for each step of a time, whose start is `minuteMs`; ordered by it and by bin. Whole minutes. */
  lagCourse(sinceMs: number, untilMs: number, stepMs: number): LagRow[];

  /** Writes or replaces a version. Durable against kill -9 on return. */
  putVersion(row: VersionRow): void;
  /** ID of the destination's version, empty if it may have been written; undefined if it was never to be written. */
  destVersion(key: string, source: string): string | undefined;
  /** Whether a version of the key is one that was carried over. */
  hasDestVersion(key: string, dest: string): boolean;
  /** When that version was carried over, ms since 1970; undefined if it is not one that was. */
  carriedMs(key: string, dest: string): number | undefined;
  hasVersions(key: string): boolean;
  /** At most `limit` versions after one of them (exclusive), in the order of keys, and of `source` within a key. */
  versions(after: Pick<VersionRow, 'key' | 'source'> | undefined, limit: number): VersionRow[];
  versionCount(): number;
  /** The version was not written after all. */
  dropVersion(key: string, source: string): void;
  /** `versionName` of the version of the key that is about to be written, if there is one. */
  unfinishedVersion(key: string): string | undefined;

  readonly conflicts: ConflictRows;

  readonly tagVerdicts: TagVerdicts;

  readonly twins: Twins;

  /** Small facts about the pair, for example that its source lists out of order. */
  getFact(name: string): string | undefined;
  setFact(name: string, value: string): void;

  /** A temporary table that sorts a listing that is out of order. Deleted when disposed. */
  spool(): Spool;

  close(): void;
}

/** Held while a run uses the pair. The operating system releases it when the process ends. */
export interface PairLock {
  release(): void;
}

export interface LockHolder {
  pid: number;
  host: string;
  sinceMs: number;
  command: string;
}
