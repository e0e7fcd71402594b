/** ETags that look like MD5s, from stores that do not promise that they are any. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Checksums } from '../../../src/model/checksum.js';
import { XsyncError } from '../../../src/model/error.js';
import type { FaultyStore } from '../../support/faults.js';
import { bytesOf, contentOf, Pair } from '../support.js';

const MiB = 1024 * 1024;
const CUT = { partSize: MiB, partConcurrency: 2, transfers: 1 };
const other = (key: string) => createHash('md5').update(`not the bytes of ${key}`).digest('hex');

/** What the store says of its ETags: the MD5s as hints, or with `lie` something of the same form. */
function hinted({ md5, md5ofParts }: Checksums, lie: string | undefined): Checksums {
  const { length } = md5ofParts ?? '';
  return { etagHint: lie === undefined ? (md5 ?? md5ofParts) : `${lie}${(md5ofParts ?? '').slice(32, length)}` };
}

/** Makes a side one that promises nothing. */
function promisesNothing(faults: FaultyStore, lies: boolean): void {
  const of = (key: string) => (lies ? other(key) : undefined);
  faults.change('list', (page) => ({
    ...page,
    entries: page.entries.map((entry) => ({ ...entry, checksums: hinted(entry.checksums ?? {}, of(entry.key)) })),
  }));
  for (const kind of ['head', 'read'] as const) {
    faults.change(kind, (info) => ({ ...info, checksums: hinted(info.checksums, of(info.key)) }));
  }
  for (const kind of ['put', 'uploadPart', 'completeUpload'] as const) {
    faults.change(kind, (answer) => ({ ...answer, checksums: hinted(answer.checksums, of('written')) }));
  }
}

async function objects(size: number, ...keys: string[]): Promise<Pair> {
  const pair = new Pair();
  for (const key of keys) await pair.source.put(key, bytesOf(key, size));
  return pair;
}

async function expectWhole(pair: Pair, size: number, ...keys: string[]): Promise<void> {
  for (const key of keys) {
    expect(Buffer.compare(await contentOf(pair.dest, key), Buffer.from(bytesOf(key, size)))).toBe(0);
  }
}

describe.each([
  ['one request', 1000, 1],
  ['parts', 2 * MiB + 9, 3],
])('of a source, objects of %s', (_name, size, reads) => {
  test('are proven by it where it agrees', async () => {
    const pair = await objects(size, 'a', 'b');
    promisesNothing(pair.faults.source, false);
    const run = await pair.copy(CUT);
    expect(run.verified).toEqual({ md5: 2 });
    expect(run.traffic.source.requests).toEqual({ list: 1, read: 2 * reads });
  });

  test('are copied where it is no MD5; only the first is read twice', async () => {
    const pair = await objects(size, 'a', 'b', 'c');
    promisesNothing(pair.faults.source, true);
    const run = await pair.copy(CUT);
    expect(run.verified).toEqual({ computed: 3 });
    expect(run.failed.objects).toBe(0);
    expect(run.traffic.source.requests).toEqual({ list: 1, read: 4 * reads });
    expect(run.traffic.destination.requests).not.toHaveProperty('abortUpload');
    await expectWhole(pair, size, 'a', 'b', 'c');
    expect((await pair.copy(CUT)).skipped.byReason).toEqual({ unchanged: 3 });
  });

  test('that were damaged on their way are read again, and arrive whole', async () => {
    const pair = await objects(size, 'a');
    promisesNothing(pair.faults.source, false);
    pair.faults.source.damage('read', 99, ({ n }) => n === 1);
    const run = await pair.copy(CUT);
    expect(run.verified).toEqual({ md5: 1 });
    await expectWhole(pair, size, 'a');
  });

  test('that are read differently each time fail', async () => {
    const pair = await objects(size, 'a');
    promisesNothing(pair.faults.source, false);
    let n = 0;
    pair.faults.source.change('read', (info, { bytes, offset }) => {
      if (offset === 0) bytes[n++ % 100] = 255 - (bytes[n % 100] ?? 0);
      return info;
    });
    const run = await pair.copy({ ...CUT, objectAttempts: 1 });
    expect(run.failed.list).toMatchObject([{ key: 'a', code: 'checksum-mismatch' }]);
  });
});

describe.each([
  ['one request', 1000],
  ['parts', 2 * MiB + 9],
])('of a destination, objects of %s', (_name, size) => {
  test('arrive where it is no MD5; bytes are read back once', async () => {
    const pair = await objects(size, 'a', 'b');
    promisesNothing(pair.faults.dest, true);
    const run = await pair.copy(CUT);
    expect(run.failed.objects).toBe(0);
    expect(run.verified).toEqual({ md5: 2 });
    expect(run.traffic.destination.requests).toMatchObject({ read: 1 });
    await expectWhole(pair, size, 'a', 'b');
  });

  test('are not read back where their storage class is archived', async () => {
    const pair = await objects(size, 'a');
    promisesNothing(pair.faults.dest, true);
    pair.faults.dest.fail('read', new XsyncError('object-archived', 'restore it first'));
    const run = await pair.copy(CUT);
    expect([run.failed.list, run.copied.objects]).toEqual([[], 1]);
  });

  test('that were damaged on their way to a store that ignores Content-MD5 are found', async () => {
    const pair = new Pair();
    await pair.source.put('a', bytesOf('a', size));
    promisesNothing(pair.faults.dest, false);
    // The store computes its ETag over the bytes that it got.
    const kind = size > MiB ? 'uploadPart' : 'put';
    const inner = pair.dest[kind].bind(pair.dest);
    let sent = 0;
    const damaged = (...args: unknown[]): unknown => {
      const at = kind === 'put' ? 1 : 2;
      const options = { ...Object(args[at + 1]), contentMd5: undefined };
      const bytes = Uint8Array.from(args[at] as Uint8Array);
      if (++sent === 1) bytes[5] = 255 - (bytes[5] ?? 0);
      return Reflect.apply(inner, pair.dest, [...args.slice(0, at), bytes, options]);
    };
    Object.assign(pair.dest, { [kind]: damaged });
    const run = await pair.copy(CUT);
    expect(run.failed.objects).toBe(0);
    await expectWhole(pair, size, 'a');
  });
});

test('a composite ETag of its own making is no damage when the parts were confirmed', async () => {
  const size = 2 * MiB + 9;
  const pair = await objects(size, 'a');
  pair.faults.dest.change('completeUpload', (answer) => ({ ...answer, checksums: { etagHint: `${other('x')}-3` } }));
  const run = await pair.copy(CUT);
  expect(run.verified).toEqual({ md5: 1 });
  expect(run.traffic.destination.requests).toEqual({ list: 1, createUpload: 1, uploadPart: 3, completeUpload: 1 });
});
