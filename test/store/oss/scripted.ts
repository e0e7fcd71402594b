/** A loopback server that answers as a test tells it, and both OSS stores on it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { type OssConfigInput, ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssSdkStore } from '../../../src/store/oss/sdk.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import type { ObjectStore } from '../../../src/store/port.js';

export interface Seen {
  method: string;
  /** Exactly as it came on the request line. */
  url: string;
  headers: Record<string, string>;
  body: Buffer;
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

export const STORES = ['lean', 'sdk'] as const;

export async function script(
  kind: (typeof STORES)[number],
  reply: (seen: Seen, index: number) => Reply,
  config: Partial<OssConfigInput> = {},
  idleTimeoutMs = 60_000,
): Promise<Script> {
  const seen: Seen[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '' } = request;
    const entry = { method, url, headers: { ...request.headers } as Seen['headers'], body: Buffer.concat(chunks) };
    seen.push(entry);
    const { status = 200, headers = {}, body = '', raw } = reply(entry, seen.length - 1);
    if (raw) return raw(response);
    response.sendDate = headers.date === undefined;
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
    response.end(method === 'HEAD' ? '' : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const parsed = ossConfigSchema.parse({
    type: 'oss',
    region: 'cn-hangzhou',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    access_key_id: 'test-id',
    secret_access_key: 'test-secret',
    ...config,
  });
  const transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs });
  const store =
    kind === 'lean'
      ? createOssStore(parsed, 'photos', { transport })
      : createOssSdkStore(parsed, 'photos', { idleTimeoutMs });
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
