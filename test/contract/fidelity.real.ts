/**
 * What a copy inside a real S3 server keeps, as docs/fidelity.md shows it: objects are put there and looked at by the SDK.
 * `XSYNC_WRITE=1` notes what is found; without it, it must be what was noted. The environment is that of real-s3.real.ts;
 * a server other than Ceph is only tested for honest reports.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  CreateBucketCommand,
  GetObjectAclCommand,
  GetObjectLegalHoldCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type ObjectCannedACL,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  type StorageClass,
} from '@aws-sdk/client-s3';
import { afterAll, expect, test } from 'vitest';
import { HttpTransport } from '../../src/store/http/transport.js';
import { s3ConfigSchema } from '../../src/store/s3/config.js';
import { createS3Store } from '../../src/store/s3/store.js';
import { CEPH, type Cell, compareAll, type Raw, ROWS, type Site } from '../engine/fidelity/matrix.js';
import type { PutInput } from '../support/server/index.js';

function setting(name: string): string {
  const value = process.env[`XSYNC_TEST_S3_${name}`];
  if (!value) throw new Error(`XSYNC_TEST_S3_${name} is not set: these tests need a real S3 server`);
  return value;
}

const config = s3ConfigSchema.parse({
  type: 's3',
  provider: process.env.XSYNC_TEST_S3_PROVIDER ?? 'ceph',
  endpoint: setting('ENDPOINT'),
  region: setting('REGION'),
  access_key_id: setting('ACCESS_KEY'),
  secret_access_key: setting('SECRET_KEY'),
});
const client = new S3Client({
  endpoint: config.endpoint,
  region: config.region,
  forcePathStyle: true,
  credentials: { accessKeyId: setting('ACCESS_KEY'), secretAccessKey: setting('SECRET_KEY') },
  requestChecksumCalculation: 'WHEN_REQUIRED',
});
const transport = new HttpTransport({ userAgent: 'xsync-test' });
afterAll(() => transport.close());

/** The server of the tests has one storage class, and no KMS, times of a writer, websites of objects, or checksums on request. */
const LACKING = [
  ...["the source's time", 'encryption with a key of KMS', 'archived, not restored', 'website redirect'],
  'checksum: SHA-256',
];
const rows = ROWS.filter(({ title, s3 }) => s3 && !LACKING.includes(title) && !title.startsWith('storage class'));

async function site(): Promise<Site> {
  const bucket = `xsync-fidelity-${randomUUID().slice(0, 18)}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
  return {
    kind: 's3',
    store: createS3Store(config, bucket, { transport }),
    put: (key, input) => put(bucket, key, input),
    see: (key) => see(bucket, key),
  };
}

async function put(
  Bucket: string,
  Key: string,
  { headers = {}, metadata, tags = [], acl, lock }: PutInput,
): Promise<void> {
  const word = (value: string) =>
    /[^ -~]/.test(value) ? `=?UTF-8?B?${Buffer.from(value, 'latin1').toString('base64')}?=` : value;
  await client.send(
    new PutObjectCommand({
      ...{ Bucket, Key, Body: `the bytes of ${Key}`, ChecksumAlgorithm: lock && 'SHA256' },
      ContentType: headers['content-type'] ?? 'text/plain',
      ContentEncoding: headers['content-encoding'],
      ContentLanguage: headers['content-language'],
      ContentDisposition: headers['content-disposition'],
      CacheControl: headers['cache-control'],
      Expires: headers.expires === undefined ? undefined : new Date(headers.expires),
      Metadata: metadata && Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, word(value)])),
      Tagging:
        tags.map(({ key, value }) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&') || undefined,
      ACL: acl as ObjectCannedACL | undefined,
      StorageClass: undefined as StorageClass | undefined,
      ObjectLockMode: lock?.mode,
      ObjectLockRetainUntilDate: lock?.untilMs === undefined ? undefined : new Date(lock.untilMs),
      ObjectLockLegalHoldStatus: lock?.hold ? 'ON' : undefined,
    }),
  );
}

async function see(Bucket: string, Key: string): Promise<Raw | undefined> {
  const at = { Bucket, Key };
  try {
    const head = await client.send(new HeadObjectCommand(at));
    const { mtime: _, ...metadata } = head.Metadata ?? {};
    const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(at));
    const { Grants = [] } = await client.send(new GetObjectAclCommand(at));
    return {
      'content-type': head.ContentType,
      'content-encoding': head.ContentEncoding,
      'content-language': head.ContentLanguage,
      'content-disposition': head.ContentDisposition,
      'cache-control': head.CacheControl,
      expires: head.ExpiresString,
      metadata: JSON.stringify(Object.entries(metadata).sort()),
      tags: JSON.stringify(TagSet),
      acl: JSON.stringify(Grants.map(({ Grantee, Permission }) => [Grantee?.URI ?? Grantee?.ID, Permission]).sort()),
      lock: JSON.stringify([head.ObjectLockMode, head.ObjectLockRetainUntilDate, await holdOf(at)]),
    };
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
    throw error;
  }
}

async function holdOf(at: { Bucket: string; Key: string }): Promise<string | undefined> {
  try {
    return (await client.send(new GetObjectLegalHoldCommand(at))).LegalHold?.Status;
  } catch (error) {
    // It has none.
    if (error instanceof S3ServiceException) return undefined;
    throw error;
  }
}

test('a copy inside the server keeps what the page says, and reports the rest', async () => {
  const cells = await compareAll(await site(), await site(), rows);
  const found = Object.fromEntries(rows.map(({ title }, index): [string, Cell | undefined] => [title, cells[index]]));
  if (config.provider !== 'ceph') return;
  if (process.env.XSYNC_WRITE === '1') writeFileSync(CEPH, `${JSON.stringify(found, undefined, 2)}\n`);
  expect(found).toEqual(JSON.parse(readFileSync(CEPH, 'utf8')));
});
