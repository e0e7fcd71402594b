/** Imports the remotes of an rclone.conf by the rules of the backends. */
import { XsyncError } from '../model/error.js';
import type { Backend } from '../store/backend.js';
import { type IniSection, parseIni } from '../store/ini.js';
import { BACKENDS } from '../store/registry.js';
import type { RemoteSettings } from './edit.js';
import { escapeReferences } from './references.js';
import { keysOf, NAME_RULE } from './schema.js';
import { validateRemote } from './validate.js';

export interface ImportedRemote {
  name: string;
  /** The name in the other tool. */
  original: string;
  /** As `addRemote` expects them. */
  settings: RemoteSettings;
  /** One sentence for each setting that was changed or omitted. */
  notes: string[];
}

export interface RemoteImport {
  remotes: ImportedRemote[];
  notImported: { name: string; reason: string }[];
}

/** @throws config: for an encrypted file and for lines that are not INI */
export function importRclone(text: string, file: string): RemoteImport {
  return collect(sectionsOf(text, file).map((section) => [section.name, importSection(section)]));
}

/** The remotes, and the reasons why others are left out, by their original names. */
export function collect(found: readonly (readonly [name: string, remote: ImportedRemote | string])[]): RemoteImport {
  const result: RemoteImport = { remotes: [], notImported: [] };
  for (const [original, imported] of found) {
    if (typeof imported === 'string') result.notImported.push({ name: original, reason: imported });
    else if (result.remotes.some(({ name }) => name === imported.name)) {
      const reason = `another remote has its name in xsync, "${imported.name}"`;
      result.notImported.push({ name: original, reason });
    } else result.remotes.push(imported);
  }
  return result;
}

function sectionsOf(text: string, file: string): IniSection[] {
  if (!/^RCLONE_ENCRYPT_V\d+:/m.test(text)) return parseIni(text, file, 'remote');
  throw new XsyncError('config', `${file} is encrypted by rclone`, {
    subject: file,
    remedy: 'Decrypt it first: run "(umask 077; rclone config show > plain.conf)", import plain.conf, then delete it.',
  });
}

/** Switches with the same meaning in xsync. */
const SAME_SWITCH = ['env_auth', 'force_path_style', 'requester_pays', 'copy_links'];

/** Settings that only tune rclone, or that xsync determines. They can be omitted without a note. */
const TUNING =
  /^(type|provider|description|chunk_size|copy_cutoff|upload_cutoff|upload_concurrency|max_upload_parts|list_\w+|memory_pool_\w+|no_\w+|disable_\w+|use_multipart_etag|use_presigned_request|use_accelerate_endpoint|leave_parts_on_error|encoding|decompress|might_gzip|sse_customer_algorithm|sse_customer_key_md5|version\w*)$/;

function importSection({ name, values }: IniSection): ImportedRemote | string {
  const kind = values.get('type');
  if (kind === undefined) return 'it has no type';
  const candidates = BACKENDS.filter(({ rclone }) => rclone?.type === kind);
  const backend =
    candidates.find(({ rclone }) => rclone?.owns?.(values)) ?? candidates.find(({ rclone }) => !rclone?.owns);
  if (!backend?.rclone) return `xsync does not support rclone's type "${kind}"`;
  const settings = backend.rclone.settings(values);
  return typeof settings === 'string' ? settings : importAs(backend, name, settings, values);
}

function importAs(
  backend: Backend,
  original: string,
  text: Readonly<Record<string, string>>,
  values: ReadonlyMap<string, string>,
): ImportedRemote | string {
  const known = keysOf(backend);
  const settings: Record<string, string | boolean> = { type: backend.type };
  for (const [key, value] of Object.entries(text)) {
    if (known.includes(key)) settings[key] = escapeReferences(value);
  }
  for (const key of SAME_SWITCH) {
    const value = values.get(key);
    if (known.includes(key) && value) settings[key] = value === 'true';
  }
  const named = nameRemote(original, settings);
  if (typeof named === 'string') return named;
  const { notes } = named;
  // An accelerated endpoint was converted to the switch `accelerate`.
  const done = (key: string) => key in settings || TUNING.test(key) || (key === 'endpoint' && 'accelerate' in settings);
  const left = [...values].filter(([key, value]) => value !== '' && !done(key));
  if (left.length > 0) notes.push(`Not imported: ${left.map(([key]) => key).join(', ')}.`);
  const { environmentNote } = backend.rclone ?? {};
  if (environmentNote !== undefined && settings.env_auth === true) notes.push(environmentNote);
  return named;
}

/** A remote whose name is valid here, or why its settings are not. */
export function nameRemote(original: string, settings: RemoteSettings): ImportedRemote | string {
  const name = original.replace(/[^A-Za-z0-9_.-]/g, '-').replace(/^-+/, '') || 'remote';
  const result = validateRemote({ name, value: settings, place: () => name });
  if ('problems' in result) return result.problems.map(({ message }) => message).join('; ');
  const notes = name === original ? [] : [`Renamed: a name may contain ${NAME_RULE}.`];
  return { name, original, settings, notes };
}
