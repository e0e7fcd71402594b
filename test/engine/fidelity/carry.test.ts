import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attributes, type Carrying, carry, type Keeps } from '../../../src/engine/fidelity/carry.js';
import type { Tag } from '../../../src/model/attributes.js';
import { type CarryPolicy, USUAL_POLICY } from '../../../src/model/carry-policy.js';
import { LOCAL_ATTRIBUTES, OSS_ATTRIBUTES, S3_ATTRIBUTES } from '../../../src/store/attributes/limits.js';
import { S3_PROVIDERS } from '../../../src/store/attributes/s3-providers.js';
import { spell, unspell } from '../../../src/store/attributes/spelling.js';
import type { MetadataLimits, PutAttributes } from '../../../src/store/port.js';

const S3: Keeps = { attributes: S3_ATTRIBUTES, keepsMetadata: true, keepsMtime: false };
const OSS: Keeps = { attributes: OSS_ATTRIBUTES, keepsMetadata: true, keepsMtime: false };
const COS: Keeps = { attributes: S3_PROVIDERS.cos, keepsMetadata: true, keepsMtime: false };
const OBS: Keeps = { attributes: S3_PROVIDERS.obs, keepsMetadata: true, keepsMtime: false };
const DISK: Keeps = { attributes: LOCAL_ATTRIBUTES, keepsMetadata: true, keepsMtime: true };
const ALL: CarryPolicy = { metadata: true, tags: true, acl: true, lock: true, fidelity: 'warn' };
const NOW = Date.UTC(2026, 0, 1);
const LATER = NOW + 86_400_000;

const object = (parts: Partial<Attributes> = {}): Attributes => ({
  ...{ key: 'k', size: 1, etag: 'e', mtimeMs: 1_700_000_000_500, checksums: {} },
  ...{ headers: { contentType: 'text/plain' }, metadata: {} },
  ...parts,
});
const over = (parts: Partial<Attributes>, from: Keeps, to: Keeps, policy: Carrying = ALL) =>
  carry(object(parts), from, to, policy, NOW);
const tags = (...keys: string[]): Tag[] => keys.map((key) => ({ key, value: 'v' }));

it('a version of a history says which one it is, although its metadata leaves no room', () => {
  const metadata = { note: randomBytes(1485).toString('base64'), more: 'x'.repeat(30) };
  const { put, fidelity } = over({ metadata }, S3, S3, {
    ...ALL,
    version: { name: 'v'.repeat(32), origin: '0123456789abcdef' },
  });
  expect(put.metadata).toMatchObject({ 'xsync-version-id': 'v'.repeat(32), 'xsync-version-of': '0123456789abcdef' });
  expect(put.metadata).toMatchObject({ more: metadata.more });
  expect(spell(put.metadata ?? {}, S3_ATTRIBUTES.metadata).left).toEqual([]);
  expect(fidelity?.lost).toMatchObject([{ attribute: 'metadata' }]);
});

describe('an ordinary object', () => {
  it('has its headers and the time of its source, and there is nothing to tell', () => {
    const { put, later, fidelity } = over({}, S3, OSS);
    expect(put).toMatchObject({ headers: { contentType: 'text/plain' }, metadata: { mtime: '1700000000.5' } });
    expect({ later, fidelity }).toEqual({ later: undefined, fidelity: undefined });
  });

  it('has the time natively where files have times', () => {
    expect(over({ metadata: { mtime: '1600000000.25' } }, S3, DISK).put).toMatchObject({
      metadata: {},
      mtimeMs: 1_600_000_000_250,
    });
  });
});

