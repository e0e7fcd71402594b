import { describe, expect, it } from 'vitest';
import type { HttpRequest, HttpResponse } from '../../../src/store/http/message.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { type OssConfigInput, ossConfigSchema } from '../../../src/store/oss/config.js';
import { openOssStore } from '../../../src/store/oss/open.js';

/** Answers in place of OSS, after a delay that the origin decides: nothing leaves the machine. */
class Delayed extends HttpTransport {
  readonly origins: string[] = [];
  readonly #answer: (accelerated: boolean) => { delayMs: number; code: string };

  constructor(answer: (accelerated: boolean) => { delayMs: number; code: string }) {
    super({ userAgent: 'test' });
    this.#answer = answer;
  }

  override async request(request: HttpRequest): Promise<HttpResponse> {
    this.origins.push(request.origin);
    const { delayMs, code } = this.#answer(request.origin.includes('oss-accelerate'));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const status = code === 'NoSuchKey' ? 404 : 403;
    const body = Buffer.from(`<Error><Code>${code}</Code><Message>${code} here</Message></Error>`);
    return { status, headers: {}, body, received: body.byteLength };
  }
}

const configOf = (changes: Partial<OssConfigInput> = {}) =>
  ossConfigSchema.parse({
    type: 'oss',
    region: 'cn-shanghai',
    access_key_id: 'A',
    secret_access_key: 's',
    accelerate: 'auto',
    ...changes,
  });

describe('accelerate: auto', () => {
  it('takes the accelerated endpoint where it is faster, and says so', async () => {
    const transport = new Delayed((accelerated) => ({ delayMs: accelerated ? 1 : 60, code: 'NoSuchKey' }));
    const { store, acceleration } = await openOssStore(configOf(), 'photos', { transport });
    expect(acceleration).toMatch(/^on: /);
    await store.put('k', new Uint8Array(1)).catch(() => {});
    expect(transport.origins.at(-1)).toBe('https://photos.oss-accelerate.aliyuncs.com');
  });

  it('is not paid for where it is slower', async () => {
    const transport = new Delayed((accelerated) => ({ delayMs: accelerated ? 60 : 1, code: 'NoSuchKey' }));
    expect((await openOssStore(configOf(), 'photos', { transport })).acceleration).toMatch(/^off: /);
  });

  it('falls back, with the reason, when the bucket has none', async () => {
    const transport = new Delayed((accelerated) => ({
      delayMs: 1,
      code: accelerated ? 'TransferAccelerationDisabled' : 'NoSuchKey',
    }));
    const { store, acceleration } = await openOssStore(configOf(), 'photos', { transport });
    expect(acceleration).toContain('TransferAccelerationDisabled');
    await store.put('k', new Uint8Array(1)).catch(() => {});
    expect(transport.origins.at(-1)).toBe('https://photos.oss-cn-shanghai.aliyuncs.com');
  });

  it('asks nobody when the endpoint is not Alibaba Cloud', async () => {
    const transport = new Delayed(() => ({ delayMs: 1, code: 'NoSuchKey' }));
    const config = configOf({ endpoint: 'http://127.0.0.1:9' });
    const { acceleration } = await openOssStore(config, 'photos', { transport });
    expect(acceleration).toMatch(/^off: the endpoint is not/);
    expect(transport.origins).toEqual([]);
  });
});
