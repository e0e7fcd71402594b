import { HttpTransport } from '../../../src/store/http/transport.js';
import { type OssConfigInput, ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssSdkStore } from '../../../src/store/oss/sdk.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import type { Backend } from '../../contract/context.js';
import { type BucketOptions, planterOf, startServer } from '../../support/server/index.js';

/** An OSS store for the contract suite, on a strict test server of its own. */
export function ossBackend(kind: 'lean' | 'sdk', more: Partial<OssConfigInput> = {}): Backend {
  const open = async (options: BucketOptions = {}) => {
    const server = await startServer();
    const { endpoint, region, accessKeyId, accessKeySecret } = server.oss;
    const config = ossConfigSchema.parse({
      type: 'oss',
      endpoint,
      region,
      access_key_id: accessKeyId,
      secret_access_key: accessKeySecret,
      ...more,
    });
    const transport = new HttpTransport({ userAgent: 'xsync-test' });
    const on = (bucket: string) =>
      kind === 'lean' ? createOssStore(config, bucket, { transport }) : createOssSdkStore(config, bucket);
    const plant = planterOf(server.core.oss.createBucket('photos', options));
    const dispose = async () => {
      await transport.close();
      await server.close();
    };
    return { store: on('photos'), missing: on('missing'), plant, dispose };
  };
  const openVersioned = () => open({ versioning: 'Enabled' });
  const openLocking = () => open({ objectLock: true });
  return {
    open: () => open(),
    openVersioned,
    openLocking,
    refuses: ['leading slash', 'leading backslash', '1,024 bytes', '1,025 bytes'],
  };
}
