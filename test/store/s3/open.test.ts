import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HttpRequest, HttpResponse } from '../../../src/store/http/message.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { completeConfig } from '../../../src/store/s3/environment.js';
import { openS3Store } from '../../../src/store/s3/open.js';

/** Answers in place of AWS: nothing leaves the machine. */
class Scripted extends HttpTransport {
  readonly origins: string[] = [];
  readonly #answer: (request: HttpRequest) => Promise<Partial<HttpResponse>>;

  constructor(answer: (request: HttpRequest) => Promise<Partial<HttpResponse>>) {
    super({ userAgent: 'test' });
    this.#answer = answer;
  }

  override async request(request: HttpRequest): Promise<HttpResponse> {
    this.origins.push(request.origin);
    return { status: 404, headers: {}, body: Buffer.alloc(0), received: 0, ...(await this.#answer(request)) };
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const isFast = (request: HttpRequest) => request.origin === 'https://bucket.s3-accelerate.amazonaws.com';
const config = s3ConfigSchema.parse({
  type: 's3',
  access_key_id: 'A',
  secret_access_key: 's',
  region: 'us-west-2',
  accelerate: 'auto',
});

describe('accelerate: auto', () => {
  const delayed = (slow: (request: HttpRequest) => boolean) =>
    new Scripted(async (request) => {
      await sleep(slow(request) ? 60 : 1);
      return {};
    });

  it('takes the accelerated endpoint where it is faster, and says so', async () => {
    const transport = delayed((request) => !isFast(request));
    const { store, acceleration } = await openS3Store(config, 'bucket', { transport });
    expect(acceleration).toMatch(/^on: /);
    await store.put('k', new Uint8Array(1)).catch(() => {});
    expect(transport.origins.at(-1)).toBe('https://bucket.s3-accelerate.amazonaws.com');
  });

  it('is not paid for where it is slower', async () => {
    const { acceleration } = await openS3Store(config, 'bucket', { transport: delayed(isFast) });
    expect(acceleration).toMatch(/^off: /);
  });

  it('falls back when the bucket has none', async () => {
    const message = 'S3 Transfer Acceleration is not configured on this bucket';
    const body = Buffer.from(`<Error><Code>InvalidRequest</Code><Message>${message}</Message></Error>`);
    const transport = new Scripted(async (request) => (isFast(request) ? { status: 400, body } : {}));
    const { store, acceleration } = await openS3Store(config, 'bucket', { transport });
    expect(acceleration).toContain(message);
    await store.put('k', new Uint8Array(1)).catch(() => {});
    expect(transport.origins.at(-1)).toBe('https://bucket.s3.us-west-2.amazonaws.com');
  });
});

it('takes the region of the profile, so that a profile is all one has to name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xsync-aws-'));
  const saved = { ...process.env };
  await writeFile(join(folder, 'config'), '[profile china]\nregion = cn-northwest-1\n');
  process.env = { ...saved, AWS_CONFIG_FILE: join(folder, 'config') };
  delete process.env.AWS_REGION;
  try {
    const profile = s3ConfigSchema.parse({ type: 's3', provider: 'aws-cn', profile: 'china' });
    const { config } = await completeConfig(profile, process.env);
    const { store } = await openS3Store(config, 'bucket', { transport: new Scripted(async () => ({})) });
    expect(store.identity.endpoint).toBe('https://s3.cn-northwest-1.amazonaws.com.cn');
  } finally {
    process.env = saved;
    await rm(folder, { recursive: true });
  }
});

describe('AWS_ENDPOINT_URL, which AWS users set for a store of their own', () => {
  const chain = { type: 's3', env_auth: true, region: 'us-west-2' };
  const settled = async (settings: object, env: Record<string, string>) => {
    const saved = { ...process.env };
    process.env = { ...saved, AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 's', ...env };
    try {
      const { config } = await completeConfig(s3ConfigSchema.parse({ ...chain, ...settings }), process.env);
      const { store } = await openS3Store(config, 'bucket', { transport: new Scripted(async () => ({})) });
      return store.identity.endpoint;
    } finally {
      process.env = saved;
    }
  };

  it.each([
    [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:9000' }],
    [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000' }],
  ])('%j keeps the bytes from going to AWS', async (env) => {
    expect(await settled({}, env)).toBe('http://127.0.0.1:9000');
  });

  it('leaves remotes alone that say where they are, and can be ignored as the AWS CLI ignores it', async () => {
    const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9000' };
    const aws = 'https://s3.us-west-2.amazonaws.com';
    expect(await settled({ endpoint: 'https://minio.example' }, env)).toBe('https://minio.example');
    expect(await settled({ provider: 'aws' }, env)).toBe(aws);
    expect(await settled({ access_key_id: 'B', secret_access_key: 's' }, env)).toBe(aws);
    expect(await settled({}, { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' })).toBe(aws);
  });

  it('is named when it is no endpoint', async () => {
    await expect(settled({}, { AWS_ENDPOINT_URL: 'not a url' })).rejects.toThrow('AWS_ENDPOINT_URL is not an address');
  });
});
