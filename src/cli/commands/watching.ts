/** What `watch` does: the engine's watch, with signals, a service manager and change events around it. */
import type { RunEvent } from '../../engine/events.js';
import type { RunOptions } from '../../engine/options.js';
import type { Changes, Watch, WatchedPair, WatchOptions } from '../../engine/watch/watch.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import { type Io, runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import type { Observers } from '../observers.js';
import { formatDuration } from '../render/format.js';
import type { Renderer } from '../render/renderer.js';
import { type Service, serve } from '../service.js';
import { backupOf, copyConnections, filterOf, openSettings, runOptions, syncOptions } from '../settings.js';
import type { TransferCommandFlags } from './transfer.js';
import type { WatchFlags } from './watch-options.js';

export type WatchCommandFlags = TransferCommandFlags & WatchFlags;

/** Events of one burst go together. */
const EVENT_SETTLE_MS = 100;

export function watchCommand(io: Io, source: string, destination: string, flags: WatchCommandFlags): Promise<number> {
  return runCommand(io, flags, { bars: false, stamped: true, idleSilent: true }, async (context) => {
    const { log } = context;
    refuseUnfit(flags);
    warnOfUnused(log, flags);
    const service = await serve(io, log);
    let events: ChangeSource | undefined;
    let observers: Observers | undefined;
    try {
      const options = await optionsOf(io, log, source, destination, flags, service);
      const [{ Watch }, { openObservers }] = await Promise.all([
        import('../../engine/watch/watch.js'),
        import('../observers.js'),
      ]);
      const observed = { source, destination, endless: true, pair: () => watch.pair };
      observers = await openObservers(flags, observed, context);
      events = flags.events === undefined ? undefined : await openEvents(io, log, flags);
      const report = reporterOf(log, [service, observers]);
      const watch: Watch = new Watch({ ...options, changes: events?.changes }, report);
      const reload = (): Promise<void> => reread(io, log, flags, [source, destination], watch);
      service.serving({ reload, rests: () => watch.rests });
      await watch.run();
      log.say('notice', 'ended; everything in flight is finished or checkpointed');
      return service.interrupted ? EXIT.interrupted : EXIT.ok;
    } finally {
      await events?.close();
      await observers?.close(service.drain.aborted);
      await service.close();
    }
  });
}

/** A configuration with a fault in it changes nothing. */
async function reread(io: Io, log: Renderer, flags: WatchCommandFlags, places: string[], watch: Watch): Promise<void> {
  try {
    const { checkPlaces } = await import('../../open.js');
    await checkPlaces(places, openSettings(flags, copyConnections(flags), io.env));
    log.say('notice', 'the configuration was read again');
    watch.reload();
  } catch (error) {
    const { message, remedy } = toXsyncError(error);
    const advice = remedy === undefined ? '' : ` — ${remedy}`;
    log.say('error', `the configuration stays as it was: ${message}${advice}`);
  }
}

/** @throws usage */
function refuseUnfit(flags: WatchCommandFlags): void {
  const unfit = [
    flags.dryRun && '--dry-run',
    flags.maxTransfer !== undefined && '--max-transfer',
    flags.maxDuration !== undefined && '--max-duration',
    flags.deleteBefore && '--delete-before',
    flags.errorOnNoTransfer && '--error-on-no-transfer',
  ].find(Boolean);
  refuseContrary(flags);
  if (unfit) {
    const remedy = 'leave it out, or use xsync sync';
    throw new XsyncError('usage', `${unfit} does not go with watch, which never ends`, { subject: unfit, remedy });
  }
}

/** @throws usage */
function refuseContrary({ interval = 30_000, minInterval, maxInterval }: WatchCommandFlags): void {
  const given = `--interval, ${formatDuration(interval)}`;
  if (minInterval !== undefined && minInterval > interval) throw contrary('--min-interval', 'longer', given);
  if (maxInterval !== undefined && maxInterval < interval) throw contrary('--max-interval', 'shorter', given);
}

function contrary(subject: string, how: string, than: string): XsyncError {
  return new XsyncError('usage', `${subject} is ${how} than ${than}`, { subject, remedy: 'change one of them' });
}

