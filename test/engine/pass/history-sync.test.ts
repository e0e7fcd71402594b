/** sync --versions: what the source no longer has at all is hidden, or deleted for good, as its guards allow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent, Summary } from '../../../src/engine/events.js';
import type { DeleteOptions, RunOptions } from '../../../src/engine/options.js';
import { runKeys, runPair } from '../../../src/engine/run.js';
import type { VersionRow } from '../../../src/manifest/port.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytes } from '../../contract/context.js';
import { historyOf, versionsOf } from '../histories.js';
import { OPTIONS, Pair, SYNC_POLICY } from '../support.js';
import { later } from '../sync.js';

const VERSIONED = { versioning: 'enabled' } as const;
const DELETES: DeleteOptions = {
  ...{ when: 'after' as const, ignoreErrors: false, allowEmptySource: false, excluded: false },
  max: { objects: 1000 },
};
const SYNC: RunOptions = {
  ...OPTIONS,
  ...{ command: 'sync', policy: SYNC_POLICY, deletes: DELETES, history: { deleteVersions: false } },
};
const FOR_GOOD = { history: { deleteVersions: true } };

const pairOf = (): Pair => new Pair({ source: VERSIONED, dest: VERSIONED });

async function sync(pair: Pair, options: Partial<RunOptions> = {}): Promise<Summary & { events: RunEvent[] }> {
  const events: RunEvent[] = [];
  await later();
  const summary = await runPair(pair.open(), { ...SYNC, ...options }, (event) => events.push(event));
  return { ...summary, events };
}

async function write(pair: Pair, steps: readonly (readonly [key: string, body: string])[]): Promise<void> {
  for (const [key, body] of steps) {
    if (body === '-') await pair.source.delete([key]);
    else await pair.source.put(key, bytes(body));
  }
}

/** Deletes versions of the source for good: all of a key, or those with these numbers, the oldest being 0. */
async function erase(pair: Pair, key: string, ...numbers: number[]): Promise<void> {
  const versions = (await versionsOf(pair.source)).filter((version) => version.key === key).reverse();
  for (const [index, { versionId }] of versions.entries()) {
    if (numbers.length === 0 || numbers.includes(index)) await pair.source.deleteVersion(key, versionId);
  }
}

const SAMPLE = [
  ['a', '1'],
  ['a', '22'],
  ['a', '-'],
  ['a', '333'],
  ['b', '1'],
  ['gone', 'x'],
  ['gone', 'yy'],
  ['hidden', 'x'],
  ['hidden', '-'],
] as const;

