/** Reports the runs of a command to other programs: `--metrics-addr` and `--notify`. Tests: test/e2e/observe.test.ts */

import type { BridgeObserver } from '../bridge/pull/pull.js';
import type { RunEvent } from '../engine/events.js';
import type { RunPair } from '../engine/pair.js';
import type { Backlog } from '../model/backlog.js';
import { XsyncError } from '../model/error.js';
import type { Metrics } from '../observe/metrics.js';
import type { Notifier } from '../observe/notifier.js';
import type { Target } from '../observe/target.js';
import type { Context } from './context.js';
import type { ConnectionFlags, ObserveFlags, ReportFlags } from './options.js';

export interface Observed {
  /** As typed. */
  source: string;
  destination: string;
  /** A watch: runs that had nothing to do are not reported. */
  endless: boolean;
  /** Undefined while it is not open; a watch closes it from time to time. */
  pair(): RunPair | undefined;
}

export interface Observers {
  /** Every event of every run. Never throws. */
  hear(event: RunEvent): void;
  /** Delivers the queue, for at most 10 seconds, or 1 with `hurry`: the user is waiting for the program to end. */
  close(hurry?: boolean): Promise<void>;
}

type Certificates = Partial<Pick<ConnectionFlags, 'caCert' | 'clientCert' | 'clientKey' | 'checkCertificate'>>;
type ObserverFlags = ObserveFlags & ReportFlags & Certificates & { logFile?: string };

/** An interrupted program must end within 5 seconds in total. */
const HURRY_MS = 1000;
const CLOSE_MS = 10_000;

/** @throws usage, config (an address in use, the secret), not-writable */
export async function openObservers(flags: ObserverFlags, observed: Observed, context: Context): Promise<Observers> {
  const { metricsAddr, notify = [] } = flags;
  refuseTwoOutputs(flags);
  const notifier = notify.length === 0 ? undefined : await openNotifier(flags, notify, observed, context);
  try {
    const metrics = metricsAddr && (await openMetrics(flags, observed, notifier));
    const listening = metricsAddr && (await metrics?.listen(metricsAddr));
    if (listening) {
      // The user needs to know the port only after asking for any free one.
      context.log.say(metricsAddr?.port === 0 ? 'notice' : 'info', `metrics at ${listening.url}/metrics`);
    }
    return {
      hear(event) {
        metrics?.hear(event);
        notifier?.hear(event);
      },
      async close(hurry = false) {
        await notifier?.close(hurry ? HURRY_MS : undefined);
        await listening?.close();
      },
    };
  } catch (error) {
    await notifier?.close(0);
    throw error;
  }
}

/** @throws usage */
function refuseTwoOutputs({ notify = [], json, useJsonLog, logFile }: ObserverFlags): void {
  if (!(json || useJsonLog) || logFile !== undefined || !notify.includes('-')) return;
  const remedy = 'notify a file:PATH, or send the log elsewhere with --log-file';
  throw new XsyncError('usage', '--notify - and --json both write to standard output', {
    subject: '--notify',
    remedy,
  });
}

/** The notifications of all rules of a process, to the same targets. */
export interface RuleNotifications {
  /** Of one pair. Its `close` leaves the targets open for the others. */
  of(observed: Observed & { rule: string; rpoMs?: number }): Promise<Notifier>;
  /** As in Observers. */
  close(hurry?: boolean): Promise<void>;
}

/** @throws usage, config (the secret), not-writable */
export async function openRuleNotifications(flags: ObserverFlags, context: Context): Promise<RuleNotifications> {
  refuseTwoOutputs(flags);
  const targets = await openTargets(flags, flags.notify ?? [], context);
  const kept = targets.map(
    (target): Target => ({
      counts: target.counts,
      send: (event) => target.send(event),
      close: async () => {},
    }),
  );
  return {
    of: ({ rpoMs, ...observed }) => notifierOf(kept, observed, rpoMs),
    async close(hurry = false) {
      await Promise.all(targets.map((target) => target.close(hurry ? HURRY_MS : CLOSE_MS)));
    },
  };
}

