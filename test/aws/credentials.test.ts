import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchCredentials } from '../../src/aws/credentials.js';
import { type AwsWorld, awsWorld } from './support.js';

let world: AwsWorld;
afterEach(() => world.close());

const fetched = (profile?: string, region = 'eu-west-1') => fetchCredentials(profile, { region }, process.env);
const STATIC = '[base]\naws_access_key_id = BASE\naws_secret_access_key = s\n';

describe('a profile that does not work is an error, and never the role of the machine', () => {
  it.each([
    ['does not exist', '', 'gone', { code: 'config', message: 'the AWS profile "gone" does not exist' }],
    [
      'has no credentials',
      '[profile empty]\nregion = us-west-2\n',
      'empty',
      { code: 'bad-credentials', message: 'the AWS profile "empty" has no complete credentials' },
    ],
    [
      'has half a key',
      '[profile half]\naws_access_key_id = A\n',
      'half',
      { code: 'bad-credentials', message: 'the AWS profile "half" has no complete credentials' },
    ],
    [
      'has a process that fails',
      `[profile tool]\ncredential_process = sh -c "echo vault is sealed >&2; exit 3" tool --password=hush\n`,
      'tool',
      {
        code: 'bad-credentials',
        message: 'the AWS profile "tool" returned no credentials: its credential_process failed: vault is sealed',
      },
    ],
    [
      'has a process that prints something else',
      '[profile tool]\ncredential_process = echo hello\n',
      'tool',
      {
        code: 'bad-credentials',
        message: expect.stringContaining('Profile tool credential_process returned invalid JSON'),
      },
    ],
    [
      'names a source that does not exist',
      '[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = gone\n',
      'role',
      { code: 'bad-credentials' },
    ],
    [
      'has lost its SSO session',
      '[profile sso]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = r\n',
      'sso',
      { code: 'expired-credentials', remedy: 'Log in again: aws sso login --profile sso' },
    ],
  ])('%s', async (_, config, profile, error) => {
    world = await awsWorld({ config });
    const caught = await fetched(profile).catch((thrown: unknown) => thrown);
    expect(caught).toMatchObject(error);
    expect(JSON.stringify(caught)).not.toContain('hush');
    expect(world.asked).toEqual([]);
    process.env.AWS_PROFILE = `${profile}\n`;
    await expect(fetched()).rejects.toMatchObject({ code: error.code });
    expect(world.asked).toEqual([]);
  });

  it('is the same for the profile "default", if it says where credentials come from', async () => {
    world = await awsWorld({ config: '[default]\ncredential_process = false\n' });
    await expect(fetched()).rejects.toMatchObject({
      code: 'bad-credentials',
      message: 'the AWS profile "default" returned no credentials: its credential_process failed',
    });
    expect(world.asked).toEqual([]);
  });

  it('has an SSO session that ended', async () => {
    const config =
      '[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n';
    world = await awsWorld({ config });
    const cache = join(world.folder, '.aws/sso/cache');
    await mkdir(cache, { recursive: true });
    // SHA-1 of "corp".
    const file = join(cache, 'de92bf5ea0e2fcac35e2ce7ac5ac5ee02cc5a1ad.json');
    await writeFile(file, JSON.stringify({ accessToken: 'x', expiresAt: '2020-01-01T00:00:00Z', region: 'us-east-1' }));
    await expect(fetched('sso')).rejects.toMatchObject({ code: 'expired-credentials' });
  });

  it('says why STS refuses its role, and tries again when STS is down', async () => {
    const config = '[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n';
    world = await awsWorld({ config, credentials: STATIC });
    const refusal = (status: number, code: string) => {
      world.sts = (response) =>
        response
          .writeHead(status)
          .end(
            `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>User is not authorized</Message></Error></ErrorResponse>`,
          );
    };
    refusal(403, 'AccessDenied');
    await expect(fetched('role')).rejects.toMatchObject({
      code: 'bad-credentials',
      class: 'person',
      message: 'the AWS profile "role" returned no credentials: User is not authorized (AccessDenied)',
    });
    refusal(500, 'InternalFailure');
    await expect(fetched('role')).rejects.toMatchObject({ code: 'bad-credentials', class: 'temporary' });
  });
});

