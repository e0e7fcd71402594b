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
  /** The other end has it. */
  | 'sent'
  | 'done'
  /** Given up; `replay` sends it again. */
  | 'dead';

export interface OutboxRow {
  key: string;
  action: 'copy' | 'delete';
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
}

/** What was seen of an object: a copy, or that it is gone. */
export interface Change extends Pick<OutboxRow, 'key' | 'action' | 'etag' | 'size' | 'mtimeMs' | 'versionId'> {
  /** The revision of the row with which it was compared; absent if there was none. */
  since?: number;
}

export interface OutboxCounts {
  objects: Record<OutboxState, number>;
  bytes: Record<OutboxState, number>;
}

/** The objects of the pushing end: one row a key, which is both its memory and its queue. */
export interface Outbox {
  get(key: string): Promise<OutboxRow | undefined>;
  /** Rows in key order. */
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
  dead(after: string | undefined, limit: number): Promise<OutboxRow[]>;
  /** @param keys absent: all @returns how many */
  replay(keys?: readonly string[]): Promise<number>;
  /** Reads every row. */
  counts(): Promise<OutboxCounts>;
  fact(name: string): Promise<string | undefined>;
  setFact(name: string, value: string): Promise<void>;
  close(): Promise<void>;
}
