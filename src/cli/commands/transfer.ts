/** What `copy` and `copyto` share: open the pair, run, and say how it went. */
import type { RunEvent, Summary } from '../../engine/events.js';
import type { RunOptions } from '../../engine/options.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import type { OpenPair } from '../../open.js';
import { type Io, runCommand } from '../context.js';
import { exitOfError, exitOfSummary } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import type { Observers } from '../observers.js';
import type {
  CompareFlags,
  ConnectionFlags,
  DeleteFlags,
  FilterFlags,
  LimitFlags,
  LinkFlags,
  LogFlags,
  ObserveFlags,
  ReportFlags,
  TransferFlags,
} from '../options.js';
import type { Renderer } from '../render/renderer.js';
import { backupOf, copyConnections, filterOf, openSettings, runOptions, syncOptions } from '../settings.js';

export type TransferCommandFlags = TransferFlags &
  LinkFlags &
  CompareFlags &
  FilterFlags &
  LimitFlags &
  Partial<DeleteFlags> &
  ConnectionFlags &
  ObserveFlags &
  ReportFlags &
  LogFlags;

export type CopyCommand = 'copy' | 'copyto' | 'sync';

export function transferCommand(
  io: Io,
  command: CopyCommand,
  source: string,
  destination: string,
  flags: TransferCommandFlags,
): Promise<number> {
  return runCommand(io, flags, { bars: true, idleSilent: command === 'sync' }, async (context) => {
    const { log } = context;
    const interruption = onInterrupt(log);
    let observers: Observers | undefined;
    let open: OpenPair | undefined;
    try {
      const filter = await filterOf(flags);
      for (const warning of filter?.warnings ?? []) log.say('notice', `warning: ${warning}`);
      const copying = runOptions(command, flags, filter, interruption.signal);
      const options = command === 'sync' ? syncOptions(copying, flags) : copying;
      const settings = openSettings(flags, copyConnections(flags), io.env);
      const { openPair } = await import('../../open.js');
      const { dryRun } = options;
      const pair = await openPair(source, destination, settings, {
        command,
        single: command === 'copyto',
        dryRun,
        aside: flags.backupDir,
      });
      open = pair;
      try {
        const { openObservers } = await import('../observers.js');
        observers = await openObservers(flags, { source, destination, endless: false, pair: () => open }, context);
        const summary = await run(log, pair, { ...options, backup: backupOf(pair, flags) }, observers);
        return endOf(log, pair, { summary, options, command, errorOnNoTransfer: flags.errorOnNoTransfer === true });
      } finally {
        open = undefined;
        await pair.close();
      }
    } finally {
      // Whoever takes notifications slowly does not keep the pair locked meanwhile.
      await observers?.close(interruption.signal.aborted);
      interruption.dispose();
    }
  });
}

/** An error that ends the run comes after the summary of what was done until then. */
async function run(log: Renderer, pair: OpenPair, options: RunOptions, observers: Observers): Promise<Summary> {
  const { runPair } = await import('../../engine/run.js');
  const name = pair.single ? nameOf(pair.source.prefix) : '';
  let last: Summary | undefined;
  const report = (event: RunEvent): void => {
    const told = namedEvent(event, name);
    observers.hear(told);
    if (event.type === 'end') last = event.summary;
    else log.report(told);
  };
  try {
    return named(await runPair(pair, options, report), name);
  } catch (error) {
    const known = toXsyncError(error);
    if (last !== undefined) log.end(named(last, name), exitOfError(known), known);
    throw known;
  }
}

interface Ended {
  summary: Summary;
  options: RunOptions;
  command: CopyCommand;
  errorOnNoTransfer: boolean;
}

function endOf(log: Renderer, { source }: OpenPair, { summary, options, command, errorOnNoTransfer }: Ended): number {
  // A store has no folders: a prefix below which nothing lies does not exist, and is most likely a slip.
  const meant = options.filter?.files !== undefined || options.deletes?.allowEmptySource === true;
  const looked = summary.stopped === undefined && !meant;
  if (!looked || source.path === '' || summary.listed.source > 0) {
    const exitCode = exitOfSummary(summary, { errorOnNoTransfer });
    log.end(summary, exitCode);
    return exitCode;
  }
  const code = command === 'copyto' ? 'object-not-found' : 'bucket-not-found';
  const remedy = 'check the path';
  const error = new XsyncError(code, `there is nothing at ${source.text}`, { subject: source.text, remedy });
  log.end(summary, exitOfError(error), error);
  throw error;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/', path.length - 2) + 1);
}

/** A single object's key relative to its pair is empty, which tells a person nothing: it is shown by its name. */
function namedEvent(event: RunEvent, name: string): RunEvent {
  return 'key' in event && event.key === '' && name !== '' ? { ...event, key: name } : event;
}

function named(summary: Summary, name: string): Summary {
  const list = summary.failed.list.map((failure) =>
    failure.key === '' && name !== '' ? { ...failure, key: name } : failure,
  );
  return { ...summary, failed: { ...summary.failed, list } };
}
