import { describe, expect, it } from 'vitest';
import { type Refusal, refusalOf } from '../../../src/store/s3/errors.js';

const errorOf = (status: number, code?: string, more: Partial<Refusal> & { xml?: string } = {}) => {
  const { xml = '', ...rest } = more;
  const body =
    code === undefined ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>why</Message>${xml}</Error>`;
  return refusalOf({
    status,
    headers: {},
    body: Buffer.from(body),
    bucket: 'b',
    key: 'k',
    region: 'us-east-1',
    ...rest,
  });
};

describe('a refusal says what to do', () => {
  it.each([
    [404, 'NoSuchBucket', 'bucket-not-found', 'person'],
    // Unknown: nobody knows that it lasts.
    [400, 'SomethingNew', 'invalid-response', 'temporary'],
    [403, 'QuotaExceeded', 'access-denied', 'temporary'],
    [404, 'NoSuchKey', 'object-not-found', 'permanent'],
    [404, 'NoSuchUpload', 'upload-not-found', 'permanent'],
    [403, 'AccessDenied', 'access-denied', 'person'],
    [403, 'InvalidAccessKeyId', 'bad-credentials', 'person'],
    [403, 'SignatureDoesNotMatch', 'bad-credentials', 'person'],
    [400, 'ExpiredToken', 'expired-credentials', 'person'],
    [403, 'RequestTimeTooSkewed', 'clock-skew', 'temporary'],
    [503, 'SlowDown', 'throttled', 'temporary'],
    [412, 'PreconditionFailed', 'precondition-failed', 'permanent'],
    [416, 'InvalidRange', 'truncated', 'temporary'],
    [403, 'InvalidObjectState', 'object-archived', 'person'],
    [400, 'EntityTooLarge', 'object-too-large', 'permanent'],
    [400, 'MetadataTooLarge', 'metadata-too-large', 'permanent'],
    [400, 'KeyTooLongError', 'key-not-representable', 'permanent'],
    [400, 'BadDigest', 'checksum-mismatch', 'temporary'],
    [500, 'InternalError', 'server-error', 'temporary'],
    [409, 'BucketAlreadyExists', 'bucket-exists', 'person'],
    [400, 'InvalidPart', 'precondition-failed', 'permanent'],
    [501, 'NotImplemented', 'unsupported', 'permanent'],
    [200, 'InternalError', 'server-error', 'temporary'],
    [500, 'SomethingNew', 'server-error', 'temporary'],
  ])('%i %s is %s', (status, serviceCode, code, errorClass) => {
    expect(errorOf(status, serviceCode)).toMatchObject({ code, class: errorClass, serviceCode, status });
  });

  it.each([
    ['InvalidArgument', '<ArgumentName>x-amz-acl</ArgumentName>', 'attribute-refused', 'person', 'acl'],
    ['InvalidArgument', '<ArgumentName>x-amz-object-lock-mode</ArgumentName>', 'attribute-refused', 'person', 'lock'],
    [
      'InvalidArgument',
      '<ArgumentName>x-amz-server-side-encryption</ArgumentName>',
      'invalid-response',
      'person',
      undefined,
    ],
    ['InvalidArgument', '', 'invalid-response', 'permanent', undefined],
    ['InvalidStorageClass', '', 'config', 'person', 'storage-class'],
    ['InvalidEncryptionAlgorithmError', '', 'invalid-response', 'person', undefined],
    ['InvalidTag', '', 'attribute-refused', 'person', 'tags'],
    ['MalformedACLError', '', 'attribute-refused', 'person', 'acl'],
    ['ObjectLockConfigurationNotFoundError', '', 'attribute-refused', 'person', 'lock'],
  ])('a value that the store does not take: 400 %s %s', (serviceCode, xml, code, errorClass, attribute) => {
    expect(errorOf(400, serviceCode, { xml })).toMatchObject({ code, class: errorClass, attribute });
  });

  describe('about a key of the customer', () => {
    const sent = { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' };
    const ceph =
      'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.';
    const amazon =
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.';
    const unequal = 'The calculated MD5 hash of the key did not match the hash that was provided.';
    const about = (code: string, text: string, more: Partial<Refusal> = {}, status = 400) =>
      refusalOf({
        ...{ status, headers: {}, bucket: 'b', key: 'k', region: 'us-east-1', ...more },
        body: Buffer.from(`<Error><Code>${code}</Code><Message>${text}</Message></Error>`),
      });

    it.each([
      ['InvalidRequest', amazon, {}, 400, 'unsupported-object', 'Set sse_c_key_file'],
      ['InvalidArgument', ceph, {}, 400, 'unsupported-object', 'Set sse_c_key_file'],
      ['InvalidArgument', unequal, { sent }, 400, 'unsupported-object', 'Check that sse_c_key_file'],
      ['AccessDenied', 'Access Denied', { sent }, 403, 'access-denied', 'Check that sse_c_key_file'],
      ['InvalidRequest', 'must be made over a secure connection', { sent }, 400, 'config', 'Use an https endpoint'],
      ['InvalidRequest', amazon, { upload: true }, 400, 'invalid-response', 'started with another key'],
    ] as const)('%s %s %j', (serviceCode, text, more, status, code, remedy) => {
      const error = about(serviceCode, text, more, status);
      expect(error.code).toBe(code);
      expect(error.remedy).toContain(remedy);
    });

    it('none of it is in a message, although the service repeats it', () => {
      const key = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
      const secrets = { ...sent, 'x-amz-server-side-encryption-customer-key': key };
      expect(about('InvalidArgument', `wrong key ${key}`, { sent: secrets }).message).toBe(
        'k: wrong key *** (InvalidArgument)',
      );
    });
  });

  it.each([
    [403, {}, 'access-denied'],
    [404, {}, 'object-not-found'],
    [404, { key: undefined }, 'bucket-not-found'],
    [404, { upload: true }, 'upload-not-found'],
    [405, { headers: { 'x-amz-delete-marker': 'true' } }, 'object-not-found'],
    [412, {}, 'precondition-failed'],
    [416, {}, 'truncated'],
    [429, {}, 'throttled'],
    [500, {}, 'server-error'],
    [503, {}, 'throttled'],
    [301, { headers: { 'x-amz-bucket-region': 'eu-west-1' } }, 'wrong-region'],
    [400, { headers: { 'x-amz-bucket-region': 'eu-west-1' } }, 'wrong-region'],
  ])('a HEAD’s %i without a body (%o) is %s', (status, more, code) => {
    expect(errorOf(status, undefined, more).code).toBe(code);
  });

  it('names the region or the endpoint that would be right', () => {
    const malformed = errorOf(400, 'AuthorizationHeaderMalformed', { xml: '<Region>eu-west-1</Region>' });
    expect(malformed).toMatchObject({ code: 'wrong-region', remedy: expect.stringContaining('eu-west-1') });
    const moved = errorOf(301, 'PermanentRedirect', { xml: '<Endpoint>b.s3.example</Endpoint>' });
    expect(moved).toMatchObject({ code: 'wrong-endpoint', remedy: expect.stringContaining('b.s3.example') });
  });

  it('keeps what a retry and a support desk need', () => {
    const headers = { 'retry-after': '7', 'x-amz-request-id': 'R1' };
    expect(errorOf(503, 'SlowDown', { headers })).toMatchObject({ retryAfterMs: 7000, requestId: 'R1', subject: 'k' });
  });

  it('survives a proxy’s page in place of an answer', () => {
    expect(errorOf(502, undefined, { body: Buffer.from('<html>Bad gateway') }).code).toBe('server-error');
  });

  it('tells a bucket without acceleration from a bad request', () => {
    const body = Buffer.from(
      '<Error><Code>InvalidRequest</Code><Message>S3 Transfer Acceleration is not configured on this bucket</Message></Error>',
    );
    expect(errorOf(400, undefined, { body }).code).toBe('acceleration-disabled');
  });
});
