import { describe, expect, it } from 'vitest';
import { addressesOf } from '../../../src/store/s3/address.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { ChainSource, credentialSource } from '../../../src/store/s3/credentials.js';
import { presetOf } from '../../../src/store/s3/presets.js';

const KEYS = { access_key_id: 'AKID', secret_access_key: 'hidden' };
const parse = (more: object) => s3ConfigSchema.parse({ type: 's3', ...KEYS, ...more });

describe('an s3 remote', () => {
  it.each([
    ['a misspelt key', { acces_key_id: 'x' }],
    ['half a key pair', { secret_access_key: undefined }],
    ['no credentials at all', { access_key_id: undefined, secret_access_key: undefined }],
    ['a provider that needs an endpoint', { provider: 'minio' }],
    ['an endpoint with a query', { endpoint: 'https://x.example/?region=here' }],
    ['an endpoint with a password', { endpoint: 'https://user:password@x.example' }],
    ['acceleration in China', { provider: 'aws-cn', accelerate: 'on' }],
    ['an unknown provider', { provider: 'nobody' }],
  ])('is refused with %s, before a run goes wrong', (_name, more) => {
    expect(s3ConfigSchema.safeParse({ type: 's3', ...KEYS, ...more }).success).toBe(false);
  });

  it('takes rclone’s provider names and text for booleans', () => {
    const config = parse({ provider: 'TencentCOS', force_path_style: 'true', requester_pays: 'false' });
    expect(config).toMatchObject({ provider: 'cos', force_path_style: true, requester_pays: false });
  });

  it.each([
    [{ region: 'eu-west-1' }, 'bucket', 'https://bucket.s3.eu-west-1.amazonaws.com', ''],
    [
      { provider: 'aws-cn', region: 'cn-northwest-1' },
      'bucket',
      'https://bucket.s3.cn-northwest-1.amazonaws.com.cn',
      '',
    ],
    [{ region: 'eu-west-1' }, 'dotted.bucket', 'https://s3.eu-west-1.amazonaws.com', '/dotted.bucket'],
    [{ region: 'eu-west-1', force_path_style: true }, 'bucket', 'https://s3.eu-west-1.amazonaws.com', '/bucket'],
    [{ provider: 'oss', region: 'cn-hangzhou' }, 'bucket', 'https://bucket.s3.oss-cn-hangzhou.aliyuncs.com', ''],
    [{ endpoint: 'minio.example:9000' }, 'bucket', 'https://minio.example:9000', '/bucket'],
    [{ provider: 'aws', endpoint: 'http://127.0.0.1:9000' }, 'bucket', 'http://127.0.0.1:9000', '/bucket'],
  ])('finds its bucket: %o', (more, bucket, origin, base) => {
    expect(addressesOf(parse(more), bucket).control).toMatchObject({ origin, base });
  });

  it.each([
    ['aws', {}, true],
    ['minio', {}, true],
    ['r2', {}, false],
    ['oss', {}, false],
    ['other', {}, false],
    ['other', { etag_is_md5: true }, true],
    ['minio', { etag_is_md5: 'false' }, false],
  ])('takes ETags for MD5s where that is promised: %s %o', (provider, more, promised) => {
    const keys = { access_key_id: 'a', secret_access_key: 'b', endpoint: 'https://s3.example.com' };
    const config = s3ConfigSchema.parse({ type: 's3', provider, ...keys, ...more });
    expect(presetOf(config).etagIsMd5).toBe(promised);
  });

  it('sends only bytes over the accelerated endpoint', () => {
    const { control, data } = addressesOf(parse({ accelerate: 'on', region: 'us-west-2' }), 'bucket');
    expect(control.origin).toBe('https://bucket.s3.us-west-2.amazonaws.com');
    expect(data.origin).toBe('https://bucket.s3-accelerate.amazonaws.com');
    expect(() => addressesOf(parse({ accelerate: 'on' }), 'a.b')).toThrow(expect.objectContaining({ code: 'config' }));
  });
});

