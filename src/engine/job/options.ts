/**
 * Every option of a job: its name in a program, its flag, its kind (type and unit), its default and its description;
 * some are in places.ts. The command line, its help and its XSYNC_… variables, the schema of a job and docs/library.md
 * are made from these tables or checked against them. Names and meanings are rclone's where it has them.
 * Tests: test/cli/options.test.ts
 */
import { totalmem } from 'node:os';
import { CONFLICT_WAYS } from '../../model/conflict.js';
import { MOST_CONNECTIONS } from '../options.js';
import { ATTRIBUTES, CARRY } from './attributes.js';
import {
  choice,
  count,
  countOrAuto,
  countOrPercent,
  duration,
  flag,
  interval,
  list,
  negated,
  oneOf,
  size,
  text,
} from './option.js';
import {
  AT,
  CONFIG,
  ENCRYPTION,
  FILTER,
  INVENTORY,
  KNOWN_MANIFEST,
  LINK_MODE,
  LINKS,
  LIST,
  MANIFEST,
  NETWORK,
  OBJECT_LIST,
  TAG_FILTER,
  TAGS_AGAIN,
} from './places.js';

const MIB = 1024 ** 2;
const HOUR = 3_600_000;

/** Room for the 300 parts of 5 MiB that a lossy line needs; at most half of the memory of the host or container. */
function defaultMemory(): number {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return Math.min(1536 * MIB, Math.floor(memory / 2));
}

export const DRY_RUN = { dryRun: flag('-n, --dry-run', 'show what would be done and its cost; change nothing') };

const CHECKERS = { checkers: count('--checkers <n>', 'number of objects to compare in parallel', 16) };

const WORKERS = {
  workers: countOrAuto('--workers <n|auto>', 'number of threads that copy objects; auto: more when all are busy', 1),
};

const MAX_MEMORY = ['--max-memory <size>', 'maximum memory for data in flight'] as const;

export const TRANSFER = {
  transfers: count('--transfers <n>', 'number of objects to copy in parallel (default: adaptive)'),
  partConcurrency: count(
    '--part-concurrency <n>',
    'number of parts of an object to copy in parallel (default: adaptive)',
  ),
  maxConnections: count('--max-connections <n>', 'maximum number of requests in flight per server', MOST_CONNECTIONS),
  ...WORKERS,
  queue: text(
    '--queue <url>',
    'let workers on other machines copy the objects: redis://HOST, the queue of "xsync worker" (docs/cluster.md)',
  ),
  ...CHECKERS,
  ...LIST,
  partSize: size('--part-size <size>', 'part size (default: chosen per object)'),
  maxMemory: size(...MAX_MEMORY, defaultMemory(), 'half of the memory, at most 1.5G'),
  retries: count('--retries <n>', 'number of attempts per object', 3),
  ...LINK_MODE,
  createEmptySrcDirs: flag('--create-empty-src-dirs', 'also create empty folders (local disk to local disk)'),
  restore: text(
    '--restore <tier,days>',
    'ask the service to restore archived objects: expedited, standard or bulk, and for how many days (default: 7)',
  ),
  createBucket: flag('--create-bucket', 'create the destination bucket if it does not exist'),
  ...ENCRYPTION,
  backupDir: text('--backup-dir <path>', 'keep copies of overwritten and deleted objects in this path'),
  suffix: text('--suffix <suffix>', 'suffix to add to the names of backups'),
  suffixKeepExtension: flag('--suffix-keep-extension', 'put the suffix before the file extension'),
  checkFirst: flag('--check-first', 'compare everything before the first copy'),
  orderBy: text(
    '--order-by <order>',
    'compare everything, then copy in this order: size,desc, modtime, name or pattern,…',
  ),
  resumeListing: negated('--no-resume-listing', 'list everything, even after an interrupted run'),
  ...MANIFEST,
};

/** Of the options above, those that a mirror has: it writes to both sides, and one direction is as good as the other. */
export const BOTH_WAYS = {
  transfers: TRANSFER.transfers,
  partConcurrency: TRANSFER.partConcurrency,
  maxConnections: TRANSFER.maxConnections,
  ...CHECKERS,
  ...LIST,
  partSize: TRANSFER.partSize,
  maxMemory: TRANSFER.maxMemory,
  retries: TRANSFER.retries,
  ...ENCRYPTION,
  checkFirst: TRANSFER.checkFirst,
  orderBy: TRANSFER.orderBy,
  ...MANIFEST,
};

