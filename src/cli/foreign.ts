/** Explains options and commands that xsync does not have, in the error for them. Tests: test/cli/foreign.test.ts */
import type { Command } from 'commander';
import { foreignCommand } from './foreign-commands.js';
import { foreignFamily, foreignOption } from './foreign-options.js';

/** Short options of rclone and ls that xsync has under no other name. */
const SHORT: Readonly<Record<string, string>> = { M: 'metadata', l: 'links', R: 'recursive', r: 'recursive' };

/**
 * The text of commander's error, with what is known of the option or command in it. The value of an unknown option is
 * left out: it may be a secret.
 * @param command that has the missing command or option below it
 * @param whole the tree with every command
 */
export function explained(command: Command, text: string, whole: () => Command): string {
  const option = /^error: unknown option '(-[^'=]*)/.exec(text)?.[1];
  if (option !== undefined) {
    const why = whyNoOption(whole(), option);
    return why === undefined ? text.replace(/^(error: unknown option '[^'=]*)=.*?'(?=\n)/s, "$1'") : said(option, why);
  }
  const name = /^error: unknown command '([^']+)'/.exec(text)?.[1];
  const known = foreignCommand(command.parent ? `${command.name()}/${name}` : `${name}`);
  return known === undefined ? text : `error: unknown command '${name}': ${known.text}\n`;
}

function said(option: string, why: string): string {
  return `error: unknown option '${option}': ${why}\n`;
}

function whyNoOption(root: Command, option: string): string | undefined {
  const name = option.startsWith('--') ? option.slice(2) : (SHORT[option.slice(1, 2)] ?? '');
  const known = foreignOption(name);
  if (known) return known.text;
  const owners = root.commands.filter(({ options }) => options.some(({ long }) => long === `--${name}`));
  if (owners.length === 0) return foreignFamily(name)?.text;
  return `it is an option of ${new Intl.ListFormat('en').format(owners.map((command) => command.name()))}`;
}
