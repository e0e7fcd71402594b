/**
 * Memory for bodies: a budget in bytes that waiting transfers share in order of arrival, and buffers that are used
 * again instead of being left to the garbage collector.
 */

export interface Lease {
  /** Exactly the bytes asked for; contents are what the last user left. */
  readonly bytes: Uint8Array;
  /** Gives the memory back; the bytes must not be touched afterwards. Once. */
  release(): void;
}

/** Below this a fresh small buffer is cheaper than keeping one. */
const POOLED_FROM = 64 * 1024;

export class MemoryBudget {
  readonly #limit: number;
  #used = 0;
  readonly #waiting: { size: number; grant: () => void }[] = [];
  readonly #free = new Map<number, ArrayBuffer[]>();
  #freeBytes = 0;

  /** @param limit bytes; a single larger request is granted when nothing else is out. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes out now. */
  get used(): number {
    return this.#used;
  }

  /** @throws RangeError when the system has no such buffer */
  async lease(size: number): Promise<Lease> {
    if (this.#waiting.length > 0 || !this.#fits(size)) {
      await new Promise<void>((grant) => this.#waiting.push({ size, grant }));
    } else {
      this.#used += size;
    }
    return this.#granted(size);
  }

  /** A lease that takes nothing from anyone who waits; undefined when there is none. @throws RangeError as `lease` */
  tryLease(size: number): Lease | undefined {
    if (this.#waiting.length > 0 || !this.#fits(size)) return undefined;
    this.#used += size;
    return this.#granted(size);
  }

  #granted(size: number): Lease {
    try {
      return this.#buffer(size);
    } catch (error) {
      this.#giveBack(size);
      throw error;
    }
  }

  #giveBack(size: number): void {
    this.#used -= size;
    this.#grantWaiting();
  }

  #fits(size: number): boolean {
    return this.#used === 0 || this.#used + size <= this.#limit;
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
        this.#giveBack(size);
      },
    };
  }

  #take(capacity: number): ArrayBuffer | undefined {
    const buffer = this.#free.get(capacity)?.pop();
    if (buffer) this.#freeBytes -= capacity;
    return buffer;
  }

  /** Idle buffers of other sizes make room, so that idle and used together stay within the limit. */
  #allocate(capacity: number): ArrayBuffer {
    for (const [size, list] of this.#free) {
      while (this.#freeBytes + this.#used > this.#limit && list.pop()) this.#freeBytes -= size;
    }
    return new ArrayBuffer(capacity);
  }

  #keep(capacity: number, buffer: ArrayBuffer): void {
    if (this.#freeBytes + this.#used > this.#limit) return;
    const list = this.#free.get(capacity);
    if (list) list.push(buffer);
    else this.#free.set(capacity, [buffer]);
    this.#freeBytes += capacity;
  }

  #grantWaiting(): void {
    for (let next = this.#waiting[0]; next && this.#fits(next.size); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += next.size;
      next.grant();
    }
  }
}

/** Sizes are rounded up to eighths of a power of two, so that nearly equal objects share buffers at ≤ 12.5 % waste. */
function classOf(size: number): number {
  const step = 2 ** Math.max(Math.floor(Math.log2(size)) - 3, 12);
  return Math.ceil(size / step) * step;
}
