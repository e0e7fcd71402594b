/** The attack table: each is refused and logged. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Identity } from '../../../src/bridge/identity.js';
import { Audit } from '../../../src/bridge/pull/audit.js';
import { PullServer, type PullServerMeans } from '../../../src/bridge/pull/server.js';
import { PullClient } from '../../../src/bridge/push/client.js';
import { signRequest, signResponse } from '../../../src/bridge/signature.js';
import { type BridgeTicket, callbackOf } from '../../../src/bridge/ticket.js';
import { type TicketQueue, ticketId } from '../../../src/manifest/queues.js';
import { SqliteTicketQueue } from '../../../src/manifest/sqlite/ticket-queue.js';
import { XsyncError } from '../../../src/model/error.js';
import { HttpTransport } from '../../../src/store/http/transport.js';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];

let directory: string;
let queue: TicketQueue;
let server: PullServer;
let transport: HttpTransport;
let url: string;
let logged: string[];

const ticket = (key: string, revision: number, more: object = {}): BridgeTicket => ({
  ...{
    version: 1,
    id: ticketId({ key, revision }),
    key,
    revision,
    action: 'copy',
    url: `https://b.trusted.example/${key}?SECRET`,
  },
  ...{ expiresMs: Date.now() + 60_000, etag: 'e', size: 1, mtimeMs: 1, ...more },
});

async function start(more: Partial<PullServerMeans> = {}): Promise<void> {
  queue = new SqliteTicketQueue(join(directory, 'queue'));
  const checkKey = (key: string): void => {
    if (key.includes('..')) throw new XsyncError('key-not-representable', `${key} leads out`);
  };
  server = new PullServer({
    ...{
      queue,
      identity: new Identity({}, { XSYNC_BRIDGE_SECRET: `${NEW} ${OLD}` }),
      limit: 3,
      checkKey,
      deletes: false,
      taken: () => {},
    },
    trust: { allowHost: ['*.trusted.example'], allowPrivate: [], allowCallback: [] },
    audit: new Audit(undefined, (text) => logged.push(text)),
    ...more,
  });
  const { host, port } = await server.start({ host: '127.0.0.1', port: 0 });
  url = `http://${host}:${port}`;
}

async function stop(): Promise<void> {
  await server.close();
  await queue.close();
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-pull-'));
  transport = new HttpTransport({ userAgent: 'test' });
  logged = [];
  await start();
});
afterEach(async () => {
  await transport.close();
  await stop();
  rmSync(directory, { recursive: true });
});

const client = (secret = NEW) => new PullClient(transport, url, () => secret);

/** A request as anybody could send it. */
async function post(path: string, body: string, headers: Record<string, string> = {}) {
  const answer = await transport.request({ method: 'POST', origin: url, path, headers, body });
  return { status: answer.status, text: answer.body.toString(), headers: answer.headers };
}

const BODY = JSON.stringify({ tickets: [ticket('a', 1)] });
const sign = (body: string, ms = Date.now(), secret = NEW, path = '/v1/tickets') => ({
  authorization: signRequest(secret, { method: 'POST', path, body }, ms).header,
});

