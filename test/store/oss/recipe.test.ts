import { describe, expect, it } from 'vitest';
import { accountOf, nameOf, recipeOf, type SourceConfig } from '../../../src/store/oss/recipe.js';

const ROLE = 'acs:ram::1:role/x';
const PROVIDER = 'acs:ram::1:oidc-provider/p';

function of(config: Partial<SourceConfig>, env: Record<string, string> = {}) {
  return recipeOf({ env_auth: false, ...config }, env);
}
const inEnv = (env: Record<string, string>) => of({ env_auth: true }, env);

const KEYS = { ALIBABA_CLOUD_ACCESS_KEY_ID: 'id', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' };

describe('the source of credentials in a config', () => {
  it.each<[string, Partial<SourceConfig>, object | undefined]>([
    ['nothing', {}, undefined],
    [
      'keys',
      { access_key_id: 'id', secret_access_key: 's' },
      { kind: 'keys', accessKeyId: 'id', accessKeySecret: 's' },
    ],
    ['a profile', { profile: 'work' }, { kind: 'profile', profile: 'work' }],
    ['a role of the instance', { ecs_role: 'r' }, { kind: 'ecs', role: 'r' }],
    ['a URI', { credentials_uri: 'http://127.0.0.1:1/c' }, { kind: 'uri', uri: 'http://127.0.0.1:1/c' }],
    ['a program', { credential_process: 'p --q' }, { kind: 'process', command: 'p --q' }],
    [
      'a role on top of keys',
      { access_key_id: 'id', secret_access_key: 's', role_arn: ROLE, role_external_id: 'e' },
      { kind: 'role', roleArn: ROLE, externalId: 'e', from: { kind: 'keys', accessKeyId: 'id' } },
    ],
    [
      'a role on top of a profile',
      { profile: 'work', role_arn: ROLE },
      { kind: 'role', roleArn: ROLE, from: { kind: 'profile', profile: 'work' } },
    ],
    [
      'an OIDC token',
      { role_arn: ROLE, oidc_provider_arn: PROVIDER, oidc_token_file: '/t' },
      { kind: 'oidc', roleArn: ROLE, providerArn: PROVIDER, tokenFile: '/t' },
    ],
  ])('%s', (_name, config, recipe) => {
    if (recipe === undefined) expect(of(config, KEYS)).toBeUndefined();
    else expect(of({ ...config, env_auth: true }, KEYS)).toMatchObject(recipe);
  });

  it('half a pair of keys is an error, although the environment has others', () => {
    expect(() => of({ access_key_id: 'id', env_auth: true }, KEYS)).toThrow(/secret_access_key is not/);
    expect(() => of({ secret_access_key: 's', env_auth: true }, KEYS)).toThrow(/access_key_id is not/);
  });
});

describe('the source of credentials in the environment', () => {
  it.each<[string, Record<string, string>, object]>([
    [
      'OSS_*, with a token by either name',
      { OSS_ACCESS_KEY_ID: 'o', OSS_ACCESS_KEY_SECRET: 's', OSS_STS_TOKEN: 't', ...KEYS },
      { kind: 'keys', accessKeyId: 'o', accessKeySecret: 's', securityToken: 't' },
    ],
    [
      'empty OSS_* variables hide nothing',
      { OSS_ACCESS_KEY_ID: '', OSS_ACCESS_KEY_SECRET: '', ...KEYS },
      { kind: 'keys', accessKeyId: 'id', accessKeySecret: 'secret' },
    ],
    [
      'a line break that was pasted along is not part of a key',
      { OSS_ACCESS_KEY_ID: 'o\n', OSS_ACCESS_KEY_SECRET: ' s\r\n' },
      { kind: 'keys', accessKeyId: 'o', accessKeySecret: 's' },
    ],
    [
      'keys and a role',
      { ...KEYS, ALIBABA_CLOUD_ROLE_ARN: ROLE, ALIBABA_CLOUD_STS_REGION: 'cn-beijing' },
      { kind: 'role', roleArn: ROLE, stsRegion: 'cn-beijing', from: { kind: 'keys', accessKeyId: 'id' } },
    ],
    [
      'a pod with RRSA',
      {
        ALIBABA_CLOUD_ROLE_ARN: ROLE,
        ALIBABA_CLOUD_OIDC_PROVIDER_ARN: PROVIDER,
        ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/var/run/token',
      },
      { kind: 'oidc', roleArn: ROLE, providerArn: PROVIDER, tokenFile: '/var/run/token' },
    ],
    [
      'keys given to a pod with RRSA',
      { ...KEYS, ALIBABA_CLOUD_ROLE_ARN: ROLE, ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/var/run/token' },
      { kind: 'keys', accessKeyId: 'id' },
    ],
    ['a profile', { ALIBABA_CLOUD_PROFILE: 'work' }, { kind: 'profile', profile: 'work' }],
    ['a URI', { ALIBABA_CLOUD_CREDENTIALS_URI: 'http://127.0.0.1:1/' }, { kind: 'uri', uri: 'http://127.0.0.1:1/' }],
    ['a role of the instance', { ALIBABA_CLOUD_ECS_METADATA: 'r' }, { kind: 'ecs', role: 'r' }],
    ['nothing', { ALIBABA_CLOUD_PROFILE: '', ALIBABA_CLOUD_ECS_METADATA: '' }, { kind: 'default' }],
  ])('%s', (_name, env, recipe) => {
    expect(inEnv(env)).toMatchObject(recipe);
  });

  it.each([
    [{ OSS_ACCESS_KEY_ID: 'o', ...KEYS }, 'OSS_ACCESS_KEY_SECRET'],
    [{ OSS_ACCESS_KEY_SECRET: 'o', ...KEYS }, 'OSS_ACCESS_KEY_ID'],
    [{ ALIBABA_CLOUD_ACCESS_KEY_ID: 'id' }, 'ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
    [{ ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/t' }, 'ALIBABA_CLOUD_ROLE_ARN'],
    [{ ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/t', ALIBABA_CLOUD_ROLE_ARN: ROLE }, 'ALIBABA_CLOUD_OIDC_PROVIDER_ARN'],
  ])('half a source is an error that names what is missing: %j', (env, missing) => {
    expect(() => inEnv(env)).toThrow(new RegExp(`but ${missing} is not`));
  });

  it('a URI that is none is refused without repeating it', () => {
    expect(() => inEnv({ ALIBABA_CLOUD_CREDENTIALS_URI: 'file:///secret' })).toThrow(
      /^ALIBABA_CLOUD_CREDENTIALS_URI is not an http or https URL$/,
    );
  });
});

describe('an account', () => {
  it('is named without a secret, and stays the same when credentials are renewed', () => {
    const uri = of({ credentials_uri: 'http://user:pass@127.0.0.1:1/secret' });
    const process = of({ credential_process: 'print --token=secret' });
    expect([uri, process].map((recipe) => recipe && nameOf(recipe))).toEqual([
      'credentials URI http://127.0.0.1:1',
      'credential process print',
    ]);
    const other = of({ credential_process: 'print --token=other' });
    expect(process && accountOf(process)).not.toBe(other && accountOf(other));
  });
});
