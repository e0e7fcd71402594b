import { describe, expect, test } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import type { Capabilities } from '../../../src/store/port.js';
import { bytesOf, contentOf, Pair, POLICY } from '../support.js';

const KiB = 1024;
const OPAQUE: Partial<Capabilities> = { partEtagIsMd5: false };

/** A source that vouches for nothing, to a destination that tells a CRC-64 and checks nothing by itself. */
function toCrc(): Pair {
  const dest = { ...OPAQUE, answersCrc64ecma: true, checksContentMd5: false };
  return new Pair({ source: { capabilities: OPAQUE }, dest: { capabilities: dest } });
}

/** The destination keeps other bytes than it was sent, and answers the checksum of what it keeps. */
function damagePuts(pair: Pair, times: number): () => void {
  return pair.faults.dest.damage('put', 3, ({ n }) => n <= times);
}

describe('wrong bytes at the destination, of the right size and time', () => {
  test.each([{}, { noTraverse: true }])('are not taken for the object by the next run, %o', async (options) => {
    const pair = toCrc();
    await pair.source.put('a', bytesOf('a', 1000));
    const repair = damagePuts(pair, 99);
    const broken = await pair.copy(options);
    expect(broken.failed.list).toMatchObject([{ key: 'a', code: 'checksum-mismatch', attempts: 3 }]);
    expect(pair.manifest.failures().map(({ attempts }) => attempts)).toEqual([1]);
    await pair.copy(options);
    expect(pair.manifest.failures().map(({ attempts }) => attempts)).toEqual([2]);
    repair();
    const run = await pair.copy(options);
    expect(run.copied.objects).toBe(1);
    expect(Buffer.compare(await contentOf(pair.dest, 'a'), Buffer.from(bytesOf('a', 1000)))).toBe(0);
    expect(pair.manifest.failures()).toEqual([]);
    expect((await pair.copy(options)).skipped.byReason).toEqual({ unchanged: 1 });
  });

  test('are remembered also when the run ended before it could try again', async () => {
    const pair = toCrc();
    await pair.source.put('a', bytesOf('a', 1000));
    const repair = damagePuts(pair, 1);
    const expired = new XsyncError('expired-credentials', 'the token has expired');
    const renew = pair.faults.source.fail('read', expired, ({ n }) => n === 2);
    await expect(pair.copy()).rejects.toThrow('the token has expired');
    renew();
    repair();
    expect((await pair.copy()).copied.objects).toBe(1);
    expect(Buffer.compare(await contentOf(pair.dest, 'a'), Buffer.from(bytesOf('a', 1000)))).toBe(0);
  });

  test('are not put right against --immutable, but listed as failed', async () => {
    const pair = toCrc();
    await pair.source.put('a', bytesOf('a', 1000));
    damagePuts(pair, 99)();
    const repair = damagePuts(pair, 3);
    await pair.copy();
    repair();
    const run = await pair.copy({ policy: { ...POLICY, immutable: true } });
    expect(run.failed.list).toMatchObject([{ key: 'a', code: 'guard' }]);
  });
});

describe('the report never claims more than was proven', () => {
  const SILENT: Partial<Capabilities> = { ...OPAQUE, checksContentMd5: false };

  test('by a destination that neither checks nor answers anything', async () => {
    const pair = new Pair({ dest: { capabilities: SILENT } });
    await pair.source.put('small', bytesOf('small', 1000));
    await pair.source.put('large', bytesOf('large', 300 * KiB));
    expect((await pair.copy({ partSize: 100 * KiB })).verified).toEqual({ size: 2 });
  });

  test('by a destination that promises a CRC-64 and gives none', async () => {
    const pair = new Pair({ source: { capabilities: OPAQUE }, dest: { capabilities: { ...SILENT } } });
    Object.assign(pair.dest.capabilities, { answersCrc64ecma: true });
    const silence = <T extends { checksums: object }>(answer: T): T => ({ ...answer, checksums: {} });
    for (const kind of ['put', 'uploadPart', 'completeUpload'] as const) pair.faults.dest.change(kind, silence);
    await pair.source.put('small', bytesOf('small', 1000));
    await pair.source.put('large', bytesOf('large', 300 * KiB));
    expect((await pair.copy({ partSize: 100 * KiB })).verified).toEqual({ size: 2 });
  });

  test('a destination whose only word is the MD5 in its ETag is held to it', async () => {
    const dest = { checksContentMd5: false };
    const pair = new Pair({ source: { capabilities: OPAQUE }, dest: { capabilities: dest } });
    await pair.source.put('small', bytesOf('small', 1000));
    await pair.source.put('large', bytesOf('large', 300 * KiB));
    const put = damagePuts(pair, 1);
    pair.faults.dest.damage('uploadPart', 5, ({ n }) => n === 2);
    const run = await pair.copy({ partSize: 100 * KiB });
    put();
    expect(run.verified).toEqual({ computed: 2 });
    for (const key of ['small', 'large']) {
      expect(Buffer.compare(await contentOf(pair.dest, key), await contentOf(pair.source, key))).toBe(0);
    }
  });

  test('a server-side copy whose CRC-64 is another than the source had is no copy', async () => {
    const crc = { answersCrc64ecma: true };
    const pair = new Pair({ source: { endpoint: 'x', capabilities: crc }, dest: { endpoint: 'x', capabilities: crc } });
    await pair.source.put('a', bytesOf('a', 1000));
    pair.faults.dest.change('copy', (answer) => ({ ...answer, checksums: { crc64ecma: '1' } }));
    expect((await pair.copy()).failed.list).toMatchObject([{ code: 'checksum-mismatch' }]);
  });

  test('what could not be looked at is copied rather than believed by its time', async () => {
    const pair = toCrc();
    await pair.source.put('a', bytesOf('a', 1000));
    await pair.copy();
    pair.manifest.forget(['a']);
    pair.faults.dest.fail('head', new XsyncError('unsupported', 'no'), ({ n }) => n === 1);
    expect((await pair.copy()).failed.objects).toBe(1);
    expect((await pair.copy()).copied.objects).toBe(1);
    expect((await pair.copy()).skipped.byReason).toEqual({ unchanged: 1 });
  });
});
