import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { objectHeaders, readContentHeaders, readMetadata, wireHeaders } from '../../../src/store/oss/metadata.js';

describe('user metadata beyond what OSS can hold', () => {
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

  it('more than 8 KB that does not compress is refused before anything is sent', () => {
    const noise = randomBytes(8192).toString('base64');
    const fits = { m: noise.slice(0, 8192 - 'x-oss-meta-m'.length) };
    expect(objectHeaders('k', { metadata: fits })).toEqual({ 'x-oss-meta-m': fits.m });
    expect(() => objectHeaders('k', { metadata: { m: `${fits.m}x` } })).toThrow(
      expect.objectContaining({ code: 'metadata-too-large', subject: 'k' }),
    );
  });
});
