import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { agentsOf } from '../../../src/store/http/agents.js';
import { openConnection } from '../../../src/store/http/connection.js';
import { proxiesOf } from '../../../src/store/http/proxy.js';
import type { ConnectionFlags, ConnectionSettings } from '../../../src/store/http/settings.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssSdkStore } from '../../../src/store/oss/sdk.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3SdkStore } from '../../../src/store/s3/sdk.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { TEST_TLS } from '../../doctor/tls.js';
import { startHttpProxy, startSocksProxy, type TestProxy } from '../../support/proxy.js';
import { startServer, type TestServer } from '../../support/server/index.js';

let plain: TestServer;
let secure: TestServer;
let folder: string;
const closing: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  plain = await startServer();
  secure = await startServer({ tls: TEST_TLS });
  for (const { core } of [plain, secure]) {
    core.s3.createBucket('bucket');
    core.oss.createBucket('bucket');
  }
  folder = await mkdtemp(join(tmpdir(), 'xsync-proxy-'));
  await writeFile(join(folder, 'ca.pem'), TEST_TLS.cert);
  await writeFile(join(folder, 'key.pem'), TEST_TLS.key);
});

afterAll(async () => {
  await plain.close();
  await secure.close();
  await rm(folder, { recursive: true });
});

afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
  plain.requests.reset();
});

function kept<T extends { close(): Promise<void> }>(one: T): T {
  closing.push(one);
  return one;
}

type Clients = 'lean' | 'sdk';

/** A store at the server, reached as the settings say; `name` takes the place of 127.0.0.1. */
async function storeAt(
  server: TestServer,
  how: {
    client?: Clients;
    service?: 's3' | 'oss';
    settings?: ConnectionSettings;
    flags?: ConnectionFlags;
    env?: Record<string, string>;
    name?: string;
  },
) {
  const { client = 'lean', service = 's3', settings = {}, flags = {}, env = {}, name = '127.0.0.1' } = how;
  const connection = await openConnection(settings, flags, env);
  const agents = agentsOf(connection, 5_000);
  const lean = () => kept(new HttpTransport({ userAgent: 'test', connectTimeoutMs: 5_000, ...connection }));
  if (service === 'oss') {
    const config = ossConfigSchema.parse({
      type: 'oss',
      endpoint: server.oss.endpoint,
      region: server.oss.region,
      access_key_id: server.oss.accessKeyId,
      secret_access_key: server.oss.accessKeySecret,
    });
    return client === 'lean'
      ? createOssStore(config, 'bucket', { transport: lean() })
      : kept(createOssSdkStore(config, 'bucket', { agents }));
  }
  const config = s3ConfigSchema.parse({
    type: 's3',
    provider: 'minio',
    endpoint: server.s3.endpoint.replace('127.0.0.1', name),
    region: server.s3.region,
    access_key_id: server.s3.accessKeyId,
    secret_access_key: server.s3.secretAccessKey,
  });
  return client === 'lean'
    ? createS3Store(config, 'bucket', { transport: lean() })
    : kept(createS3SdkStore(config, 'bucket', { agents }));
}

const portOf = (endpoint: string) => new URL(endpoint).port;
const BODY = new TextEncoder().encode('through the wall');

async function roundTrip(store: Awaited<ReturnType<typeof storeAt>>): Promise<string> {
  await store.put('a//../k', BODY);
  const target = new Uint8Array(BODY.byteLength);
  await store.read('a//../k', target);
  return new TextDecoder().decode(target);
}

