/**
 * One request and its response: what is to be sent, where the response goes, and the promise for the caller.
 * Tests: test/store/http/transport.test.ts
 */
import { channel } from 'node:diagnostics_channel';
import { XsyncError } from '../../model/error.js';
import type { PieceSource } from '../port.js';
import { hookAbort, unhookAbort } from './abort-hooks.js';
import { answerTogether } from './answers.js';
import { type BodySink, type HttpRequest, type HttpResponse, MAX_BODY } from './message.js';
import type { ResponseSink } from './parser.js';
import type { ResponseHead } from './response-head.js';
import { type FaultContext, translateFault } from './translate.js';

/**
 * A response that brings fewer bytes of its body than this in a whole idle timeout has stalled, although a byte may come
 * every second: less than one packet of any network.
 */
const LEAST_PROGRESS = 1024;
/** Idle timeouts that a service may work on a request that it keeps open: half an hour, by default. */
const PATIENCE = 30;

/** Bytes of a target that are offered for one read. What is read in the meantime by others waits for them. */
const MOST_ROOM = 1024 * 1024;

/** For --dump headers, as undici's channels. */
const SENT = channel('xsync:request');
const ANSWERED = channel('xsync:response');

export class Exchange implements ResponseSink {
  readonly answer: Promise<HttpResponse>;
  readonly method: string;
  /** Status line and headers of the request, as latin1. */
  readonly head: string;
  /** Undefined when it is empty. */
  readonly body: Uint8Array | PieceSource | undefined;
  /** What it is sent on; undefined while it waits. */
  channel: { drop(): void } | undefined;
  readonly #request: HttpRequest;
  readonly #context: Omit<FaultContext, 'answering'>;
  #resolve: (response: HttpResponse) => void = () => {};
  #reject: (error: XsyncError) => void = () => {};
  #settled = false;
  #status = 0;
  #headers: Record<string, string> = {};
  /** Bytes of the body, those that are dropped included. */
  #arrived = 0;
  #received = 0;
  /** Bytes in the target that `pace` has not heard of. */
  #unpaced = 0;
  /** What the target asked to wait for. */
  #full: Promise<void> | undefined;
  /** When the current stretch of the response began, and the bytes of the body that had arrived before it. */
  #stretch = { sinceMs: 0, arrived: 0 };
  /** Bytes to drop before the target, once the response is known to be the whole object. */
  #skip: number | undefined;
  #cut = false;
  readonly #chunks: Buffer[] = [];

