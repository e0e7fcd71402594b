/**
 * Streams of change events: what a store tells of itself between two listings. This file is the specification that
 * every feed keeps and every reader may rely on.
 *
 * An event is a hint to look, never a fact to act on. Stores deliver at least once, in no order, and lose some; and
 * `removed` may be the removal of an old version, below which the object still stands. So a reader asks the store
 * about the key before it copies or deletes, and a listing now and then finds what no event told.
 */

/** One change of one object at the source, as its store told it. At-least-once, unordered. */
export interface ChangeEvent {
  /** As the event names it; absent: whatever the watch watches. */
  bucket?: string;
  /** Decoded, verbatim, never empty. */
  key: string;
  kind: 'created' | 'removed';
  /** Orders the events of one key where the store gives one (`compareSequencers`); opaque otherwise. */
  sequencer?: string;
  /** When it happened by the store's clock, in milliseconds since 1970. */
  atMs?: number;
  /** In bytes. */
  size?: number;
  /** Without quotes, in the case in which the event has it. */
  etag?: string;
  versionId?: string;
}

/**
 * Events that are settled together. Exactly one of `done` and `release` is to be called, at any time and in any order
 * among batches; of several calls the first counts. A batch that is never settled keeps its place in the feed's bound.
 */
export interface ChangeBatch {
  /** At least one. */
  readonly events: readonly ChangeEvent[];
  /**
   * The events are safely done or recorded. An SQS message is deleted then; an HTTP call was answered when its events
   * came into memory. Never rejects for a fault of the feed's source: the events come again, and `onTrouble` says why.
   */
  done(): Promise<void>;
  /** Not handled: let the events come again, after a pause that the feed chooses. Rejects no more than `done`. */
  release(): Promise<void>;
}

/** Since the feed was opened. */
export interface FeedCounts {
  /** Events taken, repeated ones included. */
  events: number;
  /** Events of a known form that tell of no new or removed object: restores, tags, test messages. */
  ignored: number;
  /** Bodies, messages and lines that could not be read, and calls without the secret. */
  refused: number;
}

export interface Feed {
  /** What a person calls it, without secrets. */
  readonly name: string;
  readonly counts: Readonly<FeedCounts>;
  /** What is wrong at the moment, said once; undefined when well again. To be set before `start`. */
  onTrouble?: (message: string | undefined) => void;
  /**
   * Makes ready to receive, so that what a person must put right is told early. Resolves to a sentence for the screen.
   * `batches` does it where nobody did.
   * @throws config (nothing can listen there)
   */
  start(): Promise<string>;
  /**
   * Ends when the signal fires, when the feed is closed, and when a source that has an end (standard input) has
   * reached it with every batch done. To be called once. Does not read on while too much is unsettled.
   * @throws as `start`; config, access-denied, bad-credentials, expired-credentials where the source has refused from
   *   the first call on. What once worked is tried again for ever, and `onTrouble` says so.
   */
  batches(signal: AbortSignal): AsyncIterable<ChangeBatch>;
  /** Frees ports and connections, after the last batch is settled. May be called twice. */
  close(): Promise<void>;
}

/** Says each state once. */
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
