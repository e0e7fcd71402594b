import { describe, expect, test } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, contentOf, Pair } from '../support.js';

const KiB = 1024;
const SIZE = 1000 * KiB + 1;

function onOneService(): Pair {
  return new Pair({ source: { endpoint: 'x' }, dest: { endpoint: 'x', capabilities: { maxCopySize: 200 * KiB } } });
}

describe('a server-side copy in parts', () => {
  test('that fails half-way leaves no second upload to be paid for, and no part still running', async () => {
    const pair = onOneService();
    await pair.source.put('big', bytesOf('big', SIZE));
    let running = 0;
    let atOnce = 0;
    pair.faults.dest.before('uploadPartCopy', async ({ n }) => {
      atOnce = Math.max(atOnce, ++running);
      await new Promise((resolve) => setTimeout(resolve, n === 2 ? 1 : 5));
      running--;
      if (n === 2) throw new XsyncError('checksum-mismatch', 'not this time');
    });
    const run = await pair.copy({ partConcurrency: 3 });
    expect(run.copied.objects).toBe(1);
    expect(atOnce).toBeLessThanOrEqual(3);
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', SIZE)))).toBe(0);
  });

  test('that was interrupted and goes on through this machine is cut for its memory, not for the service', async () => {
    const pair = onOneService();
    await pair.source.put('big', bytesOf('big', SIZE));
    const mend = pair.faults.dest.fail('uploadPartCopy', new XsyncError('access-denied', 'no copies for you'));
    await pair.copy();
    mend();
    pair.dest.copyableFrom = () => false;
    const run = await pair.copy({ partSize: 50 * KiB });
    expect(run.events.find((event) => event.type === 'begin')).toMatchObject({ parts: 21 });
    expect(run.copied.objects).toBe(1);
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
  });
});

describe('a service that turns out not to copy', () => {
  const missing = new XsyncError('unsupported', 'the store has no CopyObject', { status: 501 });

  test('has its objects copied by this machine', async () => {
    const pair = new Pair({ source: { endpoint: 'x' }, dest: { endpoint: 'x' } });
    for (const key of ['a', 'b']) await pair.source.put(key, bytesOf(key, 10));
    pair.faults.dest.fail('copy', missing);
    const run = await pair.copy({ transfers: 1 });
    expect(run).toMatchObject({ copied: { objects: 2 }, failed: { objects: 0 } });
    expect(run.traffic.destination.requests).toMatchObject({ copy: 2, put: 2 });
    expect(Buffer.compare(await contentOf(pair.dest, 'b'), Buffer.from(bytesOf('b', 10)))).toBe(0);
  });

  test('is not asked again once its store knows that', async () => {
    const pair = new Pair({ source: { endpoint: 'x' }, dest: { endpoint: 'x' } });
    for (const key of ['a', 'b', 'c']) await pair.source.put(key, bytesOf(key, 10));
    pair.faults.dest.before('copy', () => {
      pair.dest.copyableFrom = () => false;
      throw missing;
    });
    const run = await pair.copy({ transfers: 1 });
    expect(run.traffic.destination.requests).toMatchObject({ copy: 1, put: 3 });
  });
});

/** A store whose copies take whatever the source has, and whose ETags say nothing. */
const IGNORANT = { pinsCopies: undefined, partEtagIsMd5: false };

describe.each([
  ['MD5s', 1000 * KiB, { pinsCopies: undefined }],
  ['no checksums', 1000 * KiB, IGNORANT],
  ['no checksums, in parts', 10, IGNORANT],
])('a store that ignores the condition of a copy, %s', (_, maxCopySize, capabilities) => {
  /** The source is overwritten after the HEAD of the run and before the copy. */
  async function raced(bytes: Uint8Array) {
    const all = { ...capabilities, maxCopySize };
    const pair = new Pair({ source: { endpoint: 'x', capabilities }, dest: { endpoint: 'x', capabilities: all } });
    await pair.source.put('a', bytesOf('old', 100), { headers: { contentType: 'text/old' } });
    const kind = maxCopySize < 100 ? 'uploadPartCopy' : 'copy';
    pair.faults.dest.before(kind, async ({ n }) => {
      if (n === 1) await pair.source.put('a', bytes, { headers: { contentType: 'text/new' } });
    });
    return { pair, run: await pair.copy({ partSize: 10 }) };
  }

  test.each([
    ['of the same size', bytesOf('new', 100)],
    ['of another size', bytesOf('new', 120)],
  ])('copies a version that was overwritten meanwhile again, %s', async (_, bytes) => {
    const { pair, run } = await raced(bytes);
    expect(run).toMatchObject({ copied: { objects: 1 }, restarts: 1, failed: { objects: 0 } });
    const [there, here] = [await pair.dest.head('a'), await pair.source.head('a')];
    expect(there.headers).toEqual({ contentType: 'text/new' });
    expect(Buffer.compare(await contentOf(pair.dest, 'a'), Buffer.from(bytes))).toBe(0);
    expect(pair.manifest.get('a')).toMatchObject({
      size: bytes.byteLength,
      sourceEtag: here.etag,
      destEtag: there.etag,
    });
  });
});

describe('what the comparison costs', () => {
  test.each([
    ['nothing where a checksum agrees', { pinsCopies: undefined }, 1, {}],
    ['nothing where the store is known to obey', { partEtagIsMd5: false }, 1, {}],
    ['a HEAD of each side elsewhere', IGNORANT, 2, { head: 1 }],
  ])('is %s', async (_, capabilities, head, atDest) => {
    const pair = new Pair({ source: { endpoint: 'x', capabilities }, dest: { endpoint: 'x', capabilities } });
    await pair.source.put('a', bytesOf('a', 100));
    const run = await pair.copy();
    expect(run.traffic.source.requests).toEqual({ list: 1, head });
    expect(run.traffic.destination.requests).toEqual({ list: 1, copy: 1, ...atDest });
  });
});

test('a store that answers well and stores something else has copied nothing', async () => {
  const pair = new Pair({
    source: { endpoint: 'x', capabilities: IGNORANT },
    dest: { endpoint: 'x', capabilities: IGNORANT },
  });
  await pair.source.put('a', bytesOf('a', 100));
  pair.faults.dest.around('copy', async (_, run) => {
    const answer = await run();
    await pair.dest.put('a', new Uint8Array());
    return answer;
  });
  const run = await pair.copy();
  expect(run).toMatchObject({ copied: { objects: 0 }, failed: { list: [{ key: 'a', code: 'checksum-mismatch' }] } });
  expect(pair.manifest.get('a')).toBeUndefined();
});
