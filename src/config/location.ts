/** Parses locations: `remote:bucket/prefix`, `s3://bucket/prefix` and other schemes, and local paths. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { XsyncError } from '../model/error.js';
import type { Backend, RemoteConfig } from '../store/backend.js';
import { BACKENDS, BARE_PATHS } from '../store/registry.js';
import type { Config } from './load.js';
import { didYouMean } from './nearest.js';
import { backendOf, REMOTE_NAME } from './schema.js';
import { refuseTypedSecrets, withoutSecrets } from './typed-secrets.js';

export interface ConfiguredLocation {
  remote: RemoteConfig;
  /** The remote's name; the scheme for a URL; the type for a local path. */
  name: string;
  /** The bucket; for local disk the absolute path of the directory or file. */
  bucket: string;
  /** The key or prefix in the bucket, verbatim; empty for local disk. */
  path: string;
  /** The location as typed. */
  text: string;
}

const SCHEMES = BACKENDS.flatMap(({ scheme }) => scheme ?? []);
const OF_BUCKETS = BACKENDS.flatMap(({ scheme, paths }) => (paths ? [] : (scheme ?? [])));
const EXAMPLE = `Write remote:bucket/prefix, ${OF_BUCKETS.map((scheme) => `${scheme}://bucket/prefix`).join(', ')} or a local path.`;

/**
 * Keys are not normalized: `lab:b//x/../y` means the key `/x/../y`. A local path with a colon before its first slash
 * must start with `./`.
 * @throws usage: for unknown remotes, missing buckets, and secrets in the text
 */
export function parseLocation(text: string, config: Config, cwd = '.'): ConfiguredLocation {
  if (text === '') throw new XsyncError('usage', 'a location is empty', { remedy: EXAMPLE });
  refuseTypedSecrets(text);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text);
  if (scheme) return inBucket(text, ...byScheme(text, (scheme[1] ?? '').toLowerCase(), config), scheme[2] ?? '');
  const colon = text.indexOf(':');
  const slash = text.indexOf('/');
  if (colon < 0 || (slash >= 0 && slash < colon)) {
    refuseRemoteWithoutColon(text, config, cwd);
    const { type: name } = BARE_PATHS;
    return { remote: impliedRemote(name, BARE_PATHS, config), name, bucket: resolve(cwd, text), path: '', text };
  }
  const name = text.slice(0, colon);
  const remote = named(text, name, config);
  const rest = text.slice(colon + 1);
  if (!backendOf(remote).paths) return inBucket(text, name, remote, rest);
  return { remote, name, bucket: resolve(cwd, rest), path: '', text };
}

/** A remote without a bucket: `lab:` or `s3://`. Undefined for every other location. @throws usage, config */
export function parseRemote(text: string, config: Config): Pick<ConfiguredLocation, 'name' | 'remote'> | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/$/.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    const [name, remote] = byScheme(text, scheme, config);
    return { name, remote };
  }
  if (!/^[^/:]+:$/.test(text)) return undefined;
  const name = text.slice(0, -1);
  const remote = named(text, name, config);
  return backendOf(remote).buckets === undefined ? undefined : { name, remote };
}

/** `rgw` or `rgw/bucket`, which is no local path yet and names a remote. @throws usage */
function refuseRemoteWithoutColon(text: string, config: Config, cwd: string): void {
  const [name = '', ...rest] = text.split('/');
  if (!Object.hasOwn(config.remotes, name) || existsSync(resolve(cwd, name))) return;
  throw new XsyncError('usage', `"${text}" has no colon, and there is a remote "${name}"`, {
    subject: text,
    remedy: `Write ${name}:${rest.join('/') || 'BUCKET'} for the remote, or ./${text} for a local path.`,
  });
}

function inBucket(text: string, name: string, remote: RemoteConfig, rest: string): ConfiguredLocation {
  const slash = rest.indexOf('/');
  const bucket = backendOf(remote).bucketIn?.(rest) ?? (slash < 0 ? rest : rest.slice(0, slash));
  if (bucket === '') {
    const start = text.includes('://') ? `${name}://` : `${name}:`;
    const why = rest.startsWith('/') ? 'has a "/" where its bucket should start' : 'has no bucket';
    throw new XsyncError('usage', `"${text}" ${why}`, {
      subject: text,
      remedy: `Write ${start}BUCKET or ${start}BUCKET/PREFIX.`,
    });
  }
  // Without the slash after the bucket.
  return { remote, name, bucket, path: rest.slice(bucket.length + 1), text };
}

function byScheme(text: string, scheme: string, config: Config): [name: string, remote: RemoteConfig] {
  const backend = BACKENDS.find((known) => known.scheme === scheme);
  if (backend !== undefined) return [scheme, impliedRemote(scheme, backend, config)];
  const remedy = scheme === 'file' ? 'Write a local path as it is, without file://.' : EXAMPLE;
  const known = new Intl.ListFormat('en').format(SCHEMES.map((name) => `${name}://`));
  const shown = withoutSecrets(text);
  throw new XsyncError('usage', `"${shown}": ${scheme}:// is not a known scheme; the schemes are ${known}`, {
    subject: shown,
    remedy,
  });
}

/** The config's remote with this name and type, so that a config can define `s3://`; else the environment's remote. */
function impliedRemote(name: string, { type, schema, implied }: Backend, config: Config): RemoteConfig {
  refuseUnset(name, config);
  const configured = Object.hasOwn(config.remotes, name) ? config.remotes[name] : undefined;
  return configured?.type === type ? configured : schema.parse({ type, ...implied });
}

function named(text: string, name: string, config: Config): RemoteConfig {
  refuseUnset(name, config);
  const remote = Object.hasOwn(config.remotes, name) ? config.remotes[name] : undefined;
  if (remote !== undefined) return remote;
  const asPath = `A local path with a colon is written ./${text}`;
  if (!REMOTE_NAME.test(name)) {
    const message =
      name === ''
        ? `"${text}" starts with a colon: the remote's name is missing`
        : `"${name}" in "${text}" cannot be a remote's name`;
    throw new XsyncError('usage', message, { subject: text, remedy: `${EXAMPLE} ${asPath}.` });
  }
  const names = Object.keys(config.remotes);
  const known =
    names.length > 0 ? `the config ${config.path} has ${names.join(', ')}` : `the config ${config.path} has none`;
  const hint = SCHEMES.includes(name)
    ? `; did you mean "${name}://${text.slice(name.length + 1)}"?`
    : didYouMean(name, names);
  throw new XsyncError('usage', `there is no remote "${name}"; ${known}${hint}`, {
    subject: text,
    remedy: `${asPath}.`,
  });
}

function refuseUnset(name: string, config: Config): void {
  const complaint = Object.hasOwn(config.unset, name) ? config.unset[name] : undefined;
  if (complaint !== undefined) throw new XsyncError('config', complaint, { subject: config.path });
}
