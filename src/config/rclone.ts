/** Takes over the S3 and OSS remotes of an rclone.conf (rclone.org/s3). Secrets of that backend are not obscured. */
import { XsyncError } from '../model/error.js';
import type { RemoteSettings } from './edit.js';
import { escapeReferences } from './references.js';
import { keysOf, NAME_RULE, type RemoteType } from './schema.js';
import { validateRemote } from './validate.js';

export interface ImportedRemote {
  name: string;
  /** Its name in rclone. */
  original: string;
  /** For `addRemote`. */
  settings: RemoteSettings;
  /** What changed or was left out on the way, one sentence each. */
  notes: string[];
}

export interface RcloneImport {
  remotes: ImportedRemote[];
  notImported: { name: string; reason: string }[];
}

interface Section {
  name: string;
  line: number;
  values: Map<string, string>;
}

/** @throws XsyncError `config` for an encrypted file and for lines that are no ini. */
export function importRclone(text: string, file: string): RcloneImport {
  const result: RcloneImport = { remotes: [], notImported: [] };
  for (const section of parseIni(text, file)) {
    const imported = importSection(section);
    if (typeof imported === 'string') result.notImported.push({ name: section.name, reason: imported });
    else if (result.remotes.some(({ name }) => name === imported.name)) {
      result.notImported.push({
        name: section.name,
        reason: `its name in xsync, "${imported.name}", is taken by another`,
      });
    } else result.remotes.push(imported);
  }
  return result;
}

function parseIni(text: string, file: string): Section[] {
  if (/^RCLONE_ENCRYPT_V\d+:/m.test(text)) {
    throw new XsyncError('config', `${file} is encrypted by rclone`, {
      subject: file,
      remedy:
        'Decrypt it first: run "(umask 077; rclone config show > plain.conf)", import plain.conf, then delete it.',
    });
  }
  const sections: Section[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || /^[#;]/.test(line)) continue;
    const heading = /^\[(.+)\]$/.exec(line);
    const setting = /^([^=]+?)\s*=\s*(.*)$/.exec(line);
    const current = sections.at(-1);
    if (heading) sections.push({ name: heading[1] ?? '', line: index + 1, values: new Map() });
    else if (setting && current) current.values.set(setting[1] ?? '', setting[2] ?? '');
    else {
      const reason = setting ? 'a setting before the first [remote]' : 'neither [remote] nor key = value';
      throw new XsyncError('config', `${file}:${index + 1}: ${reason}`, { subject: file });
    }
  }
  return sections;
}

/** rclone's S3 settings that mean the same here. */
const SAME_TEXT = [
  'region',
  'endpoint',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'profile',
  'storage_class',
];
const SAME_SWITCH = ['env_auth', 'force_path_style', 'requester_pays', 'copy_links'];

/** Settings that only tune rclone, or that xsync decides for itself; nothing is lost by leaving them out. */
const TUNING =
  /^(type|provider|description|chunk_size|copy_cutoff|upload_cutoff|upload_concurrency|max_upload_parts|list_\w+|memory_pool_\w+|no_\w+|disable_\w+|use_multipart_etag|use_presigned_request|use_accelerate_endpoint|leave_parts_on_error|encoding|decompress|might_gzip|version\w*)$/;

/** rclone's providers that xsync has a preset for; the others are plain S3 (`other`). */
const PROVIDERS: Record<string, string> = {
  AWS: 'aws',
  Ceph: 'ceph',
  Cloudflare: 'r2',
  HuaweiOBS: 'obs',
  Minio: 'minio',
  TencentCOS: 'cos',
};

function importSection({ name, values }: Section): ImportedRemote | string {
  const kind = values.get('type');
  if (kind === undefined) return 'it has no type';
  if (kind === 'local') return importAs('local', name, {}, values);
  if (kind !== 's3') return `xsync has nothing like rclone's type "${kind}"`;
  const text = Object.fromEntries(
    SAME_TEXT.map((key) => [key, values.get(key) ?? '']).filter(([, value]) => value !== ''),
  );
  if (text.access_key_id === undefined && text.profile === undefined && values.get('env_auth') !== 'true') {
    return 'it has no credentials (rclone then reads public buckets anonymously), and xsync needs some';
  }
  const { endpoint = '', region } = text;
  if (values.get('provider') === 'Alibaba' || /\.aliyuncs\.com\b/.test(endpoint)) return importOss(name, text, values);
  const provider = PROVIDERS[values.get('provider') ?? ''] ?? 'other';
  const accelerated = provider === 'aws' && values.get('use_accelerate_endpoint') === 'true';
  const place = {
    provider: provider === 'aws' && region?.startsWith('cn-') ? 'aws-cn' : provider,
    ...(accelerated && { accelerate: 'on' }),
  };
  return importAs('s3', name, { ...place, ...text }, values);
}

/**
 * rclone reaches OSS in the S3 dialect, and accelerated by an endpoint; here it is OSS's own dialect, and acceleration
 * is a switch, because only the bytes go that way.
 */
function importOss(name: string, text: Record<string, string>, values: Section['values']): ImportedRemote | string {
  const { endpoint = '', region, ...rest } = text;
  const accelerated = /oss-accelerate(-overseas)?\.aliyuncs\.com/.exec(endpoint);
  const named = region?.replace(/^oss-/, '') ?? ossRegion(endpoint);
  if (named === undefined) {
    return `its endpoint "${endpoint}" does not tell the region, which OSS needs; add this remote by hand with its region`;
  }
  const place: Record<string, string> = accelerated
    ? { accelerate: 'on', accelerate_endpoint: accelerated[1] ? 'overseas' : 'global' }
    : { ...(endpoint && { endpoint: endpoint.replace(/^((?:https?:\/\/)?)s3\./, '$1') }) };
  return importAs('oss', name, { region: named, ...place, ...rest }, values);
}

function importAs(
  type: RemoteType,
  original: string,
  text: Readonly<Record<string, string>>,
  values: ReadonlyMap<string, string>,
): ImportedRemote | string {
  const known = keysOf(type);
  const settings: Record<string, string | boolean> = { type };
  for (const [key, value] of Object.entries(text)) {
    if (known.includes(key)) settings[key] = escapeReferences(value);
  }
  for (const key of SAME_SWITCH) {
    const value = values.get(key);
    if (known.includes(key) && value) settings[key] = value === 'true';
  }
  const name = original.replace(/[^A-Za-z0-9_.-]/g, '-').replace(/^-+/, '') || 'remote';
  const result = validateRemote({ name, value: settings, place: () => name });
  if ('problems' in result) return result.problems.map(({ message }) => message).join('; ');
  const notes = name === original ? [] : [`Renamed: a name holds ${NAME_RULE}.`];
  // An accelerated endpoint has become the switch `accelerate`.
  const done = (key: string) => key in settings || TUNING.test(key) || (key === 'endpoint' && 'accelerate' in settings);
  const left = [...values].filter(([key, value]) => value !== '' && !done(key));
  if (left.length > 0) notes.push(`Not taken over: ${left.map(([key]) => key).join(', ')}.`);
  if (type === 'oss' && settings.env_auth === true) {
    notes.push('env_auth reads OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (or ALIBABA_CLOUD_…), not AWS_….');
  }
  return { name, original, settings, notes };
}

/** The region in `oss-cn-hangzhou.aliyuncs.com`, `-internal` and the S3 dialect's host; not in accelerated ones. */
function ossRegion(endpoint: string): string | undefined {
  const region = /(?:^|\/|\.)oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com/.exec(endpoint)?.[1];
  return region?.startsWith('accelerate') ? undefined : region;
}
