import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RunOptions } from '../../../src/engine/options.js';
import { failurePages, retryBatches } from '../../../src/engine/record/failed.js';
import type { Manifest } from '../../../src/manifest/port.js';
import { XsyncError } from '../../../src/model/error.js';
import { createLocalStore } from '../../../src/store/local/store.js';
import { bytes } from '../../contract/context.js';
import { historyOf } from '../histories.js';
import { bytesOf, contentOf, keysOf, Pair, SYNC_POLICY, side } from '../support.js';
import { Feed, until, Watched } from './watched.js';

const DELETING: Partial<RunOptions> = {
  policy: SYNC_POLICY,
  deletes: { when: 'after', ignoreErrors: false, allowEmptySource: false, excluded: false },
};

let watched: Watched | undefined;

afterEach(async () => {
  await watched?.end();
  watched = undefined;
});

async function pairOf(...keys: string[]): Promise<Pair> {
  const pair = new Pair();
  for (const key of keys) await pair.source.put(key, bytesOf(key, 100));
  return pair;
}

describe('a retry on a watch', () => {
  const all = (manifest: Manifest) => retryBatches(failurePages(manifest), false);

  test('tries what failed at once, without a listing, and deletes nothing', async () => {
    const pair = await pairOf('bad', 'good');
    const mend = pair.faults.dest.fail('put', new XsyncError('access-denied', 'no'), ({ key }) => key === 'bad');
    watched = new Watched(pair, {
      run: DELETING,
      schedule: { intervalMs: 3_600_000, shortestMs: 3_600_000, longestMs: 3_600_000, fullMs: 3_600_000 },
    }).start();
    await until(() => watched?.watch.rests === true);
    expect(pair.manifest.failureCount()).toBe(1);
    mend();
    await pair.source.delete(['good']);
    const heard: string[] = [];
    const summary = await watched.watch.retry(all, ({ type }) => heard.push(type));
    expect(summary).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 }, deleted: { objects: 0 } });
    expect(summary?.traffic.source.requests).toEqual({ head: 1, read: 1 });
    expect(heard).toContain('copied');
    expect(pair.manifest.failureCount()).toBe(0);
    expect(await keysOf(pair.dest)).toEqual(['bad', 'good']);
    expect(pair.manifest.runs(1)[0]?.command).toBe('retry');
  });

  test('after the watch has ended says so', async () => {
    watched = new Watched(await pairOf('a')).start();
    await until(() => watched?.watch.rests === true);
    await watched.end();
    expect(await watched.watch.retry(all, () => {})).toBeUndefined();
  });
});

