/** The composite ETag of a source uploaded in parts, as a checksum. */
import { describe, expect, test } from 'vitest';
import { Md5Stream, md5, md5OfMd5s } from '../../../src/hash/index.js';
import { bytesOf, contentOf, Pair } from '../support.js';

const MiB = 1024 * 1024;
const SIZE = 14 * MiB + 4321;

/** A source object uploaded in parts of this size. */
async function uploaded(partSize: number, size = SIZE): Promise<Pair> {
  const pair = new Pair();
  const upload = await pair.source.createUpload('big');
  const body = bytesOf('big', size);
  const parts: { partNumber: number; etag: string }[] = [];
  for (let at = 0; at < body.byteLength; at += partSize) {
    const partNumber = parts.length + 1;
    const { etag } = await pair.source.uploadPart(upload, partNumber, body.subarray(at, at + partSize));
    parts.push({ partNumber, etag });
  }
  await pair.source.completeUpload(upload, parts);
  return pair;
}

/** One bit of one read changes between the source and us, every time. */
function damageReads(pair: Pair): void {
  pair.faults.source.damage('read', 99, ({ offset }) => offset === 0);
}

describe('an object that was uploaded in parts', () => {
  test.each([
    ['a usual size', 5 * MiB, {}],
    ['an odd size', 6 * MiB + 17, {}],
    ['parts smaller than ours', MiB, { partSize: 5 * MiB }],
    ['parts larger than ours', 9 * MiB, { partSize: 2 * MiB }],
    ['one part', 16 * MiB, {}],
  ])('is proven by its ETag, whatever it was cut into: %s', async (_name, partSize, options) => {
    const pair = await uploaded(partSize);
    const run = await pair.copy(options);
    expect(run.verified).toEqual({ 'md5-of-parts': 1 });
    expect(run.traffic.source.requests).toMatchObject({ head: 1 });
    expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', SIZE)))).toBe(0);
  });

  test.each([
    ['cut alike', 5 * MiB, {}],
    ['cut by an odd size', 6 * MiB + 17, {}],
    ['cut otherwise by --part-size', 5 * MiB, { partSize: 3 * MiB }],
  ])('is never accepted when a bit changed on the way from the source: %s', async (_name, partSize, options) => {
    const pair = await uploaded(partSize);
    damageReads(pair);
    const run = await pair.copy(options);
    expect(run.copied.objects).toBe(0);
    expect(run.failed.list).toMatchObject([{ key: 'big', code: 'checksum-mismatch' }]);
    await expect(pair.dest.head('big')).rejects.toMatchObject({ code: 'object-not-found' });
    expect((await pair.dest.listUploads({})).uploads).toEqual([]);
  });

  test('and is small enough for one request is proven too, and a HEAD is spent only when the cut cannot be guessed', async () => {
    const usual = await uploaded(5 * MiB, 7 * MiB);
    const run = await usual.copy();
    expect(run.verified).toEqual({ 'md5-of-parts': 1 });
    expect(run.traffic.source.requests).toEqual({ list: 1, read: 1 });
    const odd = await uploaded(3 * MiB + 5, 7 * MiB);
    expect((await odd.copy()).verified).toEqual({ 'md5-of-parts': 1 });
    const damaged = await uploaded(5 * MiB, 7 * MiB);
    damageReads(damaged);
    expect((await damaged.copy()).failed.list).toMatchObject([{ code: 'checksum-mismatch' }]);
  });

  test('whose store does not tell the cut is proven by a guess that fits, and by nothing it cannot know', async () => {
    const usual = await uploaded(5 * MiB);
    usual.source.firstPartSize = async () => undefined;
    expect((await usual.copy()).verified).toEqual({ 'md5-of-parts': 1 });
    const odd = await uploaded(6 * MiB + 17);
    odd.source.firstPartSize = async () => undefined;
    expect((await odd.copy()).verified).toEqual({ computed: 1 });
  });
});

test('MD5 over parts in order does not depend on how the bytes arrive', () => {
  const body = bytesOf('x', 10_000);
  const parts = [0, 1, 2, 3].map((i) => md5(body.subarray(i * 3000, Math.min((i + 1) * 3000, 10_000))));
  for (const step of [1, 777, 3000, 9999, 10_000]) {
    const stream = new Md5Stream(3000);
    for (let at = 0; at < body.byteLength; at += step) stream.update(body.subarray(at, at + step));
    expect(stream.digest()).toBe(md5OfMd5s(parts));
  }
  const exact = new Md5Stream(5000);
  exact.update(body);
  expect(exact.digest()).toBe(md5OfMd5s([md5(body.subarray(0, 5000)), md5(body.subarray(5000))]));
});