export const COMPARE = {
  compare: oneOf('way to compare', 'default', {
    checksum: flag('-c, --checksum', 'compare checksums, not times'),
    'size-only': flag('--size-only', 'compare sizes only'),
    'ignore-times': flag('-I, --ignore-times', 'copy all objects, even if unchanged'),
  }),
  ignoreExisting: flag('--ignore-existing', 'skip objects that exist at the destination'),
  update: flag('-u, --update', 'skip objects that are newer at the destination'),
  compareDest: list('--compare-dest <path>', 'skip objects that are the same in this path; can be repeated'),
  copyDest: list('--copy-dest <path>', 'copy objects that are the same in this path from there; can be repeated'),
  ignoreSize: flag('--ignore-size', 'compare times or checksums, but not sizes'),
  ignoreChecksum: flag('--ignore-checksum', 'do not verify copies; the report says so'),
  immutable: flag('--immutable', 'fail instead of overwriting existing objects'),
  modifyWindow: duration('--modify-window <duration>', 'treat times closer than this as equal', 1, '1ms'),
  traverse: negated('--no-traverse', 'do not list the destination; trust the manifest'),
};

/** What sync deletes and when. */
export const DELETE = {
  deleteTime: oneOf(
    'time to delete',
    'after',
    {
      after: flag('--delete-after', 'delete after everything has been copied (default)'),
      during: flag('--delete-during', 'delete while copying, after both sides have been listed'),
      before: flag('--delete-before', 'delete before copying; lists both sides twice'),
    },
    ['before', 'during', 'after'],
  ),
  maxDelete: countOrPercent(
    '--max-delete <n|p%>',
    "delete nothing if more objects than this would be deleted (default: half of the objects; of many, 25% of the manifest's objects, at least 1000)",
  ),
  maxDeleteSize: size(
    '--max-delete-size <size>',
    'delete nothing if the objects to delete are larger than this in total',
  ),
  deleteUnknown: flag('--delete-unknown', 'also delete objects that xsync did not put there'),
  deleteExcluded: flag('--delete-excluded', 'also delete objects that the filters exclude'),
  deleteUnchecked: flag(
    '--delete-unchecked',
    'do not check each object on both sides again before deleting it (saves requests)',
  ),
  ignoreErrors: flag('--ignore-errors', 'delete even if objects failed'),
  deleteVersions: flag(
    '--delete-versions',
    'with --versions, also delete versions for good that the source no longer has',
  ),
  allowEmptySource: flag('--allow-empty-source', 'delete even if the source, or a folder in it, has become empty'),
};

/** Of `sync` and `mirror`. */
export const RENAMES = {
  trackRenames: flag(
    '--track-renames',
    'copy a new object at the destination if it has the same content under another key there (docs/sync.md)',
  ),
};

/** What `delete` and `purge` do. */
export const DELETE_PLACE = {
  ...DRY_RUN,
  maxDelete: countOrPercent('--max-delete <n|p%>', 'delete nothing if more objects than this would be deleted'),
  deleteUnchecked: DELETE.deleteUnchecked,
  rmdirs: flag('--rmdirs', 'also delete local folders that are empty afterwards'),
};

export const VERSIONS = {
  versions: flag('--versions', 'copy every version and delete marker, the oldest first (docs/versions.md)'),
};

/** Links are not followed: who writes through one changes what lies elsewhere. */
export const NAMES = { localEncoding: LINKS.localEncoding };

/** What a mirror does with what has changed on both sides. */
export const CONFLICT = {
  conflict: choice(
    '--conflict <way>',
    'what becomes of an object that has changed on both sides, to different content',
    CONFLICT_WAYS,
    'keep-both',
  ),
  conflictSuffix: text(
    '--conflict-suffix <suffix>',
    'suffix, followed by a number, of the name under which the loser of a conflict is kept (default: .conflict)',
  ),
};

