/** How the built program gets at OSS: sessions that end, profiles that are broken, custom domains, ossutil's config. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { expectComplaint } from './complaint.js';
import { type Bucket, Lab } from './harness.js';
import { Watching } from './watching.js';

let lab: Lab;
let source: Bucket;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  await lab.close();
});
beforeEach(() => {
  lab.reset();
  source = lab.shanghai.bucket();
  source.put('a', 'bytes of a');
});

/** A config with one remote `there` of the OSS server, and these settings instead of keys. */
async function configOf(settings: Record<string, unknown>): Promise<string> {
  const { endpoint, region } = lab.shanghai.server.oss;
  const file = lab.path('config.yaml');
  const remotes = { there: { type: 'oss', endpoint, region, ...settings } };
  await writeFile(file, JSON.stringify({ remotes }), { mode: 0o600 });
  return file;
}

/** Gives out a new session with each request. */
class Issuer {
  issued = 0;
  readonly #server: Server;

  constructor(private readonly store: TestServer) {
    this.#server = createServer((_request, response) => {
      const number = ++this.issued;
      const session = {
        accessKeyId: `STS.${number}`,
        accessKeySecret: `session-secret-${number}`,
        securityToken: `session-token-${number}`,
      };
      this.store.ossSessions.push(session);
      const { accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, securityToken: SecurityToken } = session;
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      response.end(JSON.stringify({ Code: 'Success', AccessKeyId, AccessKeySecret, SecurityToken, Expiration }));
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    closing.push(
      () => this.#server.closeAllConnections(),
      () => this.#server.close(),
    );
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/role`;
  }

  /** Ends every session, as the service does after an hour. */
  endAll(): void {
    this.store.ossSessions.splice(0);
  }
}

describe.each(['lean', 'sdk'])('--transport %s', (transport) => {
  test('a watch outlives its session, and asks for a new one once', async () => {
    const issuer = new Issuer(lab.shanghai.server);
    const config = await configOf({ credentials_uri: await issuer.open() });
    const target = lab.path('target');
    await mkdir(target);
    const args = [`there:${source.name}`, target, '--interval', '200ms', '--config', config, '--transport', transport];
    const watching = new Watching(args, lab.env);
    await watching.until(() => watching.of('copied').length === 1);
    expect(issuer.issued).toBe(1);
    issuer.endAll();
    source.put('b', 'bytes of b');
    await watching.until(() => watching.of('copied').length === 2);
    await watching.morePasses(2);
    expect(issuer.issued).toBe(2);
    expect(watching.of('trouble')).toEqual([]);
    expect(watching.stdout + watching.stderr).not.toMatch(/session-(secret|token)/);
    expect((await watching.end()).code).toBe(0);
  });

  test('a broken source of credentials ends the run; keys in the environment are no substitute', async () => {
    const { accessKeyId, accessKeySecret } = lab.shanghai.server.oss;
    const env = { OSS_ACCESS_KEY_ID: accessKeyId, OSS_ACCESS_KEY_SECRET: accessKeySecret };
    const failing = join(lab.directory, 'failing');
    await writeFile(failing, '#!/bin/sh\necho "sign in again" >&2\nexit 4\n');
    await chmod(failing, 0o700);
    for (const [settings, ...fragments] of [
      [{ profile: 'gone' }, 'there is no profile "gone"', 'aliyun configure --profile gone'],
      [
        { credential_process: `${failing} --secret the-secret` },
        'the credential process failed with exit code 4: sign in again',
      ],
      [{ role_arn: 'acs:ram::1:role/x', oidc_provider_arn: 'p', oidc_token_file: '/no/token' }, 'OIDC token /no/token'],
      [{ access_key_id: accessKeyId }, 'access_key_id is set, but secret_access_key is not'],
    ] as const) {
      const config = await configOf({ env_auth: true, ...settings });
      const outcome = await lab.run(['ls', `there:${source.name}`, '--config', config, '--transport', transport], env);
      expectComplaint(outcome, 'fatal', ...fragments);
    }
    expect(source.requests()).toEqual([]);
  });
});

test('a profile of the Alibaba Cloud CLI is used, and empty variables hide nothing', async () => {
  const { accessKeyId, accessKeySecret, endpoint, region } = lab.shanghai.server.oss;
  await mkdir(join(lab.directory, '.aliyun'), { recursive: true });
  const profile = { name: 'work', mode: 'AK', access_key_id: accessKeyId, access_key_secret: accessKeySecret };
  await writeFile(join(lab.directory, '.aliyun/config.json'), JSON.stringify({ current: 'work', profiles: [profile] }));
  const named = await lab.run(['ls', `there:${source.name}`, '--config', await configOf({ profile: 'work' })]);
  expect([named.code, named.stdout]).toEqual([0, expect.stringContaining(' a\n')]);
  const env = { OSS_ACCESS_KEY_ID: '', OSS_ACCESS_KEY_SECRET: '', OSS_ENDPOINT: endpoint, OSS_REGION: region };
  const implied = await lab.run(['ls', `oss://${source.name}`], env);
  expect([implied.code, implied.stderr]).toEqual([0, '']);
});

