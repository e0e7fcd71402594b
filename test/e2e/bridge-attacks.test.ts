/**
 * The attacks on a pulling end, each refused and logged, while a pushing end goes on. Of the idle connections, CI opens few:
 *
 *   XSYNC_IDLE_CONNECTIONS=10000 npx vitest run --project binary test/e2e/bridge-attacks.test.ts
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PullClient } from '../../src/bridge/push/client.js';
import { signRequest } from '../../src/bridge/signature.js';
import { type BridgeTicket, MOST_BYTES } from '../../src/bridge/ticket.js';
import { ticketId } from '../../src/manifest/queues.js';
import { HttpTransport } from '../../src/store/http/transport.js';
import { startServer, type TestServer } from '../support/server/index.js';
import { Bridge, Line, SECRET } from './bridging.js';
import { Lab, type Running } from './harness.js';

const IDLE = Number(process.env.XSYNC_IDLE_CONNECTIONS ?? 400);
/** Of pull. */
const CONNECTIONS = 256;

let lab: Lab;
let near: TestServer;
let far: TestServer;
let line: Line;
let pull: Running;
let audit: string;
let transport: HttpTransport;
let client: PullClient;
/** What nobody may ask, and what redirects there. */
let inside: Server;
let outside: Server;
let asked = 0;
let revision = 0;
const running: Running[] = [];

beforeAll(async () => {
  lab = await Lab.start();
  near = await startServer({});
  far = await startServer({});
  line = await Line.open();
  inside = createServer((_, response) => void response.end(`secret ${++asked}`));
  outside = createServer((_, response) => void response.writeHead(302, { location: urlOf(inside) }).end());
  for (const server of [inside, outside]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const scene = await Bridge.open({ lab, near, far, line, running });
  audit = join(scene.pullHome.HOME ?? '', 'audit');
  const trust = ['--allow-private', 'localhost', '--allow-host', '*.oss.test'];
  pull = await scene.pull(...trust, '--audit-log', audit, '--attempts', '1');
  transport = new HttpTransport({ userAgent: 'test' });
  client = new PullClient(transport, line.to ?? '', () => SECRET);
});
afterAll(async () => {
  pull.kill('SIGKILL');
  await pull.done;
  await transport.close();
  for (const server of [inside, outside]) server.close();
  await line.close();
  await Promise.all([near.close(), far.close()]);
  await lab.close();
});

function urlOf(server: Server, host = '127.0.0.1'): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://${host}:${address.port}/`;
}

function ticketFor(url: string, key = 'a'): BridgeTicket {
  const of = { key, revision: ++revision };
  const times = { expiresMs: Date.now() + 60_000, mtimeMs: 1 };
  return { version: 1, id: ticketId(of), ...of, action: 'copy', url, etag: 'e', size: 8, ...times };
}

const bodyOf = (...tickets: BridgeTicket[]) => JSON.stringify({ tickets });

function sign(body: string, { secret = SECRET, ms = Date.now(), path = '/v1/tickets' } = {}): Record<string, string> {
  return { authorization: signRequest(secret, { method: 'POST', path, body }, ms).header };
}

async function post(body: string, headers: Record<string, string>): Promise<string> {
  const answer = await transport.request({ method: 'POST', origin: line.to ?? '', path: '/v1/tickets', headers, body });
  return String(answer.status);
}

/** What became of a ticket that was handed in. */
async function outcomeOf(ticket: BridgeTicket): Promise<string> {
  const { refused } = await client.send([ticket]);
  if (refused[0]) return `refused: ${refused[0].code}`;
  for (;;) {
    const [{ state, fault } = { state: 'queued', fault: undefined }] = await client.ask([ticket.id]);
    if (state !== 'queued') return `${state}: ${fault?.code}`;
    await sleep(20);
  }
}

/** What a raw connection is told before it is closed. */
async function talk(text: string): Promise<string> {
  const socket = connect(Number(new URL(line.to ?? '').port), '127.0.0.1', () => socket.write(text));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'close');
  return /^HTTP\/1\.1 (\d+)/.exec(Buffer.concat(chunks).toString())?.[1] ?? 'closed';
}

/** Opens connections that say nothing, and pushes beside them. */
async function idle(): Promise<string> {
  const port = Number(new URL(line.to ?? '').port);
  const open = new Set<Socket>();
  for (let n = 0; n < IDLE; n++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.once('close', () => open.delete(socket));
    open.add(socket);
    if (n % 100 === 0) await once(socket, 'connect').catch(() => {});
  }
  const { taken } = await client.send([ticketFor('http://unreachable.oss.test/', 'beside')]);
  const files = readdirSync(`/proc/${pull.pid}/fd`).length;
  if (IDLE > 1000) console.log(`${IDLE} idle connections: ${open.size} open, ${files} files, ${memoryOf(pull.pid)}`);
  for (const socket of open) socket.destroy();
  return `taken ${taken}, ${files < CONNECTIONS + 100 ? 'few' : files} files`;
}

function memoryOf(pid: number): string {
  return /VmRSS:\s+(.*)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
}

