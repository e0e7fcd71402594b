import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bareEtag } from '../../../src/model/etag.js';
import { S3_ATTRIBUTES } from '../../../src/store/attributes/limits.js';
import { WITHOUT_UNDERSCORE } from '../../../src/store/attributes/s3-providers.js';
import { decodeListed, encodeKey } from '../../../src/store/s3/encode.js';
import {
  checksumsIn,
  contentHeadersIn,
  contentHeadersOut,
  metadataIn,
  metadataOut,
} from '../../../src/store/s3/headers.js';

const LIMITS = S3_ATTRIBUTES.metadata;
const sent = (metadata: Record<string, string>, limits = LIMITS) => metadataOut('key', metadata, limits);
const read = (headers: Record<string, string>) => metadataIn(headers, LIMITS);
/** Text that no packing makes shorter. */
const noise = (size: number) => randomBytes(size).toString('base64').slice(0, size);
/** A header's way over HTTP: blanks at the ends go. */
const overHttp = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));

describe('user metadata', () => {
  it('keeps a name that JavaScript gives a meaning of its own', () => {
    const metadata = Object.fromEntries([['__proto__', 'x']]);
    expect(Object.entries(read(overHttp(sent(metadata))))).toEqual([['__proto__', 'x']]);
  });

  it('reads back equal, whatever its characters, so that a copy is a copy', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom(' x ', '=?UTF-8?B?eA==?=', '', '\t', 'a\r\nb', 'mtime'),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z0-9-_]{1,10}$/), value, { maxKeys: 5 }), (metadata) => {
        const headers = overHttp(sent(metadata));
        for (const text of Object.values(headers)) expect(text).toMatch(/^[ -~]*$/);
        expect(read(headers)).toEqual({ ...metadata });
      }),
    );
  });

  it('reads what AWS makes of others’ UTF-8: Q-encoded words, and several in a row', () => {
    const headers = {
      'x-amz-meta-a': '=?UTF-8?Q?caf=C3=A9_au_lait?=',
      'x-amz-meta-b': '=?utf-8?B?w6k=?= =?UTF-8?Q?=C3=A9?=!',
    };
    expect(read(headers)).toEqual({ a: 'café au lait', b: 'éé!' });
  });

  it('is packed when the store would refuse its size, and refused when even that does not fit', () => {
    expect(sent({ a: 'x'.repeat(2047) })).toEqual({ 'x-amz-meta-a': 'x'.repeat(2047) });
    const packed = sent({ a: 'x'.repeat(2048), b: 'é' });
    expect(Object.keys(packed)).toEqual(['x-amz-meta-xsync-packed']);
    expect(read(packed)).toEqual({ a: 'x'.repeat(2048), b: 'é' });
    expect(() => sent({ a: noise(2048) })).toThrow(expect.objectContaining({ code: 'metadata-too-large' }));
  });

  it('is encoded when the store would refuse or change a name', () => {
    expect(sent({ 'a b': 'x' })).toEqual({ 'x-amz-meta-a-x20-b': 'x' });
    const strict = { ...LIMITS, name: WITHOUT_UNDERSCORE };
    expect(sent({ a_b: 'x' }, strict)).toEqual({ 'x-amz-meta-a-x5f-b': 'x' });
    expect(sent({ a_b: 'x' })).toEqual({ 'x-amz-meta-a_b': 'x' });
  });
});

describe('content headers', () => {
  it('cross unchanged, UTF-8 included', () => {
    const content = {
      contentType: 'text/html; charset=utf-8',
      contentDisposition: 'attachment; filename="é漢.txt"',
      expires: 'never',
    };
    const headers: Record<string, string> = {};
    contentHeadersOut(content, headers);
    expect(contentHeadersIn(headers)).toEqual(content);
  });

  it('do not take the upload’s aws-chunked for the object’s encoding', () => {
    expect(contentHeadersIn({ 'content-encoding': 'aws-chunked' })).toEqual({});
    expect(contentHeadersIn({ 'content-encoding': 'aws-chunked,gzip' })).toEqual({ contentEncoding: 'gzip' });
  });
});

