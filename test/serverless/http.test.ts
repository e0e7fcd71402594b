import { describe, expect, test } from 'vitest';
import { requestOf, resultOf } from '../../src/serverless/http.js';
import { apiGatewayV1, apiGatewayV2, fcHttp, functionUrl, type Sent } from './samples.js';

const FORMS = { apiGatewayV1, apiGatewayV2, functionUrl, fcHttp };

describe.each(Object.entries(FORMS))('%s', (_name, form) => {
  const sent: Sent = { path: '/v1/tickets', body: '{"é":1}', authorization: 'XSYNC-HMAC-SHA256 …' };

  test('the request is what was sent', () => {
    expect(requestOf(form(sent))).toMatchObject({ method: 'POST', ...sent, from: expect.stringMatching(/^\d/) });
    expect(requestOf(form({ ...sent, base64: true })).body).toBe(sent.body);
  });

  test('a stage or a mapped path before the path is not signed', () => {
    expect(requestOf(form({ ...sent, path: '/prod/bridge/v1/outcomes' })).path).toBe('/v1/outcomes');
    expect(requestOf(form({ ...sent, path: '/other' })).path).toBe('/other');
  });

  test('without authorization there is none', () => {
    expect(requestOf(form({ path: '/v1/tickets', body: '' }))).not.toHaveProperty('authorization');
  });

  test('a body that is too long, or no text, is refused', () => {
    expect(() => requestOf(form({ ...sent, body: 'x'.repeat(2 ** 20 + 1) }))).toThrow('longer than');
    const broken = { ...form(sent), body: Buffer.from([0xff]).toString('base64'), isBase64Encoded: true };
    expect(() => requestOf(broken)).toThrow('not UTF-8');
  });
});

test('anything else is no request', () => {
  expect(() => requestOf({ Records: [] })).toThrow('not an HTTP request');
});

test('the answer is one that every cloud takes', () => {
  expect(resultOf({ status: 202, headers: { a: 'b' }, body: '{}' })).toEqual({
    ...{ statusCode: 202, headers: { a: 'b' }, body: '{}', isBase64Encoded: false },
  });
});
