/** The functions of the command line, for programs. Tests: test/index.test.ts */
import type { CheckEvent } from '../engine/check/findings.js';
import type { RunEvent, Summary } from '../engine/events.js';
import { type GivenJob, parseJob, type Values } from '../engine/job/job.js';
import type { CONFIG, LINKS, NETWORK } from '../engine/job/places.js';
import { type PairStatus, statusOf } from '../engine/record/status.js';
import type { PairIdentity } from '../manifest/port.js';
import { openSide } from '../open.js';
import type { ObjectStore } from '../store/port.js';
import { openChanges } from './changes.js';
import { type CheckOutcome, examine } from './check-job.js';
import { openSettings } from './job.js';
import { knownPairs, lookingSettings } from './known.js';
import { type Run, startRun } from './run.js';
import { mirror as runMirror, transfer } from './run-job.js';
import { watchOf } from './watch-job.js';

/** The environment of a job. */
export interface RunSettings {
  /** Stops the run: transfers in flight end or are checkpointed, and the summary has `stopped: 'interrupted'`. */
  signal?: AbortSignal;
  /** In place of `process.env`, for credentials, the configuration and the state directory. */
  env?: NodeJS.ProcessEnv;
}

type Report<E> = (event: E) => void;

/**
 * Copies what is new or changed. Deletes nothing.
 * @throws (through the run) XsyncError: `usage` that names an invalid field, `config`, `locked`, and errors that end a run;
 *   errors of single objects are in the summary
 */
export function copy(job: GivenJob<'copy'>, settings: RunSettings = {}): Run<RunEvent, Summary> {
  return startRun(async (report: Report<RunEvent>) =>
    transfer(parseJob('copy', job), meansOf(settings, report), report),
  );
}

/** Like copy, and deletes each object at the source after its copy was proved by checksum. @throws as copy */
export function move(job: GivenJob<'move'>, settings: RunSettings = {}): Run<RunEvent, Summary> {
  return startRun(async (report: Report<RunEvent>) =>
    transfer(parseJob('move', job), meansOf(settings, report), report),
  );
}

/** Like copy, then deletes objects that no longer exist at the source. @throws as copy; `guard` */
export function sync(job: GivenJob<'sync'>, settings: RunSettings = {}): Run<RunEvent, Summary> {
  return startRun(async (report: Report<RunEvent>) =>
    transfer(parseJob('sync', job), meansOf(settings, report), report),
  );
}

/** Makes two places equal that are both written to: `source` is a, `destination` b. @throws as sync */
export function mirror(job: GivenJob<'mirror'>, settings: RunSettings = {}): Run<RunEvent, Summary> {
  return startRun(async (report: Report<RunEvent>) =>
    runMirror(parseJob('mirror', job), meansOf(settings, report), report),
  );
}

/** Compares, and copies nothing unless the job sets `repair`. @throws as copy */
export function check(job: GivenJob<'check'>, settings: RunSettings = {}): Run<CheckEvent | RunEvent, CheckOutcome> {
  return startRun(async (report: Report<CheckEvent | RunEvent>) => {
    const tell = (event: CheckEvent): undefined => {
      report(event);
    };
    return examine(parseJob('check', job), meansOf(settings, report), tell, report);
  });
}

/**
 * Copies changes, pass after pass, until the signal is aborted. The `end` event of each pass has its summary.
 * @throws as copy, for errors that do not end by waiting
 */
export function watch(job: GivenJob<'watch'>, settings: RunSettings & { signal: AbortSignal }): Run<RunEvent, void> {
  return startRun(async (report: Report<RunEvent>) => {
    const whole = parseJob('watch', job);
    const means = meansOf(settings, report);
    const say = (message: string): void => report({ type: 'notice', level: 'info', message });
    const feeding = { env: means.env, stdin: process.stdin, connection: whole, say, trouble: means.warn };
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
  /** The file with the pair's state. */
  manifest: string;
  status: PairStatus;
}

/**
 * The status of a pair, or of all pairs that this machine knows, from their manifests. Makes no requests.
 * @throws XsyncError usage, config; bucket-not-found when the pair is unknown
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

/** How to connect to a store. */
export type StoreOptions = Partial<Values<typeof NETWORK & typeof LINKS & typeof CONFIG>> & Pick<RunSettings, 'env'>;

export interface OpenStore {
  /** Retries, counts and throttles like the stores of a run. Keys are complete: they begin with `prefix`. */
  store: ObjectStore;
  /** Empty or ending in `/`. */
  prefix: string;
  close(): Promise<void>;
}

const CONNECTIONS = 16;

/** One place: `remote:bucket/prefix`, `s3://…`, `./folder`. @throws XsyncError usage, config */
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
