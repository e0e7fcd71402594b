/** Tests: test/cli/pairs.test.ts */
import { type Command, Option } from 'commander';
import { parseInteger } from '../../engine/job/values.js';
import { dueMs, failurePages } from '../../engine/record/failed.js';
import type { FailureRow, Manifest } from '../../manifest/port.js';
import type { ErrorClass } from '../../model/error.js';
import { XsyncError } from '../../model/error.js';
import { filterOf } from '../../open/job.js';
import type { KnownPair } from '../../open/known.js';
import { type Context, runCommand } from '../context.js';
import { flag, list, value } from '../define.js';
import { configOption, knownManifestOption, logOptions } from '../options.js';
import type { Program } from '../program.js';
import { plural } from '../render/format.js';
import {
  isUrl,
  namesOf,
  onePair,
  PAIR_ARGUMENTS,
  type PairFlags,
  pairAndPatterns,
  pairsOf,
  tellBroken,
  unreadText,
  wantedPair,
} from './pairs.js';

/** Selects failed objects. */
export interface ChoiceFlags {
  class?: ErrorClass[];
  code?: string[];
  include?: string[];
}

interface FailedFlags extends PairFlags, ChoiceFlags {
  json?: true;
  explain?: true;
  limit?: number;
}

type DropFlags = PairFlags & ChoiceFlags & { all?: true };

const CLASSES: readonly string[] = ['temporary', 'permanent', 'person'] satisfies ErrorClass[];

export function choiceOptions(command: Command): Command {
  const parse = (text: string, before: string[] = []): string[] => {
    if (CLASSES.includes(text)) return [...before, text];
    throw new XsyncError('usage', `--class: "${text}" is not one of ${CLASSES.join(', ')}`, { subject: '--class' });
  };
  command.addOption(new Option('--class <class>', `only this error class: ${CLASSES.join(', ')}`).argParser(parse));
  list(command, '--code <code>', 'only this error code, such as access-denied');
  return command;
}

export function addFailed({ root, io, finish }: Program): void {
  const command = root
    .command(`failed ${PAIR_ARGUMENTS}`)
    .summary('list objects that could not be copied')
    .description('List the failed objects of a pair, or of every pair on this machine, and when each is retried.')
    .optionsGroup('Failed objects:')
    .addHelpText('after', EXAMPLES)
    // Without this it would take the options of "drop", which have the same names.
    .enablePositionalOptions();
  choiceOptions(command);
  list(command, '--include <pattern>', 'only keys that match');
  value(command, '--limit <n>', 'maximum number of objects to list', (option, text) =>
    parseInteger(option, text, { min: 1 }),
  );
  flag(command, '--explain', 'show the error message and what triggers the next attempt');
  flag(command, '--json', 'print JSON, one line per object (docs/json.md)');
  knownManifestOption(command);
  logOptions(command);
  configOption(command).action(
    async (source: string | undefined, destination: string | undefined, flags: FailedFlags) => {
      const { json: _, ...log } = flags;
      const body = async (context: Context): Promise<number> => {
        if (!isUrl(destination)) return listAll(context, flags, source, destination);
        return (await import('./outbox.js')).listDead(context, flags, { source, url: destination });
      };
      finish(await runCommand(io, log, { bars: false }, body));
    },
  );
  addDrop(command, { io, finish });
}

function addDrop(failed: Command, { io, finish }: Pick<Program, 'io' | 'finish'>): void {
  const command = failed
    .command('drop [source] [destination] [pattern...]')
    .description('Give up failed objects: they are skipped until their source changes.')
    .optionsGroup('Failed objects:');
  choiceOptions(command);
  flag(command, '--all', 'give up all failed objects');
  knownManifestOption(command);
  logOptions(command);
  configOption(command).action(async () => {
    const flags = command.opts<DropFlags>();
    finish(await runCommand(io, flags, { bars: false }, (context) => drop(context, flags, command.args)));
  });
}

/** The selected failed objects, a page at a time. */
export async function* chosenFailures(manifest: Manifest, flags: ChoiceFlags): AsyncGenerator<FailureRow[], void> {
  const filter = flags.include && (await filterOf({ include: flags.include }));
  for (const rows of failurePages(manifest)) {
    yield rows.filter(
      (row) =>
        (flags.class?.includes(row.class) ?? true) &&
        (flags.code?.includes(row.code) ?? true) &&
        (filter?.test(row.key, row.size, row.sourceMtimeMs).included ?? true),
    );
  }
}

