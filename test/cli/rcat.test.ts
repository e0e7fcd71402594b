import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.js';
import { fakeIo } from './fixtures.js';
import { type Lab, openLab } from './lab.js';

const MIB = 1024 ** 2;
let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
});

afterEach(() => lab.close());

async function rcat(stdin: NodeJS.ReadableStream, ...args: string[]) {
  const io = fakeIo({ HOME: lab.home, XSYNC_CONFIG: join(lab.home, 'config.yaml') });
  const code = await main(['rcat', ...args], { ...io, stdin });
  return { code, out: io.stdout.text(), err: io.stderr.text() };
}

const pieces = (...sizes: number[]) => Readable.from(sizes.map((size, index) => Buffer.alloc(size, index + 1)));
const whole = (...sizes: number[]) => Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index + 1)));
const counts = () => lab.server.requests.counts({ protocol: 's3', bucket: 'bucket' });
const read = (key: string): Buffer => lab.server.core.s3.read('bucket', key);

describe('rcat', () => {
  it('one request for what fits into a part, also for nothing', async () => {
    expect(await rcat(pieces(3, 4), 'lab:bucket/small')).toEqual({ code: 0, out: '', err: '' });
    expect(read('small')).toEqual(whole(3, 4));
    expect((await rcat(pieces(), 'lab:bucket/empty')).code).toBe(0);
    expect(read('empty').byteLength).toBe(0);
    expect((await rcat(pieces(5 * MIB), 'lab:bucket/exact', '--part-size', '5M')).code).toBe(0);
    expect(counts()).toEqual({ PutObject: 3 });
  });

  it('has no class of a source to keep or map', async () => {
    for (const word of ['keep', 'map']) {
      const { code, err } = await rcat(pieces(3), 'lab:bucket/x', '--storage-class', word);
      expect([code, err]).toEqual([
        2,
        `xsync: --storage-class ${word}: standard input has no storage class — Name a class of the destination.\n`,
      ]);
    }
    expect(counts()).toEqual({});
  });

  it('parts for more, whatever the pieces', async () => {
    const sizes = [1, 7 * MIB, 3, 4 * MIB, 5];
    const { code, err } = await rcat(pieces(...sizes), 'lab:bucket/large', '--part-size', '5M', '-v');
    expect([code, err]).toEqual([0, 'wrote 11.0 MiB in 3 parts to lab:bucket/large\n']);
    expect(read('large').equals(whole(...sizes))).toBe(true);
    const { CreateMultipartUpload, UploadPart, CompleteMultipartUpload, HeadObject } = counts();
    expect([CreateMultipartUpload, UploadPart, CompleteMultipartUpload, HeadObject]).toEqual([1, 3, 1, 1]);
  });

  it('a file', async () => {
    const file = join(lab.home, 'deep/file');
    expect((await rcat(pieces(7 * MIB), file, '--part-size', '1M')).code).toBe(0);
    expect(readFileSync(file).equals(whole(7 * MIB))).toBe(true);
  });

  it('leaves nothing behind when the input breaks', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(11 * MIB);
        throw new Error('the disk is gone');
      })(),
    );
    expect((await rcat(broken, 'lab:bucket/broken', '--part-size', '5M')).code).toBe(1);
    expect(lab.server.core.s3.list('bucket')).toEqual([]);
    expect(lab.server.core.s3.uploads('bucket')).toEqual([]);
  });

  it('a part that arrives damaged, and a part that fails', async () => {
    lab.server.faults.add({ match: { kind: 'UploadPart', times: 1 }, fault: { kind: 'status', status: 503 } });
    expect((await rcat(pieces(11 * MIB), 'lab:bucket/k', '--part-size', '5M')).code).toBe(0);
    lab.server.faults.add({ match: { kind: 'UploadPart' }, fault: { kind: 'flip-bit', where: 'stored' } });
    const { code, err } = await rcat(pieces(11 * MIB), 'lab:bucket/damaged', '--part-size', '5M');
    expect([code, err]).toEqual([5, expect.stringContaining('the bytes that arrived are not those that were sent')]);
    expect(lab.server.core.s3.uploads('bucket')).toEqual([]);
  });

  it('an answer to the completion that is lost', async () => {
    lab.server.faults.add({
      match: { kind: 'CompleteMultipartUpload', times: 1 },
      fault: { kind: 'reset', at: 'response' },
    });
    expect((await rcat(pieces(11 * MIB), 'lab:bucket/k', '--part-size', '5M')).code).toBe(0);
    expect(read('k').byteLength).toBe(11 * MIB);
  });

  it('refuses what names no object, and a terminal', async () => {
    for (const path of ['lab:bucket', 'lab:bucket/f/', lab.home]) expect((await rcat(pieces(1), path)).code).toBe(2);
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    expect(await rcat(terminal, 'lab:bucket/k')).toMatchObject({ code: 2, err: expect.stringContaining('terminal') });
    expect((await rcat(pieces(1), '-n', 'lab:bucket/k')).err).toBe('would write standard input to lab:bucket/k\n');
    expect((await rcat(pieces(1), '-n', join(lab.home, 'none'))).code).toBe(0);
    expect(existsSync(join(lab.home, 'none'))).toBe(false);
    expect(lab.server.core.s3.list('bucket')).toEqual([]);
  });
});