test('DEBUG, which makes libraries print requests, shows nothing of them', async () => {
  const issuer = new Issuer(lab.shanghai.server);
  const config = await configOf({ credentials_uri: await issuer.open() });
  const args = ['ls', `there:${source.name}`, '--config', config, '--transport', 'sdk', '-vv'];
  const outcome = await lab.run(args, { DEBUG: '*' });
  expect(outcome.code).toBe(0);
  expect(outcome.stdout + outcome.stderr).not.toMatch(/session-(secret|token)|Signature=/);
});

describe('a new account', () => {
  test('is told what to set, and gets at its bucket by a custom domain', async () => {
    const strict = await startServer({
      oss: { publicEndpointForbidden: true, cnames: { 'img.test': 'mine' } },
    });
    closing.push(() => strict.close());
    strict.core.oss.createBucket('mine');
    const { accessKeyId: access_key_id, accessKeySecret: secret_access_key, endpoint } = strict.oss;
    const plain = await configOf({ access_key_id, secret_access_key, endpoint });
    expectComplaint(
      await lab.run(['ls', 'there:mine', '--config', plain]),
      'fatal',
      'PublicEndpointForbidden, EC 0048-00000401',
      'cname: true',
      'internal: true',
    );
    const domain = endpoint.replace('oss.test', 'img.test');
    const config = await configOf({ access_key_id, secret_access_key, endpoint: domain, cname: true });
    const folder = lab.path('folder');
    await mkdir(folder);
    await writeFile(join(folder, 'b'), 'bytes of b');
    for (const transport of ['lean', 'sdk']) {
      const options = ['--config', config, '--transport', transport];
      const copied = await lab.run(['copy', folder, `there:mine/${transport}`, ...options]);
      expect(copied.code, copied.stderr).toBe(0);
    }
    expect(strict.core.oss.list('mine').map(({ key }) => key)).toEqual(['lean/b', 'sdk/b']);
  });
});

test('an .ossutilconfig is imported, and oss:// works with it', async () => {
  const { accessKeyId, accessKeySecret, endpoint, region } = lab.shanghai.server.oss;
  const file = lab.path('ossutilconfig');
  const text = `[Credentials]\nlanguage=EN\nendpoint=${endpoint}\nregion=${region}\n`;
  await writeFile(file, `${text}accessKeyID=${accessKeyId}\naccessKeySecret=${accessKeySecret}\n`);
  const options = ['--config', lab.path('imported.yaml')];
  const imported = await lab.run(['config', 'import', file, ...options]);
  expect([imported.code, imported.stderr]).toEqual([0, expect.stringContaining('Imported "oss"')]);
  expect(imported.stdout + imported.stderr).not.toContain(accessKeySecret);
  expect((await lab.run(['ls', `oss://${source.name}`, ...options])).stdout).toContain(' a\n');
});
