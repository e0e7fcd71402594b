/** One suite for whatever keeps the state of a bridge. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { BucketRecords } from '../../src/manifest/bucket/records.js';
import { checkpointsIn } from '../../src/manifest/checkpoints.js';
import { DynamoRecords } from '../../src/manifest/dynamodb/records.js';
import { MemoryRecords } from '../../src/manifest/records/memory.js';
import { IN_MEMORY, openManifest } from '../../src/manifest/sqlite/open.js';
import { SqliteOutbox } from '../../src/manifest/sqlite/outbox.js';
import { SqliteTicketQueue } from '../../src/manifest/sqlite/ticket-queue.js';
import { HttpTransport } from '../../src/store/http/transport.js';
import { MemoryStore } from '../../src/store/memory/store.js';
import type { ObjectStore } from '../../src/store/port.js';
import { s3ConfigSchema } from '../../src/store/s3/config.js';
import { createS3Store } from '../../src/store/s3/store.js';
import { GLOBAL_TO_OSS } from '../manifest/pairs.js';
import { ossBackend } from '../store/oss/backend.js';
import { type Dynamo, startDynamo } from '../support/dynamo.js';
import { startServer } from '../support/server/index.js';
import { outboxSuite } from './state/outbox.js';
import { describeRecords } from './state/records.js';
import { ticketSuite } from './state/tickets.js';
import { checkpointSuite } from './state/uploads.js';

const closing: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('SQLite', () => {
  const opened: { close(): Promise<void> }[] = [];
  let directory = '';
  const file = (how?: { again: true }): string => {
    if (!how) directory = mkdtempSync(join(tmpdir(), 'xsync-state-'));
    return join(directory, 'state');
  };
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    if (directory !== '') rmSync(directory, { recursive: true, force: true });
  });
  const kept = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };

  describe('tickets', () => ticketSuite(async () => kept(new SqliteTicketQueue(file()))));
  describe('an outbox', () => outboxSuite(async (how) => kept(new SqliteOutbox(file(how)))));
  let manifest = openManifest(IN_MEMORY, GLOBAL_TO_OSS);
  describe('checkpoints', () =>
    checkpointSuite(async (how) => {
      if (!how) manifest = openManifest(IN_MEMORY, GLOBAL_TO_OSS);
      return checkpointsIn(manifest);
    }));
});

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
  await dynamo.createTable();
  closing.push(() => dynamo.close());
});
describeRecords('DynamoDB', (prefix) => {
  const { client } = dynamo;
  return new DynamoRecords({ client, sdk, table: 'xsync-bridge', region: 'us-east-1', prefix });
});

const processes = new Map<string, MemoryRecords>();
describeRecords('the memory of a process', (prefix) => {
  const records = processes.get(prefix) ?? new MemoryRecords();
  processes.set(prefix, records);
  return records;
});

const memory = new MemoryStore();
describeRecords('a bucket in memory', (prefix) => new BucketRecords(memory, prefix));

let s3: ObjectStore;
beforeAll(async () => {
  const server = await startServer();
  const transport = new HttpTransport({ userAgent: 'xsync-test' });
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
  const config = { type: 's3', provider: 'aws', force_path_style: true, endpoint, region, ...keys };
  s3 = createS3Store(s3ConfigSchema.parse(config), 'state', { transport });
  await s3.createBucket();
  closing.push(
    () => transport.close(),
    () => server.close(),
  );
});
describeRecords('a bucket of S3', (prefix) => new BucketRecords(s3, prefix));

let oss: ObjectStore;
beforeAll(async () => {
  const { store, dispose } = await ossBackend('lean').open();
  oss = store;
  if (dispose) closing.push(dispose);
});
describeRecords('a bucket of OSS', (prefix) => new BucketRecords(oss, prefix));
