/** Random operations on both sides, between and during runs, with faults and kills: nothing is lost, and both sides agree. */
import { expect, test } from 'vitest';
import { XsyncError } from '../../src/model/error.js';
import type { RequestKind } from '../../src/store/port.js';
import { copyAndDie } from './crash.js';
import { MirrorPair, mirrorOptions } from './mirror.js';

const KEYS = ['a', 'b', 'c/1', 'c/2', 'd', 'E', 'e', 'f'];
const SIDES = ['a', 'b'] as const;
type SideName = (typeof SIDES)[number];
const WRITING = ['put', 'copy', 'delete'] as const;
const LENIENT = { deletes: { allowEmptySource: true, max: { percent: 100 }, ignoreErrors: true } };

/** Numbers from 0 to 1, the same for each seed. */
function randomOf(seed: number): () => number {
  let x = (seed * 2654435761 + 1) >>> 0;
  return () => {
    x = (Math.imul(x ^ (x >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
    return x / 2 ** 32;
  };
}

class World {
  readonly random: () => number;
  readonly pair: MirrorPair;
  /** What was written and not overwritten or deleted by anybody who saw it. */
  readonly alive = new Set<string>();
  #written = 0;
  /** One call or one person at a time: who overwrites knows what. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(seed: number) {
    this.random = randomOf(seed);
    const blind = { capabilities: { writesIfMatch: undefined, deletesIfMatch: false } };
    const [source, dest] = [seed % 3 === 1 ? blind : {}, seed % 3 === 2 ? blind : {}];
    this.pair = new MirrorPair({ source, dest });
    for (const faults of Object.values(this.pair.faults)) {
      for (const kind of WRITING) faults.around(kind, (_call, run) => this.#alone(() => run()));
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }

  /** One operation of a person. */
  act(side: SideName): Promise<void> {
    return this.#alone(() => this.#act(side));
  }

  async #act(side: SideName): Promise<void> {
    const store = side === 'a' ? this.pair.source : this.pair.dest;
    const there = (await this.pair.sides())[side];
    const key = this.pick([...KEYS, ...Object.keys(there)]);
    const what = this.random();
    const old = there[key];
    if (what < 0.25) {
      await store.delete([key]);
    } else if (what < 0.4 && old !== undefined) {
      // A rename, over whatever has the new name.
      const to = this.pick(KEYS);
      // Over the same bytes, no condition could tell it from what was compared.
      const over = there[to];
      if (to === key || over === old) return;
      await store.put(to, Buffer.from(old));
      await store.delete([key]);
      if (over !== undefined) this.alive.delete(over);
      return;
    } else {
      // Sizes repeat, so that they tell nothing.
      const content = `${side}${String(++this.#written).padStart(5, '0')}`;
      await store.put(key, Buffer.from(content));
      this.alive.add(content);
    }
    if (old !== undefined) this.alive.delete(old);
  }

  async some(most: number): Promise<void> {
    for (let n = Math.floor(this.random() * (most + 1)); n > 0; n--) await this.act(this.pick(SIDES));
  }

  /** People go on working during the run, and requests fail. @returns what ends that */
  disturb(): () => void {
    const undo: (() => void)[] = [];
    for (const side of ['source', 'dest'] as const) {
      const faults = this.pair.faults[side];
      const comparing = this.pair[side].capabilities.writesIfMatch === true;
      // Where a store compares nothing, what is written between a HEAD and the write after it is lost: not while it writes.
      const kinds: RequestKind[] = comparing ? ['list', 'head', 'read', 'put', 'delete'] : ['list'];
      for (const kind of kinds) {
        undo.push(
          faults.before(kind, async () => {
            if (this.random() < 0.15) await this.act(side === 'source' ? 'a' : 'b');
          }),
        );
      }
      for (const kind of ['head', 'read', 'put', 'delete'] as const) {
        const error = new XsyncError('server-error', 'not now', { class: 'temporary' });
        undo.push(faults.fail(kind, error, () => this.random() < 0.05));
        undo.push(faults.lose(kind, error, () => kind !== 'delete' && this.random() < 0.05));
      }
    }
    return () => {
      for (const end of undo) end();
    };
  }

  async run(): Promise<void> {
    const how = this.random();
    const calm = how < 0.3 ? () => undefined : this.disturb();
    try {
      if (how > 0.6) await copyAndDie(this.pair, Math.floor(this.random() * 40), mirrorOptions(LENIENT));
      else await this.pair.mirror(LENIENT).catch(() => undefined);
    } finally {
      calm();
    }
  }
}

const seeds = Array.from({ length: Number(process.env.XSYNC_MIRROR_SEEDS ?? 60) }, (_, n) => n + 1);

test.each(seeds)('seed %i: both sides end the same, and nothing is lost', async (seed) => {
  const world = new World(seed);
  const { pair } = world;
  for (let round = 0; round < 6; round++) {
    await world.some(5);
    // A lost manifest.
    if (world.random() < 0.05) pair.lose();
    await world.run();
  }
  for (let run = 0; run < 4; run++) await pair.mirror(LENIENT);
  const { a, b } = await pair.sides();
  expect(a).toEqual(b);
  const found = new Set(Object.values(a));
  expect([...world.alive].filter((content) => !found.has(content))).toEqual([]);
  const last = await pair.mirror(LENIENT);
  expect(last.traffic.source.requests).toEqual({ list: 1 });
  expect(last.traffic.destination.requests).toEqual({ list: 1 });
  expect(pair.manifest.conflicts.countOpen()).toBe(0);
});