describe('sync --versions', () => {
  it('hides by a delete marker the keys that the source no longer has, once', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    await erase(pair, 'gone');
    await erase(pair, 'hidden');
    const run = await sync(pair);
    expect(run.deleted).toMatchObject({ objects: 1, left: 0 });
    expect((await historyOf(pair.dest)).gone).toEqual(['x', 'yy', '-']);
    expect((await historyOf(pair.dest)).hidden).toEqual(['x', '-']);
    const again = await sync(pair);
    expect(again.deleted).toMatchObject({ objects: 0, left: 0 });
    expect(again.traffic.destination.requests).toEqual({ list: 2 });
    expect(again.traffic.source.requests).toEqual({ list: 2 });
  });

  it('carries again what somebody has deleted for good at the destination', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    for (const { key, versionId } of await versionsOf(pair.dest)) await pair.dest.deleteVersion(key, versionId);
    await later();
    const dry = await sync(pair, { dryRun: true });
    expect(dry.planned?.destination).toEqual({ put: 7, delete: 2 });
    await sync(pair);
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    const again = await sync(pair);
    expect(again.copied.objects).toBe(0);
    expect(again.traffic.destination.requests).toEqual({ list: 2 });
  });

  it('carries again the newest versions alone, whatever was deleted at the source', async () => {
    const pair = pairOf();
    for (const body of ['1', '22', '333', '4444']) {
      await write(pair, [['a', body]]);
      await sync(pair);
      await later();
    }
    const [newest, second] = await versionsOf(pair.dest);
    await pair.dest.deleteVersion('a', newest?.versionId ?? '');
    expect((await sync(pair)).copied.objects).toBe(1);
    await later();
    expect(await historyOf(pair.dest)).toEqual({ a: ['1', '22', '333', '4444'] });
    await erase(pair, 'a', 3);
    expect((await sync(pair)).copied.objects).toBe(0);
    await pair.dest.deleteVersion('a', second?.versionId ?? '');
    expect((await sync(pair)).copied.objects).toBe(0);
    expect(await historyOf(pair.dest)).toEqual({ a: ['1', '22', '4444'] });
    await pair.dest.put('a', bytes('theirs'));
    expect((await sync(pair)).copied.objects).toBe(0);
  });

  it('does not carry over that a version was deleted for good', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    const before = await historyOf(pair.dest);
    await erase(pair, 'a', 0, 3);
    const run = await sync(pair);
    expect(run.deleted.objects + run.copied.objects).toBe(0);
    expect(await historyOf(pair.dest)).toEqual(before);
  });

  it('keeps what others wrote at the destination', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await pair.dest.put('theirs', bytes('t'));
    await sync(pair);
    await erase(pair, 'gone');
    await pair.dest.put('gone', bytes('theirs'));
    const run = await sync(pair);
    expect(run.deleted.objects).toBe(0);
    expect(run.kept.byReason).toEqual({ 'changed-at-destination': 1, unknown: 1 });
    expect((await historyOf(pair.dest)).theirs).toEqual(['t']);
  });

  it('is refused by the guards: an empty source, and more than --max-delete', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    const before = await historyOf(pair.dest);
    await erase(pair, 'gone');
    await expect(sync(pair, { deletes: { ...DELETES, max: { objects: 0 } } })).rejects.toThrow('1 object would be');
    for (const key of ['a', 'b', 'hidden']) await erase(pair, key);
    for (const how of [{}, FOR_GOOD]) await expect(sync(pair, how)).rejects.toThrow('the source is empty');
    expect(await historyOf(pair.dest)).toEqual(before);
  });

  it('deletes nothing while a version could not be copied', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    await erase(pair, 'gone');
    await write(pair, [['a', '4444']]);
    const mend = pair.faults.dest.fail('put', new XsyncError('access-denied', 'no'));
    for (const how of [{}, FOR_GOOD]) expect((await sync(pair, how)).deleted.objects).toBe(0);
    mend();
    expect((await historyOf(pair.dest)).gone).toEqual(['x', 'yy']);
  });

  it('does nothing in a dry run but say what would be deleted', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    const before = await historyOf(pair.dest);
    await erase(pair, 'gone');
    await erase(pair, 'a', 0);
    expect((await sync(pair, { dryRun: true })).deleted.objects).toBe(1);
    const dry = await sync(pair, { dryRun: true, ...FOR_GOOD });
    expect(dry.deleted.objects).toBe(3);
    expect(dry.planned).toEqual({ source: { list: 2 }, destination: { delete: 3 } });
    expect(await historyOf(pair.dest)).toEqual(before);
  });

  it('knows by the metadata what is its own when the manifest was lost', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    await pair.dest.put('theirs', bytes('t'));
    await erase(pair, 'gone');
    const lost = { ...pair.open(), manifest: new Pair().manifest };
    const summary = await runPair(lost, SYNC, () => undefined);
    expect(summary.deleted.objects).toBe(1);
    expect(summary.kept.byReason).toEqual({ unknown: 1 });
    expect((await historyOf(pair.dest)).gone).toEqual(['x', 'yy', '-']);
  });

  it('holds a failed key back until it is due', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    pair.faults.dest.fail('put', new XsyncError('access-denied', 'no'), ({ key }) => key === 'a');
    expect((await sync(pair, { failedBefore: 'wait' })).failed.objects).toBe(1);
    const run = await sync(pair, { failedBefore: 'wait' });
    expect(run.failed.objects).toBe(0);
    expect(run.held).toMatchObject({ objects: 3 });
    expect(run.traffic.destination.requests.put).toBeUndefined();
  });
});

