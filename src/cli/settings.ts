/** From parsed flags to what the engine and the composition root take. */
import { readFileSync } from 'node:fs';
import type { CopyPolicy, TransferPolicy } from '../engine/decide/decide.js';
import type { Filter, FilterFile } from '../engine/filter/filter.js';
import type { RunOptions } from '../engine/options.js';
import type { Backup } from '../engine/pair.js';
import { XsyncError } from '../model/error.js';
import { reasonOf } from '../model/reason.js';
import type { OpenPair, OpenSettings } from '../open.js';
import type {
  CompareFlags,
  ConnectionFlags,
  DeleteFlags,
  FilterFlags,
  LimitFlags,
  LinkFlags,
  TransferFlags,
} from './options.js';

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

export type CopyFlags = CompareFlags & TransferFlags & LimitFlags & FilterFlags;

/** Objects from which on an interrupted listing is taken up where it was: a hundred pages. */
const RESUME_FROM = 100_000;

export function runOptions(
  command: string,
  flags: CopyFlags,
  filter: Filter | undefined,
  stop: AbortSignal,
): RunOptions {
  const policy = policyOf(flags);
  return {
    command,
    policy,
    failedBefore: 'try',
    resume: flags.resumeListing ? { from: RESUME_FROM, shape: shapeOf(policy, flags) } : undefined,
    filter,
    dryRun: flags.dryRun === true,
    transfers: flags.transfers,
    partConcurrency: flags.partConcurrency,
    maxConnections: flags.maxConnections,
    checkers: flags.checkers,
    listConcurrency: flags.listConcurrency,
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

/** What a copy becomes when the destination is to have nothing else. @throws usage */
export function syncOptions(copying: RunOptions, flags: Partial<DeleteFlags>): RunOptions {
  const when = [
    flags.deleteBefore && ('before' as const),
    flags.deleteDuring && ('during' as const),
    flags.deleteAfter && ('after' as const),
  ].filter((time) => time !== undefined);
  if (when.length > 1) {
    throw new XsyncError('usage', `--delete-${when.join(' and --delete-')} contradict each other`, {
      remedy: 'choose one time to delete',
    });
  }
  return {
    ...copying,
    policy: { ...copying.policy, mode: 'sync', deleteUnknown: flags.deleteUnknown === true },
    failedBefore: 'wait',
    deletes: {
      when: when[0] ?? 'after',
      max: flags.maxDelete,
      ignoreErrors: flags.ignoreErrors === true,
      allowEmptySource: flags.allowEmptySource === true,
      excluded: flags.deleteExcluded === true,
    },
  };
}

/** Where what is overwritten or deleted is kept. @throws usage */
export function backupOf({ dest, aside }: Pick<OpenPair, 'dest' | 'aside'>, flags: TransferFlags): Backup | undefined {
  const { suffix = '', suffixKeepExtension } = flags;
  if (suffix.includes('/')) {
    throw new XsyncError('usage', `--suffix: "${suffix}" has a slash in it`, {
      subject: '--suffix',
      remedy: 'give an ending such as .bak; --backup-dir names a place',
    });
  }
  if (!aside && suffix === '') return undefined;
  return { side: aside ?? dest, suffix, keepExtension: suffixKeepExtension === true };
}

/** What is looked at and how, as far as the person chose it. */
function shapeOf(policy: TransferPolicy, flags: FilterFlags): string {
  const { include, includeFrom, exclude, excludeFrom, filter, filterFrom, ignoreCase, minSize, maxSize } = flags;
  // Ages are instants, counted from now: any of them makes another pass.
  const { minAge, maxAge } = flags;
  return JSON.stringify([
    ...[policy, include, includeFrom, exclude, excludeFrom, filter, filterFrom, ignoreCase],
    ...[minSize, maxSize, minAge, maxAge],
  ]);
}

/** @throws usage when the flags contradict each other */
export function policyOf(flags: CompareFlags): CopyPolicy {
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
    mode: 'copy',
    compare: chosen[0] ?? 'default',
    ignoreExisting: flags.ignoreExisting === true,
    update: flags.update === true,
    immutable: flags.immutable === true,
    modifyWindowMs: flags.modifyWindow ?? 0,
  };
}

/** The filter that the flags describe; undefined when they let everything pass. Reads the files that they name. */
export async function filterOf(flags: FilterFlags): Promise<Filter | undefined> {
  const { createFilter, parseFilterFile, parseRawKeyFile } = await import('../engine/filter/filter.js');
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
