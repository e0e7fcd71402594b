import { describe, expect, it } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { listedDecoder } from '../../../src/store/s3/encode.js';
import { capabilitiesOf } from '../../../src/store/s3/info.js';
import { presetOf } from '../../../src/store/s3/presets.js';
import { isMissingCall, isRefusedForm, Quirks } from '../../../src/store/s3/quirks.js';

const KEYS = { access_key_id: 'AKID', secret_access_key: 'hidden' };
const parse = (more: object) =>
  s3ConfigSchema.parse({ type: 's3', endpoint: 'https://s3.example.com', ...KEYS, ...more });
const refusal = (status: number, serviceCode?: string) =>
  new XsyncError('invalid-response', 'refused', { status, serviceCode });

describe('a call that the store lacks', () => {
  it.each([
    [405, undefined],
    [501, 'NotImplemented'],
    [400, 'NotImplemented'],
    [400, 'MethodNotAllowed'],
  ])('is known by %i %s', (status, code) => {
    expect(isMissingCall(refusal(status, code))).toBe(true);
    expect(isRefusedForm(refusal(status, code))).toBe(true);
  });

  it.each([
    [400, 'InvalidArgument', true],
    [400, undefined, true],
    [400, 'ExpiredToken', false],
    [400, 'KMS.DisabledException', false],
    [400, 'BadDigest', false],
    [400, 'InvalidBucketName', false],
    [403, 'AccessDenied', false],
    [503, 'SlowDown', false],
  ])('may be meant by %i %s: %s', (status, code, form) => {
    expect(isMissingCall(refusal(status, code))).toBe(false);
    expect(isRefusedForm(refusal(status, code))).toBe(form);
  });

  it('is tried once, and told once', async () => {
    const told: string[] = [];
    const quirks = new Quirks([], (message) => told.push(message));
    let tried = 0;
    const call = async () => {
      tried++;
      throw refusal(501);
    };
    for (let i = 0; i < 3; i++) expect(await quirks.without('list-v1', call, async () => i)).toBe(i);
    expect(tried).toBe(1);
    expect(told).toEqual(['there is no ListObjectsV2, so ListObjects is used']);
  });

  it('is not blamed for what the other call is refused as well', async () => {
    const quirks = new Quirks([]);
    const refused = async () => Promise.reject(refusal(400, 'InvalidArgument'));
    await expect(quirks.without('list-v1', refused, refused)).rejects.toMatchObject({ status: 400 });
    expect(quirks.has('list-v1')).toBe(false);
  });
});

describe('a remote', () => {
  it('sets quirks as a list or as text, and the number of parts', () => {
    expect(presetOf(parse({ quirks: ['list-v1'], max_parts: '500' }))).toMatchObject({
      quirks: ['list-v1'],
      maxParts: 500,
    });
    expect(presetOf(parse({ quirks: 'list-v1, no-range' })).quirks).toEqual(['list-v1', 'no-range']);
    expect(presetOf(parse({ quirks: '' })).quirks).toEqual([]);
    expect(s3ConfigSchema.safeParse({ type: 's3', ...KEYS, quirks: ['no-such'] }).success).toBe(false);
  });

  it('has those of its provider otherwise', () => {
    expect(presetOf(parse({})).quirks).toEqual(['no-copy-if-match']);
    expect(capabilitiesOf(presetOf(parse({ provider: 'Scaleway' })), {})).toMatchObject({ maxParts: 1000 });
  });
});

describe('a listing that claims to be encoded', () => {
  it.each([
    ['url', ['a+b', '%E6%BC%A2', 'a%2Bb'], ['a b', '漢', 'a+b']],
    ['url', ['a+b', '漢'], ['a+b', '漢']],
    ['url', ['a+b', 'c d'], ['a+b', 'c d']],
    ['url', ['a+b', '100%'], ['a+b', '100%']],
    ['url', ['a+b', '%FF'], ['a b', '%FF']],
    [undefined, ['a+b', '%41'], ['a+b', '%41']],
  ])('%s: %j is %j', (encoding, listed, keys) => {
    expect(listed.map(listedDecoder(encoding, listed))).toEqual(keys);
  });
});
