import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReplicationEvent } from '../../src/observe/replication-event.js';
import { signatureOf } from '../../src/observe/signature.js';
import { Webhook, type WebhookOptions } from '../../src/observe/webhook.js';

interface Call {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

const QUICK = { firstPauseMs: 1, longestPauseMs: 5, inFlight: 1 };
const SECRET = 'an-obvious-test-secret';

let server: Server;
let origin: string;
let calls: Call[];
/** What the server does with the nth call. */
let answer: (response: ServerResponse, call: Call, n: number) => void;
let said: string[];

beforeEach(async () => {
  calls = [];
  said = [];
  answer = (response) => response.writeHead(204).end();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const call = { method, url, headers, body: Buffer.concat(chunks).toString() };
    calls.push(call);
    answer(response, call, calls.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function hook(options: Partial<WebhookOptions> = {}): Webhook {
  const warn = (message: string): void => void said.push(message);
  const { limits, ...rest } = options;
  return new Webhook({ url: new URL(`${origin}/hook?x=token`), warn, limits: { ...QUICK, ...limits }, ...rest });
}

const event = (id: string): ReplicationEvent => ({
  id,
  type: 'ObjectCreated',
  at: '2026-11-21T00:00:00.000Z',
  pair: { source: 'a', destination: 'b' },
  key: 'ключ',
});

const idsOf = (): string[] => calls.map(({ headers }) => String(headers['x-xsync-delivery']));

describe('a webhook', () => {
  it('gets each event by POST, with its id, and a signature that its secret proves', async () => {
    const target = hook({ secret: SECRET, now: () => 1_795_000_000_999 });
    target.send(event('e-1'));
    await target.close(5000);
    const [call] = calls;
    expect(call).toMatchObject({
      method: 'POST',
      url: '/hook?x=token',
      headers: { 'content-type': 'application/json', 'x-xsync-delivery': 'e-1' },
    });
    expect(JSON.parse(call?.body ?? '')).toEqual(event('e-1'));
    const v1 = createHmac('sha256', SECRET).update(`1795000000.${call?.body}`).digest('hex');
    expect(call?.headers['x-xsync-signature']).toBe(`t=1795000000,v1=${v1}`);
    expect(target.counts).toMatchObject({ delivered: 1, dropped: 0, queued: 0 });
    expect(said).toEqual([]);
  });

  it('is signed as the documentation shows it', () => {
    const docs = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const [, shown, t] = /^X-Xsync-Signature: (t=(\d+),v1=\w+)$/m.exec(docs) ?? [];
    const [body = ''] = /^\{"id":.*"type":"ObjectRemoved".*$/m.exec(docs) ?? [];
    expect(signatureOf(SECRET, body, Number(t) * 1000)).toBe(shown);
  });

  it('is sent no signature that nobody can check', async () => {
    const target = hook();
    target.send(event('e-1'));
    await target.close(5000);
    expect(calls[0]?.headers).not.toHaveProperty('x-xsync-signature');
  });

  it('that fails for a while gets the event all the same, under the same id', async () => {
    answer = (response, _, n) => {
      if (n === 1) response.destroy();
      else response.writeHead([503, 429, 500, 408][n - 2] ?? 200, n === 3 ? { 'retry-after': '0' } : {}).end('x');
    };
    const target = hook();
    target.send(event('e-1'));
    await until(() => target.counts.delivered === 1);
    await target.close(5000);
    expect(idsOf()).toEqual(Array(6).fill('e-1'));
    expect(target.counts).toMatchObject({ delivered: 1, dropped: 0 });
    expect(said).toEqual([]);
  });

  it('that never answers is given up after a time, and tried again', async () => {
    answer = (response, _, n) => {
      if (n > 1) response.end();
    };
    const target = hook({ limits: { timeoutMs: 200 } });
    target.send(event('e-1'));
    await until(() => target.counts.delivered === 1);
    await target.close(5000);
    expect(new Set(idsOf())).toEqual(new Set(['e-1']));
    expect(calls.length).toBeGreaterThan(1);
  });

  it('waits as long as the other end asks for', async () => {
    const at: number[] = [];
    answer = (response, _, n) => {
      at.push(Date.now());
      response.writeHead(n === 1 ? 429 : 200, { 'retry-after': '3600' }).end();
    };
    const target = hook({ limits: { longestPauseMs: 200 } });
    target.send(event('e-1'));
    await until(() => target.counts.delivered === 1);
    // Within our own limit: a slip at the other end must not stop the events for an hour.
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(199);
    await target.close(5000);
  });

  it('that refuses an event is not asked again for ever, and it is said, once', async () => {
    answer = (response) => response.writeHead(404).end();
    const target = hook();
    for (const id of ['1', '2', '3']) target.send(event(id));
    await target.close(5000);
    expect(idsOf()).toEqual(['1', '2', '3']);
    expect(target.counts).toMatchObject({ delivered: 0, dropped: 3, queued: 0 });
    expect(said).toEqual([
      `--notify: ${origin} refuses events: it answered 404`,
      `--notify: 3 events were not delivered to ${origin}: it answered 404`,
    ]);
  });

  it('cannot send the events on to somebody else', async () => {
    answer = (response) => response.writeHead(307, { location: `${origin}/elsewhere` }).end();
    const target = hook();
    target.send(event('1'));
    await target.close(5000);
    expect(calls.map(({ url }) => url)).toEqual(['/hook?x=token']);
    expect(said[0]).toContain('it answered 307, a redirect, which is not followed: use its target instead');
  });

  it('that is down costs bounded memory: the oldest events go first, which is said once and counted', async () => {
    answer = (response, _, n) => {
      if (n > 1) response.end();
    };
    const target = hook({ limits: { queued: 3 } });
    for (let i = 1; i <= 10; i++) target.send(event(String(i)));
    expect(target.counts).toMatchObject({ dropped: 6, queued: 4 });
    await until(() => calls.length === 1);
    server.closeAllConnections();
    await until(() => target.counts.delivered === 4);
    await target.close(5000);
    expect(idsOf()).toEqual(['1', '1', '8', '9', '10']);
    expect(said).toEqual([
      `--notify: ${origin} accepts events more slowly than they occur; the oldest events are dropped`,
      expect.stringMatching(/^--notify: 6 events were not delivered to /),
    ]);
  });

  it('that is slow gets what is queued when the program ends', async () => {
    answer = (response) => void setTimeout(() => response.end(), 30);
    const target = hook();
    for (const id of ['1', '2', '3', '4']) target.send(event(id));
    await target.close(5000);
    expect(target.counts).toMatchObject({ delivered: 4, queued: 0 });
  });

  it('keeps no program from ending, and what it did not get is said', async () => {
    answer = () => undefined;
    const target = hook();
    for (const id of ['1', '2']) target.send(event(id));
    await target.close(50);
    expect(said).toEqual([`--notify: 2 events were not delivered to ${origin}: it did not respond in time`]);
    expect(said.join()).not.toContain('token');
  });

  it('is tried once more when the program ends during a long pause', async () => {
    answer = (response, _, n) => response.writeHead(n === 1 ? 503 : 200).end();
    const target = hook({ limits: { firstPauseMs: 60_000, longestPauseMs: 60_000 } });
    target.send(event('1'));
    await until(() => calls.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await target.close(5000);
    expect(target.counts).toMatchObject({ delivered: 1 });
  });

  it('that is not there is said by its reason', async () => {
    await new Promise((resolve) => server.close(resolve));
    const target = hook({ limits: { attempts: 2 } });
    target.send(event('1'));
    await target.close(5000);
    expect(said.join()).toMatch(/1 event was not delivered to .*: connect ECONNREFUSED/);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  it('waits twice as long after each failure, with jitter, so that nobody is stormed when it is well again', async () => {
    const at: number[] = [];
    answer = (response) => {
      at.push(Date.now());
      response.writeHead(503).end();
    };
    const target = hook({ random: () => 1, limits: { attempts: 4, firstPauseMs: 20, longestPauseMs: 1000 } });
    target.send(event('1'));
    await until(() => target.counts.dropped === 1);
    const pauses = at.slice(1).map((ms, i) => ms - (at[i] ?? 0));
    for (const [i, least] of [20, 40, 80].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(least - 1);
    await target.close(1000);
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
