/**
 * MD5 of bodies that arrive in pieces at the same time. Pieces that come within a few turns of the event loop are hashed
 * together, while the processor has them in its cache: eight at once take little longer than one.
 * Tests: test/hash/md5-together.test.ts
 */
import { createHash } from 'node:crypto';
import { BLOCK, LANES } from './md5-code.js';
import { digestOf, endOf, initialState, Md5Lanes, type Md5State } from './md5-lanes.js';

interface Waiting {
  state: Md5State;
  /** Whole blocks. */
  bytes: Uint8Array;
  done: () => void;
}

/** Turns of the event loop to wait for others: a socket brings half a piece in each, and not all are ready at once. */
const TURNS = 3;

/** Pieces of several bodies that wait for each other. */
export class Together {
  readonly #lanes: Pick<Md5Lanes, 'advance' | 'advanceOne'>;
  #waiting: Waiting[] = [];
  #batch = 0;

  constructor(lanes: Pick<Md5Lanes, 'advance' | 'advanceOne'>) {
    this.#lanes = lanes;
  }

  /** Adds whole blocks to a state. Neither may be used otherwise before it resolves. */
  add(state: Md5State, bytes: Uint8Array): Promise<void> {
    return new Promise((done) => {
      const count = this.#waiting.push({ state, bytes, done });
      if (count === 1) this.#hashIn(TURNS, this.#batch);
      if (count === LANES) this.#hash();
    });
  }

  #hashIn(turns: number, batch: number): void {
    setImmediate(() => {
      if (batch !== this.#batch) return;
      if (turns > 1) this.#hashIn(turns - 1, batch);
      else this.#hash();
    });
  }

  addOne(state: Md5State, block: Uint8Array): void {
    this.#lanes.advanceOne(state, block);
  }

  #hash(): void {
    let left = this.#waiting;
    this.#waiting = [];
    this.#batch++;
    while (left.length > 1) left = this.#advance(left);
    for (const { state, bytes, done } of left) {
      this.#lanes.advanceOne(state, bytes);
      done();
    }
  }

  /** Hashes as much as all have. @returns those that have more */
  #advance(waiting: readonly Waiting[]): Waiting[] {
    const shortest = Math.min(...waiting.map(({ bytes }) => bytes.byteLength));
    this.#lanes.advance(
      waiting.map(({ state }) => state),
      waiting.map(({ bytes }) => bytes.subarray(0, shortest)),
    );
    const left: Waiting[] = [];
    for (const one of waiting) {
      if (one.bytes.byteLength === shortest) one.done();
      else left.push({ ...one, bytes: one.bytes.subarray(shortest) });
    }
    return left;
  }
}

/** MD5 over bytes that arrive in order. */
export interface RunningMd5 {
  /** The bytes must not change before a promise resolves, and no others may be added. */
  update(bytes: Uint8Array): Promise<void> | undefined;
  /** Hex; ends the stream. */
  digest(): string;
}

let together: { made: Together | undefined } | undefined;

/** Below this many bytes, waiting costs more than it saves. */
export const SMALLEST = 256 * 1024;

/** @param size bytes of the body; a large one is hashed together with others */
export function runningMd5(size: number): RunningMd5 {
  if (size < SMALLEST) return new Md5Alone();
  if (!together) {
    const lanes = Md5Lanes.create();
    together = { made: lanes && new Together(lanes) };
  }
  return together.made ? new Md5Of(together.made) : new Md5Alone();
}

export class Md5Of implements RunningMd5 {
  readonly #together: Together;
  readonly #state = initialState();
  /** The last bytes, which are not a whole block. */
  readonly #rest = new Uint8Array(BLOCK);
  #length = 0;

  constructor(shared: Together) {
    this.#together = shared;
  }

  update(bytes: Uint8Array): Promise<void> | undefined {
    const begun = this.#length % BLOCK;
    this.#length += bytes.byteLength;
    const first = begun === 0 ? 0 : Math.min(BLOCK - begun, bytes.byteLength);
    this.#rest.set(bytes.subarray(0, first), begun);
    if (begun + first === BLOCK) this.#together.addOne(this.#state, this.#rest);
    const blocks = bytes.byteLength - first - ((bytes.byteLength - first) % BLOCK);
    this.#rest.set(bytes.subarray(first + blocks), begun + first === BLOCK ? 0 : begun + first);
    return blocks === 0 ? undefined : this.#together.add(this.#state, bytes.subarray(first, first + blocks));
  }

  digest(): string {
    const end = endOf(this.#rest.subarray(0, this.#length % BLOCK), this.#length);
    for (let at = 0; at < end.byteLength; at += BLOCK) {
      this.#together.addOne(this.#state, end.subarray(at, at + BLOCK));
    }
    return digestOf(this.#state);
  }
}

/** By OpenSSL, which is the fastest for a single body. */
class Md5Alone implements RunningMd5 {
  readonly #hash = createHash('md5');

  update(bytes: Uint8Array): undefined {
    this.#hash.update(bytes);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
