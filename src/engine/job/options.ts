/**
 * Every option of a job: its name in a program, its flag, its kind (which says its type and unit), its default and one
 * line about it; places.ts has some of them. The command line, its help and its XSYNC_… variables, the schema of a job and docs/library.md are made
 * from these tables or checked against them. Names and meanings are rclone's where it has them.
 */
import { totalmem } from 'node:os';
import { MOST_CONNECTIONS } from '../options.js';
import type { OptionTable } from './option.js';
import { CONFIG, FILTER, KNOWN_MANIFEST, LINKS, LIST, MANIFEST, NETWORK } from './places.js';

const MIB = 1024 ** 2;
const HOUR = 3_600_000;

/** Room for 256 of the smallest parts, which a lossy line takes; half of the host's, or of its container's, memory. */
function defaultMemory(): number {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return Math.min(1536 * MIB, Math.floor(memory / 2));
}

export const DRY_RUN = {
  dryRun: {
    kind: 'switch',
    flags: '-n, --dry-run',
    says: 'say what would be copied and what it would cost; change nothing',
  },
} as const satisfies OptionTable;

const CHECKERS = {
  checkers: { kind: 'count', flags: '--checkers <n>', says: 'objects looked at at once', default: 16 },
} as const satisfies OptionTable;

export const TRANSFER = {
  transfers: {
    kind: 'count',
    flags: '--transfers <n>',
    says: 'objects in flight (found while running when not given)',
  },
  partConcurrency: {
    kind: 'count',
    flags: '--part-concurrency <n>',
    says: 'parts in flight of one object (likewise)',
  },
  maxConnections: {
    kind: 'count',
    flags: '--max-connections <n>',
    says: 'requests in flight to one server',
    default: MOST_CONNECTIONS,
  },
  ...CHECKERS,
  ...LIST,
  partSize: {
    kind: 'size',
    flags: '--part-size <size>',
    says: 'size of a part (chosen for each object when not given)',
  },
  maxMemory: {
    kind: 'size',
    flags: '--max-memory <size>',
    says: 'memory for data in flight',
    default: defaultMemory(),
    shown: 'half of the memory, 1.5G at most',
  },
  retries: {
    kind: 'count',
    flags: '--retries <n>',
    says: 'times an object is tried before it counts as failed',
    default: 3,
  },
  createBucket: {
    kind: 'switch',
    flags: '--create-bucket',
    says: 'create the destination bucket when it is missing',
  },
  storageClass: { kind: 'text', flags: '--storage-class <class>', says: 'storage class of what is written' },
  backupDir: { kind: 'text', flags: '--backup-dir <path>', says: 'keep there what is overwritten or deleted' },
  suffix: { kind: 'text', flags: '--suffix <suffix>', says: 'add SUFFIX to the names of what is kept' },
  suffixKeepExtension: {
    kind: 'switch',
    flags: '--suffix-keep-extension',
    says: "put the suffix before the name's extension",
  },
  resumeListing: {
    kind: 'negated',
    flags: '--no-resume-listing',
    says: 'list everything, also after an interruption',
  },
  ...MANIFEST,
} as const satisfies OptionTable;

export const COMPARE = {
  compare: {
    kind: 'one-of',
    says: 'way to compare',
    default: 'default',
    choices: {
      checksum: { flags: '-c, --checksum', says: 'compare checksums, never times' },
      'size-only': { flags: '--size-only', says: 'compare sizes alone' },
      'ignore-times': { flags: '-I, --ignore-times', says: 'copy everything, changed or not' },
    },
  },
  ignoreExisting: { kind: 'switch', flags: '--ignore-existing', says: 'skip whatever the destination has' },
  update: { kind: 'switch', flags: '-u, --update', says: 'skip what is newer at the destination' },
  immutable: { kind: 'switch', flags: '--immutable', says: 'fail instead of overwriting anything' },
  modifyWindow: {
    kind: 'duration',
    flags: '--modify-window <duration>',
    says: 'times closer than this are equal',
    default: 1,
    shown: '1ms',
  },
  traverse: { kind: 'negated', flags: '--no-traverse', says: 'do not list the destination: trust the manifest' },
} as const satisfies OptionTable;

