import { describe, expect, it } from 'vitest';
import { ClockSkew } from '../../../src/store/http/clock.js';
import type { HttpRequest } from '../../../src/store/http/message.js';
import { type OssConfigInput, ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssStore } from '../../../src/store/oss/store.js';

const ANSWERS: Record<string, string> = {
  uploads: '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
  list: '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>',
  part: '<CopyPartResult><ETag>"E"</ETag></CopyPartResult>',
  copy: '<CopyObjectResult><ETag>"E"</ETag><LastModified>2012-02-24T08:42:32.000Z</LastModified></CopyObjectResult>',
};

function kindOf(path: string, headers: Record<string, string>): string {
  if (/[?&]uploads/.test(path)) return 'uploads';
  if (path.includes('list-type')) return 'list';
  if (!('x-oss-copy-source' in headers)) return '';
  return path.includes('uploadId=') ? 'part' : 'copy';
}

function routed(config: Partial<OssConfigInput> = {}, bucket = 'photos') {
  const requests: HttpRequest[] = [];
  const transport = {
    clock: new ClockSkew(),
    async request(request: HttpRequest) {
      requests.push(request);
      const { path, headers } = request;
      const answer = { etag: '"E"', 'content-length': '0', 'content-range': 'bytes 0-0/1' };
      const body = Buffer.from(ANSWERS[kindOf(path, headers)] ?? '');
      return { status: request.method === 'GET' ? 206 : 200, headers: answer, body, received: 1 };
    },
  };
  const parsed = ossConfigSchema.parse({
    type: 'oss',
    region: 'cn-hangzhou',
    access_key_id: 'test-id',
    secret_access_key: 'test-secret',
    ...config,
  });
  return { store: createOssStore(parsed, bucket, { transport }), requests };
}

describe('where an OSS bucket is reached', () => {
  it('only bytes are billed as accelerated, and bucket calls do not fail for going that way', async () => {
    const { store, requests } = routed({ accelerate: 'on' });
    const upload = { key: 'k', uploadId: 'u' };
    await store.read('k', new Uint8Array(1));
    await store.put('k', new Uint8Array(1));
    await store.uploadPart(upload, 1, new Uint8Array(1));
    const bytes = requests.splice(0).map(({ origin }) => origin);
    expect(bytes).toEqual(Array(3).fill('https://photos.oss-accelerate.aliyuncs.com'));
    await store.list({});
    await store.head('k');
    await store.createUpload('k');
    await store.createBucket();
    await store.copy(store, 'k', 'l');
    await store.uploadPartCopy(upload, 1, store, 'k', { offset: 0, size: 1 });
    const control = requests.map(({ origin }) => origin);
    expect(control).toEqual(Array(6).fill('https://photos.oss-cn-hangzhou.aliyuncs.com'));
    expect(requests[0]?.headers.authorization).toContain('/cn-hangzhou/oss/');
  });

  it('a copy by the service names its source and version, and keeps its metadata unless new is given', async () => {
    const { store, requests } = routed({ storage_class: 'IA' });
    const { store: other } = routed({}, 'other');
    await store.copy(other, 'a/中 +', 'b', { ifMatch: 'E1', versionId: 'v' });
    expect(requests[0]?.headers).toMatchObject({
      'x-oss-copy-source': '/other/a%2F%E4%B8%AD%20%2B?versionId=v',
      'x-oss-copy-source-if-match': '"E1"',
      'x-oss-metadata-directive': 'COPY',
      'x-oss-storage-class': 'IA',
    });
    await store.copy(other, 'a', 'b', { metadata: { a: '1' }, storageClass: 'Standard' });
    expect(requests[1]?.headers).toMatchObject({
      'x-oss-meta-a': '1',
      'x-oss-metadata-directive': 'REPLACE',
      'x-oss-storage-class': 'Standard',
    });
  });

  it('buckets of another account, region or service are not copied by the service', async () => {
    const { store } = routed();
    expect(store.copyableFrom(routed({}, 'other').store)).toBe(true);
    for (const config of [{ access_key_id: 'another' }, { region: 'cn-shanghai' }]) {
      const { store: stranger } = routed(config);
      expect(store.copyableFrom(stranger)).toBe(false);
      await expect(store.copy(stranger, 'a', 'b')).rejects.toMatchObject({ code: 'unsupported' });
    }
  });

  it('one region is one place by whatever endpoint, and two regions behind one accelerated endpoint are two', async () => {
    const { store } = routed();
    for (const same of [
      { internal: true },
      { endpoint: 'cn-hangzhou.oss.aliyuncs.com' },
      { endpoint: 'oss-accelerate.aliyuncs.com' },
      { endpoint: 'img.example.com', cname: true },
    ]) {
      expect(store.copyableFrom(routed(same, 'other').store)).toBe(true);
    }
    const accelerated = { endpoint: 'oss-accelerate.aliyuncs.com' };
    const { store: there } = routed({ ...accelerated, region: 'cn-shanghai' });
    expect(routed(accelerated).store.copyableFrom(there)).toBe(false);
    await expect(store.copy(there, 'a', 'b')).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('a domain of the bucket carries everything but the creation of the bucket', async () => {
    const { store, requests } = routed({ endpoint: 'img.example.com', cname: true });
    await store.read('a/b', new Uint8Array(1));
    await store.put('k', new Uint8Array(1));
    await store.list({ maxKeys: 1 });
    await store.createBucket();
    expect(requests.map(({ method, origin, path }) => `${method} ${origin}${path.split('?', 1)[0]}`)).toEqual([
      'GET https://img.example.com/a/b',
      'PUT https://img.example.com/k',
      'GET https://img.example.com/',
      'PUT https://photos.oss-cn-hangzhou.aliyuncs.com/',
    ]);
    expect(store.identity).toMatchObject({
      endpoint: 'https://oss-cn-hangzhou.aliyuncs.com',
      origin: 'https://img.example.com',
      bucket: 'photos',
    });
  });

  it('data may be accelerated by a domain of their own', async () => {
    const accelerate_endpoint = 'fast.example.com';
    const { store, requests } = routed({ accelerate: 'on', accelerate_endpoint });
    await store.read('k', new Uint8Array(1));
    await store.list({});
    expect(requests.map(({ origin, path }) => origin + path.split('?', 1)[0])).toEqual([
      'https://fast.example.com/k',
      'https://photos.oss-cn-hangzhou.aliyuncs.com/',
    ]);
  });
});
