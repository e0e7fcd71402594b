import { appendFileSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Identity } from '../../src/bridge/identity.js';
import { Audit } from '../../src/bridge/pull/audit.js';
import { PullServer } from '../../src/bridge/pull/server.js';
import { PullClient } from '../../src/bridge/push/client.js';
import { SqliteTicketQueue } from '../../src/manifest/sqlite/ticket-queue.js';
import { openConnection } from '../../src/store/http/connection.js';
import { HttpTransport } from '../../src/store/http/transport.js';
import { Authority } from '../support/certificates.js';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];

let directory: string;
let ours: Authority;
let server: { cert: string; key: string };
let push: { cert: string; key: string };
let stranger: { cert: string; key: string };
let queue: SqliteTicketQueue;
let logged: string[];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-identity-'));
  ours = new Authority(directory, 'ours');
  server = ours.issue('server');
  push = ours.issue('push');
  stranger = new Authority(directory, 'theirs').issue('stranger');
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => {
  logged = [];
  queue = new SqliteTicketQueue(':memory:');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await queue.close();
});

async function start(identity: Identity): Promise<string> {
  const pull = new PullServer({
    ...{ queue, identity, limit: 10, checkKey: () => {}, deletes: false, taken: () => {} },
    ...{
      trust: { allowHost: [], allowPrivate: [], allowCallback: [] },
      audit: new Audit(undefined, (text) => logged.push(text)),
    },
  });
  const { port } = await pull.start({ host: '127.0.0.1', port: 0 });
  closing.push(() => pull.close());
  return `https://127.0.0.1:${port}`;
}

async function ask(url: string, as?: { cert: string; key: string }, secret?: string): Promise<unknown> {
  const flags = { caCert: [ours.cert], ...(as && { clientCert: as.cert, clientKey: as.key }) };
  const transport = new HttpTransport({ userAgent: 'test', ...(await openConnection({}, flags, {})) });
  closing.push(() => transport.close());
  return new PullClient(transport, url, () => secret).ask(['r1']);
}

const files = () => ({ tlsCert: server.cert, tlsKey: server.key, clientCa: ours.cert });

it('a client certificate is demanded, and is enough if there is no secret', async () => {
  const url = await start(new Identity(files(), {}, { certified: true }));
  expect(await ask(url, push)).toEqual([]);
  await expect(ask(url)).rejects.toMatchObject({ code: 'bad-credentials' });
  await expect(ask(url, stranger)).rejects.toMatchObject({ code: 'bad-credentials' });
  expect(logged).toEqual(
    ['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'].map(
      (code) => `refused from 127.0.0.1: there is no client certificate that is accepted here (${code})`,
    ),
  );
});

it('a certificate is not enough if there is a secret, and no secret is enough without the certificate', async () => {
  const url = await start(new Identity(files(), { XSYNC_BRIDGE_SECRET: NEW }, { certified: true }));
  expect(await ask(url, push, NEW)).toEqual([]);
  await expect(ask(url, push)).rejects.toMatchObject({ code: 'bad-credentials' });
  await expect(ask(url, undefined, NEW)).rejects.toMatchObject({ code: 'bad-credentials' });
});

it('without a client CA, TLS proves nothing of the caller', async () => {
  expect(() => new Identity({ tlsCert: server.cert, tlsKey: server.key }, {})).toThrow('there is no secret');
  const url = await start(new Identity({ tlsCert: server.cert, tlsKey: server.key }, { XSYNC_BRIDGE_SECRET: NEW }));
  expect(await ask(url, undefined, NEW)).toEqual([]);
  await expect(ask(url, push)).rejects.toMatchObject({ code: 'bad-credentials' });
});

it('secrets and certificates are replaced while it runs, and stay if the new ones cannot be used', async () => {
  const secretFile = join(directory, 'secret');
  const [tlsCert, tlsKey] = [join(directory, 'used.pem'), join(directory, 'used.key')];
  const use = ({ cert, key }: { cert: string; key: string }) => {
    copyFileSync(cert, tlsCert);
    copyFileSync(key, tlsKey);
  };
  writeFileSync(secretFile, OLD);
  use(stranger);
  const identity = new Identity({ secretFile, tlsCert, tlsKey }, {});
  const url = await start(identity);
  await expect(ask(url, undefined, OLD)).rejects.toThrow();

  use(server);
  writeFileSync(secretFile, `${NEW}\n${OLD}\n`);
  identity.reload();
  expect(await ask(url, undefined, OLD)).toEqual([]);
  expect(await ask(url, undefined, NEW)).toEqual([]);

  writeFileSync(secretFile, NEW);
  appendFileSync(secretFile, '\nshort');
  expect(() => identity.reload()).toThrow('shorter than 32 characters');
  writeFileSync(secretFile, NEW);
  writeFileSync(tlsKey, 'none');
  expect(() => identity.reload()).toThrow('cannot be used');
  expect(await ask(url, undefined, OLD)).toEqual([]);
  use(server);
  identity.reload();
  await expect(ask(url, undefined, OLD)).rejects.toMatchObject({ code: 'bad-credentials' });
});

it.each([
  [{ clientCa: 'ca.pem' }, '--client-ca has no effect without --tls-cert'],
  [{ tlsKey: 'key.pem' }, '--tls-key has no effect without --tls-cert'],
  [{ tlsCert: '/nowhere.pem' }, 'the certificate file /nowhere.pem cannot be read'],
])('%j is refused', (given, message) => {
  expect(() => new Identity(given, { XSYNC_BRIDGE_SECRET: NEW })).toThrow(message);
});
