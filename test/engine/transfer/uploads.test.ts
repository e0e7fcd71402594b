import { describe, expect, test } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, contentOf, Pair } from '../support.js';

const KiB = 1024;
const SIZE = 500 * KiB + 1;

/** A pair whose `big` has three acknowledged parts of 100 KiB and is not finished. */
async function halfDone(): Promise<Pair> {
  const pair = new Pair();
  await pair.source.put('big', bytesOf('big', SIZE));
  const mend = pair.faults.dest.fail('uploadPart', new XsyncError('access-denied', 'stop here'), ({ n }) => n > 3);
  await pair.copy({ partSize: 100 * KiB, partConcurrency: 1 });
  mend();
  return pair;
}

describe('an unfinished upload', () => {
  test('is gone on with even if the part size asked for now would make it a single request', async () => {
    const pair = await halfDone();
    const run = await pair.copy({ partSize: 1024 * KiB });
    expect(run.resumed).toEqual({ objects: 1, parts: 3, bytes: 300 * KiB });
    expect(run.traffic.destination.requests).toEqual({ list: 1, listParts: 1, uploadPart: 3, completeUpload: 1 });
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', SIZE)))).toBe(0);
  });

  test('that may not be aborted does not keep the new version of its object from being copied', async () => {
    const pair = await halfDone();
    await pair.source.put('big', bytesOf('new', SIZE));
    pair.faults.dest.fail('abortUpload', new XsyncError('access-denied', 'no AbortMultipartUpload for you'));
    const run = await pair.copy({ partSize: 100 * KiB });
    expect(run.copied.objects).toBe(1);
    expect(run.events).toContainEqual(
      expect.objectContaining({ type: 'notice', level: 'warn', message: expect.stringContaining('no AbortMultipart') }),
    );
  });

  test('starts again at a store that cannot list its parts', async () => {
    const pair = await halfDone();
    pair.faults.dest.fail('listParts', new XsyncError('unsupported', 'the store has no ListParts', { status: 501 }));
    const run = await pair.copy({ partSize: 100 * KiB });
    expect(run.copied.objects).toBe(1);
    expect(run.resumed.objects).toBe(0);
    expect(run.traffic.destination.requests).toMatchObject({ abortUpload: 1, createUpload: 1, uploadPart: 6 });
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', SIZE)))).toBe(0);
  });

  test('whose parts the store refuses is given up, so that other parts can be sent', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', SIZE));
    const refused = new XsyncError('object-too-large', 'Part number must be at most 3', { status: 400 });
    pair.faults.dest.fail('uploadPart', refused, ({ part }) => part > 3);
    expect(await pair.copy({ partSize: 100 * KiB })).toMatchObject({ failed: { objects: 1 } });
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
    expect(await pair.copy({ partSize: 200 * KiB })).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 } });
  });

  test('of an object that left the source does not fail the run when the store will not abort it now', async () => {
    const pair = await halfDone();
    await pair.source.delete(['big']);
    const mend = pair.faults.dest.fail('abortUpload', new XsyncError('checksum-mismatch', 'something odd'));
    const run = await pair.copy();
    expect(run.events).toContainEqual(expect.objectContaining({ type: 'notice', level: 'warn' }));
    mend();
    await pair.copy();
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
    expect(pair.manifest.uploads()).toEqual([]);
  });
});