describe('checksums of an answer', () => {
  const md5 = 'd41d8cd98f00b204e9800998ecf8427e';

  it.each([
    ['a plain ETag', {}, md5, { md5 }],
    ['an upper-case ETag', {}, md5.toUpperCase(), { md5 }],
    ['a multipart ETag', {}, `${md5}-3`, { md5ofParts: `${md5}-3` }],
    ['SSE-S3', { 'x-amz-server-side-encryption': 'AES256' }, md5, { md5 }],
    ['SSE-KMS, whose ETag is no MD5', { 'x-amz-server-side-encryption': 'aws:kms' }, md5, {}],
    ['dual-layer SSE-KMS', { 'x-amz-server-side-encryption': 'aws:kms:dsse' }, `${md5}-2`, {}],
    ['SSE-C', { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }, md5, {}],
    ['an appendable object of OSS', { 'x-oss-object-type': 'Appendable' }, md5, {}],
    [
      'a full-object CRC',
      { 'x-amz-checksum-crc64nvme': 'AAA=', 'x-amz-checksum-type': 'FULL_OBJECT' },
      'x',
      { crc64nvme: 'AAA=' },
    ],
    ['a composite CRC', { 'x-amz-checksum-crc64nvme': 'AAA=-2', 'x-amz-checksum-type': 'COMPOSITE' }, 'x', {}],
  ])('are never claimed wrongly: %s', (_name, headers, etag, expected) => {
    expect(checksumsIn(headers as Record<string, string>, etag, true)).toEqual(expected);
  });

  it('of an ETag are a hint where the store does not promise that it is an MD5', () => {
    expect(checksumsIn({}, md5.toUpperCase(), false)).toEqual({ etagHint: md5 });
    expect(checksumsIn({}, `${md5}-3`, false)).toEqual({ etagHint: `${md5}-3` });
    expect(checksumsIn({ 'x-amz-server-side-encryption': 'aws:kms' }, md5, false)).toEqual({});
    expect(checksumsIn({}, 'no-md5', false)).toEqual({});
  });

  it.each(['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'])('of the whole object are read: %s', (name) => {
    const header = `x-amz-checksum-${name}`;
    expect(checksumsIn({ [header]: 'AAA=' }, 'x', true)).toEqual({ [name]: 'AAA=' });
    expect(checksumsIn({ [header]: 'AAA=-2' }, 'x', true)).toEqual({});
    expect(checksumsIn({ [header]: 'AAA=', 'x-amz-checksum-type': 'COMPOSITE' }, 'x', true)).toEqual({});
  });

  it('come from an ETag without its quotes, otherwise verbatim', () => {
    expect([bareEtag('"Ab-1"'), bareEtag('Ab'), bareEtag('W/"x"')]).toEqual(['Ab-1', 'Ab', 'x']);
  });
});

describe('keys', () => {
  const unit = fc.oneof(
    fc.constantFrom(' ', '+', '%', '%2B', '/', 'a'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
  );
  const key = fc.array(unit, { minLength: 1, maxLength: 20 }).map((units) => units.join(''));

  it('come back from a listing’s encoding as they were, plus signs and blanks too', () => {
    fc.assert(
      fc.property(key, (key) => {
        const listed = encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/');
        expect(decodeListed(listed)).toBe(key);
        expect(decodeURIComponent(encodeKey(key))).toBe(key);
      }),
    );
  });

  it.each(['', 'x'.repeat(1025), '漢'.repeat(342), 'a\ud800'])('are refused when the store cannot hold them', (key) => {
    expect(() => encodeKey(key)).toThrow(expect.objectContaining({ code: 'key-not-representable' }));
  });
});
