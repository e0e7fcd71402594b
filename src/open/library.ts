/** What the command line can do, for a program. */
import type { CheckEvent } from '../engine/check/findings.js';
import type { RunEvent, Summary } from '../engine/events.js';
import { type GivenJob, parseJob, type Values } from '../engine/job/job.js';
import type { CONFIG, LINKS, NETWORK } from '../engine/job/places.js';
import { type PairStatus, statusOf } from '../engine/record/status.js';
import type { PairIdentity } from '../manifest/port.js';
import { openSide } from '../open.js';
import type { ObjectStore } from '../store/port.js';
import { openChanges } from './changes.js';
import { openSettings } from './job.js';
import { knownPairs, lookingSettings } from './known.js';
import { type Run, startRun } from './run.js';
import { type CheckOutcome, examine, transfer, watchOf } from './run-job.js';

/** The world around a job. */
export interface RunSettings {
  /** Stops the run: what is in flight ends or is checkpointed, and the summary says `stopped: 'interrupted'`. */
  signal?: AbortSignal;
  /** In place of `process.env`, for credentials, the configuration and the state directory. */
  env?: NodeJS.ProcessEnv;
}

type Report<E> = (event: E) => void;

/**
 * Copies what is new or changed. Deletes nothing.
 * @throws (through the run) XsyncError: `usage` that names a wrong field, `config`, `locked`, and what ends a run;
 *   what concerns single objects is in the summary
 */
export function copy(job: GivenJob<'copy'>, settings: RunSettings = {}): Run<RunEvent, Summary> {
  return startRun(async (report: Report<RunEvent>) =>
    transfer(parseJob('copy', job), meansOf(settings, report), report),
  );
}

/** As copy, and then deletes at the destination what is gone from the source. @throws as copy; `guard` */
export function sync(job: GivenJob<'sync'>, settings: RunSettings = {}): Run<RunEvent, Summary> {
  return startRun(async (report: Report<RunEvent>) =>
    transfer(parseJob('sync', job), meansOf(settings, report), report),
  );
}

/** Compares, and moves nothing unless the job says `repair`. @throws as copy */
export function check(job: GivenJob<'check'>, settings: RunSettings = {}): Run<CheckEvent | RunEvent, CheckOutcome> {
  return startRun(async (report: Report<CheckEvent | RunEvent>) => {
    const tell = (event: CheckEvent): undefined => {
      report(event);
    };
    return examine(parseJob('check', job), meansOf(settings, report), tell, report);
  });
}

/**
 * Copies what changes until the signal is raised, pass after pass. The summary of each pass comes with its `end` event.
 * @throws as copy, for what no waiting would mend
 */
export function watch(job: GivenJob<'watch'>, settings: RunSettings & { signal: AbortSignal }): Run<RunEvent, void> {
  return startRun(async (report: Report<RunEvent>) => {
    const whole = parseJob('watch', job);
    const means = meansOf(settings, report);
    const say = (message: string): void => report({ type: 'notice', level: 'info', message });
    const feeding = { env: means.env, stdin: process.stdin, say, trouble: means.warn };
    const { events, settle } = whole;
    const source = events === undefined ? undefined : await openChanges({ events, settle }, feeding);
    try {
      const watching = await watchOf(whole, { ...means, drain: means.stop, changes: source?.changes }, report);
      await watching.run();
    } finally {
      await source?.close();
    }
  });
}

export interface KnownStatus {
  pair: PairIdentity;
  /** The file in which the pair's state is. */
  manifest: string;
  status: PairStatus;
}

/**
 * How far a pair is, or all pairs that this machine knows, by what their runs have written down. Asks no store.
 * @throws XsyncError usage, config; bucket-not-found when nothing is known of the pair
 */
export async function status(
  pair?: { source: string; destination: string } | { manifest: string },
  { env = process.env, config }: { env?: NodeJS.ProcessEnv; config?: string } = {},
): Promise<KnownStatus[]> {
  const manifest = pair && 'manifest' in pair ? pair.manifest : undefined;
  const wanted = pair && 'source' in pair ? pair : undefined;
  const found: KnownStatus[] = [];
  for await (const known of knownPairs(lookingSettings(env, { config, manifest }), wanted)) {
    const status = statusOf(known.manifest, Date.now(), known.atWork);
    found.push({ pair: known.pair, manifest: known.file, status });
  }
  return found;
}

/** How a store is reached. */
export type StoreOptions = Partial<Values<typeof NETWORK & typeof LINKS & typeof CONFIG>> & Pick<RunSettings, 'env'>;

export interface OpenStore {
  /** Retries, counts and throttles as a run's stores do. Keys are whole: they begin with `prefix`. */
  store: ObjectStore;
  /** Empty or ending in `/`. */
  prefix: string;
  close(): Promise<void>;
}

const CONNECTIONS = 16;

/** One place alone: `remote:bucket/prefix`, `s3://…`, `./folder`. @throws XsyncError usage, config */
export async function openStore(
  place: string,
  { env = process.env, ...options }: StoreOptions = {},
): Promise<OpenStore> {
  const job = parseJob('check', { ...options, source: place, destination: place });
  const side = await openSide(place, openSettings(job, CONNECTIONS, env));
  return { store: side.store, prefix: side.prefix, close: () => side.close() };
}

const NEVER = new AbortController().signal;

function meansOf({ signal = NEVER, env = process.env }: RunSettings, report: Report<RunEvent>) {
  const warn = (message: string): void => report({ type: 'notice', level: 'warn', message });
  return { stop: signal, env, warn };
}
