/** Converts a job to options of the engine and of the composition root. */
import { readFileSync } from 'node:fs';
import type { CopyPolicy, TransferPolicy } from '../engine/decide/decide.js';
import type { Filter, FilterFile } from '../engine/filter/filter.js';
import { createTagFilter, type TagFilter } from '../engine/filter/tags.js';
import { bandwidthAt } from '../engine/job/bandwidth.js';
import type { CopyJob, MoveJob, SyncJob, Values, WatchJob } from '../engine/job/job.js';
import {
  type AT,
  type CONFIG,
  type ENCRYPTION,
  FILTER,
  type INVENTORY,
  type LINK_MODE,
  type LINKS,
  type MANIFEST,
  type NETWORK,
  type TAG_FILTER,
} from '../engine/job/places.js';
import type { RunOptions } from '../engine/options.js';
import type { Backup, References } from '../engine/pair.js';
import { parseEncryption } from '../model/encryption.js';
import { reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import { parseMaxCost } from '../model/prices.js';
import { parseRestoring } from '../model/restoring.js';
import { carryPolicy } from './carry-policy.js';
import { linkMode } from './links.js';
import type { OpenPair, OpenSettings } from './settings.js';

/** A job that writes to its destination. */
export type TransferJob = CopyJob | MoveJob | SyncJob | WatchJob;

type Connecting = Values<typeof NETWORK & typeof CONFIG & typeof MANIFEST> &
  Partial<Values<typeof ENCRYPTION & typeof LINKS & typeof LINK_MODE>> &
  Pick<OpenSettings, 'workers' | 'queue' | 'storageClass'>;
type Filtering = Values<typeof FILTER>;

/** Without `ignoreCase`, which alone filters nothing. */
const FILTER_NAMES = (Object.keys(FILTER) as (keyof Filtering)[]).filter((name) => name !== 'ignoreCase');

/** The longest time of a timer, 24 days: the meaning of `off` and 0. */
const NEVER_MS = 2 ** 31 - 1;

/** `connections`: maximum number of requests in flight per server. @throws usage: flags that contradict each other */
export function openSettings(job: Connecting, connections: number, env: NodeJS.ProcessEnv): OpenSettings {
  const { bwlimit } = job;
  const links = linkMode(job.links, job.copyLinks);
  return {
    config: job.config,
    manifest: job.manifest,
    transport: job.transport,
    lowLevelRetries: job.lowLevelRetries,
    timeoutMs: numberOf(job.timeout) || NEVER_MS,
    contimeoutMs: numberOf(job.contimeout) || NEVER_MS,
    connections,
    tpslimit: job.tpslimit,
    tpslimitBurst: job.tpslimitBurst,
    bandwidth: bwlimit && ((nowMs) => bandwidthAt(bwlimit, nowMs)),
    congestion: job.congestion,
    caCert: job.caCert,
    clientCert: job.clientCert,
    clientKey: job.clientKey,
    checkCertificate: job.checkCertificate,
    encryption: job.sse === undefined ? undefined : parseEncryption(job.sse),
    sse: job.sse,
    queue: job.queue,
    links,
    copyLinks: links === 'follow',
    storageClass: job.storageClass,
    workers: job.workers,
    localEncoding: job.localEncoding,
    localXattrs: job.localXattrs,
    localPermissions: job.localPermissions,
    allowHost: job.allowHost,
    allowPrivate: job.allowPrivate,
    env,
  };
}

/** Undefined for `off`. */
export function numberOf(value: number | 'off' | undefined): number | undefined {
  return value === 'off' ? undefined : value;
}

/** Maximum number of requests in flight per server: parts of every object, and comparisons. */
export function copyConnections(
  job: Pick<TransferJob, 'transfers' | 'partConcurrency' | 'checkers' | 'maxConnections'>,
): number {
  const { transfers, partConcurrency, checkers, maxConnections } = job;
  if (transfers === undefined || partConcurrency === undefined) return maxConnections;
  return Math.min(maxConnections, transfers * partConcurrency + checkers);
}

/** Minimum number of listed objects for resuming an interrupted listing: a hundred pages. */
const RESUME_FROM = 100_000;

/** One part of the usual size. */
const LEAST_MEMORY = 8 * 2 ** 20;

/** @throws usage: a part does not fit into the memory */
export function runOptions(job: TransferJob, filter: Filter | undefined, stop: AbortSignal): RunOptions {
  refuseUnfit(job);
  const copying = policyOf(job);
  const deletes = job.mode === 'sync' || (job.mode === 'watch' && job.delete === true);
  return {
    command: (job.mode === 'copy' || job.mode === 'move') && job.single ? `${job.mode}to` : job.mode,
    policy: deletes ? { ...copying, mode: 'sync', deleteUnknown: job.deleteUnknown === true } : copying,
    deletes: deletes ? deletesOf(job) : undefined,
    move: job.mode === 'move' ? { emptyFolders: job.deleteEmptySrcDirs === true } : undefined,
    failedBefore: job.mode === 'copy' || job.mode === 'move' ? 'try' : 'wait',
    // What is held until every key is decided would be lost if a later run began in the middle.
    resume:
      job.resumeListing && !job.checkFirst && !job.orderBy
        ? { from: RESUME_FROM, shape: shapeOf(copying, job) }
        : undefined,
    filter,
    tags: tagFilterOf(job),
    transfers: job.transfers,
    partConcurrency: job.partConcurrency,
    maxConnections: job.maxConnections,
    checkers: job.checkers,
    listConcurrency: job.listConcurrency,
    partSize: job.partSize,
    maxMemory: numberOf(job.maxMemory) ?? Number.MAX_SAFE_INTEGER,
    largestPart: numberOf(job.maxMemory),
    createBucket: job.createBucket === true,
    noTraverse: !job.traverse,
    ...limitsOf(job),
    objectAttempts: job.retries,
    ignoreChecksum: job.ignoreChecksum === true,
    checkFirst: job.checkFirst === true,
    trackRenames: tracksRenames(job),
    emptyFolders: job.createEmptySrcDirs === true,
    restore: job.restore === undefined ? undefined : parseRestoring(job.restore),
    carry: carryPolicy(job),
    compareAttributes: job.attributes === 'compare',
    stop,
  };
}

/** @throws usage: deletes of what tags exclude would begin before all tags are known */
function tagFilterOf(job: TransferJob): TagFilter | undefined {
  const { includeTag: include, excludeTag: exclude, recheckTags: recheck } = job;
  const tags = createTagFilter({ include, exclude, recheck });
  if (!tags || !('deleteExcluded' in job) || !job.deleteExcluded || job.deleteTime === 'after') return tags;
  throw new XsyncError('usage', `${tags.flag} and --delete-excluded delete only after all tags are known`, {
    subject: `--delete-${job.deleteTime}`,
    remedy: `Leave out --delete-${job.deleteTime}.`,
  });
}

/** @throws usage: a part would not fit into the memory */
function refuseUnfit({ partSize, maxMemory }: Pick<TransferJob, 'partSize' | 'maxMemory'>): void {
  const most = numberOf(maxMemory);
  if (most !== undefined && most < LEAST_MEMORY) {
    throw new XsyncError('usage', `--max-memory, ${most} bytes, does not hold one part`, {
      subject: '--max-memory',
      remedy: `Give at least ${LEAST_MEMORY / 2 ** 20}M.`,
    });
  }
  if (partSize === 0) {
    throw new XsyncError('usage', '--part-size is 0', {
      subject: '--part-size',
      remedy: 'Leave it out, or write "off", and xsync chooses the size.',
    });
  }
  if (partSize === undefined || most === undefined || partSize <= most) return;
  throw new XsyncError('usage', `--part-size, ${partSize} bytes, is larger than --max-memory, ${most} bytes`, {
    subject: '--part-size',
    remedy: 'Lower --part-size, or raise --max-memory.',
  });
}

/** A watch never ends. */
function limitsOf(
  job: TransferJob,
): Pick<RunOptions, 'dryRun' | 'maxTransfer' | 'maxCost' | 'maxDurationMs' | 'cutoffMode'> {
  if (job.mode === 'watch') return { dryRun: false, cutoffMode: 'hard' };
  const { dryRun, maxTransfer, maxCost, maxDuration, cutoffMode } = job;
  return {
    ...{ dryRun: dryRun === true, maxTransfer, maxDurationMs: maxDuration, cutoffMode },
    maxCost: maxCost === undefined ? undefined : parseMaxCost(maxCost),
  };
}

/** What is copied at the destination must not be deleted before. @throws usage: `--delete-before` */
function tracksRenames(job: TransferJob): boolean {
  if (job.mode !== 'sync' || job.trackRenames !== true) return false;
  if (job.deleteTime !== 'before') return true;
  throw new XsyncError('usage', '--delete-before would delete what --track-renames copies', {
    subject: '--delete-before',
    remedy: 'Leave out --delete-before: with --track-renames, deletes come last.',
  });
}

function deletesOf(job: SyncJob | WatchJob): RunOptions['deletes'] {
  return {
    when: tracksRenames(job) ? 'after' : job.deleteTime,
    max: job.maxDelete,
    maxBytes: job.maxDeleteSize,
    ignoreErrors: job.ignoreErrors === true,
    allowEmptySource: job.allowEmptySource === true,
    excluded: job.deleteExcluded === true,
    unchecked: job.deleteUnchecked === true,
  };
}

/** Where overwritten and deleted objects are kept. @throws usage */
export function backupOf({ dest, aside }: Pick<OpenPair, 'dest' | 'aside'>, job: TransferJob): Backup | undefined {
  const { suffix = '', suffixKeepExtension } = job;
  if (suffix.includes('/')) {
    throw new XsyncError('usage', `--suffix: "${suffix}" has a slash in it`, {
      subject: '--suffix',
      remedy: 'give an ending such as .bak; --backup-dir names a place',
    });
  }
  if (!aside && suffix === '') return undefined;
  return { side: aside ?? dest, suffix, keepExtension: suffixKeepExtension === true };
}

/** The paths of --compare-dest or --copy-dest. @throws usage if both are given */
export function referencePaths({ compareDest, copyDest }: TransferJob): readonly string[] | undefined {
  if (compareDest && copyDest) {
    throw new XsyncError('usage', '--compare-dest and --copy-dest exclude each other', { subject: '--copy-dest' });
  }
  return compareDest ?? copyDest;
}

export function referencesOf(
  { others = [] }: Pick<OpenPair, 'others'>,
  { copyDest }: TransferJob,
): References | undefined {
  return others.length === 0 ? undefined : { sides: others, copies: copyDest !== undefined };
}

type Shaping = Filtering & Partial<Values<typeof AT & typeof INVENTORY & typeof TAG_FILTER>>;

/** What selects objects and compares them. */
function shapeOf(policy: TransferPolicy, job: Shaping): string {
  const { include, includeFrom, exclude, excludeFrom, filter, filterFrom, ignoreCase, minSize, maxSize } = job;
  // Ages are instants relative to now, so they differ in each run.
  const { minAge, maxAge, maxDepth, excludeIfPresent, at, sourceInventory, destInventory } = job;
  const { includeTag, excludeTag } = job;
  return JSON.stringify([
    ...[policy, include, includeFrom, exclude, excludeFrom, filter, filterFrom, ignoreCase],
    ...[minSize, maxSize, minAge, maxAge, maxDepth, excludeIfPresent, at],
    ...(sourceInventory || destInventory ? [sourceInventory, destInventory] : []),
    ...(includeTag || excludeTag ? [{ includeTag, excludeTag }] : []),
  ]);
}

/** @throws usage */
function policyOf(job: TransferJob): CopyPolicy {
  if (job.ignoreSize && job.compare === 'size-only') {
    throw new XsyncError('usage', '--size-only and --ignore-size contradict each other', {
      subject: '--ignore-size',
      remedy: 'Choose one of them.',
    });
  }
  return {
    mode: 'copy',
    // A move deletes only what a checksum has proved.
    compare: job.mode === 'move' && job.compare === 'default' ? 'checksum' : job.compare,
    ignoreExisting: job.ignoreExisting === true,
    update: job.update === true,
    immutable: job.immutable === true,
    ignoreSize: job.ignoreSize === true,
    modifyWindowMs: numberOf(job.modifyWindow) ?? 0,
  };
}

/** The filter of a job; undefined when it includes everything. Reads the files that it names. */
export async function filterOf(job: Filtering): Promise<Filter | undefined> {
  // The matcher takes several MiB, which a run without filters should not cost.
  if (!FILTER_NAMES.some((name) => job[name] !== undefined)) return undefined;
  const { createFilter, parseFilterFile, parseRawKeyFile } = await import('../engine/filter/filter.js');
  const rules = (names: string[] | undefined): FilterFile[] | undefined =>
    names?.map((name) => parseFilterFile(readList(name), name));
  const filter = createFilter({
    include: job.include,
    includeFrom: rules(job.includeFrom),
    exclude: job.exclude,
    excludeFrom: rules(job.excludeFrom),
    filter: job.filter,
    filterFrom: rules(job.filterFrom),
    filesFrom: rules(job.filesFrom),
    filesFromRaw: job.filesFromRaw?.map((name) => parseRawKeyFile(readList(name), name)),
    ignoreCase: job.ignoreCase === true,
    minSize: job.minSize,
    maxSize: job.maxSize,
    modifiedUntilMs: job.minAge,
    modifiedSinceMs: job.maxAge,
    maxDepth: job.maxDepth,
    excludeIfPresent: job.excludeIfPresent,
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
