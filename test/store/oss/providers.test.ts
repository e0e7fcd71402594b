/** What @alicloud/credentials asks for, answered in place of STS and the metadata service: nothing leaves the machine. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isXsyncError, XsyncError } from '../../../src/model/error.js';
import type { HttpRequest, HttpResponse } from '../../../src/store/http/message.js';
import { fetchCredentials } from '../../../src/store/oss/providers.js';
import type { Recipe } from '../../../src/store/oss/recipe.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xsync-providers-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const SESSION = {
  AccessKeyId: 'STS.id',
  AccessKeySecret: 'sts-secret',
  SecurityToken: 'sts-token',
  Expiration: '2026-11-29T12:00:00Z',
};
const FETCHED = {
  accessKeyId: 'STS.id',
  accessKeySecret: 'sts-secret',
  securityToken: 'sts-token',
  expiresMs: Date.UTC(2026, 10, 29, 12),
};

type Reply = { status?: number; body: unknown } | Error;

/** Answers in order; the last answer is given again. */
function answering(...replies: Reply[]) {
  const seen: HttpRequest[] = [];
  const request = async (sent: HttpRequest): Promise<HttpResponse> => {
    const reply = replies[Math.min(seen.length, replies.length - 1)];
    seen.push(sent);
    if (reply === undefined || reply instanceof Error) throw reply;
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    const body = Buffer.from(text);
    const headers = { 'content-type': 'application/json' };
    return { status: reply.status ?? 200, headers, body, received: body.byteLength };
  };
  let direct = 0;
  const means = {
    http: async () => ({ request }),
    direct: async () => {
      direct++;
      return { request, close: async () => undefined };
    },
  };
  return { seen, means, direct: () => direct };
}

const KEYS: Recipe = { kind: 'keys', accessKeyId: 'LTAI', accessKeySecret: 'long-secret' };
const ROLE = 'acs:ram::1:role/x';

describe('AssumeRole', () => {
  it('asks STS with the keys, and returns the session and its end', async () => {
    const { seen, means, direct } = answering({ body: { Credentials: SESSION } });
    const recipe: Recipe = { kind: 'role', from: KEYS, roleArn: ROLE, externalId: 'ext' };
    expect(await fetchCredentials(recipe, {}, means)).toEqual(FETCHED);
    expect(direct()).toBe(0);
    const [sent] = seen;
    expect(sent).toMatchObject({ method: 'POST', origin: 'https://sts.aliyuncs.com' });
    const query = new URLSearchParams(sent?.path.slice(2));
    expect(query.get('Action')).toBe('AssumeRole');
    expect(query.get('AccessKeyId')).toBe('LTAI');
    const form = new URLSearchParams(String(sent?.body));
    expect(Object.fromEntries(form)).toMatchObject({
      RoleArn: ROLE,
      ExternalId: 'ext',
      RoleSessionName: 'xsync',
      DurationSeconds: '3600',
    });
    expect(sent?.path).not.toContain('long-secret');
  });

  it('asks the STS of the region, and over the VPC where wanted', async () => {
    const { seen, means } = answering({ body: { Credentials: SESSION } });
    const role = { kind: 'role', from: KEYS, roleArn: ROLE } as const;
    await fetchCredentials({ ...role, stsRegion: 'cn-beijing' }, {}, means);
    await fetchCredentials({ ...role, stsRegion: 'cn-beijing', vpc: true }, {}, means);
    await fetchCredentials({ ...role, stsEndpoint: 'https://sts.example.com' }, {}, means);
    expect(seen.map(({ origin }) => origin)).toEqual([
      'https://sts.cn-beijing.aliyuncs.com',
      'https://sts-vpc.cn-beijing.aliyuncs.com',
      'https://sts.example.com',
    ]);
  });

  it('of a role by a role signs the second request with the session of the first', async () => {
    const { seen, means } = answering({ body: { Credentials: SESSION } });
    const first: Recipe = { kind: 'role', from: KEYS, roleArn: ROLE };
    await fetchCredentials({ kind: 'role', from: first, roleArn: 'acs:ram::2:role/y' }, {}, means);
    const query = new URLSearchParams(seen[1]?.path.slice(2));
    expect([query.get('AccessKeyId'), query.get('SecurityToken')]).toEqual(['STS.id', 'sts-token']);
  });

  it('that is refused names the role and the cause, and shows neither keys nor the string to sign', async () => {
    const message =
      'Specified signature is not matched with our calculation. server string to sign is:POST&AccessKeyId%3DLTAI&SecurityToken%3Dsts-token';
    for (const [body, text, remedy] of [
      [
        { Code: 'NoPermission', Message: 'You are not authorized to do this action.', RequestId: 'r' },
        `role ${ROLE}: NoPermission: You are not authorized to do this action.`,
        'Grant sts:AssumeRole',
      ],
      [
        { Code: 'SignatureDoesNotMatch', Message: message },
        `role ${ROLE}: SignatureDoesNotMatch: Specified signature is not matched with our calculation.`,
        'AccessKey secret',
      ],
      ['<html>sts-token</html>', `role ${ROLE}: status 403`, 'Check the source'],
    ] as const) {
      const { means } = answering({ status: 403, body });
      const error = await fetchCredentials({ kind: 'role', from: KEYS, roleArn: ROLE }, {}, means).catch((e) => e);
      expect(error).toMatchObject({ code: 'bad-credentials', class: 'person', message: text });
      expect(error.remedy).toContain(remedy);
    }
  });

  it('that STS cannot answer now is temporary', async () => {
    const cases: [Reply, string][] = [
      [{ status: 503, body: '' }, 'server-error'],
      [{ status: 400, body: { Code: 'Throttling.User', Message: 'slow down' } }, 'throttled'],
      [new XsyncError('unreachable', 'cannot reach sts.aliyuncs.com (ENOTFOUND)'), 'unreachable'],
    ];
    for (const [reply, code] of cases) {
      const { means } = answering(reply);
      const error = await fetchCredentials({ kind: 'role', from: KEYS, roleArn: ROLE }, {}, means).catch((e) => e);
      expect(error).toMatchObject({ code, class: 'temporary' });
      expect(error.message).toMatch(new RegExp(`^role ${ROLE}: `));
    }
  });

  it.each<unknown>([
    '{"Credentials": {"AccessKeySecret": "leak"',
    { Credentials: { AccessKeyId: 'x', AccessKeySecret: 'leak' } },
    { leak: true },
  ])('an answer that is none is refused without quoting it: %j', async (body) => {
    const { means } = answering({ body });
    const error = await fetchCredentials({ kind: 'role', from: KEYS, roleArn: ROLE }, {}, means).catch((e) => e);
    expect(error).toMatchObject({ code: 'bad-credentials', cause: undefined });
    expect(`${error.message}${error.stack}`).not.toContain('leak');
  });
});

