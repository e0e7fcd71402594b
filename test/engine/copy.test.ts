import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { XsyncError } from '../../src/model/error.js';
import { bytesOf, contentOf, keysOf, Pair } from './support.js';

const MiB = 1024 * 1024;

describe('what a copy costs in requests', () => {
  test('a small object costs one GET and one PUT, and a second run only the list pages', async () => {
    // On a busy machine a store may seem far enough away for more list requests.
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const pair = new Pair();
    for (let i = 0; i < 2500; i++) await pair.source.put(`k${i}`, bytesOf(`k${i}`, 100));
    const first = await pair.copy();
    expect(first.copied).toEqual({ objects: 2500, bytes: 250_000 });
    expect(first.traffic.source.requests).toEqual({ list: 3, read: 2500 });
    expect(first.traffic.destination.requests).toEqual({ list: 1, put: 2500 });
    expect(first.verified).toEqual({ md5: 2500 });

    const second = await pair.copy();
    expect(second.copied.objects).toBe(0);
    expect(second.skipped.byReason).toEqual({ unchanged: 2500 });
    expect(second.traffic.source.requests).toEqual({ list: 3 });
    expect(second.traffic.destination.requests).toEqual({ list: 3 });
  });

  test('with --no-traverse an unchanged destination is not even listed', async () => {
    const pair = new Pair();
    for (let i = 0; i < 20; i++) await pair.source.put(`k${i}`, bytesOf(`k${i}`, 10));
    await pair.copy();
    await pair.source.put('k20', bytesOf('new', 10));
    const run = await pair.copy({ noTraverse: true });
    expect(run.copied.objects).toBe(1);
    expect(run.traffic.destination.requests).toEqual({ head: 1, put: 1 });
  });

  test('a dry run writes nothing and prices what it would do', async () => {
    const pair = new Pair({ dest: { capabilities: { minPartSize: MiB } } });
    await pair.source.put('small', bytesOf('s', 10));
    await pair.source.put('large', bytesOf('l', 3 * MiB + 1));
    const run = await pair.copy({ dryRun: true, partSize: MiB });
    expect(run.planned).toEqual({
      source: { read: 5 },
      destination: { put: 1, createUpload: 1, uploadPart: 4, completeUpload: 1 },
    });
    expect(await keysOf(pair.dest)).toEqual([]);
    expect(pair.manifest.count()).toBe(0);
  });
});

describe('objects in parts', () => {
  const size = 5 * MiB + 12_345;

  test('arrive whole, each part once, verified against the MD5 the source vouches for', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', size));
    const run = await pair.copy({ partSize: MiB });
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', size)))).toBe(0);
    expect(run.traffic.source.requests).toEqual({ list: 1, read: 6 });
    expect(run.traffic.destination.requests).toEqual({ list: 1, createUpload: 1, uploadPart: 6, completeUpload: 1 });
    expect(run.verified).toEqual({ md5: 1 });
  });

  test('a run that dies half-way sends only the missing parts when it is run again', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', size));
    const mend = pair.faults.dest.fail('uploadPart', new XsyncError('access-denied', 'stop here'), ({ n }) => n > 3);
    const broken = await pair.copy({ partSize: MiB, partConcurrency: 1 });
    expect(broken.failed.byClass).toEqual({ person: 1 });
    mend();
    const resumed = await pair.copy({ partSize: 2 * MiB });
    expect(resumed.resumed).toEqual({ objects: 1, parts: 3, bytes: 3 * MiB });
    expect(resumed.traffic.destination.requests).toEqual({ list: 1, listParts: 1, uploadPart: 3, completeUpload: 1 });
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', size)))).toBe(0);
    expect(pair.manifest.uploads()).toEqual([]);
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
    expect(pair.manifest.failureCount()).toBe(0);
  });

  test.each([
    ['an MD5', {}],
    ['a CRC-64', { answersCrc64ecma: true, partEtagIsMd5: false }],
  ])('parts that arrived while the run died are known by %s and not sent again', async (_name, capabilities) => {
    const pair = new Pair({ dest: { capabilities } });
    await pair.source.put('big', bytesOf('big', size));
    // The fourth part is at the store; its answer is lost with the run.
    const mend = pair.faults.dest.lose('uploadPart', new XsyncError('access-denied', 'stop here'), ({ n }) => n === 4);
    await pair.copy({ partSize: MiB, partConcurrency: 1 });
    mend();
    const resumed = await pair.copy();
    expect(resumed.resumed).toEqual({ objects: 1, parts: 4, bytes: 4 * MiB });
    expect(resumed.traffic.destination.requests).toMatchObject({ uploadPart: 2 });
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', size)))).toBe(0);
  });

  test('a source that changes half-way is copied anew, never mixed, and leaves no upload behind', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('old', size));
    pair.faults.source.before('read', async ({ n }) => {
      if (n === 3) await pair.source.put('big', bytesOf('new', size - 99));
    });
    const run = await pair.copy({ partSize: MiB });
    expect(run.restarts).toBe(1);
    expect(run.copied.objects).toBe(1);
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('new', size - 99)))).toBe(0);
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
  });

  test('a completion whose answer is lost is found done, not sent again', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', size));
    let calls = 0;
    pair.faults.dest.before('completeUpload', () => calls++);
    pair.faults.dest.lose('completeUpload', new XsyncError('network', 'connection reset'));
    const run = await pair.copy({ partSize: MiB });
    expect(calls).toBe(1);
    expect(run.copied.objects).toBe(1);
    expect(run.traffic.destination.requests).toMatchObject({ uploadPart: 6, head: 1 });
  });

  test('an upload whose creation was answered by a reset leaves no stray', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', size));
    pair.faults.dest.lose('createUpload', new XsyncError('network', 'connection reset'), ({ n }) => n === 1);
    const run = await pair.copy({ partSize: MiB });
    expect(run.copied.objects).toBe(1);
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
  });

  test('bytes damaged on the way are never accepted', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', size));
    let reads = 0;
    pair.faults.source.before('read', () => reads++);
    pair.faults.source.damage('read', 17, ({ n }) => n === 2);
    const run = await pair.copy({ partSize: MiB });
    expect(run.copied.objects).toBe(1);
    expect(reads).toBeGreaterThan(6);
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', size)))).toBe(0);
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
  });
});

