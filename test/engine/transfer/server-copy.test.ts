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
