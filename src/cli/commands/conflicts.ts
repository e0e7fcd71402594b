/** Tests: test/e2e/mirror.test.ts */

import { parseInteger } from '../../engine/job/values.js';
import type { ConflictRow } from '../../manifest/port.js';
import { reversedConflict } from '../../manifest/reversed.js';
import { isXsyncError, type XsyncError } from '../../model/error.js';
import { type Context, runCommand } from '../context.js';
import { flag, value } from '../define.js';
import { configOption, knownManifestOption, logOptions } from '../options.js';
import type { Program } from '../program.js';
import { namesOf, type PairFlags, type PairNames, pairsOf, tellBroken, wantedPair } from './pairs.js';

interface ConflictsFlags extends PairFlags {
  json?: true;
  open?: true;
  limit?: number;
}

const LIMIT = 1000;

export function addConflicts({ root, io, finish }: Program): void {
  const command = root
    .command('conflicts [a] [b]')
    .summary('list objects that had changed on both sides of a mirror')
    .description(
      'List the conflicts of a mirror, or of every mirror on this machine: the open ones, and the latest of the past, ' +
        'with the side that won and the name under which the loser is kept.',
    )
    .optionsGroup('Conflicts:')
    .addHelpText('after', EXAMPLES);
  flag(command, '--open', 'list only conflicts that are open');
  value(
    command,
    '--limit <n>',
    'maximum number of conflicts to list',
    (option, text) => parseInteger(option, text, { min: 1 }),
    [LIMIT],
  );
  flag(command, '--json', 'print JSON, one line per conflict (docs/json.md)');
  knownManifestOption(command);
  logOptions(command);
  configOption(command).action(async (a: string | undefined, b: string | undefined, flags: ConflictsFlags) => {
    const { json: _, ...log } = flags;
    finish(await runCommand(io, log, { bars: false }, (context) => listAll(context, flags, a, b)));
  });
}

async function listAll(
  context: Context,
  flags: ConflictsFlags,
  a: string | undefined,
  b: string | undefined,
): Promise<number> {
  const { out, log } = context;
  const { conflictJson, conflictLines } = await import('../render/conflicts.js');
  const broken: XsyncError[] = [];
  let left = flags.limit ?? LIMIT;
  let found = 0;
  for await (const { names, rows } of conflictsOf(context, flags, wantedPair(a, b), broken)) {
    const chosen = rows.filter(({ settledMs }) => !flags.open || settledMs === undefined).slice(0, left);
    left -= chosen.length;
    found += chosen.length;
    if (flags.json) await out.write(chosen.map((row) => `${conflictJson(names, row)}\n`).join(''));
    else await out.write(conflictLines(names, chosen).join(''));
  }
  if (found === 0 && broken.length === 0 && !flags.json) log.say('notice', 'There are no conflicts.');
  return tellBroken(context, broken);
}

/** A mirror has its conflicts in the manifest of either direction, whichever way it is named. */
async function* conflictsOf(
  { io }: Pick<Context, 'io'>,
  flags: ConflictsFlags,
  wanted: ReturnType<typeof wantedPair>,
  broken: XsyncError[],
): AsyncGenerator<{ names: PairNames; rows: ConflictRow[] }> {
  const limit = flags.open ? Number.MAX_SAFE_INTEGER : (flags.limit ?? LIMIT);
  let unknown: unknown;
  try {
    for await (const pair of pairsOf(io, flags, wanted, broken)) {
      yield { names: await namesOf(pair), rows: pair.manifest.conflicts.list(limit) };
    }
  } catch (error) {
    if (!wanted || !isXsyncError(error, 'bucket-not-found')) throw error;
    unknown = error;
  }
  if (!wanted || flags.manifest !== undefined) {
    if (unknown) throw unknown;
    return;
  }
  const { source, destination } = wanted;
  try {
    for await (const { manifest } of pairsOf(io, flags, { source: destination, destination: source })) {
      yield { names: { ...wanted, exact: false }, rows: manifest.conflicts.list(limit).map(reversedConflict) };
    }
  } catch (error) {
    if (!isXsyncError(error, 'bucket-not-found')) throw error;
    if (unknown) throw unknown;
  }
}

const EXAMPLES = `
Examples:
  xsync conflicts
  xsync conflicts virginia:photos shanghai:photos --open
  xsync conflicts virginia:photos shanghai:photos --json

See docs/mirror.md.`;