/** What a mirror deletes, on each side. */
export const MIRROR_DELETE = {
  maxDelete: DELETE.maxDelete,
  maxDeleteSize: DELETE.maxDeleteSize,
  ignoreErrors: DELETE.ignoreErrors,
  allowEmptySide: flag('--allow-empty-side', 'delete even if a side, or a folder in it, has become empty'),
};

export const MOVE = {
  deleteEmptySrcDirs: flag('--delete-empty-src-dirs', 'delete local source folders that are empty afterwards'),
};

export const LIMIT = {
  maxTransfer: size('--max-transfer <size>', 'stop after transferring this many bytes'),
  maxCost: text('--max-cost <amount>', "stop when the run has cost this much by the remotes' prices, such as 5USD"),
  maxDuration: duration('--max-duration <duration>', 'stop after this time'),
  cutoffMode: choice('--cutoff-mode <mode>', 'how to stop at a limit', ['hard', 'soft', 'cautious'], 'hard'),
};

export const WATCH = {
  interval: interval('--interval <duration>', 'time between polls of the source', 30_000, '30s'),
  minInterval: interval('--min-interval <duration>', 'minimum time between polls (default: a quarter of --interval)'),
  maxInterval: interval('--max-interval <duration>', 'maximum time between polls (default: twice --interval)'),
  fullInterval: interval(
    '--full-interval <duration>',
    'time between full listings of a large source (default: ten times --interval)',
  ),
  checkDestination: duration(
    '--check-destination <duration>',
    'time between listings of the destination',
    24 * HOUR,
    '1d',
  ),
  settle: duration(
    '--settle <duration>',
    'do not copy objects that changed within this time (default: 5s from local disk)',
  ),
  delete: flag('--delete', 'delete objects that no longer exist at the source'),
  mirror: flag('--mirror', 'copy and delete in both directions, as xsync mirror does (docs/mirror.md)'),
  allowEmptySide: MIRROR_DELETE.allowEmptySide,
  events: text('--events <source>', 'also receive change events: :port/path, sqs://… or - (docs/events.md)'),
};

export const CHECK = {
  oneWay: flag('--one-way', 'ignore objects that exist only at the destination'),
  compare: oneOf('way to compare', 'default', {
    download: flag('--download', 'read every byte of both sides'),
    checksum: flag('-c, --checksum', 'do not use the manifest; read both sides if they share no checksum'),
    'size-only': flag('--size-only', 'compare sizes only'),
  }),
  versions: flag('--versions', 'compare every version and delete marker, in their order (docs/versions.md)'),
  repair: flag('--repair', 'copy missing and different objects, as the attribute options say; delete nothing'),
  ...LINK_MODE,
  ...ENCRYPTION,
  ...WORKERS,
  ...CHECKERS,
  maxMemory: size(...MAX_MEMORY, 256 * MIB, '256M'),
  ...LIST,
  ...KNOWN_MANIFEST,
};

const CONNECTED = { ...FILTER, ...NETWORK, ...CONFIG };
const PLACES = { ...LINKS, ...CONNECTED };
const COPY = { ...TRANSFER, ...ATTRIBUTES, ...COMPARE, ...PLACES, ...TAG_FILTER, ...TAGS_AGAIN };

/** The options of each mode of a job. */
export const MODES = {
  copy: { ...DRY_RUN, ...COPY, ...LIMIT, ...AT, ...VERSIONS, ...INVENTORY, ...OBJECT_LIST },
  move: { ...DRY_RUN, ...COPY, ...LIMIT, ...MOVE },
  sync: { ...DRY_RUN, ...COPY, ...LIMIT, ...DELETE, ...RENAMES, ...AT, ...VERSIONS, ...INVENTORY },
  mirror: {
    ...DRY_RUN,
    ...BOTH_WAYS,
    ...ATTRIBUTES,
    ...NAMES,
    ...CONNECTED,
    ...LIMIT,
    ...MIRROR_DELETE,
    ...RENAMES,
    ...CONFLICT,
  },
  watch: { ...COPY, ...DELETE, ...WATCH, ...CONFLICT, ...VERSIONS },
  check: { ...CHECK, ...CARRY, ...PLACES, ...TAG_FILTER, ...AT },
};
