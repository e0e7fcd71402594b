/** Where functions keep what they must not forget. Tests: test/e2e/serverless.test.ts */

import { BucketRecords } from '../manifest/bucket/records.js';
import { tableOf } from '../manifest/dynamodb/address.js';
import type { Outbox } from '../manifest/queues.js';
import { RecordOutbox } from '../manifest/records/outbox.js';
import type { Records } from '../manifest/records/port.js';
import { pullStateIn } from '../manifest/records/state.js';
import type { PullState } from '../manifest/state.js';
import { openBarePlace } from '../open/bare.js';
import type { Environment } from './invocation.js';

/** @throws usage, config, unsupported: the bucket's store cannot compare what it replaces */
export async function openPullState(place: string, env: Environment): Promise<PullState> {
  return pullStateIn(await openRecords(place, env));
}

/** @param place absent: it knows what was noted in this call, and nothing else */
export async function openOutboxState(place: string | undefined, env: Environment): Promise<Outbox> {
  return new RecordOutbox(await (place === undefined ? recordsOfACall() : openRecords(place, env)));
}

async function recordsOfACall(): Promise<Records> {
  const { MemoryStore } = await import('../store/memory/store.js');
  return new BucketRecords(new MemoryStore(), '');
}

async function openRecords(place: string, env: Environment): Promise<Records> {
  const table = tableOf(place, env);
  if (table) {
    const { openTable } = await import('../manifest/dynamodb/open.js');
    return openTable(table, env);
  }
  const { store, prefix, close } = await openBarePlace(place, env);
  return new BucketRecords(store, prefix, close);
}