const good = () => bodyOf(ticketFor('http://good.oss.test/'));
const replayed = async (): Promise<string> => {
  const body = bodyOf(ticketFor('http://169.254.169.254/'));
  const headers = sign(body);
  return `${await post(body, headers)} ${await post(body, headers)}`;
};

/** What is done, what comes of it, and what the audit log has then. */
const ATTACKS: [name: string, attack: () => Promise<string>, outcome: string, logged: object][] = [
  ['no signature', () => post(good(), {}), '401', { message: 'the request is not signed' }],
  ['a bad signature', () => post(good(), sign(good())), '401', { message: 'the signature is wrong' }],
  [
    'the secret of somebody else',
    () => post('{}', sign('{}', { secret: 'x'.repeat(32) })),
    '401',
    { message: 'the signature is wrong' },
  ],
  [
    'a signature of another path',
    () => post('{}', sign('{}', { path: '/v1/outcomes' })),
    '401',
    { message: 'the signature is wrong' },
  ],
  [
    'an old timestamp',
    () => post('{}', sign('{}', { ms: Date.now() - 301_000 })),
    '401',
    { message: 'the request was signed at another time' },
  ],
  [
    'a timestamp of the future',
    () => post('{}', sign('{}', { ms: Date.now() + 301_000 })),
    '401',
    { message: 'the request was signed at another time' },
  ],
  ['a replay', replayed, '202 401', { message: 'the request was received before' }],
  [
    'a tampered URL',
    async () => {
      const body = good();
      return post(body.replace('good.oss.test', 'evil.oss.test'), sign(body));
    },
    '401',
    { message: 'the signature is wrong' },
  ],
  [
    'a redirect to a private address',
    () => outcomeOf(ticketFor(urlOf(outside, 'localhost'), 'redirect')),
    'dead: untrusted-host',
    { event: 'dead', key: 'redirect', code: 'untrusted-host' },
  ],
  [
    'a host that is not allowed',
    () => outcomeOf(ticketFor('https://evil.example/', 'host')),
    'refused: untrusted-host',
    { event: 'refused', key: 'host', code: 'untrusted-host' },
  ],
  [
    'the address of instance metadata',
    () => outcomeOf(ticketFor('http://169.254.169.254/latest/meta-data', 'metadata')),
    'refused: untrusted-host',
    { event: 'refused', key: 'metadata', code: 'untrusted-host' },
  ],
  [
    // The name is trusted, and leads to a private address at the moment of the connection.
    'DNS that changes its answer',
    () => outcomeOf(ticketFor(urlOf(inside, 'rebound.oss.test'), 'dns')),
    'dead: untrusted-host',
    { event: 'dead', key: 'dns', code: 'untrusted-host' },
  ],
  [
    'a key that climbs out',
    () => outcomeOf(ticketFor(urlOf(outside, 'localhost'), '../out')),
    'refused: key-not-representable',
    { event: 'refused', key: '../out', code: 'key-not-representable' },
  ],
  [
    'a delete that is not allowed',
    () => {
      const { version, id, key, revision: of } = ticketFor('http://good.oss.test/', 'deleted');
      return outcomeOf({ version, id, key, revision: of, action: 'delete' });
    },
    'refused: guard',
    { event: 'refused', key: 'deleted', code: 'guard' },
  ],
  [
    'an oversized body',
    // Only its head: what is sent after the answer can reset the connection before the answer is read.
    () => {
      const { authorization } = sign('x'.repeat(MOST_BYTES + 1));
      const head = ['POST /v1/tickets HTTP/1.1', 'Host: x', `Authorization: ${authorization}`];
      return talk([...head, `Content-Length: ${MOST_BYTES + 1}`, '\r\n'].join('\r\n'));
    },
    '413',
    { status: 413, message: 'the body is longer than 1048576 bytes' },
  ],
  [
    'what is no HTTP',
    () => talk('\x16\x03\x01 no HTTP\r\n\r\n'),
    '400',
    { message: 'no whole request (HPE_INVALID_METHOD)' },
  ],
  [
    'a slow-loris client',
    () => talk('POST /v1/tickets HTTP/1.1\r\nHost: x\r\nX-A: '),
    '408',
    { message: 'no whole request (ERR_HTTP_REQUEST_TIMEOUT)' },
  ],
  [`${IDLE} idle connections`, idle, 'taken 1, few files', { event: 'refused', message: 'too many connections' }],
];

test.each(ATTACKS)('%s', async (_, attack, outcome, logged) => {
  const before = lines().length;
  expect(await attack()).toBe(outcome);
  // At most 20 refusals a second are written.
  for (
    let n = 0;
    n < 100 &&
    !lines()
      .slice(before)
      .some((entry) => matches(entry, logged));
    n++
  )
    await sleep(20);
  expect(lines().slice(before)).toContainEqual(expect.objectContaining(logged));
  expect(asked).toBe(0);
});

function lines(): object[] {
  const text = readFileSync(audit, 'utf8').trim();
  return text === '' ? [] : text.split('\n').map((entry) => JSON.parse(entry));
}

function matches(entry: object, wanted: object): boolean {
  const found = new Map(Object.entries(entry));
  return Object.entries(wanted).every(([name, value]) => found.get(name) === value);
}
