/** The options of a job that say how its places are reached and what is looked at there. */
import { LIST_CONCURRENCY } from '../list/ranges-pace.js';
import type { OptionTable } from './option.js';

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
