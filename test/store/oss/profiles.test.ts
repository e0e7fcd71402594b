import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isXsyncError } from '../../../src/model/error.js';
import { readDefaultProfile, readProfile } from '../../../src/store/oss/profiles.js';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** A home with these files; a text is written as it is. */
async function home(files: { cli?: object | string; sdk?: string }): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'xsync-profiles-'));
  folders.push(folder);
  await mkdir(join(folder, '.aliyun'));
  await mkdir(join(folder, '.alibabacloud'));
  const { cli, sdk } = files;
  if (cli !== undefined) {
    const text = typeof cli === 'string' ? cli : JSON.stringify(cli);
    await writeFile(join(folder, '.aliyun', 'config.json'), text);
  }
  if (sdk !== undefined) await writeFile(join(folder, '.alibabacloud', 'credentials'), sdk);
  return { HOME: folder };
}

const keys = { access_key_id: 'LTAI', access_key_secret: 'the-secret' };
const CLI = {
  current: 'static',
  profiles: [
    // The CLI writes all settings, most of them empty.
    { name: 'static', mode: 'AK', ...keys, sts_token: '', ram_role_name: '', expired_seconds: 0 },
    { name: 'token', mode: 'StsToken', ...keys, sts_token: 'the-token' },
    {
      name: 'assumed',
      mode: 'RamRoleArn',
      ...keys,
      ram_role_arn: 'acs:ram::1:role/x',
      ram_session_name: 'me',
      expired_seconds: 900,
      sts_region: 'cn-beijing',
    },
    { name: 'machine', mode: 'EcsRamRole', ram_role_name: 'r' },
    { name: 'both', mode: 'RamRoleArnWithRoleName', ram_role_name: 'r', ram_role_arn: 'acs:ram::1:role/x' },
    { name: 'chained', mode: 'ChainableRamRoleArn', source_profile: 'assumed', ram_role_arn: 'acs:ram::2:role/y' },
    { name: 'pod', mode: 'OIDC', oidc_provider_arn: 'p', oidc_token_file: '/t', ram_role_arn: 'acs:ram::1:role/x' },
    { name: 'uri', mode: 'CredentialsURI', credentials_uri: 'http://127.0.0.1:1/' },
    { name: 'program', mode: 'External', process_command: 'print-credentials --now' },
    { name: 'circle', mode: 'ChainableRamRoleArn', source_profile: 'circle', ram_role_arn: 'acs:ram::2:role/y' },
    { name: 'round', mode: 'ChainableRamRoleArn', source_profile: 'about', ram_role_arn: 'acs:ram::2:role/y' },
    { name: 'about', mode: 'ChainableRamRoleArn', source_profile: 'round', ram_role_arn: 'acs:ram::2:role/y' },
    { name: 'orphan', mode: 'ChainableRamRoleArn', source_profile: 'nobody', ram_role_arn: 'acs:ram::2:role/y' },
    { name: 'half', mode: 'RamRoleArn', access_key_id: 'LTAI', access_key_secret: '' },
    { name: 'browser', mode: 'OAuth', oauth_refresh_token: 'the-secret' },
  ],
};