describe('tickets', () => {
  it('are safe when they are taken, with both secrets; stale ones are told', async () => {
    expect(await client().send([ticket('a', 2), ticket('b', 3)])).toEqual({ taken: 2, stale: [], refused: [] });
    expect(await client(OLD).send([ticket('a', 1)])).toEqual({ taken: 0, stale: [ticket('a', 1).id], refused: [] });
    const [a, b] = [ticket('a', 2).id, ticket('b', 3).id];
    const held = await queue.claim({ nowMs: Date.now(), leaseMs: 1000, limit: 1, ids: [b] });
    await queue.settle(held.map((one) => ({ ...one, state: 'done' })));
    expect(await client().ask([ticket('a', 1).id, a, b])).toEqual([
      { id: a, state: 'queued' },
      { id: b, state: 'done' },
    ]);
    expect(logged).toEqual([]);
  });

  it('are refused for now when too many wait', async () => {
    await client().send([ticket('a', 1), ticket('b', 2), ticket('c', 3)]);
    await expect(client().send([ticket('d', 4)])).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 10_000 });
    expect(logged).toEqual(['refused from 127.0.0.1: too many tickets are waiting']);
  });

  it('are refused for now when one end sends more than it may in a second', async () => {
    await stop();
    await start({ limit: 1000, rate: 10 });
    const tickets = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => ticket(`k${from + n}`, from + n));
    expect(await client().send(tickets(1, 100))).toMatchObject({ taken: 100 });
    await expect(client().send(tickets(101, 100))).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 10_000 });
    expect(await queue.countWaiting()).toBe(100);
    expect(logged).toEqual(['refused from 127.0.0.1: more tickets are sent than may be in a second']);
  });

  it('that are not answered end with the push', async () => {
    const ended = new PullClient(transport, url, () => NEW, AbortSignal.abort());
    await expect(ended.ask(['r1'])).rejects.toMatchObject({ code: 'aborted' });
  });

  it('with half a character in the key are none', async () => {
    await expect(client().send([ticket('\ud800', 1)])).rejects.toMatchObject({
      message: expect.stringContaining('tickets.0.key: is not well-formed Unicode'),
    });
  });

  it('are taken if more come than may wait', async () => {
    const tickets = [1, 2, 3, 4].map((n) => ticket(`k${n}`, n));
    expect(await client().send(tickets)).toMatchObject({ taken: 4 });
    await expect(client().send([ticket('d', 5)])).rejects.toMatchObject({ code: 'throttled' });
  });

  it.each([
    ['of a host that is not allowed', { url: 'https://trusted.example.evil/x?SECRET' }, 'untrusted-host'],
    ['with a key that climbs out', { key: '../../etc/passwd' }, 'key-not-representable'],
    ['that delete', { action: 'delete' }, 'guard'],
  ])('%s are refused one by one', async (_, more, code) => {
    const bad = { ...ticket('key' in more ? more.key : 'bad', 1), ...more } as BridgeTicket;
    const {
      url: __,
      expiresMs,
      etag,
      size,
      mtimeMs,
      ...bare
    } = { expiresMs: 0, etag: '', size: 0, mtimeMs: 0, ...bad, url: '' };
    const sent = bad.action === 'delete' ? (bare as BridgeTicket) : bad;
    const { taken, refused } = await client().send([sent, ticket('good', 2)]);
    expect({ taken, refused }).toMatchObject({ taken: 1, refused: [{ id: bad.id, code }] });
    expect(await queue.countWaiting()).toBe(1);
    expect(logged).toHaveLength(1);
    expect(logged.join()).not.toContain('SECRET');
  });
});

it('outcomes are told only to hosts that are allowed; the tickets of others are performed and can be asked about', async () => {
  await stop();
  await start({ trust: { allowHost: ['*.trusted.example'], allowPrivate: [], allowCallback: ['push.example'] } });
  const tickets = [
    ticket('a', 1, { callback: 'https://push.example/in' }),
    ticket('b', 2, { callback: 'http://169.254.169.254/latest' }),
  ];
  expect(await client().send(tickets)).toMatchObject({ taken: 2, refused: [] });
  const kept = await queue.claim({ nowMs: Date.now(), leaseMs: 1000, limit: 10 });
  expect(kept.map(({ body }) => callbackOf(body))).toEqual(['https://push.example/in', undefined]);
  expect(logged).toEqual([
    'refused a request: the callback host 169.254.169.254 is not allowed here (--allow-callback)',
  ]);
});

