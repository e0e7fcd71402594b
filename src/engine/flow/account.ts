/**
 * Who keeps the count of leased memory: this thread alone, or several threads over one count that they share.
 * Tests: test/engine/flow/account.test.ts
 */

/** Grants bytes in order of arrival, up to a limit. A single larger request is granted when nothing else is. */
export interface Account {
  /** Bytes granted now. */
  readonly used: number;
  /** Takes the bytes if they are free and nobody waits. */
  take(size: number): boolean;
  /** Waits for the bytes and takes them. */
  wait(size: number): Promise<void>;
  give(size: number): void;
}

interface Count {
  readonly used: number;
  /** Requests that wait. */
  waiting: number;
  /** @returns false if the bytes would exceed the limit */
  add(size: number, limit: number): boolean;
  subtract(size: number): void;
}

class OwnCount implements Count {
  used = 0;
  waiting = 0;

  add(size: number, limit: number): boolean {
    if (this.used > 0 && this.used + size > limit) return false;
    this.used += size;
    return true;
  }

  subtract(size: number): void {
    this.used -= size;
  }
}

/** A count in memory that threads share. */
export class SharedCount implements Count {
  /** To be sent to the other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  constructor(memory = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new BigInt64Array(memory);
  }

  get used(): number {
    return Number(Atomics.load(this.#cells, 0));
  }

  get waiting(): number {
    return Number(Atomics.load(this.#cells, 1));
  }

  set waiting(requests: number) {
    Atomics.store(this.#cells, 1, BigInt(requests));
  }

  add(size: number, limit: number): boolean {
    const bytes = BigInt(size);
    for (let used = Atomics.load(this.#cells, 0); ; ) {
      if (used > 0n && used + bytes > BigInt(limit)) return false;
      const found = Atomics.compareExchange(this.#cells, 0, used, used + bytes);
      if (found === used) return true;
      used = found;
    }
  }

  subtract(size: number): void {
    Atomics.sub(this.#cells, 0, BigInt(size));
  }

  clear(): void {
    Atomics.store(this.#cells, 0, 0n);
  }
}

/** The account of the thread that decides who is next. */
export class Ledger implements Account {
  readonly #limit: number;
  readonly #count: Count;
  readonly #waiting: { size: number; grant: () => void }[] = [];

  /** @param limit bytes */
  constructor(limit: number, count: Count = new OwnCount()) {
    this.#limit = limit;
    this.#count = count;
  }

  get used(): number {
    return this.#count.used;
  }

  take(size: number): boolean {
    return this.#waiting.length === 0 && this.#count.add(size, this.#limit);
  }

  wait(size: number): Promise<void> {
    return new Promise((grant) => {
      this.#waiting.push({ size, grant });
      this.#count.waiting = this.#waiting.length;
      // Another thread may have given bytes back before it could see that somebody waits.
      this.look();
    });
  }

  give(size: number): void {
    this.#count.subtract(size);
    this.look();
  }

  /** Grants what has become free. */
  look(): void {
    for (let next = this.#waiting[0]; next && this.#count.add(next.size, this.#limit); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#count.waiting = this.#waiting.length;
      next.grant();
    }
  }
}

/** The account of another thread. It takes what is free by itself, and asks the deciding thread for what is not. */
export class FarAccount implements Account {
  readonly #limit: number;
  readonly #count: SharedCount;
  readonly #ask: (size: number) => Promise<void>;
  readonly #freed: () => void;

  /** @param ask `Ledger.wait` of the deciding thread; `freed`: its `look` */
  constructor(limit: number, count: SharedCount, ask: (size: number) => Promise<void>, freed: () => void) {
    this.#limit = limit;
    this.#count = count;
    this.#ask = ask;
    this.#freed = freed;
  }

  get used(): number {
    return this.#count.used;
  }

  take(size: number): boolean {
    return this.#count.waiting === 0 && this.#count.add(size, this.#limit);
  }

  wait(size: number): Promise<void> {
    return this.#ask(size);
  }

  give(size: number): void {
    this.#count.subtract(size);
    if (this.#count.waiting > 0) this.#freed();
  }
}