describe('an HTTP proxy', () => {
  it('gets plain requests with their whole URL and their exact path, and passes signatures on', async () => {
    const proxy = kept(await startHttpProxy());
    const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
    const store = await storeAt(plain, { env, name: 's3.inside.example' });
    expect(await roundTrip(store)).toBe('through the wall');
    const url = `http://s3.inside.example:${portOf(plain.s3.endpoint)}/bucket/a//../k`;
    expect(proxy.log).toEqual([`PUT ${url}`, `GET ${url}`]);
  });

  it.each(['lean', 'sdk'] as const)('tunnels TLS (%s), and keeps the tunnel', async (client) => {
    const proxy = kept(await startHttpProxy());
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const settings = { ca_cert: join(folder, 'ca.pem') };
    const store = await storeAt(secure, { client, env, settings, name: 'localhost' });
    expect(await roundTrip(store)).toBe('through the wall');
    expect(proxy.log).toEqual([`CONNECT localhost:${portOf(secure.s3.endpoint)}`]);
  });

  it.each(['lean', 'sdk'] as const)('carries OSS (%s)', async (client) => {
    const proxy = kept(await startHttpProxy());
    const settings = { proxy: `http://127.0.0.1:${proxy.port}`, ca_cert: join(folder, 'ca.pem') };
    expect(await roundTrip(await storeAt(secure, { client, service: 'oss', settings }))).toBe('through the wall');
    expect(proxy.log).toEqual([`CONNECT 127.0.0.1:${portOf(secure.oss.endpoint)}`]);
  });

  it('tunnels plain HTTP for an SDK', async () => {
    const proxy = kept(await startHttpProxy());
    const settings = { proxy: `127.0.0.1:${proxy.port}` };
    expect(await roundTrip(await storeAt(plain, { client: 'sdk', settings }))).toBe('through the wall');
    expect(proxy.log).toEqual([`CONNECT 127.0.0.1:${portOf(plain.s3.endpoint)}`]);
  });

  it('can itself be reached over TLS', async () => {
    const proxy = kept(await startHttpProxy({ tls: TEST_TLS }));
    const settings = { proxy: `https://localhost:${proxy.port}`, ca_cert: join(folder, 'ca.pem') };
    expect(await roundTrip(await storeAt(secure, { settings }))).toBe('through the wall');
    expect(await roundTrip(await storeAt(plain, { settings }))).toBe('through the wall');
    expect(proxy.log[0]).toBe(`CONNECT 127.0.0.1:${portOf(secure.s3.endpoint)}`);
    expect(proxy.log[1]).toMatch(/^PUT http:/);
  });

  it.each([
    ['forwarding', () => plain],
    ['tunneling', () => secure],
  ])('gets the password, and %s says so when it is wrong, without showing it', async (_, server) => {
    const proxy = kept(await startHttpProxy({ auth: 'me:p@ss word' }));
    const at = (credentials: string) => ({
      settings: { proxy: `http://${credentials}127.0.0.1:${proxy.port}`, ca_cert: join(folder, 'ca.pem') },
    });
    expect(await roundTrip(await storeAt(server(), at('me:p%40ss%20word@')))).toBe('through the wall');
    const wrong = await (await storeAt(server(), at('me:secret@'))).head('k').catch((error: unknown) => error);
    expect(wrong).toMatchObject({
      code: 'unreachable',
      class: 'person',
      status: 407,
      message: `the proxy 127.0.0.1:${proxy.port} refuses the user or the password`,
    });
    expect(JSON.stringify(wrong)).not.toContain('secret');
    const none = await (await storeAt(server(), at(''))).head('k').catch((error: unknown) => error);
    expect(none).toMatchObject({ message: `the proxy 127.0.0.1:${proxy.port} wants a user and a password` });
  });

  it.each([
    [403, 'person'],
    [503, 'temporary'],
  ])('that answers CONNECT with %i is named', async (refuse, kind) => {
    const proxy = kept(await startHttpProxy({ refuse }));
    const settings = { proxy: `http://127.0.0.1:${proxy.port}` };
    await expect((await storeAt(secure, { settings })).head('k')).rejects.toMatchObject({
      code: 'unreachable',
      class: kind,
      message: `the proxy 127.0.0.1:${proxy.port} does not connect to 127.0.0.1:${portOf(secure.s3.endpoint)} (HTTP status ${refuse})`,
    });
  });

  it.each([
    ['http', () => plain],
    ['https', () => secure],
  ])('that is not there is named, not the server (%s)', async (_, server) => {
    const proxy = await startHttpProxy();
    await proxy.close();
    const env = { all_proxy: `http://me:secret@127.0.0.1:${proxy.port}` };
    const error = await (await storeAt(server(), { env })).head('k').catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'unreachable',
      message: `cannot reach the proxy 127.0.0.1:${proxy.port} (ECONNREFUSED)`,
      remedy: 'Check all_proxy, and NO_PROXY for servers that need no proxy.',
    });
  });
});

