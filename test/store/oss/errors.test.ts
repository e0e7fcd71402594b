import { describe, expect, it } from 'vitest';
import { ossError, type Refusal } from '../../../src/store/oss/errors.js';

const subject = { bucket: 'photos', key: 'a.jpg', region: 'cn-hangzhou' };

function refusal(status: number, code: string, more = '', headers: Record<string, string> = {}): Refusal {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>${code}</Code>
  <Message>Something.</Message>
  <RequestId>5C3D9175B6FC201293AD****</RequestId>
  <HostId>photos.oss-cn-hangzhou.aliyuncs.com</HostId>${more}
  <EC>0003-00000001</EC>
</Error>`;
  return { status, headers, body: Buffer.from(body) };
}

describe('what OSS refuses, told so that a person or a retry knows what to do', () => {
  it.each([
    [404, 'NoSuchBucket', 'bucket-not-found', 'person'],
    // Unknown to us: about this request, not a bug that ends the run, and no use to repeat.
    [400, 'InvalidArgument', 'invalid-response', 'permanent'],
    [404, 'NoSuchKey', 'object-not-found', 'permanent'],
    [404, 'NoSuchUpload', 'upload-not-found', 'permanent'],
    [403, 'AccessDenied', 'access-denied', 'person'],
    [403, 'InvalidAccessKeyId', 'bad-credentials', 'person'],
    [403, 'SignatureDoesNotMatch', 'bad-credentials', 'person'],
    [403, 'SecurityTokenExpired', 'expired-credentials', 'person'],
    [403, 'InvalidSecurityToken', 'bad-credentials', 'person'],
    [403, 'RequestTimeTooSkewed', 'clock-skew', 'temporary'],
    [400, 'TransferAccelerationDisabled', 'acceleration-disabled', 'person'],
    [403, 'InvalidObjectState', 'object-archived', 'person'],
    [400, 'BadDigest', 'checksum-mismatch', 'temporary'],
    [400, 'InvalidDigest', 'checksum-mismatch', 'temporary'],
    [412, 'PreconditionFailed', 'precondition-failed', 'permanent'],
    [400, 'EntityTooLarge', 'object-too-large', 'permanent'],
    [409, 'BucketAlreadyExists', 'bucket-exists', 'person'],
    [416, 'InvalidRange', 'truncated', 'temporary'],
    [503, 'ServiceUnavailable', 'throttled', 'temporary'],
    [503, 'QpsLimitExceeded', 'throttled', 'temporary'],
    [503, 'DownloadTrafficRateLimitExceeded', 'throttled', 'temporary'],
    [429, 'TotalQpsLimitExceeded', 'throttled', 'temporary'],
    [500, 'InternalError', 'server-error', 'temporary'],
    [403, 'SomethingNew', 'access-denied', 'temporary'],
  ])('%i %s', (status, code, expected, errorClass) => {
    const error = ossError(refusal(status, code), subject);
    expect(error).toMatchObject({
      code: expected,
      class: errorClass,
      status,
      serviceCode: code,
      subject: 'a.jpg',
      requestId: '5C3D9175B6FC201293AD****',
    });
    expect(error.message).toContain('0003-00000001');
  });

  it.each([
    ['InvalidArgument', '<ArgumentName>x-oss-storage-class</ArgumentName>', 'config', 'storage-class'],
    ['InvalidArgument', '<ArgumentName>x-oss-object-acl</ArgumentName>', 'attribute-refused', 'acl'],
    ['InvalidArgument', '<ArgumentName>x-oss-object-worm-mode</ArgumentName>', 'attribute-refused', 'lock'],
    ['InvalidArgument', '<ArgumentName>x-oss-server-side-encryption</ArgumentName>', 'invalid-response', undefined],
    ['InvalidArgument', '<ArgumentName>x-oss-tagging</ArgumentName>', 'attribute-refused', 'tags'],
    ['InvalidStorageClass', '', 'config', 'storage-class'],
    ['InvalidTag', '', 'attribute-refused', 'tags'],
    ['InvalidEncryptionAlgorithmError', '', 'invalid-response', undefined],
  ])(
    'a value that it does not take is no use to repeat, and names what to change: %s %s',
    (name, more, code, attribute) => {
      expect(ossError(refusal(400, name, more), subject)).toMatchObject({ code, attribute, class: 'person' });
    },
  );

  it('its error code names the argument where nothing else does', () => {
    const body = '<Error><Code>InvalidArgument</Code><Message>why</Message><EC>0013-00000101</EC></Error>';
    const error = ossError({ status: 400, headers: {}, body: Buffer.from(body) }, subject);
    expect([error.code, error.class]).toEqual(['config', 'person']);
    expect(error.remedy).toMatch(/^Check --storage-class, and storage_class of the remote/);
  });

  it('who reads that a Content-MD5 is invalid learns that bytes were damaged', () => {
    expect(ossError(refusal(400, 'InvalidDigest'), subject).remedy).toContain('data changed');
  });

  it('a new account is refused at the public endpoint, also where only the detailed code tells', () => {
    const answers = [
      ['x-oss-ec', '0048-00000401'],
      ['x-oss-err', xOssErr('PublicEndpointForbidden')],
    ] as const;
    for (const [name, value] of answers) {
      expect(ossError({ status: 400, headers: { [name]: value }, body: Buffer.alloc(0) }, subject)).toMatchObject({
        code: 'wrong-endpoint',
        class: 'person',
        remedy: expect.stringContaining('cname: true'),
      });
    }
  });

  it('a bucket of another region names its endpoint', () => {
    const body = refusal(403, 'AccessDenied', '<Endpoint>oss-cn-shanghai.aliyuncs.com</Endpoint>');
    const error = ossError(body, subject);
    expect(error.code).toBe('wrong-endpoint');
    expect(error.remedy).toContain('oss-cn-shanghai.aliyuncs.com');
  });

  it('a signature for another region asks for the right one, not for new credentials', () => {
    const body = Buffer.from(
      '<Error><Code>InvalidArgument</Code><Message>Invalid signing region in Authorization header.</Message></Error>',
    );
    expect(ossError({ status: 400, headers: {}, body }, subject)).toMatchObject({ code: 'wrong-region' });
  });

  it('a HEAD has its reason in a header', () => {
    const reason = Buffer.from(refusal(403, 'InvalidObjectState').body).toString('base64');
    const headed = { status: 403, headers: { 'x-oss-err': reason }, body: Buffer.alloc(0) };
    expect(ossError(headed, subject)).toMatchObject({ code: 'object-archived' });
    const bare = { status: 404, headers: { 'x-oss-request-id': 'R' }, body: Buffer.alloc(0) };
    expect(ossError(bare, subject)).toMatchObject({ code: 'object-not-found', requestId: 'R' });
    expect(ossError(bare, { ...subject, key: undefined })).toMatchObject({ code: 'bucket-not-found' });
  });

  it('waiting times are obeyed in the unit in which they are given', () => {
    const slow = (headers: Record<string, string>) =>
      ossError(refusal(503, 'ServiceUnavailable', '', headers), subject);
    expect(slow({ 'x-oss-qos-delay-time': '1500' }).retryAfterMs).toBe(1500);
    expect(slow({ 'retry-after': '2' }).retryAfterMs).toBe(2000);
    expect(slow({}).retryAfterMs).toBeUndefined();
  });

  it("a proxy's error page is a server error and not a riddle", () => {
    const page = { status: 502, headers: {}, body: Buffer.from('<html><body><h1>Bad Gateway</h1></html>') };
    expect(ossError(page, subject)).toMatchObject({ code: 'server-error', status: 502 });
  });
});

function xOssErr(code: string): string {
  return Buffer.from(`<Error><Code>${code}</Code><Message>no</Message></Error>`).toString('base64');
}
