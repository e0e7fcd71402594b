/** What `watch` does: the engine's watch, with signals, a service manager and change events around it. */
import type { RunEvent } from '../../engine/events.js';
import type { RunOptions } from '../../engine/options.js';
import type { Watch, WatchedPair, WatchOptions } from '../../engine/watch.js';
import { XsyncError } from '../../model/error.js';
import { type Io, runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import type { WatchFlags } from '../options.js';
import type { Renderer } from '../render/renderer.js';
import { type Service, serve } from '../service.js';
import { backupOf, copyConnections, filterOf, openSettings, runOptions, syncOptions } from '../settings.js';
import type { TransferCommandFlags } from './transfer.js';

export type WatchCommandFlags = TransferCommandFlags & WatchFlags;

export function watchCommand(io: Io, source: string, destination: string, flags: WatchCommandFlags): Promise<number> {
  return runCommand(io, flags, { bars: false, stamped: true, idleSilent: true }, async ({ log }) => {
    refuseUnfit(flags);
    const service = await serve(io, log);
    const events = flags.events === undefined ? undefined : await openEvents(io, log, flags, service.drain);
    try {
      const options = await optionsOf(io, log, source, destination, flags, service);
      const { Watch } = await import('../../engine/watch.js');
      const watch: Watch = new Watch({ ...options, changes: events?.changes }, reporterOf(log, service));
      service.onReload(() => {
        log.say('notice', 'reading the configuration again');
        watch.reload();
      });
      await watch.run();
      log.say('notice', 'ended; everything in flight is finished or checkpointed');
      return service.interrupted ? EXIT.interrupted : EXIT.ok;
    } finally {
      await events?.close();
      service.dispose();
    }
  });
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
  if (unfit) {
    const remedy = 'leave it out, or use xsync sync';
    throw new XsyncError('usage', `${unfit} does not go with watch, which never ends`, { subject: unfit, remedy });
  }
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

/** Events that hold for the whole watch are told once; every pass that did something gets a line. */
function reporterOf(log: Renderer, service: Service): (event: RunEvent) => void {
  const told = new Set<string>();
  let started = false;
  return (event) => {
    if (event.type === 'end') return log.pass(event.summary);
    if (event.type === 'notice') {
      // The same with other numbers is nothing new.
      const gist = event.message.replaceAll(/\d+/g, '#');
      if (told.has(gist)) return;
      told.add(gist);
    }
    if (event.type === 'start') {
      if (started) return;
      started = true;
    }
    service.hear(event);
    log.report(event);
  };
}

async function openEvents(io: Io, log: Renderer, flags: WatchCommandFlags, signal: AbortSignal) {
  const { coalesce, EventOrder, openFeed } = await import('../../feed/index.js');
  const feed = openFeed(flags.events ?? '', { env: io.env, stdin: io.stdin as never });
  feed.onTrouble = (message) =>
    log.say('notice', message === undefined ? `${feed.name}: well again` : `warning: ${feed.name}: ${message}`);
  log.say('notice', await feed.start());
  const settleMs = flags.settle ?? 0;
  const changes = coalesce(feed.batches(signal), {
    settleMs,
    maxWaitMs: 10 * settleMs,
    order: new EventOrder(),
    signal,
  });
  return { changes, close: () => feed.close() };
}
