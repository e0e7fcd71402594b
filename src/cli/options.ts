/**
 * The options that commands share, in the groups in which help shows them. Names and meanings are rclone's where it
 * has them. Each can be set in the environment too: `--part-size` as `XSYNC_PART_SIZE`.
 */
import { totalmem } from 'node:os';
import { type Command, Option } from 'commander';
import { LIST_CONCURRENCY } from '../engine/list/ranges-pace.js';
import { MOST_CONNECTIONS } from '../engine/options.js';
import { type ListenAddress, parseListenAddress } from '../inbound/address.js';
import { XsyncError } from '../model/error.js';
import type { CongestionSetting } from '../open.js';
import { choice, flag, list, negated, value } from './define.js';
import { LOG_LEVELS, type LogLevel } from './render/levels.js';
import {
  type BandwidthSchedule,
  parseAge,
  parseBandwidth,
  parseDuration,
  parseInteger,
  parsePercent,
  parseRate,
  parseSize,
} from './values.js';

export interface LogFlags {
  verbose: number;
  quiet?: true;
  logLevel?: LogLevel;
  logFile?: string;
}

export interface ConnectionFlags {
  config?: string;
  transport: 'lean' | 'sdk';
  lowLevelRetries: number;
  /** Milliseconds; undefined for `off`. */
  timeout?: number;
  /** Milliseconds; undefined for `off`. */
  contimeout?: number;
  bwlimit?: BandwidthSchedule;
  /** Requests per second. */
  tpslimit?: number;
  tpslimitBurst: number;
  congestion: CongestionSetting;
}

export interface LinkFlags {
  copyLinks?: true;
}

export interface FilterFlags {
  include?: string[];
  includeFrom?: string[];
  exclude?: string[];
  excludeFrom?: string[];
  filter?: string[];
  filterFrom?: string[];
  filesFrom?: string[];
  filesFromRaw?: string[];
  ignoreCase?: true;
  /** Bytes. */
  minSize?: number;
  maxSize?: number;
  /** Instants, milliseconds since 1970. */
  minAge?: number;
  maxAge?: number;
}

export interface CompareFlags {
  checksum?: true;
  sizeOnly?: true;
  ignoreTimes?: true;
  ignoreExisting?: true;
  update?: true;
  immutable?: true;
  /** Milliseconds; undefined for `off`. */
  modifyWindow?: number;
  traverse: boolean;
}

export interface TransferFlags {
  dryRun?: true;
  transfers?: number;
  partConcurrency?: number;
  maxConnections: number;
  checkers: number;
  listConcurrency: number;
  partSize?: number;
  maxMemory?: number;
  retries: number;
  createBucket?: true;
  storageClass?: string;
  manifest?: string;
  resumeListing: boolean;
  backupDir?: string;
  suffix?: string;
  suffixKeepExtension?: true;
}

export interface DeleteFlags {
  deleteBefore?: true;
  deleteDuring?: true;
  deleteAfter?: true;
  maxDelete?: { objects: number } | { percent: number };
  deleteUnknown?: true;
  deleteExcluded?: true;
  ignoreErrors?: true;
  allowEmptySource?: true;
}

export interface LimitFlags {
  maxTransfer?: number;
  maxDuration?: number;
  cutoffMode: 'hard' | 'soft' | 'cautious';
  errorOnNoTransfer?: true;
}

export interface ReportFlags {
  progress?: true;
  /** Milliseconds; 0 or undefined for none. */
  stats?: number;
  statsOneLine?: true;
  json?: true;
  useJsonLog?: true;
}

export interface ObserveFlags {
  metricsAddr?: ListenAddress;
  /** Milliseconds. */
  rpo?: number;
  notify?: string[];
}

const MIB = 1024 ** 2;

export function compareOptions(command: Command): Command {
  command.optionsGroup('What counts as changed:');
  flag(command, '-c, --checksum', 'compare checksums, never times');
  flag(command, '--size-only', 'compare sizes alone');
  flag(command, '-I, --ignore-times', 'copy everything, changed or not');
  flag(command, '--ignore-existing', 'skip whatever the destination has');
  flag(command, '-u, --update', 'skip what is newer at the destination');
  flag(command, '--immutable', 'fail instead of overwriting anything');
  value(command, '--modify-window <duration>', 'times closer than this are equal', parseDuration, [1, '1ms']);
  negated(command, '--no-traverse', 'do not list the destination: trust the manifest');
  return command;
}

