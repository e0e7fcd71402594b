/** The two ends of a bridge, as services. Tests: test/e2e/bridge.test.ts */
import type { Identity } from '../../bridge/identity.js';
import type { ServiceMeans } from '../../bridge/pull/pull.js';
import type { RunEvent } from '../../engine/events.js';
import { type ListenAddress, parseListenAddress } from '../../inbound/address.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import { type Context, type Io, runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import { jobOf } from '../job.js';
import type { LogFlags, ObserveFlags } from '../options.js';
import { type Service, serve } from '../service.js';

interface BridgeFlags extends LogFlags, ObserveFlags {
  secretFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  clientCa?: string;
  clientCert?: string;
  attempts: number;
  delete?: true;
  allowHost?: string[];
  allowPrivate?: string[];
}

export interface PullFlags extends BridgeFlags {
  listen: string;
  name: string;
  queueLimit: number;
  allowCallback?: string[];
  rate?: number;
  auditLog?: string;
}

export interface PushFlags extends BridgeFlags {
  /** Milliseconds; absent for `off`. */
  expire?: number;
  interval?: number;
  events?: string;
  maxDelete?: number;
  allowEmptySource?: true;
  backfill?: true;
  once?: true;
  listen?: string;
  callback?: string;
}

const LONGEST_S = 7 * 24 * 3600;

/** @param relays the host is neither side's */
export function pullCommand(io: Io, destination: string, flags: PullFlags, relays = false): Promise<number> {
  return asService(io, flags, async (context, service) => {
    const { log } = context;
    const [{ runPull }, { Identity }] = await Promise.all([
      import('../../bridge/pull/pull.js'),
      import('../../bridge/identity.js'),
    ]);
    const { listen, name, queueLimit: limit, rate, attempts, auditLog } = flags;
    const { allowHost = [], allowPrivate = [], allowCallback = [] } = flags;
    const places = { source: `bridge://${name}`, destination };
    const report = (event: RunEvent): void => {
      service.hear(event);
      if (isTold(event)) log.report(event);
    };
    // What a ticket says is gone is deleted only if a sync may delete it.
    const job = flags.delete
      ? await jobOf('sync', places, transferFlags(flags))
      : await jobOf('copy', places, transferFlags(flags));
    const trust = { allowHost: [...allowHost, ...allowPrivate], allowPrivate, allowCallback };
    const at = parseListenAddress('--listen', listen);
    const identity = new Identity(flags, io.env, { certified: flags.clientCa !== undefined });
    rereading(identity, log, service);
    await runPull(
      { job, listen: at, identity, trust, limit, rate, attempts, auditLog, relays },
      { ...meansOf(io, log, service), report, observe: observing(flags, places, context) },
    );
    return service.interrupted ? EXIT.interrupted : EXIT.ok;
  });
}

export function pushCommand(io: Io, source: string, url: string, flags: PushFlags): Promise<number> {
  return asService(io, flags, async (context, service) => {
    const { log } = context;
    const [{ runPush }, { Identity }, { openChanges }] = await Promise.all([
      import('../../bridge/push/push.js'),
      import('../../bridge/identity.js'),
      import('../../open/changes.js'),
    ]);
    const { expire = LONGEST_S * 1000, interval, events, attempts, maxDelete, once = false, backfill = false } = flags;
    const there = otherEnd(url);
    const isOpen = isReadable(there);
    const expiresS = Math.floor(expire / 1000);
    if (expiresS < 60 || expiresS > LONGEST_S) {
      throw new XsyncError('usage', '--expire is not from 1m to 7d', { subject: '--expire' });
    }
    const ends = { source, destination: url };
    const job = await jobOf('copy', ends, transferFlags(flags));
    const deletes = flags.delete && { max: maxDelete, allowEmpty: flags.allowEmptySource === true };
    const hearing = hearingOf(flags);
    const asksCertificates = !hearing || flags.clientCa !== undefined;
    const certified = there.protocol === 'https:' && flags.clientCert !== undefined && asksCertificates;
    const identity = new Identity(flags, io.env, { certified });
    rereading(identity, log, service);
    const means = meansOf(io, log, service);
    if (isOpen)
      means.trouble('the other end has an http URL: whoever is on the way can read the presigned URLs; use https');
    const changes =
      events === undefined
        ? undefined
        : () => openChanges({ events }, { ...means, stdin: io.stdin as never, connection: job });
    const options = {
      ...{ job, identity, expiresS, attempts, backfill, once, intervalMs: interval, deletes, hearing },
      reading: { tags: job.tags === true, acl: job.acl === true },
      compares: job.attributes === 'compare',
    };
    const { dead, left } = await runPush(options, {
      ...means,
      openChanges: changes,
      observe: observing(flags, ends, context),
    });
    if (service.interrupted || left) return EXIT.interrupted;
    return dead > 0 ? EXIT.objectsFailed : EXIT.ok;
  });
}

