/** `rules import`. Tests: test/cli/rules.test.ts */
import { readFile } from 'node:fs/promises';
import { reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { ImportedRule } from '../../rules/import/draft.js';
import type { Context } from '../context.js';
import type { RulesFlags } from '../options.js';
import { plural } from '../render/format.js';
import { printable } from '../render/printable.js';
import { table } from '../render/table.js';

export type ImportFlags = RulesFlags & { source: string; destination?: string; replace?: true; dryRun?: true };

/** Says what becomes of each line of a vendor's configuration, and writes rules. @throws config */
export async function importInto({ io, out, log }: Context, flags: ImportFlags, file: string): Promise<void> {
  const [{ importRules }, { addRulesTo, rulesText }, { configPath }] = await Promise.all([
    import('../../rules/import/import.js'),
    import('../../config/edit.js'),
    import('../../config/load.js'),
  ]);
  const { source, destination } = flags;
  const { vendor, rules } = importRules(await textOf(file), { file, source, destination });
  const told = rules.map((rule) => ruleText(rule, vendor)).join('\n');
  if (flags.dryRun) return out.write(`${told}\n${rulesText(rules)}`);
  const target = flags.rules ?? configPath({ file: flags.config, env: io.env });
  await addRulesTo(target, rules, { replace: flags.replace === true });
  await out.write(told);
  log.say('notice', `Added ${plural(rules.length, 'rule')} to ${target}; check them with "xsync rules check"`);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const message = `${file}: cannot read the replication configuration: ${reasonOf(error)}`;
    throw new XsyncError('config', message, { subject: file, remedy: 'Check the path.', cause: error });
  }
}

function ruleText({ name, notes }: ImportedRule, vendor: string): string {
  const head = [`${vendor}, RULE ${name}`, 'BECOMES', ''];
  const rows = notes.map(({ at, verdict, text }) => [printable(at), verdict, printable(text)]);
  return table([head, ...rows]);
}
