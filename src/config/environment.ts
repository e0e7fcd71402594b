/**
 * `XSYNC_CONFIG_<REMOTE>_<KEY>` defines or overrides remotes, for example XSYNC_CONFIG_LAB_ENDPOINT.
 * Tests: test/config/load.test.ts
 */
import { XsyncError } from '../model/error.js';
import { BACKENDS } from '../store/registry.js';
import { didYouMean } from './nearest.js';
import type { Environment } from './references.js';
import { findBackend, keysOf } from './schema.js';

const PREFIX = 'XSYNC_CONFIG_';

export interface Override {
  variable: string;
  /** The name of the file's remote that it overrides, else the new remote's name in lower case. */
  remote: string;
  key: string;
  value: string;
}

/**
 * The overrides in the environment. Empty variables count as absent; those that end in no known key are somebody else's.
 * @throws config: for a variable that matches two remotes
 */
export function overridesOf(env: Environment, remotes: readonly string[]): Override[] {
  const overrides: Override[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || value === undefined || value === '') continue;
    const found = target(variable, remotes);
    if (found) overrides.push({ variable, value, ...found });
  }
  return overrides;
}

/** Whether a variable sets a key of some remote. */
export function isOverride(variable: string): boolean {
  return variable.startsWith(PREFIX) && target(variable, []) !== undefined;
}

/** `; did you mean "endpoint"?` for XSYNC_CONFIG_LAB_ENDPONT; empty for a variable that is far from every key. */
export function keyHint(variable: string): string {
  const [, word = ''] = /^XSYNC_CONFIG_[^_]+_(.+)$/.exec(variable) ?? [];
  return didYouMean(word.toLowerCase(), KEYS);
}

/** A remote's name as part of a variable: `my-lab` becomes MY_LAB. */
export function variableName(remote: string): string {
  return remote.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}

/** Longest first: `accelerate_endpoint` before `endpoint`. */
const KEYS = [...new Set(BACKENDS.flatMap(keysOf))].sort((a, b) => b.length - a.length);

function target(variable: string, remotes: readonly string[]): { remote: string; key: string } | undefined {
  const rest = variable.slice(PREFIX.length);
  const splits = KEYS.filter((key) => rest.endsWith(`_${key.toUpperCase()}`))
    .map((key) => ({ key, word: rest.slice(0, -key.length - 1) }))
    .filter(({ word }) => word !== '');
  for (const { key, word } of splits) {
    const [remote, second] = remotes.filter((name) => variableName(name) === word);
    if (second !== undefined) {
      throw new XsyncError('config', `${variable} fits both remotes "${remote}" and "${second}"; rename one of them`);
    }
    if (remote !== undefined) return { remote, key };
  }
  const [longest] = splits;
  if (longest) return { remote: longest.word.toLowerCase(), key: longest.key };
  return undefined;
}

/**
 * Converts text from the environment to the type of its key. Text that does not fit stays text, which the validation
 * reports.
 */
export function typedValue(type: unknown, key: string, text: string): string | number | boolean {
  const field = Object.entries(findBackend(type)?.schema.shape ?? {}).find(([name]) => name === key)?.[1];
  const typed = /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : Number(text);
  return field?.safeParse(typed).success ? typed : text;
}
