/** How one option is declared: on the command line, in help and in the environment. */
import { type Command, Option } from 'commander';
import { XsyncError } from '../model/error.js';

function environmentName(option: Option): string {
  return `XSYNC_${option.name().toUpperCase().replaceAll('-', '_')}`;
}

/** Takes the option's name for its complaint. @throws XsyncError `usage` */
export type Parser<T> = (option: string, text: string) => T;

/** An option with a value; `fallback` is its default and how help spells that. */
export function value<T>(
  command: Command,
  flags: string,
  description: string,
  parse: Parser<T>,
  fallback?: [value: T, shown?: string],
): Command {
  const option = new Option(flags, description);
  const variable = environmentName(option);
  // commander does not tell where a value came from.
  const nameFor = (text: string): string => (process.env[variable] === text ? variable : (option.long ?? flags));
  option.argParser((text: string) => parse(nameFor(text), text));
  if (fallback !== undefined) option.default(...fallback);
  command.addOption(option.env(variable));
  return clearedByOff(command, option);
}

/** commander makes '' of a parser's undefined, which is what `off` means. */
function clearedByOff(command: Command, option: Option): Command {
  const name = option.attributeName();
  const clear = (source: 'cli' | 'env'): boolean => {
    const off = command.getOptionValue(name) === '';
    if (off) command.setOptionValueWithSource(name, undefined, source);
    return off;
  };
  command.on(`optionEnv:${option.name()}`, () => clear('env'));
  return command.on(`option:${option.name()}`, () => {
    // Off on the command line is a value too, which the environment must not replace.
    if (clear('cli')) option.envVar = undefined;
  });
}

/** An option that can be repeated; the order is kept. */
export function list(command: Command, flags: string, description: string): Command {
  const option = new Option(flags, description).argParser((text: string, before: string[] = []) => [...before, text]);
  return command.addOption(option.env(environmentName(option)));
}

export function choice(
  command: Command,
  flags: string,
  description: string,
  choices: readonly string[],
  fallback: string,
): Command {
  const option = new Option(flags, description).choices(choices).default(fallback);
  return command.addOption(option.env(environmentName(option)));
}

const ON = ['1', 'true', 'yes', 'on'];
const OFF = ['', '0', 'false', 'no', 'off'];

/** An option without a value. In the environment it can be switched off as well as on. */
export function flag(command: Command, flags: string, description: string): Command {
  return switchOption(command, new Option(flags, description));
}

export function negated(command: Command, flags: string, description: string): Command {
  const option = new Option(flags, description);
  return switchOption(command, option, `XSYNC_${flags.slice(2).toUpperCase().replaceAll('-', '_')}`);
}

function switchOption(command: Command, option: Option, variable = environmentName(option)): Command {
  const set = process.env[variable]?.toLowerCase();
  // commander takes a variable that exists for "on", whatever it says.
  if (set !== undefined && ON.includes(set)) option.env(variable);
  else if (set !== undefined && !OFF.includes(set)) {
    throw new XsyncError('usage', `${variable} is "${set}", which is neither true nor false`, { subject: variable });
  }
  return command.addOption(option);
}
