/** Stores of the test server as a run opens them, and objects there that were uploaded in parts. */
import type { HttpTransport } from '../../src/store/http/transport.js';
import { ossConfigSchema } from '../../src/store/oss/config.js';
import { createOssStore } from '../../src/store/oss/store.js';
import type { ObjectStore } from '../../src/store/port.js';
import { s3ConfigSchema } from '../../src/store/s3/config.js';
import { createS3Store } from '../../src/store/s3/store.js';
import { Bytes } from '../support/server/bytes.js';
import type { TestServer } from '../support/server/index.js';
import { completeUpload, createUpload, putPart } from '../support/server/uploads.js';

/** @param more settings of the remote */
export function s3Over(transport: HttpTransport, { s3 }: TestServer, bucket: string, more: object = {}): ObjectStore {
  const { endpoint, region, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = s3;
  const config = { type: 's3', provider: 'minio', endpoint, region, access_key_id, secret_access_key, ...more };
  return createS3Store(s3ConfigSchema.parse(config), bucket, { transport });
}

export function ossOver(transport: HttpTransport, { oss }: TestServer, bucket: string): ObjectStore {
  const { endpoint, region, accessKeyId: access_key_id, accessKeySecret: secret_access_key } = oss;
  const config = { type: 'oss', endpoint, region, access_key_id, secret_access_key };
  return createOssStore(ossConfigSchema.parse(config), bucket, { transport });
}

/** Puts an object into a bucket of the server's S3 in parts of this size; its ETag is the MD5 of theirs. */
export function putInParts(
  server: TestServer,
  bucketName: string,
  key: string,
  body: Uint8Array,
  partSize: number,
): void {
  const bucket = server.core.s3.bucket(bucketName);
  const upload = createUpload(bucket, key, {});
  const chosen = [];
  for (let at = 0; at < body.byteLength; at += partSize) {
    const { partNumber, etag } = putPart(bucket, upload, chosen.length + 1, Bytes.of(body.subarray(at, at + partSize)));
    chosen.push({ partNumber, etag });
  }
  completeUpload(bucket, upload, chosen, { minPartSize: 1, defaultChecksum: false });
}
