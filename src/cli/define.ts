/** Declares an option for the command line, help and the environment. Tests: test/cli/options.test.ts */
import { type Command, Option } from 'commander';
import type { Parser } from '../engine/job/values.js';
import { XsyncError } from '../model/error.js';

function environmentName(option: Option): string {
  return `XSYNC_${option.name().toUpperCase().replaceAll('-', '_')}`;
}

/** An option with a value; `fallback` is its default and how help prints it. */
export function value<T>(
  command: Command,
  flags: string,
  description: string,
  parse: Parser<T>,
  fallback?: [value: T, shown?: string],
): Command {
  const option = new Option(flags, description);
  const variable = environmentName(option);
  // commander does not report where a value came from.
  const nameFor = (text: string): string => (process.env[variable] === text ? variable : (option.long ?? flags));
  option.argParser((text: string) => parse(nameFor(text), text));
  if (fallback !== undefined) option.default(...fallback);
  command.addOption(option.env(variable));
  return clearedByOff(command, option);
}

/**
 * An option that other commands have with another meaning, so that one variable cannot set both: none sets it. A value
 * has a parser.
 */
export function own<T>(
  command: Command,
  flags: string,
  description: string,
  parse?: Parser<T>,
  fallback?: T,
  shown?: string,
): Command {
  const option = new Option(flags, description);
  if (parse) option.argParser((text: string) => parse(option.long ?? flags, text));
  if (fallback !== undefined) option.default(fallback, shown);
  return clearedByOff(command.addOption(option), option);
}

/** commander turns a parser's undefined (`off`) into ''. */
function clearedByOff(command: Command, option: Option): Command {
  const name = option.attributeName();
  const clear = (source: 'cli' | 'env'): boolean => {
    const off = command.getOptionValue(name) === '';
    if (off) command.setOptionValueWithSource(name, undefined, source);
    return off;
  };
  command.on(`optionEnv:${option.name()}`, () => clear('env'));
  return command.on(`option:${option.name()}`, () => {
    // The environment must not replace an `off` of the command line.
    if (clear('cli')) option.envVar = undefined;
  });
}

/** A repeatable option; the order is kept. */
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

/** An option without a value. The environment can turn it on or off. */
export function flag(command: Command, flags: string, description: string): Command {
  return switchOption(command, new Option(flags, description));
}

export function negated(command: Command, flags: string, description: string): Command {
  const option = new Option(flags, description);
  return switchOption(command, option, `XSYNC_${flags.slice(2).toUpperCase().replaceAll('-', '_')}`);
}

function switchOption(command: Command, option: Option, variable = environmentName(option)): Command {
  const set = process.env[variable]?.toLowerCase();
  // commander treats any variable that is set as "on".
  if (set !== undefined && ON.includes(set)) option.env(variable);
  else if (set !== undefined && !OFF.includes(set)) {
    throw new XsyncError('usage', `${variable} is "${set}", which is neither true nor false`, { subject: variable });
  }
  return command.addOption(option);
}