describe('a profile of the Alibaba Cloud CLI', () => {
  it.each([
    ['static', { kind: 'keys', accessKeyId: 'LTAI', accessKeySecret: 'the-secret' }],
    ['token', { kind: 'keys', accessKeyId: 'LTAI', securityToken: 'the-token' }],
    [
      'assumed',
      {
        kind: 'role',
        roleArn: 'acs:ram::1:role/x',
        sessionName: 'me',
        durationSeconds: 900,
        stsRegion: 'cn-beijing',
        from: { kind: 'keys', accessKeyId: 'LTAI' },
      },
    ],
    ['machine', { kind: 'ecs', role: 'r' }],
    ['both', { kind: 'role', from: { kind: 'ecs', role: 'r' } }],
    ['chained', { kind: 'role', roleArn: 'acs:ram::2:role/y', from: { kind: 'role', roleArn: 'acs:ram::1:role/x' } }],
    ['pod', { kind: 'oidc', providerArn: 'p', tokenFile: '/t' }],
    ['uri', { kind: 'uri', uri: 'http://127.0.0.1:1/' }],
    ['program', { kind: 'process', command: 'print-credentials --now' }],
  ])('%s', async (name, recipe) => {
    expect(await readProfile(name, await home({ cli: CLI }))).toMatchObject(recipe);
  });

  it.each([
    ['nobody', /there is no profile "nobody" in .*config\.json or .*credentials/],
    ['circle', /profile "circle" in .* is its own source_profile/],
    ['round', /is its own source_profile/],
    ['orphan', /has the source_profile "nobody", which does not exist/],
    ['half', /profile "half" in .* has no access_key_secret/],
    ['browser', /has the mode OAuth/],
  ])('that is broken says how, and shows no secret: %s', async (name, message) => {
    const error = await readProfile(name, await home({ cli: CLI })).catch((thrown: unknown) => thrown);
    expect(isXsyncError(error, 'bad-credentials') && error.message).toMatch(message);
    expect(isXsyncError(error) && `${error.message}${error.remedy}`).not.toMatch(/the-secret|the-token/);
  });

  it('an unknown name lists those that exist', async () => {
    const env = await home({ cli: { current: 'a', profiles: [{ name: 'a' }] }, sdk: '[b]\ntype = access_key\n' });
    await expect(readProfile('c', env)).rejects.toMatchObject({ remedy: 'Set one of a, b.' });
  });

  it.each(['{"profiles": [{"access_key_secret": "the-secret"', '{"profiles": "the-secret"}', ''])(
    'a file that is none is refused without quoting it: %s',
    async (cli) => {
      const error = await readProfile('a', await home({ cli })).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'bad-credentials', remedy: 'Run: aliyun configure', cause: undefined });
      expect(String(error)).not.toContain('the-secret');
    },
  );

  it.skipIf(process.getuid?.() === 0)('a file that cannot be read is an error, and not skipped', async () => {
    const env = await home({ cli: CLI });
    await chmod(join(env.HOME ?? '', '.aliyun', 'config.json'), 0);
    await expect(readDefaultProfile(env)).rejects.toMatchObject({ code: 'bad-credentials' });
  });
});

describe("a profile of the SDKs' file", () => {
  const sdk = `
[default]
enable = true
type = access_key
access_key_id = LTAI
access_key_secret = the=secret
[role]
type = ram_role_arn
access_key_id = LTAI
access_key_secret = s
role_arn = acs:ram::1:role/x
role_session_name = me
[machine]
type = ecs_ram_role
role_name = r
[pod]
type = oidc_role_arn
oidc_provider_arn = p
oidc_token_file_path = /t
role_arn = acs:ram::1:role/x
[rsa]
type = rsa_key_pair
`;
  it.each([
    ['default', { kind: 'keys', accessKeySecret: 'the=secret' }],
    ['role', { kind: 'role', roleArn: 'acs:ram::1:role/x', sessionName: 'me' }],
    ['machine', { kind: 'ecs', role: 'r' }],
    ['pod', { kind: 'oidc', tokenFile: '/t' }],
  ])('%s', async (name, recipe) => {
    expect(await readProfile(name, await home({ sdk }))).toMatchObject(recipe);
  });

  it('a type that xsync cannot use is named', async () => {
    await expect(readProfile('rsa', await home({ sdk }))).rejects.toThrow(/has the type rsa_key_pair/);
  });

  it('is found where ALIBABA_CLOUD_CREDENTIALS_FILE points to', async () => {
    const { HOME } = await home({ sdk });
    const env = { HOME: '/nowhere', ALIBABA_CLOUD_CREDENTIALS_FILE: join(HOME ?? '', '.alibabacloud/credentials') };
    expect(await readProfile('machine', env)).toMatchObject({ kind: 'ecs' });
  });
});

describe('the default profile', () => {
  it("is the CLI's current one, then the SDKs' default, then none", async () => {
    const sdk = '[default]\ntype = ecs_ram_role\n';
    const env = await home({ cli: CLI, sdk });
    expect(await readDefaultProfile(env)).toMatchObject({ kind: 'keys' });
    expect(await readDefaultProfile({ ...env, ALIBABA_CLOUD_CLI_PROFILE_DISABLED: 'true' })).toMatchObject({
      kind: 'ecs',
    });
    expect(await readDefaultProfile(await home({}))).toBeUndefined();
  });

  it('that is broken is an error, and the next source is not tried', async () => {
    const env = await home({ cli: { current: 'gone', profiles: [] }, sdk: '[default]\ntype = ecs_ram_role\n' });
    await expect(readDefaultProfile(env)).rejects.toMatchObject({ code: 'bad-credentials' });
  });
});
