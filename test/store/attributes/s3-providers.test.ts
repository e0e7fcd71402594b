import { expect, it } from 'vitest';
import { S3_PROVIDERS } from '../../../src/store/attributes/s3-providers.js';
import { PRESETS, PROVIDERS, presetOf } from '../../../src/store/s3/presets.js';

const keeps = (provider: keyof typeof PRESETS) => {
  const { tags, acl, lock, redirect } = presetOf({ provider }).attributes;
  const has = { tags, acl, lock, redirect };
  return Object.entries(has).flatMap(([name, limits]) => (limits ? [name] : []));
};

it.each([
  ['aws', ['tags', 'acl', 'lock', 'redirect']],
  ['aws-cn', ['tags', 'acl', 'lock', 'redirect']],
  ['ceph', ['tags', 'acl', 'lock', 'redirect']],
  ['minio', ['tags', 'lock']],
  ['b2', ['lock']],
  ['r2', []],
  ['garage', []],
  ['gcs', ['acl']],
  ['storj', ['tags', 'lock']],
  ['oss', ['acl']],
] as const)('%s keeps %j', (provider, expected) => {
  expect(keeps(provider)).toEqual(expected);
});

it('every provider with a row of its own uses it', () => {
  for (const name of PROVIDERS) {
    if (Object.hasOwn(S3_PROVIDERS, name)) {
      expect([name, PRESETS[name].attributes]).toEqual([
        name,
        Object.entries(S3_PROVIDERS).find(([k]) => k === name)?.[1],
      ]);
    }
  }
});