describe('a stranger', () => {
  it.each([
    ['without a signature', {}, 'the request is not signed'],
    ['with a bad signature', sign(BODY, Date.now(), 'x'.repeat(32)), 'the signature is wrong'],
    ['with an old timestamp', sign(BODY, Date.now() - 301_000), 'the request was signed at another time'],
    ['with a signature of another path', sign(BODY, Date.now(), NEW, '/v1/outcomes'), 'the signature is wrong'],
    ['with a URL that was changed', sign(BODY.replace('trusted', 'evil')), 'the signature is wrong'],
  ])('%s is refused', async (_, headers, why) => {
    const { status, text } = await post('/v1/tickets', BODY, headers);
    expect({ status, text }).toEqual({ status: 401, text: JSON.stringify({ error: why }) });
    expect(logged).toEqual([`refused from 127.0.0.1: ${why}`]);
    expect(await queue.countWaiting()).toBe(0);
  });

  it('who repeats a request is refused, also after a restart', async () => {
    const headers = sign(BODY);
    expect((await post('/v1/tickets', BODY, headers)).status).toBe(202);
    expect((await post('/v1/tickets', BODY, headers)).text).toContain('the request was received before');
    await stop();
    await start();
    expect((await post('/v1/tickets', BODY, headers)).status).toBe(401);
    expect(logged).toHaveLength(2);
  });

  it.each([
    ['', 'the body is not JSON'],
    ['{}', 'tickets: Invalid input: expected array, received undefined'],
    [JSON.stringify({ tickets: [] }), 'tickets: Too small: expected array to have >=1 items'],
    [JSON.stringify({ tickets: [ticket('a', 1, { url: 'file:///etc/passwd' })] }), 'tickets.0.url: Invalid URL'],
    [JSON.stringify({ tickets: [ticket('a', 1, { extra: 1 })] }), 'tickets.0: Unrecognized key: "extra"'],
    [JSON.stringify({ tickets: [ticket('é'.repeat(600), 1)] }), 'tickets.0.key: is longer than 1024 bytes'],
  ])('who has the secret, and sends %j, is told', async (body, why) => {
    const { status, text } = await post('/v1/tickets', body, sign(body));
    expect({ status, error: JSON.parse(text).error }).toEqual({ status: 400, error: why });
    expect(logged).toHaveLength(1);
  });

  it('who sends too much, or asks for something else, is refused', async () => {
    const body = 'x'.repeat(1024 * 1024 + 1);
    expect((await post('/v1/tickets', body, sign(body))).status).toBe(413);
    expect((await post('/', '', sign(''))).status).toBe(404);
    expect(logged).toEqual([
      'refused from 127.0.0.1: the body is longer than 1048576 bytes',
      'refused from 127.0.0.1: there is nothing here',
    ]);
  });

  it('who does not speak HTTP, or holds a connection without a request, is cut off', async () => {
    const { port } = new URL(url);
    const talk = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = createConnection(Number(port), '127.0.0.1', () => socket.write(text));
        const chunks: Buffer[] = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
      });
    expect(await talk('\x16\x03\x01 no HTTP\r\n\r\n')).toContain('400');
    // A slow-loris client: its headers never end.
    expect(await talk('POST /v1/tickets HTTP/1.1\r\nHost: x\r\n')).toContain('408');
    expect(logged).toEqual([
      'refused from 127.0.0.1: no whole request (HPE_INVALID_METHOD)',
      'refused from 127.0.0.1: no whole request (ERR_HTTP_REQUEST_TIMEOUT)',
    ]);
  });

  it('who opens many connections leaves room for none, and is dropped', async () => {
    const { port } = new URL(url);
    const sockets = Array.from({ length: 300 }, () => createConnection(Number(port), '127.0.0.1'));
    const closed = sockets.map((socket) => new Promise((resolve) => socket.on('error', () => {}).on('close', resolve)));
    await Promise.race(closed);
    expect(logged[0]).toBe('refused from 127.0.0.1: too many connections');
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
    expect(await client().send([ticket('a', 1)])).toMatchObject({ taken: 1 });
  });
});

it('an answer that somebody else signed is not believed', async () => {
  const forged = { status: 200, body: '{"outcomes":[{"id":"r1","state":"done"}]}' };
  const header = signResponse(OLD, 'another nonce', forged.status, forged.body);
  const liar = {
    request: async () => ({ ...forged, body: Buffer.from(forged.body), headers: { 'x-xsync-signature': header } }),
  };
  await expect(new PullClient(liar as never, 'http://h', () => NEW).ask(['r1'])).rejects.toMatchObject({
    code: 'invalid-response',
  });
});
