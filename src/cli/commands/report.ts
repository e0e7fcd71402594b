/** Tests: test/cli/pairs.test.ts */
import { writeFile } from 'node:fs/promises';
import { XsyncError } from '../../model/error.js';
import type { KnownPair } from '../../open/known.js';
import { VERSION } from '../../version.js';
import { type Context, runCommand } from '../context.js';
import { flag, value } from '../define.js';
import { configOption, knownManifestOption, logOptions } from '../options.js';
import { unwritten } from '../output.js';
import type { Program } from '../program.js';
import type { ListedRun } from '../render/report-list.js';
import { terminalWidth } from '../render/terminal.js';
import { namesOf, type PairFlags, pairsOf, tellBroken, unreadText, wantedPair } from './pairs.js';

interface ReportFlags extends PairFlags {
  list?: true;
  output?: string;
}

export function addReport({ root, io, finish }: Program): void {
  const command = root
    .command('report [run] [source] [destination]')
    .summary('write an HTML report of a run')
    .description(
      'Write an HTML page about a run, by ID or the latest: what was copied and how fast, what failed and why, how ' +
        'objects were verified, and the cost. The page needs no network and no scripts.',
    )
    .optionsGroup('Report:')
    .addHelpText('after', EXAMPLES);
  value(command, '-o, --output <file>', 'write to FILE (default: standard output)', (_option, text) => text);
  flag(command, '--list', 'list the runs');
  knownManifestOption(command);
  logOptions(command);
  configOption(command).action(async () => {
    const flags = command.opts<ReportFlags>();
    const { run, pair } = runAndPair(command.args, flags);
    const body = (context: Context): Promise<number> => (flags.list ? listRuns : write)(context, flags, run, pair);
    finish(await runCommand(io, flags, { bars: false }, body));
  });
}

const LATEST = 'latest';

/** `[run]`, `[source destination]` or all three. */
function runAndPair(
  args: readonly string[],
  { list }: ReportFlags,
): { run: string; pair: ReturnType<typeof wantedPair> } {
  const [a, b, c] = args;
  if (a === undefined || b === undefined) {
    if (a !== undefined && list) wantedPair(a, b);
    return { run: a ?? LATEST, pair: undefined };
  }
  return c === undefined ? { run: LATEST, pair: wantedPair(a, b) } : { run: a, pair: wantedPair(b, c) };
}

async function write(
  context: Context,
  flags: ReportFlags,
  id: string,
  wanted: ReturnType<typeof wantedPair>,
): Promise<number> {
  const { io, out, log } = context;
  const { reportPage } = await import('../render/report.js');
  const { readRun } = await import('../../engine/record/facts.js');
  const { outcomeOf } = await import('../../engine/record/status.js');
  const broken: XsyncError[] = [];
  let latestMs = Number.NEGATIVE_INFINITY;
  let page: string | XsyncError | undefined;
  for await (const pair of pairsOf(io, flags, wanted, broken)) {
    const run = id === LATEST ? pair.manifest.runs(1)[0] : pair.manifest.run(id);
    if (!run || run.startedMs <= latestMs) continue;
    latestMs = run.startedMs;
    const detail = readRun(run);
    const names = await namesOf(pair);
    page = detail
      ? reportPage({ ...names, run, detail, outcome: outcomeOf(run, pair.atWork), version: VERSION })
      : unreadableRun(run.id, pair.file);
  }
  const code = tellBroken(context, broken);
  if (page === undefined) throw noRun(id);
  if (page instanceof XsyncError) throw page;
  if (flags.output === undefined || flags.output === '-') await out.write(page);
  else {
    await save(flags.output, page);
    log.say('notice', `Report written to ${flags.output}`);
  }
  return code;
}

function noRun(id: string): XsyncError {
  const message = id === LATEST ? 'no run is known yet' : `no run ${JSON.stringify(id)} is known`;
  return new XsyncError('object-not-found', message, { subject: id, remedy: 'xsync report --list lists the runs' });
}

function unreadableRun(id: string, file: string): XsyncError {
  return new XsyncError('not-readable', unreadText(`the report of run ${id}`, file), {
    subject: id,
    remedy: 'xsync report --list lists the other runs; xsync status shows what is at the destination',
  });
}

async function save(file: string, page: string): Promise<void> {
  try {
    // Keys may be confidential.
    await writeFile(file, page, { mode: 0o600 });
  } catch (error) {
    throw unwritten(`the report ${file}`, file, 'check --output, its folder and permissions', error);
  }
}

const RUNS = 500;

async function listRuns(
  context: Context,
  flags: ReportFlags,
  _run: string,
  wanted: ReturnType<typeof wantedPair>,
): Promise<number> {
  const { io, out, log } = context;
  const { runTable } = await import('../render/report-list.js');
  const broken: XsyncError[] = [];
  const rows: ListedRun[] = [];
  for await (const pair of pairsOf(io, flags, wanted, broken)) rows.push(...(await runsOf(pair, log)));
  rows.sort((a, b) => b.run.startedMs - a.run.startedMs);
  const pairs = wanted === undefined && flags.manifest === undefined;
  await out.write(
    runTable(rows, { pairs, ...(out.isTerminal && { width: terminalWidth(io.stdout) }) })
      .map((line) => `${line}\n`)
      .join(''),
  );
  return tellBroken(context, broken);
}

async function runsOf(pair: KnownPair, log: Context['log']): Promise<ListedRun[]> {
  const { readRun } = await import('../../engine/record/facts.js');
  const { outcomeOf } = await import('../../engine/record/status.js');
  const { source, destination } = await namesOf(pair);
  const runs = pair.manifest.runs(RUNS).map((run) => {
    return { source, destination, run, summary: readRun(run)?.summary, outcome: outcomeOf(run, pair.atWork) };
  });
  const lost = runs.flatMap(({ run, summary }) => (summary ? [] : [run.id]));
  if (lost.length > 0) log.say('notice', unreadText(`the report of run ${lost.join(', ')}`, pair.file));
  return runs;
}

const EXAMPLES = `
Examples:
  xsync report -o report.html
  xsync report --list
  xsync report 11d8dbe73154 -o report.html
  xsync report latest virginia:photos shanghai:photos > report.html`;
