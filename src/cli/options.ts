/**
 * The options that commands share, in the groups that help shows: those of a job, from its tables, and those of the
 * command line only. Each can also be set in the environment: `--part-size` as `XSYNC_PART_SIZE`.
 */
import { type Command, Option } from 'commander';
import { ATTRIBUTES, CARRY } from '../engine/job/attributes.js';
import type { Values } from '../engine/job/job.js';
import {
  BOTH_WAYS,
  COMPARE,
  CONFLICT,
  DELETE,
  DRY_RUN,
  LIMIT,
  MIRROR_DELETE,
  NAMES,
  RENAMES,
  TRANSFER,
  VERSIONS,
} from '../engine/job/options.js';
import {
  AT,
  CONFIG,
  FILTER,
  INVENTORY,
  KNOWN_MANIFEST,
  LINKS,
  LIST,
  MANIFEST,
  NETWORK,
  OBJECT_LIST,
  TAG_FILTER,
  TAGS_AGAIN,
  TRANSPORT,
} from '../engine/job/places.js';
import { parseDuration } from '../engine/job/values.js';
import { type ListenAddress, parseListenAddress } from '../inbound/address.js';
import { XsyncError } from '../model/error.js';
import { FACILITIES, type Facility } from '../native/syslog.js';
import { choice, flag, list, value } from './define.js';
import { options } from './job.js';
import { LOG_LEVELS, type LogLevel } from './render/levels.js';