describe('a SOCKS5 proxy', () => {
  it.each([
    ['lean', 'socks5', () => plain],
    ['lean', 'socks5h', () => secure],
    ['sdk', 'socks', () => secure],
  ] as const)('carries %s requests (%s) and resolves the name', async (client, scheme, server) => {
    const proxy = kept(await startSocksProxy());
    const settings = { proxy: `${scheme}://127.0.0.1:${proxy.port}`, ca_cert: join(folder, 'ca.pem') };
    const store = await storeAt(server(), { client, settings, name: 'localhost' });
    expect(await roundTrip(store)).toBe('through the wall');
    expect(proxy.log).toEqual([`SOCKS localhost:${portOf(server().s3.endpoint)}`]);
  });

  it('gets the password, and says so when it is wrong', async () => {
    const proxy: TestProxy = kept(await startSocksProxy({ auth: 'me:pass' }));
    const at = (credentials: string) => ({ settings: { proxy: `socks5://${credentials}127.0.0.1:${proxy.port}` } });
    expect(await roundTrip(await storeAt(plain, at('me:pass@')))).toBe('through the wall');
    const wrong = { code: 'unreachable', class: 'person' };
    await expect((await storeAt(plain, at('me:secret@'))).head('k')).rejects.toMatchObject(wrong);
    await expect((await storeAt(plain, at(''))).head('k')).rejects.toMatchObject(wrong);
  });
});

describe('certificates', () => {
  const cause = { code: 'tls', message: expect.stringContaining('is not trusted') };

  it.each(['lean', 'sdk'] as const)('of a private CA are trusted when it is named (%s)', async (client) => {
    await expect((await storeAt(secure, { client })).head('k')).rejects.toMatchObject(cause);
    const file = join(folder, 'ca.pem');
    const ways = [
      { settings: { ca_cert: file } },
      { settings: { ca_bundle: file } },
      { flags: { caCert: [file] } },
      { settings: { no_check_certificate: true } },
      { flags: { checkCertificate: false } },
    ];
    for (const way of ways) expect(await roundTrip(await storeAt(secure, { client, ...way }))).toBe('through the wall');
  });

  it.each(['lean', 'sdk'] as const)('of the client are shown to a server that asks (%s)', async (client) => {
    const asking = createServer(
      { ...TEST_TLS, ca: TEST_TLS.cert, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        request.resume();
        response.writeHead(404).end();
      },
    );
    await new Promise<void>((resolve) => asking.listen(0, '127.0.0.1', resolve));
    const { port } = asking.address() as AddressInfo;
    const s3 = { ...secure.s3, endpoint: `https://127.0.0.1:${port}` };
    const settings = { ca_cert: join(folder, 'ca.pem') };
    const shown = { ...settings, client_cert: join(folder, 'ca.pem'), client_key: join(folder, 'key.pem') };
    const head = async (how: ConnectionSettings) =>
      (await storeAt({ ...secure, s3 }, { client, settings: how }))
        .head('k')
        .catch(({ code }: { code: string }) => code);
    expect(await head(shown)).toBe('object-not-found');
    expect(await head(settings)).not.toBe('object-not-found');
    asking.closeAllConnections();
    await new Promise((resolve) => asking.close(resolve));
  });

  it('are checked for a remote that says so, whatever the command line says', async () => {
    const how = { settings: { no_check_certificate: false }, flags: { checkCertificate: false } };
    await expect((await storeAt(secure, how)).head('k')).rejects.toMatchObject(cause);
  });

  it('that cannot be read or used are errors of the config', async () => {
    const open = (settings: ConnectionSettings, flags: ConnectionFlags = {}) => openConnection(settings, flags, {});
    const missing = join(folder, 'missing.pem');
    await expect(open({ ca_cert: missing })).rejects.toMatchObject({
      code: 'config',
      message: `cannot read the certificate file ${missing}: no such file or directory`,
    });
    await expect(open({ ca_cert: join(folder, 'key.pem') })).rejects.toMatchObject({
      code: 'config',
      message: `${join(folder, 'key.pem')} contains no PEM block "CERTIFICATE"`,
    });
    await expect(open({}, { clientCert: join(folder, 'ca.pem') })).rejects.toMatchObject({ code: 'config' });
    await open({ client_cert: join(folder, 'ca.pem'), client_key: join(folder, 'key.pem') });
  });
});

