import { readFileSync } from 'node:fs';
import { StorageClass } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { mappedClass } from '../../../src/model/storage-class.js';
import { OSS_CLASSES, S3_CLASSES } from '../../../src/store/attributes/classes.js';
import { S3_PROVIDERS } from '../../../src/store/attributes/s3-providers.js';

it("Amazon's classes are those of its SDK, without those of other kinds of storage", () => {
  const others = /^(?:EXPRESS|OUTPOSTS|SNOW|FSX|AWS_BACKUP)/;
  const sdk = Object.values(StorageClass).filter((name) => !others.test(name));
  expect(Object.keys(S3_CLASSES.kinds).sort()).toEqual(sdk.sort());
});

it('every provider has a class of ordinary objects, and the first one is that', () => {
  for (const [name, { classes }] of Object.entries(S3_PROVIDERS)) {
    expect([name, Object.entries(classes.kinds)[0]]).toEqual([name, ['STANDARD', 'standard']]);
  }
  expect(Object.keys(OSS_CLASSES.kinds)[0]).toBe('Standard');
});

it('the documentation has the table of S3 and OSS as it is', () => {
  const text = readFileSync('docs/fidelity.md', 'utf8');
  for (const name of Object.keys(S3_CLASSES.kinds)) {
    expect(text).toContain(`| \`${name}\` | \`${mappedClass(name, S3_CLASSES, OSS_CLASSES)}\` |`);
  }
  for (const name of Object.keys(OSS_CLASSES.kinds)) {
    expect(text).toContain(`| \`${name}\` | \`${mappedClass(name, OSS_CLASSES, S3_CLASSES)}\` |`);
  }
});
