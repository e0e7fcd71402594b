/**
 * What the rules of one process share: slots, memory, rate limits, and the connections to each server.
 * Tests: test/open/network.test.ts
 */
import { CommonSource, type SourceReader } from '../engine/fan/source.js';
import { FairShares } from '../engine/flow/fair.js';
import { limiter } from '../engine/flow/queue.js';
import type { RunOptions } from '../engine/options.js';
import type { Share } from '../engine/shared.js';
import { SqliteSpool } from '../manifest/sqlite/spool.js';
import type { HttpTransport } from '../store/http/transport.js';
import type { ObjectStore } from '../store/port.js';
import { type Limits, RateLimits, type RateLimitsOptions, throttle } from '../store/wrap/throttle.js';

export interface NetworkLimits extends Pick<RateLimitsOptions, 'requestsPerSecond' | 'burst' | 'up' | 'down'> {
  /** Requests in flight per server, and objects and parts in flight altogether. */
  connections: number;
  /** Bytes. */
  memory: number;
}

/** A source that pairs have in common. */
export interface ReadSource {
  id: string;
  prefix: string;
}

export class Network {
  readonly connections: number;
  /** Bytes that a source may keep for pairs that have not read them yet. */
  readonly #held: number;
  readonly #limits: RateLimits;
  readonly #parts: FairShares;
  readonly #objects: FairShares;
  readonly #memory: FairShares;
  readonly #sources = new Map<string, CommonSource>();
  readonly #transports = new Map<string, { users: number; transport: HttpTransport }>();

  constructor({ connections, memory, ...rates }: NetworkLimits) {
    this.connections = connections;
    this.#limits = new RateLimits(rates);
    this.#parts = new FairShares(connections);
    this.#objects = new FairShares(connections);
    this.#memory = new FairShares(memory);
    this.#held = memory / 4;
  }

  /** The share of one pair, whose runs have these options. */
  share({ maxMemory }: Pick<RunOptions, 'maxMemory'>): Share {
    return { parts: this.#parts.join(), objects: this.#objects.join(), memory: this.#memory.join(maxMemory) };
  }

  /**
   * The part of one pair in a source that others may read, too. It leaves when it reads no more.
   * @param id equal for equal sources, opened in the same way. @param prefix of the keys that it reads
   */
  reader({ id, prefix }: ReadSource): SourceReader {
    const source = this.#sources.get(id) ?? this.#source(id);
    this.#sources.set(id, source);
    return source.join(prefix);
  }

  #source(id: string): CommonSource {
    const memory = this.#memory.join(this.#held, (bytes) => source.reads.yield(bytes));
    const left = (): void => {
      this.#sources.delete(id);
      memory.leave();
    };
    const source: CommonSource = new CommonSource({ memory, left, spool: () => new SqliteSpool('') });
    return source;
  }

  /** The store under the limits of the process. Each pair has one request or piece at a time in line for them. */
  throttled(store: ObjectStore): ObjectStore {
    return throttle(store, new InTurn(this.#limits));
  }

  /**
   * The transport with these settings, made on first use. `close` ends it when nobody else uses it.
   * @param settings equal for equal transports
   */
  transport(settings: string, make: () => HttpTransport): { transport: HttpTransport; close(): Promise<void> } {
    const entry = this.#transports.get(settings) ?? { users: 0, transport: make() };
    this.#transports.set(settings, entry);
    entry.users++;
    let closed = false;
    const close = async (): Promise<void> => {
      if (closed) return;
      closed = true;
      entry.users--;
      if (entry.users > 0) return;
      this.#transports.delete(settings);
      await entry.transport.close();
    };
    return { transport: entry.transport, close };
  }
}

/** Puts what one side asks for in line one by one, so that the line has as many places for it as for any other side. */
class InTurn implements Limits {
  readonly #limits: RateLimits;
  readonly #request = limiter(1);
  readonly #bytes = { up: limiter(1), down: limiter(1) };

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  get ofRequests(): boolean {
    return this.#limits.ofRequests;
  }

  get ofBytes(): boolean {
    return this.#limits.ofBytes;
  }

  request(signal?: AbortSignal): Promise<void> {
    return this.#request(async () => this.#limits.request(signal));
  }

  /** Bodies of other sides are no older and no younger. */
  body(): undefined {
    return undefined;
  }

  end(): void {}

  bytes(direction: 'up' | 'down', bytes: number, signal?: AbortSignal): Promise<void> {
    return this.#bytes[direction](async () => this.#limits.bytes(direction, bytes, signal));
  }
}
