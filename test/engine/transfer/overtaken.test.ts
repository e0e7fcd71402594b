/** A write that races with somebody else's loses, where the store compares versions. */
import { describe, expect, test } from 'vitest';
import { Shared } from '../../../src/engine/shared.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, contentOf, OPTIONS, Pair } from '../support.js';

const KiB = 1024;
const PRECIOUS = bytesOf('precious', 12);

/** Somebody writes `a` at the destination after the listings, before xsync does. */
function overtake(pair: Pair): void {
  pair.faults.source.before('read', async ({ n }) => {
    if (n === 1) await pair.dest.put('a', PRECIOUS);
  });
}

async function isPrecious(pair: Pair): Promise<boolean> {
  return Buffer.compare(await contentOf(pair.dest, 'a'), PRECIOUS) === 0;
}

describe.each([
  ['in one request', 100, {}],
  ['in parts', 200 * KiB, { partSize: 64 * KiB }],
])('%s', (_, size, options) => {
  test.each([
    ['is new', false],
    ['is overwritten', true],
  ])('an object that %s does not replace what somebody has just written', async (__, known) => {
    const pair = new Pair();
    await pair.source.put('a', bytesOf('old', size));
    if (known) {
      await pair.copy(options);
      await pair.source.put('a', bytesOf('new', size));
    }
    overtake(pair);
    const run = await pair.copy(options);
    expect(run.failed.list).toMatchObject([{ key: 'a', class: 'temporary', code: 'precondition-failed' }]);
    expect(await isPrecious(pair)).toBe(true);
    // The next run has seen it, and copies as always.
    const next = await pair.copy(options);
    expect(next).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 } });
    expect((await pair.dest.head('a')).size).toBe(size);
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
  });

  test('an answer that was lost is found out by a HEAD', async () => {
    const pair = new Pair();
    await pair.source.put('a', bytesOf('a', size));
    const kind = size === 100 ? 'put' : 'completeUpload';
    pair.faults.dest.around(kind, async ({ n }, run) => {
      const answer = await run();
      if (n === 1) throw new XsyncError('server-error', 'the answer was lost');
      return answer;
    });
    const run = await pair.copy(options);
    expect(run).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 } });
    expect(pair.manifest.get('a')).toMatchObject({ ours: true, destEtag: (await pair.dest.head('a')).etag });
  });
});

test('an answer that was lost is found out by the time, where the store has no checksums', async () => {
  const opaque = { capabilities: { partEtagIsMd5: false } };
  const pair = new Pair({ source: opaque, dest: opaque });
  await pair.source.put('a', bytesOf('a', 100));
  pair.faults.dest.around('put', async ({ n }, run) => {
    const answer = await run();
    if (n === 1) throw new XsyncError('server-error', 'the answer was lost');
    return answer;
  });
  expect(await pair.copy()).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 } });
});

test('a store that cannot compare versions overwrites', async () => {
  const pair = new Pair({ dest: { capabilities: { writesIfMatch: undefined } } });
  await pair.source.put('a', bytesOf('a', 100));
  overtake(pair);
  expect(await pair.copy()).toMatchObject({ copied: { objects: 1 } });
});

test('without a listing of the destination nothing is known that could be compared', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 100));
  await pair.copy();
  await pair.source.put('a', bytesOf('new', 100));
  await pair.dest.put('a', PRECIOUS);
  expect(await pair.copy({ noTraverse: true })).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 } });
});

test('a damaged copy is replaced by the next attempt', async () => {
  const pair = new Pair({ dest: { capabilities: { checksContentMd5: false } } });
  await pair.source.put('a', bytesOf('a', 100));
  pair.faults.dest.before('put', ({ n, bytes }) => {
    if (n === 1) bytes.fill(0);
  });
  expect(await pair.copy()).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 } });
  expect(Buffer.compare(await contentOf(pair.dest, 'a'), bytesOf('a', 100))).toBe(0);
});

test('a run does not take the work of another run of this process for that of a stranger', async () => {
  const pair = new Pair();
  for (const key of ['a', 'b']) await pair.source.put(key, bytesOf(key, 100));
  await pair.copy();
  for (const key of ['a', 'b']) await pair.source.put(key, bytesOf(`new ${key}`, 100));
  const shared = new Shared(pair.open(), OPTIONS, () => undefined);
  // While the pass is about to read `a`, an event copies a newer version of `b`.
  pair.faults.source.before('read', async ({ n, key }) => {
    if (n !== 1 || key !== 'a') return;
    await pair.source.put('b', bytesOf('newest b', 120));
    await pair.copy({ only: ['b'] });
  });
  const run = await pair.copy({ transfers: 1 }, undefined, shared);
  expect(run.failed.objects).toBe(0);
});
