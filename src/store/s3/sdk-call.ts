/**
 * One call of the SDK: its progress, its end, and its bodies, which the SDK handles as streams.
 * Tests: test/store/s3-sdk/store.test.ts
 */
import { Readable } from 'node:stream';
import { XsyncError } from '../../model/error.js';
import { MAX_BODY } from '../http/message.js';
import type { Pace } from '../port.js';

/** Bytes passed to the SDK at a time: the unit of `pace` and of the idle timeout. */
const PIECE = 64 * 1024;

/** A raw response; `body` is empty when it is read as a stream. */
export interface SdkAnswer {
  status: number;
  /** Lower-case names, latin1 values. */
  headers: Record<string, string>;
  body: Buffer;
}

/** Monitors one attempt and implements the idle timeout. The SDK's own timeouts ignore the progress of a body. */
export class SdkCall {
  answer: SdkAnswer | undefined;
  /** The headers of the request, once it is signed. */
  sent: Readonly<Record<string, string>> = {};
  /** Rejects when the call is aborted or stalls. */
  readonly over: Promise<never>;
  /** For the SDK: fires with the caller's signal, on a stall, and when a call ends before its body was sent. */
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

  /** The error that `pace` threw while a body was sent. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Records progress: restarts the idle timeout. */
  touch(): void {
    this.#timer.refresh();
  }

  /**
   * The body for the SDK, as a stream that reports its progress. Never as one buffer: Node garbles a non-ASCII
   * Content-Disposition when it sends the body together with the headers.
   */
  upload(body: Uint8Array, pace: Pace | undefined): Uint8Array | Readable {
    // An empty stream would be sent chunked.
    if (body.byteLength === 0) return body;
    this.#body = Readable.from(this.#pieces(body, pace), { objectMode: false, highWaterMark: PIECE });
    return this.#body;
  }

  /**
   * Reads the stream into the target and counts its bytes. A 200 is the whole object: the target begins at `offset`,
   * and what follows it is not read.
   * @throws invalid-response: when there are more bytes than requested
   */
  async download(
    target: Uint8Array,
    stream: AsyncIterable<Uint8Array>,
    pace: Pace | undefined,
    offset: number,
  ): Promise<{ bytes: number; cut: boolean }> {
    const whole = this.answer?.status === 200;
    let skip = whole ? offset : 0;
    let bytes = 0;
    for await (const chunk of stream) {
      this.touch();
      const taken = chunk.subarray(skip, skip + target.byteLength - bytes);
      const more = chunk.byteLength - Math.min(skip, chunk.byteLength) > taken.byteLength;
      skip -= Math.min(skip, chunk.byteLength);
      if (more && !whole) throw new XsyncError('invalid-response', 'the store returned more bytes than requested');
      target.set(taken, bytes);
      bytes += taken.byteLength;
      await this.#paced(taken.byteLength, pace);
      if (more) return { bytes, cut: true };
    }
    return { bytes, cut: false };
  }

  /** Reads a body that is not an object's: a listing or an error. @throws invalid-response: when it is too long */
  async collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of stream) {
      this.touch();
      received += chunk.byteLength;
      if (received > MAX_BODY) throw new XsyncError('invalid-response', `the response exceeds ${MAX_BODY} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Cleans up. If an early response left the body half sent, the connection is closed. */
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
        // The stream's errors have no listener, so the call itself ends with this one.
        this.#fault = error;
        this.#stop.abort();
        return;
      }
      this.touch();
      yield piece;
    }
  }

  /** Waits for `pace`, but not beyond the call's end. The wait does not count as a stall. */
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
