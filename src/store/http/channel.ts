/**
 * One connection to a server, and the exchange that uses it: writes requests, reads responses, notices when the server
 * closes. Tests: test/store/http/line.test.ts
 */
import type { Socket } from 'node:net';
import type { Pieces } from '../port.js';
import type { Exchange } from './exchange.js';
import { Hangup, ResponseFault, Silence } from './faults.js';
import { ResponseParser } from './parser.js';

/**
 * Longer bodies are written in pieces, the first of a connection of this many bytes. Each piece that the socket takes is
 * passed to `pace`. Pieces grow while the socket takes them quickly, because every write has a cost; beyond the largest,
 * they would leave the processor's cache before they are sent.
 */
const PIECE = 64 * 1024;
const LARGEST_PIECE = 1024 * 1024;
/** After a piece that took less than this, in milliseconds, the next one is twice as long; otherwise half as long. */
const QUICK_MS = 50;

/** How long an idle connection is kept, in milliseconds, unless the server announces another time. */
const KEEP_ALIVE_MS = 10_000;
const LONGEST_KEEP_ALIVE_MS = 600_000;
/** A connection is given up this long before the server closes it, for the way of the next request. */
const KEEP_ALIVE_MARGIN_MS = 2_000;

/** Added to the idle timeout, in milliseconds: what the kernel has taken and not sent yet moves without our seeing it. */
const GRACE_MS = 1_000;

interface Sending {
  from: number;
  at: number;
  next?: () => void;
}

export interface ChannelOwner {
  /** The channel can take another exchange. */
  released(channel: Channel): void;
  closed(channel: Channel): void;
}

export class Channel {
  readonly #socket: Socket;
  readonly #owner: ChannelOwner;
  readonly #silenceMs: number;
  readonly #parser = new ResponseParser();
  #exchange: Exchange | undefined;
  /** Part of the request has not been sent. */
  #sending = false;
  /** Part of the request has not even been passed to the socket. */
  #unsent = false;
  #piece = PIECE;
  /** The server has sent more than the response. */
  #surplus = false;
  /** How many promises of `pace` the exchange waits for, and not for the server. */
  #holds = 0;
  #error: Error | undefined;
  /** When an idle channel is to be closed, as `performance.now()`. */
  expiresMs = 0;

