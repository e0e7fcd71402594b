import { beforeEach, describe, expect, test } from 'vitest';
import { type CheckOptions, runCheck } from '../../../src/engine/check/check.js';
import type { CheckEvent, CheckSummary } from '../../../src/engine/check/findings.js';
import { RepairList, repair } from '../../../src/engine/check/repair.js';
import { createFilter } from '../../../src/engine/filter/filter.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, contentOf, OPTIONS, Pair } from '../support.js';

const CHECK: CheckOptions = {
  compare: 'default',
  oneWay: false,
  checkers: 4,
  maxMemory: 64 * 1024 * 1024,
  stop: new AbortController().signal,
};

const WRITES = ['put', 'copy', 'createUpload', 'uploadPart', 'uploadPartCopy', 'completeUpload', 'delete'];

interface Outcome extends CheckSummary {
  events: CheckEvent[];
  /** `verdict key by`, sorted. */
  found: string[];
}

async function check(pair: Pair, options: Partial<CheckOptions> = {}, opened = pair.open()): Promise<Outcome> {
  const events: CheckEvent[] = [];
  const summary = await runCheck(opened, { ...CHECK, ...options }, (event) => void events.push(event));
  const found = events.flatMap((event) =>
    event.type === 'checked' ? [[event.verdict, event.key, event.by].filter(Boolean).join(' ')] : [],
  );
  for (const { requests } of Object.values(summary.traffic)) {
    expect(
      Object.keys(requests).filter((kind) => WRITES.includes(kind)),
      'a check writes nothing',
    ).toEqual([]);
  }
  return { ...summary, events, found: found.sort() };
}

/** Neither listing nor HEAD shows a checksum. */
const OPAQUE = { capabilities: { partEtagIsMd5: false } };

describe('between two stores that show checksums', () => {
  let pair: Pair;
  beforeEach(async () => {
    pair = new Pair();
    for (const key of ['same', 'other', 'longer', 'only-source']) await pair.source.put(key, bytesOf(key, 20));
    await pair.dest.put('same', bytesOf('same', 20));
    await pair.dest.put('other', bytesOf('something else', 20));
    await pair.dest.put('longer', bytesOf('longer', 21));
    await pair.dest.put('only-dest', bytesOf('only-dest', 20));
  });

  const ALL = [
    'differ longer size',
    'differ other checksum',
    'match same checksum',
    'missing-on-dst only-source',
    'missing-on-src only-dest',
  ];

  test('each kind of difference is found, and none that is none', async () => {
    const outcome = await check(pair);
    expect(outcome.found).toEqual(ALL);
    expect(outcome).toMatchObject({
      match: { objects: 1, bytes: 20, by: { checksum: 1 } },
      differ: { objects: 2, by: { size: 1, checksum: 1 } },
      missingOnSrc: { objects: 1 },
      missingOnDst: { objects: 1 },
      unproven: 0,
      errors: { objects: 0 },
      listed: { source: 4, destination: 4 },
    });
    expect(pair.manifest.count(), 'and the manifest learns nothing').toBe(0);
  });

  test('what the listings prove costs no request, and only what they call different is asked for again', async () => {
    const { traffic } = await check(pair);
    expect(traffic.source.requests).toEqual({ list: 1, head: 1 });
    expect(traffic.destination.requests).toEqual({ list: 1, head: 1 });
  });

  test('--one-way: what the destination has besides is no difference', async () => {
    expect((await check(pair, { oneWay: true })).found).toEqual(ALL.filter((line) => !line.includes('only-dest')));
  });

  test('--size-only asks for no checksum', async () => {
    const outcome = await check(pair, { compare: 'size-only' });
    expect(outcome.found).toContain('match other size');
    expect(outcome.unproven, 'which is what was asked for').toBe(0);
    expect(outcome.traffic.source.requests).toEqual({ list: 1 });
  });

  test('--download believes no listing', async () => {
    const outcome = await check(pair, { compare: 'download' });
    expect(outcome.found).toEqual(ALL.map((line) => line.replace('checksum', 'bytes')));
    expect(outcome.traffic.source).toMatchObject({ requests: { list: 1, read: 2 }, bytesIn: 40 });
  });

  test('filters look past keys of both sides', async () => {
    const outcome = await check(pair, { filter: createFilter({ exclude: ['only-*', 'other'] }) });
    expect(outcome.found).toEqual(['differ longer size', 'match same checksum']);
    expect(outcome.skipped).toEqual({ objects: 3, byReason: { filtered: 3 } });
  });

  test('the manifest proves what was copied, until --checksum asks for more', async () => {
    await pair.copy();
    expect((await check(pair)).match.by).toEqual({ manifest: 4 });
    expect((await check(pair, { compare: 'checksum' })).match.by).toEqual({ checksum: 4 });
  });

  test('someone who overwrites at the destination is found, whatever the manifest remembers', async () => {
    await pair.copy();
    await pair.dest.put('same', bytesOf('overwritten', 20));
    expect((await check(pair)).found).toContain('differ same checksum');
  });

  test('an ETag that only looks like an MD5 is no difference', async () => {
    pair.faults.dest.change('head', (info) => ({ ...info, checksums: {} }));
    expect((await check(pair)).found).toContain('match other size');
  });

  test('an object that cannot be looked at is an error of its own, and the rest is checked', async () => {
    pair.faults.dest.before('head', ({ key }) => {
      throw new XsyncError('access-denied', 'no', { subject: key });
    });
    const outcome = await check(pair);
    expect(outcome.errors).toMatchObject({ objects: 1, byClass: { person: 1 }, list: [{ key: 'other' }] });
    expect(outcome.match.objects).toBe(1);
  });

  test('a listing that fails is no list of differences', async () => {
    pair.faults.dest.fail('list', new XsyncError('bad-credentials', 'no'));
    await expect(check(pair)).rejects.toMatchObject({ code: 'bad-credentials' });
  });

  test('a store that breaks its promise of order is refused, not called different', async () => {
    pair.faults.dest.change('list', (page) => ({ ...page, entries: page.entries.toReversed() }));
    await expect(check(pair)).rejects.toMatchObject({ code: 'invalid-response' });
  });
});