/** What sync deletes and when. */
export const DELETE = {
  deleteTime: {
    kind: 'one-of',
    says: 'time to delete',
    default: 'after',
    order: ['before', 'during', 'after'],
    choices: {
      after: { flags: '--delete-after', says: 'delete when everything has been copied (default)' },
      during: { flags: '--delete-during', says: 'delete while objects are copied, once both sides are listed' },
      before: { flags: '--delete-before', says: 'delete before anything is copied; lists both sides twice' },
    },
  },
  maxDelete: {
    kind: 'count-or-percent',
    flags: '--max-delete <n|p%>',
    says: "delete nothing when more than this would go (25% of the manifest's objects, or 1000)",
  },
  deleteUnknown: { kind: 'switch', flags: '--delete-unknown', says: 'delete also what xsync did not put there' },
  deleteExcluded: { kind: 'switch', flags: '--delete-excluded', says: 'delete also what the filters leave out' },
  ignoreErrors: { kind: 'switch', flags: '--ignore-errors', says: 'delete even when objects failed' },
  allowEmptySource: {
    kind: 'switch',
    flags: '--allow-empty-source',
    says: 'delete even when the source has nothing any more',
  },
} as const satisfies OptionTable;

export const LIMIT = {
  maxTransfer: { kind: 'size', flags: '--max-transfer <size>', says: 'stop after so many bytes' },
  maxDuration: { kind: 'duration', flags: '--max-duration <duration>', says: 'stop after this time' },
  cutoffMode: {
    kind: 'choice',
    flags: '--cutoff-mode <mode>',
    says: 'how to stop',
    choices: ['hard', 'soft', 'cautious'],
    default: 'hard',
  },
} as const satisfies OptionTable;

export const WATCH = {
  interval: {
    kind: 'interval',
    flags: '--interval <duration>',
    says: 'between two looks',
    default: 30_000,
    shown: '30s',
  },
  minInterval: {
    kind: 'interval',
    flags: '--min-interval <duration>',
    says: 'while changes flow (a quarter of --interval)',
  },
  maxInterval: {
    kind: 'interval',
    flags: '--max-interval <duration>',
    says: 'while nothing happens (twice --interval)',
  },
  fullInterval: {
    kind: 'interval',
    flags: '--full-interval <duration>',
    says: 'between looks at all of a big source (10 x --interval)',
  },
  checkDestination: {
    kind: 'duration',
    flags: '--check-destination <duration>',
    says: 'between listings of the destination too',
    default: 24 * HOUR,
    shown: '1d',
  },
  settle: {
    kind: 'duration',
    flags: '--settle <duration>',
    says: 'leave alone what changed within (5s from local disk)',
  },
  delete: { kind: 'switch', flags: '--delete', says: 'delete at the destination what is gone from the source' },
  events: {
    kind: 'text',
    flags: '--events <source>',
    says: 'take change events too: :port/path, sqs://… or - (docs/events.md)',
  },
} as const satisfies OptionTable;

export const CHECK = {
  oneWay: { kind: 'switch', flags: '--one-way', says: 'what only the destination has is no difference' },
  compare: {
    kind: 'one-of',
    says: 'way to compare',
    default: 'default',
    choices: {
      download: { flags: '--download', says: 'read every byte of both sides' },
      checksum: {
        flags: '-c, --checksum',
        says: 'believe no manifest; read both sides where they share no checksum',
      },
      'size-only': { flags: '--size-only', says: 'compare sizes alone' },
    },
  },
  repair: {
    kind: 'switch',
    flags: '--repair',
    says: 'copy what differs or is missing at the destination; delete nothing',
  },
  storageClass: { kind: 'text', flags: '--storage-class <class>', says: 'storage class of what --repair writes' },
  ...CHECKERS,
  maxMemory: {
    kind: 'size',
    flags: '--max-memory <size>',
    says: 'memory for data in flight',
    default: 256 * MIB,
    shown: '256M',
  },
  ...LIST,
  ...KNOWN_MANIFEST,
} as const satisfies OptionTable;

const PLACES = { ...LINKS, ...FILTER, ...NETWORK, ...CONFIG } as const;
const COPY = { ...TRANSFER, ...COMPARE, ...PLACES } as const;

/** The options of each mode of a job. */
export const MODES = {
  copy: { ...DRY_RUN, ...COPY, ...LIMIT },
  sync: { ...DRY_RUN, ...COPY, ...LIMIT, ...DELETE },
  watch: { ...COPY, ...DELETE, ...WATCH },
  check: { ...CHECK, ...PLACES },
} as const;
