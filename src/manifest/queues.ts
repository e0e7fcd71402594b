/**
 * The durable queues of a bridge. Both ends are asynchronous, so that a cloud's own table can be behind them.
 * Tests: test/manifest/sqlite/queues.test.ts
 */
import { createHash } from 'node:crypto';
import type { Checksums } from '../model/checksum.js';

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

/**
 * Nothing is put off for longer. What is due later was put off by a clock that was wrong then, and is due at once: it would
 * wait for years.
 */
export const LONGEST_WAIT_MS = 3_600_000;

/** Proves who performs a ticket. */
export interface Held {
  key: string;
  id: string;
  /** Of this claim: a later one of the same ticket has another. */
  lease: string;
}

export interface NewTicket {
  key: string;
  id: string;
  revision: number;
  /** JSON: only the bridge reads it. */
  body: string;
  /** Tells the pushing end's source from others. */
  source?: string;
  /** The object is to be deleted. */
  deletes?: boolean;
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
   * known replaces its URL, unless it is done, and keeps the attempts of a ticket whose URL has expired before anything moved. One that deletes is dropped if the newest ticket of the key has another
   * source: what is there is not what has gone.
   * @returns the IDs of those that were dropped, because they are stale
   */
  add(tickets: readonly NewTicket[]): Promise<string[]>;
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
  /** Of the bytes, as far as the source has told them. */
  checksums?: Checksums;
  /** Only attributes may have changed since the bytes were sent: the other end compares them. */
  refresh?: true;
  /** Digest of the attributes that were seen last, if they are compared. */
  attributes?: string;
  /** Grows with each change of the key that was seen. */
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
export interface Change
  extends Pick<
    OutboxRow,
    'key' | 'action' | 'etag' | 'size' | 'mtimeMs' | 'versionId' | 'checksums' | 'refresh' | 'attributes'
  > {
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
  /** When the oldest one that is remembered was written, ms since 1970: older ones have been seen, too. */
  oldestVersionMs(key: string): Promise<number | undefined>;
  /** @param version absent: any */
  hasVersion(key: string, version?: string): Promise<boolean>;
  /**
   * Notes versions of a key, the oldest first, that are newer than all others of it. Those that are known stay.
   * @returns how many were noted
   */
  noteVersions(key: string, versions: readonly VersionChange[], state: 'waiting' | 'known'): Promise<number>;
  /** The version of the key that is sent: one at most. */
  sentVersion(key: string): Promise<OutboxRow | undefined>;
  /** Names of versions with bytes that are newer than the one of that revision: the next ones and the newest ones. */
  newerVersions(key: string, revision: number, limit: number): Promise<string[]>;
  /** Keys of which versions are known, in order. */
  versionedKeys(after: string | undefined, limit: number): Promise<string[]>;
  /** The source has no version of the key any more: forgets them, and notes a delete of it. */
  noteGone(key: string): Promise<void>;
  /** Versions that were there before the bridge are sent, of keys of which none was: they can only be put on top. */
  backfillVersions(): Promise<void>;
}

/** What the pushing end knows: one row an object, or a version, which is both its memory and its queue. */
export interface Outbox {
  /** Absent: it keeps objects only. */
  readonly versions?: OutboxVersions;
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
   * What was given up is sent again; not a version of which a newer one was sent. So is what waits after a failure, at
   * either end: somebody may have mended the reason.
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
