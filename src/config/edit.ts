/** Edits a config file: comments and order stay, and the file is replaced atomically with mode 0600. */
import { randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMap, stringify, YAMLMap } from 'yaml';
import { ABSENT, isErrno, reasonOf, unlessErrno } from '../model/errno.js';
import { XsyncError } from '../model/error.js';
import { makePrivateFolder } from '../native/folder.js';
import { ConfigDocument } from './document.js';
import { typedValue } from './environment.js';
import { unreadable } from './load.js';
import { didYouMean } from './nearest.js';
import { hasReference } from './references.js';
import { validateRemote } from './validate.js';

/** Settings as written in the file: `${NAME}` is a reference (see `escapeReferences` for literal text). */
export type RemoteSettings = Readonly<Record<string, string | number | boolean>>;

export interface AddOptions {
  /** Replace an existing remote of this name. */
  replace?: boolean;
}

/**
 * Writes a remote to the file, which is created when missing.
 * @throws config: when the settings are invalid, the name exists already, or the file is invalid
 */
export async function addRemote(
  file: string,
  name: string,
  given: RemoteSettings,
  options: AddOptions = {},
): Promise<void> {
  const settings = typedSettings(given);
  const problems = problemsOf(name, settings);
  if (problems.length > 0) throw new XsyncError('config', problems.join('\n'), { subject: name });
  const { document, names, target } = await openForChange(file);
  if (names.includes(name) && options.replace !== true) {
    throw new XsyncError('config', `${document.place(['remotes', name], 'key')}: the remote "${name}" exists already`, {
      subject: name,
      remedy: 'Choose another name, or set --replace.',
    });
  }
  // An empty `remotes:` is a null, which cannot take an entry.
  if (!isMap(document.yaml.get('remotes'))) document.yaml.set('remotes', new YAMLMap());
  document.yaml.setIn(['remotes', name], document.yaml.createNode({ ...settings }));
  await replaceFile(target, document.yaml.toString({ lineWidth: 0 }));
}

/** A rule's settings, under its name. */
export type NamedRules = readonly { name: string; settings: Readonly<Record<string, unknown>> }[];

/**
 * Writes rules to the file, which is created when missing. They are not validated.
 * @throws config: when a name exists already, or the file is invalid
 */
export async function addRulesTo(file: string, rules: NamedRules, options: AddOptions = {}): Promise<void> {
  const { document, target } = await openForChange(file);
  const taken = rules.find(({ name }) => document.yaml.hasIn(['rules', name]));
  if (taken !== undefined && options.replace !== true) {
    throw new XsyncError(
      'config',
      `${document.place(['rules', taken.name], 'key')}: the rule "${taken.name}" exists already`,
      {
        subject: taken.name,
        remedy: 'Remove it, or set --replace.',
      },
    );
  }
  if (!isMap(document.yaml.get('rules'))) document.yaml.set('rules', new YAMLMap());
  for (const { name, settings } of rules) {
    document.yaml.setIn(['rules', name], document.yaml.createNode({ ...settings }));
  }
  await replaceFile(target, document.yaml.toString({ lineWidth: 0 }));
}

/** As they would stand in a file. */
export function rulesText(rules: NamedRules): string {
  return stringify(
    { rules: Object.fromEntries(rules.map(({ name, settings }) => [name, settings])) },
    { lineWidth: 0 },
  );
}

/** @throws config: when the file has no such remote */
export async function removeRemote(file: string, name: string): Promise<void> {
  const { document, names, target } = await openForChange(file);
  if (!names.includes(name)) {
    const hint = didYouMean(name, names) || (names.length > 0 ? `; it has ${names.join(', ')}` : '; it has none');
    throw new XsyncError('config', `${file}: there is no remote "${name}"${hint}`, { subject: name });
  }
  document.yaml.deleteIn(['remotes', name]);
  await replaceFile(target, document.yaml.toString({ lineWidth: 0 }));
}

/** The errors of the settings. A value with a reference cannot be validated yet. */
function problemsOf(name: string, settings: RemoteSettings): string[] {
  const result = validateRemote({
    name,
    value: settings,
    place: (key) => (key === undefined ? name : `${name}.${key}`),
  });
  if ('config' in result) return [];
  const final = result.problems.filter(({ key }) => {
    const value = key === undefined ? undefined : settings[key];
    return !(typeof value === 'string' && hasReference(value));
  });
  return final.map(({ place, message }) => `${place}: ${message}`);
}

/** Converts text from the command line to the type of its key. */
function typedSettings(settings: RemoteSettings): RemoteSettings {
  const typed = Object.entries(settings).map(([key, value]) => {
    return [key, typeof value === 'string' ? typedValue(settings.type, key, value) : value] as const;
  });
  return Object.fromEntries(typed);
}

interface OpenConfig {
  document: ConfigDocument;
  names: string[];
  /** The file itself when `file` is a symbolic link. The link stays. */
  target: string;
}

async function openForChange(file: string): Promise<OpenConfig> {
  const { text, target } = await readOrEmpty(file);
  const document = new ConfigDocument(text, file);
  return { document, target, names: document.remotes(document.raw()).map(([name]) => name) };
}

async function readOrEmpty(file: string): Promise<{ text: string; target: string }> {
  try {
    const target = await realpath(file);
    return { target, text: await readFile(target, 'utf8') };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { target: file, text: '' };
    throw unreadable(file, error);
  }
}

async function replaceFile(target: string, text: string): Promise<void> {
  const folder = dirname(target);
  const temporary = join(folder, `.${basename(target)}.${randomBytes(6).toString('hex')}`);
  try {
    makePrivateFolder(folder);
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    // Its absence, and that of its folder, are what is wanted.
    await unlessErrno(ABSENT, rm(temporary));
    throw new XsyncError('config', `${target}: cannot write the config file: ${reasonOf(error)}`, {
      subject: target,
      remedy: 'Check --config and XSYNC_CONFIG, and the permissions of the folder.',
      cause: error,
    });
  }
}
