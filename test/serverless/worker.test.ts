/** Calls of a worker, against servers that check the signatures with the vendors' own signers. */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Invocation } from '../../src/serverless/invocation.js';
import { callLater } from '../../src/serverless/worker.js';

let got: { url?: string; headers: IncomingHttpHeaders; body: string }[];
let status: number;
const server = createServer(async ({ url, headers }, response) => {
  // A test has no request that lasts.
  got.push({ url, headers, body: '' });
  response.writeHead(status).end();
});
let origin: string;

beforeEach(async () => {
  [got, status] = [[], 202];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise<unknown>((resolve) => server.close(resolve)));

const aws = (): Invocation => ({
  leftMs: () => 1000,
  env: {
    ...{
      AWS_REGION: 'cn-north-1',
      AWS_ACCESS_KEY_ID: 'AKIA',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'token',
    },
    AWS_ENDPOINT_URL_LAMBDA: origin,
  },
  later: { cloud: 'aws' },
});

class Sha256 {
  readonly #hash;
  constructor(secret?: Parameters<typeof createHmac>[1]) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(data: Parameters<ReturnType<typeof createHash>['update']>[0]): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

test('of Lambda, signed as the SDK signs', async () => {
  await callLater('worker', { a: 1 }, aws());
  const [{ url = '', headers } = expect.fail()] = got;
  expect(url).toBe('/2015-03-31/functions/worker/invocations');
  expect(headers['x-amz-invocation-type']).toBe('Event');
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const signer = new SignatureV4({
    ...{ service: 'lambda', region: 'cn-north-1', applyChecksum: false },
    credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret', sessionToken: 'token' },
    sha256: Sha256 as never,
  });
  const { port } = server.address() as AddressInfo;
  const date = String(headers['x-amz-date']);
  const signed = await signer.sign(
    {
      ...{ method: 'POST', protocol: 'http:', hostname: '127.0.0.1', port, path: url, query: {} },
      headers: Object.fromEntries(
        names.filter((name) => name !== 'x-amz-date').map((name) => [name, String(headers[name])]),
      ),
    },
    { signingDate: new Date(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z')) },
  );
  expect(signed.headers.authorization).toBe(headers.authorization);
});

test('of Function Compute, asynchronously', async () => {
  const env = {
    ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: 'STS.id', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' },
    ...{ ALIBABA_CLOUD_SECURITY_TOKEN: 'token', XSYNC_FC_ENDPOINT: origin },
  };
  await callLater(
    'worker',
    {},
    { leftMs: () => 1, env, later: { cloud: 'alibaba', account: '1', region: 'cn-shanghai' } },
  );
  const [{ url, headers } = expect.fail()] = got;
  expect(url).toBe('/2023-03-30/functions/worker/invocations');
  expect(headers).toMatchObject({ 'x-fc-invocation-type': 'Async', 'x-acs-version': '2023-03-30' });
  expect(headers.authorization).toMatch(
    /^ACS3-HMAC-SHA256 Credential=STS.id,SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature=[0-9a-f]{64}$/,
  );
});

test('what refuses is told', async () => {
  status = 403;
  await expect(callLater('worker', {}, aws())).rejects.toMatchObject({ code: 'access-denied' });
  status = 429;
  await expect(callLater('worker', {}, aws())).rejects.toMatchObject({ code: 'throttled' });
  const { AWS_REGION: _, ...env } = aws().env;
  await expect(callLater('worker', {}, { ...aws(), env })).rejects.toThrow('AWS_REGION is not set');
});
