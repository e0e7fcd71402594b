/** From parsed flags to what the engine and the composition root take. */
import { readFileSync } from 'node:fs';
import type { Policy } from '../engine/decide.js';
import type { Filter, FilterFile } from '../engine/filter.js';
import type { RunOptions } from '../engine/options.js';
import { XsyncError } from '../model/error.js';
import type { OpenSettings } from '../open.js';
import type { CompareFlags, ConnectionFlags, FilterFlags, LimitFlags, LinkFlags, TransferFlags } from './options.js';
import { reasonOf } from './reason.js';

export { MOST_CONNECTIONS } from '../engine/options.js';

export type OpenFlags = ConnectionFlags & LinkFlags & { manifest?: string };

/** The longest that a timer can wait, 24 days: what `off` and 0 mean. */
const NEVER_MS = 2 ** 31 - 1;

/** `connections`: requests that the command has in flight at most, to one server. */
export function openSettings(flags: OpenFlags, connections: number, env: NodeJS.ProcessEnv): OpenSettings {
  return {
    config: flags.config,
    manifest: flags.manifest,
    transport: flags.transport,
    lowLevelRetries: flags.lowLevelRetries,
    timeoutMs: flags.timeout || NEVER_MS,
    contimeoutMs: flags.contimeout || NEVER_MS,
    connections,
    tpslimit: flags.tpslimit,
    tpslimitBurst: flags.tpslimitBurst,
    bandwidth: flags.bwlimit,
    congestion: flags.congestion,
    copyLinks: flags.copyLinks === true,
    env,
  };
}

/** What a copy may have in flight to one server: parts of every object, and inspections. */
export function copyConnections(flags: TransferFlags): number {
  const { transfers, partConcurrency, checkers, maxConnections } = flags;
  if (transfers === undefined || partConcurrency === undefined) return maxConnections;
  return Math.min(maxConnections, transfers * partConcurrency + checkers);
}

export type CopyFlags = CompareFlags & TransferFlags & LimitFlags;

export function runOptions(flags: CopyFlags, filter: Filter | undefined, stop: AbortSignal): RunOptions {
  return {
    policy: policyOf(flags),
    filter,
    dryRun: flags.dryRun === true,
    transfers: flags.transfers,
    partConcurrency: flags.partConcurrency,
    maxConnections: flags.maxConnections,
    checkers: flags.checkers,
    partSize: flags.partSize,
    maxMemory: flags.maxMemory ?? Number.MAX_SAFE_INTEGER,
    createBucket: flags.createBucket === true,
    noTraverse: !flags.traverse,
    maxTransfer: flags.maxTransfer,
    maxDurationMs: flags.maxDuration,
    cutoffMode: flags.cutoffMode,
    objectAttempts: flags.retries,
    storageClass: flags.storageClass,
    stop,
  };
}

/** @throws usage when the flags contradict each other */
export function policyOf(flags: CompareFlags): Policy {
  const chosen = [
    flags.checksum && ('checksum' as const),
    flags.sizeOnly && ('size-only' as const),
    flags.ignoreTimes && ('ignore-times' as const),
  ].filter((name) => name !== undefined);
  if (chosen.length > 1) {
    throw new XsyncError('usage', `--${chosen.join(' and --')} contradict each other`, {
      subject: `--${chosen[0]}`,
      remedy: 'choose one way to compare',
    });
  }
  return {
    compare: chosen[0] ?? 'default',
    ignoreExisting: flags.ignoreExisting === true,
    update: flags.update === true,
    immutable: flags.immutable === true,
    modifyWindowMs: flags.modifyWindow ?? 0,
  };
}

/** The filter that the flags describe; undefined when they let everything pass. Reads the files that they name. */
export async function filterOf(flags: FilterFlags): Promise<Filter | undefined> {
  const { createFilter, parseFilterFile, parseRawKeyFile } = await import('../engine/filter.js');
  const rules = (names: string[] | undefined): FilterFile[] | undefined =>
    names?.map((name) => parseFilterFile(readList(name), name));
  const filter = createFilter({
    include: flags.include,
    includeFrom: rules(flags.includeFrom),
    exclude: flags.exclude,
    excludeFrom: rules(flags.excludeFrom),
    filter: flags.filter,
    filterFrom: rules(flags.filterFrom),
    filesFrom: rules(flags.filesFrom),
    filesFromRaw: flags.filesFromRaw?.map((name) => parseRawKeyFile(readList(name), name)),
    ignoreCase: flags.ignoreCase === true,
    minSize: flags.minSize,
    maxSize: flags.maxSize,
    modifiedUntilMs: flags.minAge,
    modifiedSinceMs: flags.maxAge,
  });
  return filter.active || filter.files !== undefined ? filter : undefined;
}

/** `-` is standard input, as in rclone. */
function readList(name: string): string {
  try {
    return readFileSync(name === '-' ? 0 : name, 'utf8');
  } catch (error) {
    throw new XsyncError('usage', `the filter file ${name} cannot be read: ${reasonOf(error)}`, {
      subject: name,
      cause: error,
    });
  }
}