export interface LogFlags {
  verbose: number;
  quiet?: true;
  logLevel?: LogLevel;
  logFile?: string;
  syslog?: true;
  syslogFacility?: Facility;
  dump?: string;
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

export type ConnectionFlags = Values<typeof NETWORK & typeof CONFIG>;
export type LinkFlags = Values<typeof LINKS>;
export type FilterFlags = Values<typeof FILTER>;
export type AtFlags = Values<typeof AT>;
export type ListFlags = Values<typeof LIST>;
export type TransferFlags = Values<typeof DRY_RUN & typeof TRANSFER & typeof ATTRIBUTES>;

export function compareOptions(command: Command): Command {
  return options(command.optionsGroup('What counts as changed:'), COMPARE);
}

export function listOption(command: Command): Command {
  return options(command, LIST);
}

export function transferOptions(command: Command): Command {
  options(command.optionsGroup('Transfer:'), DRY_RUN);
  options(command, TRANSFER);
  linkOption(command);
  return options(command.optionsGroup('Attributes (docs/fidelity.md):'), ATTRIBUTES);
}

/** Of a check that copies what differs. */
export function repairOptions(command: Command): Command {
  return options(command.optionsGroup('Attributes of what --repair copies (docs/fidelity.md):'), CARRY);
}

/** Of commands that read a place as it stood at a time. */
export function atOption(command: Command): Command {
  return options(command, AT);
}

export function inventoryOptions(command: Command): Command {
  return options(command, INVENTORY);
}

export function objectListOptions(command: Command): Command {
  return options(command, OBJECT_LIST);
}

export function versionsOption(command: Command): Command {
  return options(command, VERSIONS);
}

export function deleteOptions(command: Command): Command {
  return options(command.optionsGroup('Delete:'), DELETE);
}

export function renamesOption(command: Command): Command {
  return options(command, RENAMES);
}

/** The options of a mirror, without those of the network and of the output. */
export function mirrorOptions(command: Command): Command {
  options(command.optionsGroup('Conflicts (docs/mirror.md):'), CONFLICT);
  options(command.optionsGroup('Delete:'), MIRROR_DELETE);
  options(command.optionsGroup('Transfer:'), DRY_RUN);
  options(command, BOTH_WAYS);
  renamesOption(command);
  options(command, NAMES);
  return options(command.optionsGroup('Attributes (docs/fidelity.md):'), ATTRIBUTES);
}

export function manifestOption(command: Command): Command {
  return options(command, MANIFEST);
}

export function knownManifestOption(command: Command): Command {
  return options(command, KNOWN_MANIFEST);
}

export function filterOptions(command: Command): Command {
  return options(command.optionsGroup('Filters (rclone.org/filtering):'), FILTER);
}

/** After the filter options. */
export function tagFilterOptions(command: Command): Command {
  return options(command, TAG_FILTER);
}

/** Of commands that remember what the tags left out. */
export function tagsAgainOption(command: Command): Command {
  return options(command, TAGS_AGAIN);
}

export function limitOptions(command: Command): Command {
  options(command.optionsGroup('Limits:'), LIMIT);
  flag(command, '-i, --interactive', 'ask before each copy, overwrite and delete');
  return flag(command, '--error-on-no-transfer', 'exit with 9 if nothing was copied');
}

export function networkOptions(command: Command): Command {
  return options(command.optionsGroup('Network:'), NETWORK);
}

export function transportOptions(command: Command): Command {
  return options(command, TRANSPORT);
}

export function linkOption(command: Command): Command {
  return options(command, LINKS);
}

export function metricsOption(command: Command): Command {
  return value(
    command.optionsGroup('Monitoring (docs/metrics.md):'),
    '--metrics-addr <address>',
    'serve Prometheus metrics and /healthz at [HOST]:PORT',
    parseListenAddress,
  );
}

export function notifyOption(command: Command): Command {
  return list(
    command,
    '--notify <target>',
    'send an event per object and run to -, file:PATH or https://…; can be repeated',
  );
}

export function observeOptions(command: Command): Command {
  notifyOption(metricsOption(command));
  return value(
    command,
    '--rpo <duration>',
    'maximum lag: objects pending for longer are reported as late (default: 15m), and /healthz fails',
    parseDuration,
  );
}

/** Which rules, for the commands about them. */
export function rulesOption(command: Command): Command {
  return value(
    command.optionsGroup('Rules (docs/rules.md):'),
    '--rules <file>',
    'read the rules from FILE (default: the section "rules" of the config)',
    plainText,
  );
}

/** What all rules of a process have together. */
export function sharedOptions(command: Command): Command {
  return options(command.optionsGroup('Limits of all rules together:'), SHARED);
}

/** @see sharedOptions */
const SHARED = {
  maxConnections: TRANSFER.maxConnections,
  maxMemory: TRANSFER.maxMemory,
  bwlimit: NETWORK.bwlimit,
  tpslimit: NETWORK.tpslimit,
  tpslimitBurst: NETWORK.tpslimitBurst,
};

export type SharedFlags = Values<typeof SHARED>;

/** The workers of all rules. */
export function queueOption(command: Command): Command {
  return options(command.optionsGroup('Many machines (docs/cluster.md):'), QUEUE);
}

const QUEUE = { queue: TRANSFER.queue };

export type QueueFlags = Values<typeof QUEUE>;

export interface RulesFlags extends LogFlags {
  rules?: string;
  config?: string;
}

export function reportOptions(command: Command): Command {
  command.optionsGroup('Output:');
  flag(command, '-P, --progress', 'show progress bars even without a terminal');
  value(command, '--stats <duration>', 'time between lines of statistics; 0: none', parseDuration, [60_000, '1m']);
  flag(command, '--stats-one-line', 'print statistics and summary on one line each');
  flag(command, '--json', 'write events as JSON lines to standard output (docs/json.md)');
  flag(command, '--use-json-log', 'same as --json; rclone name');
  return logOptions(command);
}

export function logOptions(command: Command): Command {
  command.optionsGroup('Output:');
  command.addOption(
    new Option('-v, --verbose', 'log each object; -vv: also decisions with reasons, and retries')
      .preset(1)
      .default(Number(process.env.XSYNC_VERBOSE ?? 0) || 0)
      .argParser((_, previous: number) => previous + 1),
  );
  flag(command, '-q, --quiet', 'log only errors');
  value(command, '--log-level <level>', `log level: ${LOG_LEVELS.join(', ')}`, parseLogLevel);
  value(command, '--log-file <file>', 'append the log to FILE', plainText);
  flag(command, '--syslog', 'send the log to the system logger');
  choice(command, '--syslog-facility <name>', 'facility of --syslog', Object.keys(FACILITIES), 'DAEMON');
  return value(command, '--dump <what>', 'what to log of each request and response: headers', parseDump);
}

export function configOption(command: Command): Command {
  command.optionsGroup('General:');
  options(command, CONFIG);
  command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup('General:'));
  return command;
}

const parseDump = (option: string, text: string): string => {
  const other = text.split(',').find((what) => what.trim() !== 'headers');
  if (other === undefined) return text;
  const message = `${option}: "${other}" is not "headers", the only thing that xsync dumps`;
  const remedy = other.trim() === 'filters' ? 'Use -vv, which names the rule of each object.' : DUMP_REMEDY;
  throw new XsyncError('usage', message, { subject: option, remedy });
};

const DUMP_REMEDY = 'Use --dump headers; xsync logs neither bodies nor secrets.';

const plainText = (_option: string, text: string): string => text;

function parseLogLevel(option: string, text: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text.toLowerCase());
  if (level !== undefined) return level;
  throw new XsyncError('usage', `${option}: "${text}" is not one of ${LOG_LEVELS.join(', ')}`, { subject: option });
}
