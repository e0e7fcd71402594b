/** What a run costs, counted at the servers: requests are billed, and the ones that are not needed are waste. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Traffic } from '../../src/engine/events.js';
import { bytesOf, MiB } from './fixtures.js';
import { type Bucket, Lab, summaryOf } from './harness.js';

const PART = 256 * 1024;
const PARTS = ['--part-size', '256K'];
/** Ten parts, the last of them short. */
const LARGE = bytesOf('large', 9 * PART + 1234);

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

const PAIRS = [
  ['east', 'shanghai'],
  ['shanghai', 'east'],
  ['east', 'west'],
] as const;

describe.each(PAIRS)('%s to %s', (from, to) => {
  test('a small object costs one GET and one PUT; an unchanged one its share of a list page', async () => {
    const [source, dest] = [lab[from].bucket(), lab[to].bucket()];
    for (let n = 0; n < 50; n++) source.put(`small ${n}`, bytesOf(`${n}`, 1 + n * 100));
    expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
    expect(source.counts()).toEqual({ ListObjects: 1, GetObject: 50 });
    expect(dest.counts()).toEqual({ ListObjects: 1, PutObject: 50 });

    lab.reset();
    expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
    expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 1 }, { ListObjects: 1 }]);

    lab.reset();
    source.put('small 7', 'changed');
    source.put('another', 'new');
    expect(summaryOf(await lab.copy(source.at(), dest.at())).copied.objects).toBe(2);
    expect(source.counts()).toEqual({ ListObjects: 1, GetObject: 2 });
    expect(dest.counts()).toEqual({ ListObjects: 1, PutObject: 2 });
  });
});

test('an object of no bytes costs one look and one PUT', async () => {
  const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
  for (let n = 0; n < 5; n++) source.put(`empty ${n}`, '');
  expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
  expect(source.counts()).toEqual({ ListObjects: 1, HeadObject: 5 });
  expect(dest.counts()).toEqual({ ListObjects: 1, PutObject: 5 });
});

test('without a manifest, objects with equal checksums cost nothing beyond list pages', async () => {
  const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
  for (const bucket of [source, dest]) for (let n = 0; n < 20; n++) bucket.put(`same ${n}`, bytesOf(`${n}`, 1000));
  const outcome = await lab.copy(source.at(), dest.at());
  expect(summaryOf(outcome).skipped.byReason).toEqual({ 'same-checksum': 20 });
  expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 1 }, { ListObjects: 1 }]);
});

test('a list page is asked for once, full pages at a time', async () => {
  const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
  for (let n = 0; n < 2001; n++) source.put(`k${n}`, '');
  expect((await lab.copy(source.at(), dest.at(), '--dry-run')).code).toBe(0);
  expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 3 }, { ListObjects: 1 }]);
});

test('a copy that the service makes by itself moves no byte through here', async () => {
  const [source, dest] = [lab.east.bucket(), lab.east.bucket()];
  for (let n = 0; n < 10; n++) source.put(`k${n}`, bytesOf(`${n}`, 1000));
  expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
  expect(source.counts()).toEqual({ ListObjects: 1, HeadObject: 10 });
  expect(dest.counts()).toEqual({ ListObjects: 1, CopyObject: 10 });
});

describe('in parts', () => {
  test('an object of n parts costs n ranged GETs, n parts, and the start and end of its upload', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('large', LARGE);
    expect((await lab.copy(source.at(), dest.at(), ...PARTS)).code).toBe(0);
    expect(source.counts()).toEqual({ ListObjects: 1, GetObject: 10 });
    expect(dest.counts()).toEqual({
      ListObjects: 1,
      CreateMultipartUpload: 1,
      UploadPart: 10,
      CompleteMultipartUpload: 1,
    });
    const moved = (bucket: Bucket, way: 'bytesIn' | 'bytesOut', kind: 'GetObject' | 'UploadPart') =>
      bucket.requests(kind).reduce((sum, entry) => sum + entry[way], 0);
    expect([moved(source, 'bytesOut', 'GetObject'), moved(dest, 'bytesIn', 'UploadPart')]).toEqual([
      LARGE.byteLength,
      LARGE.byteLength,
    ]);
  });

  test('an interrupted upload is taken up again: only the parts that are missing are read and sent', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('large', LARGE);
    const stop = dest.fault(
      { kind: 'status', status: 403, code: 'AccessDenied' },
      { kind: 'UploadPart', partNumber: 7 },
    );
    const broken = await lab.copy(source.at(), dest.at(), ...PARTS, '--part-concurrency', '1');
    expect(summaryOf(broken).failed.list).toMatchObject([{ key: 'large', code: 'access-denied' }]);
    expect(broken.code).toBe(6);
    stop();

    lab.reset();
    // Other sizes of parts do not matter: an upload keeps the cut that it was begun with.
    const resumed = await lab.copy(source.at(), dest.at(), '--part-size', '1M');
    expect(resumed.code).toBe(0);
    expect(summaryOf(resumed).resumed).toEqual({ objects: 1, parts: 6, bytes: 6 * PART });
    expect(source.counts()).toEqual({ ListObjects: 1, GetObject: 4 });
    expect(dest.counts()).toEqual({ ListObjects: 1, ListParts: 1, UploadPart: 4, CompleteMultipartUpload: 1 });
    expect(
      dest
        .requests('UploadPart')
        .map((entry) => entry.partNumber)
        .sort(),
    ).toEqual([10, 7, 8, 9]);
    expect(dest.read('large').equals(LARGE)).toBe(true);
    expect(dest.unfinished()).toEqual([]);
  });

  test('an upload whose source changed is aborted and begun anew, not continued', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('large', LARGE);
    const stop = dest.fault(
      { kind: 'status', status: 403, code: 'AccessDenied' },
      { kind: 'UploadPart', partNumber: 7 },
    );
    expect((await lab.copy(source.at(), dest.at(), ...PARTS, '--part-concurrency', '1')).code).toBe(6);
    stop();
    const changed = bytesOf('changed', LARGE.byteLength);
    source.put('large', changed);

    lab.reset();
    expect((await lab.copy(source.at(), dest.at(), ...PARTS)).code).toBe(0);
    expect(dest.counts()).toMatchObject({ AbortMultipartUpload: 1, CreateMultipartUpload: 1, UploadPart: 10 });
    expect(dest.read('large').equals(changed)).toBe(true);
    expect(dest.unfinished()).toEqual([]);
  });
});

