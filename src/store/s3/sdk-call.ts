/** One call of the SDK: its progress, its end, and the bodies between memory and the SDK's streams. */
import { Readable } from 'node:stream';
import { XsyncError } from '../../model/error.js';
import type { Pace } from '../port.js';

/** Bytes handed to the SDK at a time; what `pace` and the idle timeout see. */
const PIECE = 64 * 1024;

/** An answer as it came; `body` is empty for one that is read as a stream. */
export interface SdkAnswer {
  status: number;
  /** Lower-case names, latin1 values. */
  headers: Record<string, string>;
  body: Buffer;
}

/** Watches over one attempt. The SDK's own timeouts know no progress of a body, so this is the idle timeout. */
export class SdkCall {
  answer: SdkAnswer | undefined;
  /** Rejects when the call is aborted or stalls. */
  readonly over: Promise<never>;
  /** For the SDK: fires with the user's signal, on a stall, and at the end of a call whose body was not all sent. */
  readonly signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #user: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #stalled = false;
  #fault: unknown;
  #body: Readable | undefined;

  constructor(user: AbortSignal | undefined, idleTimeoutMs: number) {
    this.#user = user;
    this.signal = user ? AbortSignal.any([user, this.#stop.signal]) : this.#stop.signal;
    this.over = new Promise((_resolve, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
    });
    this.over.catch(() => undefined);
    this.#timer = setTimeout(() => {
      this.#stalled = true;
      this.#stop.abort();
    }, idleTimeoutMs);
  }

  get aborted(): boolean {
    return this.#user?.aborted === true;
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  /** What `pace` threw while a body was sent. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Some bytes moved. */
  touch(): void {
    this.#timer.refresh();
  }

  /**
   * A body for the SDK, as a stream that reports its progress. Never whole: Node garbles a Content-Disposition beyond
   * ASCII when it has the body with the headers.
   */
  upload(body: Uint8Array, pace: Pace | undefined): Uint8Array | Readable {
    // A stream of no bytes would go out chunked.
    if (body.byteLength === 0) return body;
    this.#body = Readable.from(this.#pieces(body, pace), { objectMode: false, highWaterMark: PIECE });
    return this.#body;
  }

  /** Puts the stream's bytes into the target; how many came. @throws invalid-response when there are more */
  async download(target: Uint8Array, stream: AsyncIterable<Uint8Array>, pace: Pace | undefined): Promise<number> {
    let received = 0;
    for await (const chunk of stream) {
      this.touch();
      if (received + chunk.byteLength > target.byteLength) {
        throw new XsyncError('invalid-response', 'the store answered more than was asked for');
      }
      target.set(chunk, received);
      received += chunk.byteLength;
      await this.#paced(chunk.byteLength, pace);
    }
    return received;
  }

  /** Settles the accounts. A body that an early answer left half sent takes its connection with it. */
  end(): void {
    clearTimeout(this.#timer);
    if (this.#body && !this.#body.readableEnded) this.#stop.abort();
  }

  async *#pieces(body: Uint8Array, pace: Pace | undefined): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < body.byteLength; at += PIECE) {
      const piece = body.subarray(at, at + PIECE);
      try {
        await this.#paced(piece.byteLength, pace);
      } catch (error) {
        // Nobody listens for the stream's errors: the call itself ends with this one.
        this.#fault = error;
        this.#stop.abort();
        return;
      }
      this.touch();
      yield piece;
    }
  }

  /** Waits for `pace`, but not beyond the call's end. A transfer held so does not count as stalled. */
  async #paced(bytes: number, pace: Pace | undefined): Promise<void> {
    const hold = pace?.(bytes);
    if (!hold) return;
    const alive = setInterval(() => this.touch(), 1000);
    try {
      await Promise.race([hold, this.over]);
    } finally {
      clearInterval(alive);
    }
  }
}
