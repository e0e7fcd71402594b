import { describe, expect, test } from 'vitest';
import type { RunOptions } from '../../../src/engine/options.js';
import type { Tags } from '../../../src/model/attributes.js';
import type { CarryPolicy } from '../../../src/model/carry-policy.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, contentOf, Pair, POLICY } from '../support.js';

const TAGS: Tags = [{ key: 'a', value: '1' }];
const ALL: CarryPolicy = { metadata: true, tags: true, acl: true, lock: true, fidelity: 'warn' };
const COMPARE: Partial<RunOptions> = { carry: ALL, compareAttributes: true };

async function copied(attributes: object = {}): Promise<Pair> {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 10), attributes);
  await pair.copy({ carry: ALL });
  return pair;
}

describe('attributes that change without the bytes', () => {
  test('are found by --attributes compare, and set without sending the bytes', async () => {
    const pair = await copied({ metadata: { m: '1' } });
    await pair.source.putTags('a', TAGS);
    await pair.source.putAcl('a', 'public-read');
    const run = await pair.copy(COMPARE);
    expect([run.copied.objects, run.refreshed, run.skipped.byReason]).toEqual([0, 1, { unchanged: 1 }]);
    expect(run.events).toContainEqual({
      ...{ type: 'attributes', key: 'a', size: 10, changed: ['tags', 'acl'] },
      fidelity: { kept: ['metadata', 'tags', 'acl'], mapped: [], lost: [] },
    });
    expect(run.traffic.source.requests).toEqual({ list: 1, head: 1, getTags: 1, getAcl: 1 });
    expect(run.traffic.destination.requests).toEqual({ list: 1, head: 1, getAcl: 1, putTags: 1, putAcl: 1 });
    expect(await pair.dest.getTags('a')).toEqual(TAGS);
    expect(await pair.dest.getAcl('a')).toBe('public-read');
    expect((await pair.copy(COMPARE)).refreshed).toBeUndefined();
  });

  describe('the storage class', () => {
    const KEEP: Partial<RunOptions> = { carry: { metadata: true, fidelity: 'warn', storageClass: 'keep' } };
    const both = { ...KEEP, compareAttributes: true };

    test('that has changed is set by a copy of the object onto itself, if it was asked for', async () => {
      const pair = new Pair({ source: { clock: () => 1_700_000_000_000 } });
      await pair.source.put('a', bytesOf('a', 10));
      await pair.copy(KEEP);
      await pair.source.copy(pair.source, 'a', 'a', { storageClass: 'STANDARD_IA' });
      expect((await pair.copy({ compareAttributes: true })).refreshed).toBeUndefined();
      const dry = await pair.copy({ ...both, dryRun: true });
      expect([dry.refreshed, dry.planned?.destination]).toEqual([1, { copy: 1 }]);
      const run = await pair.copy(both);
      expect([run.copied.objects, run.refreshed]).toEqual([0, 1]);
      expect(run.events).toContainEqual(expect.objectContaining({ type: 'attributes', changed: ['storage-class'] }));
      expect(run.traffic.destination.requests).toEqual({ list: 1, head: 1, copy: 1 });
      expect((await pair.dest.head('a')).storageClass).toBe('STANDARD_IA');
      expect((await pair.copy(both)).refreshed).toBeUndefined();
    });

    test('of an object that is archived at the destination stays', async () => {
      const pair = new Pair();
      await pair.source.put('a', bytesOf('a', 10), { storageClass: 'STANDARD_IA' });
      await pair.copy(KEEP);
      pair.faults.dest.change('head', (info) => ({ ...info, storageClass: 'GLACIER', special: 'archived' }));
      const run = await pair.copy(both);
      expect([run.copied.objects, run.refreshed]).toEqual([0, undefined]);
    });
  });

  test('are looked for where the time of an object has changed and its ETag has not', async () => {
    const clock = { ms: 1_700_000_000_000 };
    const pair = new Pair({ source: { clock: () => clock.ms } });
    await pair.source.put('a', bytesOf('a', 10), { metadata: { m: '1' } });
    await pair.copy();
    clock.ms += 5000;
    await pair.source.copy(pair.source, 'a', 'a', { metadata: { m: '2' }, headers: { cacheControl: 'no-cache' } });
    const run = await pair.copy();
    expect(run.events.filter(({ type }) => type === 'attributes')).toMatchObject([
      { changed: ['headers', 'metadata'] },
    ]);
    expect(run.traffic.source.requests).toEqual({ list: 1, head: 1 });
    expect(run.traffic.destination.requests).toEqual({ list: 1, head: 1, copy: 1 });
    expect(await pair.dest.head('a')).toMatchObject({
      metadata: { m: '2', mtime: '1700000005' },
      headers: { cacheControl: 'no-cache' },
    });
    const third = await pair.copy();
    expect([third.traffic.source.requests, third.skipped.byReason]).toEqual([{ list: 1 }, { unchanged: 1 }]);
  });

  test('that were removed are removed', async () => {
    const pair = await copied({ tags: TAGS, acl: 'public-read' });
    await pair.source.putTags('a', []);
    await pair.source.putAcl('a', 'private');
    expect((await pair.copy(COMPARE)).refreshed).toBe(1);
    expect([await pair.dest.getTags('a'), await pair.dest.getAcl('a')]).toEqual([[], 'private']);
  });

  test('are copied with the bytes where a store cannot copy onto itself', async () => {
    const pair = new Pair({ dest: { capabilities: { maxCopySize: 0 } } });
    await pair.source.put('a', bytesOf('a', 10), { metadata: { m: '1' } });
    await pair.copy({ carry: ALL });
    const { etag } = await pair.source.head('a');
    await pair.source.copy(pair.source, 'a', 'a', { metadata: { m: '2' }, ifMatch: etag });
    const run = await pair.copy(COMPARE);
    expect(run.copied.objects).toBe(1);
    expect(run.events).toContainEqual(expect.objectContaining({ type: 'plan', reason: 'attributes-differ' }));
    expect((await pair.dest.head('a')).metadata).toMatchObject({ m: '2' });
  });

  test('are not set by a dry run, which tells them', async () => {
    const pair = await copied();
    await pair.source.putTags('a', TAGS);
    const dry = await pair.copy({ ...COMPARE, dryRun: true });
    expect([dry.refreshed, dry.planned?.destination]).toEqual([1, { putTags: 1 }]);
    expect(await pair.dest.getTags('a')).toEqual([]);
  });

  test('cost nothing unless somebody asks', async () => {
    const pair = await copied({ tags: TAGS });
    await pair.source.putTags('a', [{ key: 'b', value: '2' }]);
    const run = await pair.copy({ carry: ALL });
    expect([run.traffic.source.requests, run.refreshed]).toEqual([{ list: 1 }, undefined]);
  });

  test('are copied with the bytes where the object at the destination is archived', async () => {
    const pair = await copied({ metadata: { m: '1' } });
    await pair.source.copy(pair.source, 'a', 'a', { metadata: { m: '2' } });
    pair.faults.dest.fail('copy', new XsyncError('object-archived', 'not restored'));
    const mend = pair.faults.dest.change('head', (info) => ({ ...info, archive: 'frozen' }));
    const dry = await pair.copy({ ...COMPARE, dryRun: true });
    expect(dry.events).toContainEqual(expect.objectContaining({ type: 'plan', reason: 'attributes-differ' }));
    mend();
    const run = await pair.copy(COMPARE);
    expect([run.copied.objects, run.failed.objects]).toEqual([1, 0]);
    expect((await pair.dest.head('a')).metadata).toMatchObject({ m: '2' });
  });

  test('are copied with the bytes if a completion fails and the old object has the same ones', async () => {
    const MiB = 2 ** 20;
    const pair = new Pair({ dest: { capabilities: { maxCopySize: 0, minPartSize: MiB } } });
    const parts: Partial<RunOptions> = { ...COMPARE, partSize: MiB };
    await pair.source.put('a', bytesOf('a', 2 * MiB), { metadata: { m: '1' } });
    await pair.copy(parts);
    await pair.source.copy(pair.source, 'a', 'a', { metadata: { m: '2' } });
    pair.faults.dest.fail('completeUpload', new XsyncError('server-error', 'busy'), ({ n }) => n === 1);
    expect((await pair.copy(parts)).failed.objects).toBe(0);
    expect((await pair.dest.head('a')).metadata).toMatchObject({ m: '2' });
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
  });

  test('are not set with --immutable, which fails where they differ', async () => {
    const clock = { ms: 1_700_000_000_000 };
    const pair = new Pair({ source: { clock: () => clock.ms } });
    await pair.source.put('a', bytesOf('a', 10), { metadata: { m: '1' } });
    await pair.copy();
    clock.ms += 5000;
    await pair.source.copy(pair.source, 'a', 'a', { metadata: { m: '2' } });
    const policy = { ...POLICY, immutable: true };
    const touched = await pair.copy({ policy });
    expect([touched.refreshed, touched.copied.objects, touched.failed.objects]).toEqual([undefined, 0, 0]);
    const compared = await pair.copy({ ...COMPARE, policy });
    expect(compared.failed.list).toMatchObject([{ key: 'a', code: 'guard' }]);
    expect((await pair.dest.head('a')).metadata).toMatchObject({ m: '1' });
  });

  test('of an object that somebody overwrites meanwhile are not taken for those of the copy', async () => {
    const pair = new Pair({ dest: { capabilities: { pinsCopies: undefined, writesIfMatch: undefined } } });
    await pair.source.put('a', bytesOf('a', 10), { metadata: { m: '1' } });
    await pair.copy({ carry: ALL });
    await pair.source.copy(pair.source, 'a', 'a', { metadata: { m: '2' } });
    pair.faults.dest.around('copy', async (_call, run) => {
      await pair.dest.put('a', bytesOf('stranger', 10));
      return run();
    });
    await pair.copy(COMPARE);
    expect(await contentOf(pair.dest, 'a')).toEqual(Buffer.from(bytesOf('a', 10)));
  });

  test('leave an object ours, and known, although its ETag becomes another', async () => {
    const capabilities = { partEtagIsMd5: false, answersCrc64ecma: true };
    const pair = new Pair({ source: { capabilities }, dest: { capabilities } });
    await pair.source.put('a', bytesOf('a', 10), { metadata: { m: '1' } });
    await pair.copy();
    await pair.source.copy(pair.source, 'a', 'a', { metadata: { m: '2' } });
    expect((await pair.copy(COMPARE)).refreshed).toBe(1);
    const { etag } = await pair.dest.head('a');
    expect(pair.manifest.get('a')).toMatchObject({ destEtag: etag, ours: true });
  });
});
