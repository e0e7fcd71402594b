import { describe, expect, test } from 'vitest';
import { createFilter, parseFilterFile, parseRawKeyFile } from '../../../src/engine/filter/filter.js';
import { XsyncError } from '../../../src/model/error.js';
import {
  bytesOf,
  deleteRequests,
  keysOf,
  numbered,
  order,
  Pair,
  type SyncOptions,
  sync,
  synced,
  TIMES,
  told,
} from '../sync.js';

describe.each(TIMES)('--delete-%s', (when) => {
  test('what is gone from the source is deleted, the rest stays, and the manifest forgets it', async () => {
    const pair = await synced(['a', 'b', 'c', 'd'], ['b', 'd']);
    const run = await sync(pair, { deletes: { when } });
    expect(await keysOf(pair.dest)).toEqual(['a', 'c']);
    expect(run.deleted).toEqual({ objects: 2, bytes: 20, left: 0 });
    expect(told(run, 'deleted').sort()).toEqual(['b', 'd']);
    expect(pair.manifest.count()).toBe(2);
    expect(pair.manifest.doomedCount()).toBe(0);
  });

  test('objects that are copied and objects that are deleted do not hinder each other', async () => {
    const pair = await synced(numbered(20), numbered(5));
    for (const key of numbered(7, 'new')) await pair.source.put(key, bytesOf(key, 10));
    const run = await sync(pair, { deletes: { when } });
    expect(await keysOf(pair.dest)).toEqual([...numbered(20).slice(5), ...numbered(7, 'new')]);
    expect(run).toMatchObject({ copied: { objects: 7 }, deleted: { objects: 5 }, unfinished: { objects: 0 } });
  });

  test('1,000 keys go in one request', async () => {
    const keys = numbered(2500);
    const pair = await synced(['stays', ...keys], keys);
    const requests = deleteRequests(pair);
    const run = await sync(pair, { deletes: { when, max: { objects: 2500 } } });
    expect(requests.map(({ length }) => length).sort()).toEqual([1000, 1000, 500]);
    expect(run.traffic.destination.requests.delete).toBe(3);
    expect(run.deleted.objects).toBe(2500);
    expect(await keysOf(pair.dest)).toEqual(['stays']);
  });

  test('a dry run deletes nothing, and names each object that it would delete once', async () => {
    const pair = await synced(['a', 'b', 'c'], ['b']);
    await pair.dest.put('unknown', bytesOf('x', 10));
    const requests = deleteRequests(pair);
    const run = await sync(pair, { deletes: { when }, dryRun: true });
    expect(requests).toEqual([]);
    expect(told(run, 'doom')).toEqual(['b']);
    expect(told(run, 'keep')).toEqual(['unknown']);
    expect(run).toMatchObject({ deleted: { objects: 1, bytes: 10, left: 0 }, kept: { objects: 1 } });
    expect(pair.manifest.count()).toBe(3);
    expect(pair.manifest.doomedCount()).toBe(0);
  });

  test('a delete that fails is told, stays in the manifest, and is found again by the next run', async () => {
    const pair = await synced(['a', 'b', 'c'], ['b', 'c']);
    const mend = pair.faults.dest.around('delete', async ({ keys }, run) => {
      keys.splice(keys.indexOf('b'), 1);
      return [...(await run()), { key: 'b', error: new XsyncError('access-denied', 'no right to delete') }];
    });
    const run = await sync(pair, { deletes: { when } });
    expect(run.failed.list).toMatchObject([{ key: 'b', code: 'access-denied', operation: 'delete' }]);
    expect(run.failed).toMatchObject({ objects: 1, byClass: { person: 1 } });
    expect(run.deleted).toMatchObject({ objects: 1, left: 1 });
    expect(pair.manifest.get('b')).toBeDefined();
    mend();
    const next = await sync(pair, { deletes: { when } });
    expect(next).toMatchObject({ deleted: { objects: 1, left: 0 }, failed: { objects: 0 } });
    expect(await keysOf(pair.dest)).toEqual(['a']);
  });

  test('a delete request that fails whole is told of each of its objects', async () => {
    const pair = await synced(['a', 'b', 'c'], ['b', 'c']);
    pair.faults.dest.fail('delete', new XsyncError('access-denied', 'no right to delete'));
    const run = await sync(pair, { deletes: { when } });
    expect(run.failed.list.map(({ key }) => key)).toEqual(['b', 'c']);
    expect(run.deleted).toMatchObject({ objects: 0, left: 2 });
  });

  test('what was there before xsync, was changed since or is unknown, is kept and told', async () => {
    const pair = new Pair();
    for (const side of [pair.source, pair.dest]) await side.put('adopted', bytesOf('same', 10));
    await synced(['stays', 'changed', 'mine'], [], pair);
    await pair.dest.put('changed', bytesOf('by somebody', 12));
    await pair.dest.put('unknown', bytesOf('x', 10));
    await pair.source.delete(['adopted', 'changed', 'mine']);
    const run = await sync(pair, { deletes: { when } });
    expect(await keysOf(pair.dest)).toEqual(['adopted', 'changed', 'stays', 'unknown']);
    expect(run.kept).toMatchObject({
      objects: 3,
      byReason: { 'not-ours': 1, 'changed-at-destination': 1, unknown: 1 },
    });
    expect(told(run, 'keep').sort()).toEqual(['adopted', 'changed', 'unknown']);
  });

  test('--delete-unknown deletes all of it', async () => {
    const pair = new Pair();
    for (const side of [pair.source, pair.dest]) await side.put('adopted', bytesOf('same', 10));
    await synced(['stays', 'changed', 'mine'], [], pair);
    await pair.dest.put('changed', bytesOf('by somebody', 12));
    await pair.dest.put('unknown', bytesOf('x', 10));
    await pair.source.delete(['adopted', 'changed', 'mine']);
    const run = await sync(pair, { deletes: { when }, policy: { deleteUnknown: true } });
    expect(await keysOf(pair.dest)).toEqual(['stays']);
    expect(run).toMatchObject({ deleted: { objects: 4 }, kept: { objects: 0 } });
    expect(pair.manifest.count()).toBe(1);
  });

  test('what a filter leaves out is left alone on both sides', async () => {
    const pair = await synced(['a', 'tmp/gone', 'tmp/there'], ['tmp/gone']);
    await pair.dest.put('tmp/unknown', bytesOf('x', 10));
    const filter = createFilter({ exclude: ['/tmp/**'] });
    const requests = deleteRequests(pair);
    const run = await sync(pair, { deletes: { when }, policy: { deleteUnknown: true }, filter });
    expect(requests).toEqual([]);
    expect(run).toMatchObject({ deleted: { objects: 0, left: 0 }, kept: { objects: 0 } });
  });

  test('--delete-excluded deletes it, of what xsync put there', async () => {
    const pair = await synced(['a', 'tmp/gone', 'tmp/there'], ['tmp/gone']);
    await pair.dest.put('tmp/unknown', bytesOf('x', 10));
    const filter = createFilter({ exclude: ['/tmp/**'] });
    const run = await sync(pair, { deletes: { when, excluded: true }, filter });
    expect(await keysOf(pair.dest)).toEqual(['a', 'tmp/unknown']);
    expect(await keysOf(pair.source)).toEqual(['a', 'tmp/there']);
    expect(run.deleted.objects).toBe(2);
  });

  test('--files-from deletes a named key that the source does not have any more, and looks at no other', async () => {
    const pair = await synced(['a', 'b', 'c', 'd'], ['b', 'c']);
    const filter = createFilter({ filesFromRaw: [parseRawKeyFile('a\nb', 'list')] });
    const run = await sync(pair, { deletes: { when }, filter });
    expect(await keysOf(pair.dest)).toEqual(['a', 'c', 'd']);
    expect(run.deleted.objects).toBe(1);
  });

  test('without listing the destination the manifest says what is deleted', async () => {
    const pair = await synced(['a', 'b', 'c'], ['b']);
    await pair.dest.put('unknown', bytesOf('x', 10));
    const run = await sync(pair, { deletes: { when }, noTraverse: true });
    expect(await keysOf(pair.dest)).toEqual(['a', 'c', 'unknown']);
    expect(run.traffic.destination.requests).toEqual({ delete: 1 });
  });

  test('without listing the destination, too, what a filter leaves out stays', async () => {
    const pair = await synced(['a', 'tmp/gone', 'old'], ['tmp/gone', 'old']);
    const filter = createFilter({ filterFrom: [parseFilterFile('- /tmp/**', 'rules')] });
    await sync(pair, { deletes: { when }, noTraverse: true, filter });
    expect(await keysOf(pair.dest)).toEqual(['a', 'tmp/gone']);
  });

  test('any key that is UTF-8 is deleted, and none beside it', async () => {
    const awkward = [
      '～',
      '😀',
      'a\u0001\n\r\t',
      'a/../b',
      './c',
      '//d',
      'é',
      'e\u0301',
      ' ',
      '%2F',
      '&amp;<',
      '\ue000',
    ];
    const pair = await synced(['stays', ...awkward, ...awkward.map((key) => `${key}+`)], awkward);
    await sync(pair, { deletes: { when } });
    expect((await keysOf(pair.dest)).sort()).toEqual(['stays', ...awkward.map((key) => `${key}+`)].sort());
  });

  test.each(['source', 'dest'] as const)(
    'a %s that lists out of order never makes a delete of its own',
    async (side) => {
      const pair = new Pair({ [side]: { unorderedListing: true } });
      const keys = numbered(2500);
      await synced(keys, keys.slice(1200, 1203), pair);
      await pair.dest.put('unknown', bytesOf('x', 10));
      pair.manifest.setFact('source-unordered', 'yes');
      pair.manifest.setFact('destination-unordered', 'yes');
      const requests = deleteRequests(pair);
      await sync(pair, { deletes: { when } });
      expect(requests.flat().sort()).toEqual(keys.slice(1200, 1203));
    },
  );

  test.each(['source', 'dest'] as const)('not even when the %s is found to do so in this very run', async (side) => {
    const pair = await synced(numbered(2500), ['k01200']);
    const mend = pair.faults[side].change('list', (page, { options }) => {
      if (options.token !== undefined && page.nextToken !== undefined) page.entries.reverse();
      return page;
    });
    const requests = deleteRequests(pair);
    const run = await sync(pair, { deletes: { when, max: { objects: 5000 } }, policy: { deleteUnknown: true } });
    expect(requests.flat()).toEqual([]);
    expect(run).toMatchObject({ deleted: { objects: 0, left: 1 }, failed: { objects: 0 } });
    expect((await sync(pair, { deletes: { when }, policy: { deleteUnknown: true } })).deleted.objects).toBe(1);
    expect(requests.flat()).toEqual(['k01200']);
    mend();
    expect((await sync(pair, { deletes: { when } })).deleted.objects).toBe(0);
  });
});

