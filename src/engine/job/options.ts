/**
 * Every option of a job: its name in a program, its flag, its kind (which says its type and unit), its default and one
 * line about it. The command line, its help and its XSYNC_… variables, the schema of a job and docs/library.md are made
 * from these tables or checked against them. Names and meanings are rclone's where it has them.
 */
import { totalmem } from 'node:os';
import { LIST_CONCURRENCY } from '../list/ranges-pace.js';
import { MOST_CONNECTIONS } from '../options.js';

interface Described {
  /** As help shows it: `-c, --checksum`, `--part-size <size>`. */
  flags: string;
  /** One line. */
  says: string;
}

/** What a value is in a job. How a person spells it is the command line's affair. */
export type Kind =
  /** A number of bytes. */
  | 'size'
  /** Milliseconds. */
  | 'duration'
  /** Milliseconds, 100 at least: the pause between two rounds of something that never ends. */
  | 'interval'
  /** An instant, in milliseconds since 1970. */
  | 'instant'
  /** A whole number from 1 to 100,000. */
  | 'count'
  /** A number per second. */
  | 'rate'
  /** `{ up, down }` in bytes per second, or a timetable of them. */
  | 'bandwidth'
  /** `{ objects: 100 }` or `{ percent: 25 }`. */
  | 'count-or-percent'
  | 'text';

export type OptionSpec =
  /** On or off; a negated one is on unless its flag, `--no-…`, is given. */
  | (Described & { kind: 'switch' | 'negated' })
  /** Any number of texts, in order. */
  | (Described & { kind: 'list' })
  | (Described & { kind: 'choice'; choices: readonly string[]; default: string })
  /** `shown` is how help spells the default. Sizes and durations with a default can be `off`. */
  | (Described & { kind: Kind; default?: number; shown?: string })
  /**
   * One field of a job, several flags that exclude each other. `says` ends the remedy "choose one …"; a complaint names
   * the flags in `order`, where it is not that of help.
   */
  | {
      kind: 'one-of';
      says: string;
      default: string;
      choices: Readonly<Record<string, Described>>;
      order?: readonly string[];
    };

export type OptionTable = Readonly<Record<string, OptionSpec>>;

const MIB = 1024 ** 2;
const HOUR = 3_600_000;

/** Room for 256 of the smallest parts, which a lossy line takes; half of the host's, or of its container's, memory. */
function defaultMemory(): number {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return Math.min(1536 * MIB, Math.floor(memory / 2));
}

export const CONFIG = {
  config: { kind: 'text', flags: '--config <file>', says: 'read the remotes from FILE' },
} as const satisfies OptionTable;

export const LIST = {
  listConcurrency: {
    kind: 'count',
    flags: '--list-concurrency <n>',
    says: 'pages of a listing in flight, where a page takes long',
    default: LIST_CONCURRENCY,
  },
} as const satisfies OptionTable;

export const MANIFEST = {
  manifest: { kind: 'text', flags: '--manifest <file>', says: 'keep the state of this pair in FILE' },
} as const satisfies OptionTable;

/** Of a command that only reads what runs have written down. */
export const KNOWN_MANIFEST = {
  manifest: { kind: 'text', flags: '--manifest <file>', says: 'the pair whose state is in FILE' },
} as const satisfies OptionTable;

export const LINKS = {
  copyLinks: { kind: 'switch', flags: '-L, --copy-links', says: 'follow symbolic links on local disks' },
} as const satisfies OptionTable;

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

export const FILTER = {
  include: { kind: 'list', flags: '--include <pattern>', says: 'only these; can be repeated, as all filters can' },
  includeFrom: { kind: 'list', flags: '--include-from <file>', says: 'patterns to include, one a line' },
  exclude: { kind: 'list', flags: '--exclude <pattern>', says: 'not these' },
  excludeFrom: { kind: 'list', flags: '--exclude-from <file>', says: 'patterns to exclude' },
  filter: {
    kind: 'list',
    flags: '-f, --filter <rule>',
    says: '"+ pattern" or "- pattern"; the first that fits decides',
  },
  filterFrom: { kind: 'list', flags: '--filter-from <file>', says: 'rules, one a line' },
  filesFrom: { kind: 'list', flags: '--files-from <file>', says: 'only the names in FILE' },
  filesFromRaw: { kind: 'list', flags: '--files-from-raw <file>', says: 'the same, every line verbatim' },
  ignoreCase: { kind: 'switch', flags: '--ignore-case', says: 'patterns fit in upper and lower case alike' },
  minSize: { kind: 'size', flags: '--min-size <size>', says: 'nothing smaller' },
  maxSize: { kind: 'size', flags: '--max-size <size>', says: 'nothing larger' },
  minAge: {
    kind: 'instant',
    flags: '--min-age <age>',
    says: 'nothing younger than a duration or after a date',
  },
  maxAge: { kind: 'instant', flags: '--max-age <age>', says: 'nothing older than a duration or before a date' },
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

/** How the connections are made. */
export const TRANSPORT = {
  congestion: {
    kind: 'choice',
    flags: '--congestion <name>',
    says: 'congestion control of our own connections (Linux)',
    choices: ['auto', 'bbr', 'cubic', 'system'],
    default: 'auto',
  },
  transport: {
    kind: 'choice',
    flags: '--transport <name>',
    says: 'who makes the requests',
    choices: ['lean', 'sdk'],
    default: 'lean',
  },
} as const satisfies OptionTable;

export const NETWORK = {
  bwlimit: {
    kind: 'bandwidth',
    flags: '--bwlimit <limit>',
    says: 'bytes a second: 10M, up:down 10M:1M, or a timetable',
  },
  tpslimit: { kind: 'rate', flags: '--tpslimit <n>', says: 'requests a second' },
  tpslimitBurst: {
    kind: 'count',
    flags: '--tpslimit-burst <n>',
    says: 'requests that may go at once after a pause',
    default: 1,
  },
  lowLevelRetries: {
    kind: 'count',
    flags: '--low-level-retries <n>',
    says: 'attempts of one request',
    default: 10,
  },
  timeout: {
    kind: 'duration',
    flags: '--timeout <duration>',
    says: 'give up on a connection that is idle this long',
    default: 60_000,
    shown: '60s',
  },
  contimeout: {
    kind: 'duration',
    flags: '--contimeout <duration>',
    says: 'give up on connecting after',
    default: 15_000,
    shown: '15s',
  },
  ...TRANSPORT,
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
