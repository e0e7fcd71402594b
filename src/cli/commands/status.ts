/** Tests: test/cli/pairs.test.ts */
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { parseDuration, parseInterval } from '../../engine/job/values.js';
import type { XsyncError } from '../../model/error.js';
import { type Context, runCommand } from '../context.js';
import { flag, value } from '../define.js';
import { EXIT } from '../exit.js';
import { configOption, knownManifestOption, logOptions, rulesOption } from '../options.js';
import type { Program } from '../program.js';
import { printable } from '../render/printable.js';
import type { RuleStatus } from '../render/rules-status.js';
import { terminalWidth } from '../render/terminal.js';
import {
  isUrl,
  namesOf,
  PAIR_ARGUMENTS,
  type PairFlags,
  pairsOf,
  tellBroken,
  unreadText,
  wantedPair,
} from './pairs.js';

interface StatusFlags extends PairFlags {
  json?: true;
  /** Milliseconds, like `rpo`. */
  watch?: number;
  rpo?: number;
  rules?: string;
}

export function addStatus({ root, io, finish }: Program): void {
  const command = root
    .command(`status ${PAIR_ARGUMENTS}`)
    .summary('show how far pairs are synchronized')
    .description(
      'Show for a pair, or for every pair on this machine, how much is at the destination, up to when both sides are ' +
        'synchronized, what failed and how long changes take; for rules as a table. Reads only the manifests and makes ' +
        'no requests.',
    )
    .optionsGroup('Status:')
    .addHelpText('after', EXAMPLES);
  flag(command, '--json', 'print JSON, one line per pair (docs/json.md)');
  command.addOption(
    new Option('--watch [interval]', 'repeat until stopped (default: every 2s)')
      .preset('2s')
      .argParser((text: string) => parseInterval('--watch', text)),
  );
  value(command, '--rpo <duration>', 'exit with 1 if the destination is further behind than this', parseDuration);
  knownManifestOption(command);
  rulesOption(command);
  logOptions(command);
  configOption(command).action(
    async (source: string | undefined, destination: string | undefined, flags: StatusFlags) => {
      const { json: _, ...log } = flags;
      const body = async (context: Context): Promise<number> => {
        if (!isUrl(destination)) return show(context, flags, source, destination);
        return (await import('./outbox.js')).showProgress(context, flags, { source, url: destination });
      };
      finish(await runCommand(io, log, { bars: false }, body));
    },
  );
}

const SHORTEST_MS = 100;

async function show(
  context: Context,
  flags: StatusFlags,
  source: string | undefined,
  destination: string | undefined,
): Promise<number> {
  const wanted = wantedPair(source, destination);
  const { Screen } = await import('../render/status.js');
  const screen = new Screen(context.out.isTerminal && flags.watch !== undefined && !flags.json, context.io.stdout);
  for (;;) {
    const { text, late, broken, unread } = await report(context, flags, wanted);
    if (flags.watch === undefined) {
      await context.out.write(screen.draw(text));
      for (const notice of unread) context.log.say('notice', notice);
      return tellBroken(context, broken) || (late ? EXIT.other : EXIT.ok);
    }
    // Part of the screen: anything else would break the redraw.
    const notices = flags.json ? [] : [...broken.map(({ message }) => message), ...unread];
    const said = notices.map((notice) => `\nxsync: ${printable(notice)}\n`);
    await context.out.write(screen.draw(text + said.join('')));
    await sleep(Math.max(SHORTEST_MS, flags.watch));
  }
}

/**
 * `late`: a pair is further behind than `--rpo`. `broken`: errors of manifests that cannot be read. `unread`: what
 * cannot be read in the others, as sentences.
 */