describe('when deletes are made', () => {
  test('after: when the last object has arrived', async () => {
    const pair = await synced(numbered(50), numbered(3));
    for (const key of numbered(50, 'new')) await pair.source.put(key, bytesOf(key, 10));
    const calls = order(pair);
    await sync(pair, { deletes: { when: 'after' } });
    expect(calls.filter((call) => call === 'delete')).toHaveLength(1);
    expect(calls.indexOf('delete')).toBeGreaterThan(calls.lastIndexOf('put'));
  });

  test('before: ahead of the first object, and when both sides have been listed whole', async () => {
    const pair = await synced(numbered(2500), numbered(3));
    for (const key of numbered(50, 'new')) await pair.source.put(key, bytesOf(key, 10));
    const calls = order(pair);
    await sync(pair, { deletes: { when: 'before' } });
    const at = calls.indexOf('delete');
    expect(at).toBeLessThan(calls.indexOf('put'));
    const listed = calls.slice(0, at);
    expect([
      listed.filter((call) => call === 'list source'),
      listed.filter((call) => call === 'list destination'),
    ]).toMatchObject([{ length: 3 }, { length: 3 }]);
  });

  test('during: while objects are still being copied, and when both sides have been listed whole', async () => {
    const pair = await synced(numbered(2500), numbered(3));
    for (const key of numbered(50, 'new')) await pair.source.put(key, bytesOf(key, 10));
    const calls = order(pair);
    // No object arrives before the deletes are made.
    const release = pair.faults.dest.hold('put');
    await sync(pair, { deletes: { when: 'during' }, transfers: 100 }, (event) => event.type === 'deleted' && release());
    const before = calls.slice(0, calls.indexOf('delete'));
    expect(before.filter((call) => call.startsWith('list'))).toHaveLength(6);
    expect(before).not.toContain('put');
  });
});

