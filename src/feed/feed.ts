/**
 * Streams of change events: what a store reports between two listings. This file is the specification of every feed.
 *
 * An event is a hint, not a fact. Stores deliver events at least once, in any order, and lose some; and `removed` may
 * refer to an old version while the object still exists. So a reader checks the key in the store before it copies or
 * deletes, and periodic listings find changes without events.
 * Tests: test/feed/lines.test.ts
 */

/** One change of one object at the source, as its store reported it. At-least-once, unordered. */
export interface ChangeEvent {
  /** Absent: the bucket of the watch. */
  bucket?: string;
  /** Decoded, verbatim, never empty. */
  key: string;
  kind: 'created' | 'removed';
  /** Tags or the ACL changed, and perhaps nothing else: the object looks the same in a listing. */
  attributes?: true;
  /** Opaque value that orders the events of one key (`compareSequencers`); absent if the store has none. */
  sequencer?: string;
  /** Time of the change by the store's clock, in milliseconds since 1970. */
  atMs?: number;
  /** In bytes. */
  size?: number;
  /** Without quotes, in the event's case. */
  etag?: string;
  versionId?: string;
}

/**
 * Events that are settled together. The reader must call either `done` or `release`, at any time and in any order among
 * batches; only the first call counts. A batch that is never settled keeps counting towards the feed's limit.
 */
export interface ChangeBatch {
  /** At least one. */
  readonly events: readonly ChangeEvent[];
  /**
   * The events are handled or recorded. An SQS message is then deleted; an HTTP call was already answered. An error of
   * the feed's source does not reject: the events are delivered again, and `onTrouble` reports the error.
   */
  done(): Promise<void>;
  /** The events were not handled: deliver them again after a pause chosen by the feed. Does not reject, like `done`. */
  release(): Promise<void>;
}

/** Counts since the feed was opened. */
export interface FeedCounts {
  /** Received events, including repeated ones. */
  events: number;
  /** Events of a known form that report no created, removed or changed object: restores, test messages. */
  ignored: number;
  /** Unreadable bodies, messages and lines, and calls without the secret. */
  refused: number;
}

export interface Feed {
  /** Name for messages, without secrets. */
  readonly name: string;
  readonly counts: Readonly<FeedCounts>;
  /** Called once with each new problem, and with undefined when it is over. Must be set before `start`. */
  onTrouble?: (message: string | undefined) => void;
  /**
   * Prepares to receive events, so that configuration errors are reported early. Optional: `batches` calls it.
   * @returns a sentence for the screen
   * @throws config: it cannot listen at the address
   */
  start(): Promise<string>;
  /**
   * Ends when the signal fires, when the feed is closed, or when a finite source (standard input) has ended and every
   * batch is done. Must be called only once. Stops reading while too many events are unsettled.
   * @throws as `start`; config, access-denied, bad-credentials, expired-credentials if the source has refused from the
   *   first call on. After a first success, errors are retried until stopped and reported to `onTrouble`.
   */
  batches(signal: AbortSignal): AsyncIterable<ChangeBatch>;
  /** Releases ports and connections. Call it after the last batch is settled. May be called twice. */
  close(): Promise<void>;
}

/** Reports each problem once. */
export class Trouble {
  readonly #tell: (message: string | undefined) => void;
  #said: string | undefined;

  constructor(tell: (message: string | undefined) => void) {
    this.#tell = tell;
  }

  is(message: string): void {
    if (message === this.#said) return;
    this.#said = message;
    this.#tell(message);
  }

  over(): void {
    if (this.#said === undefined) return;
    this.#said = undefined;
    this.#tell(undefined);
  }
}