/** Where outcomes are heard. @throws usage */
function hearingOf({ listen, callback }: PushFlags): { listen: ListenAddress; url: string } | undefined {
  if (listen === undefined && callback === undefined) return undefined;
  if (listen !== undefined && callback !== undefined) {
    const { href } = endIn(
      callback,
      'pushing',
      'Write https://HOST[:PORT][/PATH], the address of --listen as the other end sees it.',
    );
    return { listen: parseListenAddress('--listen', listen), url: href };
  }
  const [there, missing] = listen === undefined ? ['--callback', '--listen'] : ['--listen', '--callback'];
  const remedy = 'Give --listen an address of this host, and --callback the URL at which the other end reaches it.';
  throw new XsyncError('usage', `${there} has no effect without ${missing}`, { subject: there, remedy });
}

function otherEnd(text: string): URL {
  return endIn(
    text,
    'other',
    'Write https://HOST[:PORT][/PATH], the address at which "xsync bridge pull" can be reached.',
  );
}

/** @throws usage; without the URL, which may have a password */
function endIn(text: string, which: string, remedy: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new XsyncError('usage', `"${text}" is not the URL of the ${which} end`, { subject: text, remedy });
  }
  if (url.username === '' && url.password === '' && url.search === '' && url.hash === '') return url;
  throw new XsyncError('usage', `the URL of the ${which} end has a user name, a password or a query`, {
    subject: url.host,
    remedy,
  });
}

/** On its way to another host. */
function isReadable({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|127\..*|\[::1\])$/.test(hostname);
}

/** A URL that has expired, or is refused, is replaced without anybody's help. */
function isTold(event: RunEvent): boolean {
  if (event.type === 'failed') return event.code !== 'expired-url' && event.code !== 'refused-url';
  if (event.type === 'notice') return event.level === 'warn';
  return ['copied', 'attributes', 'deleted', 'retry'].includes(event.type);
}

function observing(
  flags: BridgeFlags,
  ends: { source: string; destination: string },
  context: Context,
): ServiceMeans['observe'] {
  return async (backlog) => {
    const { observeBridge } = await import('../observers.js');
    return observeBridge(flags, { ...ends, backlog }, context);
  };
}

/** SIGHUP reads secrets and certificates again. */
function rereading(identity: Identity, log: Context['log'], service: Service): void {
  const reload = async (): Promise<void> => {
    try {
      identity.reload();
      log.say('notice', 'the secrets and certificates were read again');
    } catch (error) {
      const { message, remedy } = toXsyncError(error);
      const advice = remedy === undefined ? '' : ` — ${remedy}`;
      log.say('error', `the secrets and certificates stay as they were: ${message}${advice}`);
    }
  };
  service.serving({ reload, rests: () => true });
}

function meansOf(io: Io, log: Context['log'], { drain, stop }: Service) {
  return {
    ...{ env: io.env, drain, stop },
    say: (text: string) => log.say('notice', text),
    trouble: (text: string) => log.report({ type: 'notice', level: 'warn', message: text }),
  };
}

/** Without the flags that mean another thing here than in a job. */
function transferFlags({
  delete: _,
  interval: __,
  events: ___,
  maxDelete: ____,
  ...flags
}: BridgeFlags & Partial<PushFlags>) {
  return flags;
}

function asService(
  io: Io,
  flags: LogFlags,
  body: (context: Context, service: Service) => Promise<number>,
): Promise<number> {
  return runCommand(io, flags, { bars: false, stamped: true, idleSilent: true }, async (context) => {
    const service = await serve(io, context.log);
    try {
      return await body(context, service);
    } finally {
      await service.close();
    }
  });
}
