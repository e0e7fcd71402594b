/**
 * The connections to one origin: idle ones are used again, the newest first; further requests wait for their turn.
 * Tests: test/store/http/line.test.ts
 */
import { setMaxListeners } from 'node:events';
import { Channel, type ChannelOwner } from './channel.js';
import type { Dialer, Route } from './dial.js';
import type { Exchange } from './exchange.js';
import { Hangup, ResponseFault } from './faults.js';

export interface LineOptions {
  /** Most connections at once. */
  connections: number;
  idleTimeoutMs: number;
}

/** How often connections that were idle for too long are closed. */
const SWEEP_MS = 1_000;

export class Line implements ChannelOwner {
  readonly #route: Route;
  readonly #dialer: Dialer;
  readonly #options: LineOptions;
  /** The one that was used last is at the end. */
  readonly #idle: Channel[] = [];
  readonly #channels = new Set<Channel>();
  readonly #waiting: Exchange[] = [];
  readonly #closing = new AbortController();
  #dialing = 0;
  #turn: NodeJS.Immediate | undefined;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(route: Route, dialer: Dialer, options: LineOptions) {
    this.#route = route;
    this.#dialer = dialer;
    this.#options = options;
    // Each connection that is being opened listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * Starts the exchange as soon as there is a connection. The event loop gets a turn first: an idle connection that the
   * server has closed, or on which it has sent what nobody asked for, is known before a request is sent on it.
   */
  start(exchange: Exchange): void {
    this.#waiting.push(exchange);
    this.#soon();
  }

  released(channel: Channel): void {
    this.#idle.push(channel);
    this.#sweeper ??= setTimeout(this.#sweep, SWEEP_MS).unref();
    if (this.#waiting.length > 0) this.#soon();
  }

  closed(channel: Channel): void {
    this.#channels.delete(channel);
    if (this.#waiting.length > 0) this.#soon();
  }

  /** Closes every connection; exchanges end with the error. */
  close(error: Error): void {
    this.#closing.abort();
    clearTimeout(this.#sweeper);
    for (const exchange of this.#waiting.splice(0)) exchange.fail(error, false);
    for (const channel of this.#channels) channel.abort(error);
  }

  #soon(): void {
    this.#turn ??= setImmediate(this.#serve);
  }

  readonly #serve = (): void => {
    this.#turn = undefined;
    for (;;) {
      const channel = this.#takeIdle();
      const exchange = channel && this.#next();
      if (exchange) channel.use(exchange);
      else {
        if (channel) this.#idle.push(channel);
        break;
      }
    }
    const waiting = this.#waiting.filter((exchange) => !exchange.settled).length;
    const room = this.#options.connections - this.#channels.size - this.#dialing;
    for (let missing = Math.min(waiting - this.#dialing, room); missing > 0; missing--) void this.#dial();
  };

  /** The exchange that waits longest. One that was aborted has left the queue. */
  #next(): Exchange | undefined {
    let exchange = this.#waiting.shift();
    while (exchange?.settled) exchange = this.#waiting.shift();
    return exchange;
  }

  #takeIdle(): Channel | undefined {
    const now = performance.now();
    for (let channel = this.#idle.pop(); channel; channel = this.#idle.pop()) {
      if (channel.open && channel.expiresMs > now) return channel;
      channel.drop();
    }
    return undefined;
  }

  /** Each waiting exchange has a connection on its way, which serves whoever waits longest by then. */
  async #dial(): Promise<void> {
    this.#dialing++;
    try {
      const channel = await this.#connect();
      this.#channels.add(channel);
      const exchange = this.#next();
      if (this.#closing.signal.aborted) channel.drop();
      else if (exchange) channel.use(exchange);
      else channel.rest();
    } catch (error) {
      this.#next()?.fail(error, false);
    } finally {
      this.#dialing--;
      // Those for whom there was no room may need a connection.
      if (this.#waiting.length > 0) this.#soon();
    }
  }

  async #connect(): Promise<Channel> {
    let channel: Channel | undefined;
    let early = false;
    const socket = await this.#dialer.open(this.#route, this.#closing.signal, {
      receive: (bytes) => {
        early ||= channel === undefined;
        return channel?.receive(bytes) ?? false;
      },
      room: () => channel?.room(),
    });
    if (socket.destroyed) throw new Hangup('closed');
    channel = new Channel(socket, this.#options.idleTimeoutMs, this);
    if (!early) return channel;
    channel.drop();
    throw new ResponseFault('begins before the request');
  }

  readonly #sweep = (): void => {
    const now = performance.now();
    for (const channel of this.#idle) if (channel.expiresMs <= now) channel.drop();
    const left = this.#idle.filter((channel) => channel.open);
    this.#idle.splice(0, Infinity, ...left);
    this.#sweeper = left.length > 0 ? setTimeout(this.#sweep, SWEEP_MS).unref() : undefined;
  };
}