/** `b` cannot be read, and `gone` is gone. */
async function broken(): Promise<Pair> {
  const pair = await synced(['a', 'gone'], ['gone']);
  await pair.source.put('b', bytesOf('b', 10));
  pair.faults.source.fail('read', new XsyncError('access-denied', 'no'), ({ key }) => key === 'b');
  return pair;
}

describe('an object that could not be copied', () => {
  test('stops the deletes, and this is told', async () => {
    const pair = await broken();
    const run = await sync(pair);
    expect(await keysOf(pair.dest)).toEqual(['a', 'gone']);
    expect(run.deleted).toMatchObject({ objects: 0, left: 1 });
    const said = run.events.flatMap((event) =>
      event.type === 'notice' && event.level === 'warn' ? [event.message] : [],
    );
    expect(said.join()).toMatch(/nothing was deleted.*1 object.*--ignore-errors/);
  });

  test('in an earlier run, and waits, stops them as well, until it is given up', async () => {
    const pair = await broken();
    await sync(pair);
    const next = await sync(pair);
    expect(next.held.objects).toBe(1);
    expect(await keysOf(pair.dest)).toEqual(['a', 'gone']);
    pair.manifest.dropFailures(['b']);
    expect((await sync(pair)).deleted.objects).toBe(1);
    expect(await keysOf(pair.dest)).toEqual(['a']);
  });

  test.each(TIMES)('with --ignore-errors stops nothing, --delete-%s', async (when) => {
    const pair = await broken();
    const run = await sync(pair, { deletes: { when, ignoreErrors: true } });
    expect(await keysOf(pair.dest)).toEqual(['a']);
    expect(run).toMatchObject({ deleted: { objects: 1 }, failed: { objects: 1 } });
  });
});