describe('a watch', () => {
  test('copies what is there, what comes and what changes', async () => {
    const pair = await pairOf('a');
    watched = new Watched(pair).start();
    await until(async () => (await keysOf(pair.dest)).length === 1);
    await pair.source.put('b', bytesOf('b', 200));
    await until(async () => (await keysOf(pair.dest)).length === 2);
    await pair.source.put('a', bytesOf('new', 100));
    await until(async () => (await contentOf(pair.dest, 'a')).equals(bytesOf('new', 100)));
    expect(watched.of('copied').map(({ key }) => key)).toEqual(['a', 'b', 'a']);
  });

  test.each(['watch', 'serve'])(
    'of %s keeps no run that had nothing to do, which would displace the others',
    async (command) => {
      const pair = await pairOf('a');
      watched = new Watched(pair, { run: { command } }).start();
      await until(() => (watched?.of('end').length ?? 0) >= 3);
      expect(pair.manifest.runs(10)).toHaveLength(1);
    },
  );

  test('counts in the summary of a pass what that pass cost, not all since the pair was opened', async () => {
    const pair = await pairOf('a');
    watched = new Watched(pair).start();
    await until(() => watched?.of('end').length === 3);
    const [first, , third] = watched.of('end').map(({ summary }) => summary.traffic);
    expect(first).toEqual({
      source: { requests: { list: 1, read: 1 }, bytesIn: 100, bytesOut: 0 },
      destination: { requests: { list: 1, put: 1 }, bytesIn: 0, bytesOut: 100 },
    });
    expect(third).toEqual({
      source: { requests: { list: 1 }, bytesIn: 0, bytesOut: 0 },
      destination: { requests: {}, bytesIn: 0, bytesOut: 0 },
    });
  });

  test('lists the source alone once the destination is known', async () => {
    const pair = await pairOf('a');
    let listed = 0;
    pair.faults.dest.before('list', () => listed++);
    watched = new Watched(pair).start();
    const { of } = watched;
    await until(() => of.call(watched, 'end').length >= 5);
    expect(listed).toBe(1);
  });

  test('begins with a folder on disk that does not exist yet, and a source that is empty', async () => {
    const pair = await pairOf();
    const base = await mkdtemp(join(tmpdir(), 'xsync-watch-'));
    const dest = createLocalStore({ root: join(base, 'not/yet') });
    const open = pair.open.bind(pair);
    pair.open = () => ({ ...open(), dest: side(dest, '', 'disk') });
    try {
      watched = new Watched(pair).start();
      await until(() => (watched?.of('end').length ?? 0) >= 2);
      await pair.source.put('a', bytesOf('a', 10));
      await until(() => watched?.of('copied').length === 1);
      expect(watched.of('trouble')).toEqual([]);
      expect(await contentOf(dest, 'a')).toEqual(bytesOf('a', 10));
      await watched.end();
    } finally {
      await rm(base, { recursive: true });
    }
  });

  test('deletes nothing unless asked', async () => {
    const pair = await pairOf('a', 'b');
    watched = new Watched(pair).start();
    await until(async () => (await keysOf(pair.dest)).length === 2);
    await pair.source.delete(['b']);
    const passes = watched.of('end').length;
    await until(() => (watched?.of('end').length ?? 0) >= passes + 3);
    expect(await keysOf(pair.dest)).toEqual(['a', 'b']);
  });

  test('deletes what is gone when asked', async () => {
    const pair = await pairOf('a', 'b');
    watched = new Watched(pair, { run: DELETING }).start();
    await until(async () => (await keysOf(pair.dest)).length === 2);
    await pair.source.delete(['b']);
    await until(async () => (await keysOf(pair.dest)).length === 1);
  });

  test('refuses to empty the destination, says so once, goes on, and is well again when the source is', async () => {
    const pair = await pairOf('a', 'b');
    watched = new Watched(pair, { run: DELETING }).start();
    await until(async () => (await keysOf(pair.dest)).length === 2);
    await pair.source.delete(['a', 'b']);
    await until(() => (watched?.of('trouble').length ?? 0) > 0);
    const passes = watched.of('end').length;
    await until(() => (watched?.of('end').length ?? 0) >= passes + 3);
    expect(watched.of('trouble')).toMatchObject([{ code: 'guard' }]);
    expect(await keysOf(pair.dest)).toEqual(['a', 'b']);
    await pair.source.put('a', bytesOf('a', 100));
    await until(() => (watched?.of('well').length ?? 0) === 1);
    expect(await keysOf(pair.dest)).toEqual(['a']);
  });

  test('goes on after an hour without a network: one word of trouble, a fresh pair, one word when it is over', async () => {
    const pair = await pairOf('a');
    watched = new Watched(pair).start();
    await until(async () => (await keysOf(pair.dest)).length === 1);
    const mend = pair.faults.source.fail('list', new XsyncError('bad-credentials', 'the key was rotated'));
    await until(() => (watched?.opened ?? 0) >= 3);
    mend();
    await pair.source.put('b', bytesOf('b', 10));
    await until(() => (watched?.of('well').length ?? 0) === 1);
    expect(watched.of('trouble')).toMatchObject([{ code: 'bad-credentials', message: 'the key was rotated' }]);
    expect(await keysOf(pair.dest)).toEqual(['a', 'b']);
  });

  test('ends at once when it cannot even begin and only a person can mend that', async () => {
    const pair = await pairOf('a');
    pair.faults.source.fail('list', new XsyncError('bad-credentials', 'wrong key'));
    await expect(new Watched(pair).watch.run()).rejects.toThrow('wrong key');
  });

  test('opens the pair anew when told to, and loses nothing', async () => {
    const pair = await pairOf('a');
    watched = new Watched(pair).start();
    await until(async () => (await keysOf(pair.dest)).length === 1);
    watched.watch.reload();
    await until(() => watched?.opened === 2);
    await pair.source.put('b', bytesOf('b', 10));
    await until(async () => (await keysOf(pair.dest)).length === 2);
  });

  test('leaves an object alone while it is being rewritten, and claims no more than is true meanwhile', async () => {
    const pair = await pairOf('a');
    watched = new Watched(pair, { settleMs: 300 }).start();
    await until(() => watched?.events.some((event) => event.type === 'skip' && event.reason === 'settling') ?? false);
    expect(await keysOf(pair.dest)).toEqual([]);
    const { mtimeMs } = await pair.source.head('a');
    await until(() => pair.manifest.getFact('synchronised') !== undefined);
    expect(Number(pair.manifest.getFact('synchronised'))).toBeLessThanOrEqual(mtimeMs);
    await until(async () => (await keysOf(pair.dest)).length === 1);
  });
});

