import { describe, expect, it } from 'vitest';
import { type OssConfigInput, ossConfigSchema, resolveOssConfig } from '../../../src/store/oss/config.js';
import { locate } from '../../../src/store/oss/endpoint.js';

const keys = { access_key_id: 'ak', secret_access_key: 'sk' };

function resolve(config: Omit<OssConfigInput, 'type'>, env: NodeJS.ProcessEnv = {}) {
  return resolveOssConfig(ossConfigSchema.parse({ type: 'oss', ...config }), env);
}

describe('the config of an oss remote', () => {
  it('a region with or without its prefix signs for the same region and finds its endpoint', () => {
    for (const region of ['oss-cn-shanghai', 'cn-shanghai']) {
      expect(resolve({ ...keys, region })).toMatchObject({
        region: 'cn-shanghai',
        endpoints: { control: 'https://oss-cn-shanghai.aliyuncs.com', data: 'https://oss-cn-shanghai.aliyuncs.com' },
      });
    }
  });

  it('the region is read off an endpoint that names it', () => {
    expect(resolve({ ...keys, endpoint: 'oss-us-west-1-internal.aliyuncs.com' }).region).toBe('us-west-1');
    expect(() => resolve({ ...keys, endpoint: 'oss-accelerate.aliyuncs.com' })).toThrow(/no region/);
  });

  it('variables lose the newline of a secret, and what cannot be a key is said', () => {
    const env = { OSS_ACCESS_KEY_ID: 'ak\n', OSS_ACCESS_KEY_SECRET: ' sk\r\n', OSS_REGION: 'cn-shanghai\n' };
    const { recipe, region } = resolve({ env_auth: true }, env);
    expect({ ...recipe, region }).toMatchObject({
      accessKeyId: 'ak',
      accessKeySecret: 'sk',
      region: 'cn-shanghai',
    });
    for (const more of [{ OSS_ACCESS_KEY_ID: 'a\nk' }, { OSS_SESSION_TOKEN: 'a b' }]) {
      expect(() => resolve({ env_auth: true }, { ...env, ...more })).toThrow(
        expect.objectContaining({ code: 'config', message: expect.stringContaining('characters that no key has') }),
      );
    }
  });

  it('inside the region, traffic stays on the free internal endpoint', () => {
    const { endpoints } = resolve({ ...keys, region: 'cn-hangzhou', internal: true });
    expect(endpoints.control).toBe('https://oss-cn-hangzhou-internal.aliyuncs.com');
  });

  it('acceleration carries bytes only, so that bucket calls do not fail over it', () => {
    const on = resolve({ ...keys, region: 'cn-hangzhou', accelerate: 'on', accelerate_endpoint: 'overseas' });
    expect(on.endpoints).toEqual({
      control: 'https://oss-cn-hangzhou.aliyuncs.com',
      data: 'https://oss-accelerate-overseas.aliyuncs.com',
    });
    expect(resolve({ ...keys, region: 'cn-hangzhou', accelerate: 'auto' }).endpoints.data).toBe(on.endpoints.control);
  });

  it('a misspelt key is an error and not a silent default', () => {
    const misspelt = { ...keys, region: 'cn-hangzhou', storageclass: 'IA' };
    expect(() => resolve(misspelt)).toThrow();
    expect(() => resolve({ ...keys, endpoint: 'https://oss-cn-hangzhou.aliyuncs.com/bucket' })).toThrow();
  });

  it('credentials come from the environment only when asked for, and OSS_* before ALIBABA_CLOUD_*', () => {
    const env = {
      OSS_REGION: 'oss-cn-beijing',
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'id2',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 's2',
      ALIBABA_CLOUD_SECURITY_TOKEN: 't2',
    };
    expect(() => resolve({ region: 'cn-beijing' }, env)).toThrow(/no credentials/);
    const vendor = resolve({ env_auth: true }, env);
    expect(vendor.recipe).toEqual({ kind: 'keys', accessKeyId: 'id2', accessKeySecret: 's2', securityToken: 't2' });
    expect(vendor.endpoints.control).toBe('https://oss-cn-beijing.aliyuncs.com');
    const own = resolve({ env_auth: true }, { ...env, OSS_ACCESS_KEY_ID: 'id1', OSS_ACCESS_KEY_SECRET: 's1' });
    expect(own.recipe).toEqual({ kind: 'keys', accessKeyId: 'id1', accessKeySecret: 's1', securityToken: undefined });
  });

  it.each(['cn-beijing', 'oss-cn-beijing', 'OSS-CN-BEIJING', 'CN-Beijing'])(
    'OSS_REGION %s is cn-beijing, also in signatures',
    (OSS_REGION) => {
      const env = { OSS_REGION, OSS_ACCESS_KEY_ID: 'id', OSS_ACCESS_KEY_SECRET: 's' };
      const { endpoints, region } = resolve({ env_auth: true }, env);
      expect([region, endpoints.control]).toEqual(['cn-beijing', 'https://oss-cn-beijing.aliyuncs.com']);
    },
  );

  it('the account is told apart without revealing the key', () => {
    expect(resolve({ ...keys, region: 'r' }).account).toMatch(/^[0-9a-f]{12}$/);
  });
});

describe('addresses', () => {
  it('buckets are virtual hosts, and paths where there can be none', () => {
    expect(locate('https://oss-cn-hangzhou.aliyuncs.com', 'b', 'k', { uploads: '' })).toEqual({
      origin: 'https://b.oss-cn-hangzhou.aliyuncs.com',
      path: '/k?uploads',
    });
    for (const origin of ['http://127.0.0.1:9000', 'http://localhost:9000', 'http://[::1]:9000']) {
      expect(locate(origin, 'b', 'k', {})).toEqual({ origin, path: '/b/k' });
    }
  });

  it('dot segments and double slashes of a key reach the service', () => {
    expect(locate('https://e.com', 'b', 'a/../b//./c d+é', {}).path).toBe('/a/../b//./c%20d%2B%C3%A9');
  });
});
