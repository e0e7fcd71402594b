/** The JSON Schema of rules for editors, from the tables that the program reads. Tests: test/config/schema.test.ts */
import type { OptionSpec } from '../engine/job/option.js';
import { isOwnKey, OPTIONS, OWN_KEYS, type OwnKey, RULE_MODES } from './keys.js';

type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: 'string' };
const TEXTS: Schema = { type: 'array', items: TEXT, minItems: 1 };
const FLAG: Schema = { type: 'boolean' };
const WITH_UNIT: Schema = { type: 'string', not: { pattern: '^[1-9][0-9.]*$' } };
const NUMBER: Schema = { type: ['number', 'string'] };

const OF_KIND: Readonly<Record<Exclude<OptionSpec['kind'], 'choice' | 'one-of'>, Schema>> = {
  switch: FLAG,
  negated: FLAG,
  list: { anyOf: [TEXT, TEXTS] },
  text: TEXT,
  size: WITH_UNIT,
  duration: WITH_UNIT,
  interval: WITH_UNIT,
  instant: WITH_UNIT,
  bandwidth: WITH_UNIT,
  count: NUMBER,
  'count-or-auto': NUMBER,
  rate: NUMBER,
  'count-or-percent': NUMBER,
};

const OWN: Readonly<Record<OwnKey, Schema>> = {
  source: TEXT,
  destination: { anyOf: [TEXT, TEXTS] },
  mode: { enum: RULE_MODES },
  enabled: FLAG,
  priority: { type: 'integer' },
  prefixes: { anyOf: [TEXT, TEXTS] },
  historical: FLAG,
  schedule: TEXT,
  timezone: TEXT,
  rpo: WITH_UNIT,
};

/** The section `rules` of a config. */
export function rulesSchema(): object {
  const own = Object.entries(OWN).map(([key, schema]) => {
    return [key, { ...schema, ...(isOwnKey(key) && { description: OWN_KEYS[key] }) }];
  });
  const options = Object.entries(OPTIONS).map(([key, option]) => [key, schemaOf(option)]);
  return {
    description: 'Rules for "xsync run" and "xsync serve", by name (docs/rules.md)',
    type: 'object',
    propertyNames: { pattern: '^[A-Za-z0-9_.][A-Za-z0-9_.-]*$' },
    additionalProperties: {
      type: 'object',
      properties: Object.fromEntries([...own, ...options]),
      required: ['source', 'destination'],
      additionalProperties: false,
    },
  };
}

function schemaOf(option: OptionSpec): object {
  const { description } = option;
  if (option.kind === 'one-of') {
    return { enum: [option.default, ...Object.keys(option.choices)], description };
  }
  if (option.kind === 'choice') return { enum: option.choices, description };
  return { ...OF_KIND[option.kind], description };
}
