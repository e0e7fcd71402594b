/**
 * Proxies: which one an origin needs, from a remote's `proxy` or from the variables that curl, AWS's tools and Go know.
 * A proxy's user and password are in no message.
 */
import { BlockList, isIP } from 'node:net';
import { XsyncError } from '../../model/error.js';

export interface ProxyServer {
  protocol: 'http:' | 'https:' | 'socks5:';
  /** Without brackets. */
  host: string;
  port: number;
  /** `host:port`, for messages. */
  name: string;
  username: string;
  password: string;
  /** The variable that names it; absent: the remote does. */
  variable?: string;
}

const PROTOCOLS: Readonly<Record<string, ProxyServer['protocol']>> = {
  'http:': 'http:',
  'https:': 'https:',
  // The proxy resolves the server's name in all three forms.
  'socks5:': 'socks5:',
  'socks5h:': 'socks5:',
  'socks:': 'socks5:',
};
const PORTS: Readonly<Record<ProxyServer['protocol'], number>> = { 'http:': 80, 'https:': 443, 'socks5:': 1080 };

/** `[scheme://][user:password@]host[:port]`; the scheme is http by default. Undefined for anything else. */
export function parseProxy(text: string, variable?: string): ProxyServer | undefined {
  const full = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(full)) return undefined;
  const url = new URL(full);
  const protocol = PROTOCOLS[url.protocol];
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (protocol === undefined || host === '' || !/^\/?$/.test(url.pathname) || url.search !== '') return undefined;
  const port = Number(url.port) || PORTS[protocol];
  return {
    protocol,
    host,
    port,
    name: hostAndPort(host, port),
    username: decoded(url.username),
    password: decoded(url.password),
    ...(variable !== undefined && { variable }),
  };
}

/** Where it is set, for messages. */
export function originOfProxy({ variable }: ProxyServer): string {
  return variable ?? 'proxy of the remote';
}

/** `host:port`, with the brackets of an IPv6 address. */
export function hostAndPort(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** `Basic …`; undefined without a user. */
export function authorizationOf({ username, password }: ProxyServer): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The metadata services of AWS's and Alibaba's machines and containers: a proxy would ask another machine's. */
const METADATA = /^http:\/\/(169\.254\.\d+\.\d+|100\.100\.100\.200)(:\d+)?$/;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The choice of the proxy by origin. A remote's own `proxy` holds for all its servers (`none`: for no server).
 * @throws config: when a variable is set and is no proxy's address
 */
export function proxiesOf(given: string | undefined, env: Environment): (origin: string) => ProxyServer | undefined {
  if (given === 'none') return () => undefined;
  if (given !== undefined) {
    const proxy = parseProxy(given);
    return (origin) => (METADATA.test(origin) ? undefined : proxy);
  }
  const all = fromVariable(env, 'all_proxy', 'ALL_PROXY');
  const secure = fromVariable(env, 'https_proxy', 'HTTPS_PROXY') ?? all;
  // A CGI program's HTTP_PROXY may come from a request's header (https://httpoxy.org).
  const names = env.REQUEST_METHOD === undefined ? ['http_proxy', 'HTTP_PROXY'] : ['http_proxy'];
  const plain = fromVariable(env, ...names) ?? all;
  if (secure === undefined && plain === undefined) return () => undefined;
  const exempt = exemptions(env.no_proxy ?? env.NO_PROXY ?? '');
  return (origin) => {
    if (METADATA.test(origin)) return undefined;
    const { protocol, hostname, port } = new URL(origin);
    const proxy = protocol === 'https:' ? secure : plain;
    const at = Number(port) || (protocol === 'https:' ? 443 : 80);
    return proxy === undefined || exempt(hostname.replace(/^\[|\]$/g, ''), at) ? undefined : proxy;
  };
}

/** The first that is set and not empty; lower case goes first, as in curl. */
function fromVariable(env: Environment, ...names: readonly string[]): ProxyServer | undefined {
  for (const name of names) {
    const text = env[name]?.trim();
    if (!text) continue;
    const proxy = parseProxy(text, name);
    if (proxy !== undefined) return proxy;
    throw new XsyncError('config', `${name} is not the address of an http, https or socks5 proxy`, {
      subject: name,
      remedy: `Set ${name} to an address such as http://proxy.example:3128.`,
    });
  }
  return undefined;
}

/**
 * NO_PROXY: names (with their subdomains; a leading `.` or `*.` makes no difference), addresses, networks such as
 * `10.0.0.0/8`, each with `:port` or without, separated by commas or blanks; `*` is everything.
 */
function exemptions(text: string): (host: string, port: number) => boolean {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  const rules = entries.map((entry) => exemption(entry.toLowerCase()));
  return (host, port) => rules.some((rule) => rule(host.toLowerCase(), port));
}

function exemption(entry: string): (host: string, port: number) => boolean {
  if (entry === '*') return () => true;
  const network = /^\[?([\d.]+|[\da-f:.]+)\]?\/(\d+)$/.exec(entry);
  if (network) return inNetwork(network[1] ?? '', Number(network[2]));
  // A bare IPv6 address has colons and no port.
  const parts = isIP(entry) === 6 ? undefined : /^(.*?)(?::(\d+))?$/.exec(entry);
  const name = (parts?.[1] ?? entry).replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  const only = parts?.[2] === undefined ? undefined : Number(parts[2]);
  return (host, port) => {
    const same = host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
    return same && (only === undefined || only === port);
  };
}

function inNetwork(address: string, bits: number): (host: string) => boolean {
  const family = isIP(address);
  if (family === 0 || bits > (family === 4 ? 32 : 128)) return () => false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, bits, type);
  return (host) => isIP(host) === family && list.check(host, type);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A password with a bare percent sign.
    return text;
  }
}
