/**
 * The bytes between a read and a write that go on at the same time: a few pieces of memory that are filled and emptied in
 * turn, small enough to stay in the processor's cache. Tests: test/engine/transfer/pipe.test.ts
 */
import type { Pieces } from '../../store/port.js';
import type { Lease, MemoryBudget } from '../flow/budget.js';

/** Bytes of a piece. Larger ones leave the cache before they are sent. */
const LARGE_PIECE = 896 * 1024;
/** While memory is short. Smaller ones cost more calls: a third more CPU time than large ones. */
const SMALL_PIECE = 192 * 1024;
/** A piece with less room is passed on as it is, because a read that can bring little costs as much as any. */
const LEAST_ROOM = 64 * 1024;
/** What may still come after a wait was requested: see `PieceSink`. */
const LATE = 256 * 1024;
const PIECES = 4;
/** Bytes of memory that a pipe needs. */
export const PIPE_BYTES = PIECES * SMALL_PIECE;
/** Bytes of memory that it is given while there is plenty. */
export const LARGE_PIPE_BYTES = PIECES * LARGE_PIECE;

/** Memory for a pipe: large pieces as long as they leave half of the memory to others. */
export async function leasePipe(budget: MemoryBudget): Promise<Lease> {
  const large = budget.used + LARGE_PIPE_BYTES <= budget.limit / 2 ? budget.tryLease(LARGE_PIPE_BYTES) : undefined;
  return large ?? budget.lease(PIPE_BYTES);
}

/** A piece of the pipe's memory, of which the first bytes are filled. */
interface Filled {
  memory: Uint8Array;
  bytes: number;
}

export class Pipe implements Pieces {
  /** Bytes of a piece. */
  readonly #piece: number;
  /** The one that was emptied last is at the end: it is still in the cache. */
  readonly #free: Uint8Array[] = [];
  readonly #ready: Filled[] = [];
  #filling: Filled | undefined;
  /** What the writer has. */
  #lent: Uint8Array | undefined;
  /** Bytes that have not come. */
  #missing: number;
  #failed: { error: unknown } | undefined;
  /** Lets the writer go on. */
  #wanted: { resolve: (piece: Uint8Array) => void; reject: (error: unknown) => void } | undefined;
  /** Lets the reader go on. */
  #room: { promise: Promise<void>; resolve: () => void } | undefined;
  #passing: NodeJS.Immediate | undefined;

  /**
   * @param size all bytes that go through
   * @param memory `PIPE_BYTES` or `LARGE_PIPE_BYTES`
   */
  constructor(size: number, memory: Uint8Array) {
    this.#missing = size;
    this.#piece = memory.byteLength / PIECES;
    for (let n = 0; n < PIECES; n++) this.#free.push(memory.subarray(n * this.#piece, (n + 1) * this.#piece));
  }

  /** The place of the next bytes, for a reader that can write them there; undefined: every piece is in use. */
  room(): Uint8Array | undefined {
    if (this.#filling && this.#piece - this.#filling.bytes < LEAST_ROOM && this.#free.length > 0) this.#passOn();
    if (!this.#filling) {
      const memory = this.#free.pop();
      if (!memory) return undefined;
      this.#filling = { memory, bytes: 0 };
    }
    const { memory, bytes } = this.#filling;
    // That the pipe is full is known only when bytes are taken: what still comes then must find its place.
    const end = this.#free.length > 0 ? this.#piece : this.#piece - LATE;
    return memory.subarray(bytes, bytes < end ? end : this.#piece);
  }

  /**
   * Takes the bytes, and copies those that are not in `room`.
   * @returns a promise when no more should be read before it resolves
   */
  take(bytes: Uint8Array): Promise<void> | undefined {
    for (let at = 0; at < bytes.byteLength; ) at += this.#fill(bytes, at);
    this.#missing -= bytes.byteLength;
    if (this.#missing === 0) this.#passOn();
    if (this.#wanted) this.#serve();
    return this.#isFull() && this.#missing > 0 ? this.#untilRoom() : undefined;
  }

  /** A piece when it is full, or when the event loop has nothing more for it. */
  next(): Uint8Array | Promise<Uint8Array> {
    if (this.#lent && this.#pieces < PIECES) this.#free.push(this.#lent);
    this.#lent = undefined;
    if (this.#room && !this.#isFull()) this.#release();
    const ready = this.#failed ? undefined : this.#ready.shift();
    if (ready) return this.#lend(ready);
    return new Promise((resolve, reject) => {
      this.#wanted = { resolve, reject };
      this.#serve();
    });
  }

  /** The rest will not come. */
  fail(error: unknown): void {
    this.#failed ??= { error };
    clearImmediate(this.#passing);
    this.#release();
    if (this.#wanted) this.#serve();
  }

  /** @returns how many bytes it took */
  #fill(bytes: Uint8Array, at: number): number {
    const filling = this.#filling ?? { memory: this.#free.pop() ?? new Uint8Array(this.#piece), bytes: 0 };
    this.#filling = filling;
    const part = bytes.subarray(at, at + this.#piece - filling.bytes);
    if (!isAt(part, filling)) filling.memory.set(part, filling.bytes);
    filling.bytes += part.byteLength;
    if (filling.bytes === this.#piece) this.#passOn();
    return part.byteLength;
  }

  #passOn(): void {
    if (!this.#filling || this.#filling.bytes === 0) return;
    this.#ready.push(this.#filling);
    this.#filling = undefined;
  }

  #lend({ memory, bytes }: Filled): Uint8Array {
    this.#lent = memory;
    return memory.subarray(0, bytes);
  }

  /** The writer waits. */
  #serve(): void {
    const wanted = this.#wanted;
    if (!wanted) return;
    const ready = this.#failed ? undefined : this.#ready.shift();
    if (this.#failed || ready) this.#wanted = undefined;
    if (this.#failed) wanted.reject(this.#failed.error);
    else if (ready) wanted.resolve(this.#lend(ready));
    else if (this.#filling && this.#filling.bytes > 0) {
      this.#passing ??= setImmediate(() => {
        this.#passing = undefined;
        if (!this.#wanted) return;
        if (this.#ready.length === 0) this.#passOn();
        this.#serve();
      });
    }
  }

  /** More than `PIECES` when more came late than there was room for. */
  get #pieces(): number {
    return this.#free.length + this.#ready.length + (this.#filling ? 1 : 0);
  }

  #isFull(): boolean {
    const rest = this.#filling ? this.#piece - this.#filling.bytes : 0;
    return this.#free.length * this.#piece + rest <= LATE;
  }

  #untilRoom(): Promise<void> {
    if (!this.#room) {
      let resolve = (): void => {};
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  #release(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

/** The bytes have been written into the room of the piece. */
function isAt(part: Uint8Array, { memory, bytes }: Filled): boolean {
  return part.buffer === memory.buffer && part.byteOffset === memory.byteOffset + bytes;
}
