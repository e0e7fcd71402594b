/**
 * Memory for bodies: a budget in bytes that is granted in order of arrival, and buffers that are reused instead of left
 * to the garbage collector.
 */
import { type Account, Ledger } from './account.js';

export interface Lease {
  /** Exactly the requested size; not cleared since its last use. */
  readonly bytes: Uint8Array;
  /** Returns the memory; do not use the bytes afterwards. Later calls do nothing. */
  release(): void;
}

/** Smaller buffers are cheaper to allocate than to keep. In bytes. */
const POOLED_FROM = 64 * 1024;

export class MemoryBudget {
  readonly limit: number;
  readonly #account: Account;
  /** Idle buffers that may be kept, in bytes, because idle ones of other threads are not known here. */
  readonly #mostFree: number;
  readonly #free = new Map<number, ArrayBuffer[]>();
  #freeBytes = 0;

  /**
   * @param limit bytes; a single larger request is granted when nothing else is leased
   * @param shared with budgets of other threads: their account, and how many threads there are
   */
  constructor(
    limit: number,
    shared: { account: Account; threads: number } = { account: new Ledger(limit), threads: 1 },
  ) {
    this.limit = limit;
    this.#account = shared.account;
    this.#mostFree = shared.threads === 1 ? Number.POSITIVE_INFINITY : limit / shared.threads;
  }

  /** Bytes leased now. */
  get used(): number {
    return this.#account.used;
  }

  /** More than half is leased: bodies that can do with less should. */
  get isShort(): boolean {
    return this.used > this.limit / 2;
  }

  /** @throws RangeError when the buffer cannot be allocated */
  async lease(size: number): Promise<Lease> {
    if (!this.#account.take(size)) await this.#account.wait(size);
    return this.#granted(size);
  }

  /** A lease if one is free and nobody waits; else undefined. @throws RangeError as `lease` */
  tryLease(size: number): Lease | undefined {
    return this.#account.take(size) ? this.#granted(size) : undefined;
  }

  /** Gives idle memory back. */
  trim(): void {
    this.#free.clear();
    this.#freeBytes = 0;
  }

  #granted(size: number): Lease {
    try {
      return this.#buffer(size);
    } catch (error) {
      this.#account.give(size);
      throw error;
    }
  }

  #buffer(size: number): Lease {
    const capacity = size < POOLED_FROM ? 0 : classOf(size);
    const buffer = capacity === 0 ? undefined : (this.#take(capacity) ?? this.#allocate(capacity));
    const bytes = buffer ? new Uint8Array(buffer, 0, size) : Buffer.allocUnsafe(size);
    let released = false;
    return {
      bytes,
      release: () => {
        if (released) return;
        released = true;
        if (buffer) this.#keep(capacity, buffer);
        this.#account.give(size);
      },
    };
  }

  #take(capacity: number): ArrayBuffer | undefined {
    const buffer = this.#free.get(capacity)?.pop();
    if (buffer) this.#freeBytes -= capacity;
    return buffer;
  }

  /** Drops idle buffers of other sizes, so that idle and used memory together stay within the limit. */
  #allocate(capacity: number): ArrayBuffer {
    for (const [size, list] of this.#free) {
      while (this.#freeBytes + this.used > this.limit && list.pop()) this.#freeBytes -= size;
    }
    return new ArrayBuffer(capacity);
  }

  #keep(capacity: number, buffer: ArrayBuffer): void {
    if (this.#freeBytes + this.used > this.limit || this.#freeBytes + capacity > this.#mostFree) return;
    const list = this.#free.get(capacity);
    if (list) list.push(buffer);
    else this.#free.set(capacity, [buffer]);
    this.#freeBytes += capacity;
  }
}

/** Rounds up to eighths of a power of two: objects of similar size share buffers, at most 12.5 % is wasted. */
function classOf(size: number): number {
  const step = 2 ** Math.max(Math.floor(Math.log2(size)) - 3, 12);
  return Math.ceil(size / step) * step;
}