/** Options that may stand in the environment for `sync` are no fault; who gives them here must know that they do nothing. */
function warnOfUnused(log: Renderer, flags: WatchCommandFlags): void {
  if (flags.delete) return;
  const unused = [
    flags.maxDelete !== undefined && '--max-delete',
    flags.deleteUnknown && '--delete-unknown',
    flags.deleteExcluded && '--delete-excluded',
    flags.deleteDuring && '--delete-during',
    flags.deleteAfter && '--delete-after',
    flags.allowEmptySource && '--allow-empty-source',
  ].filter(Boolean);
  if (unused.length > 0)
    log.say('notice', `warning: watch deletes nothing without --delete: ${unused.join(', ')} unused`);
}

async function optionsOf(
  io: Io,
  log: Renderer,
  source: string,
  destination: string,
  flags: WatchCommandFlags,
  service: Service,
): Promise<WatchOptions> {
  const filter = await filterOf(flags);
  for (const warning of filter?.warnings ?? []) log.say('notice', `warning: ${warning}`);
  const copying: RunOptions = { ...runOptions('watch', flags, filter, service.stop), failedBefore: 'wait' };
  const run = flags.delete ? { ...syncOptions(copying, flags), command: 'watch' } : copying;
  const intervalMs = flags.interval ?? 30_000;
  const { openPair } = await import('../../open.js');
  const open = async (): Promise<WatchedPair> => {
    const settings = openSettings(flags, copyConnections(flags), io.env);
    const how = { command: 'watch', single: false, dryRun: false, aside: flags.backupDir };
    const pair = await openPair(source, destination, settings, how);
    return { ...pair, backup: backupOf(pair, flags) };
  };
  return {
    run: { ...run, drain: service.drain },
    schedule: {
      intervalMs,
      shortestMs: flags.minInterval ?? intervalMs / 4,
      longestMs: Math.max(intervalMs, flags.maxInterval ?? 2 * intervalMs),
      fullMs: flags.fullInterval ?? 10 * intervalMs,
    },
    driftMs: flags.checkDestination ?? Number.POSITIVE_INFINITY,
    settleMs: flags.settle,
    open,
  };
}

/** What each pass finds anew is told again after so long without it. */
const TOLD_FOR_MS = 3_600_000;
const MOST_TOLD = 1000;

/** Every pass that did something gets a line; what each of them would say is said once. */
function reporterOf(log: Renderer, listeners: readonly { hear(event: RunEvent): void }[]): (event: RunEvent) => void {
  const heard = new Map<string, number>();
  const isNews = (text: string): boolean => {
    const now = performance.now();
    const before = heard.get(text);
    heard.delete(text);
    heard.set(text, now);
    const [oldest] = heard.keys();
    if (heard.size > MOST_TOLD && oldest !== undefined) heard.delete(oldest);
    return before === undefined || now - before > TOLD_FOR_MS;
  };
  let started = false;
  return (event) => {
    for (const listener of listeners) listener.hear(event);
    if (event.type === 'end') return log.pass(event.summary);
    if (event.type === 'notice' && !isNews(event.message)) return;
    if (event.type === 'start') {
      if (started) return;
      started = true;
    }
    log.report(event);
  };
}

interface ChangeSource {
  changes(signal: AbortSignal): AsyncIterable<Changes>;
  close(): Promise<void>;
}

async function openEvents(io: Io, log: Renderer, flags: WatchCommandFlags): Promise<ChangeSource> {
  const { coalesce, EventOrder, openFeed } = await import('../../feed/index.js');
  const feed = openFeed(flags.events ?? '', { env: io.env, stdin: io.stdin as never });
  feed.onTrouble = (message) => {
    if (message === undefined) return log.say('notice', `${feed.name}: well again`);
    const named = message.startsWith(feed.name) ? message : `${feed.name}: ${message}`;
    log.report({ type: 'notice', level: 'warn', message: named });
  };
  log.say('notice', await feed.start());
  const { settle: settleMs = EVENT_SETTLE_MS } = flags;
  const changes = (signal: AbortSignal) =>
    coalesce(feed.batches(signal), { settleMs, maxWaitMs: 10 * settleMs, order: new EventOrder(), signal });
  return { changes, close: () => feed.close() };
}
