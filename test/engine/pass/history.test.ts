/** The history of each key at the destination reads like that at the source, whatever happens on the way. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent, Summary } from '../../../src/engine/events.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { HISTORY as HISTORY_FACT, writeFact } from '../../../src/engine/record/facts.js';
import { runPair } from '../../../src/engine/run.js';
import type { VersionRow } from '../../../src/manifest/port.js';
import { XsyncError } from '../../../src/model/error.js';
import { VERSION_METADATA } from '../../../src/model/object.js';
import { bytes, text } from '../../contract/context.js';
import { historyOf, versionsOf } from '../histories.js';
import { OPTIONS, Pair } from '../support.js';

const VERSIONED = { versioning: 'enabled' } as const;
const MiB = 2 ** 20;
const HISTORY: RunOptions = { ...OPTIONS, history: { deleteVersions: false } };

const pairOf = (): Pair => new Pair({ source: VERSIONED, dest: VERSIONED });

async function carry(pair: Pair, options: Partial<RunOptions> = {}): Promise<Summary & { events: RunEvent[] }> {
  const events: RunEvent[] = [];
  const summary = await runPair(pair.open(), { ...HISTORY, ...options }, (event) => events.push(event));
  return { ...summary, events };
}

/** Writes to the source; `-` deletes. */
async function write(pair: Pair, steps: readonly (readonly [key: string, body: string])[]): Promise<void> {
  for (const [key, body] of steps) {
    if (body === '-') await pair.source.delete([key]);
    else await pair.source.put(key, bytes(body), { metadata: { of: body } });
  }
}

const SAMPLE = [
  ['a', '1'],
  ['b', '1'],
  ['a', '22'],
  ['a', '-'],
  ['a', '333'],
  ['gone', 'x'],
  ['gone', '-'],
  ['never', '-'],
] as const;

describe('every version and delete marker', () => {
  it('is carried over, the oldest first, with metadata, for one GET and one PUT each', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const run = await carry(pair);
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    expect(run.copied).toEqual({ objects: 5, bytes: 8 });
    expect(run.deleted.objects).toBe(3);
    // One of the lists is the question whether the bucket keeps versions.
    expect(run.traffic.source.requests).toEqual({ list: 2, read: 5 });
    expect(run.traffic.destination.requests).toEqual({ list: 2, put: 5, delete: 3 });
    const ids = (await versionsOf(pair.source)).filter((version) => version.key === 'a' && !version.deleteMarker);
    const arrived = (await versionsOf(pair.dest)).filter((version) => version.key === 'a' && !version.deleteMarker);
    for (const [index, { versionId }] of arrived.entries()) {
      const { metadata } = await pair.dest.head('a', { versionId });
      expect(metadata[VERSION_METADATA]).toBe(ids[index]?.versionId);
      expect(metadata.of).toBeDefined();
    }
  });

  it('costs only the list when nothing is new, and only what is new afterwards', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await carry(pair);
    const again = await carry(pair);
    expect(again.copied.objects + again.deleted.objects).toBe(0);
    expect(again.skipped.byReason).toEqual({ unchanged: 5 });
    expect(again.traffic.source.requests).toEqual({ list: 2 });
    expect(again.traffic.destination.requests).toEqual({ list: 1 });
    await write(pair, [
      ['a', '4444'],
      ['gone', 'back'],
      ['b', '-'],
    ]);
    const more = await carry(pair);
    expect(more.traffic.destination.requests).toEqual({ list: 1, put: 2, delete: 1 });
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
  });

  it('arrives in parts, too, and by the service', async () => {
    const parts = new Pair({ source: VERSIONED, dest: { ...VERSIONED, capabilities: { minPartSize: MiB } } });
    const server = new Pair({ source: VERSIONED, dest: { ...VERSIONED, endpoint: 'a' } });
    for (const pair of [parts, server]) {
      for (const letter of ['a', 'b'])
        await pair.source.put('big', new Uint8Array(3 * MiB + 1).fill(letter.charCodeAt(0)));
      await pair.source.delete(['big']);
      await carry(pair, { partSize: MiB });
      expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
      await carry(pair, { partSize: MiB });
      expect((await versionsOf(pair.dest)).length).toBe(3);
    }
  });

  it('is known by a HEAD where the store does not tell the ID of what it wrote', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const put = pair.dest.put.bind(pair.dest);
    pair.dest.put = async (key, body, options) => ({ ...(await put(key, body, options)), versionId: undefined });
    const run = await carry(pair);
    expect(run.traffic.destination.requests).toMatchObject({ put: 5, head: 5 });
    const ids = (await versionsOf(pair.dest)).filter(({ deleteMarker }) => !deleteMarker);
    for (const { key, versionId } of ids) expect(pair.manifest.hasDestVersion(key, versionId)).toBe(true);
  });

  it('of a key with very many is carried in constant memory, in order', async () => {
    const pair = pairOf();
    for (let i = 0; i < 1100; i++) await pair.source.put('a', bytes(String(i)));
    await write(pair, [['b', '1']]);
    await carry(pair);
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
  });

  it('takes the filter, and a dry run writes nothing', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const dry = await carry(pair, { dryRun: true });
    expect(dry.planned).toEqual({ source: { read: 5 }, destination: { put: 5, delete: 3 } });
    expect(dry.deleted.objects).toBe(3);
    expect(await versionsOf(pair.dest)).toEqual([]);
    expect(pair.manifest.hasVersions('a')).toBe(false);
  });

  it('that was deleted for good at the source stays at the destination', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await carry(pair);
    const before = await historyOf(pair.dest);
    const list = pair.source.listVersions.bind(pair.source);
    pair.source.listVersions = async (options) => {
      const page = await list(options);
      return { ...page, versions: page.versions.filter(({ key, size }) => key !== 'a' || size === 1) };
    };
    expect((await carry(pair)).copied.objects).toBe(0);
    expect(await historyOf(pair.dest)).toEqual(before);
  });
});