export interface ListFlags {
  listConcurrency: number;
}

export function listOption(command: Command): Command {
  return value(command, '--list-concurrency <n>', 'pages of a listing in flight, where a page takes long', parseCount, [
    LIST_CONCURRENCY,
  ]);
}

export function transferOptions(command: Command): Command {
  command.optionsGroup('Transfer:');
  flag(command, '-n, --dry-run', 'say what would be copied and what it would cost; change nothing');
  value(command, '--transfers <n>', 'objects in flight (found while running when not given)', parseCount);
  value(command, '--part-concurrency <n>', 'parts in flight of one object (likewise)', parseCount);
  value(command, '--max-connections <n>', 'requests in flight to one server', parseCount, [MOST_CONNECTIONS]);
  value(command, '--checkers <n>', 'objects looked at at once', parseCount, [16]);
  listOption(command);
  value(command, '--part-size <size>', 'size of a part (chosen for each object when not given)', parseSize);
  value(command, '--max-memory <size>', 'memory for data in flight', parseSize, [
    defaultMemory(),
    'half of the memory, 1.5G at most',
  ]);
  value(command, '--retries <n>', 'times an object is tried before it counts as failed', parseCount, [3]);
  flag(command, '--create-bucket', 'create the destination bucket when it is missing');
  value(command, '--storage-class <class>', 'storage class of what is written', plainText);
  value(command, '--backup-dir <path>', 'keep there what is overwritten or deleted', plainText);
  value(command, '--suffix <suffix>', 'add SUFFIX to the names of what is kept', plainText);
  flag(command, '--suffix-keep-extension', "put the suffix before the name's extension");
  negated(command, '--no-resume-listing', 'list everything, also after an interruption');
  return manifestOption(command);
}

/** What sync deletes and when. */
export function deleteOptions(command: Command): Command {
  command.optionsGroup('Delete:');
  flag(command, '--delete-after', 'delete when everything has been copied (default)');
  flag(command, '--delete-during', 'delete while objects are copied, once both sides are listed');
  flag(command, '--delete-before', 'delete before anything is copied; lists both sides twice');
  value(
    command,
    '--max-delete <n|p%>',
    "delete nothing when more than this would go (25% of the manifest's objects, or 1000)",
    parseMaxDelete,
  );
  flag(command, '--delete-unknown', 'delete also what xsync did not put there');
  flag(command, '--delete-excluded', 'delete also what the filters leave out');
  flag(command, '--ignore-errors', 'delete even when objects failed');
  flag(command, '--allow-empty-source', 'delete even when the source has nothing any more');
  return command;
}

/** Room for 256 of the smallest parts, which a lossy line takes; half of the host's, or of its container's, memory. */
function defaultMemory(): number {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return Math.min(1536 * MIB, Math.floor(memory / 2));
}

export function manifestOption(command: Command): Command {
  return value(command, '--manifest <file>', 'keep the state of this pair in FILE', plainText);
}

/** Of a command that only reads what runs have written down. */
export function knownManifestOption(command: Command): Command {
  return value(command, '--manifest <file>', 'the pair whose state is in FILE', plainText);
}

export function filterOptions(command: Command): Command {
  command.optionsGroup('Filters (rclone.org/filtering):');
  list(command, '--include <pattern>', 'only these; can be repeated, as all filters can');
  list(command, '--include-from <file>', 'patterns to include, one a line');
  list(command, '--exclude <pattern>', 'not these');
  list(command, '--exclude-from <file>', 'patterns to exclude');
  list(command, '-f, --filter <rule>', '"+ pattern" or "- pattern"; the first that fits decides');
  list(command, '--filter-from <file>', 'rules, one a line');
  list(command, '--files-from <file>', 'only the names in FILE');
  list(command, '--files-from-raw <file>', 'the same, every line verbatim');
  flag(command, '--ignore-case', 'patterns fit in upper and lower case alike');
  value(command, '--min-size <size>', 'nothing smaller', parseSize);
  value(command, '--max-size <size>', 'nothing larger', parseSize);
  value(command, '--min-age <age>', 'nothing younger than a duration or after a date', parseInstant);
  value(command, '--max-age <age>', 'nothing older than a duration or before a date', parseInstant);
  return command;
}

