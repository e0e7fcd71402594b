/**
 * RFC 1321 as unrolled WebAssembly: the same step for eight bodies at once, in two groups of four SIMD lanes that are
 * interleaved to hide the latency, and for one body.
 * Tests: test/hash/md5.test.ts
 */

export const LANES = 8;
/** Words in a SIMD value, which are the lanes of a group. */
export const WIDTH = 4;
const GROUPS = LANES / WIDTH;
export const BLOCK = 64;
/** Bytes of each lane that are hashed in one call; all lanes together fit into the cache. */
export const CHUNK = 8192;

// Memory: the 64 constants, each group's current block with its words side by side, the states, the lanes' bytes.
export const CONSTANTS = 0;
const WORDS = CONSTANTS + 64 * 16;
const STATE = WORDS + GROUPS * 16 * 16;
const STATE_OF_ONE = STATE + GROUPS * 4 * 16;
export const DATA = 4096;
const PAGES = Math.ceil((DATA + LANES * CHUNK) / 65536);

const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;
export const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

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

/** The instructions on the values of all lanes of a group, or of one body. */
interface Instructions {
  load(offset: number): number[];
  store(offset: number): number[];
  and: number[];
  or: number[];
  xor: number[];
  not: number[];
  add: number[];
  /** The local's value, rotated to the left. */
  rotated(local: number, bits: number): number[];
}
const LANE: Instructions = {
  ...{ load, store, and: simd(0x4e), or: simd(0x50), xor: simd(0x51), not: simd(0x4d), add: simd(0xae) },
  rotated: (value, bits) => [
    ...[...get(value), ...constant(bits), ...simd(0xab)],
    ...[...get(value), ...constant(32 - bits), ...simd(0xad), ...LANE.or],
  ],
};
const ONE: Instructions = {
  load: (offset) => [0x28, 2, ...leb(offset)],
  store: (offset) => [0x36, 2, ...leb(offset)],
  ...{ and: [0x71], or: [0x72], xor: [0x73], not: [0x41, 0x7f, 0x73], add: [0x6a] },
  rotated: (value, bits) => [...get(value), ...constant(bits), 0x77],
};
/** Base address of loads and stores at constant offsets. */
const ZERO = constant(0);

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
const MIXED: readonly ((on: Instructions, b: number[], c: number[], d: number[]) => number[])[] = [
  (on, b, c, d) => [...d, ...b, ...c, ...d, ...on.xor, ...on.and, ...on.xor],
  (on, b, c, d) => [...c, ...d, ...b, ...c, ...on.xor, ...on.and, ...on.xor],
  (on, b, c, d) => [...b, ...c, ...on.xor, ...d, ...on.xor],
  (on, b, c, d) => [...c, ...b, ...d, ...on.not, ...on.or, ...on.xor],
];
/** Index of the block's word that each step uses, modulo 16. */
const WORD: readonly ((index: number) => number)[] = [(i) => i, (i) => 5 * i + 1, (i) => 3 * i + 5, (i) => 7 * i];

/**
 * One of the 64 steps: a = b + ((a + mixed(b, c, d) + word + constant) <<< bits).
 * @param values a, b, c and d, and one to work with
 * @param word pushes a word of the block
 */
function step(on: Instructions, values: readonly number[], word: (n: number) => number[], index: number): number[] {
  const round = Math.floor(index / 16);
  // Rotates the names of the four values instead of the values.
  const name = (n: number) => values[(n + 64 - index) % 4] ?? 0;
  const sum = values[4] ?? 0;
  const [b, c, d] = [get(name(1)), get(name(2)), get(name(3))];
  const bits = SHIFTS[round]?.[index % 4] ?? 0;
  return [
    ...[...get(name(0)), ...word((WORD[round]?.(index) ?? 0) % 16), ...on.add],
    ...[...ZERO, ...on.load(CONSTANTS + index * 16), ...on.add],
    ...[...(MIXED[round]?.(on, b, c, d) ?? []), ...on.add],
    ...[...set(sum), ...on.rotated(sum, bits)],
    ...[...b, ...on.add, ...set(name(0))],
  ];
}

const STEPS = Array.from({ length: 64 }, (_, index) => index);
const groups = Array.from({ length: GROUPS }, (_, group) => group);
const names = [0, 1, 2, 3];

/** Where word `n` of a lane's state is, as an index of words. */
export const stateWord = (lane: number, n: number) => state(Math.floor(lane / WIDTH), n) / 4 + (lane % WIDTH);
/** The same of the one body that is hashed alone. */
export const oneWord = (n: number) => STATE_OF_ONE / 4 + n;

const state = (group: number, n: number) => STATE + group * 64 + n * 16;
const valuesOf = (group: number) => [0, 1, 2, 3, 4].map((index) => local(group, index));

/** Repeats `block` for each block up to byte END. */
function loop(block: number[]): number[] {
  // br_if (AT += BLOCK) < END
  const next = [...get(AT), ...constant(BLOCK), 0x6a, ...tee(AT), ...get(END), 0x49, 0x0d, 0x00];
  return [0x03, 0x40, ...block, ...next, 0x0b, 0x0b];
}

/** Adds what a block made of the state to the state. */
const added = (on: Instructions, value: number, at: number) => [
  ...[...ZERO, ...get(value), ...ZERO, ...on.load(at), ...on.add],
  ...on.store(at),
];

/** Body of `hash(end)`, which hashes every block of the lanes up to byte `end`. */
function bodyOfLanes(): number[] {
  const words = (group: number) => (n: number) => [...ZERO, ...load(WORDS + group * 256 + n * 16)];
  return loop([
    ...groups.flatMap(transpose),
    ...groups.flatMap((group) => names.flatMap((n) => [...ZERO, ...load(state(group, n)), ...set(local(group, n))])),
    ...STEPS.flatMap((index) => groups.flatMap((group) => step(LANE, valuesOf(group), words(group), index))),
    ...groups.flatMap((group) => names.flatMap((n) => added(LANE, local(group, n), state(group, n)))),
  ]);
}

/** Body of `hashOne(end)`: the same for the one body that begins at DATA. */
function bodyOfOne(): number[] {
  const values = [2, 3, 4, 5, 6];
  const word = (n: number) => [...get(AT), ...ONE.load(DATA + n * 4)];
  return loop([
    ...names.flatMap((n) => [...ZERO, ...ONE.load(STATE_OF_ONE + n * 4), ...set(n + 2)]),
    ...STEPS.flatMap((index) => step(ONE, values, word, index)),
    ...names.flatMap((n) => added(ONE, n + 2, STATE_OF_ONE + n * 4)),
  ]);
}

export function moduleBytes(): Uint8Array {
  const section = (id: number, content: number[]) => [id, ...leb(content.length), ...content];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const code = (locals: number[], body: number[]) => {
    const all = [2, 1, 0x7f, ...locals, ...body];
    return [...leb(all.length), ...all];
  };
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(3, [2, 0, 0]),
    ...section(5, [1, 0, PAGES]),
    ...section(7, [3, ...name('memory'), 2, 0, ...name('hash'), 0, 0, ...name('hashOne'), 0, 1]),
    ...section(10, [2, ...code([...leb(GROUPS * 8), 0x7b], bodyOfLanes()), ...code([5, 0x7f], bodyOfOne())]),
  ]);
}
