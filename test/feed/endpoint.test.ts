import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Endpoint, type EndpointLimits } from '../../src/feed/endpoint.js';
import type { ChangeBatch } from '../../src/feed/feed.js';
import { mns, ossEvent, s3Put, s3Record, sns, subscribeUrl } from './bodies.js';

const secret = 'correct-horse-battery-staple';
const bearer = { authorization: `Bearer ${secret}` };

interface Open {
  feed: Endpoint;
  url: string;
  troubles: (string | undefined)[];
  /** The next batch. */
  next: () => Promise<ChangeBatch>;
}

const opened: (() => Promise<void>)[] = [];

async function open(limits: Partial<EndpointLimits> = {}): Promise<Open> {
  const feed = new Endpoint({ host: '127.0.0.1', port: 0, path: '/events' }, secret, limits);
  const troubles: (string | undefined)[] = [];
  feed.onTrouble = (message) => troubles.push(message);
  const url = (await feed.start()).replace('receiving events at ', '');
  const stop = new AbortController();
  const batches = feed.batches(stop.signal);
  opened.push(async () => {
    stop.abort();
    await feed.close();
  });
  const next = async () => {
    const { value } = await batches.next();
    return value as ChangeBatch;
  };
  return { feed, url, troubles, next };
}

function post(url: string, body: unknown, headers: Record<string, string> = bearer): Promise<Response> {
  return fetch(url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

describe('the endpoint for events', () => {
  it('hands on what S3 posts, and says how much it took', async () => {
    const { url, next, feed } = await open();
    const answer = await post(url, s3Put);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ taken: 1, ignored: 0 });
    const { events } = await next();
    expect(events).toMatchObject([{ bucket: 'photos', key: 'HappyFace.jpg', kind: 'created' }]);
    expect(feed.counts).toEqual({ events: 1, ignored: 0, refused: 0 });
  });

  it('answers MNS as it wants to be answered, or MNS would send everything again', async () => {
    const { url } = await open();
    const headers = { 'x-mns-request-id': '1', authorization: 'MNS signature' };
    const answer = await post(
      `${url}?token=${secret}`,
      mns(JSON.stringify({ events: [ossEvent('ObjectCreated:PutObject', 'a')] })),
      headers,
    );
    expect(answer.status).toBe(204);
  });

  it('names the URL that confirms a subscription, once, and never opens it itself', async () => {
    const { url, troubles } = await open();
    const body = sns('', { Type: 'SubscriptionConfirmation', SubscribeURL: subscribeUrl });
    const fetching = vi.spyOn(globalThis, 'fetch');
    const answer = await post(url, body);
    expect(JSON.stringify(await answer.json())).toContain(subscribeUrl);
    await post(url, body);
    expect(fetching).toHaveBeenCalledTimes(2);
    fetching.mockRestore();
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toContain(subscribeUrl);
    await post(url, sns(s3Put));
    expect(troubles).toEqual([troubles[0], undefined]);
  });

  it('hands out again what was given back', async () => {
    const { url, next } = await open({ againMs: 1 });
    await post(url, s3Put);
    const first = await next();
    await first.release();
    expect((await next()).events).toEqual(first.events);
  });

  it('holds senders off while memory is full, and takes again when there is room', async () => {
    const { url, next, troubles } = await open({ events: 2 });
    const two = { Records: [s3Record('ObjectCreated:Put', 'a'), s3Record('ObjectCreated:Put', 'b')] };
    await post(url, two);
    const batch = await next();
    const refused = await post(url, s3Put);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await batch.done();
    expect((await post(url, s3Put)).status).toBe(200);
    expect(troubles).toEqual([expect.stringContaining('senders must retry'), undefined]);
  });

  it('ends when it is told to, and frees the port', async () => {
    const { feed, url } = await open();
    const stop = new AbortController();
    const ended = (async () => {
      for await (const _batch of feed.batches(stop.signal));
    })();
    stop.abort();
    await ended;
    await feed.close();
    await feed.close();
    await expect(post(url, s3Put)).rejects.toThrow();
  });

  it('says what to do when the port is taken', async () => {
    const { url } = await open();
    const second = new Endpoint({ host: '127.0.0.1', port: Number(new URL(url).port), path: '/' }, secret);
    await expect(second.start()).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/another program/),
    });
  });

  it('warns when it is open to the network without TLS', async () => {
    const feed = new Endpoint({ host: '0.0.0.0', port: 0, path: '/' }, secret);
    expect(await feed.start()).toContain('use a TLS proxy');
    await feed.close();
  });
});

