import type { CheckOptions } from '../../engine/check/check.js';
import type { CheckEvent, CheckSummary } from '../../engine/check/findings.js';
import type { RepairList, RepairSummary } from '../../engine/check/repair.js';
import { XsyncError } from '../../model/error.js';
import type { OpenPair, OpenSettings } from '../../open.js';
import { type Context, runCommand } from '../context.js';
import { flag, value } from '../define.js';
import { exitOfCheck } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import {
  type ConnectionFlags,
  configOption,
  type FilterFlags,
  filterOptions,
  knownManifestOption,
  type LinkFlags,
  type ListFlags,
  type LogFlags,
  linkOption,
  listOption,
  logOptions,
  networkOptions,
} from '../options.js';
import type { Program } from '../program.js';
import type { LogLevel } from '../render/levels.js';
import { filterOf, openSettings } from '../settings.js';
import { parseDuration, parseInteger, parseSize } from '../values.js';
import type { ReportLists } from './check-lists.js';

export type CheckFlags = ConnectionFlags &
  FilterFlags &
  LinkFlags &
  ListFlags &
  LogFlags &
  ReportLists & {
    checksum?: true;
    sizeOnly?: true;
    download?: true;
    oneWay?: true;
    repair?: true;
    checkers: number;
    maxMemory: number;
    storageClass?: string;
    manifest?: string;
    json?: true;
    /** Milliseconds. */
    stats?: number;
  };

const MIB = 1024 ** 2;

export function addCheck({ root, io, finish }: Program): void {
  const command = root
    .command('check <source> <destination>')
    .summary('say whether both sides have the same')
    .description(
      'Compares both sides and moves nothing: by what the manifest proves, else by checksums, else by size alone, ' +
        'which is counted and said. Exits with 1 when anything differs.',
    )
    .optionsGroup('Check:')
    .addHelpText('after', EXAMPLES);
  const text = (_option: string, given: string): string => given;
  const count = (option: string, given: string): number => parseInteger(option, given, { min: 1, max: 100_000 });
  flag(command, '--one-way', 'what only the destination has is no difference');
  flag(command, '--download', 'read every byte of both sides');
  flag(command, '-c, --checksum', 'believe no manifest; read both sides where they share no checksum');
  flag(command, '--size-only', 'compare sizes alone');
  flag(command, '--repair', 'copy what differs or is missing at the destination; delete nothing');
  value(command, '--storage-class <class>', 'storage class of what --repair writes', text);
  value(command, '--checkers <n>', 'objects looked at at once', count, [16]);
  value(command, '--max-memory <size>', 'memory for data in flight', parseSize, [256 * MIB, '256M']);
  listOption(command);
  knownManifestOption(command);
  command.optionsGroup('Lists (one key a line; - is standard output):');
  value(command, '--combined <file>', 'all keys: = same, - only dst, + only src, * different, ! error', text);
  value(command, '--missing-on-src <file>', 'keys that only the destination has', text);
  value(command, '--missing-on-dst <file>', 'keys that only the source has', text);
  value(command, '--match <file>', 'keys of which both sides have the same', text);
  value(command, '--differ <file>', 'keys of which the sides have different objects', text);
  value(command, '--error <file>', 'keys that could not be compared', text);
  filterOptions(command);
  linkOption(command);
  networkOptions(command);
  logOptions(command);
  flag(command, '--json', 'JSON on standard output, one event a line (docs/json.md)');
  value(command, '--stats <duration>', 'time between two lines on where it stands, 0 for none', parseDuration, [
    60_000,
    '1m',
  ]);
  configOption(command).action(async (source: string, destination: string, flags: CheckFlags) => {
    finish(
      await runCommand(io, { ...flags, stats: 0 }, { bars: false }, (context) =>
        checkCommand(context, source, destination, flags),
      ),
    );
  });
}

async function checkCommand(context: Context, source: string, destination: string, flags: CheckFlags): Promise<number> {
  const compare = comparisonOf(flags);
  const interruption = onInterrupt(context.log);
  try {
    const filter = await filterOf(flags);
    for (const warning of filter?.warnings ?? []) context.log.say('notice', `warning: ${warning}`);
    const options: CheckOptions = {
      compare,
      oneWay: flags.oneWay === true,
      filter,
      checkers: flags.checkers,
      listConcurrency: flags.listConcurrency,
      maxMemory: flags.maxMemory,
      stop: interruption.signal,
    };
    const { BLOCKS_IN_FLIGHT } = await import('../../engine/check/content.js');
    const connections = flags.checkers * BLOCKS_IN_FLIGHT + flags.listConcurrency;
    const pair = await open(source, destination, openSettings(flags, connections, context.io.env), flags);
    try {
      return await new CheckRun(context, pair, options, flags).run();
    } finally {
      await pair.close();
    }
  } finally {
    interruption.dispose();
  }
}

async function open(source: string, destination: string, settings: OpenSettings, flags: CheckFlags): Promise<OpenPair> {
  const { openToRead, openToRepair } = await import('../../open.js');
  return flags.repair ? openToRepair(source, destination, settings) : openToRead(source, destination, settings);
}

/** @throws usage when the flags contradict each other */
function comparisonOf({ checksum, sizeOnly, download, json, ...lists }: CheckFlags): CheckOptions['compare'] {
  const ways = [
    download && ('download' as const),
    checksum && ('checksum' as const),
    sizeOnly && ('size-only' as const),
  ].filter((way) => way !== undefined);
  if (ways.length > 1) {
    throw new XsyncError('usage', `--${ways.join(' and --')} contradict each other`, {
      subject: `--${ways[0]}`,
      remedy: 'choose one way to compare',
    });
  }
  const { combined, missingOnSrc, missingOnDst, match, differ, error } = lists;
  if (json && [combined, missingOnSrc, missingOnDst, match, differ, error].includes('-')) {
    throw new XsyncError('usage', '--json and a list named "-" both write to standard output', {
      subject: '--json',
      remedy: 'name a file for the list',
    });
  }
  return ways[0] ?? 'default';
}

