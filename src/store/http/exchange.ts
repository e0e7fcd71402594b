/**
 * One request and its response: the handler for undici, and the promise for the caller.
 * Tests: test/store/http/transport.test.ts
 */
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { XsyncError } from '../../model/error.js';
import type { Pace } from '../port.js';
import { type HttpRequest, type HttpResponse, MAX_BODY } from './message.js';
import { type FaultContext, translateFault } from './translate.js';

/**
 * Longer bodies are written in pieces, the first of this many bytes. Each piece that the socket takes counts as
 * progress for the idle timeout and is passed to `pace`. (A single write would hide the progress of a slow upload.)
 * Pieces grow while the socket takes them quickly, because every write has a cost.
 */
const PIECE = 64 * 1024;
const LARGEST_PIECE = 1024 * 1024;
/** After a piece that took less than this, in milliseconds, the next one is twice as long; otherwise half as long. */
const QUICK_MS = 50;

/**
 * A response whose body brings fewer bytes than this in a whole idle timeout has stalled, although a byte may come every
 * second: less than one packet of any network.
 */
const LEAST_PROGRESS = 1024;
/** Idle timeouts that a service may work on a request that it keeps open: half an hour, by default. */
const PATIENCE = 30;

type Dispatch = (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => boolean;

export class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #context: Omit<FaultContext, 'answering'>;
  #resolve: (response: HttpResponse) => void = () => {};
  #reject: (error: XsyncError) => void = () => {};
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  /** Wakes a body that waits for `pace`, so that nothing outlives the call. */
  #wake: (() => void) | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  /** Bytes of the body, those that are dropped included. */
  #arrived = 0;
  #received = 0;
  /** When the current stretch of the body began, and the bytes that had arrived before it. */
  #stretch = { sinceMs: 0, arrived: 0 };
  /** Bytes to drop before the target, once the response is known to be the whole object. */
  #skip: number | undefined;
  #cut = false;
  readonly #chunks: Buffer[] = [];

  constructor(request: HttpRequest, context: Omit<FaultContext, 'answering'>) {
    this.#request = request;
    this.#context = context;
  }

  run(dispatch: Dispatch): Promise<HttpResponse> {
    const { signal } = this.#request;
    const answer = new Promise<HttpResponse>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const { method, origin, path } = this.#request;
    try {
      // `reset: false` keeps the connection after a HEAD too, which undici would close. Types lack async iterables.
      dispatch(
        { method, origin, path, body: this.#body() as Readable | Uint8Array | string | null, reset: false },
        this,
      );
    } catch (error) {
      this.#fail(error);
    }
    return answer;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Aborted while waiting for a connection. Throwing here keeps the connection open; controller.abort would close it.
    if (this.#settled) throw new XsyncError('aborted', 'aborted');
    this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) {
      // An interim response: it brings nothing, however many come.
      if (this.#stretch.sinceMs === 0) this.#stretch.sinceMs = performance.now();
      this.#drips();
      return;
    }
    this.#status = status;
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined) this.#headers[name] = typeof value === 'string' ? value : value.join(', ');
    }
    this.#stretch = { sinceMs: performance.now(), arrived: 0 };
    if (status === 200 && this.#request.offset !== undefined && this.#target()) this.#skip = this.#request.offset;
    const length = this.#request.method === 'HEAD' ? 0 : Number(this.#headers['content-length'] ?? 0);
    if (this.#skip === undefined && length > this.#limit()) this.#refuse(controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // After a pause undici flushes its parser and calls this without bytes; pausing again would loop endlessly.
    if (this.#settled || chunk.byteLength === 0) return;
    this.#arrived += chunk.byteLength;
    if (this.#drips()) return;
    if (this.#skip !== undefined) {
      this.#takeWindow(controller, chunk);
      return;
    }
    if (this.#received + chunk.byteLength > this.#limit()) {
      this.#refuse(controller);
      return;
    }
    this.#take(controller, chunk);
  }

  /** Of a whole object, only the part that belongs to the target. */
  #takeWindow(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const skipped = Math.min(this.#skip ?? 0, chunk.byteLength);
    this.#skip = (this.#skip ?? 0) - skipped;
    const room = this.#limit() - this.#received;
    const wanted = chunk.subarray(skipped, skipped + room);
    if (wanted.byteLength > 0) this.#take(controller, wanted);
    if (chunk.byteLength - skipped <= room) return;
    this.#cut = true;
    this.onResponseEnd();
    controller.abort(new XsyncError('aborted', 'the rest is not needed'));
  }

  #take(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const target = this.#target();
    if (target) target.set(chunk, this.#received);
    // The transport reuses the chunk's memory.
    else this.#chunks.push(Buffer.from(chunk));
    this.#received += chunk.byteLength;
    const hold = target && this.#request.pace?.(chunk.byteLength);
    if (!hold) return;
    controller.pause();
    hold.then(
      () => {
        // Our own wait is not the server's.
        this.#stretch = { sinceMs: performance.now(), arrived: this.#arrived };
        controller.resume();
      },
      (error: Error) => this.#abort(error),
    );
  }

  /** Ends the exchange if the body came too slowly for a whole idle timeout. */
  #drips(): boolean {
    const { host, idleTimeoutMs } = this.#context;
    const now = performance.now();
    const limitMs = idleTimeoutMs * (this.#request.keptOpen ? PATIENCE : 1);
    if (now - this.#stretch.sinceMs < limitMs) return false;
    const bytes = this.#arrived - this.#stretch.arrived;
    this.#stretch = { sinceMs: now, arrived: this.#arrived };
    if (bytes >= LEAST_PROGRESS) return false;
    const message = `${host} sent only ${bytes} bytes in ${Math.round(limitMs / 1000)} s`;
    this.#abort(new XsyncError('timeout', message, { subject: host }));
    return true;
  }

  onResponseEnd(): void {
    if (this.#settled) return;
    this.#settle();
    const [first] = this.#chunks;
    const body = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    const answer = { status: this.#status, headers: this.#headers, body, received: this.#received, cut: this.#cut };
    // undici frees the connection one turn of the event loop later; a caller resolved earlier would open another one.
    queueMicrotask(() => setImmediate(this.#resolve, answer));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#request.signal?.reason;
    this.#abort(
      new XsyncError('aborted', `the request to ${this.#context.host} was aborted`, {
        subject: this.#context.host,
        cause: reason,
      }),
    );
  };

  /** Sends a small body whole unless it must wait: an async iterable costs as much as the rest of the request. */
  #body(): AsyncIterable<Uint8Array> | Uint8Array | string | null {
    const { body, pace } = this.#request;
    if (body === undefined || body.length === 0) return null;
    if (typeof body === 'string') return body;
    const hold = pace?.(Math.min(body.byteLength, PIECE));
    return body.byteLength <= PIECE && !hold ? body : this.#pieces(body, hold);
  }

  /** @param held the result of `pace` for the first piece */
  async *#pieces(body: Uint8Array, held: ReturnType<Pace>): AsyncGenerator<Uint8Array> {
    const { pace } = this.#request;
    for (let at = 0, size = PIECE; at < body.byteLength && !this.#settled; ) {
      const piece = body.subarray(at, at + size);
      const begun = performance.now();
      const hold = at === 0 ? held : pace?.(piece.byteLength);
      if (hold) {
        await Promise.race([hold, new Promise<void>((wake) => (this.#wake = wake))]);
        if (this.#settled) return;
      }
      yield piece;
      at += size;
      const quick = performance.now() - begun < QUICK_MS;
      size = quick ? Math.min(size * 2, LARGEST_PIECE) : Math.max(size / 2, PIECE);
    }
  }

  #target(): Uint8Array | undefined {
    return this.#status < 300 ? this.#request.target : undefined;
  }

  #limit(): number {
    return this.#target()?.byteLength ?? MAX_BODY;
  }

  #refuse(controller: Dispatcher.DispatchController): void {
    const error = new XsyncError('invalid-response', `${this.#context.host} returned more bytes than requested`, {
      subject: this.#context.host,
      status: this.#status,
    });
    this.#fail(error);
    controller.abort(error);
  }

  /** Ends the exchange from our side and closes its connection. */
  #abort(error: Error): void {
    this.#fail(error);
    this.#controller?.abort(error);
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(translateFault(error, { ...this.#context, answering: this.#status > 0 }));
  }

  #settle(): void {
    this.#settled = true;
    this.#wake?.();
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
  }
}
