/**
 * The option kinds, with a constructor for each. The type of an option keeps its kind, and whether it has a default.
 * Tests: test/cli/job.test.ts
 */

export interface Described {
  /** As help shows it: `-c, --checksum`, `--part-size <size>`. */
  flags: string;
  /** One line. */
  description: string;
}

/** The kinds of values in a job. The command line parses how each one is typed. */
export type Kind =
  /** A number of bytes. */
  | 'size'
  /** Milliseconds. */
  | 'duration'
  /** Milliseconds, at least 100: the time between two repetitions. */
  | 'interval'
  /** A point in time, in milliseconds since 1970. */
  | 'instant'
  /** A whole number from 1 to 100,000. */
  | 'count'
  /** A number per second. */
  | 'rate'
  /** `{ up, down }` in bytes per second, or a timetable of them. */
  | 'bandwidth'
  /** `{ objects: 100 }` or `{ percent: 25 }`. */
  | 'count-or-percent'
  | 'text';

export type OptionSpec =
  | (Described & { kind: 'switch' })
  /** On unless its flag, `--no-…`, is given. `positive`: the flag that says so. */
  | (Described & { kind: 'negated'; positive?: Described })
  /** Any number of texts, in order. */
  | (Described & { kind: 'list' })
  | (Described & { kind: 'choice'; choices: readonly string[]; default: string })
  /** `shown` is how help prints the default. Sizes and durations with a default can be `off`. */
  | (Described & { kind: Kind; default?: number; shown?: string })
  /**
   * One field of a job for several mutually exclusive flags. `description` completes the remedy "choose one …"; an error
   * names the flags in `order`, if it differs from the order in help.
   */
  | {
      kind: 'one-of';
      description: string;
      default: string;
      choices: Readonly<Record<string, Described>>;
      order?: readonly string[];
    };

export type OptionTable = Readonly<Record<string, OptionSpec>>;

function plain<K extends OptionSpec['kind']>(kind: K) {
  return (flags: string, description: string) => ({ kind, flags, description });
}

function valued<K extends Kind>(kind: K) {
  type Plain = Described & { kind: K };
  type Full = Plain & { default?: number; shown?: string };
  function option(flags: string, description: string): Plain;
  function option(flags: string, description: string, fallback: number, shown?: string): Plain & { default: number };
  function option(flags: string, description: string, fallback?: number, shown?: string): Full {
    return { kind, flags, description, default: fallback, shown };
  }
  return option;
}

export const flag = plain('switch');
export const list = plain('list');

export function negated(flags: string, description: string, positive?: Described) {
  return { kind: 'negated' as const, flags, description, ...(positive && { positive }) };
}

export const text = plain('text');
export const instant = plain('instant');
export const rate = plain('rate');
export const bandwidth = plain('bandwidth');
export const countOrPercent = plain('count-or-percent');
export const size = valued('size');
export const duration = valued('duration');
export const interval = valued('interval');
export const count = valued('count');

export function choice<C extends string>(flags: string, description: string, choices: readonly C[], fallback: C) {
  return { kind: 'choice' as const, flags, description, choices, default: fallback };
}

export function oneOf<C extends string, D extends string>(
  description: string,
  fallback: D,
  choices: Readonly<Record<C, Described>>,
  order?: readonly C[],
) {
  return { kind: 'one-of' as const, description, default: fallback, choices, order };
}
