/**
 * The durable queues of a bridge. Both ends are asynchronous, so that a cloud's own table can be behind them.
 * Tests: test/manifest/sqlite/queues.test.ts
 */
import { createHash } from 'node:crypto';

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

/** Proves who performs a ticket. */
export interface Held {
  key: string;
  id: string;
  /** Of this claim: a later one of the same ticket has another. */
  lease: string;
}

/** A ticket that somebody performs. */
export interface Claim extends Held {
  /** JSON: only the bridge reads it. */
  body: string;
  /** Attempts that have failed, or whose lease ran out. */
  attempts: number;
}

export interface Settled {
  id: string;
  state: Exclude<TicketState, 'queued'>;
  fault?: Fault;
}

export interface ClaimOptions {
  nowMs: number;
  /** Nobody else gets the tickets for this time, unless they are put back. */
  leaseMs: number;
  limit: number;
  /** Only these; absent: whichever are due. */
  ids?: readonly string[];
}

/**
 * The tickets of the pulling end: one a key, the newest. Their IDs are those of `ticketId`.
 *
 * A ticket is performed by whoever holds its lease. One whose lease has run out is due again, and what its former holder
 * says of it no longer counts. A newer ticket of the key waits until the lease of the older one has ended.
 */
export interface TicketQueue {
  /**
   * Keeps the tickets that are newer than what is known of their key; durable when it returns. One with the revision that is
   * known replaces its URL, unless it is done.
   * @returns the IDs of those that were dropped, because they are stale
   */
  add(tickets: readonly { key: string; id: string; revision: number; body: string }[]): Promise<string[]>;
  /** Takes tickets that are due, roughly in the order in which they came. */
  claim(options: ClaimOptions): Promise<Claim[]>;
  /** Extends leases until this time. @returns those that are still held, which replace the ones given */
  renew<T extends Held>(held: readonly T[], untilMs: number): Promise<T[]>;
  /** When the next one is due, or the next lease runs out, ms since 1970. */
  nextMs(): Promise<number | undefined>;
  /**
   * Notes results, unless a newer ticket has come for the key. A settled ticket's body is forgotten: it has a URL.
   * @returns the IDs of those that were no longer held: nothing was noted
   */
  settle(results: readonly (Settled & Held)[]): Promise<string[]>;
  /** Gives tickets back; they are due at this time. A fault counts as an attempt. */
  putBack(held: readonly Held[], untilMs: number, fault?: Fault): Promise<void>;
  /** Of these IDs; one that is not known is missing: a newer one has taken its place. */
  states(ids: readonly string[]): Promise<Map<string, { state: TicketState; fault?: Fault }>>;
  /** How many are queued, leases included. @param most stops counting there */
  countWaiting(most?: number): Promise<number>;
  /** Remembers a nonce until a time. @returns false if it was known */
  once(nonce: string, untilMs: number, nowMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * The ID of a change of a key. It ends in a hash of the key, so that a queue finds the ticket by its ID alone, and because
 * two pushing ends may give one revision to different keys.
 */
export function ticketId({ key, revision }: { key: string; revision: number }): string {
  return `r${revision}-${slotOf(key)}`;
}

/** The slot in an ID. */
export function slotIn(id: string): string {
  return id.slice(id.indexOf('-') + 1);
}

/** 128 bits of the SHA-256 of a key, hex. */
export function slotOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
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
  /** Grows with each change of the key that was seen. */
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
