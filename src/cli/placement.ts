/** Options may stand before the command that they belong to, as in rclone: `xsync --config x copy a b`. */
import type { Command, Option } from 'commander';

const HELP = ['-h', '--help'];

/**
 * The arguments with the options in front of the command behind it, where commander expects them. Undefined when there
 * are only options.
 */
export function optionsBehindCommand(root: Command, argv: readonly string[]): string[] | undefined {
  const valued = valuedOptions(root, true);
  const plain = valuedOptions(root, false);
  const words: string[] = [];
  const front: string[] = [];
  let command = root;
  let at = 0;
  while (at < argv.length) {
    const token = argv[at] ?? '';
    if (token === '--version' && words.length === 0) return [token];
    if (isOption(token)) {
      // In some commands the option has a value, and in others none: then a command's name is not its value.
      const isValue = !plain.has(token) || !findCommand(root, argv[at + 1]);
      const end = at + (needsNext(token, valued) && isValue ? 2 : 1);
      front.push(...argv.slice(at, end));
      at = end;
      continue;
    }
    // The root's own command, which is not in the tree.
    if (token === 'help' && words.length === 0) return argv.slice(at);
    const next = findCommand(command, token);
    if (!next) break;
    words.push(token);
    command = next;
    at++;
    if (command.commands.length === 0) break;
  }
  if (words.length > 0) return [...words, ...front, ...argv.slice(at)];
  if (at < argv.length) return argv.slice(at);
  return front.find((token) => HELP.includes(token)) === undefined ? undefined : HELP.slice(0, 1);
}

function isOption(token: string): boolean {
  return token.startsWith('-') && token !== '-' && token !== '--';
}

/** `--config x`, `-f x` and `-vf x`, but not `--config=x` or `-fx`. */
function needsNext(token: string, valued: ReadonlySet<string>): boolean {
  if (token.startsWith('--')) return valued.has(token);
  const letters = [...token.slice(1)];
  return letters.findIndex((letter) => valued.has(`-${letter}`)) === letters.length - 1;
}

function findCommand(parent: Command, name: string | undefined): Command | undefined {
  return parent.commands.find((each) => each.name() === name);
}

/** The names of all options that have a value in some command, or have none. */
function valuedOptions(root: Command, has: boolean): ReadonlySet<string> {
  const options = everyCommand(root).flatMap(({ options: own }) => own as readonly Option[]);
  const names = options.filter(({ required }) => required === has).flatMap(({ long, short }) => [long, short]);
  return new Set(names.filter((name) => name !== undefined && name !== null));
}

/** The command and all below it. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