test('listings without order are no differences', async () => {
  const pair = new Pair({ source: { unorderedListing: true }, dest: { unorderedListing: true } });
  for (const key of ['a', 'b', 'c']) {
    await pair.source.put(key, bytesOf(key, 5));
    await pair.dest.put(key, bytesOf(key, 5));
  }
  expect((await check(pair)).found).toEqual(['match a checksum', 'match b checksum', 'match c checksum']);
});

test('an interrupted check says so, and calls nothing different that it has not looked at', async () => {
  const pair = new Pair({ source: OPAQUE, dest: OPAQUE });
  for (let i = 0; i < 2500; i++) await pair.source.put(`k${i}`, bytesOf('x', 1));
  const stop = new AbortController();
  const found: string[] = [];
  const summary = await runCheck(pair.open(), { ...CHECK, stop: stop.signal }, (event) => {
    if (event.type === 'checked') found.push(event.key);
    if (found.length === 10) stop.abort();
    return undefined;
  });
  expect(summary.stopped).toBe('interrupted');
  expect(found).toHaveLength(10);
  expect(summary.missingOnDst.objects).toBe(10);
});

test('whoever takes the results slowly slows the check down, or they would pile up in memory', async () => {
  const pair = new Pair();
  for (let i = 0; i < 50; i++) await pair.source.put(`k${i}`, bytesOf('x', 1));
  let waiting = 0;
  let most = 0;
  await runCheck(pair.open(), CHECK, async (event) => {
    if (event.type !== 'checked') return;
    most = Math.max(most, ++waiting);
    await new Promise((resolve) => setTimeout(resolve, 1));
    waiting--;
  });
  expect(most).toBe(1);
});

