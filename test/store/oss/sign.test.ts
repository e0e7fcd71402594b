/**
 * The signers against the vendor's own: signatures published in the tests of Alibaba Cloud's Go SDK
 * (alibabacloud-oss-go-sdk-v2, oss/signer/signer_test.go), and ali-oss's signer over generated requests.
 */
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuery, type Query } from '../../../src/store/oss/encode.js';
import { SignerV1, SignerV4, type SignRequest } from '../../../src/store/oss/sign.js';

interface VendorRequest {
  headers: Record<string, string>;
  queries?: Record<string, string | null>;
  parameters?: Record<string, string>;
}

interface VendorSigner {
  authorizationV4(
    id: string,
    secret: string,
    region: string,
    method: string,
    request: VendorRequest,
    bucket: string,
    key: string,
  ): string;
  getCanonicalRequest(
    method: string,
    request: VendorRequest,
    bucket: string,
    key: string,
    additional: string[],
  ): string;
  getStringToSign(region: string, date: string, canonical: string): string;
  getSignatureV4(secret: string, date: string, region: string, text: string): string;
  buildCanonicalString(method: string, resource: string, request: VendorRequest, expires?: string): string;
  computeSignature(secret: string, canonical: string): string;
}

const vendor: VendorSigner = createRequire(import.meta.url)('ali-oss/lib/common/signUtils.js');
const keys = { accessKeyId: 'ak', accessKeySecret: 'sk' };

const GO_V4: SignRequest = {
  method: 'PUT',
  bucket: 'bucket',
  key: '1234+-/123/1.txt',
  query: { param1: 'value1', '+param1': 'value3', '|param1': 'value4', '+param2': '', '|param2': '', param2: '' },
  headers: { 'x-oss-head1': 'value', abc: 'value', zabc: 'value', xyz: 'value', 'content-type': 'text/plain' },
};

describe("the vendor's published V4 signatures", () => {
  it('a signed request is accepted', () => {
    const headers = new SignerV4(keys, 'cn-hangzhou').sign(GO_V4, 1702743657_000);
    expect(headers.authorization).toBe(
      'OSS4-HMAC-SHA256 Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,' +
        'Signature=e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe',
    );
  });

  it('temporary credentials are accepted', () => {
    const headers = new SignerV4({ ...keys, securityToken: 'token' }, 'cn-hangzhou').sign(GO_V4, 1702784856_000);
    expect(headers['x-oss-security-token']).toBe('token');
    expect(headers.authorization).toBe(
      'OSS4-HMAC-SHA256 Credential=ak/20231217/cn-hangzhou/oss/aliyun_v4_request,' +
        'Signature=b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea',
    );
  });

  it('a presigned URL is accepted', () => {
    const request = { ...GO_V4, headers: { ...GO_V4.headers, 'content-type': 'application/octet-stream' } };
    const query = new SignerV4(keys, 'cn-hangzhou').presign(request, 1702781677_000, 599);
    expect(query['x-oss-signature']).toBe('a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe');
    const token = new SignerV4({ ...keys, securityToken: 'token' }, 'cn-hangzhou');
    expect(token.presign(request, 1702785388_000, 599)).toMatchObject({
      'x-oss-date': '20231217T035628Z',
      'x-oss-signature': '3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5',
    });
  });

  it('a run past midnight UTC signs with the new day', () => {
    const signer = new SignerV4(keys, 'cn-hangzhou');
    signer.sign(GO_V4, Date.UTC(2023, 11, 15, 23, 59, 59));
    expect(signer.sign(GO_V4, 1702743657_000).authorization).toContain('e21d18daa82167720f9b1047ae7e7f1ce7cb77a3');
  });
});

describe("the vendor's published V1 signatures", () => {
  const put: SignRequest = {
    method: 'PUT',
    bucket: 'examplebucket',
    key: 'nelson',
    query: {},
    headers: {
      'content-md5': 'eB5eJF1ptWaXm4bijSPyxw==',
      'content-type': 'text/html',
      'x-oss-meta-author': 'alice',
      'x-oss-meta-magic': 'abracadabra',
    },
  };
  const date = Date.parse('Wed, 28 Dec 2022 10:27:41 GMT');

  it('a signed request is accepted, with and without a sub-resource', () => {
    expect(new SignerV1(keys).sign(put, date).authorization).toBe('OSS ak:kSHKmLxlyEAKtZPkJhG9bZb5k7M=');
    const acl = new SignerV1(keys).sign({ ...put, query: { acl: '', prefix: 'not-signed' } }, date);
    expect(acl.authorization).toBe('OSS ak:/afkugFbmWDQ967j1vr6zygBLQk=');
  });

  it.each(['retention', 'legalHold'])('%s is a sub-resource, as in the Go SDK (oss/api_op_object_worm.go)', (name) => {
    const { authorization } = new SignerV1(keys).sign({ ...put, query: { [name]: '', versionId: 'v' } }, date);
    const resource = `/examplebucket/nelson?${name}&versionId=v`;
    const headers = [
      'x-oss-date:Wed, 28 Dec 2022 10:27:41 GMT',
      'x-oss-meta-author:alice',
      'x-oss-meta-magic:abracadabra',
    ];
    const lines = [
      'PUT',
      'eB5eJF1ptWaXm4bijSPyxw==',
      'text/html',
      'Wed, 28 Dec 2022 10:27:41 GMT',
      ...headers,
      resource,
    ];
    const signature = createHmac('sha1', keys.accessKeySecret).update(lines.join('\n')).digest('base64');
    expect(authorization).toBe(`OSS ak:${signature}`);
  });

  it('a presigned URL is accepted, with and without temporary credentials', () => {
    const get = { method: 'GET', bucket: 'bucket', key: 'key', query: { versionId: 'versionId' }, headers: {} };
    const at = Date.parse('Sun, 12 Nov 2023 16:43:40 GMT') - 60_000;
    expect(encodeQuery(new SignerV1(keys).presign(get, at, 60))).toBe(
      'Expires=1699807420&OSSAccessKeyId=ak&Signature=dcLTea%2BYh9ApirQ8o8dOPqtvJXQ%3D&versionId=versionId',
    );
    const token = new SignerV1({ ...keys, securityToken: 'token' });
    const later = Date.parse('Sun, 12 Nov 2023 16:56:44 GMT') - 60_000;
    expect(encodeQuery(token.presign({ ...get, key: 'key+123' }, later, 60))).toBe(
      'Expires=1699808204&OSSAccessKeyId=ak&Signature=jzKYRrM5y6Br0dRFPaTGOsbrDhY%3D' +
        '&security-token=token&versionId=versionId',
    );
  });
});

