/** Connects to Redis, and checks that a queue can be kept there. Tests: test/e2e/queue.redis.ts */
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { XsyncError } from '../model/error.js';
import type { QueueAddress } from './address.js';

export type Client = Redis | Cluster;

export interface ConnectOptions {
  /** Certificates (PEM) of further authorities. */
  ca?: readonly Buffer[];
  checkCertificate: boolean;
  /** The connection is lost, or is there again. */
  trouble(message: string | undefined): void;
}

/** BullMQ needs commands of this version. */
const LEAST_VERSION = [6, 2] as const;
/** To the first connection. */
const CONNECT_MS = 10_000;
const RETRY_MS = 1000;

/**
 * A connection that repairs itself, and repeats commands.
 * @throws unreachable, bad-credentials, config: the server is too old, or may evict keys
 */
export async function connectRedis(address: QueueAddress, options: ConnectOptions): Promise<Client> {
  const client = await clientOf(address, options);
  try {
    await ready(client, address);
    await refuseUnfit(client, address);
  } catch (error) {
    client.disconnect();
    throw error;
  }
  let lost = false;
  client.on('error', (error: Error) => {
    if (!lost) options.trouble(`${address.text}: ${error.message || 'the connection is lost'}; connecting again`);
    lost = true;
  });
  client.on('ready', () => {
    if (lost) options.trouble(undefined);
    lost = false;
  });
  return client;
}

async function clientOf(address: QueueAddress, { ca, checkCertificate }: ConnectOptions): Promise<Client> {
  const { Cluster, Redis } = await import('ioredis');
  const { kind, tls, hosts, username, password, db, master } = address;
  const common: RedisOptions = {
    ...{ username, password, db, lazyConnect: true },
    // A command waits until the server is there again.
    maxRetriesPerRequest: null,
    retryStrategy: () => RETRY_MS,
    ...(tls && { tls: { ca: ca && [...ca], rejectUnauthorized: checkCertificate } }),
  };
  if (kind === 'cluster') {
    return new Cluster([...hosts], { redisOptions: common, lazyConnect: true, clusterRetryStrategy: () => RETRY_MS });
  }
  if (kind === 'sentinel')
    return new Redis({ ...common, sentinels: hosts, name: master, enableTLSForSentinelMode: tls });
  return new Redis({ ...common, ...hosts[0] });
}

async function ready(client: Client, { text }: QueueAddress): Promise<void> {
  let last = 'it does not answer';
  const hear = (error: Error): void => {
    last = error.message || last;
  };
  client.on('error', hear);
  let timer: NodeJS.Timeout | undefined;
  const isReady = new Promise<boolean>((resolve) => {
    client.once('ready', () => resolve(true));
    timer = setTimeout(() => resolve(false), CONNECT_MS);
    // Not every failure to connect is an event.
    client.on('error', ({ message }: Error) => isRefusal(message) && resolve(false));
  });
  client.connect().catch(hear);
  const there = await isReady;
  clearTimeout(timer);
  client.removeAllListeners('error');
  client.on('error', () => undefined);
  if (there) return;
  const refused = isRefusal(last);
  throw new XsyncError(refused ? 'bad-credentials' : 'unreachable', `${text} cannot be used: ${last}`, {
    subject: text,
    remedy: refused ? 'Check the user name and the password.' : 'Check the address, and that the server runs.',
  });
}

function isRefusal(message: string): boolean {
  return /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)/.test(message);
}

async function refuseUnfit(client: Client, { text }: QueueAddress): Promise<void> {
  const [server, memory] = await Promise.all([client.info('server'), client.info('memory')]);
  const version = fieldOf(server, 'redis_version');
  if (version !== undefined && isOlder(version)) {
    throw new XsyncError('config', `${text} is Redis ${version}, which is too old for a queue`, {
      subject: text,
      remedy: `Use Redis ${LEAST_VERSION.join('.')} or later.`,
    });
  }
  const policy = fieldOf(memory, 'maxmemory_policy');
  if (policy === undefined || policy === 'noeviction' || fieldOf(memory, 'maxmemory') === '0') return;
  throw new XsyncError('config', `${text} may drop jobs when its memory is full: maxmemory-policy is ${policy}`, {
    subject: text,
    remedy: 'Set maxmemory-policy to noeviction.',
  });
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

export function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [most, least] = LEAST_VERSION;
  return major < most || (major === most && minor < least);
}
