/** Opens the pair of the pulling end of a bridge: objects behind URLs, and a destination. Tests: test/e2e/bridge.test.ts */

import { loadConfig } from '../config/load.js';
import type { Reporter } from '../engine/events.js';
import type { CopyJob, SyncJob } from '../engine/job/job.js';
import { versioningWarnings } from '../engine/list/versioning.js';
import type { RunOptions } from '../engine/options.js';
import { runKeys } from '../engine/run.js';
import { Shared } from '../engine/shared.js';
import type { TicketQueue } from '../manifest/queues.js';
import { SqliteTicketQueue } from '../manifest/sqlite/ticket-queue.js';
import type { Backlog } from '../model/backlog.js';
import type { AddressGuard } from '../store/http/address-guard.js';
import type { HttpTransport } from '../store/http/transport.js';
import type { ObjectStore } from '../store/port.js';
import { historyOf } from './history.js';
import { copyConnections, openSettings, runOptions } from './job.js';
import { checkKeyBelow } from './keys-below.js';
import { Opener } from './sides.js';
import { openState } from './state.js';

export interface Pulling {
  queue: TicketQueue;
  /** The destination is on this host. */
  local: boolean;
  /** Of what the destination may not keep. */
  warnings: readonly string[];
  backlog(): Promise<Backlog>;
  /** @throws key-not-representable: nothing below the destination can have this name */
  checkKey(key: string): void;
  /** Performs what the store says of these keys. @throws as `runKeys` */
  run(keys: readonly string[], report: Reporter, compareAttributes: boolean): Promise<{ stopped: boolean }>;
  close(): Promise<void>;
}

/**
 * @param name of the source, for messages
 * @param job what is copied where, and how; its source is not read
 * @throws usage, config, locked
 */
export async function openPulling(
  name: string,
  job: CopyJob | SyncJob,
  {
    env,
    stop,
    guard,
    make,
  }: {
    env: NodeJS.ProcessEnv;
    stop: AbortSignal;
    guard: AddressGuard;
    make(transport: HttpTransport): ObjectStore;
  },
): Promise<Pulling> {
  const settings = openSettings(job, copyConnections(job), env);
  const opener = new Opener(settings, await loadConfig({ file: settings.config, env }));
  const source = await opener.given(name, guard, make);
  try {
    const dest = await opener.side(job.destination, { written: true });
    await dest.refuseUnwritable?.(true);
    const pair = openState({ source, dest, single: false }, { ...settings, workers: 1 }, 'bridge pull');
    // The queue knows when a ticket is due.
    const own = { command: 'bridge pull', failedBefore: 'try' } as const;
    const history = historyOf(job);
    const warnings = history ? await versioningWarnings({ source, dest }, { writes: true, signal: stop }) : [];
    const options: RunOptions = { ...runOptions(job, undefined, stop), ...own, history };
    const shared = new Shared(pair, options, () => {});
    const queue = new SqliteTicketQueue(`${pair.manifest.path}.tickets`);
    return {
      ...{ queue, warnings, local: dest.store.capabilities.local },
      backlog: () => queue.backlog(),
      checkKey: (key) => checkKeyBelow(key, dest),
      async run(keys, report, compareAttributes) {
        // The pushing end has the whole listing, and guards the deletes.
        const how = { ignoreErrors: true, allowEmptySource: true, max: { objects: keys.length } };
        const deletes = options.deletes && { ...options.deletes, ...how };
        const summary = await runKeys(pair, [keys], { ...options, deletes, compareAttributes }, report, shared);
        return { stopped: summary.stopped !== undefined };
      },
      async close() {
        await queue.close();
        await pair.close();
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
