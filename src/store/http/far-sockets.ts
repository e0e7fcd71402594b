/**
 * The connections to far servers, on Linux. A near one is not worth what loading the calls costs.
 *
 * They are limited in what the kernel takes of an upload before it has sent it, with `TCP_NOTSENT_LOWAT` (tcp(7), Linux 3.12).
 * By default it takes as much as the connection's window once allowed, some MiB, and a slow connection sends that for many
 * seconds. The tuner would measure memory that fills, and a race would take a part for sent that has hardly begun.
 *
 * The kernel also says how long round trips take: longer than before if packets wait in front of a line that is full.
 * Tests: test/store/http/far-sockets.test.ts
 */
import type { Socket } from 'node:net';
import type { LineState } from '../../model/line-state.js';
import { descriptorOf, loadSocketCalls, type SocketCalls, type TcpInfo } from './socket-calls.js';

/** Bytes. A connection of 10 MB/s sends them in 13 ms, longer than we usually take to write more. */
export const MOST_UNSENT = 128 * 1024;
/** A server to which no connection has opened sooner is far. */
const FAR_MS = 20;
/** What the kernel knows of a connection that has been silent for longer is of the past. */
const SILENT_MS = 1000;

export class FarSockets {
  readonly #load: () => Promise<SocketCalls>;
  #loading: Promise<SocketCalls | undefined> | undefined;
  #calls: SocketCalls | undefined;
  /** With the number of packets that each had lost at the last look. */
  readonly #open = new Map<Socket, number>();
  #losers = 0;
  /** Milliseconds of the quickest connection, by server: others may have waited for this process. */
  readonly #quickest = new Map<string, number>();

  constructor(load: () => Promise<SocketCalls> = loadSocketCalls) {
    this.#load = load;
  }

  /**
   * Limits the socket, soon, and watches it while it is open. Without koffi, or on a system that has no such limit, it
   * stays as it is.
   * @param server any name for it
   * @param connectMs how long the connection took to open
   */
  async add(socket: Socket, server: string, connectMs: number): Promise<void> {
    const quickest = Math.min(connectMs, this.#quickest.get(server) ?? connectMs);
    this.#quickest.set(server, quickest);
    if (quickest < FAR_MS || process.platform !== 'linux') return;
    this.#loading ??= this.#load().catch(() => undefined);
    this.#calls = await this.#loading;
    const descriptor = descriptorOf(socket);
    if (descriptor === undefined || !this.#calls?.limitUnsent(descriptor, MOST_UNSENT)) return;
    this.#open.set(socket, 0);
    socket.once('close', () => this.#open.delete(socket));
  }

  /** Looks at every connection. Undefined if none has moved anything in the last second. */
  look(): LineState | undefined {
    const heard = [...this.#open.keys()].flatMap((socket) => this.#heard(socket) ?? []);
    if (heard.length === 0) return undefined;
    const leastMs = Math.min(...heard.map((info) => info.leastRoundTripMs));
    const roundTrips = heard.map((info) => info.roundTripMs).sort((a, b) => a - b);
    const median = roundTrips[Math.floor(roundTrips.length / 2)] ?? leastMs;
    return { connections: heard.length, leastMs, waitMs: median - leastMs, losers: this.#losers };
  }

  #heard(socket: Socket): TcpInfo | undefined {
    const descriptor = descriptorOf(socket);
    const info = descriptor === undefined ? undefined : this.#calls?.info(descriptor);
    if (!info || info.silentMs > SILENT_MS) return undefined;
    if (info.lost > (this.#open.get(socket) ?? 0)) this.#losers++;
    this.#open.set(socket, info.lost);
    return info;
  }
}
