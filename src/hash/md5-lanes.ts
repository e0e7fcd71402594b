/**
 * MD5 of up to eight bodies of one length at once. MD5 is a chain of dependent steps that leaves most of a processor
 * idle, but one SIMD instruction can do the same step for several bodies (the multi-buffer hashing of Intel's ISA-L:
 * https://github.com/intel/isa-l_crypto). WebAssembly SIMD has four words; two groups of four, interleaved step by
 * step, hide the latency. This module generates RFC 1321 as unrolled WebAssembly, because no package provides it.
 * Tests: test/hash/md5.test.ts
 */

export const LANES = 8;
/** Words in a SIMD value, which are the lanes of a group. */
const WIDTH = 4;
const GROUPS = LANES / WIDTH;
const BLOCK = 64;
/** Bytes of each lane that are hashed in one call; all lanes together fit into the cache. */
const CHUNK = 8192;

// Memory: the 64 constants, each group's current block with its words side by side, the states, the lanes' bytes.
const CONSTANTS = 0;
const WORDS = CONSTANTS + 64 * 16;
const STATE = WORDS + GROUPS * 16 * 16;
const DATA = 4096;
const PAGES = Math.ceil((DATA + LANES * CHUNK) / 65536);

const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

/** LEB128 of a number >= 0, valid both as signed and as unsigned. */
function leb(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

// Instructions, named as in the specification.
const get = (local: number) => [0x20, ...leb(local)];
const set = (local: number) => [0x21, ...leb(local)];
const tee = (local: number) => [0x22, ...leb(local)];
const constant = (value: number) => [0x41, ...leb(value)];
const simd = (code: number) => [0xfd, ...leb(code)];
const load = (offset: number) => [...simd(0x00), 4, ...leb(offset)];
const store = (offset: number) => [...simd(0x0b), 4, ...leb(offset)];
const AND = simd(0x4e);
const OR = simd(0x50);
const XOR = simd(0x51);
const NOT = simd(0x4d);
const ADD = simd(0xae);
/** Base address of loads and stores at constant offsets. */
const ZERO = constant(0);
const shiftLeft = (bits: number) => [...constant(bits), ...simd(0xab)];
const shiftRight = (bits: number) => [...constant(bits), ...simd(0xad)];

/** Selects words of two values: 0 to 3 are in the first, 4 to 7 in the second. */
function shuffle(...words: number[]): number[] {
  return [...simd(0x0d), ...words.flatMap((word) => [0, 1, 2, 3].map((byte) => word * 4 + byte))];
}

// Locals: the two parameters, then for each group a, b, c, d and four for the transposition.
const END = 0;
const AT = 1;
const local = (group: number, index: number) => 2 + group * 8 + index;

/** Transposes the block of a group, so that the same word of its four lanes is in one SIMD value. */
function transpose(group: number): number[] {
  const code: number[] = [];
  const t = (index: number) => local(group, 4 + index);
  const row = (lane: number, quarter: number) => [
    ...get(AT),
    ...load(DATA + (group * WIDTH + lane) * CHUNK + quarter * 16),
  ];
  for (let quarter = 0; quarter < 4; quarter++) {
    for (const [half, from] of [[0, 0] as const, [2, 2] as const]) {
      code.push(...row(from, quarter), ...row(from + 1, quarter), ...shuffle(0, 4, 1, 5), ...set(t(half)));
      code.push(...row(from, quarter), ...row(from + 1, quarter), ...shuffle(2, 6, 3, 7), ...set(t(half + 1)));
    }
    for (const [word, pair, words] of [
      [0, 0, [0, 1, 4, 5]],
      [1, 0, [2, 3, 6, 7]],
      [2, 1, [0, 1, 4, 5]],
      [3, 1, [2, 3, 6, 7]],
    ] as const) {
      const to = WORDS + group * 256 + (quarter * 4 + word) * 16;
      code.push(...ZERO, ...get(t(pair)), ...get(t(pair + 2)), ...shuffle(...words), ...store(to));
    }
  }
  return code;
}

/** The mixing function of each round, over the three locals that the step does not replace. */
const MIXED: readonly ((b: number[], c: number[], d: number[]) => number[])[] = [
  (b, c, d) => [...d, ...b, ...c, ...d, ...XOR, ...AND, ...XOR],
  (b, c, d) => [...c, ...d, ...b, ...c, ...XOR, ...AND, ...XOR],
  (b, c, d) => [...b, ...c, ...XOR, ...d, ...XOR],
  (b, c, d) => [...c, ...b, ...d, ...NOT, ...OR, ...XOR],
];
/** Index of the block's word that each step uses, modulo 16. */
const WORD: readonly ((index: number) => number)[] = [(i) => i, (i) => 5 * i + 1, (i) => 3 * i + 5, (i) => 7 * i];

/** One of the 64 steps, for one group: a = b + ((a + mixed(b, c, d) + word + constant) <<< bits). */
function step(group: number, index: number): number[] {
  const round = Math.floor(index / 16);
  // Rotates the names of the four values instead of the values.
  const name = (n: number) => local(group, (n + 64 - index) % 4);
  const [b, c, d] = [get(name(1)), get(name(2)), get(name(3))];
  const word = (WORD[round]?.(index) ?? 0) % 16;
  const bits = SHIFTS[round]?.[index % 4] ?? 0;
  const sum = local(group, 4);
  return [
    ...[...get(name(0)), ...ZERO, ...load(WORDS + group * 256 + word * 16), ...ADD],
    ...[...ZERO, ...load(CONSTANTS + index * 16), ...ADD],
    ...[...(MIXED[round]?.(b, c, d) ?? []), ...ADD],
    ...[...tee(sum), ...shiftLeft(bits), ...get(sum), ...shiftRight(32 - bits), ...OR],
    ...[...b, ...ADD, ...set(name(0))],
  ];
}

const groups = Array.from({ length: GROUPS }, (_, group) => group);
const state = (group: number, index: number) => STATE + group * 64 + index * 16;

/** Body of `hash(end)`, which hashes every block of the lanes up to byte `end`. */
function body(): number[] {
  const names = [0, 1, 2, 3];
  return [
    ...[0x03, 0x40], // loop
    ...groups.flatMap(transpose),
    ...groups.flatMap((group) => names.flatMap((n) => [...ZERO, ...load(state(group, n)), ...set(local(group, n))])),
    ...Array.from({ length: 64 }, (_, index) => groups.flatMap((group) => step(group, index))).flat(),
    ...groups.flatMap((group) =>
      names.flatMap((n) => [
        ...[...ZERO, ...get(local(group, n)), ...ZERO, ...load(state(group, n)), ...ADD],
        ...store(state(group, n)),
      ]),
    ),
    ...[...get(AT), ...constant(BLOCK), 0x6a, ...tee(AT), ...get(END), 0x49, 0x0d, 0x00], // br_if (at += BLOCK) < end
    ...[0x0b, 0x0b],
  ];
}

function moduleBytes(): Uint8Array {
  const section = (id: number, content: number[]) => [id, ...leb(content.length), ...content];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const code = [2, 1, 0x7f, ...leb(GROUPS * 8), 0x7b, ...body()];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, PAGES]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('hash'), 0, 0]),
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}

