/**
 * Limits what the kernel takes of an upload before it has sent it, with `TCP_NOTSENT_LOWAT` (tcp(7), Linux 3.12). By default
 * it takes as much as the connection's window once allowed, some MiB, and a slow connection sends that for many seconds. The
 * tuner would measure memory that fills, and a race would take a part for sent that has hardly begun.
 * Tests: test/store/http/unsent.test.ts
 */
import type { Socket } from 'node:net';
import { descriptorOf, loadSocketCalls, type SocketCalls } from './socket-calls.js';

/** Bytes. A connection of 10 MB/s sends them in 13 ms, longer than we usually take to write more. */
export const MOST_UNSENT = 128 * 1024;
/** A server to which no connection has opened sooner is far. A near one is not worth what loading the call costs. */
const FAR_MS = 20;

export class UnsentLimit {
  readonly #load: () => Promise<SocketCalls>;
  #calls: Promise<SocketCalls | undefined> | undefined;
  /** Milliseconds of the quickest connection, by server: others may have waited for this process. */
  readonly #quickest = new Map<string, number>();

  constructor(load: () => Promise<SocketCalls> = loadSocketCalls) {
    this.#load = load;
  }

  /**
   * Sets the limit, soon. Without koffi, or on a system that has no such limit, the socket keeps the system's own.
   * @param server any name for it
   * @param connectMs how long the connection took to open
   */
  async apply(socket: Socket, server: string, connectMs: number): Promise<void> {
    const quickest = Math.min(connectMs, this.#quickest.get(server) ?? connectMs);
    this.#quickest.set(server, quickest);
    if (quickest < FAR_MS || process.platform !== 'linux') return;
    this.#calls ??= this.#load().catch(() => undefined);
    const calls = await this.#calls;
    const descriptor = descriptorOf(socket);
    if (descriptor !== undefined) calls?.limitUnsent(descriptor, MOST_UNSENT);
  }
}