describe('a run that is stopped', () => {
  test.each(TIMES)('while it lists deletes nothing, --delete-%s', async (when) => {
    const pair = await synced(numbered(2500), numbered(3));
    const requests = deleteRequests(pair);
    const stop = new AbortController();
    const undo = pair.faults.source.before('list', ({ options }) => options.token !== undefined && stop.abort());
    const run = await sync(pair, { deletes: { when }, stop: stop.signal });
    expect(run.stopped).toBe('interrupted');
    expect(requests).toEqual([]);
    undo();
    expect((await sync(pair, { deletes: { when } })).deleted.objects).toBe(3);
  });

  test('while it copies deletes nothing', async () => {
    const pair = await synced(['a', 'gone'], ['gone']);
    await pair.source.put('new', bytesOf('new', 10));
    const stop = new AbortController();
    const requests = deleteRequests(pair);
    const run = await sync(pair, { stop: stop.signal }, (event) => event.type === 'begin' && stop.abort());
    expect(run.stopped).toBe('interrupted');
    expect(requests).toEqual([]);
    expect((await sync(pair)).deleted.objects).toBe(1);
  });

  test.each(TIMES)('within its deletes begins no further request, --delete-%s', async (when) => {
    const keys = numbered(9000);
    const pair = await synced(['stays', ...keys], keys);
    const stop = new AbortController();
    const requests = deleteRequests(pair);
    const run = await sync(
      pair,
      { deletes: { when, max: { objects: 9000 } }, stop: stop.signal },
      (event) => event.type === 'deleted' && stop.abort(),
    );
    expect(run.stopped).toBe('interrupted');
    expect(requests.length).toBeLessThanOrEqual(5);
    // With --delete-before the second look, which would find the rest again, was not taken.
    const there = await keysOf(pair.dest);
    expect(run.deleted.objects).toBe(9001 - there.length);
    const next = await sync(pair, { deletes: { when, max: { objects: 9000 } } });
    expect(next.deleted).toMatchObject({ objects: there.length - 1, left: 0 });
  });

  test.each([
    ['during', 'hard'],
    ['during', 'soft'],
    ['during', 'cautious'],
    ['after', 'hard'],
    ['after', 'soft'],
    ['after', 'cautious'],
  ] as const)('by --max-transfer deletes nothing, --delete-%s, %s', async (when, cutoffMode) => {
    const pair = await synced(['a', 'gone'], ['gone']);
    for (const key of numbered(5, 'new')) await pair.source.put(key, bytesOf(key, 100));
    const requests = deleteRequests(pair);
    const run = await sync(pair, { deletes: { when }, maxTransfer: 150, cutoffMode, transfers: 1 });
    expect(run.stopped).toBe('max-transfer');
    expect(requests).toEqual([]);
  });

  test.each(['hard', 'soft'] as const)('by --max-duration deletes nothing, %s', async (cutoffMode) => {
    const pair = await synced(['a', 'gone'], ['gone']);
    await pair.source.put('new', bytesOf('new', 10));
    pair.faults.dest.before('put', () => new Promise((resolve) => setTimeout(resolve, 60)));
    const requests = deleteRequests(pair);
    const run = await sync(pair, { maxDurationMs: 20, cutoffMode });
    expect(run.stopped).toBe('max-duration');
    expect(requests).toEqual([]);
  });
});

