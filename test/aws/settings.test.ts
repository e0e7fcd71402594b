import { afterEach, describe, expect, it } from 'vitest';
import { awsSettings } from '../../src/aws/settings.js';
import { type AwsWorld, awsWorld } from './support.js';

let world: AwsWorld;
afterEach(() => world.close());

const CONFIG = `[default]
region = eu-central-1
[profile all]
region = cn-north-1
services = mine
endpoint_url = https://profile.example
ca_bundle = /etc/corp.pem
use_fips_endpoint = true
s3 =
  addressing_style = path
  use_dualstack_endpoint = true
[services mine]
s3 =
  endpoint_url = https://services.example
sqs =
  endpoint_url = https://sqs.example
`;
const url = 'https://variable.example';

async function settings(profile: string | undefined, env: Record<string, string> = {}, service: 'S3' | 'SQS' = 'S3') {
  world = await awsWorld({ config: CONFIG }, env);
  return awsSettings(profile, service, process.env);
}

describe('what the AWS CLI reads', () => {
  it('is read from the profile', async () => {
    expect(await settings('all')).toEqual({
      profile: { name: 'all', named: true, hasCredentials: false },
      region: 'cn-north-1',
      endpoint: { url: 'https://services.example', from: 'endpoint_url of the services section "mine"' },
      caBundle: '/etc/corp.pem',
      dualstack: true,
      fips: true,
      addressing: 'path',
    });
  });

  it.each([
    [{ AWS_REGION: 'us-west-1', AWS_DEFAULT_REGION: 'us-west-2' }, { region: 'us-west-1' }],
    [{ AWS_DEFAULT_REGION: 'us-west-2\n' }, { region: 'us-west-2' }],
    [{ AWS_REGION: '' }, { region: 'cn-north-1' }],
    [{ AWS_ENDPOINT_URL: 'http://a', AWS_ENDPOINT_URL_S3: url }, { endpoint: { url, from: 'AWS_ENDPOINT_URL_S3' } }],
    [{ AWS_ENDPOINT_URL: url }, { endpoint: { url, from: 'AWS_ENDPOINT_URL' } }],
    [{ AWS_ENDPOINT_URL: url, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'TRUE' }, { endpoint: undefined }],
    [{ AWS_CA_BUNDLE: '/x.pem' }, { caBundle: '/x.pem' }],
    [{ AWS_USE_FIPS_ENDPOINT: 'False' }, { fips: false }],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'false' }, { dualstack: false }],
  ])('is overridden by variables: %o', async (env, found) => {
    expect(await settings('all', env)).toMatchObject(found);
  });

  it('has an endpoint for each service', async () => {
    expect((await settings('all', {}, 'SQS')).endpoint?.url).toBe('https://sqs.example');
  });

  it('is that of AWS_PROFILE, and of "default" without one', async () => {
    expect(await settings(undefined, { AWS_PROFILE: 'all' })).toMatchObject({ region: 'cn-north-1' });
    await world.close();
    expect(await settings(undefined)).toMatchObject({
      profile: { name: 'default', named: false, hasCredentials: false },
      region: 'eu-central-1',
      endpoint: undefined,
      fips: undefined,
    });
  });

  it('may lack everything', async () => {
    world = await awsWorld({});
    expect(await awsSettings(undefined, 'S3', process.env)).toMatchObject({ region: undefined });
    await expect(awsSettings(undefined, 'S3', { AWS_USE_FIPS_ENDPOINT: 'yes' })).rejects.toMatchObject({
      code: 'config',
      message: 'AWS_USE_FIPS_ENDPOINT must be true or false',
    });
  });
});