describe('a watch with change events', () => {
  const SLOW = { schedule: { intervalMs: 60_000, shortestMs: 60_000, longestMs: 60_000, fullMs: 60_000 } };

  test('copies what an event tells of long before the next look, and settles the event after that', async () => {
    const pair = await pairOf('a');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open }).start();
    await until(async () => (await keysOf(pair.dest)).length === 1);
    await pair.source.put('b', bytesOf('b', 10));
    changes.push('b');
    await until(() => changes.settled.length === 1);
    expect(changes.settled).toEqual(['done b']);
    expect(await contentOf(pair.dest, 'b')).toEqual(bytesOf('b', 10));
  });

  test('deletes what is gone, and believes the store rather than the event', async () => {
    const pair = await pairOf('a', 'b', 'c');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open, run: DELETING }).start();
    await until(async () => (await keysOf(pair.dest)).length === 3);
    await pair.source.delete(['b']);
    changes.push('b', 'c', 'never there');
    await until(() => changes.settled.length === 1);
    expect(await keysOf(pair.dest)).toEqual(['a', 'c']);
  });

  test('says of a run over the keys of events that nothing is kept of it, and of no other', async () => {
    const pair = await pairOf('a');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open }).start();
    await until(() => watched?.of('waiting').length === 1);
    await pair.source.put('b', bytesOf('b', 10));
    changes.push('b');
    await until(() => changes.settled.length === 1);
    const known = watched
      .of('start')
      .map(({ runId, kept }) => [kept !== false, pair.manifest.run(runId) !== undefined]);
    expect(known).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  test('deletes what is gone also while the pass that copied it is still under way', async () => {
    const pair = await pairOf('a', 'b', 'slow');
    const goOn = pair.faults.dest.hold('put', ({ key }) => key === 'slow');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open, run: DELETING }).start();
    await until(() => watched?.of('copied').length === 2);
    await pair.source.delete(['b']);
    changes.push('b');
    await until(() => changes.settled.length === 1);
    goOn();
    expect(await keysOf(pair.dest)).toEqual(['a']);
  });

  test('deletes what is gone also when it was copied in the same millisecond', async () => {
    const pair = await pairOf('a', 'b');
    const changes = new Feed();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
    try {
      watched = new Watched(pair, { ...SLOW, changes: changes.open, run: DELETING }).start();
      await until(() => watched?.of('waiting').length === 1);
      await pair.source.delete(['b']);
      changes.push('b');
      await until(() => changes.settled.length === 1);
    } finally {
      clock.mockRestore();
    }
    expect(await keysOf(pair.dest)).toEqual(['a']);
  });

  test('lets events come again when the manifest could not be asked', async () => {
    const pair = await pairOf('a');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open, run: DELETING }).start();
    await until(() => watched?.of('waiting').length === 1);
    const count = pair.manifest.count.bind(pair.manifest);
    pair.manifest.count = () => {
      pair.manifest.count = count;
      throw new XsyncError('internal', 'disk I/O error');
    };
    changes.push('a');
    await until(() => changes.settled.length === 1);
    expect(changes.settled).toEqual(['release a']);
    expect(watched.of('trouble')).toHaveLength(1);
  });

  test('does not copy twice what a look and an event find at the same time', async () => {
    const pair = await pairOf();
    const changes = new Feed();
    watched = new Watched(pair, { changes: changes.open }).start();
    for (let i = 0; i < 50; i++) {
      await pair.source.put(`k${i}`, bytesOf(`k${i}`, 10));
      changes.push(`k${i}`);
      changes.push(`k${i}`);
    }
    await until(async () => changes.settled.length === 100 && (await keysOf(pair.dest)).length === 50);
    expect(watched.of('copied')).toHaveLength(50);
  });

  test('lets events come again when the store could not be asked', async () => {
    const pair = await pairOf('a');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open }).start();
    await until(async () => (await keysOf(pair.dest)).length === 1);
    const mend = pair.faults.source.fail('head', new XsyncError('bad-credentials', 'rotated'));
    changes.push('b');
    await until(() => changes.settled.length === 1);
    expect(changes.settled).toEqual(['release b']);
    mend();
  });

  test('deletes what is gone although another object of the same events could not be copied, which comes again', async () => {
    const pair = await pairOf('a', 'b');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open, run: DELETING }).start();
    await until(async () => (await keysOf(pair.dest)).length === 2);
    await pair.source.delete(['a']);
    await pair.source.put('b', bytesOf('new', 50));
    const mend = pair.faults.dest.fail('put', new XsyncError('server-error', 'internal error'));
    changes.push('a', 'b');
    await until(() => changes.settled.length === 1);
    expect(changes.settled).toEqual(['release a,b']);
    expect(await keysOf(pair.dest)).toEqual(['b']);
    mend();
    changes.push('a', 'b');
    await until(() => changes.settled.length === 2);
    expect(changes.settled).toEqual(['release a,b', 'done a,b']);
    expect(await contentOf(pair.dest, 'b')).toEqual(bytesOf('new', 50));
    expect(watched.of('notice')).toEqual([]);
  });

  test('knows its own copies in whatever order events name them', async () => {
    const keys = ['k9', 'k10', 'k8', 'k100'];
    const pair = await pairOf(...keys, 'other');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open, run: DELETING }).start();
    await until(async () => (await keysOf(pair.dest)).length === 5);
    await pair.source.delete(keys);
    changes.push(...keys);
    await until(() => changes.settled.length === 1);
    expect(await keysOf(pair.dest)).toEqual(['other']);
  });

  test('leaves events of other buckets and prefixes alone', async () => {
    const pair = await pairOf('in/a');
    pair.prefixes = { source: 'in/', dest: 'out/' };
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open }).start();
    await until(async () => (await keysOf(pair.dest)).length === 1);
    await pair.source.put('elsewhere', bytesOf('x', 10));
    await pair.source.put('in/b', bytesOf('x', 10));
    changes.push('elsewhere', 'in/b');
    await until(() => changes.settled.length === 1);
    expect(await keysOf(pair.dest)).toEqual(['out/a', 'out/b']);
  });

  test('ends with its error and not in silence when it cannot begin', async () => {
    const pair = await pairOf('a');
    pair.faults.source.fail('list', new XsyncError('bad-credentials', 'wrong key'));
    const changes = new Feed();
    changes.push('a');
    await expect(new Watched(pair, { changes: changes.open }).watch.run()).rejects.toThrow('wrong key');
  });

  test('does not delete what came back while a look that had found it gone went on', async () => {
    const pair = await pairOf('a', 'b');
    const changes = new Feed();
    watched = new Watched(pair, { changes: changes.open, run: DELETING }).start();
    await until(async () => (await keysOf(pair.dest)).length === 2);
    let told = false;
    pair.faults.source.change('list', async (page) => {
      if (!told && page.entries.length === 1) {
        told = true;
        await pair.source.put('b', bytesOf('again', 50));
        changes.push('b');
        await until(() => changes.settled.length === 1);
      }
      return page;
    });
    await pair.source.delete(['b']);
    await until(() => told);
    const passes = watched.of('end').length;
    await until(() => (watched?.of('end').length ?? 0) >= passes + 3);
    expect(watched.of('deleted')).toEqual([]);
    expect(await contentOf(pair.dest, 'b')).toEqual(bytesOf('again', 50));
  });

  test.each([
    ['a thousand', {}, 1100, 1000],
    ['as many as --max-delete says', { max: { objects: 3 } }, 20, 3],
    ['all but the last', {}, 20, 19],
    ['all, with --allow-empty-source', { allowEmptySource: true }, 20, 20],
  ])('deletes %s between two looks at everything, and says once that there are more', async (_n, how, there, gone) => {
    const keys = Array.from({ length: there }, (_, n) => `k${n}`);
    const pair = await pairOf(...keys);
    const changes = new Feed();
    const deletes = { ...(DELETING.deletes as NonNullable<RunOptions['deletes']>), ...how };
    watched = new Watched(pair, { ...SLOW, changes: changes.open, run: { ...DELETING, deletes } }).start();
    await until(async () => (await keysOf(pair.dest)).length === there);
    await pair.source.delete(keys.slice(0, 1000));
    await pair.source.delete(keys.slice(1000));
    for (const key of keys) changes.push(key);
    await until(() => changes.settled.length === there);
    expect(watched.of('deleted')).toHaveLength(gone);
    const more = watched.of('notice').filter(({ message }) => message.includes('more deletes'));
    expect(more).toHaveLength(gone < there ? 1 : 0);
  });

  test('deletes by events from a bucket that was empty or had one object when the watch began', async () => {
    for (const first of [[], ['first']]) {
      const pair = await pairOf(...first);
      const changes = new Feed();
      watched = new Watched(pair, { ...SLOW, changes: changes.open, run: DELETING }).start();
      await until(() => watched?.of('waiting').length === 1);
      const tell = async (...keys: string[]): Promise<void> => {
        const settled = changes.settled.length;
        changes.push(...keys);
        await until(() => changes.settled.length > settled);
      };
      // The first event uses up what a bucket of this size allows.
      await pair.source.put('a', bytesOf('a', 10));
      await tell('a', 'never there');
      for (const key of ['b', 'c']) await pair.source.put(key, bytesOf(key, 10));
      await tell('b', 'c');
      for (const key of ['a', 'b']) {
        await pair.source.delete([key]);
        await tell(key);
      }
      expect(await keysOf(pair.dest)).toEqual(['c', ...first]);
      expect(watched.of('notice').filter(({ message }) => message.includes('more deletes'))).toEqual([]);
      await watched.end();
    }
  });

  test('runs at the same time never delete the last object', async () => {
    const pair = await pairOf('a', 'b', 'c', 'd');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open, run: DELETING }).start();
    await until(() => watched?.of('waiting').length === 1);
    const goOn = pair.faults.dest.hold('delete');
    const keys = ['a', 'b', 'c', 'd'];
    await pair.source.delete(keys);
    for (const key of keys) changes.push(key);
    await until(() => changes.settled.length === 1);
    goOn();
    await until(() => changes.settled.length === 4);
    expect(await keysOf(pair.dest)).toHaveLength(1);
  });

  test('says once that the store could not be asked, opens the pair anew, and says when it could', async () => {
    const pair = await pairOf('a');
    const changes = new Feed();
    watched = new Watched(pair, { ...SLOW, changes: changes.open }).start();
    await until(async () => (await keysOf(pair.dest)).length === 1);
    const mend = pair.faults.source.fail('head', new XsyncError('bad-credentials', 'rotated'));
    changes.push('a');
    await until(() => watched?.opened === 2);
    changes.push('a');
    await until(() => watched?.opened === 3);
    mend();
    changes.push('a');
    await until(() => watched?.of('well').length === 1);
    expect(watched.of('trouble')).toHaveLength(1);
  });
});

