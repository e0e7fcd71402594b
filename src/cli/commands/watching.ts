/** `watch`: the engine's watch, with signals, a service manager and change events. Tests: test/e2e/watch.test.ts */
import type { WatchJob } from '../../engine/job/job.js';
import type { Watch } from '../../engine/watch/watch.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import type { ChangeSource } from '../../open/changes.js';
import { type Io, runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import { jobOf } from '../job.js';
import type { Observers } from '../observers.js';
import { passReporter } from '../pass-reporter.js';
import { ChangeLines } from '../render/changes.js';
import { formatDuration } from '../render/format.js';
import type { Renderer } from '../render/renderer.js';
import { serve } from '../service.js';
import type { TransferCommandFlags } from './transfer.js';

const USUAL_INTERVAL_MS = 30_000;

/** Besides the options that only the job reads. */
export type WatchCommandFlags = TransferCommandFlags & {
  /** Milliseconds, like all of them. */
  interval?: number;
  minInterval?: number;
  maxInterval?: number;
  maxDuration?: number;
  maxTransfer?: number;
  maxCost?: string;
  dryRun?: boolean;
  delete?: boolean;
  mirror?: boolean;
  deleteBefore?: boolean;
  deleteDuring?: boolean;
  deleteAfter?: boolean;
  maxDelete?: object;
  deleteUnknown?: boolean;
  deleteExcluded?: boolean;
  deleteUnchecked?: boolean;
  allowEmptySource?: boolean;
};

export function watchCommand(io: Io, source: string, destination: string, flags: WatchCommandFlags): Promise<number> {
  return runCommand(io, flags, { bars: false, stamped: true, idleSilent: true }, async (context) => {
    const { log } = context;
    refuseUnfit(flags);
    warnOfUnused(log, flags);
    const service = await serve(io, log);
    let events: ChangeSource | undefined;
    let observers: Observers | undefined;
    let watch: Watch | undefined;
    const changes = new ChangeLines(flags.interval ?? USUAL_INTERVAL_MS, (line) => log.say('notice', line));
    try {
      const job = await jobOf('watch', { source, destination }, flags);
      // Before observers show the paths to others.
      await checkJob(job, io);
      const [{ watchOf }, { openObservers }] = await Promise.all([
        import('../../open/watch-job.js'),
        import('../observers.js'),
      ]);
      const observed = { source, destination, endless: true, pair: () => watch?.pair };
      observers = await openObservers(flags, observed, context);
      events = await openEvents(io, log, job);
      const warn = (message: string): void => log.say('notice', `warning: ${message}`);
      const { stop, drain } = service;
      const means = { stop, drain, env: io.env, warn, changes: events?.changes };
      watch = await watchOf(job, means, passReporter(log, changes, [service, observers]));
      const running = watch;
      service.serving({ reload: () => reread(io, log, job, running), rests: () => running.rests });
      await watch.run();
      changes.close();
      log.say('notice', 'ended; everything in flight is finished or checkpointed');
      return service.interrupted ? EXIT.interrupted : EXIT.ok;
    } finally {
      changes.close();
      await events?.close();
      await observers?.close(service.drain.aborted);
      await service.close();
    }
  });
}

/** @throws usage, config */
async function checkJob(job: WatchJob, { env }: Io): Promise<void> {
  const [{ checkPlaces }, { copyConnections, openSettings }] = await Promise.all([
    import('../../open.js'),
    import('../../open/job.js'),
  ]);
  await checkPlaces([job.source, job.destination], openSettings(job, copyConnections(job), env));
}

/** An invalid configuration changes nothing. */
async function reread(io: Io, log: Renderer, job: WatchJob, watch: Watch): Promise<void> {
  try {
    await checkJob(job, io);
    log.say('notice', 'the configuration was read again');
    watch.reload();
  } catch (error) {
    const { message, remedy } = toXsyncError(error);
    const advice = remedy === undefined ? '' : ` — ${remedy}`;
    log.say('error', `the configuration stays as it was: ${message}${advice}`);
  }
}

async function openEvents(io: Io, log: Renderer, job: WatchJob): Promise<ChangeSource | undefined> {
  const { events, settle } = job;
  if (events === undefined) return undefined;
  const { openChanges } = await import('../../open/changes.js');
  return openChanges(
    { events, settle },
    {
      env: io.env,
      stdin: io.stdin as never,
      connection: job,
      say: (message) => log.say('notice', message),
      trouble: (message) => log.report({ type: 'notice', level: 'warn', message }),
    },
  );
}

/** @throws usage */
function refuseUnfit(flags: WatchCommandFlags): void {
  const unfit = [
    flags.dryRun && '--dry-run',
    flags.maxTransfer !== undefined && '--max-transfer',
    flags.maxCost !== undefined && '--max-cost',
    flags.maxDuration !== undefined && '--max-duration',
    flags.deleteBefore && '--delete-before',
    flags.errorOnNoTransfer && '--error-on-no-transfer',
    flags.interactive && '--interactive',
  ].find(Boolean);
  refuseContrary(flags);
  if (unfit) {
    const remedy = 'leave it out, or use xsync sync';
    throw new XsyncError('usage', `${unfit} does not go with watch, which never ends`, { subject: unfit, remedy });
  }
}

/** @throws usage */
function refuseContrary({ interval = USUAL_INTERVAL_MS, minInterval, maxInterval }: WatchCommandFlags): void {
  const given = `--interval, ${formatDuration(interval)}`;
  if (minInterval !== undefined && minInterval > interval) throw contrary('--min-interval', 'longer', given);
  if (maxInterval !== undefined && maxInterval < interval) throw contrary('--max-interval', 'shorter', given);
}

function contrary(subject: string, how: string, than: string): XsyncError {
  return new XsyncError('usage', `${subject} is ${how} than ${than}`, { subject, remedy: 'change one of them' });
}

/** Not an error, because the environment may set these options for `sync`. */
function warnOfUnused(log: Renderer, flags: WatchCommandFlags): void {
  if (flags.delete || flags.mirror) return;
  const unused = [
    flags.maxDelete !== undefined && '--max-delete',
    flags.deleteUnknown && '--delete-unknown',
    flags.deleteExcluded && '--delete-excluded',
    flags.deleteUnchecked && '--delete-unchecked',
    flags.deleteDuring && '--delete-during',
    flags.deleteAfter && '--delete-after',
    flags.allowEmptySource && '--allow-empty-source',
  ].filter(Boolean);
  if (unused.length > 0)
    log.say('notice', `warning: watch deletes nothing without --delete: ${unused.join(', ')} unused`);
}
