/** Bytes that were damaged before a run was killed are never accepted by the run that resumes it. */
import { describe, expect, test } from 'vitest';
import { RunningHash } from '../../../src/hash/running.js';
import { XsyncError } from '../../../src/model/error.js';
import type { MemoryStoreOptions } from '../../../src/store/memory/store.js';
import { bytesOf, contentOf, Pair, POLICY } from '../support.js';

const MiB = 1024 * 1024;
const SIZE = 5 * MiB + 77;
const PARTS = 6;
const CUT = { partSize: MiB, partConcurrency: 1 };
const CRC: MemoryStoreOptions = { capabilities: { answersCrc64ecma: true, partEtagIsMd5: false } };

async function pairOf(options: ConstructorParameters<typeof Pair>[0] = {}): Promise<Pair> {
  const pair = new Pair(options);
  await pair.source.put('big', bytesOf('big', SIZE));
  return pair;
}

/** A run that is stopped when part `at` is about to be sent; the parts before are in the checkpoint. */
async function stoppedAt(pair: Pair, at: number, options = {}): Promise<void> {
  const refused = new XsyncError('expired-credentials', 'the token has expired');
  const undo = pair.faults.dest.fail('uploadPart', refused, ({ part }) => part === at);
  await expect(pair.copy({ ...CUT, ...options })).rejects.toThrow('the token has expired');
  undo();
}

async function expectWhole(pair: Pair): Promise<void> {
  expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', SIZE)))).toBe(0);
}

describe.each([
  ['MD5', {}, 'md5'],
  ['CRC-64', { source: CRC, dest: CRC }, 'crc64'],
] as const)('a source with %s', (_name, options, proof) => {
  test.each([1, 2, 3])(
    'part %i that was damaged on its way before the stop is found by the next run',
    async (damaged) => {
      const pair = await pairOf(options);
      const repair = pair.faults.source.damage('read', 99, ({ offset }) => offset === (damaged - 1) * MiB);
      await stoppedAt(pair, 4);
      repair();
      const events = await pair.copy(CUT);
      expect(events.failed.objects).toBe(0);
      expect(events.verified).toEqual({ [proof]: 1 });
      await expectWhole(pair);
      expect((await pair.dest.listUploads({})).uploads).toEqual([]);
    },
  );

  test('undamaged parts are neither read nor sent again, and the whole is proven', async () => {
    const pair = await pairOf(options);
    await stoppedAt(pair, 4);
    const run = await pair.copy(CUT);
    expect(run.resumed).toMatchObject({ objects: 1, parts: 3, bytes: 3 * MiB });
    expect(run.verified).toEqual({ [proof]: 1 });
    expect(run.traffic.source.requests).toEqual({ list: 1, read: PARTS - 3 });
    expect(run.traffic.destination.requests).toMatchObject({ uploadPart: PARTS - 3 });
    await expectWhole(pair);
  });
});

test('parts that were acknowledged beyond the first gap are read again, and sent again only if their bytes differ', async () => {
  const pair = await pairOf();
  const repair = pair.faults.source.damage('read', 99, ({ offset }) => offset === 3 * MiB);
  const refused = new XsyncError('server-error', 'not now');
  const undo = pair.faults.dest.fail('uploadPart', refused, ({ part }) => part === 2);
  await pair.copy({ ...CUT, partConcurrency: 3, objectAttempts: 1 });
  expect(pair.manifest.parts('big').map(({ partNumber }) => partNumber)).not.toContain(2);
  undo();
  repair();
  const before = pair.manifest.parts('big').map(({ partNumber }) => partNumber);
  const run = await pair.copy({ ...CUT, partConcurrency: 3 });
  expect(run.failed.objects).toBe(0);
  expect(run.verified).toEqual({ md5: 1 });
  const good = before.filter((n) => n !== 4).length;
  expect(run.resumed).toMatchObject({ parts: good });
  expect(run.traffic.destination.requests).toMatchObject({ uploadPart: PARTS - good });
  await expectWhole(pair);
});

test('a part that fails in a run and is tried again there does not end the comparison', async () => {
  const pair = await pairOf();
  const repair = pair.faults.source.damage('read', 99, ({ offset, n }) => offset === 0 && n === 1);
  const undo = pair.faults.dest.fail(
    'uploadPart',
    new XsyncError('server-error', 'not now'),
    ({ part, n }) => part === 3 && n < 8,
  );
  const run = await pair.copy(CUT);
  undo();
  repair();
  expect(run.failed.objects).toBe(0);
  expect(run.verified).toEqual({ md5: 1 });
  await expectWhole(pair);
});

test('a checkpoint without a usable hash has its parts read again and compared', async () => {
  const pair = await pairOf();
  const repair = pair.faults.source.damage('read', 99, ({ offset }) => offset === 0);
  await stoppedAt(pair, 4);
  repair();
  pair.manifest.noteHash('big', { upTo: 3, state: 'of another build' });
  const run = await pair.copy(CUT);
  expect(run.failed.objects).toBe(0);
  expect(run.verified).toEqual({ md5: 1 });
  expect(run.resumed).toMatchObject({ parts: 2 });
  await expectWhole(pair);
});

test('a part that the destination has lost is not covered by the hash of an earlier reading', async () => {
  const pair = await pairOf();
  await stoppedAt(pair, 4);
  pair.faults.dest.change('listParts', (parts) => parts.filter(({ partNumber }) => partNumber !== 2));
  const repair = pair.faults.source.damage('read', 99, ({ offset, n }) => offset === MiB && n < 3);
  const run = await pair.copy(CUT);
  repair();
  expect(run.failed.objects).toBe(0);
  await expectWhole(pair);
});

test.each([true, false])(
  'parts that an earlier run sent and completed (%s) are recorded only if the source agrees',
  async (done) => {
    const pair = await pairOf();
    const wrong = bytesOf('big', SIZE);
    wrong[5] = (wrong[5] ?? 0) ^ 1;
    const hash = await RunningHash.begin('md5');
    const { uploadId } = await pair.dest.createUpload('big');
    const { etag: sourceEtag } = await pair.source.head('big');
    pair.manifest.beginUpload({ key: 'big', uploadId, sourceEtag, size: SIZE, partSize: MiB, createdMs: Date.now() });
    const parts: { partNumber: number; etag: string }[] = [];
    for (let partNumber = 1; partNumber <= PARTS; partNumber++) {
      const bytes = wrong.subarray((partNumber - 1) * MiB, partNumber * MiB);
      hash.update(bytes);
      const { etag, checksums } = await pair.dest.uploadPart({ key: 'big', uploadId }, partNumber, bytes);
      parts.push({ partNumber, etag });
      pair.manifest.addPart('big', { partNumber, size: bytes.byteLength, etag, md5: checksums.md5 });
    }
    pair.manifest.noteHash('big', { upTo: PARTS, state: hash.save() });
    if (done) await pair.dest.completeUpload({ key: 'big', uploadId }, parts);
    const run = await pair.copy({ ...CUT, policy: { ...POLICY, compare: 'ignore-times' } });
    expect(run.failed.objects).toBe(0);
    expect(run.resumed.parts).toBe(0);
    await expectWhole(pair);
  },
);
