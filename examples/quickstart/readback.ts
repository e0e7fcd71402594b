/**
 * Reads everything back without xsync: the files from disk, the objects through the vendors' own SDKs. All three sides
 * must have the same names and the same SHA-256.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import OSS from 'ali-oss';
import type { TestServer } from '../../test/support/server/index.js';
import { filesOf } from './data.js';

/** A place whose objects can be listed and read. */
interface Place {
  name: string;
  keys(): Promise<string[]>;
  read(key: string): Promise<Readable>;
}

export interface ReadBack {
  objects: number;
  /** Total bytes read on all sides. */
  bytes: number;
  /** Missing, extra and different objects; empty if all sides are the same. */
  differences: string[];
}

const AT_ONCE = 16;

// On Node 20 the SDK warns that its 2027 releases will require a newer Node. Users of the quick start need not see it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

/** Compares the files below `folder` with the buckets named `bucket` at both services. */
export async function readBack(folder: string, bucket: string, server: TestServer): Promise<ReadBack> {
  const places = [disk(folder), s3(bucket, server), oss(bucket, server)];
  const names = await Promise.all(places.map((place) => place.keys()));
  const keys = [...new Set(names.flat())].sort();
  const held = names.map((list) => new Set(list));
  const result: ReadBack = { objects: keys.length, bytes: 0, differences: [] };
  await eachOf(keys, async (key) => {
    const missing = places.filter((_, index) => !held[index]?.has(key));
    if (missing.length > 0) {
      result.differences.push(`${key}: not on ${missing.map(({ name }) => name).join(', ')}`);
      return;
    }
    const read = await Promise.all(places.map(async (place) => sha256(await place.read(key))));
    for (const { bytes } of read) result.bytes += bytes;
    if (new Set(read.map(({ hash }) => hash)).size > 1) result.differences.push(`${key}: its bytes differ`);
  });
  return result;
}

function disk(folder: string): Place {
  return {
    name: 'disk',
    async keys() {
      const keys: string[] = [];
      for await (const path of filesOf(folder)) keys.push(relative(folder, path).split(sep).join('/'));
      return keys;
    },
    read: async (key) => createReadStream(`${folder}/${key}`),
  };
}

function s3(bucket: string, { s3: { endpoint, region, accessKeyId, secretAccessKey } }: TestServer): Place {
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  return {
    name: 'S3',
    async keys() {
      const keys: string[] = [];
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket })) {
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      }
      return keys;
    },
    async read(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (Body instanceof Readable) return Body;
      throw new Error(`S3 sent no body for ${key}`);
    },
  };
}

function oss(bucket: string, { oss: { endpoint, region, accessKeyId, accessKeySecret } }: TestServer): Place {
  const client = new OSS({
    endpoint,
    region: `oss-${region}`,
    bucket,
    accessKeyId,
    accessKeySecret,
    authorizationV4: true,
  });
  return {
    name: 'OSS',
    async keys() {
      const keys: string[] = [];
      for (let token: string | undefined; ; ) {
        const page = await client.listV2({ 'max-keys': '1000', 'continuation-token': token }, {});
        for (const { name } of page.objects ?? []) keys.push(name);
        token = page.nextContinuationToken;
        if (!token) return keys;
      }
    },
    async read(key) {
      const { stream } = await client.getStream(key);
      return stream;
    },
  };
}

async function sha256(body: Readable): Promise<{ hash: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { hash: hash.digest('hex'), bytes };
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