describe('--delete-versions', () => {
  it('deletes for good what the source no longer has, and nothing else', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    await erase(pair, 'gone');
    await erase(pair, 'hidden', 1);
    await erase(pair, 'a', 1, 2);
    const run = await sync(pair, FOR_GOOD);
    expect(run.deleted).toMatchObject({ objects: 5, left: 0 });
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    const again = await sync(pair, FOR_GOOD);
    expect(again.traffic.destination.requests).toEqual({ list: 2 });
  });

  it('deletes only versions that are proved to be its own', async () => {
    const pair = pairOf();
    await pair.dest.put('gone', bytes('theirs'));
    await write(pair, SAMPLE);
    await sync(pair);
    await pair.dest.put('a', bytes('on top'));
    await erase(pair, 'gone');
    await erase(pair, 'a', 0);
    await sync(pair, FOR_GOOD);
    expect((await historyOf(pair.dest)).gone).toEqual(['theirs']);
    expect((await historyOf(pair.dest)).a).toEqual(['22', '-', '333', 'on top']);
  });

  it('does not take for its own what is a version of another source, or of another key', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    const { metadata } = await pair.dest.head('b');
    await pair.dest.put('copied by a person', bytes('1'), { metadata });
    const other = new Pair({ source: { ...VERSIONED, bucket: 'other' } });
    for (const key of ['b', 'c', 'd', 'e']) await other.source.put(key, bytes('other'));
    const both = { ...pair.open(), source: other.open().source, manifest: other.manifest };
    const before = await historyOf(pair.dest);
    for (let n = 0; n < 2; n++) {
      const summary = await runPair(both, { ...SYNC, ...FOR_GOOD }, () => undefined);
      expect(summary.deleted.objects).toBe(0);
    }
    expect(await historyOf(pair.dest)).toEqual({
      ...before,
      ...{ b: ['1', 'other'], c: ['other'], d: ['other'], e: ['other'] },
    });
    const blank = { ...pair.open(), manifest: new Pair().manifest };
    await runPair(blank, { ...SYNC, ...FOR_GOOD }, () => undefined);
    expect((await historyOf(pair.dest))['copied by a person']).toEqual(['1']);
  });

  it('reports a locked version as a failure, and keeps it', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    await pair.dest.putLock('gone', { legalHold: true });
    await erase(pair, 'gone');
    const run = await sync(pair, FOR_GOOD);
    expect(run.failed.list).toMatchObject([{ key: 'gone', code: 'access-denied', operation: 'delete' }]);
    expect(run.deleted).toMatchObject({ objects: 1, left: 1 });
    expect((await historyOf(pair.dest)).gone).toEqual(['yy']);
  });

  it('shows no old version because it could not be deleted with the others', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    const oldest = (await versionsOf(pair.dest)).find(({ key, size }) => key === 'gone' && size === 1);
    await pair.dest.putLock('gone', { legalHold: true }, { versionId: oldest?.versionId });
    await erase(pair, 'gone');
    const run = await sync(pair, FOR_GOOD);
    expect(run.deleted).toMatchObject({ objects: 0, left: 2 });
    expect((await historyOf(pair.dest)).gone).toEqual(['x', 'yy']);
    // Below one that stays, it does not matter.
    await pair.dest.putLock(
      'a',
      { legalHold: true },
      { versionId: (await versionsOf(pair.dest)).find(({ key, size }) => key === 'a' && size === 1)?.versionId },
    );
    await erase(pair, 'a', 0, 1);
    expect((await sync(pair, FOR_GOOD)).deleted.objects).toBe(1);
    expect((await historyOf(pair.dest)).a).toEqual(['1', '-', '333']);
  });

  it('spares what another run carries meanwhile, and does not blame the listing', async () => {
    for (const unchecked of [false, true]) {
      const pair = pairOf();
      await write(pair, SAMPLE);
      await sync(pair);
      const list = pair.source.listVersions.bind(pair.source);
      let beside = true;
      pair.source.listVersions = async (options) => {
        const page = await list(options);
        if (!beside) return page;
        beside = false;
        await write(pair, [
          ['b1', 'by an event'],
          ['c', 'by an event'],
        ]);
        await runKeys(pair.open(), [['b1', 'c']], SYNC, () => undefined);
        return page;
      };
      const deletes = { ...DELETES, unchecked };
      const run = await sync(pair, { ...FOR_GOOD, deletes });
      expect(run.deleted.objects).toBe(0);
      expect(run.oddity).toBeUndefined();
      expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    }
  });

  it('is refused by the guards for versions, too', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    const before = await historyOf(pair.dest);
    await erase(pair, 'a', 0, 1);
    const few = { ...FOR_GOOD, deletes: { ...DELETES, max: { objects: 1 } } };
    await expect(sync(pair, few)).rejects.toThrow('2 versions would be deleted, which is more than --max-delete');
    expect(await historyOf(pair.dest)).toEqual(before);
  });

  it('deletes nothing that a list left out', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    await sync(pair);
    const before = await historyOf(pair.dest);
    const list = pair.source.listVersions.bind(pair.source);
    pair.source.listVersions = async (options) => {
      const page = await list(options);
      const whole = options.prefix === '' || options.prefix === undefined;
      return whole ? { ...page, versions: page.versions.filter(({ size }) => size !== 2) } : page;
    };
    const run = await sync(pair, FOR_GOOD);
    expect(run.deleted.objects).toBe(0);
    expect(run.oddity).toContain('left out a version of');
    expect(await historyOf(pair.dest)).toEqual(before);
  });

  it('of a key with very many versions is done in constant memory', async () => {
    const pair = pairOf();
    for (let n = 0; n < 1100; n++) await pair.source.put('many', bytes(String(n)));
    await sync(pair);
    await erase(pair, 'many', 0, 500, 1099);
    await sync(pair, FOR_GOOD);
    expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
    await write(pair, [['b', '1']]);
    await erase(pair, 'many');
    const all = { ...FOR_GOOD, deletes: { ...DELETES, max: { objects: 2000 } } };
    expect((await sync(pair, all)).deleted.objects).toBe(1097);
    expect(await historyOf(pair.dest)).toEqual({ b: ['1'] });
  });

  it('takes the version that was about to be written when the run was killed', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const revive = dieBeforeNote(pair, 2);
    await expect(sync(pair, FOR_GOOD)).rejects.toThrow('killed');
    revive();
    for (const key of ['a', 'gone', 'hidden']) await erase(pair, key);
    await sync(pair, { ...FOR_GOOD, deletes: { ...DELETES, allowEmptySource: true } });
    expect(await historyOf(pair.dest)).toEqual({ b: ['1'] });
  });
});

