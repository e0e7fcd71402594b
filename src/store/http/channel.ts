/**
 * One connection to a server, and the exchange that uses it: writes requests, reads responses, notices when the server
 * closes. Tests: test/store/http/connections.test.ts
 */
import type { Socket } from 'node:net';
import type { Exchange } from './exchange.js';
import { Hangup, Silence } from './faults.js';
import { ResponseParser } from './parser.js';

/**
 * Longer bodies are written in pieces of this many bytes. Each piece that the socket takes is passed to `pace`. Larger
 * pieces leave the processor's cache before they are sent.
 */
const PIECE = 256 * 1024;

/** How long an idle connection is kept, in milliseconds, unless the server announces another time. */
const KEEP_ALIVE_MS = 10_000;
const LONGEST_KEEP_ALIVE_MS = 600_000;
/** A connection is given up this long before the server closes it, for the way of the next request. */
const KEEP_ALIVE_MARGIN_MS = 2_000;

/** Added to the idle timeout, in milliseconds: what the kernel has taken and not sent yet moves without our seeing it. */
const GRACE_MS = 1_000;

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
    const hold = body && exchange.pace(Math.min(body.byteLength, PIECE));
    if (body === undefined) {
      this.#socket.write(head, 'latin1', this.#sent);
    } else if (body.byteLength <= PIECE && !hold) {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body, this.#sent);
      this.#socket.uncork();
    } else {
      this.#socket.write(head, 'latin1');
      this.#sendFrom(exchange, body, 0, hold);
    }
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
    const surplus = used < bytes.length;
    const hold = exchange.afterRead(this.#parser.done);
    if (this.#exchange !== exchange) return false;
    if (hold === undefined) return !this.#parser.done || this.#finish(surplus);
    this.#hold(hold, () => {
      if (this.#exchange !== exchange) return;
      exchange.goOn();
      if (!this.#parser.done || this.#finish(surplus)) this.#socket.resume();
    });
    return false;
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

  /** @param held the result of `pace` for this piece */
  #sendFrom(exchange: Exchange, body: Uint8Array, at: number, held: Promise<void> | undefined): void {
    const write = (): void => {
      // The server has refused the request: what it has not received, it does not want.
      if (this.#exchange !== exchange || (this.#parser.head?.status ?? 0) >= 300) return;
      const end = Math.min(at + PIECE, body.byteLength);
      this.#socket.write(body.subarray(at, end), (error) => {
        if (error || this.#exchange !== exchange) return;
        if (end === body.byteLength) this.#sending = false;
        else this.#sendFrom(exchange, body, end, exchange.pace(Math.min(PIECE, body.byteLength - end)));
      });
    };
    if (held) this.#hold(held, write);
    else write();
  }

  #hold(hold: Promise<void>, then: () => void): void {
    const exchange = this.#exchange;
    this.#holds++;
    hold.then(
      () => {
        this.#holds--;
        if (this.open) this.#socket.setTimeout(this.#silenceMs);
        then();
      },
      (error: unknown) => {
        if (this.#exchange === exchange) this.#fail(error);
      },
    );
  }

  /** The response is complete. Returns whether the connection stays open. */
  #finish(surplus: boolean): boolean {
    const exchange = this.#exchange;
    const head = this.#parser.head;
    this.#exchange = undefined;
    const announced = head?.keepAliveMs;
    const keepMs = announced === undefined ? KEEP_ALIVE_MS : announced - KEEP_ALIVE_MARGIN_MS;
    const keep = head?.persistent === true && !this.#sending && !surplus && keepMs > 0;
    if (keep) this.rest(keepMs);
    else this.#socket.destroy();
    exchange?.complete();
    return keep;
  }

  #ended(): void {
    if (this.#exchange === undefined) this.#socket.destroy();
    else if (this.#parser.head && this.#parser.close()) this.#finish(false);
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