describe('STS is asked in the region of the remote or the profile', () => {
  it.each([
    ['', 'cn-north-1', 'cn-north-1'],
    ['region = us-gov-west-1\n', 'us-gov-east-1', 'us-gov-west-1'],
  ])('%j', async (line, region, asked) => {
    const config = `[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n${line}`;
    world = await awsWorld({ config, credentials: STATIC });
    expect(await fetched('role', region)).toMatchObject({ accessKeyId: 'ROLE', sessionToken: 't' });
    expect(world.asked).toEqual([`POST / ${asked}`]);
  });

  it('for web identity too', async () => {
    world = await awsWorld({}, { AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/r' });
    process.env.AWS_WEB_IDENTITY_TOKEN_FILE = join(world.folder, 'token');
    await writeFile(join(world.folder, 'token'), 'jwt');
    world.sts = (response) =>
      response.writeHead(403).end('<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>');
    await expect(fetched()).rejects.toMatchObject({ code: 'bad-credentials' });
    // Not the role of the machine.
    expect(world.asked).toEqual(['POST /']);
  });
});

describe('the order of sources', () => {
  const files = { credentials: `[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = s\n${STATIC}` };
  const keys = { AWS_ACCESS_KEY_ID: ' ENV\n', AWS_SECRET_ACCESS_KEY: 's\r\n', AWS_SESSION_TOKEN: 'token\n' };

  it.each([
    ['the named profile before the variables', 'base', keys, 'BASE'],
    ['AWS_PROFILE before the variables', undefined, { ...keys, AWS_PROFILE: 'base' }, 'BASE'],
    ['the variables before the profile "default"', undefined, keys, 'ENV'],
    ['the profile "default" before the machine', undefined, {}, 'DEFAULT'],
  ])('%s', async (_, profile, env, id) => {
    world = await awsWorld(files, env);
    expect(await fetched(profile)).toMatchObject({ accessKeyId: id, secretAccessKey: 's' });
    expect(world.asked).toEqual([]);
  });

  it('ends with the machine, also when the profile "default" only names a region', async () => {
    world = await awsWorld({ config: '[default]\nregion = eu-west-3\n' });
    const { accessKeyId, expiresMs = 0 } = await fetched();
    expect(accessKeyId).toBe('MACHINE');
    expect(expiresMs).toBeGreaterThan(Date.now());
  });

  it('reads files anew, because keys are rotated', async () => {
    world = await awsWorld(files);
    await fetched('base');
    await writeFile(join(world.folder, '.aws/credentials'), STATIC.replace('BASE', 'ROTATED'));
    expect(await fetched('base')).toMatchObject({ accessKeyId: 'ROTATED' });
  });
});

describe('variables', () => {
  it('lose the newline of a secret, token included', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'A\n', AWS_SECRET_ACCESS_KEY: '\ts\n', AWS_SESSION_TOKEN: 't\n' };
    world = await awsWorld({}, env);
    expect(await fetched()).toEqual({ accessKeyId: 'A', secretAccessKey: 's', sessionToken: 't' });
  });

  it.each([
    [{ AWS_ACCESS_KEY_ID: 'A' }, 'AWS_SECRET_ACCESS_KEY is not set'],
    [{ AWS_SECRET_ACCESS_KEY: 's' }, 'AWS_ACCESS_KEY_ID is not set'],
    [{ AWS_ACCESS_KEY_ID: 'A B', AWS_SECRET_ACCESS_KEY: 's' }, 'the access key ID in the AWS environment contains'],
    [{ AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 'a\nb' }, 'the session token in the AWS'],
  ])('that cannot be keys are errors of the config: %o', async (env, message) => {
    world = await awsWorld({}, env);
    await expect(fetched()).rejects.toMatchObject({ code: 'config', message: expect.stringContaining(message) });
    expect(world.asked).toEqual([]);
  });
});
