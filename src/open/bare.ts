/** Opens what functions in a cloud work with: two sides, and no manifest. Tests: test/e2e/serverless.test.ts */
import { loadConfig } from '../config/load.js';
import { type BareOptions, runBare } from '../engine/bare.js';
import type { Reporter } from '../engine/events.js';
import type { CopyJob, SyncJob } from '../engine/job/job.js';
import type { PullState } from '../manifest/state.js';
import type { HttpTransport } from '../store/http/transport.js';
import { copyConnections, openSettings, runOptions } from './job.js';
import { checkKeyBelow } from './keys-below.js';
import type { OpenSettings, OpenSide } from './settings.js';
import { Opener } from './sides.js';

export interface Bare {
  source: OpenSide;
  dest: OpenSide;
  /** @throws key-not-representable: nothing below the destination can have this name */
  checkKey(key: string): void;
  /**
   * Performs what both sides say of these keys.
   * @param stop aborted when no part should start any more
   * @param compareAttributes also of objects whose bytes are the same
   * @throws as `runBare`
   */
  run(
    keys: readonly string[],
    report: Reporter,
    stop: AbortSignal,
    compareAttributes: boolean,
  ): Promise<{ stopped: boolean }>;
  close(): Promise<void>;
}

/** In functions, nobody has measured a line: so many at once. */
const AT_ONCE = { transfers: 8, partConcurrency: 8 };

/**
 * @param openSource with the settings of the job
 * @param graceMs how long requests in flight may go on once a run is stopped
 * @throws usage, config
 */
export async function openBare(
  job: CopyJob | SyncJob,
  state: Pick<PullState, 'checkpoints' | 'written'>,
  {
    env,
    graceMs,
    openSource,
  }: { env: NodeJS.ProcessEnv; graceMs: number; openSource(opener: Opener): Promise<OpenSide> },
): Promise<Bare> {
  const opener = await openerOf(job, env);
  const source = await openSource(opener);
  const dest = await opener.side(job.destination, { written: true }).catch(async (error: unknown) => {
    await source.close();
    throw error;
  });
  const options = { ...runOptions(job, undefined, new AbortController().signal), graceMs };
  const { transfers = AT_ONCE.transfers, partConcurrency = AT_ONCE.partConcurrency } = options;
  const how: Omit<BareOptions, 'stop'> = { ...options, transfers, partConcurrency };
  return {
    source,
    dest,
    checkKey: (key) => checkKeyBelow(key, dest),
    run: (keys, report, stop, compares) => {
      const compareAttributes = compares || options.compareAttributes;
      return runBare({ source, dest, ...state }, keys, { ...how, stop, compareAttributes }, report);
    },
    async close() {
      await Promise.all([source.close(), dest.close()]);
    },
  };
}

/** A side that is only read, and a transport to the other end of a bridge. @throws usage, config */
export async function openBareSource(
  job: CopyJob,
  env: NodeJS.ProcessEnv,
): Promise<{ source: OpenSide; transport: HttpTransport; close(): Promise<void> }> {
  const opener = await openerOf(job, env);
  const source = await opener.side(job.source, { readOnly: true });
  const { transport, close } = await opener.http();
  return {
    source,
    transport,
    async close() {
      await Promise.all([source.close(), close()]);
    },
  };
}

async function openerOf(job: CopyJob | SyncJob, env: NodeJS.ProcessEnv): Promise<Opener> {
  // A function has no rights over its sockets.
  const settings: OpenSettings = { ...openSettings(job, copyConnections(job), env), congestion: 'system' };
  return new Opener(settings, await loadConfig({ file: settings.config, env }));
}