describe('whoever is no sender', () => {
  it.each([
    ['a header of its own', { 'x-xsync-secret': secret }, ''],
    ['a bearer token', bearer, ''],
    ['the URL', {}, `?token=${secret}`],
  ])('is told from a sender by the secret in %s', async (_, headers, query) => {
    const { url } = await open();
    expect((await post(url + query, s3Put, headers)).status).toBe(200);
  });

  it.each([
    ['no secret', {}, ''],
    ['a wrong one', { authorization: 'Bearer wrong' }, ''],
    ['the beginning of it', { authorization: `Bearer ${secret.slice(0, -1)}` }, ''],
    ['another scheme', { authorization: `Basic ${secret}` }, ''],
    ['an empty token', {}, '?token='],
  ])('gets nothing in with %s', async (_, headers, query) => {
    const { url, feed, troubles } = await open();
    const answer = await post(url + query, s3Put, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    await post(url + query, s3Put, headers);
    expect(feed.counts).toEqual({ events: 0, ignored: 0, refused: 2 });
    expect(troubles).toHaveLength(1);
  });

  it('cannot fill the screen by calling again and again between the calls of the senders', async () => {
    const { url, troubles } = await open();
    for (let round = 0; round < 3; round++) {
      await post(url, s3Put, {});
      await post(url, s3Put);
    }
    expect(troubles).toEqual([expect.stringContaining('secret'), undefined]);
  });

  it('is told what is wrong with a call, and so is the person', async () => {
    const { url, troubles } = await open();
    const bad = await post(url, '{"Records":');
    expect([bad.status, await bad.json()]).toEqual([400, { error: expect.stringContaining('is not JSON') }]);
    expect(troubles).toEqual([expect.stringContaining('is not JSON')]);
    const elsewhere = await post(new URL('/other', url).href, s3Put);
    expect(elsewhere.status).toBe(404);
    const get = await fetch(url, { headers: bearer });
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    const bytes = await fetch(url, { method: 'POST', headers: bearer, body: Buffer.from([0x22, 0xff, 0x22]) });
    expect(bytes.status).toBe(400);
  });

  it('cannot fill memory with one call, whether or not it says how long it is', async () => {
    const { url } = await open({ bodyBytes: 1_000 });
    const body = JSON.stringify({ key: 'x'.repeat(2_000), kind: 'created' });
    expect((await post(url, body)).status).toBe(413);
    const stream = new Blob([body]).stream();
    const streamed = await fetch(url, { method: 'POST', headers: bearer, body: stream, duplex: 'half' } as RequestInit);
    expect(streamed.status).toBe(413);
  });

  it('is not asked for a body that will be refused', async () => {
    const { url } = await open();
    const long = `Authorization: Bearer ${secret}\r\nContent-Length: 2000000`;
    expect(await speak(url, `POST /events HTTP/1.1\r\nHost: x\r\n${long}\r\nExpect: 100-continue\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 413 /,
    );
    const said = await speak(
      url,
      `POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect(said).toMatch(/^HTTP\/1.1 401 /);
  });

  it.each([
    ['its headers', { headersMs: 200 }, 'POST /events HTTP/1.1\r\nHost: x\r\n'],
    [
      'its body',
      { headersMs: 200, requestMs: 400 },
      `POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nContent-Length: 9\r\n\r\n{`,
    ],
  ])('cannot keep a connection by sending %s for ever', async (_, limits, start) => {
    const { url } = await open(limits);
    expect(await speak(url, start)).toMatch(/^HTTP\/1.1 408 /);
  });

  it('cannot end the watch with a target that is no URL', async () => {
    const { url } = await open();
    expect(await speak(url, 'POST * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 404 /);
    expect((await post(url, s3Put)).status).toBe(200);
  });
});

/** What comes back until the server hangs up. */
function speak(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}
