/** The address of a queue. */
import { isIP } from 'node:net';
import { XsyncError } from '../model/error.js';

export interface QueueAddress {
  kind: 'single' | 'sentinel' | 'cluster';
  tls: boolean;
  hosts: { host: string; port: number }[];
  username?: string;
  password?: string;
  /** Of a single server, or behind Sentinel. */
  db: number;
  /** Name of the master, of Sentinel. */
  master?: string;
  /** Without a secret, for messages. */
  text: string;
}

const REMEDY =
  'Write redis://HOST:6379, rediss:// for TLS, redis+sentinel://HOST,HOST/MASTER or redis+cluster://HOST,HOST.';
const SCHEME = /^(rediss?)(\+sentinel|\+cluster)?:\/\//;

/** @throws usage; without the text, which may have a password */
export function parseQueue(text: string, name = '--queue'): QueueAddress {
  const scheme = SCHEME.exec(text);
  const rest = scheme ? text.slice(scheme[0].length) : '';
  const at = rest.lastIndexOf('@');
  const [hosts = '', ...path] = rest.slice(at + 1).split('/');
  const kind = scheme?.[2] === undefined ? 'single' : scheme[2] === '+sentinel' ? 'sentinel' : 'cluster';
  const list = hosts.split(',').map((host) => parseHost(host, kind === 'sentinel' ? 26_379 : 6379));
  const master = kind === 'sentinel' ? (path.shift() ?? '') : undefined;
  const [db = ''] = path;
  const known = list.every((host) => host !== undefined);
  const single = kind !== 'single' || list.length === 1;
  if (!scheme || !known || !single || path.length > 1 || !/^\d{0,4}$/.test(db) || master === '') {
    throw new XsyncError('usage', `${name} is not the address of a Redis server`, { subject: name, remedy: REMEDY });
  }
  if (kind === 'cluster' && Number(db) > 0) {
    throw new XsyncError('usage', `${name}: a cluster has only the database 0`, { subject: name });
  }
  return {
    ...{ kind, tls: scheme[1] === 'rediss', hosts: list.filter((host) => host !== undefined), db: Number(db) },
    ...credentials(at < 0 ? undefined : rest.slice(0, at), name),
    ...(master !== undefined && { master }),
    text: `${scheme[0]}${hosts}${master === undefined ? '' : `/${master}`}${db === '' ? '' : `/${db}`}`,
  };
}

function parseHost(text: string, usual: number): { host: string; port: number } | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]\s?#]+))(?::(\d{1,5}))?$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3] ?? usual);
  if (host === undefined || port > 65_535 || (parts?.[1] !== undefined && isIP(host) !== 6)) return undefined;
  return { host, port };
}

function credentials(text: string | undefined, name: string): Pick<QueueAddress, 'username' | 'password'> {
  if (text === undefined) return {};
  const colon = text.indexOf(':');
  try {
    const username = decodeURIComponent(colon < 0 ? text : text.slice(0, colon));
    const password = colon < 0 ? undefined : decodeURIComponent(text.slice(colon + 1));
    return { ...(username !== '' && { username }), ...(password !== undefined && { password }) };
  } catch {
    const remedy = 'Write % as %25 in the user name and the password.';
    throw new XsyncError('usage', `${name}: the user name or the password is not percent-encoded`, { remedy });
  }
}
