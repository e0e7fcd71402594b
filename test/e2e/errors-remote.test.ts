/** What a service, or the way to it, may refuse: each message names the remote's bucket or the host, and the remedy. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit.js';
import { startServer, type TestServer, type TestServerOptions } from '../support/server/index.js';
import { expectComplaint } from './complaint.js';
import { Lab, summaryOf } from './harness.js';

let lab: Lab;
const servers: TestServer[] = [];
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await lab.close();
});

const BOTH = ['east', 'shanghai'] as const;

/** The remote of the lab with other settings, as `odd`; gives the options that choose it. */
async function odd(like: (typeof BOTH)[number], changes: Record<string, string>): Promise<string[]> {
  const { remotes } = JSON.parse(await readFile(join(lab.directory, 'config/xsync/config.yaml'), 'utf8'));
  const file = `${lab.path('odd')}.yaml`;
  await writeFile(file, JSON.stringify({ remotes: { odd: { ...remotes[like], ...changes } } }), { mode: 0o600 });
  return ['--config', file];
}

async function tree(): Promise<string> {
  const root = lab.path();
  await mkdir(root);
  await Promise.all(['a', 'b', 'c'].map((name) => writeFile(join(root, name), name)));
  return root;
}

async function server(options: TestServerOptions): Promise<TestServer> {
  const started = await startServer(options);
  servers.push(started);
  return started;
}

/** The ways to meet a bucket that cannot be used: both ends of a copy, and an object looked up by itself. */
async function* threeWays(place: string, options: readonly string[] = []) {
  for (const args of [
    ['copy', await tree(), `${place}/x`],
    ['copy', `${place}/x`, lab.path('never')],
    ['cat', `${place}/key`],
  ]) {
    yield lab.run([...args, ...options]);
  }
}

describe.each(BOTH)('a bucket of %s', (at) => {
  test('that does not exist is named with its remote, whatever the command', async () => {
    for await (const outcome of threeWays(`${at}:no-such-bucket`)) {
      expectComplaint(outcome, 'directoryNotFound', `${at}:no-such-bucket: `, 'does not exist', 'create the bucket');
    }
    for (const command of ['ls', 'lsjson', 'size', 'cleanup']) {
      const outcome = await lab.run([command, `${at}:no-such-bucket`]);
      expectComplaint(outcome, 'directoryNotFound', `${at}:no-such-bucket: `, 'does not exist', 'create the bucket');
    }
  });

  test('that belongs to others is refused without retries', async () => {
    lab[at].store.createBucket(`${at}-of-others`, { owner: 'others' });
    for await (const outcome of threeWays(`${at}:${at}-of-others`)) {
      expectComplaint(outcome, 'fatal', 'AccessDenied', at === 'east' ? 'credentials' : 'RAM user');
    }
    expect(lab[at].server.requests.find('ListObjects').length).toBeLessThanOrEqual(4);
  });

  test('that is elsewhere: the region or endpoint that the service calls right is passed on', async () => {
    const region = at === 'east' ? 'eu-west-1' : 'cn-beijing';
    lab[at].store.createBucket(`${at}-elsewhere`, { region });
    for await (const outcome of threeWays(`${at}:${at}-elsewhere`)) {
      const endpoint = at === 'east' ? '"region" to eu-west-1' : 'endpoint: oss-cn-beijing.aliyuncs.com';
      expectComplaint(outcome, 'fatal', `${at}:${at}-elsewhere`, region, endpoint);
    }
  });

  test('asked for with the wrong region says which setting is wrong', async () => {
    const bucket = lab[at].bucket();
    const options = await odd(at, { region: at === 'east' ? 'eu-west-1' : 'cn-beijing' });
    for await (const outcome of threeWays(`odd:${bucket.name}`, options)) {
      expectComplaint(outcome, 'fatal', `odd:${bucket.name}`, 'region');
    }
  });

  test.each([
    ['access_key_id', 'access_key_id'],
    ['secret_access_key', 'secret_access_key'],
  ])('asked for with a wrong %s says so and shows none', async (key, says) => {
    const bucket = lab[at].bucket();
    const options = await odd(at, { [key]: 'WRONGVALUE-secret' });
    for await (const outcome of threeWays(`odd:${bucket.name}`, options)) {
      expectComplaint(outcome, 'fatal', `odd:${bucket.name}: `, says);
    }
    const verbose = await lab.run(['cat', `odd:${bucket.name}/x`, '-vv', ...options]);
    expectComplaint(verbose, 'fatal', 'service code: ', 'request id: ');
  });

  test('whose token is expired or foreign says what to renew, at once', async () => {
    const old = { expiresAtMs: Date.now() - 1000 };
    const strict = await server({
      s3: { sessionToken: 'token-secret', ...old },
      oss: { securityToken: 'token-secret', ...old },
    });
    strict.core.s3.createBucket('bucket');
    strict.core.oss.createBucket('bucket');
    const { endpoint } = at === 'east' ? strict.s3 : strict.oss;
    const expired = await odd(at, { endpoint, session_token: 'token-secret' });
    for await (const outcome of threeWays('odd:bucket', expired)) {
      expectComplaint(outcome, 'fatal', 'odd:bucket: ', 'has expired', 'temporary credentials');
    }
    const foreign = await odd(at, { endpoint, session_token: 'other-secret' });
    expectComplaint(await lab.run(['ls', 'odd:bucket', ...foreign]), 'fatal', 'odd:bucket: ', 'session_token');
  });

  test('whose token expires in mid-run: what was copied is told, and not sent again', async () => {
    const [root, bucket] = [await tree(), lab[at].bucket()];
    bucket.fault({ kind: 'expired-credentials' }, { kind: 'PutObject', key: 'b' });
    const first = await lab.run(['copy', root, bucket.at(), '--transfers', '1']);
    expectComplaint(first, 'fatal', `${at}:${bucket.name}: `, 'expired', 'Copied       1 object');
    lab.reset();
    expect(summaryOf(await lab.copy(root, bucket.at())).copied.objects).toBe(2);
    expect(bucket.keys()).toEqual(['a', 'b', 'c']);
  });

  test.each([1, -1])('whose clock is %d hour off is copied to and from all the same', async (hours) => {
    const [root, bucket, back] = [await tree(), lab[at].bucket(), lab.path('back')];
    lab[at].server.clockOffsetMs = hours * 3_600_000;
    expect(summaryOf(await lab.copy(root, bucket.at())).copied.objects).toBe(3);
    expect(summaryOf(await lab.copy(bucket.at(), back)).copied.objects).toBe(3);
    const cat = await lab.run(['cat', bucket.at('a')]);
    expect([cat.code, cat.stdout, cat.stderr]).toEqual([EXIT.ok, 'a', '']);
  });

  test('that an unreachable host serves fails within seconds and names the host', async () => {
    const refused = await odd(at, { endpoint: 'http://127.0.0.1:1' });
    for await (const outcome of threeWays('odd:bucket', refused)) {
      expectComplaint(outcome, 'temporary', 'cannot reach 127.0.0.1:1', 'Check the endpoint');
    }
    const unknown = await odd(at, { endpoint: 'http://no-such-host.invalid' });
    expectComplaint(await lab.run(['ls', 'odd:bucket', ...unknown]), 'temporary', 'cannot reach', 'host.invalid');
  });
});

