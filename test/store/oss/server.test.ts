/** Both OSS stores against the strict test server, where the contract suite does not reach. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { type OssConfigInput, ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssSdkStore } from '../../../src/store/oss/sdk.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { expiryOf } from '../../../src/store/urls/expiry.js';
import { type OssCredentials, startServer, type TestServer } from '../../support/server/index.js';

let server: TestServer;
let transport: HttpTransport;
const opened: ObjectStore[] = [];

beforeEach(async () => {
  server = await startServer();
  server.core.oss.createBucket('photos');
  transport = new HttpTransport({ userAgent: 'xsync-test' });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await transport.close();
  await server.close();
  expect(server.bugs).toEqual([]);
});

describe.each(['lean', 'sdk'] as const)('the %s store', (kind) => {
  function open(more: Partial<OssConfigInput> = {}, bucket = 'photos'): ObjectStore {
    const { endpoint, region, accessKeyId, accessKeySecret } = server.oss;
    const keys = { access_key_id: accessKeyId, secret_access_key: accessKeySecret };
    const own = more.credentials_uri === undefined ? keys : {};
    const config = ossConfigSchema.parse({ type: 'oss', endpoint, region, ...own, ...more });
    const http = async () => transport;
    const store =
      kind === 'lean' ? createOssStore(config, bucket, { transport }) : createOssSdkStore(config, bucket, { http });
    opened.push(store);
    return store;
  }

  it('works on a machine whose clock is wrong, at the price of one request', async () => {
    server.clockOffsetMs = -3_600_000;
    const store = open();
    await store.put('a', Buffer.from('x'));
    await store.put('b', Buffer.from('x'));
    expect((await store.list({})).entries.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(server.requests.count()).toBe(4);
  });

  it('names the endpoint of a bucket that is elsewhere', async () => {
    server.core.oss.createBucket('elsewhere', { region: 'cn-shanghai' });
    await expect(open({}, 'elsewhere').checkBucket()).rejects.toMatchObject({
      code: 'wrong-endpoint',
      remedy: expect.stringContaining('oss-cn-shanghai.aliyuncs.com'),
    });
  });

  it('tells a wrong key, a wrong secret and a wrong region apart', async () => {
    const wrong = [{ access_key_id: 'LTAIWRONG' }, { secret_access_key: 'wrong' }, { region: 'cn-shanghai' }];
    const codes = [];
    for (const config of wrong) {
      codes.push(
        await open(config)
          .checkBucket()
          .then(String, (error: { code: string }) => error.code),
      );
    }
    expect(codes).toEqual(['bad-credentials', 'bad-credentials', 'wrong-region']);
  });

  it('goes on when its session ends: concurrent requests share one renewal', async () => {
    const issued: OssCredentials[] = [];
    const issuer = createServer((_request, response) => {
      const session = {
        accessKeyId: `STS.${issued.length + 1}`,
        accessKeySecret: `secret-${issued.length + 1}`,
        securityToken: `token-${issued.length + 1}`,
        expiresAtMs: Date.now() + 3_600_000,
      };
      issued.push(session);
      server.ossSessions.push(session);
      const { accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, securityToken: SecurityToken } = session;
      const Expiration = new Date(session.expiresAtMs).toISOString();
      response.end(JSON.stringify({ Code: 'Success', AccessKeyId, AccessKeySecret, SecurityToken, Expiration }));
    });
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    const { port } = issuer.address() as AddressInfo;
    try {
      const store = open({ credentials_uri: `http://127.0.0.1:${port}/` });
      const put = (name: string) => store.put(name, Buffer.from(name));
      await Promise.all(Array.from({ length: 8 }, (_, i) => put(`before/${i}`)));
      expect(issued).toHaveLength(1);
      // The service ends the session, whatever was promised.
      server.ossSessions.splice(0);
      const ended = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => put(`at/${i}`)));
      const reasons = ended.map((result) => result.status === 'rejected' && [result.reason.code, result.reason.class]);
      expect(reasons).toEqual(Array(8).fill(['expired-credentials', 'temporary']));
      await Promise.all(Array.from({ length: 8 }, (_, i) => put(`after/${i}`)));
      expect(issued).toHaveLength(2);
      expect(server.core.oss.list('photos')).toHaveLength(16);
    } finally {
      issuer.closeAllConnections();
      issuer.close();
    }
  });

  it('does not offer to copy what cannot be read as bytes', async () => {
    server.core.oss.put('photos', 'frozen', 'x', { storageClass: 'ColdArchive' });
    const store = open();
    expect((await store.list({})).entries).toMatchObject([{ key: 'frozen', special: 'archived' }]);
    await expect(store.read('frozen', new Uint8Array(1))).rejects.toMatchObject({ code: 'object-archived' });
  });

  it('vouches by CRC, and takes an ETag that may be an MD5 for a hint', async () => {
    const store = open();
    const put = await store.put('a', Buffer.from('hello'));
    const sums = { etagHint: '5d41402abc4b2a76b9719d911017c592', crc64ecma: put.checksums.crc64ecma };
    expect(put.checksums).toEqual(sums);
    expect((await store.head('a')).checksums).toEqual({ ...sums, md5: sums.etagHint });
    const upload = await store.createUpload('b');
    const part = await store.uploadPart(upload, 1, Buffer.from('hello'));
    expect(part.checksums).toEqual(sums);
    const whole = await store.completeUpload(upload, [{ partNumber: 1, etag: part.etag }]);
    expect(whole.checksums).toEqual({ crc64ecma: sums.crc64ecma });
    expect((await store.read('b', new Uint8Array(2), { offset: 1 })).checksums).toEqual(whole.checksums);
  });

  it('spends one request a call', async () => {
    const store = open();
    await store.put('a', Buffer.from('hello'));
    await store.read('a', new Uint8Array(5));
    await store.list({});
    await store.delete(['a', 'b', 'c']);
    expect(server.requests.count()).toBe(4);
  });
});

it('a presigned URL ends with its own time or with the credentials that signed it, whichever is earlier', async () => {
  const { endpoint, region, accessKeyId, accessKeySecret } = server.oss;
  const keys = { access_key_id: accessKeyId, secret_access_key: accessKeySecret };
  const config = ossConfigSchema.parse({ type: 'oss', endpoint, region, ...keys });
  const endMs = Date.now() + 3_000_000;
  const source = {
    get: () => ({ accessKeyId, accessKeySecret, expiresMs: endMs }),
    expire: () => false,
    name: 'role',
  };
  const renewed = createOssStore(config, 'photos', { transport, source });
  const forever = createOssStore(config, 'photos', { transport });
  opened.push(renewed, forever);
  expect((await renewed.signedUrl('a', { expiresS: 3_600 })).expiresMs).toBe(endMs);
  expect((await renewed.signedUrl('a', { expiresS: 60 })).expiresMs).toBeLessThan(endMs);
  const { url, expiresMs } = await forever.signedUrl('a', { expiresS: 3_600 });
  expect(Math.floor(expiresMs / 1000) * 1000).toBe(expiryOf(url));
});