describe('without a common checksum', () => {
  let pair: Pair;
  beforeEach(async () => {
    pair = new Pair({ source: OPAQUE, dest: OPAQUE });
    await pair.source.put('a', bytesOf('one', 9 * 1024 * 1024));
    await pair.dest.put('a', bytesOf('two', 9 * 1024 * 1024));
    await pair.source.put('b', bytesOf('b', 10));
    await pair.dest.put('b', bytesOf('b', 10));
  });

  test('a match by size alone is counted as no more than that', async () => {
    const outcome = await check(pair);
    expect(outcome.found).toEqual(['match a size', 'match b size']);
    expect(outcome.unproven).toBe(2);
    expect(outcome.traffic.source.bytesIn).toBe(0);
  });

  test.each(['checksum', 'download'] as const)('--%s reads both sides', async (compare) => {
    const outcome = await check(pair, { compare });
    expect(outcome.found).toEqual(['differ a bytes', 'match b bytes']);
    expect(outcome.unproven).toBe(0);
  });

  test('a difference in the last byte is found', async () => {
    const bytes = await contentOf(pair.source, 'a');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await pair.dest.put('a', bytes);
    expect((await check(pair, { compare: 'download' })).found).toContain('differ a bytes');
  });

  test('old and new bytes are never compared: an object that is rewritten meanwhile is looked at again', async () => {
    let rewritten = false;
    pair.faults.source.before('read', async () => {
      if (rewritten) return;
      rewritten = true;
      await pair.source.put('b', bytesOf('new', 10));
      await pair.dest.put('b', bytesOf('new', 10));
    });
    const outcome = await check(pair, { compare: 'download', only: ['b'] });
    expect(outcome.found).toEqual(['match b bytes']);
    expect(outcome.traffic.source.requests).toMatchObject({ head: 2 });
  });

  test('one that never rests is an error, not a verdict', async () => {
    let n = 0;
    pair.faults.source.before('read', () => pair.source.put('b', bytesOf(`again ${n++}`, 10)));
    const outcome = await check(pair, { compare: 'download', only: ['b'] });
    expect(outcome.found).toEqual([]);
    expect(outcome.errors).toMatchObject({
      objects: 1,
      list: [{ key: 'b', code: 'precondition-failed', class: 'temporary' }],
    });
  });

  test('one that is deleted meanwhile is missing', async () => {
    pair.faults.source.before('read', () => pair.source.delete(['b']));
    expect((await check(pair, { compare: 'download', only: ['b'] })).found).toEqual(['missing-on-src b']);
  });

  test('a small memory is enough for large objects, side by side', async () => {
    for (const key of ['c', 'd', 'e']) {
      await pair.source.put(key, bytesOf(key, 9 * 1024 * 1024));
      await pair.dest.put(key, bytesOf(key, 9 * 1024 * 1024));
    }
    const { match } = await check(pair, { compare: 'download', maxMemory: 1024 });
    expect(match.by).toEqual({ bytes: 4 });
  });
});

test('a local side is read to be compared with the checksum that the other one has', async () => {
  const pair = new Pair({ source: { capabilities: { local: true, partEtagIsMd5: false } } });
  for (const key of ['same', 'other']) await pair.source.put(key, bytesOf(key, 20));
  await pair.dest.put('same', bytesOf('same', 20));
  await pair.dest.put('other', bytesOf('altered', 20));
  const outcome = await check(pair);
  expect(outcome.found).toEqual(['differ other checksum', 'match same checksum']);
  expect(outcome.traffic.source.requests, 'each file is read once').toMatchObject({ read: 2 });
  expect(outcome.traffic.destination.requests, 'nothing is downloaded').toEqual({ list: 1, head: 1 });
});

describe('--repair', () => {
  test('copies what differs or is missing, deletes nothing, and a second check finds both sides equal', async () => {
    const pair = new Pair();
    for (const key of ['a', 'b', 'c', 'd']) await pair.source.put(key, bytesOf(key, 20));
    await pair.copy();
    await pair.dest.put('a', bytesOf('damaged', 20));
    await pair.dest.delete(['b']);
    await pair.dest.put('extra', bytesOf('extra', 20));
    const opened = pair.open();
    const list = new RepairList(opened.manifest);
    await runCheck(opened, CHECK, (event) => void list.hear(event));
    const repaired = await repair(opened, list, { ...OPTIONS, command: 'check' }, () => undefined);
    list.dispose();
    expect(repaired).toEqual({
      copied: { objects: 2, bytes: 40 },
      failed: { objects: 0, byClass: {}, list: [] },
      left: 0,
      traffic: {
        source: { requests: { head: 2, read: 2 }, bytesIn: 40, bytesOut: 0 },
        destination: { requests: { head: 2, put: 2 }, bytesIn: 0, bytesOut: 40 },
      },
    });
    expect((await check(pair, { compare: 'download' })).found).toEqual([
      ...['a', 'b', 'c', 'd'].map((key) => `match ${key} bytes`),
      'missing-on-src extra',
    ]);
  });

  test('is not fooled by equal sizes and times', async () => {
    const pair = new Pair({ source: OPAQUE, dest: OPAQUE });
    await pair.source.put('a', bytesOf('right', 20));
    await pair.copy();
    const opened = pair.open();
    const list = new RepairList(opened.manifest);
    list.hear({ type: 'checked', key: 'a', size: 20, verdict: 'differ', by: 'bytes' });
    expect(await repair(opened, list, OPTIONS, () => undefined)).toMatchObject({ copied: { objects: 1 } });
  });
});
