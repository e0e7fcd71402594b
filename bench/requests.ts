/**
 * Measures what one request costs this process: the CPU time of our HTTP client beside that of undici's `dispatch`, for
 * the same server (Node's, in another process), in turn.
 *
 *   npx tsx bench/requests.ts              every case, 5 rounds
 *   npx tsx bench/requests.ts --rounds 9
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { HttpTransport } from '../src/store/http/transport.js';
import { TEST_TLS } from '../test/doctor/tls.js';
import { optionsFrom } from './arguments.js';

const KiB = 1024;
const SIZES = [
  { name: '4 KiB', bytes: 4 * KiB, requests: 4000, atOnce: 16 },
  { name: '64 KiB', bytes: 64 * KiB, requests: 2000, atOnce: 16 },
  { name: '8 MiB', bytes: 8 * KiB * KiB, requests: 48, atOnce: 4 },
] as const;
type Size = (typeof SIZES)[number];
type Method = 'GET' | 'PUT';

/** Sends one request; a GET fills the buffer, a PUT sends it. */
interface Client {
  send(method: Method, path: string, buffer: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Headers as those of a signed request. */
const HEADERS = {
  'x-amz-date': '20260101T000000Z',
  'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
  authorization: `AWS4-HMAC-SHA256 Credential=AKTESTAKTESTAKTEST01/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${'0'.repeat(64)}`,
};

function ours(origin: string): Client {
  const transport = new HttpTransport({ userAgent: 'bench', tls: { ca: TEST_TLS.cert } });
  return {
    async send(method, path, buffer) {
      const body = method === 'PUT' ? { body: buffer } : { target: buffer };
      const { status, received } = await transport.request({ method, origin, path, headers: HEADERS, ...body });
      mustBe(status, received, method, buffer);
    },
    close: () => transport.close(),
  };
}

function undici(origin: string): Client {
  const pool = new Pool(origin, { connections: 256, pipelining: 1, connect: { ca: TEST_TLS.cert } });
  return {
    send: (method, path, buffer) =>
      new Promise((resolve, reject) => {
        let received = 0;
        let status = 0;
        const body = method === 'PUT' ? buffer : null;
        pool.dispatch(
          { method, path, headers: HEADERS, body },
          {
            onRequestStart: () => {},
            onResponseStart: (_, code) => {
              status = code;
            },
            onResponseData: (_, chunk) => {
              buffer.set(chunk, received);
              received += chunk.byteLength;
            },
            onResponseEnd: () => {
              mustBe(status, received, method, buffer);
              resolve();
            },
            onResponseError: (_, error) => reject(error),
          },
        );
      }),
    close: () => pool.destroy(),
  };
}

function mustBe(status: number, received: number, method: Method, buffer: Buffer): void {
  if (status !== 200 || received !== (method === 'GET' ? buffer.byteLength : 0)) throw new Error('a wrong response');
}

/** CPU seconds of this process for all requests of a case. */
async function measure(client: Client, method: Method, { bytes, requests, atOnce }: Size): Promise<number> {
  const before = process.cpuUsage();
  let left = requests;
  const worker = async (): Promise<void> => {
    const buffer = Buffer.alloc(bytes, 'x');
    while (left-- > 0) await client.send(method, `/${bytes}`, buffer);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Objects by length at two ports: GET /4096; a PUT is read to its end. */
async function serve(): Promise<void> {
  const bodies = new Map(SIZES.map(({ bytes }) => [`/${bytes}`, Buffer.alloc(bytes, 'x')]));
  const ports = [createServer(), createSecureServer({ ...TEST_TLS, minVersion: 'TLSv1.3' })].map(async (server) => {
    server.on('request', (request, response) => {
      request.resume();
      if (request.method === 'GET') response.end(bodies.get(request.url ?? ''));
      else request.on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  });
  process.send?.(await Promise.all(ports));
}

async function startServer(): Promise<{ server: ChildProcess; origins: string[] }> {
  const server = fork(import.meta.filename, ['--serve'], { execArgv: process.execArgv });
  const [plain, secure] = await new Promise<number[]>((resolve) => server.once('message', resolve));
  return { server, origins: [`http://127.0.0.1:${plain}`, `https://localhost:${secure}`] };
}

async function compare(rounds: number): Promise<void> {
  const { server, origins } = await startServer();
  process.stdout.write('CPU s per 1,000 requests (8 MiB: per GiB), medians: undici | ours | ratio\n');
  for (const origin of origins) {
    const clients = [undici(origin), ours(origin)];
    for (const method of ['GET', 'PUT'] as const) {
      for (const size of SIZES) {
        const costs: number[][] = [[], []];
        for (let round = 0; round <= rounds; round++) {
          for (const [which, client] of clients.entries()) {
            const cost = await measure(client, method, size);
            // The first round opens connections and compiles code.
            if (round > 0) costs[which]?.push(cost);
          }
        }
        const per = size.name === '8 MiB' ? size.requests / 128 : size.requests / 1000;
        const [theirs = 0, own = 0] = costs.map((all) => (all.sort((a, b) => a - b)[rounds >> 1] ?? 0) / per);
        const what = `${new URL(origin).protocol.slice(0, -1)} ${method} ${size.name}`.padEnd(20);
        process.stdout.write(`${what} ${theirs.toFixed(3)} | ${own.toFixed(3)} | ${(own / theirs).toFixed(2)}\n`);
      }
    }
    for (const client of clients) await client.close();
  }
  server.kill();
}

const values = optionsFrom(import.meta.url, {
  options: { serve: { type: 'boolean' }, rounds: { type: 'string', default: '5' } },
});
await (values.serve ? serve() : compare(Number(values.rounds)));
