/** Lists the buckets of an account. Tests: test/cli/listings.test.ts */
import type { BucketPages, Resources } from '../backend.js';
import { readBuckets } from '../http/buckets.js';
import type { S3Config } from './config.js';
import { prepare } from './open.js';
import { Wire } from './wire.js';

/** @param name of the remote, for messages. @throws config */
export async function s3Buckets(given: S3Config, name: string, resources: Resources): Promise<BucketPages> {
  const { config, credentials, connection } = await prepare(given, resources);
  // The service itself has no bucket in its host name.
  const service: S3Config = { ...config, accelerate: 'off', force_path_style: true };
  const wire = new Wire(service, '', credentials, await connection.http(), `${name}:`);
  return async (token) => {
    const { body } = await wire.send({ method: 'GET', parameters: { 'continuation-token': token } });
    const { buckets, token: nextToken } = readBuckets(body);
    return { buckets, nextToken };
  };
}
