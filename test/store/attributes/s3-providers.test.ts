import { readFileSync } from 'node:fs';
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
  ['scaleway', ['tags', 'acl', 'lock']],
  ['wasabi', ['tags', 'acl', 'lock']],
  ['cos', ['tags', 'acl', 'lock']],
  ['obs', ['tags', 'acl', 'lock', 'redirect']],
] as const)('%s keeps %j', (provider, expected) => {
  expect(keeps(provider)).toEqual(expected);
});

it('the documentation has the table as it is', () => {
  const rows = readFileSync('docs/providers.md', 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  for (const provider of PROVIDERS) {
    const { tags, acl, lock, redirect, classes } = presetOf({ provider }).attributes;
    const names = Object.keys(classes.kinds).map((name) => `\`${name}\``);
    const has = [tags, acl, lock, redirect].map((limits) => (limits ? 'yes' : ''));
    const row = rows.find((cells) => cells.length === 8 && cells[1]?.split(', ').includes(`\`${provider}\``));
    expect([provider, ...(row ?? [])].slice(3, 8)).toEqual([
      ...has,
      `${names.join(', ')}${classes.open ? ', and what its operator adds' : ''}`,
    ]);
  }
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