class CheckRun {
  readonly #context: Context;
  readonly #pair: OpenPair;
  readonly #options: CheckOptions;
  readonly #flags: CheckFlags;
  /** A single object's key relative to its pair is empty, which tells a person nothing. */
  readonly #name: string;

  constructor(context: Context, pair: OpenPair, options: CheckOptions, flags: CheckFlags) {
    this.#context = context;
    this.#pair = pair;
    this.#options = options;
    this.#flags = flags;
    const { prefix } = pair.source;
    this.#name = pair.single ? prefix.slice(prefix.lastIndexOf('/') + 1) : '';
  }

  async run(): Promise<number> {
    const [{ RepairList }, { checkLines }, { colours }, { trafficSum }] = await Promise.all([
      import('../../engine/check/repair.js'),
      import('../render/check.js'),
      import('../render/colour.js'),
      import('../../engine/record/traffic.js'),
    ]);
    const { log, io } = this.#context;
    const list = this.#flags.repair ? new RepairList(this.#pair.manifest) : undefined;
    try {
      const summary = await this.#check((event) => list?.hear(event));
      this.#refuseNothing(summary);
      const repaired = list && summary.stopped === undefined ? await this.#repair(list) : undefined;
      const exitCode = exitOfCheck(summary, repaired);
      const total = repaired ? { ...summary, traffic: trafficSum(summary.traffic, repaired.traffic) } : summary;
      const fields = { ...total, ...(repaired && { repaired }), exitCode };
      log.tell('notice', { type: 'end', ...fields }, () => checkLines(total, repaired, colours(io.stderr, io.env)));
      return exitCode;
    } finally {
      list?.dispose();
    }
  }

  async #check(alsoTell: (event: CheckEvent) => void): Promise<CheckSummary> {
    const [{ runCheck }, { CheckLists }, { checkedLine, checkStatus }, { colours }, { CheckTally }] = await Promise.all(
      [
        import('../../engine/check/check.js'),
        import('./check-lists.js'),
        import('../render/check.js'),
        import('../render/colour.js'),
        import('../../engine/check/findings.js'),
      ],
    );
    const { log, io, out } = this.#context;
    const { source, dest, manifest } = this.#pair;
    const lists = new CheckLists(this.#flags, out);
    const chalk = colours(io.stderr, io.env);
    const tally = new CheckTally(this.#pair, this.#options.compare === 'size-only');
    const { stats = 0 } = this.#flags;
    const status = (): void => {
      const now = tally.summary();
      log.tell('notice', { type: 'stats', ...now }, () => [checkStatus(now)]);
    };
    const timer = stats > 0 ? setInterval(status, stats).unref() : undefined;
    const known = manifest.path === ':memory:' ? undefined : manifest.path;
    const start = { source: source.text, destination: dest.text, manifest: known };
    log.tell('info', { type: 'start', ...start }, () => []);
    try {
      return await runCheck(this.#pair, this.#options, (event) => {
        alsoTell(event);
        tally.add(event);
        const shown = this.#named(event);
        if (shown.type === 'checked')
          log.tell(levelOf(shown, lists.onStdout), shown, () => [checkedLine(shown, chalk)]);
        else log.report(shown);
        return lists.add(shown);
      });
    } finally {
      clearInterval(timer);
      await lists.close();
    }
  }

  async #repair(list: RepairList): Promise<RepairSummary> {
    const { repair } = await import('../../engine/check/repair.js');
    const { checkers, maxMemory, storageClass } = this.#flags;
    const policy = { mode: 'copy', compare: 'ignore-times', deleteUnknown: false, oneWay: false } as const;
    const options = {
      command: 'check --repair',
      policy: { ...policy, ignoreExisting: false, update: false, immutable: false, modifyWindowMs: 1 },
      failedBefore: 'try' as const,
      dryRun: false,
      checkers,
      maxMemory,
      createBucket: false,
      noTraverse: false,
      cutoffMode: 'hard' as const,
      objectAttempts: 3,
      storageClass,
      stop: this.#options.stop,
    };
    return repair(this.#pair, list, options, (event) => this.#context.log.report(this.#named(event)));
  }

  #named<E extends { type: string }>(event: E): E {
    return 'key' in event && event.key === '' && this.#name !== '' ? { ...event, key: this.#name } : event;
  }

  /** A store has no folders: a prefix below which nothing lies does not exist, and is most likely a slip. */
  #refuseNothing({ listed, stopped }: CheckSummary): void {
    const { source, single } = this.#pair;
    const looked = stopped === undefined && this.#options.filter?.files === undefined;
    if (!looked || single || source.path === '' || listed.source > 0) return;
    const remedy = 'check the path';
    throw new XsyncError('bucket-not-found', `there is nothing at ${source.text}`, { subject: source.text, remedy });
  }
}

/** Differences are what the command is asked for; a list on standard output tells of them already. */
function levelOf({ verdict }: Extract<CheckEvent, { type: 'checked' }>, listed: boolean): LogLevel {
  if (verdict === 'match') return 'debug';
  return listed ? 'info' : 'error';
}

const EXAMPLES = `
Examples:
  xsync check virginia:photos shanghai:photos
  xsync check ./photos s3://my-bucket/photos --one-way --combined report.txt
  xsync check --download virginia:db shanghai:db --differ - --missing-on-dst -
  xsync check --repair virginia:photos shanghai:photos`;
