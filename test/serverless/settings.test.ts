import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readCopySettings, readPullSettings, readPushSettings, secretsOf } from '../../src/serverless/settings.js';

const SECRET = 's'.repeat(32);

test('what is missing or wrong is named, all at once', () => {
  expect(() => readPushSettings({ XSYNC_PULL_URL: 'ftp://x', XSYNC_ATTEMPTS: '0', XSYNC_DELETE: 'yes' })).toThrow(
    /^XSYNC_SOURCE is not set\nXSYNC_PULL_URL: Invalid URL\nXSYNC_ATTEMPTS: .*>=1\nXSYNC_DELETE: Invalid option/,
  );
  expect(() => readPullSettings({ XSYNC_DESTINATION: '', XSYNC_JOB: '{' })).toThrow(
    'XSYNC_DESTINATION is not set\nXSYNC_ALLOW_HOST is not set\nXSYNC_STATE is not set\nXSYNC_JOB: is not JSON',
  );
  expect(() => readCopySettings({})).toThrow(
    'XSYNC_SOURCE is not set\nXSYNC_DESTINATION is not set\nXSYNC_STATE is not set',
  );
});

test('deletes need state: nothing else knows what was sent', () => {
  const given = { XSYNC_SOURCE: 's3://b', XSYNC_PULL_URL: 'https://x', XSYNC_DELETE: 'true' };
  expect(() => readPushSettings(given)).toThrow('XSYNC_DELETE: needs XSYNC_STATE');
  expect(readPushSettings({ ...given, XSYNC_STATE: 'dynamodb://t' }).XSYNC_DELETE).toBe(true);
});

test('the defaults', () => {
  const given = {
    XSYNC_DESTINATION: 'oss://b',
    XSYNC_ALLOW_HOST: 'a.example, *.b.example',
    XSYNC_STATE: 'dynamodb://t',
  };
  expect(readPullSettings(given)).toMatchObject({
    XSYNC_ALLOW_HOST: ['a.example', '*.b.example'],
    ...{ XSYNC_ALLOW_PRIVATE: [], XSYNC_QUEUE_LIMIT: 100_000, XSYNC_ATTEMPTS: 10, XSYNC_DELETE: false },
    ...{ XSYNC_MARGIN_SECONDS: 30, XSYNC_JOB: {} },
  });
});

describe('the secret', () => {
  const push = { XSYNC_SOURCE: 's3://b', XSYNC_PULL_URL: 'https://x' };
  let asked: (string | undefined)[];
  let status: number;
  const server = createServer(({ url, headers }, response) => {
    asked.push(url, String(headers['x-aws-parameters-secrets-token']));
    response.writeHead(status).end(JSON.stringify({ SecretString: `${SECRET}\n` }));
  });
  beforeEach(async () => {
    [asked, status] = [[], 200];
    await new Promise<void>((resolve) => server.listen(0, resolve));
  });
  afterEach(() => new Promise<unknown>((resolve) => server.close(resolve)));

  const env = () => ({
    ...{ ...push, XSYNC_BRIDGE_SECRET_ID: 'arn:x y', AWS_SESSION_TOKEN: 'token' },
    PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String((server.address() as AddressInfo).port),
  });

  test('is read from a variable', async () => {
    const given = { ...push, XSYNC_BRIDGE_SECRET: SECRET };
    expect(await secretsOf(readPushSettings(given), given)).toEqual([SECRET]);
    await expect(secretsOf(readPushSettings(push), push)).rejects.toThrow('there is no secret that both ends share');
  });

  test('is asked of the Parameters and Secrets extension', async () => {
    expect(await secretsOf(readPushSettings(env()), env())).toEqual([SECRET]);
    expect(asked).toEqual(['/secretsmanager/get?secretId=arn%3Ax%20y', 'token']);
    status = 400;
    await expect(secretsOf(readPushSettings(env()), env())).rejects.toThrow('cannot be read through the Parameters');
  });
});
