/** Tickets by HTTP, as each cloud hands requests to a function, with the queue in a bucket. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { signRequest, verifyResponse } from '../../src/bridge/signature.js';
import { ticketId } from '../../src/manifest/queues.js';
import { performTickets, receiveTickets } from '../../src/serverless/pull.js';
import { startServer, type TestServer } from '../support/server/index.js';
import { apiGatewayV1, apiGatewayV2, fcHttp, functionUrl, type Sent, s3Event } from './samples.js';

const SECRET = 's'.repeat(32);
const FORMS = { apiGatewayV1, apiGatewayV2, functionUrl, fcHttp };
const httpResult = z.object({ statusCode: z.number(), headers: z.record(z.string(), z.string()), body: z.string() });

let far: TestServer;
let env: Record<string, string>;
let scene = 0;

beforeAll(async () => {
  far = await startServer();
  far.core.oss.createBucket('photos-cn');
  far.core.oss.createBucket('state');
});
beforeEach(() => {
  const { endpoint, region, accessKeyId, accessKeySecret } = far.oss;
  env = {
    ...{ XSYNC_CONFIG_FAR_TYPE: 'oss', XSYNC_CONFIG_FAR_ENDPOINT: endpoint, XSYNC_CONFIG_FAR_REGION: region },
    ...{ XSYNC_CONFIG_FAR_ACCESS_KEY_ID: accessKeyId, XSYNC_CONFIG_FAR_SECRET_ACCESS_KEY: accessKeySecret },
    ...{ XSYNC_DESTINATION: 'far:photos-cn/in', XSYNC_STATE: `far:state/${++scene}`, XSYNC_BRIDGE_SECRET: SECRET },
    ...{ XSYNC_ALLOW_HOST: '*.trusted.example', XSYNC_QUEUE_LIMIT: '2', HOME: '/nowhere' },
  };
});
afterAll(() => far.close());

/** Each time in a new process, as far as the function knows. */
async function receive(event: unknown) {
  const invocation = { leftMs: () => 60_000, env, later: { cloud: 'aws' } } as const;
  return httpResult.parse(await receiveTickets(env)(event, invocation));
}

function ticket(key: string, more: object = {}) {
  const revision = Date.now() * 1000;
  const url = `https://b.trusted.example/${key}`;
  const common = { version: 1, id: ticketId({ key, revision }), key, revision, action: 'copy', url };
  return { ...common, expiresMs: Date.now() + 60_000, etag: 'e', size: 1, mtimeMs: 1, ...more };
}

function signed(given: object, { path = '/v1/tickets', secret = SECRET } = {}): Sent & { nonce: string } {
  const body = JSON.stringify(given);
  const { header, nonce } = signRequest(secret, { method: 'POST', path, body }, Date.now());
  return { path, body, authorization: header, nonce };
}

describe.each(Object.entries(FORMS))('%s', (_name, form) => {
  test('takes tickets, signs its answer, and tells outcomes', async () => {
    const one = ticket('a');
    const sent = signed({ tickets: [one] });
    const { statusCode, headers, body } = await receive(form(sent));
    expect([statusCode, JSON.parse(body)]).toEqual([202, { taken: 1, stale: [], refused: [] }]);
    const said = { status: statusCode, body, header: headers['x-xsync-signature'] };
    expect(verifyResponse(SECRET, sent.nonce, said)).toBe(true);
    const asked = await receive(form(signed({ ids: [one.id] }, { path: '/v1/outcomes' })));
    expect(JSON.parse(asked.body)).toEqual({ outcomes: [{ id: one.id, state: 'queued' }] });
  });

  test('refuses a wrong signature, and a request that was received before, by whichever process', async () => {
    const forged = await receive(form(signed({ tickets: [ticket('a')] }, { secret: 'x'.repeat(32) })));
    expect([forged.statusCode, forged.body]).toEqual([401, '{"error":"the signature is wrong"}']);
    const sent = signed({ tickets: [ticket('a')] });
    await receive(form(sent));
    const replayed = await receive(form(sent));
    expect([replayed.statusCode, replayed.body]).toEqual([401, '{"error":"the request was received before"}']);
    expect((await receive(form({ path: '/v1/tickets', body: '{}' }))).statusCode).toBe(401);
  });
});

test('a host that is not allowed, a key that climbs out, and deletes are refused one by one', async () => {
  const tickets = [ticket('elsewhere', { url: 'http://169.254.169.254/latest' }), ticket('../../out'), ticket('fine')];
  const { body } = await receive(fcHttp(signed({ tickets })));
  expect(JSON.parse(body)).toMatchObject({
    taken: 1,
    refused: [{ code: 'untrusted-host' }, { code: 'key-not-representable' }],
  });
});

test('a full queue is told', async () => {
  await receive(fcHttp(signed({ tickets: [ticket('a'), ticket('b')] })));
  const { statusCode, headers } = await receive(fcHttp(signed({ tickets: [ticket('c')] })));
  expect([statusCode, headers['retry-after']]).toEqual([429, '10']);
});

test('what is no request is refused as one', async () => {
  expect((await receive(s3Event('a'))).statusCode).toBe(400);
});

test('outcomes are told to hosts that are trusted, before the call ends; one that is away holds up nothing', async () => {
  const told: unknown[] = [];
  const ear = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    told.push([request.url, JSON.parse(Buffer.concat(chunks).toString())]);
    response.writeHead(503).end();
  });
  await once(ear.listen(0, '127.0.0.1'), 'listening');
  const { port } = ear.address() as AddressInfo;
  Object.assign(env, { XSYNC_DELETE: 'true', XSYNC_ALLOW_CALLBACK: '127.0.0.1', XSYNC_ALLOW_PRIVATE: '127.0.0.1' });
  const gone = (key: string, callback: string) => {
    const { version, id, revision } = ticket(key);
    return { version, id, key, revision, action: 'delete', callback };
  };
  const known = gone('a', `http://127.0.0.1:${port}/push`);
  await receive(fcHttp(signed({ tickets: [known, gone('b', 'https://strange.example/')] })));
  const invocation = { leftMs: () => 60_000, env, later: { cloud: 'aws' } } as const;
  expect(await performTickets(env)({}, invocation)).toMatchObject({ done: true, settled: 2 });
  expect(told).toEqual([['/push/v1/callback', { outcomes: [{ id: known.id, key: 'a', state: 'done' }] }]]);
  ear.close();
});