describe('OIDC (RRSA)', () => {
  const oidc = { kind: 'oidc', roleArn: ROLE, providerArn: 'acs:ram::1:oidc-provider/p' } as const;

  it('sends the token as it is in the file now', async () => {
    const tokenFile = join(folder, 'token');
    const { seen, means } = answering({ body: { Credentials: SESSION } });
    for (const token of ['first', 'second']) {
      await writeFile(tokenFile, token);
      expect(await fetchCredentials({ ...oidc, tokenFile }, {}, means)).toEqual(FETCHED);
    }
    const forms = seen.map(({ body }) => new URLSearchParams(String(body)));
    expect(forms.map((form) => form.get('OIDCToken'))).toEqual(['first', 'second']);
    expect(forms[0]?.get('OIDCProviderArn')).toBe(oidc.providerArn);
  });

  it('a token file that is missing is named, and nothing is asked', async () => {
    const { seen, means } = answering({ body: {} });
    const recipe: Recipe = { ...oidc, tokenFile: join(folder, 'absent') };
    await expect(fetchCredentials(recipe, {}, means)).rejects.toThrow(/cannot read the OIDC token .*absent/);
    expect(seen).toEqual([]);
  });
});

describe('the RAM role of an ECS instance', () => {
  const success = { ...SESSION, Code: 'Success' };

  it('is asked for with a metadata token', async () => {
    const { seen, means, direct } = answering({ body: 'metadata-token' }, { body: success });
    expect(await fetchCredentials({ kind: 'ecs', role: 'r' }, {}, means)).toEqual(FETCHED);
    // Never through a proxy.
    expect(direct()).toBe(2);
    expect(seen.map(({ method, origin, path }) => `${method} ${origin}${path}`)).toEqual([
      'PUT http://100.100.100.200/latest/api/token',
      'GET http://100.100.100.200/latest/meta-data/ram/security-credentials/r',
    ]);
    expect(seen[1]?.headers).toMatchObject({ 'x-aliyun-ecs-metadata-token': 'metadata-token' });
  });

  it('is found without its name', async () => {
    const token: Reply = { body: 'metadata-token' };
    const { seen, means } = answering(token, { body: 'found' }, token, { body: success });
    expect(await fetchCredentials({ kind: 'ecs' }, {}, means)).toEqual(FETCHED);
    expect(seen.at(-1)?.path).toBe('/latest/meta-data/ram/security-credentials/found');
  });

  it('that the instance does not have is named', async () => {
    const { means } = answering({ status: 404, body: '' });
    await expect(fetchCredentials({ kind: 'ecs', role: 'r' }, {}, means)).rejects.toMatchObject({
      code: 'bad-credentials',
      message: 'ECS RAM role r: status 404',
      remedy: 'Attach the RAM role to this instance, or correct its name.',
    });
  });

  it('is not asked for where that is forbidden', async () => {
    const { seen, means } = answering({ body: success });
    const env = { ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true', HOME: folder };
    await expect(fetchCredentials({ kind: 'ecs' }, env, means)).rejects.toThrow(/ECS_METADATA_DISABLED/);
    await expect(fetchCredentials({ kind: 'default' }, env, means)).rejects.toThrow(/no OSS credentials/);
    expect(seen).toEqual([]);
  });

  it('is the last of the default chain; on other hosts the error says what to set', async () => {
    for (const reply of [new XsyncError('unreachable', 'cannot reach 100.100.100.200'), { status: 404, body: '' }]) {
      const { means } = answering(reply);
      await expect(fetchCredentials({ kind: 'default' }, { HOME: folder }, means)).rejects.toMatchObject({
        code: 'bad-credentials',
        message: 'the environment sets no OSS credentials, and this host has no RAM role',
      });
    }
  });
});

describe('a credentials URI', () => {
  it('is asked as it is', async () => {
    const { seen, means } = answering({ body: SESSION });
    const recipe: Recipe = { kind: 'uri', uri: 'http://127.0.0.1:8080/role?x=1' };
    expect(await fetchCredentials(recipe, {}, means)).toEqual(FETCHED);
    expect(seen[0]).toMatchObject({ method: 'GET', origin: 'http://127.0.0.1:8080', path: '/role?x=1' });
  });

  it('that answers with half of them is refused without quoting it', async () => {
    const { means } = answering({ body: { AccessKeyId: 'x', AccessKeySecret: 'leak' } });
    const error = await fetchCredentials({ kind: 'uri', uri: 'http://127.0.0.1:1/' }, {}, means).catch((e) => e);
    expect(error).toMatchObject({ code: 'bad-credentials' });
    expect(`${error.message}${error.stack}`).not.toContain('leak');
  });
});

describe('a credential process', () => {
  const { means } = answering({ body: {} });

  async function program(script: string): Promise<string> {
    const file = join(folder, `program-${Math.random().toString(36).slice(2)}`);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o700);
    return file;
  }
  const run = async (script: string, args = '') =>
    fetchCredentials({ kind: 'process', command: `${await program(script)} ${args}` }, {}, means);

  it.each([
    ["Alibaba's CLI", '{"mode":"StsToken","access_key_id":"i","access_key_secret":"s","sts_token":"t"}', undefined],
    [
      'ossutil',
      '{"AccessKeyId":"i","AccessKeySecret":"s","SecurityToken":"t","Expiration":"2026-11-29T12:00:00Z"}',
      FETCHED.expiresMs,
    ],
    [
      'AWS',
      '{"Version":1,"AccessKeyId":"i","SecretAccessKey":"s","SessionToken":"t","Expiration":"2026-11-29T12:00:00Z"}',
      FETCHED.expiresMs,
    ],
  ])('prints them in the names of %s', async (_tool, json, expiresMs) => {
    expect(await run(`echo '${json}'`)).toEqual({
      accessKeyId: 'i',
      accessKeySecret: 's',
      securityToken: 't',
      expiresMs,
    });
  });

  it('receives its arguments without a shell between', async () => {
    const script = `printf '{"access_key_id":"%s","access_key_secret":"s"}' "$1"`;
    expect(await run(script, `'a b; $HOME'`)).toMatchObject({ accessKeyId: 'a b; $HOME' });
  });

  it.each([
    ['exit 3', '--token=leak', 'the credential process failed with exit code 3'],
    ['echo "login has ended" >&2; exit 1', '', 'the credential process failed with exit code 1: login has ended'],
    [`echo '{"access_key_secret":"leak"}'`, '', 'the credential process printed no credentials'],
    ['echo leak', '', 'the credential process printed no credentials'],
    ['', '', 'the credential process printed no credentials'],
  ])('that fails says how, and shows neither its output nor its arguments: %s', async (script, args, message) => {
    const error = await run(script, args).catch((thrown: unknown) => thrown);
    expect(isXsyncError(error, 'bad-credentials') && error.message).toBe(message);
    expect(isXsyncError(error) && error.cause).toBeUndefined();
  });

  it.each(['/no/such/program', '"unclosed'])('that cannot be started is refused: %s', async (command) => {
    await expect(fetchCredentials({ kind: 'process', command }, {}, means)).rejects.toMatchObject({
      code: 'bad-credentials',
    });
  });
});