async function report(
  { io, out }: Context,
  flags: StatusFlags,
  wanted: ReturnType<typeof wantedPair>,
): Promise<{ text: string; late: boolean; broken: XsyncError[]; unread: string[] }> {
  const { statusJson, statusLines } = await import('../render/status.js');
  const { colours } = await import('../render/colour.js');
  const { behindMs: lateBy, statusOf } = await import('../../engine/record/status.js');
  const { unreadable } = await import('../../engine/record/facts.js');
  const style = { chalk: colours(io.stdout, io.env), width: out.isTerminal ? terminalWidth(io.stdout) : 120 };
  const broken: XsyncError[] = [];
  const unread: string[] = [];
  const ruled = wanted === undefined && flags.manifest === undefined ? await rulesOf(io, flags) : [];
  let late = ruled.some(({ behindMs }) => behindMs > 0);
  let text = '';
  if (ruled.length > 0) {
    const { rulesTable } = await import('../render/rules-status.js');
    const shown = await withWholes(ruled);
    text = flags.json ? shown.map((each) => `${statusJson(each.shown)}\n`).join('') : rulesTable(shown, style.chalk);
  }
  // Whoever names a file of rules asks about them alone.
  const others = flags.rules !== undefined && ruled.length > 0 ? [] : pairsOf(io, flags, wanted, broken);
  for await (const pair of others) {
    if (ruled.some(({ shown }) => shown.manifest === pair.file)) continue;
    const status = statusOf(pair.manifest, io.now(), pair.atWork);
    const behindMs = flags.rpo === undefined ? 0 : lateBy(status, flags.rpo);
    late ||= behindMs > 0;
    unread.push(
      ...unreadable(pair.manifest).map((what) => `${unreadText(what, pair.file)}; the next run writes it again`),
    );
    const shown = { ...(await namesOf(pair)), manifest: pair.file, status, rpoMs: flags.rpo, behindMs };
    if (flags.json) text += `${statusJson(shown)}\n`;
    else text += `${text === '' ? '' : '\n'}${statusLines(shown, style).join('\n')}\n`;
  }
  if (text === '' && broken.length === 0 && !flags.json)
    text = 'No pair is known on this machine yet. The first copy creates one.\n';
  return { text, late, broken, unread };
}

type Ruled = RuleStatus & { name: string; shown: Parameters<StatusJson>[0] };
type StatusJson = typeof import('../render/status.js').statusJson;

/** The pairs of the rules that are enabled, in the order in which they run. @throws config */
async function rulesOf(io: Context['io'], { rules: file, config, rpo }: StatusFlags): Promise<Ruled[]> {
  const { readRules } = await import('../../rules/read.js');
  // Most people have none, and need not wait for what rules need.
  if ((await readRules({ rules: file, config, env: io.env })).length === 0) return [];
  const { prepareRules } = await import('../../open/rules.js');
  const { pairs } = await prepareRules({ rules: file, config, env: io.env, runs: false });
  if (pairs.length === 0) return [];
  const [{ withKnownPair }, { labelOf }, { behindMs: lateBy, statusOf }] = await Promise.all([
    import('../../open/rule-status.js'),
    import('../../rules/rule.js'),
    import('../../engine/record/status.js'),
  ]);
  const found: Ruled[] = [];
  for (const pair of pairs) {
    const { source, destination } = pair.job;
    const rule = labelOf(pair);
    const rpoMs = rpo ?? pair.rule.rpoMs;
    const known = await withKnownPair(pair, io.env, ({ file: manifest, manifest: rows, atWork }) => {
      const status = statusOf(rows, io.now(), atWork);
      const behindMs = rpoMs === undefined ? 0 : lateBy(status, rpoMs);
      return { rule, source, destination, manifest, status, rpoMs, behindMs };
    });
    const behindMs = known?.behindMs ?? (rpoMs === undefined ? 0 : Number.POSITIVE_INFINITY);
    found.push({
      rule,
      name: pair.rule.name,
      rpoMs,
      behindMs,
      status: known?.status,
      shown: known ?? { rule, source, destination, rpoMs, behindMs },
    });
  }
  return found;
}

/** Before the destinations of a rule with several: all of them together. */
async function withWholes(ruled: readonly Ruled[]): Promise<Ruled[]> {
  const { wholeOf } = await import('../../engine/record/whole.js');
  return ruled.flatMap((each, index) => {
    const { name } = each;
    const parts = ruled.filter((other) => other.name === name);
    if (parts.length === 1 || ruled[index - 1]?.name === name) return [each];
    const { rpoMs, shown } = each;
    const behindMs = Math.max(...parts.map((part) => part.behindMs));
    const whole = parts.some(({ status }) => status) ? wholeOf(parts.map(({ status }) => status)) : undefined;
    const destinations = parts.flatMap((part) => part.shown.destination ?? []);
    const line = { ...{ rule: name, rpoMs, behindMs, whole }, source: shown.source, destinations };
    return [{ rule: name, name, rpoMs, behindMs, whole, shown: line }, each];
  });
}

const EXAMPLES = `
Examples:
  xsync status
  xsync status virginia:photos shanghai:photos --watch
  xsync status virginia:photos shanghai:photos --rpo 15m || echo "behind"

See docs/status.md for the meaning of each figure.`;
