/** What is planned is what is done. */
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, Pair } from '../support.js';

const KiB = 1024;
const MiB = 1024 * KiB;

function partsOf(events: readonly RunEvent[], type: 'plan' | 'begin' | 'copied'): (number | undefined)[] {
  return events.flatMap((event) => (event.type === type ? [event.parts] : []));
}

/** A source object uploaded in parts of this size, which its ETag tells and its store too. */
async function uploaded(partSize: number, size: number): Promise<Pair> {
  const pair = new Pair();
  const upload = await pair.source.createUpload('big');
  const body = bytesOf('big', size);
  const parts: { partNumber: number; etag: string }[] = [];
  for (let at = 0; at < size; at += partSize) {
    const partNumber = parts.length + 1;
    const { etag } = await pair.source.uploadPart(upload, partNumber, body.subarray(at, at + partSize));
    parts.push({ partNumber, etag });
  }
  await pair.source.completeUpload(upload, parts);
  return pair;
}

describe('the parts of a dry run are those of the run', () => {
  test.each([
    ['a source cut by a usual size', 5 * MiB],
    ['a source cut by an odd size', 6 * MiB + 17],
  ])('%s', async (_, partSize) => {
    const pair = await uploaded(partSize, 14 * MiB);
    const dry = await pair.copy({ dryRun: true });
    const run = await pair.copy();
    expect(partsOf(dry.events, 'plan')).toEqual([3]);
    expect(partsOf(run.events, 'plan')).toEqual([undefined]);
    expect(partsOf(run.events, 'begin')).toEqual([3]);
    expect(partsOf(run.events, 'copied')).toEqual([3]);
    const { createUpload, uploadPart, completeUpload } = run.traffic.destination.requests;
    expect(dry.planned?.destination).toEqual({ createUpload, uploadPart, completeUpload });
  });

  test('an unfinished upload, whatever part size is asked for now', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', 500 * KiB));
    const mend = pair.faults.dest.fail('uploadPart', new XsyncError('access-denied', 'stop here'), ({ n }) => n > 3);
    await pair.copy({ partSize: 100 * KiB, partConcurrency: 1 });
    mend();
    const dry = await pair.copy({ dryRun: true, partSize: 250 * KiB });
    const run = await pair.copy({ partSize: 250 * KiB });
    expect(partsOf(dry.events, 'plan')).toEqual([5]);
    expect(partsOf(run.events, 'begin')).toEqual([5]);
  });
});
