import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { md5OfMd5s } from '../../src/hash/index.js';
import { digestOf, RUNNING_HASHES, RunningHash } from '../../src/hash/running.js';

const DIGITS = Buffer.from('123456789');

describe('a running hash', () => {
  // The check values of the CRC catalogue (https://reveng.sourceforge.io/crc-catalogue/), as S3 prints them.
  it.each([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
  ] as const)('has the known value of %s', async (name, hex) => {
    expect(await digestOf(name, DIGITS)).toBe(Buffer.from(hex, 'hex').toString('base64'));
    expect(await digestOf(name, Buffer.alloc(0))).toBe(Buffer.alloc(hex.length / 2).toString('base64'));
  });

  it.each(['md5', 'sha1', 'sha256'] as const)('agrees with OpenSSL on %s', async (name) => {
    const bytes = randomBytes(100_003);
    expect(await digestOf(name, bytes)).toBe(
      createHash(name)
        .update(bytes)
        .digest(name === 'md5' ? 'hex' : 'base64'),
    );
  });

  it.each(RUNNING_HASHES)('of %s continues where it was saved, wherever that was, beside others', async (name) => {
    const bytes = randomBytes(10_000);
    const expected = await digestOf(name, bytes);
    for (const at of [0, 1, 63, 64, 65, 5000, 9999, 10_000]) {
      const first = await RunningHash.begin(name);
      first.update(bytes.subarray(0, at));
      const text = first.save();
      first.update(randomBytes(100));
      const second = await RunningHash.resume(text);
      second?.update(bytes.subarray(at));
      expect(second?.digest()).toBe(expected);
      expect(second?.digest()).toBe(expected);
    }
  });

  it.each([1000, 999, 1, 20_000])('over parts of %i bytes continues as well', async (partSize) => {
    const bytes = randomBytes(3500);
    const md5s = [];
    for (let at = 0; at < bytes.length; at += partSize) {
      md5s.push(
        createHash('md5')
          .update(bytes.subarray(at, at + partSize))
          .digest('hex'),
      );
    }
    for (const at of [0, 999, 1000, 1001, 3500]) {
      const first = await RunningHash.begin('md5', partSize);
      first.update(bytes.subarray(0, at));
      const second = await RunningHash.resume(first.save());
      second?.update(bytes.subarray(at));
      expect(second?.digest()).toBe(md5OfMd5s(md5s));
      expect(second?.partSize).toBe(partSize);
    }
  });

  it.each(['', 'x', '{}', '{"name":"md5","state":"AAAA"}', '{"name":"md4","state":""}'])(
    'is not continued from %j, which no build can read',
    async (text) => expect(await RunningHash.resume(text)).toBeUndefined(),
  );
});
