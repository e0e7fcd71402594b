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
import type { LineWatch } from '../../model/line-state.js';
import { descriptorOf, loadSocketCalls, type SocketCalls, type TcpInfo } from './socket-calls.js';

/** Bytes. A connection of 10 MB/s sends them in 13 ms, longer than we usually take to write more. */
export const MOST_UNSENT = 128 * 1024;
/** A server to which no connection has opened sooner is far. */
const FAR_MS = 20;
/** The first connection to a near server can take long to open, but its round trips are short. */
const NEAR_MS = 10;
/** Packets in flight of a connection that sends a body. A request without one has fewer. */
const SENDING = 4;
/** What the kernel knows of a connection that has been silent for longer is of the past. */
const SILENT_MS = 1000;

export class FarSockets {
  readonly #load: () => Promise<SocketCalls>;
  #loading: Promise<SocketCalls | undefined> | undefined;
  #calls: SocketCalls | undefined;
  /** With their servers. */
  readonly #open = new Map<Socket, string>();
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
    this.#open.set(socket, server);
    socket.once('close', () => this.#open.delete(socket));
  }

  /** Each watch counts losses for itself, from its first look at a connection on. */
  watch(): LineWatch {
    const lost = new WeakMap<Socket, number>();
    return () => {
      const far = this.#far();
      const senders = far.filter(({ info }) => info.inFlight >= SENDING && info.silentMs <= SILENT_MS);
      const lossy = senders.filter(({ socket, info }) => info.lost > (lost.get(socket) ?? info.lost)).length;
      for (const { socket, info } of far) lost.set(socket, info.lost);
      if (far.length === 0) return undefined;
      const leastMs = medianOf(senders.map((one) => one.leastMs));
      const waitMs = medianOf(senders.map((one) => one.info.roundTripMs - one.leastMs));
      return { senders: senders.length, leastMs, waitMs, lossy };
    };
  }

  /** The connections with what the kernel says of them, and the shortest round trip to their servers. */
  #far(): { socket: Socket; info: TcpInfo; leastMs: number }[] {
    const known = [...this.#open].flatMap(([socket, server]) => {
      const descriptor = descriptorOf(socket);
      const info = descriptor === undefined ? undefined : this.#calls?.info(descriptor);
      return info ? { socket, server, info } : [];
    });
    const least = new Map<string, number>();
    for (const { server, info } of known) {
      least.set(server, Math.min(info.leastRoundTripMs, least.get(server) ?? Number.POSITIVE_INFINITY));
    }
    const all = known.map(({ socket, server, info }) => ({ socket, info, leastMs: least.get(server) ?? 0 }));
    return all.filter(({ leastMs }) => leastMs >= NEAR_MS);
  }
}

/** 0 of none. */
function medianOf(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