describe('--no-traverse', () => {
  test('the destination is not listed; what the manifest knows costs nothing, the rest one HEAD each', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (let n = 0; n < 10; n++) source.put(`k${n}`, bytesOf(`${n}`, 100));
    expect((await lab.copy(source.at(), dest.at())).code).toBe(0);

    lab.reset();
    expect((await lab.copy(source.at(), dest.at(), '--no-traverse')).code).toBe(0);
    expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 1 }, {}]);

    lab.reset();
    source.put('new', 'new');
    source.put('k3', 'changed');
    expect((await lab.copy(source.at(), dest.at(), '--no-traverse')).code).toBe(0);
    expect(source.counts()).toEqual({ ListObjects: 1, GetObject: 2 });
    expect(dest.counts()).toEqual({ HeadObject: 1, PutObject: 2 });
  });
});

describe('--dry-run', () => {
  test('changes nothing, and announces what the real run then costs, request by request', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (let n = 0; n < 30; n++) source.put(`small ${n}`, bytesOf(`${n}`, 100));
    source.put('large', LARGE);
    source.put('larger', bytesOf('larger', 3 * MiB));
    source.put('there already', 'the same');
    dest.put('there already', 'the same');

    const dry = summaryOf(await lab.copy(source.at(), dest.at(), ...PARTS, '--dry-run'));
    expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 1 }, { ListObjects: 1 }]);
    expect(dest.keys()).toEqual(['there already']);

    lab.reset();
    const real = summaryOf(await lab.copy(source.at(), dest.at(), ...PARTS));
    expect(real.copied).toEqual(dry.copied);
    expect(dry.planned?.source).toEqual(transfers(real.traffic.source));
    expect(dry.planned?.destination).toEqual(transfers(real.traffic.destination));
    expect(source.counts()).toEqual({ ListObjects: 1, GetObject: dry.planned?.source.read });
    expect(dest.counts()).toEqual({
      ListObjects: 1,
      PutObject: dry.planned?.destination.put,
      CreateMultipartUpload: dry.planned?.destination.createUpload,
      UploadPart: dry.planned?.destination.uploadPart,
      CompleteMultipartUpload: dry.planned?.destination.completeUpload,
    });
  });

  test('writes nothing on disk either', async () => {
    const source = lab.east.bucket();
    source.put('k', 'v');
    const root = lab.path();
    const outcome = await lab.copy(source.at(), root, '--dry-run');
    expect(summaryOf(outcome).copied.objects).toBe(1);
    expect((await lab.run(['ls', root])).code).not.toBe(0);
  });

  /** The listings were made by the dry run too, and are not announced. */
  function transfers({ requests: { list: _, ...rest } }: Traffic) {
    return rest;
  }
});

test('the summary counts the requests that the servers counted', async () => {
  const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
  for (let n = 0; n < 20; n++) source.put(`k${n}`, bytesOf(`${n}`, 1000));
  source.fault({ kind: 'status', status: 500 }, { kind: 'GetObject', nth: 3, times: 2 });
  dest.fault({ kind: 'reset', at: 'before' }, { kind: 'PutObject', nth: 5 });
  const summary = summaryOf(await lab.copy(source.at(), dest.at()));
  expect(summary.traffic.source.requests).toEqual({ list: 1, read: 22 });
  expect(summary.traffic.destination.requests).toEqual({ list: 1, put: 21 });
  expect([source.counts(), dest.counts()]).toEqual([
    { ListObjects: 1, GetObject: 22 },
    { ListObjects: 1, PutObject: 21 },
  ]);
  expect(summary.retries).toBe(3);
});
