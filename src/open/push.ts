/**
 * Opens the source of the pushing end of a bridge, its outbox, and a transport to the other end.
 * Tests: test/e2e/bridge.test.ts
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/load.js';
import type { CopyJob } from '../engine/job/job.js';
import type { Spool } from '../manifest/port.js';
import type { Outbox } from '../manifest/queues.js';
import { lockPair } from '../manifest/sqlite/lock.js';
import { SqliteOutbox } from '../manifest/sqlite/outbox.js';
import { SqliteSpool } from '../manifest/sqlite/spool.js';
import type { Backlog } from '../model/backlog.js';
import type { HttpTransport } from '../store/http/transport.js';
import { copyConnections, openSettings } from './job.js';
import type { OpenSettings, OpenSide } from './settings.js';
import { Opener } from './sides.js';
import { stateDirectory } from './state.js';

export interface Pushing {
  source: OpenSide;
  outbox: Outbox;
  /** Of the outbox. */
  file: string;
  backlog(): Promise<Backlog>;
  transport: HttpTransport;
  /** A temporary table, in memory or on disk. */
  spool(): Spool;
  close(): Promise<void>;
}

/**
 * @param job its source is read; its destination is the address of the other end
 * @throws usage, config
 */
export async function openPushing(job: CopyJob, env: NodeJS.ProcessEnv): Promise<Pushing> {
  const settings = openSettings(job, copyConnections(job), env);
  const opener = new Opener(settings, await loadConfig({ file: settings.config, env }));
  const source = await opener.side(job.source, { readOnly: true });
  const { transport, close } = await opener.http();
  const file = outboxFile(source, job.destination, env);
  try {
    const lock = lockPair(file, { pid: process.pid, host: hostname(), sinceMs: Date.now(), command: 'bridge push' });
    const outbox = new SqliteOutbox(file);
    return {
      ...{ source, outbox, file, transport, spool: () => new SqliteSpool('') },
      backlog: () => outbox.backlog(),
      async close() {
        await outbox.close();
        lock.release();
        await close();
        await source.close();
      },
    };
  } catch (error) {
    await close();
    await source.close();
    throw error;
  }
}

/**
 * The outbox of a source and the address of its other end, which a push may be using; undefined if there is none.
 * @throws usage, config
 */
export async function openOutbox(sourceText: string, url: string, settings: OpenSettings): Promise<Outbox | undefined> {
  const opener = new Opener(settings, await loadConfig({ file: settings.config, env: settings.env }));
  const source = await opener.side(sourceText, { readOnly: true });
  await source.close();
  const file = outboxFile(source, url, settings.env);
  return existsSync(file) ? new SqliteOutbox(file) : undefined;
}

function outboxFile({ store, bucket, prefix }: OpenSide, url: string, env: NodeJS.ProcessEnv): string {
  const { kind, endpoint } = store.identity;
  const name = JSON.stringify([kind, endpoint, bucket, prefix, new URL(url).href]);
  return join(stateDirectory(env), `bridge-${createHash('sha256').update(name).digest('hex').slice(0, 16)}.outbox`);
}
