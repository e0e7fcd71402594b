/** The values of a rule, from YAML to what a job takes. Tests: test/rules/read.test.ts */
import type { OptionSpec } from '../engine/job/option.js';
import { PARSERS, parseDuration } from '../engine/job/values.js';
import { toXsyncError } from '../model/error.js';
import { type OwnKey, SHAPES } from './keys.js';

type Values = Readonly<Record<string, unknown>>;

/** What is wrong with a rule, at one of its keys or as a whole. */
export class Wrong extends Error {
  readonly key: string | undefined;
  readonly part: 'key' | 'value';

  constructor(key: string | undefined, part: 'key' | 'value', message: string) {
    super(message);
    this.key = key;
    this.part = part;
  }
}

/** The error of a job's schema names its field. */
export function ofRule(error: unknown): Wrong {
  if (error instanceof Wrong) return error;
  const { message, remedy, subject } = toXsyncError(error);
  return new Wrong(subject, 'value', remedy === undefined ? message : `${message}; ${remedy}`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Kinds of which a number without a unit means one thing on the command line, and another in a program. */
const WITH_UNIT = ['size', 'duration', 'interval', 'instant', 'bandwidth'];

/** The value of an option in a job. @throws Wrong, usage */
export function optionValue(key: string, value: unknown, option: OptionSpec): unknown {
  const { kind } = option;
  switch (kind) {
    case 'switch':
    case 'negated':
      return flagOf(key, value);
    case 'list':
      return listOf(key, value);
    case 'choice':
      return wordOf(key, value, option.choices);
    case 'one-of':
      return wordOf(key, value, [...Object.keys(option.choices), option.default]);
    default:
  }
  if (typeof value !== 'string' && typeof value !== 'number') throw mustBe(key, SHAPES[kind], value);
  const text = String(value).trim();
  if (WITH_UNIT.includes(kind) && /^[\d.]+$/.test(text) && Number(text) !== 0) throw mustBe(key, SHAPES[kind], value);
  const parsed = PARSERS[kind](key, text);
  // A parser returns undefined for "off", which must not turn into the default.
  return parsed ?? ('default' in option && option.default !== undefined ? 'off' : undefined);
}

/** The values of the keys that only rules have; undefined: not given. All of them throw Wrong. */
export const own = {
  text(values: Values, key: OwnKey): string {
    const value = values[key];
    if (value === undefined || value === null || value === '') throw new Wrong(undefined, 'key', `lacks ${key}`);
    if (typeof value !== 'string') throw mustBe(key, 'text', value);
    return value;
  },
  flag: (values: Values, key: OwnKey): boolean | undefined => given(values, key, (value) => flagOf(key, value)),
  list: (values: Values, key: OwnKey): string[] | undefined => given(values, key, (value) => listOf(key, value)),
  integer: (values: Values, key: OwnKey): number | undefined =>
    given(values, key, (value) => {
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
      throw mustBe(key, 'a whole number', value);
    }),
  duration: (values: Values, key: OwnKey): number | undefined =>
    given(values, key, (value) => {
      if (typeof value !== 'string' || /^[\d.]+$/.test(value)) throw mustBe(key, SHAPES.duration, value);
      return parseDuration(key, value);
    }),
  choice: <C extends string>(values: Values, key: OwnKey, choices: readonly C[]): C | undefined =>
    given(values, key, (value) => wordOf(key, value, choices)),
};

function given<T>(values: Values, key: OwnKey, read: (value: unknown) => T): T | undefined {
  return values[key] === undefined ? undefined : read(values[key]);
}

/** A reference to a variable makes text. */
function flagOf(key: string, value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw mustBe(key, SHAPES.switch, value);
}

function listOf(key: string, value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item !== 'string' || item === '') throw mustBe(key, 'a text, or a list of texts', item);
    return item;
  });
}

function wordOf<C extends string>(key: string, value: unknown, choices: readonly C[]): C {
  const word = choices.find((choice) => choice === value);
  if (word !== undefined) return word;
  throw mustBe(key, `one of ${choices.join(', ')}`, value);
}

function mustBe(key: string, what: string, value: unknown): Wrong {
  const shown = typeof value === 'object' && value !== null ? 'settings' : JSON.stringify(value);
  return new Wrong(key, 'value', `${key} must be ${what}; found ${Array.isArray(value) ? 'a list' : shown}`);
}
