import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { combineCrc64ecma } from '../../src/hash/combine.js';
import { crc64ecma, loadHashes } from '../../src/hash/index.js';

beforeAll(loadHashes);

test('the CRC combined from two parts is that of the whole, or a sound multipart object would be called damaged', () => {
  const bytes = fc.uint8Array({ maxLength: 3000 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const whole = crc64ecma(Buffer.concat([a, b]));
      expect(combineCrc64ecma(crc64ecma(a), crc64ecma(b), b.byteLength)).toBe(whole);
    }),
    { numRuns: 300 },
  );
});

test('an object of 10,000 parts and a short last one is combined in one pass', () => {
  const part = Buffer.from('abcdefghij');
  const last = Buffer.from('z');
  const whole = Buffer.concat([...Array.from({ length: 9999 }, () => part), last]);
  const partCrc = crc64ecma(part);
  let combined = crc64ecma(Buffer.alloc(0));
  for (let i = 0; i < 9999; i++) combined = combineCrc64ecma(combined, partCrc, part.length);
  expect(combineCrc64ecma(combined, crc64ecma(last), last.length)).toBe(crc64ecma(whole));
});

test('a part of a gibibyte, whose bits outgrow 32-bit arithmetic, combines like its mebibytes one by one', () => {
  const mib = crc64ecma(Buffer.alloc(2 ** 20));
  const head = crc64ecma(Buffer.from('head'));
  let stepwise = head;
  let gib = crc64ecma(Buffer.alloc(0));
  for (let i = 0; i < 1024; i++) {
    stepwise = combineCrc64ecma(stepwise, mib, 2 ** 20);
    gib = combineCrc64ecma(gib, mib, 2 ** 20);
  }
  expect(combineCrc64ecma(head, gib, 2 ** 30)).toBe(stepwise);
});

test('the check value of OSS comes out of its two halves', () => {
  const [a, b] = [Buffer.from('1234'), Buffer.from('56789')];
  expect(combineCrc64ecma(crc64ecma(a), crc64ecma(b), b.length)).toBe('11051210869376104954');
});
