import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OSS_ATTRIBUTES, S3_ATTRIBUTES } from '../../../src/store/attributes/limits.js';
import { S3_PROVIDERS } from '../../../src/store/attributes/s3-providers.js';
import {
  decodeName,
  decodeValue,
  encodeName,
  encodeValue,
  isPlain,
  spell,
  unspell,
} from '../../../src/store/attributes/spelling.js';

const S3 = S3_ATTRIBUTES.metadata;
const OSS = OSS_ATTRIBUTES.metadata;
const CEPH = S3_PROVIDERS.ceph.metadata;
const ALL = [S3, OSS, CEPH];

const pieces = ['a', 'x', '5', 'f', 'c', '3', '-', '_', '.', '-x5f-', '-xc3', '-x2d-', 'é', '中', '\ufeff', '\ufffd'];
const text = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''));
const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom('=?UTF-8?B?YQ==?=', '=?UTF-8?B?PT9VVEYtOD9CP1lRPT0/PQ==?=', '=?x', ' a', 'a ', '\ta', ''),
);

describe('a name', () => {
  it('reads back, and is one that the store accepts', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...ALL), (name, { name: allowed }) => {
        expect(encodeName(name, allowed)).toMatch(allowed);
        expect(decodeName(encodeName(name, allowed), allowed)).toBe(name);
      }),
    );
  });

  it('of another program is written back as it was', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...ALL), (raw, { name: allowed }) => {
        fc.pre(allowed.test(raw));
        expect(encodeName(decodeName(raw, allowed), allowed)).toBe(raw);
      }),
    );
  });

  it('is encoded only where the store cannot hold it', () => {
    expect(encodeName('my_key', OSS.name)).toBe('my-x5f-key');
    expect(encodeName('my_key', S3.name)).toBe('my_key');
    expect(encodeName('my_key', CEPH.name)).toBe('my-x5f-key');
    expect(decodeName('my-x5f-key', S3.name)).toBe('my-x5f-key');
    expect(encodeName('größe', S3.name)).toBe('gr-xc3--xb6--xc3--x9f-e');
  });
});

describe('a value', () => {
  it('reads back, and is printable', () => {
    fc.assert(
      fc.property(value, (plain) => {
        expect(encodeValue(plain)).toMatch(/^[ -~]*$/);
        expect(decodeValue(encodeValue(plain))).toBe(plain);
      }),
    );
  });

  it('of another program is written back as it was', () => {
    for (const raw of ['=?UTF-8?B?YQ==?=', '=?UTF-8?B?5Lit?=', 'a =?UTF-8?Q?b?=', '=?', 'plain']) {
      expect(encodeValue(decodeValue(raw))).toBe(raw);
    }
  });
});

describe('metadata', () => {
  it('reads back from every store, whatever its names and values, as long as it fits', () => {
    fc.assert(
      fc.property(fc.dictionary(text, value, { maxKeys: 8 }), fc.constantFrom(...ALL), (metadata, limits) => {
        const { entries, left } = spell(metadata, limits);
        expect(left).toEqual([]);
        expect(unspell(entries, limits)).toEqual(metadata);
      }),
    );
  });

  it('crosses to the other service and back, also when it is over the limit there', () => {
    const long = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`name-${i}`, `the value of entry ${i}, in words`]),
    );
    expect(isPlain(long, OSS)).toBe(true);
    expect(isPlain(long, S3)).toBe(false);
    const { entries, encoded, left } = spell(long, S3);
    expect(entries.map(([name]) => name)).toEqual(['xsync-packed']);
    expect({ encoded: encoded.length, left }).toEqual({ encoded: 60, left: [] });
    const back = unspell(entries, S3);
    expect(back).toEqual(long);
    expect(Object.fromEntries(spell(back, OSS).entries)).toEqual(long);
  });

  it('that does not fit loses its largest entries, and no others', () => {
    const noise = (size: number) => randomBytes(size).toString('base64').slice(0, size);
    const metadata = { a: noise(1500), b: noise(3000), c: noise(100), d: 'é' };
    const { entries, left } = spell(metadata, S3);
    expect(left).toEqual(['b']);
    expect(unspell(entries, S3)).toEqual({ a: metadata.a, c: metadata.c, d: 'é' });
  });

  it('named as a pack, and none, stays what it is', () => {
    for (const value of ['', 'x', 'bm90IHBhY2tlZA==']) {
      const metadata = { 'xsync-packed': value };
      expect(unspell(spell(metadata, S3).entries, S3)).toEqual(metadata);
    }
  });

  it('keeps a name that JavaScript gives a meaning of its own', () => {
    expect(Object.entries(unspell([['__proto__', 'x']], S3))).toEqual([['__proto__', 'x']]);
  });
});