const awkward = fc.constantFrom(
  'a',
  '+',
  ' ',
  '%',
  '/',
  '.',
  '..',
  '//',
  '~',
  "'",
  '!',
  '*',
  '(',
  ')',
  '&',
  '=',
  '?',
  'é',
  '中',
  '🎉',
  '\u0001',
  '\u007f',
  '￿',
);
const key = fc.array(awkward, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''));
const value = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), key);
/** Names that this store sends; ali-oss sorts them by locale, which agrees on these. */
const query = fc.dictionary(
  fc.constantFrom('uploads', 'uploadId', 'partNumber', 'list-type', 'prefix', 'continuation-token', 'versionId'),
  value,
);
const headerValue = fc.string({ unit: fc.constantFrom('a', 'Z', '0', ' ', ';', '=', '/'), maxLength: 12 });
const headers = fc.dictionary(
  fc.constantFrom('content-type', 'content-md5', 'x-oss-meta-a', 'x-oss-meta-b-c', 'x-oss-range-behavior', 'range'),
  headerValue,
);
const request = fc.record<SignRequest>({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'HEAD', 'DELETE'),
  bucket: fc.constant('bucket'),
  key,
  query,
  headers,
});
const credentials = fc.record({
  accessKeyId: fc.string({ unit: 'binary-ascii', minLength: 1 }),
  accessKeySecret: fc.string({ minLength: 1 }),
  securityToken: fc.option(fc.constant('a-token'), { nil: undefined }),
});
const now = fc.integer({ min: 0, max: 4102444800_000 });

/** ali-oss takes a parameter without value as null. */
function nullable(parameters: Query): Record<string, string | null> {
  return Object.fromEntries(Object.entries(parameters).map(([name, text]) => [name, text === '' ? null : text]));
}

describe("ali-oss's signer agrees, so that a key of any kind reaches OSS", () => {
  it('with V4 headers', () => {
    fc.assert(
      fc.property(credentials, request, now, (creds, req, ms) => {
        const { authorization, ...signed } = new SignerV4(creds, 'cn-shanghai').sign(req, ms);
        const theirs = vendor.authorizationV4(
          creds.accessKeyId,
          creds.accessKeySecret,
          'cn-shanghai',
          req.method,
          { headers: signed, queries: nullable(req.query) },
          'bucket',
          req.key ?? '',
        );
        expect(authorization).toBe(theirs);
      }),
    );
  });

  it('with V4 presigned URLs', () => {
    fc.assert(
      fc.property(credentials, request, now, (creds, req, ms) => {
        const { 'x-oss-signature': ours, ...rest } = new SignerV4(creds, 'cn-shanghai').presign(req, ms, 600);
        const date = rest['x-oss-date'] ?? '';
        const canonical = vendor.getCanonicalRequest(
          req.method,
          { headers: req.headers, queries: nullable(rest) },
          'bucket',
          req.key ?? '',
          [],
        );
        const text = vendor.getStringToSign('cn-shanghai', date, canonical);
        expect(ours).toBe(vendor.getSignatureV4(creds.accessKeySecret, date.slice(0, 8), 'cn-shanghai', text));
      }),
    );
  });

  it('with V1 headers and presigned URLs', () => {
    const subresources = query.map(({ prefix: _prefix, 'list-type': _type, ...rest }) => rest);
    fc.assert(
      fc.property(credentials, request, subresources, now, (creds, plain, sub, ms) => {
        const req = { ...plain, query: sub };
        const resource = `/bucket/${req.key}`;
        const { authorization, ...signed } = new SignerV1(creds).sign(req, ms);
        const canonical = vendor.buildCanonicalString(req.method, resource, {
          headers: { 'content-type': '', ...signed },
          parameters: sub,
        });
        expect(authorization).toBe(
          `OSS ${creds.accessKeyId}:${vendor.computeSignature(creds.accessKeySecret, canonical)}`,
        );
        const { Signature, Expires, OSSAccessKeyId: _id, ...parameters } = new SignerV1(creds).presign(req, ms, 60);
        const presigned = vendor.buildCanonicalString(
          req.method,
          resource,
          { headers: { 'content-type': '', ...req.headers }, parameters },
          Expires,
        );
        expect(Signature).toBe(vendor.computeSignature(creds.accessKeySecret, presigned));
      }),
    );
  });
});