describe('a failure', () => {
  it('holds back the newer versions of its key and no others, and the next run goes on there', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const refused = new XsyncError('access-denied', 'no');
    const mend = pair.faults.dest.fail('put', refused, ({ bytes: body }) => text(body) === '22');
    const run = await carry(pair);
    expect(run.failed.list).toMatchObject([{ key: 'a', code: 'access-denied' }]);
    expect((await historyOf(pair.dest)).a).toEqual(['1']);
    expect(pair.manifest.failure('a')).toMatchObject({ code: 'access-denied', size: 2 });
    expect((await historyOf(pair.dest)).gone).toEqual(['x', '-']);
    mend();
    await carry(pair);
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    expect(pair.manifest.failureCount()).toBe(0);
  });

  it('whose answer was lost leaves no second version, for puts and delete markers', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const lost = new XsyncError('network', 'the connection broke');
    pair.faults.dest.lose('put', lost, ({ n }) => n % 2 === 1);
    pair.faults.dest.lose('delete', lost, ({ n }) => n % 2 === 1);
    const run = await carry(pair);
    expect(run.failed.objects).toBe(0);
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    await carry(pair);
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
  });

  it('of a completion is not taken for a success because an older version has the same bytes', async () => {
    const pair = new Pair({ source: VERSIONED, dest: { ...VERSIONED, capabilities: { minPartSize: MiB } } });
    for (const of of ['1', '2']) await pair.source.put('big', new Uint8Array(2 * MiB), { metadata: { of } });
    pair.faults.dest.fail('completeUpload', new XsyncError('server-error', 'busy'), ({ n }) => n === 2);
    const run = await carry(pair, { partSize: MiB });
    expect(run.failed.objects).toBe(0);
    const arrived = await versionsOf(pair.dest);
    const names = arrived.map(async ({ key, versionId }) => (await pair.dest.head(key, { versionId })).metadata.of);
    expect(await Promise.all(names)).toEqual(['2', '1']);
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
  });

  it('an archived version is missing, and reported; the newer ones are carried', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const list = pair.source.listVersions.bind(pair.source);
    pair.source.listVersions = async (options) => {
      const page = await list(options);
      const versions = page.versions.map((one) => (one.size === 2 ? { ...one, special: 'archived' as const } : one));
      return { ...page, versions };
    };
    const run = await carry(pair);
    expect(run.failed.list).toMatchObject([{ key: 'a', code: 'object-archived' }]);
    expect((await historyOf(pair.dest)).a).toEqual(['1', '-', '333']);
  });
});

