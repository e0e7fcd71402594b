/**
 * The durable queues of a bridge. Both ends are asynchronous, so that a cloud's own table can be behind them.
 * Tests: test/manifest/sqlite/queues.test.ts
 */

/** What the pulling end knows of a ticket. */
export type TicketState =
  /** It is performed when it is due. */
  | 'queued'
  | 'done'
  /** Given up; it stays in the list. */
  | 'dead'
  /** Its URL has expired: the pushing end must send another one. */
  | 'expired'
  /** The source has another version: the pushing end must look again. */
  | 'changed';

export interface Fault {
  code: string;
  message: string;
}

/** A ticket that waits, as JSON: only the bridge reads it. */
export interface Waiting {
  key: string;
  id: string;
  body: string;
  /** Attempts so far. */
  attempts: number;
}

export interface Settled {
  id: string;
  state: Exclude<TicketState, 'queued'>;
  fault?: Fault;
}

/** The tickets of the pulling end: one a key, the newest. */
export interface TicketQueue {
  /**
   * Keeps the tickets that are newer than what is known of their key; on disk when it returns. One with the revision that is
   * known replaces its URL, unless it is done.
   * @returns the IDs of those that were dropped, because they are stale
   */
  add(tickets: readonly { key: string; id: string; revision: number; body: string }[]): Promise<string[]>;
  /** Tickets that are due, in the order in which they came, without those of the given keys. */
  due(nowMs: number, limit: number, without: ReadonlySet<string>): Promise<Waiting[]>;
  /** When the next one is due, ms since 1970. */
  nextMs(): Promise<number | undefined>;
  /** Notes results, unless a newer ticket has come for the key. A settled ticket's body is forgotten: it has a URL. */
  settle(results: readonly Settled[]): Promise<void>;
  /** The ticket is tried again at this time. */
  delay(id: string, untilMs: number, fault: Fault): Promise<void>;
  /** Of these IDs; one that is not known is missing: a newer one has taken its place. */
  states(ids: readonly string[]): Promise<Map<string, { state: TicketState; fault?: Fault }>>;
  count(state: TicketState): Promise<number>;
  /** Remembers a nonce until a time. @returns false if it was known */
  once(nonce: string, untilMs: number, nowMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** What the pushing end knows of an object. */
export type OutboxState =
  /** It was there before the bridge, and is not sent. */
  | 'known'
  /** A ticket is to be sent when it is due. */
  | 'waiting'
  /** It waits for an older version of its key. */
  | 'behind'
  /** The other end has it. */
  | 'sent'
  | 'done'
  /** Given up; `replay` sends it again. */
  | 'dead';

export interface OutboxRow {
  key: string;
  /** Of a version: its name (`versionName`). Versions of a key have a row each. */
  version?: string;
  /** `mark`: a delete marker, as a version. */
  action: 'copy' | 'delete' | 'mark';
  etag: string;
  /** Bytes. */
  size: number;
  mtimeMs: number;
  versionId?: string;
  /** Grows with each change that was seen, of any key. */
  revision: number;
  state: OutboxState;
  attempts: number;
  fault?: Fault;
}

export interface Move extends Pick<OutboxRow, 'key' | 'revision' | 'state' | 'attempts' | 'fault'> {
  /** It is due then, ms since 1970. */
  untilMs?: number;
  /** The next version of the key may follow, although this one is not done. */
  passes?: true;
}

/** What was seen of an object: a copy, or that it is gone. */
export interface Change extends Pick<OutboxRow, 'key' | 'action' | 'etag' | 'size' | 'mtimeMs' | 'versionId'> {
  /** The revision of the row with which it was compared; absent if there was none. */
  since?: number;
}

/** A version of a key, or a delete marker. */
export type VersionChange = Required<Pick<OutboxRow, 'version' | 'versionId' | 'action' | 'etag' | 'size' | 'mtimeMs'>>;

/** Those that wait for an older version are among the waiting ones. */
export type Tally = Record<Exclude<OutboxState, 'behind'>, number>;

export interface OutboxCounts {
  objects: Tally;
  /** Delete markers are among them. */
  versions: Tally;
  bytes: Tally;
}

/** The versions that the pushing end knows. Those of a key are sent one after the other, the oldest first. */
export interface OutboxVersions {
  hasVersion(key: string, version: string): Promise<boolean>;
  /**
   * Notes versions of a key, the oldest first, that are newer than all others of it. Those that are known stay.
   * @returns how many were noted
   */
  noteVersions(key: string, versions: readonly VersionChange[], state: 'waiting' | 'known'): Promise<number>;
  /** Keys of which versions are known, in order. */
  versionedKeys(after: string | undefined, limit: number): Promise<string[]>;
  /** The source has no version of the key any more: forgets them, and notes a delete of it. */
  noteGone(key: string): Promise<void>;
  /** Versions that were there before the bridge are sent, of keys of which none was: they can only be put on top. */
  backfillVersions(): Promise<void>;
}

/** What the pushing end knows: one row an object, or a version, which is both its memory and its queue. */
export interface Outbox extends OutboxVersions {
  /** Of an object, not of a version. */
  get(key: string): Promise<OutboxRow | undefined>;
  /** Rows of objects in key order. */
  page(after: string | undefined, limit: number): Promise<OutboxRow[]>;
  /**
   * Notes changes, with new revisions. A row that has another revision by now was written by somebody who has seen more,
   * and stays.
   * @returns the keys of the changes that were not noted
   */
  note(changes: readonly Change[], state: 'waiting' | 'known'): Promise<string[]>;
  due(nowMs: number, limit: number): Promise<OutboxRow[]>;
  sent(limit: number): Promise<OutboxRow[]>;
  nextMs(): Promise<number | undefined>;
  /** Moves rows on, unless another change has been noted since that revision. */
  move(moves: readonly Move[]): Promise<void>;
  /** How many are sent. */
  countSent(): Promise<number>;
  /** Nothing waits, and nothing is sent. */
  isIdle(): Promise<boolean>;
  dead(after: Pick<OutboxRow, 'key' | 'version'> | undefined, limit: number): Promise<OutboxRow[]>;
  /**
   * What was given up is sent again; not a version of which a newer one was sent.
   * @param keys absent: all
   * @returns how many
   */
  replay(keys?: readonly string[]): Promise<number>;
  /** Reads every row. */
  counts(): Promise<OutboxCounts>;
  fact(name: string): Promise<string | undefined>;
  setFact(name: string, value: string): Promise<void>;
  close(): Promise<void>;
}
