/** Finds, reads and validates the config. The environment overrides the file. */
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ABSENT, isErrno, reasonOf } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import type { RemoteConfig } from '../store/backend.js';
import { ConfigDocument } from './document.js';
import { type Override, overridesOf, typedValue, variableName } from './environment.js';
import { configHome } from './home.js';
import type { Environment } from './references.js';
import { type ClassRoute, readClassRoutes } from './storage-classes.js';
import { type FoundRemote, validateRemote } from './validate.js';

export interface Config {
  /** The file, whether or not it exists. */
  path: string;
  remotes: Record<string, RemoteConfig>;
  /** Remotes that refer to unset environment variables, each with the error for its use. */
  unset: Record<string, string>;
  /** Absent: the file has none. */
  classRoutes?: readonly ClassRoute[];
}

export interface LoadOptions {
  /** From --config; it must exist. */
  file?: string;
  env: Environment;
}

/** The absolute path: --config, else XSYNC_CONFIG, else `xsync/config.yaml` in XDG_CONFIG_HOME or ~/.config. */
export function configPath({ file, env }: LoadOptions): string {
  const named = file ?? (env.XSYNC_CONFIG || undefined);
  if (named !== undefined) return resolve(named);
  return join(configHome(env), 'xsync', 'config.yaml');
}

/**
 * The effective config. Without a file at the default path it is empty.
 * @throws config: the message has a line for each error, which starts with its position
 */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const path = configPath(options);
  const document = await readDocument(path, options.file !== undefined || Boolean(options.env.XSYNC_CONFIG));
  const found = withOverrides(document === undefined ? [] : remotesIn(document, options.env), options.env);
  const remotes: [string, RemoteConfig][] = [];
  const problems: string[] = [];
  const unset: [string, string][] = [];
  for (const remote of found) {
    if (remote.unset) {
      unset.push([remote.name, remote.unset.join('\n')]);
      continue;
    }
    const result = validateRemote(remote);
    if ('config' in result) remotes.push([remote.name, result.config]);
    else problems.push(...result.problems.map(({ place, message }) => `${place}: ${message}`));
  }
  const names = found.map(({ name }) => name);
  const routes = document && readClassRoutes(document.section(document.raw(), 'storage_classes'), names);
  for (const problem of routes?.problems ?? []) {
    problems.push(`${document?.place(['storage_classes'], 'key')}: storage_classes: ${problem}`);
  }
  if (problems.length > 0) throw new XsyncError('config', problems.join('\n'), { subject: path });
  const classRoutes = routes?.routes;
  return {
    ...{ path, remotes: Object.fromEntries(remotes), unset: Object.fromEntries(unset) },
    ...(classRoutes && { classRoutes }),
  };
}

/**
 * The file's document. @param required it must exist
 * @throws config: when it contains secrets and other users can read it
 */
export async function readDocument(path: string, required: boolean): Promise<ConfigDocument | undefined> {
  const file = await readPrivately(path);
  if (file === undefined) {
    if (!required) return undefined;
    throw new XsyncError('config', `${path}: config file not found`, {
      subject: path,
      remedy: 'Check --config and XSYNC_CONFIG, or create the file with "xsync config add".',
    });
  }
  refuseIni(file.text, path);
  const document = new ConfigDocument(file.text, path);
  const shared = file.mode & 0o077;
  if (process.platform !== 'win32' && shared !== 0 && document.holdsSecrets()) {
    const mode = (file.mode & 0o777).toString(8).padStart(4, '0');
    throw new XsyncError('config', `${path} contains secrets but is open to other users (mode ${mode})`, {
      subject: path,
      remedy: `Run: chmod 600 ${quoted(path)}`,
    });
  }
  return document;
}

/** Configs of rclone and ossutil begin with a section. @throws config */
function refuseIni(text: string, path: string): void {
  const first = text.split(/\r?\n/).find((line) => !/^\s*(?:[#;].*)?$/.test(line)) ?? '';
  if (!/^\s*\[[^\]]+\]\s*$/.test(first) && !/^RCLONE_ENCRYPT_V\d+:/m.test(text)) return;
  throw new XsyncError('config', `${path} is a config of another tool, such as rclone, and not of xsync`, {
    subject: path,
    remedy: `Run "xsync config import ${quoted(path)}", and leave out --config.`,
  });
}

/** The error for a config file that exists and cannot be read. */
export function unreadable(path: string, error: unknown): XsyncError {
  const reason = isErrno(error, 'EISDIR') ? 'it is a directory' : reasonOf(error);
  return new XsyncError('config', `${path}: cannot read the config file: ${reason}`, {
    subject: path,
    remedy: 'Check --config and XSYNC_CONFIG, and the permissions of the file and its folder.',
    cause: error,
  });
}

/** Text and mode, from one open file; undefined when there is none. */
async function readPrivately(path: string): Promise<{ text: string; mode: number } | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      const { mode } = await handle.stat();
      return { mode, text: await handle.readFile('utf8') };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isErrno(error, ...ABSENT)) return undefined;
    throw unreadable(path, error);
  }
}

function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** The remotes in a document, with `${NAME}` replaced. */
function remotesIn(document: ConfigDocument, env: Environment): FoundRemote[] {
  const { data, unset } = document.filled(env);
  return document.remotes(data).map(([name, value]) => ({
    name,
    unset: unset.get(name),
    value: typed(value, document, name),
    place: (key, part) => document.place(key === undefined ? ['remotes', name] : ['remotes', name, key], part),
  }));
}

/** Converts values from `${NAME}`, which are text, to the types of their keys. */
function typed(remote: unknown, document: ConfigDocument, name: string): unknown {
  if (typeof remote !== 'object' || remote === null || Array.isArray(remote)) return remote;
  const type = 'type' in remote ? remote.type : undefined;
  const entries = Object.entries(remote).map(([key, value]) => {
    return [key, document.wasReference(['remotes', name, key]) ? typedValue(type, key, String(value)) : value] as const;
  });
  return Object.fromEntries(entries);
}

function withOverrides(found: readonly FoundRemote[], env: Environment): FoundRemote[] {
  const overrides = overridesOf(
    env,
    found.map(({ name }) => name),
  );
  const names = new Set([...found.map(({ name }) => name), ...overrides.map(({ remote }) => remote)]);
  return [...names].map((name) => {
    const fromFile = found.find((remote) => remote.name === name);
    const own = overrides.filter(({ remote }) => remote === name);
    return own.length === 0 && fromFile ? fromFile : overridden(name, fromFile, own);
  });
}

function overridden(name: string, fromFile: FoundRemote | undefined, overrides: readonly Override[]): FoundRemote {
  const base = typeof fromFile?.value === 'object' && fromFile.value !== null ? fromFile.value : {};
  const type = overrides.find(({ key }) => key === 'type')?.value ?? ('type' in base ? base.type : undefined);
  const changes = overrides.map(({ key, value }) => [key, typedValue(type, key, value)] as const);
  return {
    name,
    value: { ...base, ...Object.fromEntries(changes) },
    place: (key, part) => {
      const variable = overrides.find((override) => override.key === key)?.variable;
      if (variable !== undefined) return variable;
      return fromFile?.place(key, part) ?? `XSYNC_CONFIG_${variableName(name)}_…`;
    },
  };
}
