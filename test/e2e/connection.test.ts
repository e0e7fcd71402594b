import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_TLS } from '../doctor/tls.js';
import { startHttpProxy, startSocksProxy } from '../support/proxy.js';
import { startServer, type TestServer } from '../support/server/index.js';
import { Lab } from './harness.js';

let lab: Lab;
let secure: TestServer;
const closing: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  lab = await Lab.start();
  secure = await startServer({ tls: TEST_TLS });
  secure.core.s3.createBucket('b');
  secure.core.s3.put('b', 'k', 'secured');
  await writeFile(join(lab.directory, 'ca.pem'), TEST_TLS.cert);
});

afterAll(async () => {
  await secure.close();
  await lab.close();
});

afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

function kept<T extends { close(): Promise<void> }>(one: T): T {
  closing.push(one);
  return one;
}

/** As a user of AWS has it in the environment. */
function aws(server: TestServer, more: Record<string, string> = {}) {
  const { accessKeyId, secretAccessKey, region, endpoint } = server.s3;
  return {
    AWS_ACCESS_KEY_ID: `${accessKeyId}\n`,
    AWS_SECRET_ACCESS_KEY: `${secretAccessKey}\n`,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL_S3: endpoint,
    ...more,
  };
}

describe('a run behind a proxy', () => {
  it('goes through HTTP_PROXY, and not for the servers of NO_PROXY', async () => {
    const proxy = kept(await startHttpProxy());
    const bucket = lab.east.bucket();
    bucket.put('k', 'v');
    const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
    expect(await lab.run(['ls', bucket.at()], env)).toMatchObject({ code: 0, stdout: '        1 k\n' });
    expect(proxy.log).toHaveLength(1);
    expect(await lab.run(['ls', bucket.at()], { ...env, no_proxy: '127.0.0.1' })).toMatchObject({ code: 0 });
    expect(proxy.log).toHaveLength(1);
  });

  it.each(['lean', 'sdk'])('copies over TLS with --ca-cert (%s)', async (transport) => {
    const proxy = kept(await startHttpProxy({ auth: 'me:hush' }));
    const env = aws(secure, { https_proxy: `http://me:hush@127.0.0.1:${proxy.port}` });
    const target = lab.path();
    const options = ['--ca-cert', join(lab.directory, 'ca.pem'), '--transport', transport, '-vv'];
    const { code, stderr, stdout } = await lab.run(['copy', 's3://b', target, ...options], env);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr + stdout).not.toContain('hush');
    expect(new Set(proxy.log)).toEqual(new Set([`CONNECT 127.0.0.1:${new URL(secure.s3.endpoint).port}`]));
  });

  it('names the proxy that refuses, with the exit code of what may pass and without the password', async () => {
    const proxy = kept(await startHttpProxy({ auth: 'me:right' }));
    const env = aws(secure, { HTTPS_PROXY: `http://me:hush@127.0.0.1:${proxy.port}` });
    const { code, stderr } = await lab.run(['ls', 's3://b'], env);
    expect(stderr).toBe(
      `xsync: the proxy 127.0.0.1:${proxy.port} refuses the user or the password — Put them into the address in HTTPS_PROXY: http://user:password@host:port.\n`,
    );
    expect(code).toBe(5);
  });

  it('uses a SOCKS5 proxy without a word of Node about it', async () => {
    const proxy = kept(await startSocksProxy());
    const env = aws(secure, { ALL_PROXY: `socks5://127.0.0.1:${proxy.port}` });
    const run = await lab.run(['ls', 's3://b', '--no-check-certificate'], env);
    expect(run).toMatchObject({ code: 0, stdout: '        7 k\n', stderr: '' });
    expect(proxy.log).toHaveLength(1);
  });

  it('is examined by the doctor through the proxy', async () => {
    const proxy = kept(await startHttpProxy());
    const env = aws(secure, { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
    const { code, stdout } = await lab.run(['doctor', 's3://b', '--ca-cert', join(lab.directory, 'ca.pem')], env);
    expect(stdout).toContain(`to the proxy 127.0.0.1:${proxy.port}`);
    expect({ code, stdout }).toMatchObject({ code: 0 });
  });
});

describe('the AWS environment', () => {
  it('names a private CA', async () => {
    expect(await lab.run(['ls', 's3://b'], aws(secure))).toMatchObject({ code: 7 });
    const env = aws(secure, { AWS_CA_BUNDLE: join(lab.directory, 'ca.pem') });
    expect(await lab.run(['ls', 's3://b'], env)).toMatchObject({ code: 0, stdout: '        7 k\n', stderr: '' });
  });

  it('is read from the profile, services section included', async () => {
    await mkdir(join(lab.directory, '.aws'), { recursive: true });
    const { accessKeyId, secretAccessKey, region, endpoint } = secure.s3;
    const config = `[profile work]\nregion = ${region}\nservices = private\nca_bundle = ${join(lab.directory, 'ca.pem')}\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n[services private]\ns3 =\n  endpoint_url = ${endpoint}\n`;
    await writeFile(join(lab.directory, '.aws/config'), config);
    const run = await lab.run(['ls', 's3://b'], { AWS_PROFILE: 'work' });
    expect(run).toMatchObject({ code: 0, stdout: '        7 k\n', stderr: '' });
  });

  it.each([
    [{ AWS_PROFILE: 'gone' }, /^xsync: the AWS profile "gone" \(AWS_PROFILE\) does not exist — Check the name/],
    [
      { AWS_ACCESS_KEY_ID: 'A B', AWS_SECRET_ACCESS_KEY: 's' },
      /^xsync: the access key ID in the AWS environment contains/,
    ],
    [{ AWS_ACCESS_KEY_ID: 'A' }, /AWS_SECRET_ACCESS_KEY is not set/],
    [
      { ...{ AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 's' }, AWS_CA_BUNDLE: '/nowhere.pem' },
      /cannot read the certificate file \/nowhere\.pem: no such file/,
    ],
    [{ HTTPS_PROXY: 'nonsense://me:hush@x' }, /^xsync: HTTPS_PROXY is not the address/],
  ])('is a mistake of the config where it is wrong: %j', async (env, message) => {
    const { code, stderr } = await lab.run(['ls', 's3://b'], { AWS_EC2_METADATA_DISABLED: 'true', ...env });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('hush');
    expect(code).toBe(7);
  });

  it('a directory bucket is refused by name, and an access point is not cut at its slash', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'us-west-2' };
    const zonal = await lab.run(['ls', 's3://mine--usw2-az1--x-s3'], env);
    expect(zonal).toMatchObject({ code: 7, stderr: expect.stringContaining('is a directory bucket') });
    const proxy = kept(await startHttpProxy({ refuse: 503 }));
    const arn = 's3://arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/pre/fix';
    await lab.run(['ls', arn, '--low-level-retries', '1'], { ...env, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
    expect(proxy.log).toEqual(['CONNECT mine-123456789012.s3-accesspoint.eu-west-1.amazonaws.com:443']);
  });
});
