/**
 * MD5 of up to eight bodies at once. MD5 is a chain of dependent steps that leaves most of a processor idle, but one SIMD
 * instruction can do the same step for several bodies (the multi-buffer hashing of Intel's ISA-L:
 * https://github.com/intel/isa-l_crypto). No package provides it.
 * Tests: test/hash/md5.test.ts
 */
import { BLOCK, CHUNK, CONSTANTS, DATA, INITIAL, LANES, moduleBytes, oneWord, stateWord, WIDTH } from './md5-code.js';

/** The part that is used here; Node's types do not declare it. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
  ) => { exports: { memory: { buffer: ArrayBuffer } } & Record<'hash' | 'hashOne', (end: number) => void> };
};

/** What MD5 has made of the blocks so far. */
export type Md5State = Uint32Array;

export const initialState = (): Md5State => Uint32Array.from(INITIAL);

export class Md5Lanes {
  readonly #hash: (end: number) => void;
  readonly #hashOne: (end: number) => void;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;

  /** Compiles the module, which takes about 10 ms. Undefined on a processor without SIMD. */
  static create(): Md5Lanes | undefined {
    const code = moduleBytes();
    return WebAssembly.validate(code) ? new Md5Lanes(code) : undefined;
  }

  private constructor(code: Uint8Array) {
    const { memory, hash, hashOne } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports;
    this.#hash = hash;
    this.#hashOne = hashOne;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    for (let index = 0; index < 64; index++) {
      const value = Math.floor(Math.abs(Math.sin(index + 1)) * 2 ** 32);
      this.#words.fill(value, CONSTANTS / 4 + index * WIDTH, CONSTANTS / 4 + (index + 1) * WIDTH);
    }
  }

  /** Hex MD5s of one to eight bodies of the same length. One takes about as long as eight. */
  md5(bodies: readonly Uint8Array[]): string[] {
    const length = bodies[0]?.byteLength ?? 0;
    const whole = length - (length % BLOCK);
    const states = bodies.map(initialState);
    const ends = bodies.map((body) => endOf(body.subarray(whole), length));
    this.advance(
      states,
      bodies.map((body) => body.subarray(0, whole)),
    );
    this.advance(states, ends);
    return states.map(digestOf);
  }

  /**
   * Adds whole blocks to one to eight states at once.
   * @param bodies one for each state, all of the same length
   */
  advance(states: readonly Md5State[], bodies: readonly Uint8Array[]): void {
    const length = bodies[0]?.byteLength ?? 0;
    if (length === 0) return;
    this.#each(states, (state, lane, n) => {
      this.#words[stateWord(lane, n)] = state[n] ?? 0;
    });
    for (let at = 0; at < length; at += CHUNK) {
      const end = Math.min(at + CHUNK, length);
      for (const [lane, body] of bodies.entries()) this.#bytes.set(body.subarray(at, end), DATA + lane * CHUNK);
      this.#hash(end - at);
    }
    this.#each(states, (state, lane, n) => {
      state[n] = this.#words[stateWord(lane, n)] ?? 0;
    });
  }

  /** The same for one state, which costs about three times as much as a lane of eight. */
  advanceOne(state: Md5State, body: Uint8Array): void {
    for (const n of state.keys()) this.#words[oneWord(n)] = state[n] ?? 0;
    for (let at = 0; at < body.byteLength; at += LANES * CHUNK) {
      const piece = body.subarray(at, at + LANES * CHUNK);
      this.#bytes.set(piece, DATA);
      this.#hashOne(piece.byteLength);
    }
    for (const n of state.keys()) state[n] = this.#words[oneWord(n)] ?? 0;
  }

  #each(states: readonly Md5State[], visit: (state: Md5State, lane: number, n: number) => void): void {
    for (const [lane, state] of states.entries()) for (const n of state.keys()) visit(state, lane, n);
  }
}

/** The last bytes of a body, which are fewer than a block, as whole blocks. @param length of the whole body */
export function endOf(rest: Uint8Array, length: number): Uint8Array {
  const end = Buffer.alloc(rest.byteLength < BLOCK - 8 ? BLOCK : 2 * BLOCK);
  end.set(rest);
  end[rest.byteLength] = 0x80;
  end.writeBigUInt64LE(BigInt(length) * 8n, end.byteLength - 8);
  return end;
}

/** Hex. */
export function digestOf(state: Md5State): string {
  const digest = Buffer.alloc(16);
  for (const [n, word] of state.entries()) digest.writeUInt32LE(word, n * 4);
  return digest.toString('hex');
}
