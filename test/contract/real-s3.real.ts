/**
 * The contract against a real S3 server, whatever one is at hand: `XSYNC_TEST_S3_ENDPOINT`, `_ACCESS_KEY`,
 * `_SECRET_KEY` and `_REGION`, optionally `_PROVIDER` (default ceph). The run makes one bucket of its own and empties
 * it after every test; the empty bucket stays.
 */
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import { HttpTransport } from '../../src/store/http/transport.js';
import { s3ConfigSchema } from '../../src/store/s3/config.js';
import { createS3Store } from '../../src/store/s3/store.js';
import { empty } from './context.js';
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
const on = (bucket: string) => createS3Store(config, bucket, { transport });
const bucket = `xsync-contract-${randomUUID()}`;
afterAll(() => transport.close());

describeStore(`s3 at ${config.endpoint}`, {
  open: async () => {
    const store = on(bucket);
    await store.createBucket();
    return {
      store,
      missing: on(`${bucket.slice(0, 40)}-${randomUUID().slice(0, 8)}`),
      dispose: () => empty(on(bucket)),
    };
  },
  refuses: ceph ? ['1,025 bytes', 'NUL'] : ['1,025 bytes'],
  wantsEveryPart: ceph,
});