const cases: [
  name: string,
  Partial<Attributes>,
  Keeps,
  Keeps,
  Partial<PutAttributes>,
  kept: string[],
  other: string[],
][] = [
  ['metadata', { metadata: { a: '1' } }, S3, OSS, {}, ['metadata'], []],
  ['encoded metadata', { metadata: { a_b: '1' } }, S3, OSS, {}, [], ['mapped metadata: "a_b" encoded']],
  ['a redirect', { redirect: '/x' }, S3, S3, { redirect: '/x' }, ['redirect'], []],
  ['a redirect to OSS', { redirect: '/x' }, S3, OSS, {}, [], ['lost redirect: the destination keeps none']],
  ['tags', { tags: tags('a', 'b/c') }, S3, OSS, { tags: tags('a', 'b/c') }, ['tags'], []],
  [
    'tags that OSS cannot spell',
    { tags: tags('a', 'größe', 'c@d') },
    S3,
    OSS,
    { tags: tags('a') },
    [],
    [
      'lost tags: "größe" has characters other than letters, digits, spaces and + - = . _ : /',
      'lost tags: "c@d" has characters other than letters, digits, spaces and + - = . _ : /',
    ],
  ],
  ['a tag of the service', { tags: tags('aws:x') }, S3, S3, {}, [], ['lost tags: "aws:x" is reserved']],
  ['tags to a file', { tags: tags('a') }, S3, DISK, {}, [], ['lost tags: the destination keeps none']],
  ['a public ACL', { acl: 'public-read' }, S3, OSS, { acl: 'public-read' }, ['acl'], []],
  [
    'a private ACL to OSS, where the bucket might be public',
    { acl: 'private' },
    S3,
    OSS,
    { acl: 'private' },
    ['acl'],
    [],
  ],
  ['a private ACL to S3, which is usual', { acl: 'private' }, OSS, S3, {}, ['acl'], []],
  ['the ACL of a bucket', { acl: 'default' }, OSS, S3, {}, [], ["lost acl: it is the bucket's, which is not copied"]],
  ['the ACL of a bucket, at OSS', { acl: 'default' }, OSS, OSS, {}, ['acl'], []],
  ['grants', { acl: 'grants' }, S3, S3, {}, [], ['lost acl: grants to single accounts are not copied']],
  [
    'another ACL',
    { acl: 'authenticated-read' },
    S3,
    OSS,
    {},
    [],
    ['lost acl: the destination has no authenticated-read'],
  ],
  ['a public ACL to a file', { acl: 'public-read' }, S3, DISK, {}, [], ['lost acl: the destination has none']],
  ['a private ACL to a file', { acl: 'private' }, S3, DISK, {}, [], []],
  [
    'retention',
    { lock: { mode: 'COMPLIANCE', untilMs: LATER } },
    S3,
    OSS,
    { lock: { mode: 'COMPLIANCE', untilMs: LATER } },
    ['lock'],
    [],
  ],
  ['retention that is over', { lock: { mode: 'COMPLIANCE', untilMs: NOW } }, S3, S3, {}, [], []],
  [
    'a mode that OSS does not have',
    { lock: { mode: 'GOVERNANCE', untilMs: LATER } },
    S3,
    OSS,
    {},
    [],
    ['lost lock: the destination has no GOVERNANCE mode'],
  ],
  ['a legal hold', { lock: { legalHold: true } }, S3, S3, { lock: { legalHold: true } }, ['lock'], []],
  [
    'a legal hold where there are none',
    { lock: { mode: 'GOVERNANCE', untilMs: LATER, legalHold: true } },
    S3,
    COS,
    {},
    [],
    ['lost lock: the destination has no GOVERNANCE mode', 'lost lock: the destination has no legal holds'],
  ],
  ['the usual ACL where every bucket has one of its own', { acl: 'private' }, S3, COS, { acl: 'private' }, ['acl'], []],
  ['a lock to a file', { lock: { legalHold: true } }, S3, DISK, {}, [], ['lost lock: the destination has none']],
];

