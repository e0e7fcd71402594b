/** The contract against stores that lack what Amazon's has, or answer in another way. */
import { afterAll } from 'vitest';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import type { Backend } from '../../contract/context.js';
import { describeStore, type Group } from '../../contract/suite.js';
import { FLAWS, type Flaw, type FlawName, planterOf, startServer } from '../../support/server/index.js';

const transport = new HttpTransport({ userAgent: 'xsync-test' });
afterAll(() => transport.close());

const PART = 100 * 1024;

async function imperfect(flaw: Flaw): Promise<Backend> {
  const server = await startServer({ flaw, s3: { defaultChecksum: false, minPartSize: PART } });
  afterAll(() => server.close());
  const { endpoint, region, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server.s3;
  // A provider whose limits are those of the server. What the store lacks is for the calls to find out.
  const provider = { provider: 'wasabi', quirks: ['no-copy-if-match'], etag_is_md5: false, force_path_style: true };
  const config = s3ConfigSchema.parse({ type: 's3', ...provider, endpoint, region, access_key_id, secret_access_key });
  let buckets = 0;
  return {
    open: async () => {
      const on = (bucket: string) => createS3Store(config, bucket, { transport });
      const name = `bucket-${++buckets}`;
      const store = on(name);
      await store.createBucket();
      const plant = planterOf(server.core.s3.bucket(name));
      return { store, missing: on(`${name}-missing`), minPartSize: PART, plant };
    },
    refuses: ['1,025 bytes'],
  };
}

/** What cannot hold without the calls. The listing's capitals are for the engine, which compares ETags of all calls. */
const WITHOUT: Partial<Record<FlawName, readonly Group[]>> = {
  'has neither DeleteObjects nor CopyObject': ['keys', 'copies', 'attributes'],
  'refuses batches and copies with 405 and stores an empty object for a copy': ['keys', 'copies', 'attributes'],
  'lists neither parts nor uploads': ['keys', 'transfers', 'multipart', 'uploads'],
  'has no multipart uploads': ['keys', 'bucket', 'copies', 'transfers', 'multipart', 'uploads', 'attributes'],
  'answers writes and reads without ETag': ['keys', 'pieces'],
  'lists ETags in capitals': ['keys', 'objects', 'multipart'],
  'knows only version 1 of ListObjects': [],
  'does not encode keys': [],
};

for (const [name, flaw] of Object.entries(FLAWS)) {
  const without = Object.entries(WITHOUT).find(([one]) => one === name)?.[1] ?? ['keys'];
  describeStore(`a store that ${name}`, await imperfect(flaw), without);
}
