/**
 * watch --versions: whatever is written, deleted and erased between and during its passes, and wherever it is stopped or dies,
 * the destination's history ends as a model of it says.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunOptions } from '../../../src/engine/options.js';
import type { VersionRow } from '../../../src/manifest/port.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytes } from '../../contract/context.js';
import { historyOf, versionsOf } from '../histories.js';
import { Pair, SYNC_POLICY } from '../support.js';
import { Feed, until, Watched } from './watched.js';

const VERSIONED = { versioning: 'enabled' } as const;
const SCHEDULE = { intervalMs: 2, shortestMs: 1, longestMs: 4, fullMs: 10 };
const COPY: Partial<RunOptions> = { history: { deleteVersions: false }, failedBefore: 'try' };
const FOR_GOOD: Partial<RunOptions> = {
  ...{ policy: SYNC_POLICY, history: { deleteVersions: true }, failedBefore: 'try' },
  deletes: { when: 'after', ignoreErrors: false, allowEmptySource: true, excluded: false, max: { objects: 1000 } },
};

const KEYS = ['a', 'a/b', 'b', 'c'] as const;
const ENDS = ['goes on', 'drained', 'stopped', 'killed'] as const;
const key = fc.constantFrom(...KEYS);

/** What happens at the source; `-` deletes. */
const change = fc.tuple(
  key,
  fc.oneof({ weight: 3, arbitrary: fc.string({ maxLength: 3 }) }, { weight: 1, arbitrary: fc.constant('-') }),
);
/** Which version of a key is deleted for good, the oldest being 0. */
const erasure = fc.tuple(key, fc.nat({ max: 3 }));

const rounds = fc.array(
  fc.record({
    changes: fc.array(change, { maxLength: 8 }),
    /** An event tells of these keys, too. */
    told: fc.uniqueArray(key),
    /** Passes that begin before the changes do. */
    late: fc.boolean(),
    erased: fc.array(erasure, { maxLength: 3 }),
    end: fc.constantFrom(...ENDS),
    /** Which of the notes after a write is the last. */
    dies: fc.integer({ min: 1, max: 6 }),
    /** Which of the answers of the destination is lost. */
    loses: fc.integer({ min: 2, max: 5 }),
  }),
  { minLength: 1, maxLength: 4 },
);

type History = Record<string, string[]>;

/** One watch after the other, of the same pair. */
class Life {
  readonly pair = new Pair({ source: VERSIONED, dest: VERSIONED });
  /** What the source and the destination should have. */
  readonly source: History = {};
  readonly dest: History = {};
  readonly #run: Partial<RunOptions>;
  #feed = new Feed();
  #watched: Watched | undefined;
  #stop = new AbortController();

  constructor(run: Partial<RunOptions>) {
    this.#run = run;
  }

  start(): void {
    this.#feed = new Feed();
    this.#stop = new AbortController();
    const run = { ...this.#run, stop: this.#stop.signal };
    this.#watched = new Watched(this.pair, { run, schedule: SCHEDULE, changes: this.#feed.open }).start();
  }

  tell(keys: readonly string[]): void {
    if (keys.length > 0) this.#feed.push(...keys);
  }

  passed(): Promise<void> {
    const passes = () => this.#watched?.of('end').length ?? 0;
    const before = passes();
    return until(() => passes() > before);
  }

  async write(name: string, body: string): Promise<void> {
    if (body === '-') await this.pair.source.delete([name]);
    else await this.pair.source.put(name, bytes(body));
    for (const model of [this.source, this.dest]) model[name] = [...(model[name] ?? []), body];
  }

  /** @param stays the destination keeps the version */
  async erase(name: string, nth: number, stays: boolean): Promise<void> {
    const own = (await versionsOf(this.pair.source)).filter((version) => version.key === name).reverse();
    const version = own[nth];
    if (!version) return;
    await this.pair.source.deleteVersion(name, version.versionId);
    for (const model of stays ? [this.source] : [this.source, this.dest]) {
      model[name]?.splice(nth, 1);
      if (model[name]?.length === 0) delete model[name];
    }
  }

  /** The destination has what it should have, and stays so for a whole pass. */
  async settled(): Promise<void> {
    await until(async () => isDeepStrictEqual(await historyOf(this.pair.dest), this.dest));
    await this.passed();
    expect(await historyOf(this.pair.dest)).toEqual(this.dest);
    expect(await historyOf(this.pair.source)).toEqual(this.source);
  }

  async end(how: (typeof ENDS)[number]): Promise<void> {
    if (how === 'stopped') this.#stop.abort();
    await this.#watched?.end().catch((error: unknown) => {
      if (!(error instanceof XsyncError) || error.message !== 'killed') throw error;
    });
  }

  async has(): Promise<boolean> {
    return isDeepStrictEqual(await historyOf(this.pair.dest), this.dest);
  }
}

/** Dies between the nth write and its note. */
function deathOf({ manifest }: Pair, nth: number): { revive(): void; readonly came: boolean } {
  const put = manifest.putVersion.bind(manifest);
  let notes = 0;
  manifest.putVersion = (row: VersionRow) => {
    if (row.dest !== '' && ++notes >= nth) throw new XsyncError('disk-full', 'killed');
    put(row);
  };
  return {
    revive: () => {
      manifest.putVersion = put;
    },
    get came() {
      return notes >= nth;
    },
  };
}

test.each([
  ['a version that the source erases stays', COPY, true],
  ['with --delete-versions, it goes', FOR_GOOD, false],
] as const)('%s; all others arrive once, in their order', async (_, run, stays) => {
  const property = fc.asyncProperty(rounds, async (all) => {
    const life = new Life(run);
    await life.write('z', 'always');
    life.start();
    try {
      for (const { changes, told, late, erased, end, dies, loses } of all) {
        if (late) await life.passed();
        const mends = (['put', 'delete'] as const).map((kind) =>
          life.pair.faults.dest.lose(
            kind,
            new XsyncError('network', 'the connection broke'),
            ({ n }) => n % loses === 0,
          ),
        );
        const death = deathOf(life.pair, end === 'killed' ? dies : Number.POSITIVE_INFINITY);
        for (const [name, body] of changes) {
          await life.write(name, body);
          await new Promise(setImmediate);
        }
        life.tell(told);
        if (end === 'killed') await until(async () => death.came || (await life.has()));
        if (end !== 'goes on') await life.end(end);
        death.revive();
        for (const mend of mends) mend();
        if (end !== 'goes on') life.start();
        await life.settled();
        for (const [name, nth] of erased) await life.erase(name, nth, stays);
      }
      await life.settled();
    } finally {
      await life.end('drained');
    }
  });
  await fc.assert(property, { numRuns: 25, endOnFailure: true });
});
