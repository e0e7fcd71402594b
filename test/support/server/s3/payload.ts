/**
 * Decodes the body as x-amz-content-sha256 declares it: hashed, unsigned, or aws-chunked with or without signatures and
 * trailers. Source: "Signature Calculations: Transferring Payload in Multiple Chunks" of the S3 API reference.
 */
import { createHash, createHmac } from 'node:crypto';
import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { S3Auth } from './sigv4.js';

const EMPTY_SHA256 = createHash('sha256').digest('hex');

export interface Payload {
  bytes: Buffer;
  /** Trailing headers by lower-case name. */
  trailers: Record<string, string>;
}

const STREAMING: Record<string, { signed: boolean; trailer: boolean }> = {
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
};

/** @throws XAmzContentSHA256Mismatch, SignatureDoesNotMatch, IncompleteBody, InvalidRequest */
export function decodePayload(exchange: Exchange, auth: S3Auth, raw: Buffer): Payload {
  const streaming = STREAMING[auth.payload];
  if (streaming) return decodeChunks(exchange, auth, raw, streaming);
  if (auth.payload !== 'UNSIGNED-PAYLOAD') {
    if (!/^[0-9a-f]{64}$/.test(auth.payload)) {
      throw new ServiceError('InvalidArgument', {
        message: 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-…, or a valid sha256 value.',
        elements: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: auth.payload },
      });
    }
    const actual = raw.byteLength === 0 ? EMPTY_SHA256 : createHash('sha256').update(raw).digest('hex');
    if (actual !== auth.payload) {
      throw new ServiceError('XAmzContentSHA256Mismatch', {
        elements: { ClientComputedContentSHA256: auth.payload, S3ComputedContentSHA256: actual },
      });
    }
  }
  return { bytes: raw, trailers: {} };
}

/** Decodes in place: moves the chunks' data to the front of `raw`, which has no other user. */
function decodeChunks(
  exchange: Exchange,
  auth: S3Auth,
  raw: Buffer,
  { signed, trailer }: { signed: boolean; trailer: boolean },
): Payload {
  const declared = exchange.header('x-amz-decoded-content-length');
  if (declared === undefined) throw new ServiceError('MissingContentLength');
  const chain = new SignatureChain(auth);
  let at = 0;
  let filled = 0;
  for (;;) {
    const line = readLine(raw, at);
    at = line.next;
    const match = /^([0-9a-fA-F]+)(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line.text);
    if (!match || (signed && !match[2])) throw incomplete();
    const size = Number.parseInt(match[1] ?? '', 16);
    if (at + size > raw.byteLength) throw incomplete();
    const data = raw.subarray(at, at + size);
    if (signed) chain.chunk(data, match[2] ?? '');
    if (size === 0) break;
    raw.copyWithin(filled, at, at + size);
    filled += size;
    at += size;
    if (raw.toString('latin1', at, at + 2) !== '\r\n') throw incomplete();
    at += 2;
  }
  if (filled !== Number(declared)) throw incomplete();
  const trailers = readTrailers(raw, at, trailer && signed ? chain : undefined);
  for (const name of trailer ? (exchange.header('x-amz-trailer') ?? '').split(',') : []) {
    if (trailers[name.trim().toLowerCase()] === undefined) {
      throw new ServiceError('InvalidRequest', { message: `The trailer ${name} was announced and did not come.` });
    }
  }
  return { bytes: raw.subarray(0, filled), trailers };
}

function incomplete(): ServiceError {
  return new ServiceError('IncompleteBody', { message: 'The request body terminated unexpectedly' });
}

function readLine(raw: Buffer, at: number): { text: string; next: number } {
  const end = raw.indexOf('\r\n', at, 'latin1');
  if (end < 0) throw incomplete();
  return { text: raw.toString('latin1', at, end), next: end + 2 };
}

function readTrailers(raw: Buffer, from: number, chain: SignatureChain | undefined): Record<string, string> {
  const trailers: Record<string, string> = {};
  let at = from;
  while (at < raw.byteLength) {
    const line = readLine(raw, at);
    at = line.next;
    if (line.text === '') break;
    const colon = line.text.indexOf(':');
    if (colon < 0) throw incomplete();
    trailers[line.text.slice(0, colon).trim().toLowerCase()] = line.text.slice(colon + 1).trim();
  }
  if (chain) {
    const { 'x-amz-trailer-signature': signature, ...rest } = trailers;
    chain.trailer(rest, signature ?? '');
    return rest;
  }
  return trailers;
}

/** Each chunk's signature covers the previous one. The request's signature is the seed. */
class SignatureChain {
  readonly #auth: S3Auth;
  #previous: string;

  constructor(auth: S3Auth) {
    this.#auth = auth;
    this.#previous = auth.signature;
  }

  chunk(data: Buffer, signature: string): void {
    const hash = createHash('sha256').update(data).digest('hex');
    this.#check(['AWS4-HMAC-SHA256-PAYLOAD', ...this.#head(), EMPTY_SHA256, hash], signature);
  }

  trailer(trailers: Record<string, string>, signature: string): void {
    const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}\n`);
    const hash = createHash('sha256').update(lines.sort().join('')).digest('hex');
    this.#check(['AWS4-HMAC-SHA256-TRAILER', ...this.#head(), hash], signature);
  }

  #head(): string[] {
    return [this.#auth.date, this.#auth.scope, this.#previous];
  }

  #check(parts: string[], signature: string): void {
    const expected = createHmac('sha256', this.#auth.signingKey).update(parts.join('\n')).digest('hex');
    if (expected !== signature) throw new ServiceError('SignatureDoesNotMatch');
    this.#previous = expected;
  }
}