it('is not carried from a list that is out of order', async () => {
  const pair = pairOf();
  await write(pair, SAMPLE);
  const list = pair.source.listVersions.bind(pair.source);
  pair.source.listVersions = async (options) => {
    const { versions, ...page } = await list(options);
    return { ...page, versions: [...versions.slice(2), ...versions.slice(0, 2)] };
  };
  await expect(carry(pair)).rejects.toThrow('memory:src lists the versions of "a" out of order');
});

/** Dies once the destination has the version, before that is noted. */
function dieBeforeNote(pair: Pair, nth: number): () => void {
  const put = pair.manifest.putVersion.bind(pair.manifest);
  let notes = 0;
  pair.manifest.putVersion = (row: VersionRow) => {
    if (row.dest !== '' && ++notes === nth) throw new XsyncError('disk-full', 'killed');
    put(row);
  };
  return () => {
    pair.manifest.putVersion = put;
  };
}

describe('a run that is killed between a write and its note', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'leaves no second version after the next run, whichever it was (%d)',
    async (nth) => {
      const pair = pairOf();
      await write(pair, SAMPLE);
      const revive = dieBeforeNote(pair, nth);
      await expect(carry(pair)).rejects.toThrow('killed');
      revive();
      await carry(pair);
      expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    },
  );
});

it('a manifest that was lost is learnt from the metadata of the versions at the destination', async () => {
  const pair = pairOf();
  await write(pair, SAMPLE);
  await carry(pair);
  const blank = new Pair();
  const other = { ...pair.open(), manifest: blank.manifest };
  await write(pair, [['a', '4444']]);
  await runPair(other, HISTORY, () => undefined);
  expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
});

it('a lost manifest adds no second delete marker, however many are on top', async () => {
  const pair = pairOf();
  await write(pair, [...SAMPLE, ['gone', '-'], ['gone', '-'], ['never', '-']]);
  await carry(pair);
  await write(pair, [['gone', '-']]);
  await runPair({ ...pair.open(), manifest: new Pair().manifest }, HISTORY, () => undefined);
  expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
});

it('notes that a power loss took along are learnt again after the machine has started anew', async () => {
  const pair = pairOf();
  await write(pair, SAMPLE);
  await carry(pair);
  await write(pair, [
    ['a', '4444'],
    ['new', '1'],
    ['b', '-'],
  ]);
  await carry(pair);
  // Two of the three: the marker has no metadata, but is on top.
  for (const row of pair.manifest.versions(undefined, 1000)) {
    const { size, deleteMarker } = (await versionsOf(pair.dest)).find((one) => one.versionId === row.dest) ?? {};
    if (size === 4 || row.key === 'new' || (row.key === 'b' && deleteMarker))
      pair.manifest.dropVersion(row.key, row.source);
  }
  writeFact(pair.manifest, HISTORY_FACT, { complete: true, both: true, bootMs: 1 });
  await carry(pair);
  expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
  expect((await carry(pair)).traffic.destination.requests).toEqual({ list: 1 });
});

const steps = fc.array(
  fc.tuple(
    fc.constantFrom('a', 'a/b', 'b', 'c'),
    fc.oneof({ weight: 3, arbitrary: fc.string({ maxLength: 3 }) }, { weight: 1, arbitrary: fc.constant('-') }),
  ),
  { maxLength: 12 },
);

it('equals the source for any history, with any interruptions, and writes nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ steps, dies: fc.integer({ min: 0, max: 8 }), loses: fc.integer({ min: 2, max: 5 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
      async (rounds) => {
        const pair = pairOf();
        for (const round of rounds) {
          await write(pair, round.steps);
          const lost = new XsyncError('network', 'the connection broke');
          const mends = (['put', 'delete'] as const).map((kind) =>
            pair.faults.dest.lose(kind, lost, ({ n }) => n % round.loses === 0),
          );
          const revive = dieBeforeNote(pair, round.dies);
          await carry(pair).catch((error: unknown) => {
            if (!(error instanceof XsyncError) || error.message !== 'killed') throw error;
          });
          revive();
          for (const mend of mends) mend();
        }
        await carry(pair);
        expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
        const end = await carry(pair);
        expect(end.traffic.destination.requests).toEqual({ list: 1 });
      },
    ),
    { numRuns: 60 },
  );
});
