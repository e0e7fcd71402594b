/** Declares the options of a job as flags, and builds a job from the flags. */
import { type Command, Option } from 'commander';
import type { JobOf, Mode } from '../engine/job/job.js';
import type { OptionSpec, OptionTable } from '../engine/job/option.js';
import { MODES } from '../engine/job/options.js';
import { PARSERS } from '../engine/job/values.js';
import { XsyncError } from '../model/error.js';
import { choice, flag, list, negated, value } from './define.js';

/** Declares the options of a table. */
export function options(command: Command, table: OptionTable): Command {
  for (const option of Object.values(table)) declare(command, option);
  return command;
}

function declare(command: Command, option: OptionSpec): Command {
  switch (option.kind) {
    case 'switch':
      return flag(command, option.flags, option.description);
    case 'negated':
      negated(command, option.flags, option.description);
      return option.positive ? flag(command, option.positive.flags, option.positive.description) : command;
    case 'list':
      return list(command, option.flags, option.description);
    case 'choice':
      return choice(command, option.flags, option.description, option.choices, option.default);
    case 'one-of':
      for (const { flags, description } of Object.values(option.choices)) flag(command, flags, description);
      return command;
    default: {
      const { flags, description, kind, default: fallback, shown } = option;
      return value(command, flags, description, PARSERS[kind], fallback === undefined ? undefined : [fallback, shown]);
    }
  }
}

/**
 * The job that the flags of a command describe. Flags that are not options of a job are ignored.
 * @throws usage when flags contradict each other
 */
export async function jobOf<M extends Mode>(
  mode: M,
  places: { source: string; destination: string; single?: boolean },
  flags: object,
): Promise<JobOf<M>> {
  const given = new Map<string, unknown>(Object.entries(flags));
  const table: OptionTable = MODES[mode];
  const fields = Object.entries(table).map(([name, option]) => [name, givenOf(name, option, given)]);
  const { parseJob } = await import('../engine/job/job.js');
  return parseJob(mode, { ...Object.fromEntries(fields), ...places }, (field) => flagOf(table[field]) ?? field);
}

function givenOf(name: string, option: OptionSpec, given: ReadonlyMap<string, unknown>): unknown {
  if (option.kind === 'one-of') return chosenOf(option, given);
  const value = given.get(name);
  // A parser returns undefined for "off", which must not turn into the default.
  const isOff = value === undefined && given.has(name) && 'default' in option && option.default !== undefined;
  return isOff ? 'off' : value;
}

/** @throws usage */
function chosenOf(
  { choices, description, order = Object.keys(choices) }: Extract<OptionSpec, { kind: 'one-of' }>,
  given: ReadonlyMap<string, unknown>,
): string | undefined {
  const chosen = order.flatMap((name) => {
    const option = new Option(choices[name]?.flags ?? '');
    return given.get(option.attributeName()) ? [{ name, flag: option.long ?? name }] : [];
  });
  const [first, second] = chosen;
  if (first && second) {
    const message = `${chosen.map(({ flag }) => flag).join(' and ')} contradict each other`;
    throw new XsyncError('usage', message, { subject: first.flag, remedy: `choose one ${description}` });
  }
  return first?.name;
}

function flagOf(option: OptionSpec | undefined): string | undefined {
  return option && 'flags' in option ? (new Option(option.flags).long ?? undefined) : undefined;
}
