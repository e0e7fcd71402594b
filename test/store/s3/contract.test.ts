/** The lean S3 store held to the contract, against the strict test server. */
import { afterAll } from 'vitest';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { type CustomerKey, customerKeyOf } from '../../../src/store/s3/customer-key.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import type { Backend } from '../../contract/context.js';
import { describeStore } from '../../contract/suite.js';
import { planterOf, startServer } from '../../support/server/index.js';

const server = await startServer();
const transport = new HttpTransport({ userAgent: 'xsync-test' });
afterAll(async () => {
  await transport.close();
  await server.close();
});
let buckets = 0;

const s3 = (more: Record<string, unknown>, customerKey?: CustomerKey): Backend => ({
  open: () => open(more, customerKey),
  openVersioned: async () => {
    const subject = await open(more, customerKey);
    server.core.s3.bucket(subject.store.identity.bucket).versioning = 'Enabled';
    return subject;
  },
  openLocking: () =>
    open(more, customerKey, (bucket) => void server.core.s3.createBucket(bucket, { objectLock: true })),
  refuses: ['1,025 bytes'],
});

type Create = (bucket: string) => void;

async function open(more: Record<string, unknown>, customerKey?: CustomerKey, create?: Create) {
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
  const config = s3ConfigSchema.parse({ type: 's3', endpoint, region, ...keys, ...more });
  const on = (bucket: string) => createS3Store({ ...config, customerKey }, bucket, { transport });
  const name = `bucket-${++buckets}`;
  const store = on(name);
  if (create) create(name);
  else await store.createBucket();
  return { store, missing: on(`${name}-missing`), plant: planterOf(server.core.s3.bucket(name)) };
}

describeStore('s3', s3({ provider: 'aws', force_path_style: true }));
describeStore('s3 of another provider', s3({}));
describeStore(
  's3 with a key of the customer',
  s3({ provider: 'aws', force_path_style: true }, customerKeyOf(Buffer.alloc(32, 'k'))),
);
