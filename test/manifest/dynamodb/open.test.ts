import * as sdk from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tableOf } from '../../../src/manifest/dynamodb/address.js';
import { explain } from '../../../src/manifest/dynamodb/errors.js';
import { openTable } from '../../../src/manifest/dynamodb/open.js';
import { DynamoRecords } from '../../../src/manifest/dynamodb/records.js';
import { ticketId } from '../../../src/manifest/queues.js';
import { nameText } from '../../../src/manifest/records/port.js';
import { pullStateIn } from '../../../src/manifest/records/state.js';
import { type Dynamo, startDynamo } from '../../support/dynamo.js';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
  await dynamo.createTable();
  dynamo.counts();
});
afterAll(() => dynamo.close());
afterEach(() => void dynamo.counts());

/** Without the SDK's own repetitions, so that ours are seen. */
function open(table = 'xsync-bridge', prefix = 'bridge/'): DynamoRecords {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new sdk.DynamoDBClient({
    endpoint: dynamo.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  });
  return new DynamoRecords({ client, sdk, table, region: 'us-east-1', prefix, firstPauseMs: 1 });
}
const NAME = { group: 'g', id: 'x' };

describe('what passes is repeated', () => {
  it.each(['ProvisionedThroughputExceededException', 'ThrottlingException', 'TransactionConflictException'])(
    '%s',
    async (error) => {
      dynamo.refuse('PutItem', error, 3);
      expect(await open().swap({ ...NAME, id: error }, undefined, { text: '1' })).toMatchObject({ text: '1' });
      expect(dynamo.counts()).toEqual({ PutItem: 4 });
    },
  );

  it('and named when it does not pass', async () => {
    dynamo.refuse('BatchGetItem', 'ProvisionedThroughputExceededException', 10);
    await expect(open().get([NAME])).rejects.toMatchObject({
      code: 'throttled',
      message: expect.stringContaining('the DynamoDB table xsync-bridge in us-east-1: it has no capacity for this'),
      remedy: 'Give the table more capacity, or on-demand billing.',
    });
    expect(dynamo.counts()).toEqual({ BatchGetItem: 10 });
  });

  it('also what a batch has left', async () => {
    const records = open();
    const names = Array.from({ length: 30 }, (_, n) => ({ group: 'left', id: `${n}` }));
    for (const name of names) await records.swap(name, undefined, { text: 'x'.repeat(100_000) });
    dynamo.counts();
    // Answers are cut at 16 MB, which dynalite does at 1 MB.
    expect((await records.get(names)).size).toBe(30);
    await records.remove(names);
    expect((await records.get(names)).size).toBe(0);
    expect(dynamo.counts().BatchWriteItem).toBe(2);
  });
});

it('a write whose answer was lost is known by its version', async () => {
  const records = open();
  const first = await records.swap({ ...NAME, id: 'lost' }, undefined, { text: '1' });
  // The proxy forwards the write, and says that the condition failed.
  dynamo.pretend('PutItem', 'ConditionalCheckFailedException', 1);
  const second = await records.swap({ ...NAME, id: 'lost' }, first, { text: '2' });
  expect(second?.text).toBe('2');
  expect(await records.swap({ ...NAME, id: 'lost' }, first, { text: '3' })).toBeUndefined();
});

it('what is too large for an item is refused by its name, and not sent', async () => {
  const huge = open().swap({ group: 'outbox', id: 'a/key' }, undefined, { text: 'x'.repeat(400 * 1024) });
  await expect(huge).rejects.toMatchObject({
    code: 'limit',
    message: 'outbox "a/key" is larger than an item of DynamoDB may be (400 KB)',
  });
  expect(dynamo.counts()).toEqual({});
});

it('bridges that share a table do not see each other', async () => {
  const [one, other] = [open('xsync-bridge', 'one/'), open('xsync-bridge', 'other/')];
  await one.swap(NAME, undefined, { text: '1', place: { queue: 'q', rank: '1' } });
  expect(await other.get([NAME])).toEqual(new Map());
  expect([await other.queued('q', { limit: 9 }), await other.countQueued('q', 9)]).toEqual([[], 0]);
  expect((await one.get([NAME])).get(nameText(NAME))?.text).toBe('1');
});

it('has a time to live in seconds', async () => {
  await open().swap({ group: 'ttl', id: 'x' }, undefined, { text: '1', untilMs: 1_500 });
  const Key = { pk: { S: 'bridge/ttl' }, sk: { S: 'x' } };
  const { Item } = await dynamo.client.send(new sdk.GetItemCommand({ TableName: 'xsync-bridge', Key }));
  expect(Item?.expires).toEqual({ N: '2' });
});

