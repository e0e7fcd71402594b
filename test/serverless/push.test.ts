/** Events become tickets, without state and with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { Identity } from '../../src/bridge/identity.js';
import { Audit } from '../../src/bridge/pull/audit.js';
import { PullServer } from '../../src/bridge/pull/server.js';
import { signRequest } from '../../src/bridge/signature.js';
import { bridgeTicket } from '../../src/bridge/ticket.js';
import type { TicketQueue } from '../../src/manifest/queues.js';
import { SqliteTicketQueue } from '../../src/manifest/sqlite/ticket-queue.js';
import type { Invocation } from '../../src/serverless/invocation.js';
import { hearOutcomes, pushEvents, sweepOutbox } from '../../src/serverless/push.js';
import { startServer, type TestServer } from '../support/server/index.js';
import { apiGatewayV1, eventBridgeEvent, fcHttp, functionUrl, type Sent, s3Event, sqsEvent } from './samples.js';

const SECRET = 's'.repeat(32);
const at = { bucket: 'photos' };
const batchResult = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })) });

let near: TestServer;
let directory: string;
let queue: TicketQueue;
let end: PullServer;
let env: Record<string, string>;

beforeAll(async () => {
  near = await startServer();
  near.core.s3.createBucket('photos');
  near.core.s3.createBucket('state');
});
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-push-'));
  queue = new SqliteTicketQueue(join(directory, 'queue'));
  end = new PullServer({
    ...{ queue, limit: 5, checkKey: () => {}, deletes: true, taken: () => {} },
    trust: { allowHost: ['127.0.0.1'], allowPrivate: [], allowCallback: ['push.example'] },
    audit: new Audit(undefined, () => {}),
    identity: new Identity({}, { XSYNC_BRIDGE_SECRET: SECRET }),
  });
  const { host, port } = await end.start({ host: '127.0.0.1', port: 0 });
  const { endpoint, region, accessKeyId, secretAccessKey } = near.s3;
  env = {
    ...{ XSYNC_CONFIG_NEAR_TYPE: 's3', XSYNC_CONFIG_NEAR_PROVIDER: 'aws', XSYNC_CONFIG_NEAR_ENDPOINT: endpoint },
    ...{ XSYNC_CONFIG_NEAR_REGION: region, XSYNC_CONFIG_NEAR_FORCE_PATH_STYLE: 'true' },
    ...{ XSYNC_CONFIG_NEAR_ACCESS_KEY_ID: accessKeyId, XSYNC_CONFIG_NEAR_SECRET_ACCESS_KEY: secretAccessKey },
    ...{ XSYNC_SOURCE: 'near:photos', XSYNC_PULL_URL: `http://${host}:${port}`, XSYNC_BRIDGE_SECRET: SECRET },
    HOME: directory,
  };
});
afterEach(async () => {
  await end.close();
  await queue.close();
  rmSync(directory, { recursive: true });
  near.requests.reset();
});
afterAll(() => near.close());

const invocation = (): Invocation => ({ leftMs: () => 60_000, env, later: { cloud: 'aws' } });
const push = (event: unknown) => pushEvents(env)(event, invocation());
const waiting = async () =>
  (await queue.claim({ nowMs: Date.now(), leaseMs: 1, limit: 100 })).map(({ body }) =>
    bridgeTicket.parse(JSON.parse(body)),
  );

describe('without state', () => {
  test('an event is one HEAD and one ticket, and the same event again is the same object', async () => {
    near.core.s3.put('photos', 'a b', 'one');
    expect(await push(s3Event('a b', at))).toEqual({ batchItemFailures: [] });
    const { etag } = near.core.s3.get('photos', 'a b') ?? expect.fail();
    const [ticket, ...others] = await waiting();
    expect(ticket).toMatchObject({ action: 'copy', key: 'a b', size: 3, etag, url: expect.stringContaining('X-Amz-') });
    expect(others).toEqual([]);
    expect(near.requests.counts()).toEqual({ HeadObject: 1 });
    await push(s3Event('a b', at));
    expect(await queue.countWaiting()).toBe(1);
  });

  test('what is about other places, or gone, or no change, is settled', async () => {
    const gone = eventBridgeEvent('gone', 'Object Deleted', 'photos');
    const events = sqsEvent([s3Event('x', { bucket: 'another' }), gone, { Event: 's3:TestEvent' }]);
    expect(await push(events)).toEqual({ batchItemFailures: [] });
    expect(await waiting()).toEqual([]);
  });

  test('of SQS, exactly the messages whose tickets were not taken are named', async () => {
    near.core.s3.put('photos', 'good', '1');
    near.core.s3.put('photos', 'bad', '2');
    near.faults.add({
      match: { kind: ['HeadObject', 'GetObject'], key: 'bad' },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    const events = sqsEvent([s3Event('good', at), s3Event('bad', at), 'nonsense']);
    const failed = [1, 2].map((n) => ({ itemIdentifier: events.Records[n]?.messageId }));
    expect(new Set(batchResult.parse(await push(events)).batchItemFailures)).toEqual(new Set(failed));
    expect((await waiting()).map(({ key }) => key)).toEqual(['good']);
    near.faults.clear();
  });

  test('an end that is full, or gone, fails the event: it comes again', async () => {
    for (const key of 'abcde') near.core.s3.put('photos', key, key);
    await push(sqsEvent([...'abcde'].map((key) => s3Event(key, at))));
    near.core.s3.put('photos', 'f', 'f');
    await expect(push(s3Event('f', at))).rejects.toMatchObject({ code: 'throttled' });
    await end.close();
    const events = sqsEvent([s3Event('f', at)]);
    expect(await push(events)).toEqual({ batchItemFailures: [{ itemIdentifier: events.Records[0]?.messageId }] });
  });

  test('nothing can be swept', async () => {
    await expect(sweepOutbox(env)({}, invocation())).rejects.toThrow('XSYNC_STATE is not set');
  });
});

test('with state in a bucket, what is known is not sent again, and deletes cross', async () => {
  Object.assign(env, { XSYNC_STATE: 'near:state/push', XSYNC_DELETE: 'true' });
  near.core.s3.put('photos', 'k', 'one');
  await push(s3Event('k', at));
  await push(s3Event('k', at));
  const [first, ...others] = await waiting();
  expect(first).toMatchObject({ action: 'copy', key: 'k' });
  expect(others).toEqual([]);
  near.core.s3.delete('photos', 'k');
  await push(eventBridgeEvent('k', 'Object Deleted', 'photos'));
  const { revision } = first ?? expect.fail();
  expect(await waiting()).toMatchObject([
    { action: 'delete', key: 'k', revision: expect.toSatisfy((n) => n > revision) },
  ]);
});

test('tags and ACLs are read into the ticket, and an event about them is news of an object that has crossed', async () => {
  Object.assign(env, { XSYNC_TAGS: 'true', XSYNC_ACL: 'true' });
  near.core.s3.put('photos', 'tagged', 'one', { tags: [{ key: 'a', value: '1' }] });
  await push(s3Event('tagged', at));
  expect(await waiting()).toMatchObject([{ attributes: { tags: [{ key: 'a', value: '1' }], acl: 'private' } }]);
  expect(near.requests.counts()).toEqual({ HeadObject: 1, GetObjectTagging: 1, GetObjectAcl: 1 });
  // Without state, nobody knows whether its bytes have crossed: the other end compares.
  await push(s3Event('tagged', { ...at, name: 'ObjectTagging:Put' }));
  expect(await waiting()).toMatchObject([{ attributes: { info: { tagCount: 1 } } }]);
});

describe('callbacks', () => {
  const hear = async (sent: Sent, form: (sent: Sent) => unknown = functionUrl) =>
    z.object({ statusCode: z.number(), body: z.string() }).parse(await hearOutcomes(env)(form(sent), invocation()));
  const signed = (outcome: object, secret = SECRET): Sent => {
    const [path, body] = ['/v1/callback', JSON.stringify({ outcomes: [outcome] })];
    return { path, body, authorization: signRequest(secret, { method: 'POST', path, body }, Date.now()).header };
  };

  test.each([
    ['API Gateway', apiGatewayV1],
    ['a function URL', functionUrl],
    ['Function Compute', fcHttp],
  ])('through %s settle a ticket, once, if they are signed', async (name, form) => {
    Object.assign(env, { XSYNC_STATE: `near:state/${name}`, XSYNC_CALLBACK_URL: 'https://push.example/hear' });
    near.core.s3.put('photos', 'k', 'one');
    await push(s3Event('k', at));
    const [{ id = '', callback = '' } = {}] = await waiting();
    expect(callback).toBe('https://push.example/hear');
    expect((await hear(signed({ id, key: 'k', state: 'done' }, 'x'.repeat(32)), form)).statusCode).toBe(401);
    const told = signed({ id, key: 'k', state: 'done' });
    expect(await hear(told, form)).toEqual({ statusCode: 200, body: '{}' });
    expect(await hear(told, form)).toEqual({ statusCode: 401, body: '{"error":"the request was received before"}' });
    // Nothing is asked: it is known to be done.
    await end.close();
    expect(await sweepOutbox(env)({}, invocation())).toEqual({ done: true });
  });

  test('need a state', () => {
    expect(() => hearOutcomes({ ...env, XSYNC_CALLBACK_URL: 'https://push.example/' })).toThrow(
      'XSYNC_CALLBACK_URL: needs XSYNC_STATE',
    );
  });
});
