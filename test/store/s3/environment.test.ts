import { afterEach, describe, expect, it } from 'vitest';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { completeConfig } from '../../../src/store/s3/environment.js';
import { type AwsWorld, awsWorld } from '../../aws/support.js';

let world: AwsWorld;
afterEach(() => world.close());

const CONFIG = `[profile china]
region = cn-northwest-1
endpoint_url = https://profile.example/base
ca_bundle = /etc/corp.pem
use_dualstack_endpoint = true
s3 =
  addressing_style = path
`;

async function complete(settings: object, env: Record<string, string> = {}) {
  world = await awsWorld({ config: CONFIG }, env);
  return completeConfig(s3ConfigSchema.parse({ type: 's3', ...settings }), process.env);
}

describe('a remote with credentials from AWS', () => {
  it('takes what the profile says', async () => {
    const { config, caBundle, stsRegion } = await complete({ profile: 'china' });
    expect(config).toMatchObject({
      region: 'cn-northwest-1',
      endpoint: 'https://profile.example/base',
      force_path_style: true,
    });
    // Only AWS's own endpoints have variants.
    expect(config.use_dualstack_endpoint).toBeUndefined();
    expect({ caBundle, stsRegion }).toEqual({ caBundle: '/etc/corp.pem', stsRegion: 'cn-northwest-1' });
  });

  it('keeps what it says itself', async () => {
    const own = { profile: 'china', provider: 'aws-cn', region: 'cn-north-1', force_path_style: false };
    const { config, stsRegion } = await complete(own, { AWS_REGION: 'us-west-2', AWS_ENDPOINT_URL: 'http://x' });
    expect(config).toMatchObject({ ...own, use_dualstack_endpoint: true });
    expect(config.endpoint).toBeUndefined();
    expect(stsRegion).toBe('cn-north-1');
  });

  it.each([
    [{ env_auth: true }, {}, 'us-east-1'],
    [{ env_auth: true }, { AWS_DEFAULT_REGION: 'us-gov-west-1' }, 'us-gov-west-1'],
    [{ env_auth: true, region: 'eusc-de-east-1' }, { AWS_REGION: 'us-west-2' }, 'eusc-de-east-1'],
    [{ env_auth: true, provider: 'ceph', endpoint: 'http://x', region: 'default' }, {}, 'us-east-1'],
    [
      { env_auth: true, provider: 'ceph', endpoint: 'http://x', region: 'default' },
      { AWS_REGION: 'cn-north-1' },
      'cn-north-1',
    ],
    [{ env_auth: true, provider: 'aws-cn' }, {}, 'cn-north-1'],
  ])('asks STS in the right region: %o with %o', async (settings, env, region) => {
    expect((await complete(settings, env)).stsRegion).toBe(region);
  });

  it('names the variable or section whose endpoint is none', async () => {
    await expect(complete({ env_auth: true }, { AWS_ENDPOINT_URL_S3: 'ftp://x' })).rejects.toMatchObject({
      code: 'config',
      message: 'AWS_ENDPOINT_URL_S3 is not an address such as https://s3.example.com',
    });
  });
});

it('a remote with keys of its own takes nothing but the certificates', async () => {
  const keys = { access_key_id: 'A', secret_access_key: 's' };
  const env = { AWS_PROFILE: 'gone', AWS_REGION: 'us-west-2', AWS_ENDPOINT_URL: 'http://x', AWS_CA_BUNDLE: '/x.pem' };
  const { config, caBundle } = await complete(keys, env);
  expect(config).toMatchObject(keys);
  expect([config.region, config.endpoint, caBundle]).toEqual([undefined, undefined, '/x.pem']);
});
