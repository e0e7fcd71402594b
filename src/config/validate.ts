/** Validates remotes from any source against their schemas. Tests: test/config/load.test.ts */
import type * as z from 'zod';
import type { RemoteConfig } from '../store/backend.js';
import { didYouMean } from './nearest.js';
import { findBackend, isSecretKey, keysOf, NAME_RULE, REMOTE_NAME, REMOTE_TYPES } from './schema.js';

/** One remote before validation. */
export interface FoundRemote {
  name: string;
  value: unknown;
  /** Errors for unset environment variables that it refers to. */
  unset?: readonly string[];
  /** The position of a key, or of the remote when no key is given: `file:line:column` or a variable. */
  place(key: string | undefined, part: 'key' | 'value'): string;
}

export interface Problem {
  /** The invalid key; absent when the error concerns the remote as a whole. */
  key?: string;
  place: string;
  /** The error and the expected value, in one line. */
  message: string;
}

export type Validated = { config: RemoteConfig } | { problems: Problem[] };

export function validateRemote({ name, value, place }: FoundRemote): Validated {
  const problem = (key: string | undefined, part: 'key' | 'value', message: string) => ({
    problems: [{ key, place: place(key, part), message }],
  });
  if (!REMOTE_NAME.test(name))
    return problem(undefined, 'key', `"${name}" cannot be a remote's name; use ${NAME_RULE}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return problem(undefined, 'key', `remote "${name}" must have settings such as "type: s3"; found ${shown(value)}`);
  }
  const type = 'type' in value ? value.type : undefined;
  const types = REMOTE_TYPES.join(', ');
  if (type === undefined || type === null) {
    return problem(undefined, 'key', `remote "${name}" has no type; the types are ${types}`);
  }
  const backend = findBackend(type);
  if (backend === undefined) {
    const guess = typeof type === 'string' ? didYouMean(type, REMOTE_TYPES) : '';
    return problem(
      'type',
      'value',
      `remote "${name}" has the unknown type ${shown(type)}; the types are ${types}${guess}`,
    );
  }
  const parsed = backend.schema.safeParse(value);
  if (parsed.success) return { config: parsed.data };
  const context = { name, type: backend.type, known: keysOf(backend), lacks: backend.lacks ?? {}, value, place };
  const order = Object.keys(value);
  const problems = rootCauses(parsed.error.issues).flatMap((issue) => describeIssue(issue, context));
  return { problems: problems.sort((a, b) => order.indexOf(a.key ?? '') - order.indexOf(b.key ?? '')) };
}

/** A misspelled key often also breaks a rule across keys (zod: `custom`). Then only the spelling is reported. */
function rootCauses(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const misspelt = issues.some(({ code }) => code === 'unrecognized_keys');
  return misspelt ? issues.filter(({ code }) => code !== 'custom') : issues;
}

interface Context {
  name: string;
  type: string;
  known: readonly string[];
  lacks: Readonly<Record<string, string>>;
  value: object;
  place: FoundRemote['place'];
}

function describeIssue(issue: z.core.$ZodIssue, context: Context): Problem[] {
  const { name, type, known, lacks, place } = context;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const advice = Object.hasOwn(lacks, key) ? `; ${lacks[key]}` : didYouMean(key, known);
      const hint = advice || `; its keys are ${known.join(', ')}`;
      return {
        key,
        place: place(key, 'key'),
        message: `unknown key "${key}" in remote "${name}" of type ${type}${hint}`,
      };
    });
  }
  const key = issue.path[0] === undefined ? undefined : String(issue.path[0]);
  const whole = place(undefined, 'key');
  if (key === undefined) return [{ place: whole, message: `remote "${name}": ${issue.message}` }];
  const value = Object.entries(context.value).find(([candidate]) => candidate === key)?.[1];
  const rule = requirement(issue);
  if (value === undefined) return [{ key, place: whole, message: `remote "${name}" lacks ${key}: ${rule}` }];
  const found = isPrivate(key) ? '' : `; found ${shown(value)}`;
  const message = `${key} of remote "${name}"${rule.startsWith('must') ? '' : ':'} ${rule}${found}${advice(issue, value)}`;
  return [{ key, place: place(key, 'value'), message }];
}

const EXPECTED: Record<string, string> = {
  string: 'must be text',
  boolean: 'must be true or false',
  number: 'must be a number',
  int: 'must be a whole number',
  array: 'must be a list',
  object: 'must hold settings',
  record: 'must hold settings',
};

function requirement(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return EXPECTED[issue.expected] ?? `must be ${issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'invalid_union': {
      const first = issue.errors[0]?.[0];
      return first === undefined ? issue.message : requirement(first);
    }
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function advice(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'invalid_value' && typeof value === 'string') return didYouMean(value, issue.values.map(String));
  const unquoted = issue.code === 'invalid_type' && issue.expected === 'string';
  return unquoted && (typeof value === 'number' || typeof value === 'boolean') ? '; put it in quotes' : '';
}

function isPrivate(key: string): boolean {
  // Users may have pasted a secret in place of the ID. A proxy's address may contain a password.
  return isSecretKey(key) || key === 'access_key_id' || key === 'proxy';
}

/** The value for messages, without credentials in a URL. */
function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'settings';
  const text = JSON.stringify(value).replace(/[^/"]*@/, '***@');
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
