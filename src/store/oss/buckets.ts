/** Lists the buckets of an account, in all regions. Tests: test/cli/listings.test.ts */
import type { BucketPages, Resources } from '../backend.js';
import { readBuckets } from '../http/buckets.js';
import { OssClient } from './client.js';
import { type OssConfig, resolveOssConfig } from './config.js';
import { sourceOf } from './credentials.js';

const PAGE = '1000';

/** @param name of the remote, for messages. @throws config */
export async function ossBuckets(config: OssConfig, name: string, resources: Resources): Promise<BucketPages> {
  const { env } = resources;
  const connection = await resources.connect(config);
  const transport = await connection.http();
  const settings = resolveOssConfig({ ...config, accelerate: 'off' }, env);
  const source = sourceOf(settings.recipe, env, async () => transport);
  const client = new OssClient(settings, '', transport, source, `${name}:`);
  return async (marker) => {
    const query = { 'max-keys': PAGE, ...(marker !== undefined && { marker }) };
    const { body } = await client.send({ method: 'GET', query, service: true });
    const { buckets, marker: nextToken } = readBuckets(body);
    return { buckets, nextToken };
  };
}