describe('a table that is not as it must be is told', () => {
  const attribute = (AttributeName: string): sdk.AttributeDefinition => ({ AttributeName, AttributeType: 'S' });

  it('none', async () => {
    await expect(open('no-such-table').get([NAME])).rejects.toMatchObject({
      code: 'config',
      message: 'the DynamoDB table no-such-table in us-east-1: it does not exist (ResourceNotFoundException)',
      remedy: 'Check name, region and account. Create it as "State" in docs/serverless.md says.',
    });
  });

  it('without the index', async () => {
    const AttributeDefinitions = ['pk', 'sk'].map(attribute);
    await dynamo.createTable({ TableName: 'no-index', AttributeDefinitions, GlobalSecondaryIndexes: undefined });
    await expect(open('no-index').queued('q', { limit: 1 })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('it has no index named "queue" as the state needs it'),
    });
  });

  it('with other keys', async () => {
    await dynamo.createTable({
      TableName: 'other-keys',
      AttributeDefinitions: [attribute('id')],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: undefined,
    });
    const told = { code: 'config', message: expect.stringContaining('it has other keys than pk and sk') };
    await expect(open('other-keys').get([NAME])).rejects.toMatchObject(told);
    await expect(open('other-keys').swap(NAME, undefined, { text: '1' })).rejects.toMatchObject(told);
  });

  it.each([
    ['AccessDeniedException', 'access-denied', 'refused by the test'],
    ['UnrecognizedClientException', 'bad-credentials', 'the credentials are not valid there'],
    ['InvalidSignatureException', 'bad-credentials', 'the credentials are not valid there'],
    ['ExpiredTokenException', 'expired-credentials', 'the credentials have expired'],
  ])('%s', async (error, code, text) => {
    dynamo.refuse('BatchGetItem', error, 1);
    await expect(open().get([NAME])).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
    expect(dynamo.counts()).toEqual({ BatchGetItem: 1 });
  });

  it('a host that does not answer is temporary', () => {
    const cause = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    expect(explain(cause, { table: 't', region: 'r' })).toMatchObject({ code: 'network', class: 'temporary' });
  });
});

describe('the address of a table', () => {
  it.each([
    ['dynamodb://t-1?region=cn-north-1', {}, { table: 't-1', name: 'bridge', region: 'cn-north-1' }],
    ['dynamodb://t-1/photos', { AWS_REGION: 'r-1' }, { table: 't-1', name: 'photos', region: 'r-1' }],
    [
      'dynamodb://t-1/?endpoint=http://h:1/',
      { AWS_DEFAULT_REGION: 'r-1' },
      { table: 't-1', name: 'bridge', region: 'r-1', endpoint: 'http://h:1' },
    ],
    ['s3://bucket/prefix', {}, undefined],
  ])('%s', (text, env, address) => expect(tableOf(text, env)).toEqual(address));

  it.each([
    ['dynamodb://t-1', 'the region of the DynamoDB table t-1 is not known'],
    ['dynamodb://t-1?regoin=x', 'names no table of DynamoDB'],
    ['dynamodb:t-1', 'names no table of DynamoDB'],
    ['dynamodb://t-1?region=EU%0a', 'is not known'],
  ])('%s is refused', (text, message) => expect(() => tableOf(text, {})).toThrow(message));
});

it('a ticket costs as many requests as docs/serverless.md says', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const address = { region: 'us-east-1', table: 'xsync-bridge', name: 'costs', endpoint: dynamo.endpoint };
  const { queue, written, close } = pullStateIn(await openTable(address, env));
  const ids = Array.from({ length: 10 }, (_, n) => ({ key: `k${n}`, revision: 1 }));
  await queue.once('nonce', 1, 0);
  await queue.countWaiting(100);
  await queue.add(ids.map((one) => ({ ...one, id: ticketId(one), body: '{}' })));
  expect(dynamo.counts()).toEqual({ PutItem: 1 + 10, Query: 4, BatchGetItem: 1 });
  const claims = await queue.claim({ nowMs: 0, leaseMs: 1, limit: 10 });
  expect(dynamo.counts()).toEqual({ Query: 4, BatchGetItem: 1, PutItem: 10 });
  const row = { size: 1, sourceEtag: 's', sourceMtimeMs: 1, destEtag: 'd', verifiedBy: 'md5' as const };
  await written.rows(claims.map(({ key }) => key));
  await written.commit(claims.map(({ key }) => ({ ...row, key, ours: true, atMs: 1 })));
  expect(dynamo.counts()).toEqual({ BatchGetItem: 2, PutItem: 10 });
  await queue.settle(claims.map((claim) => ({ ...claim, state: 'done' })));
  expect(dynamo.counts()).toEqual({ BatchGetItem: 1, PutItem: 10 });
  await queue.states(ids.map(ticketId));
  expect(dynamo.counts()).toEqual({ BatchGetItem: 1 });
  await close();
});