describe('a watch of histories', () => {
  const VERSIONED = { versioning: 'enabled' } as const;
  const HISTORY: Partial<RunOptions> = { ...DELETING, history: { deleteVersions: false } };

  async function histories(pair: Pair): Promise<boolean> {
    return isDeepStrictEqual(await historyOf(pair.dest), await historyOf(pair.source));
  }

  test('carries every version and delete marker, poll after poll', async () => {
    const pair = new Pair({ source: VERSIONED, dest: VERSIONED });
    for (const body of ['1', '22']) await pair.source.put('a', bytes(body));
    watched = new Watched(pair, { run: HISTORY }).start();
    await until(() => histories(pair));
    await pair.source.delete(['a']);
    await pair.source.put('b', bytes('1'));
    await until(() => histories(pair));
    expect(await historyOf(pair.dest)).toEqual({ a: ['1', '22', '-'], b: ['1'] });
  });

  test('takes an event as a hint: the whole history of its key is looked at, and nothing is written twice', async () => {
    const pair = new Pair({ source: VERSIONED, dest: VERSIONED });
    const feed = new Feed();
    watched = new Watched(pair, { run: HISTORY, changes: feed.open }).start();
    for (let round = 0; round < 20; round++) {
      for (const key of ['a', 'b', 'c']) {
        await pair.source.put(key, bytes(`${round}`));
        if (round % 5 === 4) await pair.source.delete([key]);
        feed.push(key);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => histories(pair));
    await until(() => feed.settled.length === 60);
    expect(await histories(pair)).toBe(true);
    expect(watched.of('failed')).toEqual([]);
  });

  test('hides what is gone between listings of the destination, too, and deletes it for good if told', async () => {
    for (const [deleteVersions, left] of [
      [false, ['1', '-']],
      [true, undefined],
    ] as const) {
      const pair = new Pair({ source: VERSIONED, dest: VERSIONED });
      for (const key of ['a', 'b', 'c']) await pair.source.put(key, bytes('1'));
      watched = new Watched(pair, { run: { ...HISTORY, history: { deleteVersions } } }).start();
      await until(() => histories(pair));
      const { versionId = '' } = await pair.source.head('a');
      await pair.source.deleteVersion('a', versionId);
      await until(async () => isDeepStrictEqual((await historyOf(pair.dest)).a, left));
      await watched.end();
    }
  });
});
