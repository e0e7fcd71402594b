/** A config with both services of the test server. */
import type { TestServer } from '../../test/support/server/index.js';

export function remotesOf({ s3, oss }: Pick<TestServer, 's3' | 'oss'>): string {
  const east = {
    type: 's3',
    provider: 'minio',
    endpoint: s3.endpoint,
    region: s3.region,
    access_key_id: s3.accessKeyId,
    secret_access_key: s3.secretAccessKey,
    force_path_style: true,
  };
  const shanghai = {
    type: 'oss',
    endpoint: oss.endpoint,
    region: oss.region,
    access_key_id: oss.accessKeyId,
    secret_access_key: oss.accessKeySecret,
  };
  // JSON is YAML.
  return JSON.stringify({ remotes: { east, shanghai } });
}
