/** Requests as bytes, signed by the vendors' own signers, so that a test can spoil any part of them. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { SignatureV4 } from '@smithy/signature-v4';
import type { TestServer } from '../support/server/index.js';

export interface Message {
  method: string;
  /** Percent-encoded path with its query. */
  target: string;
  headers: Record<string, string>;
  body?: Buffer | string;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  text: string;
  /** `<Code>` of an error document. */
  code: string | undefined;
}

/** Sends exactly what it is given. Rejects when the connection breaks, also in the middle of the answer. */
export function send(endpoint: string, message: Message): Promise<Answer> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const { method, target: path, headers } = message;
    const req = request({ hostname, port, method, path, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const body = Buffer.concat(chunks);
        const text = body.toString();
        const code = /<Code>(.*?)<\/Code>/.exec(text)?.[1];
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body, text, code });
      });
    });
    req.on('error', reject);
    req.end(message.body);
  });
}

export class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret === undefined) this.#hash = createHash('sha256');
    else if (typeof secret === 'string') this.#hash = createHmac('sha256', secret);
    else if (secret instanceof ArrayBuffer) this.#hash = createHmac('sha256', new Uint8Array(secret));
    else this.#hash = createHmac('sha256', new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {}
}

export interface S3Input {
  method?: string;
  /** `/bucket/key`, percent-encoded. */
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** Overrides of what the server gave out. */
  signer?: { accessKeyId?: string; secretAccessKey?: string; region?: string; date?: Date; sessionToken?: string };
}

export function s3Signer(server: TestServer, overrides: NonNullable<S3Input['signer']> = {}): SignatureV4 {
  const { date: _date, region, ...credentials } = overrides;
  return new SignatureV4({
    credentials: { ...server.s3, ...credentials },
    region: region ?? server.s3.region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  });
}

function target(path: string, query: Record<string, string>): string {
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.length > 0 ? `${path}?${pairs.join('&')}` : path;
}

/** A request signed in its header by Smithy's signer. */
export async function s3Message(server: TestServer, input: S3Input): Promise<Message> {
  const { method = 'GET', path, query = {}, body = '' } = input;
  const host = new URL(server.s3.endpoint).host;
  const length: Record<string, string> =
    method === 'PUT' || method === 'POST' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  const signed = await s3Signer(server, input.signer).sign(
    {
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path,
      query,
      headers: { host, ...input.headers },
      body,
    },
    input.signer?.date ? { signingDate: input.signer.date } : {},
  );
  return { method, target: target(path, query), headers: { ...signed.headers, ...length }, body };
}

export async function s3(server: TestServer, input: S3Input): Promise<Answer> {
  return send(server.s3.endpoint, await s3Message(server, input));
}

export async function s3Presigned(server: TestServer, input: S3Input, expiresIn = 60): Promise<Message> {
  const { method = 'GET', path, query = {} } = input;
  const host = new URL(server.s3.endpoint).host;
  const signed = await s3Signer(server, input.signer).presign(
    {
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path,
      query,
      headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...input.headers },
    },
    { expiresIn, ...(input.signer?.date ? { signingDate: input.signer.date } : {}) },
  );
  const signedQuery = Object.fromEntries(
    Object.entries(signed.query ?? {}).map(([name, value]) => [name, String(value)]),
  );
  return { method, target: target(path, signedQuery), headers: { host, ...input.headers }, body: input.body ?? '' };
}

interface OssSigners {
  authorizationV4(
    id: string,
    secret: string,
    region: string,
    method: string,
    request: { headers: Record<string, string>; queries: Record<string, string | null> },
    bucket: string,
    key: string,
    additional?: string[],
    encoding?: string,
  ): string;
}

const require = createRequire(import.meta.url);
const ossSigners = require('ali-oss/lib/common/signUtils') as OssSigners;

export interface OssInput {
  method?: string;
  bucket: string;
  key?: string;
  query?: Record<string, string | null>;
  headers?: Record<string, string>;
  body?: Buffer | string;
  additional?: string[];
  signer?: { accessKeyId?: string; accessKeySecret?: string; region?: string; date?: Date };
}

/** A path-form request signed with V4 by ali-oss's own signer. */
export function ossMessage(server: TestServer, input: OssInput): Message {
  const { method = 'GET', bucket, key = '', query = {}, body = '', signer = {} } = input;
  const date = (signer.date ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, '');
  const length: Record<string, string> =
    method === 'PUT' || method === 'POST' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  const headers: Record<string, string> = {
    host: new URL(server.oss.endpoint).host,
    'x-oss-date': date,
    'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
    ...length,
    ...input.headers,
  };
  headers.authorization = ossSigners.authorizationV4(
    signer.accessKeyId ?? server.oss.accessKeyId,
    signer.accessKeySecret ?? server.oss.accessKeySecret,
    signer.region ?? server.oss.region,
    method,
    { headers, queries: query },
    bucket,
    key,
    input.additional,
  );
  const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const pairs = Object.entries(query).map(([name, value]) =>
    value === null ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return { method, target: pairs.length > 0 ? `${path}?${pairs.join('&')}` : path, headers, body };
}

export function oss(server: TestServer, input: OssInput): Promise<Answer> {
  return send(server.oss.endpoint, ossMessage(server, input));
}

/** Changes one character, to another of the same kind. */
export function tamper(text: string, at: number): string {
  const old = text.at(at) ?? '';
  const index = at < 0 ? text.length + at : at;
  return text.slice(0, index) + (old === 'a' ? 'b' : 'a') + text.slice(index + 1);
}