describe('TLS', () => {
  let folder: string;
  beforeAll(async () => {
    folder = lab.path('certificates');
    await mkdir(folder);
  });

  /** A certificate that its own key signed. */
  async function certificate(name: string, names: string): Promise<{ key: string; cert: string; file: string }> {
    const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`, '-days', '2'];
    const out = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', ...subject, ...out], { stdio: 'ignore' });
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8'), file: cert };
  }

  test('a certificate that nobody vouches for is refused, and trusted once it is named', async () => {
    const tls = await certificate('mine', 'IP:127.0.0.1');
    const strict = await server({ tls });
    strict.core.s3.createBucket('bucket');
    const options = await odd('east', { endpoint: strict.s3.endpoint });
    const refused = await lab.run(['ls', 'odd:bucket', ...options]);
    const host = strict.s3.endpoint.slice('https://'.length);
    expectComplaint(refused, 'fatal', `the certificate of ${host} is not trusted`, '--ca-cert');
    const trusted = await lab.run(['ls', 'odd:bucket', ...options], { NODE_EXTRA_CA_CERTS: tls.file });
    expect([trusted.code, trusted.stderr]).toEqual([EXIT.ok, '']);
    const oss = await lab.run(['ls', 'odd:bucket', ...(await odd('shanghai', { endpoint: strict.oss.endpoint }))]);
    expectComplaint(oss, 'fatal', 'is not trusted');
  });

  test('a certificate for another host is refused', async () => {
    const tls = await certificate('other', 'DNS:other.example');
    const strict = await server({ tls });
    const options = await odd('east', { endpoint: strict.s3.endpoint });
    const outcome = await lab.run(['ls', 'odd:bucket', ...options], { NODE_EXTRA_CA_CERTS: tls.file });
    expectComplaint(outcome, 'fatal', 'is for a different name', 'Check the endpoint');
  });

  test('https spoken to an http port, and the other way round, are guessed at', async () => {
    const plain = lab.east.server.s3.endpoint.replace('http:', 'https:');
    const outcome = await lab.run(['ls', 'odd:bucket', ...(await odd('east', { endpoint: plain }))]);
    expectComplaint(outcome, 'fatal', 'the TLS connection to 127.0.0.1', 'http or https');
    const strict = await server({ tls: await certificate('reverse', 'IP:127.0.0.1') });
    const endpoint = strict.s3.endpoint.replace('https:', 'http:');
    const reverse = await lab.run(['ls', 'odd:bucket', ...(await odd('east', { endpoint }))]);
    expectComplaint(reverse, 'temporary', 'the connection to 127.0.0.1', 'broke', 'http or https');
  });
});
