import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeName,
  decodeValue,
  encodeName,
  encodeValue,
  objectHeaders,
  readContentHeaders,
  readMetadata,
  wireHeaders,
} from '../../../src/store/oss/metadata.js';

const tricky = fc.constantFrom('a', 'x', '5', 'f', 'c', '3', '-', '_', '.', '-x5f-', '-xc3', 'é', '中', '\ufeff', '�');

describe('user metadata beyond what OSS can hold', () => {
  it('names with underscores and others read back, and are names that OSS accepts', () => {
    fc.assert(
      fc.property(fc.array(tricky, { maxLength: 12 }), (parts) => {
        const name = parts.join('');
        expect(encodeName(name)).toMatch(/^[a-z0-9-]*$/);
        expect(decodeName(encodeName(name))).toBe(name);
      }),
    );
  });

  it('values in any script read back, and are printable', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('=?UTF-8?B?YQ==?=', ' a', 'a ', '\ta', ''));
    fc.assert(
      fc.property(value, (text) => {
        expect(encodeValue(text)).toMatch(/^[ -~]*$/);
        expect(decodeValue(encodeValue(text))).toBe(text);
      }),
    );
  });

  it('plain names and values look to other programs as they are', () => {
    const headers = objectHeaders('k', { metadata: { mtime: '1700000000.5', 'a-b': 'c d;e', my_key: 'ü' } });
    expect(headers).toEqual({
      'x-oss-meta-mtime': '1700000000.5',
      'x-oss-meta-a-b': 'c d;e',
      'x-oss-meta-my-x5f-key': '=?UTF-8?B?w7w=?=',
    });
  });

  it('values that other programs wrote as UTF-8 or as quoted-printable are read', () => {
    const written = wireHeaders({ 'x-oss-meta-a': '中文', 'x-oss-meta-b': '=?utf-8?Q?caf=C3=A9_au?=' });
    expect(readMetadata(written)).toEqual({ a: '中文', b: 'café au' });
    expect(readContentHeaders(wireHeaders({ 'content-disposition': 'attachment; filename="中文"' }))).toEqual({
      contentDisposition: 'attachment; filename="中文"',
    });
  });

  it('more than 8 KB is refused before anything is sent', () => {
    const fits = { m: 'x'.repeat(8192 - 'x-oss-meta-m'.length) };
    expect(() => objectHeaders('k', { metadata: fits })).not.toThrow();
    expect(() => objectHeaders('k', { metadata: { m: `${fits.m}x` } })).toThrow(
      expect.objectContaining({ code: 'metadata-too-large', subject: 'k' }),
    );
  });
});