  constructor(request: HttpRequest, head: string, context: Omit<FaultContext, 'answering'>) {
    const { method, body, signal } = request;
    this.method = method;
    this.head = head;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.body = bytes?.byteLength === 0 ? undefined : bytes;
    this.#request = request;
    this.#context = context;
    this.answer = new Promise<HttpResponse>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal) hookAbort(signal, this.#onAbort);
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Announces bytes of an object that are sent next; the caller waits for a returned promise. */
  pace(bytes: number): Promise<void> | undefined {
    const { body, pace } = this.#request;
    return typeof body === 'string' ? undefined : pace?.(bytes);
  }

  /** Call when the head is sent. */
  begun(): void {
    if (SENT.hasSubscribers) SENT.publish({ request: this.#request, headers: this.head });
  }

  onHead({ status, headers, framing }: ResponseHead): void {
    if (ANSWERED.hasSubscribers) {
      ANSWERED.publish({ request: this.#request, response: { statusCode: status, headers } });
    }
    this.#status = status;
    this.#headers = headers;
    this.#stretch.sinceMs = 0;
    if (status === 200 && this.#request.offset !== undefined && this.#target()) this.#skip = this.#request.offset;
    if (this.#skip === undefined && typeof framing === 'number' && framing > this.#limit()) this.#refuse();
    else this.#begin();
  }

  onData(bytes: Buffer): void {
    if (this.#settled || this.#cut) return;
    this.#arrived += bytes.byteLength;
    if (this.#skip !== undefined) this.#takeWindow(bytes);
    else if (this.#received + bytes.byteLength > this.#limit()) this.#refuse();
    else this.#take(bytes);
  }

  /** Memory of the target for the next bytes of the body; undefined: there is none, or they begin elsewhere. */
  room(): Uint8Array | undefined {
    if (this.#settled || this.#skip !== undefined) return undefined;
    const target = this.#target();
    if (!(target instanceof Uint8Array)) return target?.room?.();
    return target.subarray(this.#received, this.#received + MOST_ROOM);
  }

  /**
   * Ends the exchange if the response comes too slowly.
   * @param complete whether the response is
   * @returns a promise when nothing may be read until it is settled
   */
  afterRead(complete: boolean): Promise<void> | undefined {
    if (!complete && this.#drips()) return undefined;
    const bytes = this.#unpaced;
    const full = this.#full;
    this.#unpaced = 0;
    this.#full = undefined;
    const hold = bytes === 0 ? undefined : this.#request.pace?.(bytes);
    return full && hold ? Promise.all([full, hold]).then(() => undefined) : (full ?? hold);
  }

  /** After a wait for `pace`: our own wait is not the server's. */
  goOn(): void {
    this.#stretch = { sinceMs: performance.now(), arrived: this.#arrived };
  }

  complete(): void {
    if (this.#settled) return;
    this.#settle();
    const [first] = this.#chunks;
    const body = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    const response = { status: this.#status, headers: this.#headers, body, received: this.#received, cut: this.#cut };
    answerTogether(this.#resolve, response);
  }

  /** @param answering the head of the response had arrived */
  fail(error: unknown, answering: boolean): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(translateFault(error, { ...this.#context, answering }));
  }

  /** Of a whole object, only the part that belongs to the target. */
  #takeWindow(bytes: Buffer): void {
    const skipped = Math.min(this.#skip ?? 0, bytes.byteLength);
    this.#skip = (this.#skip ?? 0) - skipped;
    const room = this.#limit() - this.#received;
    const wanted = bytes.subarray(skipped, skipped + room);
    if (wanted.byteLength > 0) this.#take(wanted);
    if (bytes.byteLength - skipped <= room) return;
    this.#cut = true;
    this.channel?.drop();
    const hold = this.afterRead(true);
    if (hold === undefined) this.complete();
    else
      hold.then(
        () => this.complete(),
        (error: unknown) => this.fail(error, true),
      );
  }

  #begin(): void {
    const target = this.#target();
    if (target === undefined || target instanceof Uint8Array) return;
    try {
      target.begin({ status: this.#status, headers: this.#headers });
    } catch (error) {
      this.#abort(error);
    }
  }

  #take(bytes: Buffer): void {
    const target = this.#target();
    if (target instanceof Uint8Array) {
      if (!isAt(bytes, target, this.#received)) target.set(bytes, this.#received);
    } else if (target) this.#full = target.take(bytes) ?? this.#full;
    else this.#chunks.push(Buffer.from(bytes));
    if (target) this.#unpaced += bytes.byteLength;
    this.#received += bytes.byteLength;
  }

  /** Ends the exchange if the response came too slowly for a whole idle timeout. */
  #drips(): boolean {
    const { host, idleTimeoutMs } = this.#context;
    const now = performance.now();
    if (this.#stretch.sinceMs === 0) this.#stretch.sinceMs = now;
    const limitMs = idleTimeoutMs * (this.#request.keptOpen ? PATIENCE : 1);
    if (now - this.#stretch.sinceMs < limitMs) return false;
    const bytes = this.#arrived - this.#stretch.arrived;
    this.#stretch = { sinceMs: now, arrived: this.#arrived };
    if (bytes >= LEAST_PROGRESS) return false;
    const message = `${host} sent only ${bytes} bytes in ${Math.round(limitMs / 1000)} s`;
    this.#abort(new XsyncError('timeout', message, { subject: host }));
    return true;
  }

  readonly #onAbort = (): void => {
    const { host } = this.#context;
    const cause: unknown = this.#request.signal?.reason;
    this.#abort(new XsyncError('aborted', `the request to ${host} was aborted`, { subject: host, cause }));
  };

  #target(): Uint8Array | BodySink | undefined {
    return this.#status < 300 ? this.#request.target : undefined;
  }

  #limit(): number {
    return this.#target()?.byteLength ?? MAX_BODY;
  }

  #refuse(): void {
    const { host } = this.#context;
    this.#abort(
      new XsyncError('invalid-response', `${host} returned more bytes than requested`, {
        subject: host,
        status: this.#status,
      }),
    );
  }

  /** Ends the exchange from our side and closes its connection. */
  #abort(error: unknown): void {
    this.channel?.drop();
    this.fail(error, this.#status > 0);
  }

  #settle(): void {
    this.#settled = true;
    this.channel = undefined;
    const { signal } = this.#request;
    if (signal) unhookAbort(signal, this.#onAbort);
  }
}

/** The bytes have been read into their place. */
function isAt(bytes: Uint8Array, memory: Uint8Array, at: number): boolean {
  return bytes.buffer === memory.buffer && bytes.byteOffset === memory.byteOffset + at;
}
