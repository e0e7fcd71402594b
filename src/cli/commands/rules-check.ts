/** `rules list` and `rules check`. Tests: test/cli/rules.test.ts */
import type { Finding } from '../../rules/graph.js';
import type { Rule } from '../../rules/rule.js';
import type { Context } from '../context.js';
import type { RulesFlags } from '../options.js';
import { formatDuration, plural } from '../render/format.js';
import { printable } from '../render/printable.js';
import { table } from '../render/table.js';

/** Prints the rules in the order in which they run. */
export async function listRules({ io, out }: Context, flags: RulesFlags & { json?: true }): Promise<void> {
  const [{ readRules }, { inOrder }] = await Promise.all([
    import('../../rules/read.js'),
    import('../../rules/rule.js'),
  ]);
  const rules = inOrder(await readRules({ rules: flags.rules, config: flags.config, env: io.env }));
  if (flags.json) {
    for (const rule of rules) await out.write(`${JSON.stringify(jsonOf(rule))}\n`);
    return;
  }
  if (rules.length === 0) return out.write('There are no rules. docs/rules.md shows how to write them.\n');
  const head = ['RULE', 'MODE', 'PRIORITY', 'WHEN', 'SOURCE', 'DESTINATION'];
  const rows = rules.flatMap((rule) =>
    rule.destinations.map((destination, index) => {
      const first = [rule.name, rule.mode, `${rule.priority}`, whenOf(rule), printable(rule.source)];
      return [...(index === 0 ? first : first.map(() => '')), printable(destination)];
    }),
  );
  await out.write(table([head, ...rows]));
}

function whenOf({ enabled, cron, options, mode }: Rule): string {
  if (!enabled) return 'disabled';
  const { interval, events } = options;
  const polls =
    cron?.expression ??
    `every ${formatDuration(typeof interval === 'number' ? interval : USUAL_MS).replace(/\.0s$/, 's')}`;
  return events === undefined || mode === 'move' ? polls : `${polls}, events`;
}

const USUAL_MS = 30_000;

function jsonOf({
  name,
  enabled,
  mode,
  priority,
  source,
  destinations,
  prefixes,
  historical,
  cron,
  rpoMs,
  options,
}: Rule) {
  return { name, enabled, mode, priority, source, destinations, prefixes, historical, cron, rpoMs, options };
}

/** Reads and checks all rules, and prints what they do to each other. @throws config */
export async function checkRules(context: Context, flags: RulesFlags): Promise<void> {
  const { prepareRules } = await import('../../open/rules.js');
  const { rules: file, config } = flags;
  const { rules, pairs, findings } = await prepareRules({ rules: file, config, env: context.io.env, runs: false });
  const disabled = rules.filter(({ enabled }) => !enabled).length;
  const lines = [
    `${plural(rules.length, 'rule')}${disabled > 0 ? ` (${disabled} disabled)` : ''}, ${plural(pairs.length, 'pair')}: no errors`,
    ...findings.map(findingText),
  ];
  await context.out.write(`${lines.map(printable).join('\n')}\n`);
}

/** Chains are as they should be, and are told only by `rules check`. */
export function warnOfFindings({ log }: Context, findings: readonly Finding[]): void {
  for (const finding of findings) {
    log.say(finding.type === 'overlap' ? 'notice' : 'info', printable(findingText(finding)));
  }
}

function findingText({ type, arcs }: Finding): string {
  const [first, second] = arcs;
  if (!first || !second) return '';
  if (type === 'chain') {
    return `chain: "${second.rule}" reads what "${first.rule}" writes to ${first.text.to}`;
  }
  const who =
    first.rule === second.rule ? `two destinations of "${first.rule}"` : `"${first.rule}" and "${second.rule}"`;
  return `overlap: ${who} write the same keys, to ${first.text.to} and ${second.text.to}; the last one to write a key wins`;
}