export function limitOptions(command: Command): Command {
  command.optionsGroup('Limits:');
  value(command, '--max-transfer <size>', 'stop after so many bytes', parseSize);
  value(command, '--max-duration <duration>', 'stop after this time', parseDuration);
  choice(command, '--cutoff-mode <mode>', 'how to stop', ['hard', 'soft', 'cautious'], 'hard');
  flag(command, '--error-on-no-transfer', 'exit with 9 when nothing was copied');
  return command;
}

export function networkOptions(command: Command): Command {
  command.optionsGroup('Network:');
  value(command, '--bwlimit <limit>', 'bytes a second: 10M, up:down 10M:1M, or a timetable', parseBandwidth);
  value(command, '--tpslimit <n>', 'requests a second', parseRate);
  value(command, '--tpslimit-burst <n>', 'requests that may go at once after a pause', parseCount, [1]);
  value(command, '--low-level-retries <n>', 'attempts of one request', parseCount, [10]);
  value(command, '--timeout <duration>', 'give up on a connection that is idle this long', parseDuration, [
    60_000,
    '60s',
  ]);
  value(command, '--contimeout <duration>', 'give up on connecting after', parseDuration, [15_000, '15s']);
  return transportOptions(command);
}

/** How the connections are made. */
export function transportOptions(command: Command): Command {
  const settings: readonly CongestionSetting[] = ['auto', 'bbr', 'cubic', 'system'];
  choice(command, '--congestion <name>', 'congestion control of our own connections (Linux)', settings, 'auto');
  choice(command, '--transport <name>', 'who makes the requests', ['lean', 'sdk'], 'lean');
  return command;
}

export function linkOption(command: Command): Command {
  return flag(command, '-L, --copy-links', 'follow symbolic links on local disks');
}

/** What other programs are told of a run. */
export function observeOptions(command: Command): Command {
  command.optionsGroup('Monitoring (docs/metrics.md):');
  value(
    command,
    '--metrics-addr <address>',
    'serve metrics for Prometheus, and /healthz, at [HOST]:PORT',
    parseListenAddress,
  );
  list(command, '--notify <target>', 'tell of every object and run: -, file:PATH or https://…; can be repeated');
  return value(
    command,
    '--rpo <duration>',
    'how far the destination may be behind: an object is late after it (15m when not given), /healthz fails after it',
    parseDuration,
  );
}

export function reportOptions(command: Command): Command {
  command.optionsGroup('Output:');
  flag(command, '-P, --progress', 'progress bars even when standard error is no terminal');
  value(command, '--stats <duration>', 'time between two lines of statistics, 0 for none', parseDuration, [
    60_000,
    '1m',
  ]);
  flag(command, '--stats-one-line', 'statistics and summary on one line each');
  flag(command, '--json', 'JSON on standard output, one event a line (docs/json.md)');
  flag(command, '--use-json-log', 'the same, by its name in rclone');
  return logOptions(command);
}

export function logOptions(command: Command): Command {
  command.optionsGroup('Output:');
  command.addOption(
    new Option('-v, --verbose', 'say more: each object; -vv: each decision, its reason, and retries')
      .preset(1)
      .default(Number(process.env.XSYNC_VERBOSE ?? 0) || 0)
      .argParser((_, previous: number) => previous + 1),
  );
  flag(command, '-q, --quiet', 'say nothing but errors');
  value(command, '--log-level <level>', LOG_LEVELS.join(', '), parseLogLevel);
  return value(command, '--log-file <file>', 'append the log to FILE', plainText);
}

export function configOption(command: Command): Command {
  command.optionsGroup('General:');
  value(command, '--config <file>', 'read the remotes from FILE', plainText);
  command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup('General:'));
  return command;
}

export const plainText = (_option: string, text: string): string => text;

/** `100` or `10%`. */
function parseMaxDelete(option: string, text: string): DeleteFlags['maxDelete'] {
  if (text.endsWith('%')) return { percent: parsePercent(option, text) };
  return { objects: parseInteger(option, text, {}) };
}

const parseCount = (option: string, text: string): number => parseInteger(option, text, { min: 1, max: 100_000 });

const parseInstant = (option: string, text: string): number | undefined => parseAge(option, text, Date.now());

function parseLogLevel(option: string, text: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text.toLowerCase());
  if (level !== undefined) return level;
  throw new XsyncError('usage', `${option}: "${text}" is not one of ${LOG_LEVELS.join(', ')}`, { subject: option });
}