describe('deletes that an interrupted pass has found', () => {
  const RESUME = { from: 1, shape: 'same' };

  /** Interrupted when the last page was asked for; `k00010` to `k00012` were found gone. */
  async function interrupted(options: SyncOptions = {}): Promise<Pair> {
    const pair = await synced(numbered(4500), numbered(13).slice(10));
    await pair.dest.put('k00000+unknown', bytesOf('x', 10));
    const stop = new AbortController();
    const setFact = pair.manifest.setFact.bind(pair.manifest);
    const passed = new Promise<void>((resolve) => {
      pair.manifest.setFact = (name, value) => {
        setFact(name, value);
        if (name === 'pass' && value.includes('"after":"k0')) resolve();
      };
    });
    const undo = pair.faults.source.before('list', async ({ options: { token, startAfter } }) => {
      // A slow machine lists in ranges, which have no token.
      if ((token ?? startAfter ?? '') < 'k03') return;
      // What was listed before is passed first.
      await passed;
      stop.abort();
    });
    const run = await sync(pair, { resume: RESUME, stop: stop.signal, ...options });
    expect(run).toMatchObject({ stopped: 'interrupted', deleted: { objects: 0 } });
    expect(pair.manifest.getFact('pass')).toContain('"after":"k0');
    undo();
    pair.manifest.setFact = setFact;
    return pair;
  }

  test('are made by the run that goes on with it, and counted', async () => {
    const pair = await interrupted();
    const requests = deleteRequests(pair);
    const run = await sync(pair, { resume: RESUME });
    expect(run.listed.source).toBeLessThan(4000);
    expect(requests.flat().sort()).toEqual(['k00010', 'k00011', 'k00012']);
    expect(run.deleted).toMatchObject({ objects: 3, left: 0 });
  });

  test('are not made when the object came back, or is another one at the destination, or is shielded now', async () => {
    const pair = await interrupted();
    await pair.source.put('k00010', bytesOf('back', 10));
    await pair.dest.put('k00011', bytesOf('by somebody', 10));
    const requests = deleteRequests(pair);
    const filter = createFilter({ exclude: ['/k00012'] });
    const run = await sync(pair, { resume: RESUME, filter });
    expect(requests).toEqual([]);
    expect(run.deleted).toMatchObject({ objects: 0, left: 0 });
  });

  test.each([
    ['--delete-unknown', { policy: { deleteUnknown: true } }],
    ['--delete-excluded', { deletes: { excluded: true }, filter: createFilter({ exclude: ['*+unknown'] }) }],
  ])('with %s are not made by a run without it', async (_, options) => {
    const pair = await interrupted(options);
    const requests = deleteRequests(pair);
    await sync(pair, { resume: RESUME });
    expect(requests.flat().sort()).toEqual(['k00010', 'k00011', 'k00012']);
  });

  test('do not make an empty source of one that was listed already', async () => {
    const pair = await interrupted();
    const rest = (await keysOf(pair.source)).filter((key) => key >= 'k01');
    for (let i = 0; i < rest.length; i += 1000) await pair.source.delete(rest.slice(i, i + 1000));
    const run = await sync(pair, { resume: RESUME, deletes: { max: { objects: 5000 } } });
    expect(run.deleted.objects).toBeGreaterThan(0);
  });
});

describe('an object alone', () => {
  function single(pair: Pair): Pair {
    const open = pair.open.bind(pair);
    pair.prefixes = { source: 'from/a', dest: 'to/a' };
    pair.open = () => ({ ...open(), single: true });
    return pair;
  }

  test('that is gone is not taken for a reason to delete its copy, unless an empty source is allowed', async () => {
    const pair = single(new Pair());
    await pair.source.put('from/a', bytesOf('a', 10));
    await sync(pair);
    expect(await keysOf(pair.dest)).toEqual(['to/a']);
    await pair.source.delete(['from/a']);
    await expect(sync(pair)).rejects.toMatchObject({ code: 'guard' });
    expect(await keysOf(pair.dest)).toEqual(['to/a']);
    await pair.dest.put('to/a.neighbour', bytesOf('b', 10));
    await sync(pair, { deletes: { allowEmptySource: true }, policy: { deleteUnknown: true } });
    expect(await keysOf(pair.dest)).toEqual(['to/a.neighbour']);
  });
});

test('an object that could not be kept aside has failed once, also when the others could not be deleted', async () => {
  const pair = await synced(['a', 'b', 'c'], ['a', 'b']);
  const down = new XsyncError('access-denied', 'not yours to delete');
  pair.faults.dest.fail('delete', down);
  pair.faults.dest.fail('head', down, ({ key }) => key === 'a');
  const open = pair.open();
  pair.open = () => open;
  const run = await sync(pair, { backup: { side: open.dest, suffix: '.old', keepExtension: false } });
  expect(told(run, 'failed').sort()).toEqual(['a', 'b']);
});
