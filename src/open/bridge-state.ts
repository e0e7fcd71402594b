/**
 * Opens the state of a bridge where there is no disk: in a table of DynamoDB, or in a bucket.
 * Tests: test/open/bridge-state.test.ts
 */
import { loadConfig } from '../config/load.js';
import { parseJob } from '../engine/job/job.js';
import { BucketRecords } from '../manifest/bucket/records.js';
import { tableOf } from '../manifest/dynamodb/address.js';
import { MemoryRecords } from '../manifest/records/memory.js';
import { RecordOutbox } from '../manifest/records/outbox.js';
import type { Records } from '../manifest/records/port.js';
import { pullStateIn } from '../manifest/records/state.js';
import type { PullState } from '../manifest/state.js';
import { XsyncError } from '../model/error.js';
import { copyConnections, openSettings } from './job.js';
import type { OpenSettings } from './settings.js';
import { Opener } from './sides.js';

/**
 * @param place `dynamodb://TABLE`, or a place in a bucket, below which nothing else may be
 * @throws usage, config, unsupported: nothing can be kept there
 */
export async function openPullState(place: string, env: NodeJS.ProcessEnv): Promise<PullState> {
  return pullStateIn(await openRecords(place, env));
}

/** @param place as `openPullState`; absent: what the process remembers */
export async function openOutboxState(place: string | undefined, env: NodeJS.ProcessEnv): Promise<RecordOutbox> {
  return new RecordOutbox(place === undefined ? new MemoryRecords() : await openRecords(place, env));
}

async function openRecords(place: string, env: NodeJS.ProcessEnv): Promise<Records> {
  const table = tableOf(place, env);
  if (table) {
    // The SDK is loaded only when it is needed.
    const { openTable } = await import('../manifest/dynamodb/open.js');
    return openTable(table, env);
  }
  const job = parseJob('copy', { source: place, destination: place });
  // A function has no rights over its sockets.
  const settings: OpenSettings = { ...openSettings(job, copyConnections(job), env), congestion: 'system' };
  const opener = new Opener(settings, await loadConfig({ file: settings.config, env }));
  const side = await opener.side(place);
  try {
    if (side.connection === undefined) throw notShared(place);
    return new BucketRecords(side.store, side.prefix, () => side.close());
  } catch (error) {
    await side.close();
    throw error;
  }
}

function notShared(place: string): XsyncError {
  return new XsyncError('config', `${place} is on this host, where no other call would find the state`, {
    subject: place,
    remedy: 'Name a bucket of S3 or OSS, or dynamodb://TABLE.',
  });
}
