/**
 * Reads the configuration of ossutil, version 1 (`[Credentials]`, `[Bucket-Endpoint]`, `[Bucket-Cname]`, `[AkService]`)
 * and version 2 (`[default]`, `[profile NAME]`). Sources: "Configure ossutil" of both versions.
 * Tests: test/config/import.test.ts
 */
import type { ForeignRemote, ForeignRules } from '../backend.js';
import type { IniSection } from '../ini.js';
import { endpointOrigin, regionOfEndpoint } from './endpoint.js';

export const ossutilRules: ForeignRules = {
  // Each section of an rclone.conf has a type.
  owns: (text) => /^\s*\[(credentials|default|profile [^\]]+)\]\s*$/im.test(text) && !/^\s*type\s*=/m.test(text),
  remotes(sections) {
    const all = new Map(sections.map((section) => [headingOf(section), valuesOf(section)]));
    const first = all.get('credentials');
    return first === undefined ? secondVersion(all) : firstVersion(first, all);
  },
};

/** Keys without case, hyphens and underscores: version 2 accepts `accessKeyId`, `access-key-id`, `access_key_id`, … */
type Values = ReadonlyMap<string, string>;

function headingOf({ name }: IniSection): string {
  const heading = name.trim();
  return /^(?:credentials|default|bucket-endpoint|bucket-cname|akservice)$/i.test(heading)
    ? heading.toLowerCase()
    : heading.replace(/^profile\s+default$/i, 'default');
}

function valuesOf({ name, values }: IniSection): Values {
  // The keys of these sections are names of buckets.
  if (/^bucket-(endpoint|cname)$/i.test(name.trim())) return values;
  const plain = [...values].map(([key, value]) => [key.toLowerCase().replace(/[-_]/g, ''), value] as const);
  return new Map(plain.filter(([, value]) => value !== ''));
}

/** The remote `oss`, which `oss://` then uses as ossutil does, and one for each bucket that has an address of its own. */
function firstVersion(credentials: Values, all: ReadonlyMap<string, Values>): ForeignRemote[] {
  const service = /\/security-credentials\/([^/]+)\/?$/i.exec(all.get('akservice')?.get('ecsak') ?? '')?.[1];
  const values = new Map(credentials);
  if (service !== undefined) values.set('mode', 'EcsRamRole').set('ecsrolename', service);
  const endpoints = all.get('bucket-endpoint') ?? new Map<string, string>();
  const cnames = all.get('bucket-cname') ?? new Map<string, string>();
  const buckets = [...new Set([...endpoints.keys(), ...cnames.keys()])];
  const ownRemote = (bucket: string): ForeignRemote => {
    const [endpoint, cname] = [endpoints.get(bucket), cnames.get(bucket)];
    const own = new Map(values).set('endpoint', cname ?? endpoint ?? '');
    const region = regionIn(endpoint) ?? values.get('region') ?? regionIn(values.get('endpoint'));
    if (region !== undefined) own.set('region', region);
    if (cname !== undefined) own.set('addressingstyle', 'cname');
    const remote = remoteOf(bucket, own);
    if ('reason' in remote) return remote;
    return { ...remote, notes: [...remote.notes, `Only for this bucket: ${bucket}:${bucket}.`] };
  };
  return [remoteOf('oss', values), ...buckets.map(ownRemote)];
}

function secondVersion(all: ReadonlyMap<string, Values>): ForeignRemote[] {
  return [...all].map(([heading, values]) => {
    const profile = heading === 'default' ? 'oss' : /^profile\s+(.+)$/i.exec(heading)?.[1];
    if (profile === undefined) return { name: heading, reason: 'it is not a profile' };
    const source = values.get('sourceprofile');
    const inherited = source === undefined ? undefined : (all.get(source) ?? all.get(`profile ${source}`));
    if (source !== undefined && !inherited)
      return { name: profile, reason: `its source_profile "${source}" does not exist` };
    return remoteOf(profile, new Map([...(inherited ?? []), ...values]));
  });
}