describe('one bad object', () => {
  test('never stops the others, stays listed in the manifest, and is cleared by the run that copies it', async () => {
    const pair = new Pair();
    for (const key of ['a', 'b', 'c']) await pair.source.put(key, bytesOf(key, 10));
    const mend = pair.faults.dest.fail('put', new XsyncError('access-denied', 'no'), ({ key }) => key === 'b');
    const run = await pair.copy();
    expect(run.copied.objects).toBe(2);
    expect(run.failed).toMatchObject({ objects: 1, byClass: { person: 1 } });
    expect(pair.manifest.failures()).toMatchObject([{ key: 'b', code: 'access-denied', attempts: 1 }]);
    mend();
    await pair.copy();
    expect(pair.manifest.failures()).toEqual([]);
  });

  test('a small object damaged between GET and PUT is refused and copied again', async () => {
    const pair = new Pair();
    await pair.source.put('a', bytesOf('a', 1000));
    pair.faults.source.damage('read', 5, ({ n }) => n === 1);
    const run = await pair.copy();
    expect(run.copied.objects).toBe(1);
    expect(Buffer.compare(await contentOf(pair.dest, 'a'), Buffer.from(bytesOf('a', 1000)))).toBe(0);
  });
});

describe('a listing out of order', () => {
  test('is noticed, sorted on disk and copied whole, each object once', async () => {
    const pair = new Pair({ source: { unorderedListing: true } });
    for (let i = 0; i < 1500; i++) await pair.source.put(`k${i}`, bytesOf(`k${i}`, 10));
    const first = await pair.copy();
    expect((await keysOf(pair.dest)).length).toBe(1500);
    expect(first.copied.objects).toBe(1500);
    const second = await pair.copy();
    expect(second.skipped.byReason).toEqual({ unchanged: 1500 });
    expect(second.traffic.source.requests).toEqual({ list: 2 });
  });
});

describe('what goes with the bytes', () => {
  test('headers, metadata and the time of the source are at the destination', async () => {
    const pair = new Pair({ source: { clock: () => 1_700_000_000_123 } });
    await pair.source.put('a', bytesOf('a', 10), {
      headers: { contentType: 'text/x-odd', cacheControl: 'max-age=5', contentLanguage: 'zh' },
      metadata: { owner: 'Zoë', plain: 'x' },
    });
    await pair.copy();
    const there = await pair.dest.head('a');
    expect(there.headers).toMatchObject({
      contentType: 'text/x-odd',
      cacheControl: 'max-age=5',
      contentLanguage: 'zh',
    });
    expect(there.metadata).toEqual({ owner: 'Zoë', plain: 'x', mtime: '1700000000.123' });
  });
});
