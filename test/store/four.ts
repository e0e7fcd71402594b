/** A loopback server that answers as a test tells it, and both stores of both services on it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpTransport } from '../../src/store/http/transport.js';
import { ossConfigSchema } from '../../src/store/oss/config.js';
import { createOssSdkStore } from '../../src/store/oss/sdk.js';
import { createOssStore } from '../../src/store/oss/store.js';
import type { ObjectStore } from '../../src/store/port.js';
import { s3ConfigSchema } from '../../src/store/s3/config.js';
import { createS3SdkStore } from '../../src/store/s3/sdk.js';
import { createS3Store } from '../../src/store/s3/store.js';

export const FOUR = ['s3', 's3 (sdk)', 'oss', 'oss (sdk)'] as const;
export type One = (typeof FOUR)[number];

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Takes the rest over; the reply is ignored. */
  raw?: (response: ServerResponse) => void;
}

export interface Script {
  store: ObjectStore;
  seen: Seen[];
  close(): Promise<void>;
}

export const SECRETS = { secret: 'the-secret-key-of-this-test', token: 'the-session-token-of-this-test' };

export async function script(
  kind: One,
  reply: (seen: Seen, index: number) => Reply,
  idleTimeoutMs = 10_000,
): Promise<Script> {
  const seen: Seen[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    for await (const _chunk of request);
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers });
    const answer = reply({ method, url, headers }, seen.length - 1);
    if (answer.raw) return answer.raw(response);
    const { status = 200, body = '' } = answer;
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...answer.headers });
    response.end(method === 'HEAD' ? '' : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs });
  const store = open(kind, endpoint, transport, idleTimeoutMs);
  return {
    store,
    seen,
    async close() {
      await store.close();
      await transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function open(kind: One, endpoint: string, transport: HttpTransport, idleTimeoutMs: number): ObjectStore {
  const keys = { access_key_id: 'test-id', secret_access_key: SECRETS.secret, session_token: SECRETS.token };
  if (kind.startsWith('oss')) {
    const config = ossConfigSchema.parse({ type: 'oss', region: 'cn-hangzhou', endpoint, ...keys });
    return kind === 'oss'
      ? createOssStore(config, 'photos', { transport })
      : createOssSdkStore(config, 'photos', { idleTimeoutMs });
  }
  const config = s3ConfigSchema.parse({ type: 's3', provider: 'minio', region: 'us-east-1', endpoint, ...keys });
  return kind === 's3'
    ? createS3Store(config, 'photos', { transport })
    : createS3SdkStore(config, 'photos', { idleTimeoutMs });
}
