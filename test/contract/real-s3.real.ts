/**
 * The contract against a real S3 server, whatever one is at hand: `XSYNC_TEST_S3_ENDPOINT`, `_ACCESS_KEY`,
 * `_SECRET_KEY` and `_REGION`, optionally `_PROVIDER` (default ceph). The run makes one bucket of its own and empties
 * it after every test; the empty bucket stays, and a bucket with locked objects.
 */
import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll } from 'vitest';
import { HttpTransport } from '../../src/store/http/transport.js';
import type { ObjectStore } from '../../src/store/port.js';
import { s3ConfigSchema } from '../../src/store/s3/config.js';
import { createS3SdkStore } from '../../src/store/s3/sdk.js';
import { createS3Store } from '../../src/store/s3/store.js';
import { type Backend, empty } from './context.js';
import { describeStore } from './suite.js';

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
const ceph = config.provider === 'ceph';
const transport = new HttpTransport({ userAgent: 'xsync-test' });
const bucket = `xsync-contract-${randomUUID()}`;
afterAll(() => transport.close());

const client = new S3Client({
  endpoint: config.endpoint,
  region: config.region,
  forcePathStyle: true,
  credentials: { accessKeyId: setting('ACCESS_KEY'), secretAccessKey: setting('SECRET_KEY') },
});
const versioned = `${bucket}-v`;

/** Versions are deleted one page after the other. */
async function emptyHistory(): Promise<void> {
  for (;;) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket: versioned }));
    const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    if (all.length === 0) return;
    const Objects = all.map(({ Key, VersionId }) => ({ Key, VersionId }));
    await client.send(new DeleteObjectsCommand({ Bucket: versioned, Delete: { Objects } }));
  }
}

const real = (on: (bucket: string) => ObjectStore): Backend => ({
  open: async () => {
    const store = on(bucket);
    await store.createBucket();
    return {
      store,
      missing: on(`${bucket.slice(0, 40)}-${randomUUID().slice(0, 8)}`),
      dispose: () => empty(on(bucket)),
    };
  },
  openVersioned: async () => {
    const store = on(versioned);
    await store.createBucket();
    const VersioningConfiguration = { Status: 'Enabled' as const };
    await client.send(new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration }));
    return { store, dispose: emptyHistory };
  },
  // Stays with what is locked in it.
  openLocking: async () => {
    const locking = `xsync-contract-${randomUUID()}`;
    await client.send(new CreateBucketCommand({ Bucket: locking, ObjectLockEnabledForBucket: true }));
    return { store: on(locking) };
  },
  refuses: ceph ? ['1,025 bytes', 'NUL'] : ['1,025 bytes'],
  wantsEveryPart: ceph,
});

describeStore(
  `s3 at ${config.endpoint}`,
  real((name) => createS3Store(config, name, { transport })),
);
describeStore(
  `s3 (sdk) at ${config.endpoint}`,
  real((name) => createS3SdkStore(config, name)),
);
