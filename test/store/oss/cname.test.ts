/** A bucket behind a custom domain, over both transports: ali-oss signs as its vendor does, the strict server checks. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { type OssConfigInput, ossConfigSchema, resolveOssConfig } from '../../../src/store/oss/config.js';
import { createOssSdkStore } from '../../../src/store/oss/sdk.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { startServer, type TestServer } from '../../support/server/index.js';
import { STORES } from './scripted.js';

const HOSTS = process.env.XSYNC_TEST_HOSTS;
let server: TestServer;
let transport: HttpTransport;
let port: string;

beforeAll(async () => {
  process.env.XSYNC_TEST_HOSTS = 'example.com,aliyuncs.com';
  server = await startServer({
    oss: {
      publicEndpointForbidden: true,
      cnames: { 'img.example.com': 'photos', 'fast.example.com': 'photos', 'other.example.com': 'others' },
    },
  });
  ({ port } = new URL(server.oss.endpoint));
  transport = new HttpTransport({ userAgent: 'xsync-test' });
  server.core.oss.createBucket('photos');
  server.core.oss.createBucket('others');
});
afterAll(async () => {
  process.env.XSYNC_TEST_HOSTS = HOSTS;
  await transport.close();
  await server.close();
});
beforeEach(() => server.requests.reset());

const config = (more: Partial<OssConfigInput>) =>
  ossConfigSchema.parse({
    type: 'oss',
    region: server.oss.region,
    access_key_id: server.oss.accessKeyId,
    secret_access_key: server.oss.accessKeySecret,
    ...more,
  });

describe.each(STORES)('%s: a bucket with a domain of its own', (kind) => {
  function open(more: Partial<OssConfigInput>, bucket = 'photos'): ObjectStore {
    const parsed = config(more);
    return kind === 'lean' ? createOssStore(parsed, bucket, { transport }) : createOssSdkStore(parsed, bucket);
  }
  const domain = (host = 'img.example.com') => ({ endpoint: `http://${host}:${port}`, cname: true });

  it.each(['v4', 'v1'] as const)('does everything that a bucket does, signed by %s', async (signature_version) => {
    const store = open({ ...domain(), signature_version });
    const bytes = Buffer.from('bytes of an object');
    await store.checkBucket();
    await store.put('a/中 +.txt', bytes, { metadata: { name: 'värde' } });
    const target = new Uint8Array(bytes.byteLength);
    expect((await store.read('a/中 +.txt', target)).metadata).toEqual({ name: 'värde' });
    expect(Buffer.from(target)).toEqual(bytes);
    expect((await store.list({ prefix: 'a/' })).entries.map(({ key }) => key)).toEqual(['a/中 +.txt']);
    await store.copy(store, 'a/中 +.txt', 'b');
    const upload = await store.createUpload('m');
    const { etag } = await store.uploadPart(upload, 1, bytes);
    expect(await store.listParts(upload)).toHaveLength(1);
    await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    expect((await store.head('m')).size).toBe(bytes.byteLength);
    expect(await store.delete(['a/中 +.txt', 'b', 'm'])).toEqual([]);
    expect(server.core.oss.list('photos')).toEqual([]);
    await store.close();
  });

  it('a new account is refused over the public endpoint, and told what to set', async () => {
    const store = open({ endpoint: server.oss.endpoint });
    for (const call of [store.list({}), store.head('k'), store.put('k', new Uint8Array(1))]) {
      await expect(call).rejects.toMatchObject({
        code: 'wrong-endpoint',
        class: 'person',
        serviceCode: 'PublicEndpointForbidden',
        remedy:
          'Map a custom domain to the bucket and set endpoint: DOMAIN and cname: true, or set internal: true for a host in the region.',
      });
    }
    await store.close();
  });

  it('object data may use a domain of the accelerated endpoint', async () => {
    const accelerated = { accelerate: 'on', accelerate_endpoint: `http://fast.example.com:${port}` } as const;
    const store = open({ ...domain(), ...accelerated });
    await store.put('k', new Uint8Array(3));
    await store.read('k', new Uint8Array(3));
    expect(await store.delete(['k'])).toEqual([]);
    await store.close();
  });

  it('a domain of another bucket, or of none, is named as the likely cause', async () => {
    for (const host of ['other.example.com', 'new.example.com']) {
      const store = open(domain(host));
      await expect(store.list({})).rejects.toMatchObject({
        remedy: `Check the keys, and that ${host}:${port} is mapped to the bucket photos.`,
      });
      await store.close();
    }
  });

  it('a bucket is created at the service, since its domain cannot exist before it', async () => {
    const store = open({ ...domain('new.example.com') }, 'fresh');
    // Nothing listens at the public endpoint of the region here.
    await expect(store.createBucket()).rejects.toThrow(/oss-cn-hangzhou\.aliyuncs\.com/);
    expect(server.requests.find('CreateBucket')).toEqual([]);
    await store.close();
  });

  it('a custom domain that is not declared as one says so', async () => {
    process.env.XSYNC_TEST_HOSTS = '';
    const store = open({ endpoint: 'http://img.invalid' });
    await expect(store.list({})).rejects.toMatchObject({
      code: 'unreachable',
      remedy:
        'If img.invalid is mapped to the bucket, set cname: true; otherwise check the endpoint, DNS and the network.',
    });
    process.env.XSYNC_TEST_HOSTS = 'example.com,aliyuncs.com';
    await store.close();
  });
});

describe('an endpoint', () => {
  const resolve = (more: Partial<OssConfigInput>) => resolveOssConfig(config(more), {});

  it.each([
    ['https://mybucket.oss-cn-hangzhou.aliyuncs.com', 'oss-cn-hangzhou.aliyuncs.com'],
    ['mybucket.oss-cn-hangzhou-internal.aliyuncs.com', 'oss-cn-hangzhou-internal.aliyuncs.com'],
    ['mybucket.cn-hangzhou.oss.aliyuncs.com', 'cn-hangzhou.oss.aliyuncs.com'],
    ['mybucket.oss-accelerate.aliyuncs.com', 'oss-accelerate.aliyuncs.com'],
  ])('that already holds the name of the bucket is refused, with the right one: %s', (endpoint, right) => {
    let thrown: unknown;
    try {
      resolve({ endpoint });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'config',
      message: 'the endpoint already contains the name of the bucket "mybucket"',
      remedy: `Set endpoint: ${right} and name the bucket in the location.`,
    });
    // With cname, it is the address of the bucket.
    expect(resolve({ endpoint, cname: true }).domains).toHaveLength(1);
  });

  it('cname needs a domain of the bucket, and not a service', () => {
    expect(() => resolve({ cname: true })).toThrow(/cname: true needs an endpoint/);
    expect(() => resolve({ cname: true, endpoint: 'oss-cn-hangzhou.aliyuncs.com' })).toThrow(/is a service/);
  });

  it('of any kind leads to one place, which is that of the region', () => {
    const homes = [
      {},
      { internal: true },
      { endpoint: 'cn-hangzhou.oss.aliyuncs.com' },
      { endpoint: 'vpc100-oss-cn-hangzhou.aliyuncs.com' },
      { endpoint: 'oss-accelerate.aliyuncs.com' },
      { endpoint: 'https://img.example.com', cname: true },
    ].map((more) => resolve(more).home);
    expect(new Set(homes)).toEqual(new Set(['https://oss-cn-hangzhou.aliyuncs.com']));
    expect(resolve({ endpoint: 'oss-accelerate.aliyuncs.com', region: 'cn-shanghai' }).home).toBe(
      'https://oss-cn-shanghai.aliyuncs.com',
    );
    expect(resolve({ endpoint: 'http://127.0.0.1:9000' }).home).toBe('http://127.0.0.1:9000');
  });

  it('accelerated data need a known endpoint or a domain', () => {
    expect(() => config({ accelerate_endpoint: 'globl' })).toThrow(/global, overseas/);
  });
});
