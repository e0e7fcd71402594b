import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeKey, encodeQuery } from '../../../src/store/s3/encode.js';
import { Signer, UNSIGNED_PAYLOAD } from '../../../src/store/s3/sign.js';

function secretOf(secret: string | ArrayBufferView): string | Buffer {
  return typeof secret === 'string' ? secret : Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength);
}

/** The hash that the SDK's signer asks for, as a constructor. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret instanceof ArrayBuffer) throw new Error('not used');
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secretOf(secret));
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

/** The SDK's presigner adds it, and so we do here; S3 takes it for granted. */
const UNSIGNED = { 'X-Amz-Content-Sha256': UNSIGNED_PAYLOAD };
const REGION = 'cn-northwest-1';
const HOST = 'bucket.s3.cn-northwest-1.amazonaws.com.cn';
const credentialsOf = (sessionToken?: string) => ({ accessKeyId: 'AKID', secretAccessKey: 'secret/+', sessionToken });

function theirs(sessionToken?: string): SignatureV4 {
  const credentials = credentialsOf(sessionToken);
  return new SignatureV4({
    service: 's3',
    region: REGION,
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
}

const awkward = fc.constantFrom(
  'a/../b/./c',
  '//',
  ' +',
  'é',
  'e\u0301',
  '😀',
  '%2F',
  "!'()*",
  '~',
  '?&=#',
  '\u0001',
  '\\',
);
const key = fc
  .array(fc.oneof(awkward, fc.string({ unit: 'binary', maxLength: 8 })), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'))
  .filter((text) => text !== '' && Buffer.byteLength(text) <= 1024 && !/\p{Cs}/u.test(text));
const query = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 4 });
const value = fc.stringMatching(/^[ -~]{0,20}$/);
const headers = fc.dictionary(fc.stringMatching(/^x-amz-meta-[a-z0-9_-]{1,8}$/), value, { maxKeys: 4 });
const time = fc.date({ min: new Date('2015-01-01'), max: new Date('2035-01-01'), noInvalidDate: true });
const token = fc.option(fc.stringMatching(/^[A-Za-z0-9/+=]{1,20}$/), { nil: undefined });

describe('SigV4 is the SDK signer’s, or the store refuses every request', () => {
  it('in headers', async () => {
    await fc.assert(
      fc.asyncProperty(key, query, headers, time, token, async (k, q, h, date, session) => {
        const path = `/${encodeKey(k)}`;
        const all = { host: HOST, 'x-amz-content-sha256': UNSIGNED_PAYLOAD, ...h };
        const mine: Record<string, string> = { ...all };
        new Signer(REGION).sign(
          { method: 'PUT', path, query: encodeQuery(q), headers: mine },
          credentialsOf(session),
          date.getTime(),
        );
        const request = { method: 'PUT', protocol: 'https:', hostname: HOST, path, query: q, headers: all };
        const signed = await theirs(session).sign(request, { signingDate: date });
        expect(mine.authorization).toBe(signed.headers.authorization);
      }),
      { numRuns: 300 },
    );
  });

  it('in presigned URLs', async () => {
    await fc.assert(
      fc.asyncProperty(key, time, token, fc.integer({ min: 1, max: 604_800 }), async (k, date, session, expiresIn) => {
        const path = `/${encodeKey(k)}`;
        const request = { method: 'GET', path, headers: { host: HOST } };
        const now = date.getTime();
        const mine = new Signer(REGION).presign(
          { ...request, parameters: UNSIGNED },
          credentialsOf(session),
          now,
          expiresIn,
        );
        const signed = await theirs(session).presign(
          { ...request, protocol: 'https:', hostname: HOST, query: {}, headers: { ...request.headers, ...UNSIGNED } },
          { signingDate: date, expiresIn, unhoistableHeaders: new Set() },
        );
        const sent = new URLSearchParams(mine);
        expect(sent.get('X-Amz-Signature')).toBe(signed.query?.['X-Amz-Signature']);
      }),
      { numRuns: 200 },
    );
  });

  it('changes its key with the day and with the secret', () => {
    const signer = new Signer(REGION);
    const sign = (secretAccessKey: string, ms: number) => {
      const signed: Record<string, string> = { host: HOST };
      signer.sign({ method: 'GET', path: '/', query: '', headers: signed }, { accessKeyId: 'A', secretAccessKey }, ms);
      return signed.authorization;
    };
    const fresh = (secret: string, ms: number) => {
      const signed: Record<string, string> = { host: HOST };
      const credentials = { accessKeyId: 'A', secretAccessKey: secret };
      new Signer(REGION).sign({ method: 'GET', path: '/', query: '', headers: signed }, credentials, ms);
      return signed.authorization;
    };
    const day = Date.UTC(2024, 1, 29, 23, 59, 59);
    for (const [secret, ms] of [
      ['s', day],
      ['s', day + 1000],
      ['t', day + 1000],
      ['s', day],
    ] as const) {
      expect(sign(secret, ms)).toBe(fresh(secret, ms));
    }
  });
});
