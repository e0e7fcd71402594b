import type { TestServer } from '../../test/support/server/index.js';

/** The config file for both sides of the server: the remotes `virginia` (S3) and `ossName` (OSS). */
export function configOf({ s3, oss }: TestServer, ossName: string): string {
  return `remotes:
  virginia:
    type: s3
    endpoint: ${s3.endpoint}
    region: ${s3.region}
    access_key_id: ${s3.accessKeyId}
    secret_access_key: ${s3.secretAccessKey}
  ${ossName}:
    type: oss
    endpoint: ${oss.endpoint}
    region: ${oss.region}
    access_key_id: ${oss.accessKeyId}
    secret_access_key: ${oss.accessKeySecret}
`;
}