/** The same for an end of a bridge. Its notifications are of what was given up. @throws usage, config, not-writable */
export async function observeBridge(
  flags: ObserverFlags,
  { source, destination, backlog }: Pick<Observed, 'source' | 'destination'> & { backlog(): Promise<Backlog> },
  context: Context,
): Promise<BridgeObserver> {
  const { metricsAddr, notify = [], rpo } = flags;
  const ends = { source, destination, endless: true, pair: () => undefined };
  const notifier = notify.length === 0 ? undefined : await openNotifier(flags, notify, ends, context);
  try {
    const { BridgeMetrics } = await import('../observe/bridge.js');
    const metrics = metricsAddr && new BridgeMetrics({ source, destination, backlog, rpoMs: rpo });
    const listening = metricsAddr && (await metrics?.listen(metricsAddr));
    if (listening) context.log.say(metricsAddr?.port === 0 ? 'notice' : 'info', `metrics at ${listening.url}/metrics`);
    return {
      gaveUp: (ticket) => notifier?.gaveUp(ticket),
      trouble(message, fault) {
        metrics?.trouble(message);
        notifier?.heldUp(message === undefined ? undefined : fault);
      },
      async close() {
        await notifier?.close();
        await listening?.close();
      },
    };
  } catch (error) {
    await notifier?.close(0);
    throw error;
  }
}

async function openNotifier(
  flags: ObserverFlags,
  notify: readonly string[],
  observed: Observed,
  context: Context,
): Promise<Notifier> {
  return notifierOf(await openTargets(flags, notify, context), observed, flags.rpo);
}

async function openTargets(
  flags: Certificates,
  notify: readonly string[],
  { io, out, log }: Context,
): Promise<Target[]> {
  if (notify.length === 0) return [];
  const { openTarget } = await import('../observe/targets.js');
  const warn = (message: string): void => log.say('notice', `warning: ${message}`);
  const dispatcher = await webhookDispatcher(notify, flags, io.env);
  const world = { write: (text: string) => out.post(text), env: io.env, warn, dispatcher };
  return notify.map((target) => openTarget(target, world));
}

async function notifierOf(
  targets: readonly Target[],
  { source, destination, rule, endless, pair }: Observed & { rule?: string },
  rpoMs: number | undefined,
): Promise<Notifier> {
  const [{ Notifier }, { liveSinceMs }] = await Promise.all([
    import('../observe/notifier.js'),
    import('../engine/record/journal.js'),
  ]);
  return new Notifier({
    ...{ source, destination, rule, targets, rpoMs },
    liveSinceMs: () => {
      const open = pair();
      return open && liveSinceMs(open.manifest, Date.now());
    },
    tellIdle: !endless,
  });
}

/** Proxies and certificates for webhooks; undefined when there is none. */
async function webhookDispatcher(notify: readonly string[], flags: Certificates, env: NodeJS.ProcessEnv) {
  if (!notify.some((target) => /^https?:/i.test(target))) return undefined;
  const { outgoingDispatcher } = await import('../open/outgoing.js');
  return outgoingDispatcher(flags, env);
}

/** The metrics of one pair. */
export async function openMetrics(
  { rpo }: Pick<ObserveFlags, 'rpo'>,
  observed: Omit<Observed, 'endless'> & { rule?: string },
  notifier?: Pick<Notifier, 'counts'>,
): Promise<Metrics> {
  const [{ Metrics }, { liveSinceMs }, { statusOf }] = await Promise.all([
    import('../observe/metrics.js'),
    import('../engine/record/journal.js'),
    import('../engine/record/status.js'),
  ]);
  const { source, destination, rule, pair } = observed;
  return new Metrics({
    source,
    destination,
    rule,
    rpoMs: rpo,
    liveSinceMs: () => {
      const open = pair();
      return open && liveSinceMs(open.manifest, Date.now());
    },
    status: () => {
      const open = pair();
      return open && statusOf(open.manifest, Date.now());
    },
    traffic: () => {
      const open = pair();
      return open && { source: open.source.traffic(), destination: open.dest.traffic() };
    },
    notified: () => notifier?.counts ?? [],
  });
}