describe('the choice of a proxy', () => {
  const choose = (env: Record<string, string>, origin: string, given?: string) =>
    proxiesOf(given, env)(origin)?.name ?? 'none';

  it.each([
    [{ HTTPS_PROXY: 'http://p:1' }, 'https://x.example', 'p:1'],
    [{ HTTPS_PROXY: 'http://p:1' }, 'http://x.example', 'none'],
    [{ HTTP_PROXY: 'http://p:1' }, 'https://x.example', 'none'],
    [{ http_proxy: 'p:1' }, 'http://x.example', 'p:1'],
    [{ https_proxy: 'http://lower:1', HTTPS_PROXY: 'http://upper:1' }, 'https://x.example', 'lower:1'],
    [{ https_proxy: '', HTTPS_PROXY: 'http://upper:1\n' }, 'https://x.example', 'upper:1'],
    [{ ALL_PROXY: 'socks5://p' }, 'https://x.example', 'p:1080'],
    [{ HTTPS_PROXY: 'http://p' }, 'https://x.example', 'p:80'],
    [{ HTTPS_PROXY: 'https://p' }, 'https://x.example', 'p:443'],
    [{ HTTPS_PROXY: 'http://[::1]:3128' }, 'https://x.example', '[::1]:3128'],
    [{ HTTP_PROXY: 'http://p:1' }, 'http://100.100.100.200', 'none'],
    [{ HTTP_PROXY: 'http://p:1' }, 'http://169.254.169.254', 'none'],
    [{ HTTP_PROXY: 'http://p:1', REQUEST_METHOD: 'GET' }, 'http://x.example', 'none'],
  ])('%o for %s: %s', (env, origin, name) => {
    expect(choose(env, origin)).toBe(name);
  });

  it.each([
    ['x.example', 'https://x.example', true],
    ['x.example', 'https://b.x.example', true],
    ['.x.example', 'https://b.x.example', true],
    ['*.x.example', 'https://b.x.example', true],
    ['X.Example', 'https://x.example', true],
    ['x.example', 'https://notx.example', false],
    ['x.example:443', 'https://x.example', true],
    ['x.example:9000', 'https://x.example', false],
    ['x.example:9000', 'https://x.example:9000', true],
    ['other.example, x.example', 'https://x.example', true],
    ['other.example x.example', 'https://x.example', true],
    ['127.0.0.1', 'https://127.0.0.1:9000', true],
    ['10.0.0.0/8', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['0.1', 'https://127.0.0.1', false],
    ['::1', 'https://[::1]:9000', true],
    ['[::1]:9000', 'https://[::1]:9000', true],
    ['fd00::/8', 'https://[fd12::1]', true],
    ['*', 'https://x.example', true],
    ['', 'https://x.example', false],
  ])('NO_PROXY=%s exempts %s: %s', (NO_PROXY, origin, exempt) => {
    expect(choose({ HTTPS_PROXY: 'http://p:1', NO_PROXY }, origin)).toBe(exempt ? 'none' : 'p:1');
    expect(choose({ HTTPS_PROXY: 'http://p:1', no_proxy: NO_PROXY, NO_PROXY: 'other' }, origin)).toBe(
      exempt ? 'none' : 'p:1',
    );
  });

  it('is the remote’s own where it has one', () => {
    const env = { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' };
    expect(choose(env, 'https://x.example', 'http://mine:2')).toBe('mine:2');
    expect(choose({ HTTPS_PROXY: 'http://p:1' }, 'https://x.example', 'none')).toBe('none');
  });

  it.each(['socks4://me:secret@p', 'ftp://me:secret@p', 'http://me:secret@p/path', 'http://'])(
    'refuses %s without quoting it',
    (HTTPS_PROXY) => {
      expect(() => proxiesOf(undefined, { HTTPS_PROXY })).toThrow(
        'HTTPS_PROXY is not the address of an http, https or socks5 proxy',
      );
    },
  );
});
