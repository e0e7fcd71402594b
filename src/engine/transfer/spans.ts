/**
 * A part that is read over several connections. Where each connection is slow, hundreds of them then have only a few parts
 * in progress, and the last parts of a run use all of them. The part stays whole for its proof and for its checkpoint.
 * Tests: test/engine/transfer/spans.test.ts
 */
import { setMaxListeners } from 'node:events';
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { PieceSink } from '../../store/port.js';
import type { Moving } from '../tune/flow.js';

/** Bytes that a read may be handed memory for. Less than the smallest span, so that nobody else reads them meanwhile. */
const ROOM = 896 * 1024;
/** The smallest span that is taken from a read in progress. */
const LEAST_TAKEN = 1024 * 1024;

/** Bytes of a part that one request reads. */
export class Span {
  /** Within the part. */
  readonly offset: number;
  #size: number;
  /** Bytes that have arrived. */
  arrived = 0;
  /** Nothing can be taken from it. */
  fixed = false;

  constructor(offset: number, size: number) {
    this.offset = offset;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Its last bytes, for another request; undefined if it will soon be there by itself, or cannot end early. */
  take(size: number): Span | undefined {
    const rest = this.#size - this.arrived - size;
    if (this.fixed || rest < Math.max(size, LEAST_TAKEN)) return undefined;
    this.#size -= size;
    return new Span(this.offset + this.#size, size);
  }
}

/** Equal spans of at most `most` bytes, the last one shorter by a few. */
export function spansOf(size: number, most: number): Span[] {
  const each = Math.ceil(size / Math.ceil(size / most));
  return Array.from({ length: Math.ceil(size / each) }, (_, i) => new Span(i * each, Math.min(each, size - i * each)));
}

/** Puts the bytes of a span into their place, and ends the read where the span ends by then. */
export class SpanSink implements PieceSink {
  readonly byteLength: number;
  taken = 0;
  readonly #span: Span;
  readonly #place: Uint8Array;
  readonly #begin: (info: ObjectInfo) => void;
  #info: ObjectInfo | undefined;

  /**
   * @param place the memory of the span
   * @param begin throws if the source sends another object
   */
  constructor(span: Span, place: Uint8Array, begin: (info: ObjectInfo) => void) {
    this.byteLength = place.byteLength;
    this.#span = span;
    this.#place = place;
    this.#begin = begin;
  }

  /** What the source says of the object, if every byte of the span has arrived. */
  get whole(): ObjectInfo | undefined {
    return this.taken >= this.#span.size ? this.#info : undefined;
  }

  begin(info: ObjectInfo): void {
    this.#begin(info);
    this.#info = info;
  }

  take(piece: Uint8Array): Promise<void> | undefined {
    const at = this.#place.byteOffset + this.taken;
    if (piece.buffer !== this.#place.buffer || piece.byteOffset !== at) this.#place.set(this.#cut(piece), this.taken);
    this.taken += piece.byteLength;
    this.#span.arrived = this.taken;
    if (this.taken < this.#span.size || this.taken === this.byteLength) return undefined;
    // Rejects instead of throwing, so that the piece is counted before the read ends.
    const end = Promise.reject(new XsyncError('aborted', 'another request reads the rest'));
    end.catch(() => undefined);
    return end;
  }

  room(): Uint8Array | undefined {
    const end = Math.min(this.taken + ROOM, this.#span.size);
    return this.taken < end ? this.#place.subarray(this.taken, end) : undefined;
  }

  #cut(piece: Uint8Array): Uint8Array {
    return piece.subarray(0, Math.max(0, this.#span.size - this.taken));
  }
}

/** Requests that any free slot may make. */
export interface SharedWork {
  /** Begins the next one; undefined: none is left to begin now. The promise never rejects. */
  help(): Promise<void> | undefined;
}

/** Work that slots do before their own. */
export class Helpers {
  readonly #works = new Set<SharedWork>();

  add(work: SharedWork): void {
    this.#works.add(work);
  }

  delete(work: SharedWork): void {
    this.#works.delete(work);
  }

  get wanted(): boolean {
    return this.#works.size > 0;
  }

  /** Makes a request of the oldest work that has any; undefined: none is left to begin now. */
  help(): Promise<void> | undefined {
    for (const work of this.#works) {
      const request = work.help();
      if (request) return request;
    }
    return undefined;
  }
}

export interface SpannedReadOptions {
  spans: readonly Span[];
  /** Fills the span's bytes, and returns what the source says of the object. */
  read(span: Span, signal: AbortSignal): Promise<ObjectInfo>;
  /** Bytes that one request should read; undefined: as many as possible. */
  readSize(): number | undefined;
  /** Of the part. */
  moving: Moving;
}

export class SpannedRead implements SharedWork {
  readonly #options: SpannedReadOptions;
  readonly #waiting: Span[];
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** What the part's own slot reads. */
  #own: Span | undefined;
  #info: ObjectInfo | undefined;
  #fault: { error: unknown } | undefined;

  constructor(options: SpannedReadOptions) {
    this.#options = options;
    this.#waiting = [...options.spans];
    // One listener for each request.
    setMaxListeners(0, this.#abort.signal);
  }

  help(): Promise<void> | undefined {
    const span = this.#waiting.shift() ?? this.#takeFromOwn();
    if (!span) return undefined;
    const leave = this.#options.moving.join?.();
    return this.#read(span).finally(leave);
  }

  /**
   * Reads in the caller's slot what nobody else has begun, and waits for the rest.
   * @param signal aborts all requests
   * @returns what the source says of the object
   * @throws the first error, once no request writes into the memory any more
   */
  async whole(signal: AbortSignal): Promise<ObjectInfo> {
    const abort = (): void => this.#abort.abort();
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    try {
      for (this.#own = this.#waiting.shift(); this.#own; this.#own = this.#waiting.shift()) await this.#read(this.#own);
      await Promise.all(this.#running);
    } finally {
      signal.removeEventListener('abort', abort);
    }
    if (this.#fault) throw this.#fault.error;
    return this.#info as ObjectInfo;
  }

  #takeFromOwn(): Span | undefined {
    const size = this.#options.readSize();
    return size === undefined || this.#fault ? undefined : this.#own?.take(size);
  }

  #read(span: Span): Promise<void> {
    const reading = this.#options.read(span, this.#abort.signal).then(
      (info) => {
        this.#info ??= info;
      },
      (error: unknown) => this.#fail(error),
    );
    this.#running.add(reading);
    return reading.finally(() => this.#running.delete(reading));
  }

  /** The part cannot become whole. */
  #fail(error: unknown): void {
    this.#fault ??= { error };
    this.#waiting.length = 0;
    this.#abort.abort();
  }
}