  /** @param socket connected; what it receives must be passed to `receive` */
  constructor(socket: Socket, idleTimeoutMs: number, owner: ChannelOwner) {
    this.#socket = socket;
    this.#silenceMs = idleTimeoutMs + GRACE_MS;
    this.#owner = owner;
    socket.setTimeout(this.#silenceMs, () => this.#silent());
    socket.on('error', (error) => (this.#error = error));
    socket.on('end', () => this.#ended());
    socket.on('close', () => {
      this.#fail(this.#error ?? new Hangup('closed'));
      owner.closed(this);
    });
  }

  get open(): boolean {
    return !this.#socket.destroyed;
  }

  /** Sends the request of the exchange, and passes the response to it. */
  use(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#sending = true;
    this.#parser.begin(exchange.method, exchange);
    exchange.channel = this;
    this.#socket.ref();
    const { head, body } = exchange;
    exchange.begun();
    this.#unsent = body !== undefined;
    if (body === undefined) this.#socket.write(head, 'latin1', this.#sent);
    else if (body instanceof Uint8Array) this.#sendBytes(exchange, body, { from: 0, at: 0 });
    else this.#sendPieces(exchange, body.open(), 0, body.byteLength);
  }

  /** Takes what the server sent. Returns false to stop reading. */
  receive(bytes: Buffer): boolean {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nobody asked for it. It would be taken for the response to the next request.
      this.#socket.destroy();
      return false;
    }
    let used: number;
    try {
      used = this.#parser.read(bytes);
    } catch (error) {
      this.#fail(error);
      return false;
    }
    if (this.#exchange !== exchange) return false;
    if (used < bytes.length) this.#surplus = true;
    const hold = exchange.afterRead(this.#parser.done);
    if (this.#exchange !== exchange) return false;
    if (hold === undefined) {
      if (this.#parser.done) this.#completed();
      return true;
    }
    this.#hold(hold, () => {
      if (this.#exchange !== exchange) return;
      exchange.goOn();
      if (this.#parser.done) this.#completed();
      this.#socket.resume();
    });
    return false;
  }

  /** Where the next bytes of a body belong, and no byte after it; undefined: they may be anything else. */
  room(): Uint8Array | undefined {
    const { missing } = this.#parser;
    return missing === 0 ? undefined : this.#exchange?.room()?.subarray(0, missing);
  }

  /** Waits for the next exchange. */
  rest(keepMs = KEEP_ALIVE_MS): void {
    this.expiresMs = performance.now() + Math.min(keepMs, LONGEST_KEEP_ALIVE_MS);
    // An idle connection keeps no process running.
    this.#socket.unref();
    this.#owner.released(this);
  }

  /** Closes the connection, and ends the exchange with the error. */
  abort(error: Error): void {
    this.#fail(error);
  }

  /** Closes the connection; the exchange, if there is one, hears nothing more. */
  drop(): void {
    this.#exchange = undefined;
    this.#socket.destroy();
  }

  readonly #sent = (error?: Error | null): void => {
    if (!error) this.#sending = false;
  };

  /** Sends `total` bytes as they come; the first of them are number `at` of the body. */
  #sendPieces(exchange: Exchange, pieces: Pieces, at: number, total: number): void {
    const send = (bytes: Uint8Array): void => {
      const end = at + bytes.byteLength;
      const next = end < total ? () => this.#sendPieces(exchange, pieces, end, total) : undefined;
      this.#sendBytes(exchange, bytes, { from: 0, at, next });
    };
    const bytes = pieces.next();
    if (bytes instanceof Promise) this.#hold(bytes, send);
    else send(bytes);
  }

  /**
   * Sends the bytes from number `from` on, piece by piece; that one is number `at` of the body.
   * @param next called when the socket has taken all of them; absent if they are the last of the body
   */
  #sendBytes(exchange: Exchange, bytes: Uint8Array, { from, at, next }: Sending): void {
    const end = Math.min(from + this.#piece, bytes.byteLength);
    const isLast = end === bytes.byteLength;
    const piece = end - from === bytes.byteLength ? bytes : bytes.subarray(from, end);
    if (isLast && !next) {
      this.#send(exchange, piece, at, undefined);
      return;
    }
    const begun = performance.now();
    const taken = (): void => {
      const quick = performance.now() - begun < QUICK_MS;
      this.#piece = quick ? Math.min(this.#piece * 2, LARGEST_PIECE) : Math.max(this.#piece / 2, PIECE);
      if (isLast) next?.();
      else this.#sendBytes(exchange, bytes, { from: end, at: at + piece.byteLength, next });
    };
    this.#send(exchange, piece, at, taken);
  }

  /**
   * Sends a piece of the body, and before its first byte the head.
   * @param next called when the socket has taken it; absent for the last piece
   */
  #send(exchange: Exchange, piece: Uint8Array, at: number, next: (() => void) | undefined): void {
    const write = (): void => {
      // The server has refused the request: what it has not received, it does not want.
      if (this.#exchange !== exchange || (this.#parser.head?.status ?? 0) >= 300) return;
      const first = at === 0;
      if (first) {
        this.#socket.cork();
        this.#socket.write(exchange.head, 'latin1');
      }
      this.#unsent = next !== undefined;
      this.#socket.write(piece, next ? taken : this.#sent);
      if (first) this.#socket.uncork();
    };
    const taken = (error?: Error | null): void => {
      if (!error && this.#exchange === exchange) next?.();
    };
    const hold = exchange.pace(piece.byteLength);
    if (hold) this.#hold(hold, write);
    else write();
  }

  #hold<T>(hold: Promise<T>, then: (value: T) => void): void {
    const exchange = this.#exchange;
    this.#holds++;
    hold.then(
      (value) => {
        this.#holds--;
        if (this.open) this.#socket.setTimeout(this.#silenceMs);
        then(value);
      },
      (error: unknown) => {
        if (this.#exchange === exchange) this.#fail(error);
      },
    );
  }

  /** The response is complete. Over TLS the end of a write is reported one turn of the event loop after it. */
  #completed(): void {
    if (this.#sending) setImmediate(() => this.#finish());
    else this.#finish();
  }

  #finish(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const head = this.#parser.head;
    // Success cannot be that of a request that has not arrived.
    if (this.#unsent && (head?.status ?? 0) < 300) {
      this.#fail(new ResponseFault('comes before the request was sent'));
      return;
    }
    this.#exchange = undefined;
    // The rest of the response came after a pause was requested: over TLS, what has been decrypted still comes.
    if (this.#holds > 0) this.#socket.resume();
    const announced = head?.keepAliveMs;
    const keepMs = announced === undefined ? KEEP_ALIVE_MS : announced - KEEP_ALIVE_MARGIN_MS;
    if (head?.persistent && !this.#sending && !this.#surplus && keepMs > 0) this.rest(keepMs);
    else this.#socket.destroy();
    exchange.complete();
  }

  #ended(): void {
    if (this.#exchange === undefined) this.#socket.destroy();
    else if (this.#parser.head && this.#parser.close()) this.#finish();
    else this.#fail(new Hangup('other side closed'));
  }

  #silent(): void {
    if (this.#exchange === undefined) this.#socket.destroy();
    else if (this.#holds > 0) this.#socket.setTimeout(this.#silenceMs);
    else this.#fail(new Silence());
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange;
    this.drop();
    exchange?.fail(error, this.#parser.head !== undefined);
  }
}
