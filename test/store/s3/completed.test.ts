import { expect, test } from 'vitest';
import { md5OfMd5s } from '../../../src/hash/index.js';
import { mustBeCompleted } from '../../../src/store/s3/completed.js';

const parts = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'].map((etag) => ({ etag }));
const whole = md5OfMd5s(parts.map(({ etag }) => etag));

test.each([
  ['is the MD5 of the parts', whole, undefined],
  ['is the MD5 of the parts, as it was before', whole, whole],
  ['is a composite of another make', 'ffffffffffffffffffffffffffffffff-2', undefined],
  ['says nothing', 'opaque', 'other'],
])('an ETag that %s is accepted', (_what, etag, previous) => {
  expect(() => mustBeCompleted({ key: 'k', size: 7, etag, mtimeMs: 0 }, parts, { size: 7, previous })).not.toThrow();
});

test.each([
  ['the older object', 'opaque', 'opaque'],
  ['an object of another number of parts', 'ffffffffffffffffffffffffffffffff-3', undefined],
])('that of %s is refused', (_what, etag, previous) => {
  expect(() => mustBeCompleted({ key: 'k', size: 7, etag, mtimeMs: 0 }, parts, { size: 7, previous })).toThrow(
    'holds another object',
  );
});

test('an object of another size is refused', () => {
  const there = { key: 'k', size: 7, etag: whole, mtimeMs: 0 };
  expect(() => mustBeCompleted(there, parts, { size: 8 })).toThrow('holds another object');
});
