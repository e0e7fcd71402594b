/** What every kind of job needs around its run. Tests: test/index.test.ts */
import type { CheckEvent } from '../engine/check/findings.js';
import type { Failure, RunEvent, Summary } from '../engine/events.js';
import type { SourceReader } from '../engine/fan/source.js';
import type { Filter } from '../engine/filter/filter.js';
import type { RunOptions } from '../engine/options.js';
import type { RunPair } from '../engine/pair.js';
import type { Shared } from '../engine/shared.js';
import { XsyncError } from '../model/error.js';
import { filterOf } from './job.js';
import type { Network } from './network.js';
import type { OpenPair } from './settings.js';

/** What a job needs besides its data. */
export interface JobContext {
  stop: AbortSignal;
  env: NodeJS.ProcessEnv;
  /** Receives warnings about the job's filters. */
  warn(message: string): void;
}

export interface PairContext extends JobContext {
  /** Called when the pair is open. The returned function is called before it is closed. */
  opened?(pair: OpenPair): Promise<() => void>;
  /** As in RunOptions. */
  confirm?: RunOptions['confirm'];
  /** What runs over other pairs of this process share; absent: there are none. */
  network?: Network;
  /** The pair's part in a source that others read, too. */
  reader?: SourceReader;
  /** As in RunOptions. */
  listedSinceMs?: number;
  shared?(pair: RunPair, options: RunOptions): Shared;
}

/** The filter of a job; its warnings are reported. @throws usage */
export async function warnedFilter(
  job: Parameters<typeof filterOf>[0],
  { warn }: JobContext,
): Promise<Filter | undefined> {
  const filter = await filterOf(job);
  for (const warning of filter?.warnings ?? []) warn(warning);
  return filter;
}

/** Runs `body` and closes the pair. */
export async function withPair<T>(pair: OpenPair, { opened }: PairContext, body: () => Promise<T>): Promise<T> {
  try {
    const closing = await opened?.(pair);
    try {
      return await body();
    } finally {
      closing?.();
    }
  } finally {
    await pair.close();
  }
}

/** Stores have no folders: a prefix with nothing below it does not exist and is most likely a typo. */
export function refuseNothing(
  { source }: OpenPair,
  { stopped, listed }: Pick<Summary, 'stopped' | 'listed'>,
  { filter, command }: { filter?: Filter; command?: string },
): void {
  if (stopped !== undefined || filter?.files !== undefined || source.path === '' || listed.source > 0) return;
  const code = command === 'copyto' ? 'object-not-found' : 'bucket-not-found';
  const remedy = 'Check the path.';
  throw new XsyncError(code, `there is nothing at ${source.text}`, { subject: source.text, remedy });
}

/** The name of a pair's single object, for events. Its key relative to the pair is empty. */
export function singleOf({ single, source: { prefix } }: OpenPair): { single: boolean; name: string } {
  return { single, name: single ? prefix.slice(prefix.lastIndexOf('/') + 1) : '' };
}

/** The event, with the name of a pair's single object as its key. */
export function named<E extends CheckEvent | RunEvent>(event: E, name: string): E {
  if (event.type === 'end') return { ...event, summary: namedSummary(event.summary, name) };
  return 'key' in event && event.key === '' ? { ...event, key: name } : event;
}

export function namedSummary(summary: Summary, name: string): Summary {
  const list = summary.failed.list.map((failure: Failure) =>
    failure.key === '' ? { ...failure, key: name } : failure,
  );
  return { ...summary, failed: { ...summary.failed, list } };
}
