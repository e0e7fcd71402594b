/**
 * Collects MD5 requests for a moment, because eight bodies of one length cost little more than one.
 * Tests: test/hash/md5.test.ts
 */
import { LANES } from './md5-code.js';
import { Md5Lanes } from './md5-lanes.js';

/** Longest wait of the first request, in milliseconds: short compared with the transfer of a part. */
const WAIT_MS = 20;
/** Below this many bytes, collecting costs more than it saves. */
const SMALLEST = 256 * 1024;
/** Fewer bodies are hashed faster one by one: the lanes take as long for one as for all. */
const FEWEST = 3;

interface Waiting {
  bytes: Uint8Array;
  done: (md5: string) => void;
}

export class Md5Gathering {
  readonly #alone: (bytes: Uint8Array) => string;
  readonly #byLength = new Map<number, Waiting[]>();
  #lanes: { made: Md5Lanes | undefined } | undefined;

  /** @param alone hashes a single body */
  constructor(alone: (bytes: Uint8Array) => string) {
    this.#alone = alone;
  }

  /** Hex MD5. The bytes must not change until it resolves. */
  md5(bytes: Uint8Array): Promise<string> {
    const length = bytes.byteLength;
    if (length < SMALLEST) return Promise.resolve(this.#alone(bytes));
    return new Promise((done) => {
      const waiting = this.#byLength.get(length);
      if (waiting === undefined) this.#gather(length, { bytes, done });
      else if (waiting.push({ bytes, done }) === LANES) this.#hash(length, waiting);
    });
  }

  #gather(length: number, first: Waiting): void {
    const waiting = [first];
    this.#byLength.set(length, waiting);
    setTimeout(() => this.#hash(length, waiting), WAIT_MS);
  }

  #hash(length: number, waiting: readonly Waiting[]): void {
    // Already hashed, because eight were complete before the timeout.
    if (this.#byLength.get(length) !== waiting) return;
    this.#byLength.delete(length);
    const sums = this.#md5s(waiting.map(({ bytes }) => bytes));
    waiting.forEach(({ done }, n) => {
      done(sums[n] ?? '');
    });
  }

  #md5s(bodies: readonly Uint8Array[]): string[] {
    if (bodies.length < FEWEST) return bodies.map(this.#alone);
    this.#lanes ??= { made: Md5Lanes.create() };
    return this.#lanes.made?.md5(bodies) ?? bodies.map(this.#alone);
  }
}
