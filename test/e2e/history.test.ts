/** --versions, killed with SIGKILL between a write and its note: no version comes twice, and none is missing. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../support/server/index.js';
import { bytesOf } from './fixtures.js';
import { type Bucket, Lab, type Running, summaryOf, until } from './harness.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

function versioned(bucket: Bucket): Bucket {
  bucket.remote.store.bucket(bucket.name).versioning = 'Enabled';
  return bucket;
}

/** Small versions, delete markers, and one object in parts. */
function fill(bucket: Bucket): void {
  for (let n = 0; n < 5; n++) {
    for (const key of ['a', 'b/c', 'é']) bucket.put(key, `${key} ${n}`, { metadata: { n: String(n) } });
    if (n % 2 === 1) bucket.remove('a');
    bucket.put('large', bytesOf(`large ${n}`, 300 * 1024 + n));
  }
  bucket.remove('gone');
}

/** Each key's versions, the oldest first; `-` is a delete marker. */
function historyOf(bucket: Bucket): Record<string, string[]> {
  const found = bucket.remote.store.bucket(bucket.name);
  const textOf = (versions: ReturnType<typeof found.versionsOf>): string[] =>
    [...versions].reverse().map(({ deleteMarker, bytes }) => (deleteMarker ? '-' : bytes.buffer().toString('latin1')));
  return Object.fromEntries(found.keys().map((key) => [key, textOf(found.versionsOf(key))]));
}

const SHAPE = ['--part-size', '128K', '--json'];

describe('a history from S3 to OSS', () => {
  test.each([1, 4, 7, 11, 15])('killed when write %d was carried out and its answer lost', async (nth) => {
    const [source, dest] = [versioned(lab.east.bucket()), versioned(lab.shanghai.bucket())];
    fill(source);
    const args = ['copy', '--versions', source.at(), dest.at(), ...SHAPE];
    let running: Running | undefined;
    const dies: Fault = { kind: 'call', run: () => running?.kill('SIGKILL') };
    dest.fault(dies, { kind: ['PutObject', 'DeleteObject', 'CompleteMultipartUpload'], nth });
    running = lab.start(args);
    expect((await running.done).signal).toBe('SIGKILL');

    lab.reset();
    const resumed = await lab.run(args);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(historyOf(dest)).toEqual(historyOf(source));
    expect(dest.unfinished()).toEqual([]);

    lab.reset();
    expect(summaryOf(await lab.run(args))).toMatchObject({ copied: { objects: 0 }, deleted: { objects: 0 } });
    expect(dest.counts()).toEqual({ GetBucketVersioning: 1 });
  });

  test('goes on where it was, from OSS back to S3 too', async () => {
    const [source, dest, back] = [lab.east.bucket(), lab.shanghai.bucket(), lab.west.bucket()].map(versioned);
    if (!source || !dest || !back) throw new Error('three buckets');
    fill(source);
    expect((await lab.run(['copy', '--versions', source.at(), dest.at(), ...SHAPE])).code).toBe(0);
    source.put('a', 'last');
    source.remove('b/c');
    expect((await lab.run(['copy', '--versions', source.at(), dest.at(), ...SHAPE])).code).toBe(0);
    expect(historyOf(dest)).toEqual(historyOf(source));
    expect((await lab.run(['copy', '--versions', dest.at(), back.at(), '--json'])).code).toBe(0);
    expect(historyOf(back)).toEqual(historyOf(source));
  });
});

/** Deletes all versions of a key for good. */
function erase({ remote, name }: Bucket, key: string): void {
  const bucket = remote.store.bucket(name);
  for (const { versionId } of [...bucket.versionsOf(key)]) bucket.delete(key, versionId);
}

describe('a history that is synchronized', () => {
  test.each([1, 3, 6, 9, 11])('killed when write or delete %d was carried out and its answer lost', async (nth) => {
    const [source, dest] = [versioned(lab.east.bucket()), versioned(lab.shanghai.bucket())];
    fill(source);
    const args = ['sync', '--versions', '--delete-versions', '--max-delete', '100', source.at(), dest.at(), ...SHAPE];
    expect((await lab.run(args)).code).toBe(0);
    for (let n = 5; n < 7; n++) for (const key of ['a', 'b/c']) source.put(key, `${key} ${n}`);
    source.remove('b/c');
    erase(source, 'é');
    erase(source, 'gone');
    let running: Running | undefined;
    const dies: Fault = { kind: 'call', run: () => running?.kill('SIGKILL') };
    lab.reset();
    dest.fault(dies, { kind: ['PutObject', 'DeleteObject'], nth });
    running = lab.start(args);
    expect((await running.done).signal).toBe('SIGKILL');

    lab.reset();
    const resumed = await lab.run(args);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(historyOf(dest)).toEqual(historyOf(source));

    lab.reset();
    expect(summaryOf(await lab.run(args))).toMatchObject({ copied: { objects: 0 }, deleted: { objects: 0, left: 0 } });
    expect(dest.counts()).toEqual({ GetBucketVersioning: 1, ListObjectVersions: 1 });
  });
});

describe('a history that is watched', () => {
  test.each([1, 5, 10])("is the source's again after a kill at write %d and a restart", async (nth) => {
    const [source, dest] = [versioned(lab.east.bucket()), versioned(lab.shanghai.bucket())];
    fill(source);
    const args = ['watch', '--versions', '--interval', '200ms', source.at(), dest.at(), '--json'];
    let running: Running | undefined;
    const dies: Fault = { kind: 'call', run: () => running?.kill('SIGKILL') };
    dest.fault(dies, { kind: ['PutObject', 'DeleteObject'], nth });
    running = lab.start(args);
    expect((await running.done).signal).toBe('SIGKILL');

    lab.reset();
    const again = lab.start(args);
    await until(() => isDeepStrictEqual(historyOf(dest), historyOf(source)));
    source.put('a', 'while it watches');
    source.remove('b/c');
    await until(() => isDeepStrictEqual(historyOf(dest), historyOf(source)));
    again.kill('SIGTERM');
    expect((await again.done).code).toBe(0);
    expect(historyOf(dest)).toEqual(historyOf(source));
  });
});