describe('named keys', () => {
  async function named(pair: Pair, keys: string[], options: Partial<RunOptions> = {}): Promise<Summary> {
    return runKeys(pair.open(), [keys], { ...SYNC, ...options }, () => undefined);
  }

  it('have their history looked at, and nothing else', async () => {
    const pair = pairOf();
    await write(pair, SAMPLE);
    const run = await named(pair, ['a', 'hidden', 'none']);
    expect(run.copied.objects).toBe(4);
    const { a, hidden } = await historyOf(pair.source);
    expect(await historyOf(pair.dest)).toEqual({ a, hidden });
  });

  it('are hidden or deleted when the source has no version of them', async () => {
    for (const [how, left] of [
      [{}, ['x', 'yy', '-']],
      [FOR_GOOD, undefined],
    ] as const) {
      const pair = pairOf();
      await write(pair, SAMPLE);
      await sync(pair);
      await erase(pair, 'gone');
      await named(pair, ['gone', 'a'], how);
      expect((await historyOf(pair.dest)).gone).toEqual(left);
    }
  });
});

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

const keys = fc.constantFrom('a', 'a/b', 'b', 'c');
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant('put' as const), keys, fc.string({ maxLength: 3 })) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('delete' as const), keys, fc.constant('')) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('erase' as const), keys, fc.constant('')) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('erase all' as const), keys, fc.constant('')) },
  ),
  { maxLength: 12 },
);

/** Any history with deletes of versions, any interruption: the destination ends as the source is. */
it('with --delete-versions, equals the source for any history and any interruptions', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          ...{ steps, dies: fc.integer({ min: 0, max: 8 }), loses: fc.integer({ min: 2, max: 5 }) },
          ...{ traverses: fc.boolean(), names: fc.boolean() },
        }),
        { minLength: 1, maxLength: 4 },
      ),
      async (rounds) => {
        const pair = pairOf();
        const deletes = { ...DELETES, allowEmptySource: true };
        await pair.source.put('z', bytes('stays'));
        for (const round of rounds) {
          for (const [what, key, body] of round.steps) {
            if (what === 'put') await pair.source.put(key, bytes(body));
            else if (what === 'delete') await pair.source.delete([key]);
            else if (what === 'erase') await erase(pair, key, 0);
            else await erase(pair, key);
          }
          const lost = new XsyncError('network', 'the connection broke');
          const mends = (['put', 'delete'] as const).map((kind) =>
            pair.faults.dest.lose(kind, lost, ({ n }) => n % round.loses === 0),
          );
          const revive = dieBeforeNote(pair, round.dies);
          const options = { ...SYNC, ...FOR_GOOD, deletes, noTraverse: !round.traverses };
          const work = round.names
            ? runKeys(pair.open(), [['a', 'a/b', 'b', 'c']], options, () => undefined)
            : runPair(pair.open(), options, () => undefined);
          await work.catch((error: unknown) => {
            if (!(error instanceof XsyncError) || error.message !== 'killed') throw error;
          });
          revive();
          for (const mend of mends) mend();
        }
        await sync(pair, { ...FOR_GOOD, deletes });
        expect(await historyOf(pair.dest)).toEqual(await historyOf(pair.source));
        const end = await sync(pair, { ...FOR_GOOD, deletes });
        expect(end.traffic.destination.requests).toEqual({ list: 2 });
      },
    ),
    { numRuns: 40 },
  );
});