/** Settings with the same meaning, and those that only tune ossutil or say how it looks. */
const NAMES: Readonly<Record<string, string>> = {
  region: 'region',
  endpoint: 'endpoint',
  accesskeyid: 'access_key_id',
  accesskeysecret: 'secret_access_key',
  ststoken: 'session_token',
  ecsrolename: 'ecs_role',
  ramrolename: 'ecs_role',
  rolearn: 'role_arn',
  ramrolearn: 'role_arn',
  rolesessionname: 'role_session_name',
  externalid: 'role_external_id',
  oidcproviderarn: 'oidc_provider_arn',
  oidctokenfilepath: 'oidc_token_file',
  oidctokenfile: 'oidc_token_file',
  credentialsuri: 'credentials_uri',
  credentialuri: 'credentials_uri',
  credentialprocess: 'credential_process',
  processcommand: 'credential_process',
};
const IGNORED =
  /^(mode|language|outputdir|outputformat|loglevel|retrytimes|readtimeout|connecttimeout|sourceprofile|addressingstyle|signversion|signatureversion|useragent|stsregion|maxupspeed|maxdownspeed|parallel|jobs)$/;

/** The settings that each mode uses: others may be left over from another mode. */
const OF_MODE: Readonly<Record<string, readonly string[]>> = {
  AK: ['access_key_id', 'secret_access_key'],
  StsToken: ['access_key_id', 'secret_access_key', 'session_token'],
  RamRoleArn: [
    'access_key_id',
    'secret_access_key',
    'session_token',
    'role_arn',
    'role_session_name',
    'role_external_id',
  ],
  EcsRamRole: ['ecs_role'],
  OIDC: ['role_arn', 'role_session_name', 'oidc_provider_arn', 'oidc_token_file'],
  CredentialsURI: ['credentials_uri'],
  Process: ['credential_process'],
};
const ANY_MODE = new Set(Object.values(OF_MODE).flat());

function remoteOf(name: string, values: Values): ForeignRemote {
  const mode = modeOf(values);
  const used = OF_MODE[mode];
  if (used === undefined) return { name, reason: `xsync does not support the mode ${mode}` };
  const settings: Record<string, string | boolean> = {};
  for (const [key, value] of values) {
    const ours = NAMES[key];
    if (ours !== undefined && (!ANY_MODE.has(ours) || used.includes(ours))) settings[ours] = value;
  }
  const region = settings.region ?? regionIn(values.get('endpoint'));
  if (typeof region !== 'string') return { name, reason: 'it names no region, which V4 signatures need' };
  if (values.get('addressingstyle')?.toLowerCase() === 'cname') settings.cname = true;
  const left = [...values.keys()].filter((key) => NAMES[key] === undefined && !IGNORED.test(key));
  const notes = left.length > 0 ? [`Not imported: ${left.join(', ')}.`] : [];
  if (used.some((key) => settings[key] !== undefined)) return { name, settings: { region, ...settings }, notes };
  if (mode !== 'EcsRamRole') return { name, reason: 'it has no credentials' };
  return {
    name,
    settings: { region, ...settings, env_auth: true },
    notes: [...notes, 'Names no role: the environment is asked first. Set ecs_role to use only the role.'],
  };
}

/** As the table spells it: the CLI calls a program External. */
function modeOf(values: Values): string {
  const mode = values.get('mode') ?? (values.has('ststoken') ? 'StsToken' : 'AK');
  const plain = mode.toLowerCase().replace(/^external$/, 'process');
  return Object.keys(OF_MODE).find((known) => known.toLowerCase() === plain) ?? mode;
}

function regionIn(endpoint = ''): string | undefined {
  const origin = endpointOrigin(endpoint);
  return origin && regionOfEndpoint(origin);
}