describe('an object with', () => {
  it.each(cases)('%s', (_name, parts, from, to, expected, kept, other) => {
    const { put, fidelity } = over(parts, from, to);
    const { headers: _, mtimeMs: _time, storageClass: _class, metadata, ...further } = put;
    expect(further).toEqual(parts.metadata ? {} : expected);
    if (parts.metadata) expect(metadata).toEqual({ ...parts.metadata, mtime: '1700000000.5' });
    const { mapped = [], lost = [] } = fidelity ?? {};
    expect(fidelity?.kept ?? []).toEqual(kept);
    expect([
      ...mapped.map((note) => `mapped ${note.attribute}: ${note.reason}`),
      ...lost.map((note) => `lost ${note.attribute}: ${note.reason}`),
    ]).toEqual(other);
  });

  it('more tags than fit has the first ones', () => {
    const { put, fidelity } = over({ tags: tags(...'abcdefghijkl') }, DISK, S3);
    expect(put.tags).toEqual(tags(...'abcdefghij'));
    expect(fidelity?.lost.map(({ reason }) => reason)).toEqual([
      '"k" is beyond the 10 tags of an object',
      '"l" is beyond the 10 tags of an object',
    ]);
  });

  it('tags that are too long for a header has them set afterwards', () => {
    const long = Array.from({ length: 10 }, (_, i) => ({ key: `k${i}`, value: '漢'.repeat(256) }));
    const { put, later, fidelity } = over({ tags: long }, S3, S3);
    expect({ put: put.tags, later, kept: fidelity?.kept }).toEqual({
      put: undefined,
      later: { tags: long },
      kept: ['tags'],
    });
  });

  it('all tags are set afterwards where no header is documented', () => {
    const { put, later } = over({ tags: tags('a') }, S3, OBS);
    expect([put.tags, later?.tags]).toEqual([undefined, tags('a')]);
  });

  it('a legal hold has it set afterwards where no header can', () => {
    expect(over({ lock: { legalHold: true } }, S3, OSS)).toMatchObject({ later: { lock: { legalHold: true } } });
  });

  it('what nobody asked for loses it, and that is said', () => {
    const { put, fidelity } = over({ tagCount: 2, lock: { legalHold: true } }, S3, S3, USUAL_POLICY);
    expect([put.tags, put.lock]).toEqual([undefined, undefined]);
    expect(fidelity?.lost).toEqual([
      { attribute: 'tags', reason: 'not requested; --tags copies them' },
      { attribute: 'lock', reason: 'not requested; --lock copies it' },
    ]);
  });

  it('metadata too large for the destination has as much as fits', () => {
    const noise = (size: number) => randomBytes(size).toString('base64').slice(0, size);
    const { put, fidelity } = over({ metadata: { a: noise(3000), b: 'x' } }, OSS, S3);
    expect(put.metadata).toEqual({ b: 'x', mtime: '1700000000.5' });
    expect(fidelity?.lost).toEqual([{ attribute: 'metadata', reason: '"a" exceeded the 2048 bytes that fit' }]);
  });

  it('metadata that leaves no room for the time of the source goes before it', () => {
    const a = randomBytes(3000).toString('base64').slice(0, 2040);
    const { put, fidelity } = over({ metadata: { a } }, OSS, S3);
    expect(put.metadata).toEqual({ a });
    expect(fidelity?.lost).toEqual([
      { attribute: 'metadata', reason: 'the time of the source exceeded the 2048 bytes that fit' },
    ]);
  });
});

describe('a policy', () => {
  it('without metadata leaves it out, and the redirect', () => {
    const { put, fidelity } = over({ metadata: { a: '1' }, redirect: '/x' }, S3, S3, {
      metadata: false,
      fidelity: 'warn',
    });
    expect(put).toMatchObject({ headers: { contentType: 'text/plain' }, metadata: { mtime: '1700000000.5' } });
    expect({ redirect: put.redirect, fidelity }).toEqual({ redirect: undefined, fidelity: undefined });
  });

  it('sets headers and metadata in place of those of the source', () => {
    const set = { headers: { cacheControl: 'no-cache' }, metadata: { a: '2', mtime: '5' } };
    const { put } = over({ metadata: { a: '1', b: '1' } }, S3, S3, { ...ALL, set });
    expect(put.headers).toEqual({ contentType: 'text/plain', cacheControl: 'no-cache' });
    expect(put.metadata).toEqual({ a: '2', b: '1', mtime: '5' });
  });
});

describe('the way there and back', () => {
  const names = fc.stringMatching(/^[a-z0-9._-]{1,12}$/);
  const values = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constantFrom(' x ', '=?UTF-8?B?eA==?='));
  const limitsOf = ({ attributes }: Keeps) => attributes.metadata as MetadataLimits;
  /** What a store that was given these attributes tells of the object. */
  const kept = (to: Keeps, { metadata = {}, tags: list, acl, lock, redirect, headers = {} }: PutAttributes) =>
    object({
      ...{ headers, lock, redirect, tags: list, acl: acl ?? to.attributes.acl?.usual },
      metadata: unspell(spell(metadata, limitsOf(to)).entries, limitsOf(to)),
    });

  it.each([
    ['S3', 'OSS', S3, OSS],
    ['OSS', 'S3', OSS, S3],
  ])('%s to %s gives back what went in, for all that both can hold', (_from, _to, from, to) => {
    fc.assert(
      fc.property(fc.dictionary(names, values, { maxKeys: 6 }), fc.boolean(), (metadata, open) => {
        const original = object({
          metadata: { ...metadata, mtime: '1700000000.5' },
          tags: tags('a', 'b c'),
          acl: open ? 'public-read' : 'private',
          lock: { mode: 'COMPLIANCE', untilMs: LATER },
        });
        const there = kept(to, carry(original, from, to, ALL, NOW).put);
        const back = kept(from, carry(there, to, from, ALL, NOW).put);
        expect(back).toEqual(original);
      }),
    );
  });
});