/** The part that is used here; Node's types do not declare it. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer }; hash: (end: number) => void } };
};

export class Md5Lanes {
  readonly #hash: (end: number) => void;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;

  /** Compiles the module, which takes about 10 ms. Undefined on a processor without SIMD. */
  static create(): Md5Lanes | undefined {
    const code = moduleBytes();
    return WebAssembly.validate(code) ? new Md5Lanes(code) : undefined;
  }

  private constructor(code: Uint8Array) {
    const { memory, hash } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports;
    this.#hash = hash;
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
    for (const group of groups) {
      INITIAL.forEach((value, n) => {
        this.#words.fill(value, state(group, n) / 4, state(group, n) / 4 + WIDTH);
      });
    }
    const whole = length - (length % BLOCK);
    for (let at = 0; at < whole; at += CHUNK) {
      const end = Math.min(at + CHUNK, whole);
      bodies.forEach((body, lane) => {
        this.#bytes.set(body.subarray(at, end), DATA + lane * CHUNK);
      });
      this.#hash(end - at);
    }
    const padded = length % BLOCK < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    bodies.forEach((body, lane) => {
      const last = Buffer.alloc(padded);
      last.set(body.subarray(whole));
      last[length % BLOCK] = 0x80;
      last.writeBigUInt64LE(BigInt(length) * 8n, padded - 8);
      this.#bytes.set(last, DATA + lane * CHUNK);
    });
    this.#hash(padded);
    return bodies.map((_, lane) => this.#digest(lane));
  }

  #digest(lane: number): string {
    const digest = Buffer.alloc(16);
    INITIAL.forEach((_, n) => {
      const at = state(Math.floor(lane / WIDTH), n) / 4 + (lane % WIDTH);
      digest.writeUInt32LE(this.#words[at] ?? 0, n * 4);
    });
    return digest.toString('hex');
  }
}