async function listAll(
  context: Context,
  flags: FailedFlags,
  source: string | undefined,
  destination: string | undefined,
): Promise<number> {
  const { io, out, log } = context;
  const { explainLines, failedJson, FailedTable } = await import('../render/failed.js');
  const { colours } = await import('../render/colour.js');
  const { terminalWidth } = await import('../render/terminal.js');
  const style = {
    chalk: colours(io.stdout, io.env),
    width: out.isTerminal ? terminalWidth(io.stdout) : flags.explain ? 120 : Number.POSITIVE_INFINITY,
    nowMs: io.now(),
  };
  const broken: XsyncError[] = [];
  let found = 0;
  for await (const pair of pairsOf(io, flags, wantedPair(source, destination), broken)) {
    const names = await namesOf(pair);
    const table = new FailedTable(names, style);
    const remedies = flags.explain ? await remediesOf(pair, log) : new Map<string, string>();
    for await (const page of chosenFailures(pair.manifest, flags)) {
      const rows = page.slice(0, (flags.limit ?? Number.POSITIVE_INFINITY) - found);
      found += rows.length;
      const shown = rows.map((row) => ({ ...row, nextMs: nextTry(row, style.nowMs), remedy: remedies.get(row.key) }));
      if (flags.json) await out.write(shown.map((row) => `${failedJson(names, row)}\n`).join(''));
      else if (flags.explain) await out.write(explainLines(names, shown, style).join(''));
      else await out.write(table.lines(shown).join(''));
      if (found === flags.limit) return tellBroken(context, broken);
    }
  }
  if (found === 0 && broken.length === 0 && !flags.json) log.say('notice', 'Nothing has failed.');
  return tellBroken(context, broken);
}

/** When a sync retries it, ms since 1970; undefined when waiting does not help. */
function nextTry(row: FailureRow, nowMs: number): number | undefined {
  return row.dropped || row.class !== 'temporary' ? undefined : dueMs(row, nowMs);
}

const RUNS = 500;

/** The remedies that earlier runs recorded, by key. */
async function remediesOf({ manifest, file }: KnownPair, log: Context['log']): Promise<Map<string, string>> {
  const { readRun } = await import('../../engine/record/facts.js');
  const remedies = new Map<string, string>();
  const lost: string[] = [];
  for (const run of manifest.runs(RUNS)) {
    const detail = readRun(run);
    if (!detail) lost.push(run.id);
    for (const { key, remedy } of detail?.summary.failed.list ?? []) {
      if (remedy !== undefined && !remedies.has(key)) remedies.set(key, remedy);
    }
  }
  if (lost.length > 0) log.say('notice', unreadText(`the advice of run ${lost.join(', ')}`, file));
  return remedies;
}

async function drop({ io, log }: Context, flags: DropFlags, args: readonly string[]): Promise<number> {
  const { pair: wanted, patterns } = await pairAndPatterns(io, flags, args);
  const chosen = { ...flags, include: patterns.length > 0 ? patterns : undefined };
  if (!flags.all && !chosen.include && !flags.class && !flags.code) {
    throw new XsyncError('usage', 'no failed objects were selected to give up', {
      remedy: 'give patterns of keys, --class, --code, or --all',
    });
  }
  const { openKnown } = await import('../../open/known.js');
  return onePair(io, flags, wanted, async (pair) => {
    const manifest = openKnown(pair);
    try {
      let dropped = 0;
      for await (const rows of chosenFailures(manifest, chosen)) {
        const keys = rows.flatMap((row) => (row.dropped ? [] : [row.key]));
        manifest.dropFailures(keys);
        dropped += keys.length;
      }
      log.say('notice', dropped > 0 ? `Gave up ${plural(dropped, 'object')}` : 'No failed object matches.');
      return 0;
    } finally {
      manifest.close();
    }
  });
}

const EXAMPLES = `
Examples:
  xsync failed
  xsync failed virginia:photos shanghai:photos --class person --explain
  xsync failed drop virginia:photos shanghai:photos '*.tmp'

For "failed drop", give the two paths of the pair first, or --manifest FILE.`;
