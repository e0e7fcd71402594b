/** The S3 store on the SDK held to the contract, against the strict test server. */
import { afterAll } from 'vitest';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { type CustomerKey, customerKeyOf } from '../../../src/store/s3/customer-key.js';
import { createS3SdkStore } from '../../../src/store/s3/sdk.js';
import type { Backend } from '../../contract/context.js';
import { describeStore } from '../../contract/suite.js';
import { planterOf, startServer } from '../../support/server/index.js';

const server = await startServer();
afterAll(() => server.close());
let buckets = 0;

const s3 = (more: Record<string, unknown>, customerKey?: CustomerKey): Backend => ({
  open: async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
    const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
    const config = s3ConfigSchema.parse({ type: 's3', endpoint, region, ...keys, ...more });
    const on = (bucket: string) => createS3SdkStore({ ...config, customerKey }, bucket);
    const name = `bucket-${++buckets}`;
    const store = on(name);
    await store.createBucket();
    return { store, missing: on(`${name}-missing`), plant: planterOf(server.core.s3.bucket(name)) };
  },
  refuses: ['1,025 bytes'],
});

describeStore('s3 (sdk)', s3({ provider: 'aws', force_path_style: true }));
describeStore('s3 (sdk) of another provider', s3({}));
describeStore(
  's3 (sdk) with a key of the customer',
  s3({ provider: 'aws', force_path_style: true }, customerKeyOf(Buffer.alloc(32, 'k'))),
);
