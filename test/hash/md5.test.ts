import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { md5Soon } from '../../src/hash/index.js';
import { LANES } from '../../src/hash/md5-code.js';
import { Md5Lanes } from '../../src/hash/md5-lanes.js';

const trusted = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const bodies = (count: number, length: number) => Array.from({ length: count }, () => randomBytes(length));

describe('MD5 of several bodies at once', () => {
  const lanes = Md5Lanes.create();

  it('runs here, or these tests would show nothing', () => expect(lanes).toBeDefined());

  it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 8191, 8192, 8193, 16_384, 100_003])(
    'is what OpenSSL says of each of %i bytes, or good parts would be refused and bad ones pass',
    (length) => {
      const each = bodies(LANES, length);
      expect(lanes?.md5(each)).toEqual(each.map(trusted));
    },
  );

  it('keeps nothing of the bodies before, whatever their number', () => {
    for (const count of [8, 3, 1, 7, 2, 5, 4, 6]) {
      const each = bodies(count, 1000 * count + 7);
      expect(lanes?.md5(each)).toEqual(each.map(trusted));
    }
  });
});

describe('MD5s that wait for others', () => {
  const MiB = 1024 * 1024;

  it('come to the right callers, whatever lengths are asked for in whatever order', async () => {
    const lengths = [MiB, 10, MiB, 300_000, MiB, MiB + 1, 300_000, ...Array<number>(9).fill(MiB), 300_000, 0];
    const each = lengths.map((length) => randomBytes(length));
    expect(await Promise.all(each.map(md5Soon))).toEqual(each.map(trusted));
  });

  it('come without any other as well, or the last part would never be sent', async () => {
    const [one = Buffer.alloc(0)] = bodies(1, MiB);
    expect(await md5Soon(one)).toBe(trusted(one));
  });
});