describe('credentials', () => {
  it('name the account without telling the key', () => {
    const { fingerprint } = credentialSource(parse({}));
    expect(fingerprint).toMatch(/^[0-9a-f]{12}$/);
    expect(credentialSource(parse({ access_key_id: 'OTHER' })).fingerprint).not.toBe(fingerprint);
  });

  it('of a role name its profile, which stays when the keys change', () => {
    const config = s3ConfigSchema.parse({ type: 's3', profile: 'work' });
    const first = credentialSource(config, { AWS_ACCESS_KEY_ID: 'A' }).fingerprint;
    expect(credentialSource(config, { AWS_ACCESS_KEY_ID: 'B' }).fingerprint).toBe(first);
  });

  it('are fetched once for all who wait, and again before they end', async () => {
    let fetched = 0;
    const source = new ChainSource(async () => {
      fetched++;
      return { accessKeyId: `A${fetched}`, secretAccessKey: 's', expiresMs: fetched * 3_600_000 };
    }, 'f');
    await Promise.all([source.get(0), source.get(0), source.get(0)]);
    expect(fetched).toBe(1);
    expect(source.get(3_000_000)).toMatchObject({ accessKeyId: 'A1' });
    expect(await source.get(3_400_000)).toMatchObject({ accessKeyId: 'A2' });
    source.expire();
    expect(await source.get(3_400_000)).toMatchObject({ accessKeyId: 'A3' });
  });

  it('that end soon are not fetched anew for every request, nor after a failure', async () => {
    const ends = 240_000;
    let fetched = 0;
    let fail = false;
    const source = new ChainSource(async () => {
      fetched++;
      if (fail) throw new Error('STS is down');
      return { accessKeyId: 'A', secretAccessKey: 's', expiresMs: ends };
    }, 'f');
    for (let now = 0; now < 60_000; now += 100) await source.get(now);
    expect(fetched).toBe(1);
    fail = true;
    for (let now = 60_000; now < 120_000; now += 100) await source.get(now);
    expect(fetched).toBe(2);
    // The closer the end, the more often: after half of the rest.
    for (let now = 120_000; now < ends; now += 100) await source.get(now);
    expect(fetched).toBeLessThan(25);
    fail = false;
    await expect(source.get(ends)).rejects.toMatchObject({ code: 'expired-credentials' });
  });

  it('that were renewed meanwhile are not dropped for a request that was sent with older ones', async () => {
    let fetched = 0;
    const source = new ChainSource(async () => ({ accessKeyId: `A${++fetched}`, secretAccessKey: 's' }), 'f');
    const old = await source.get(0);
    expect(source.expire(old)).toBe(true);
    const renewed = await source.get(0);
    expect(source.expire(old)).toBe(true);
    expect(source.get(0)).toBe(renewed);
    expect(fetched).toBe(2);
  });

  it.each([
    ['a newline at the end', 'AKID\n', 'secret\n'],
    ['a Windows line end and blanks', ' AKID\r\n', '\tsecret \r\n'],
  ])('lose %s, which secrets made with echo have', (_, access_key_id, secret_access_key) => {
    const config = s3ConfigSchema.parse({ type: 's3', access_key_id, secret_access_key, session_token: 't\n' });
    expect(config).toMatchObject({ access_key_id: 'AKID', secret_access_key: 'secret', session_token: 't' });
  });

  it.each([
    [{ access_key_id: 'AK ID' }],
    [{ access_key_id: 'AK\nID' }],
    [{ access_key_id: 'AKÏD' }],
    [{ access_key_id: '\n' }],
    [{ secret_access_key: 'sec\nret' }],
    [{ session_token: 'a b' }],
  ])('that cannot be keys are refused: %j', (more) => {
    expect(s3ConfigSchema.safeParse({ type: 's3', ...KEYS, ...more }).success).toBe(false);
  });

  it('that still work are used when a refresh fails', async () => {
    let fail = false;
    const source = new ChainSource(async () => {
      if (fail) throw new Error('IMDS is down');
      return { accessKeyId: 'A', secretAccessKey: 's', expiresMs: 1_000_000 };
    }, 'f');
    await source.get(0);
    fail = true;
    expect(await source.get(900_000)).toMatchObject({ accessKeyId: 'A' });
    await expect(source.get(1_000_001)).rejects.toMatchObject({ code: 'bad-credentials' });
  });

  it('come from the AWS chain when the config says so', async () => {
    const saved = { ...process.env };
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'FROMENV', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' });
    try {
      const source = credentialSource(s3ConfigSchema.parse({ type: 's3', env_auth: true }));
      expect(await source.get(0)).toMatchObject({ accessKeyId: 'FROMENV', sessionToken: 't' });
    } finally {
      process.env = saved;
    }
  });
});
