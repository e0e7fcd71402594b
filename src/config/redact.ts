/** Redacts a config for display. Tests: test/config/load.test.ts */
import type { Config } from './load.js';
import { isSecretKey } from './schema.js';

export interface RedactedConfig {
  path: string;
  remotes: Record<string, Record<string, unknown>>;
}

/** Masks secrets, keeps the last four characters of access key IDs, and replaces unusable remotes with the reason. */
export function redact(config: Config): RedactedConfig {
  const remotes = Object.entries(config.remotes).map(([name, remote]) => {
    const shown = Object.entries(remote).map(([key, value]) => [key, redactValue(key, value)] as const);
    return [name, Object.fromEntries(shown)] as const;
  });
  const unset = Object.entries(config.unset).map(([name, complaint]) => [name, { unusable: complaint }] as const);
  return { path: config.path, remotes: Object.fromEntries([...remotes, ...unset]) };
}

function redactValue(key: string, value: unknown): unknown {
  if (isSecretKey(key)) return value === undefined ? undefined : '***';
  if (typeof value !== 'string') return value;
  if (key === 'proxy') return withoutCredentials(value);
  if (key !== 'access_key_id') return value;
  // Four characters would be most of a short ID.
  return value.length >= 12 ? `***${value.slice(-4)}` : '***';
}

/** Everything up to the last `@`: a password may contain slashes. */
function withoutCredentials(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@');
}
