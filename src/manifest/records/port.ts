/**
 * The records port: the little that a service must be able to do so that a bridge's state can be there. A record has a name
 * and a text, and is replaced only by whoever has seen what it replaces. Some records are in a queue.
 *
 * Everything else (tickets, outbox, checkpoints) is written once, over this port. Each call may be several requests.
 * Tests: test/contract/state.test.ts
 */

/** Names of one group are ordered by the bytes of `id`. Neither is empty. */
export interface RecordName {
  group: string;
  id: string;
}

/** Where a record waits. `rank` is digits and hyphens; records of a queue are ordered by it. */
export interface QueuePlace {
  queue: string;
  rank: string;
}

/** Part of a queue. */
export interface Ranks {
  /** Those after it. */
  after?: string;
  /** It is among them. */
  upTo?: string;
}

/** What a record is to hold. */
export interface Draft {
  /** JSON. */
  text: string;
  place?: QueuePlace;
  /** It may be removed after this time, ms since 1970, and may still be there long after. */
  untilMs?: number;
}

/** A record as it was read or written. */
export interface Stored {
  name: RecordName;
  text: string;
  place?: QueuePlace;
  /** Opaque: another one after each write. */
  version: string;
}

export interface Records {
  /** What stands there now, without names that are not known. The result has an entry for each `nameText`. */
  get(names: readonly RecordName[]): Promise<Map<string, Stored>>;
  /**
   * Writes a record if nobody else has since `before` was read; without `before`, if there is none. Durable when it resolves.
   * @returns what stands there now; undefined: somebody else came first
   * @throws limit: the service holds no record as large
   */
  swap(
    name: RecordName,
    before: Pick<Stored, 'version' | 'place'> | undefined,
    after: Draft,
  ): Promise<Stored | undefined>;
  /** Records of a group, in the order of their IDs. */
  page(group: string, after: string | undefined, limit: number): Promise<Stored[]>;
  /** What stands in a queue now, in order. One that was written a moment ago may be missing. */
  queued(queue: string, options: Ranks & { limit: number }): Promise<Stored[]>;
  /** About how many are in a queue. @param most stops counting there */
  countQueued(queue: string, most: number): Promise<number>;
  /** Whatever stands there. */
  remove(names: readonly RecordName[]): Promise<void>;
  close(): Promise<void>;
}

/** The key of a name in the result of `get`. */
export function nameText({ group, id }: RecordName): string {
  return `${group}\n${id}`;
}

/** A rank by time, and by a number among those of one time. */
export function rankOf(ms: number, among = 0): string {
  return `${digits(ms, 13)}-${digits(among, 16)}`;
}

function digits(value: number, length: number): string {
  return String(Math.max(0, Math.round(value))).padStart(length, '0');
}
