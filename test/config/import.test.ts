import { describe, expect, it } from 'vitest';
import { importConfig } from '../../src/config/import.js';

const of = (text: string) => importConfig(text, '.ossutilconfig');
const settingsOf = (text: string) => Object.fromEntries(of(text).remotes.map(({ name, settings }) => [name, settings]));

const KEYS = 'accessKeyID=LTAI\naccessKeySecret=se=cret\n';
const keys = { access_key_id: 'LTAI', secret_access_key: 'se=cret' };

describe('an ossutil user keeps their configuration: version 1', () => {
  it('the credentials become what oss:// uses, the region comes from the endpoint', () => {
    expect(
      settingsOf(`[Credentials]\nlanguage=CH\nendpoint=oss-cn-shenzhen.aliyuncs.com\n${KEYS}stsToken=t\n`),
    ).toEqual({
      oss: {
        type: 'oss',
        region: 'cn-shenzhen',
        endpoint: 'oss-cn-shenzhen.aliyuncs.com',
        ...keys,
        session_token: 't',
      },
    });
  });

  it.each([
    ['mode=EcsRamRole\necsRoleName=r\n', { ecs_role: 'r' }],
    ['mode=EcsRamRole\n', { env_auth: true }],
    [
      `mode=RamRoleArn\n${KEYS}ramRoleArn=acs:ram::1:role/x\nroleSessionName=me\n`,
      { ...keys, role_arn: 'acs:ram::1:role/x', role_session_name: 'me' },
    ],
    // What a mode does not use is left over from another one.
    [`mode=AK\n${KEYS}stsToken=old\necsRoleName=r\n`, keys],
    ['[AkService]\necsAk=http://100.100.100.200/latest/meta-data/Ram/security-credentials/r\n', { ecs_role: 'r' }],
  ])('the mode decides where credentials come from: %s', (lines, settings) => {
    const region = { region: 'cn-hangzhou', endpoint: 'oss-cn-hangzhou.aliyuncs.com' };
    expect(settingsOf(`[Credentials]\nendpoint=oss-cn-hangzhou.aliyuncs.com\n${lines}`)).toEqual({
      oss: { type: 'oss', ...region, ...settings },
    });
  });

  it('a bucket with an endpoint or a domain of its own becomes a remote; a domain wins', () => {
    const text = `[Credentials]\nendpoint=oss-cn-hangzhou.aliyuncs.com\n${KEYS}
[Bucket-Endpoint]
there=oss-cn-beijing.aliyuncs.com
mapped=oss-cn-shanghai.aliyuncs.com
[Bucket-Cname]
mapped=img.example.com
`;
    const result = of(text);
    expect(settingsOf(text)).toMatchObject({
      oss: { region: 'cn-hangzhou' },
      there: { region: 'cn-beijing', endpoint: 'oss-cn-beijing.aliyuncs.com', ...keys },
      mapped: { region: 'cn-shanghai', endpoint: 'img.example.com', cname: true, ...keys },
    });
    expect(result.remotes.map(({ notes }) => notes)).toEqual([
      [],
      ['Only for this bucket: there:there.'],
      ['Only for this bucket: mapped:mapped.'],
    ]);
  });

  it('what names no region, or a mode that xsync lacks, is left out with the reason', () => {
    expect(of(`[Credentials]\nendpoint=oss.example.com\n${KEYS}`).notImported).toEqual([
      { name: 'oss', reason: 'it names no region, which V4 signatures need' },
    ]);
    expect(of(`[Credentials]\nendpoint=oss-cn-hangzhou.aliyuncs.com\nmode=Anonymous\n`).notImported).toEqual([
      { name: 'oss', reason: 'xsync does not support the mode Anonymous' },
    ]);
  });
});

describe('an ossutil user keeps their configuration: version 2', () => {
  it('each profile becomes a remote, in whatever form its keys are written', () => {
    const text = `# made by ossutil config
[default]
accessKeyID = LTAI
access-key-secret = se=cret
region = cn-hangzhou
loglevel = info
[profile work]
access_key_id = LTAI
accesskeysecret = se=cret
region = oss-cn-beijing
endpoint = img.example.com
addressing-style = cname
[profile machine]
mode = EcsRamRole
ecsRoleName = r
region = cn-hangzhou
proxy-host = http://proxy:3128
[profile program]
mode = Process
credential-process = print --now
source-profile = default
`;
    expect(settingsOf(text)).toEqual({
      oss: { type: 'oss', region: 'cn-hangzhou', ...keys },
      work: { type: 'oss', region: 'oss-cn-beijing', endpoint: 'img.example.com', cname: true, ...keys },
      machine: { type: 'oss', region: 'cn-hangzhou', ecs_role: 'r' },
      program: { type: 'oss', region: 'cn-hangzhou', credential_process: 'print --now' },
    });
    expect(of(text).remotes.flatMap(({ notes }) => notes)).toEqual(['Not imported: proxyhost.']);
  });

  it('a source profile that does not exist is named', () => {
    expect(of('[profile a]\nsource-profile = b\nregion = cn-hangzhou\n').notImported).toEqual([
      { name: 'a', reason: 'its source_profile "b" does not exist' },
    ]);
  });
});

it('the text of a secret stays what it is', () => {
  const text = '[default]\nregion=cn-hangzhou\naccessKeyID=LTAI\naccessKeySecret=a$' + '{HOME}b\n';
  expect(settingsOf(text)).toMatchObject({ oss: { secret_access_key: 'a$$' + '{HOME}b' } });
});

it('an rclone.conf is still one', () => {
  const text = '[default]\ntype = s3\nprovider = AWS\nenv_auth = true\n';
  expect(settingsOf(text)).toEqual({ default: { type: 's3', provider: 'aws', env_auth: true } });
});
