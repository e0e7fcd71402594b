/** What `copy` and `copyto` share: open the pair, run, and say how it went. */
import type { RunEvent, Summary } from '../../engine/events.js';
import { toXsyncError } from '../../model/error.js';
import type { OpenPair } from '../../open.js';
import { type Context, type Io, runCommand } from '../context.js';
import { exitOfError, exitOfSummary } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import type {
  CompareFlags,
  ConnectionFlags,
  FilterFlags,
  LimitFlags,
  LinkFlags,
  LogFlags,
  ReportFlags,
  TransferFlags,
} from '../options.js';
import type { Renderer } from '../render/renderer.js';
import { copyConnections, filterOf, openSettings, runOptions } from '../settings.js';

export type TransferCommandFlags = TransferFlags &
  LinkFlags &
  CompareFlags &
  FilterFlags &
  LimitFlags &
  ConnectionFlags &
  ReportFlags &
  LogFlags;

export function transferCommand(
  io: Io,
  name: 'copy' | 'copyto',
  source: string,
  destination: string,
  flags: TransferCommandFlags,
): Promise<number> {
  return runCommand(io, flags, { bars: true }, async (context) => {
    const interruption = onInterrupt(context.log);
    try {
      const filter = await filterOf(flags);
      for (const warning of filter?.warnings ?? []) context.log.say('notice', `warning: ${warning}`);
      const options = runOptions(flags, filter, interruption.signal);
      const settings = openSettings(flags, copyConnections(flags), io.env);
      const { openPair } = await import('../../open.js');
      const pair = await openPair(source, destination, settings, {
        command: name,
        single: name === 'copyto',
        dryRun: options.dryRun,
      });
      try {
        return await run(context, pair, options, flags.errorOnNoTransfer === true);
      } finally {
        await pair.close();
      }
    } finally {
      interruption.dispose();
    }
  });
}

async function run(
  { log }: Context,
  pair: OpenPair,
  options: ReturnType<typeof runOptions>,
  errorOnNoTransfer: boolean,
): Promise<number> {
  const { runCopy } = await import('../../engine/run.js');
  const name = pair.single ? nameOf(pair.source.prefix) : '';
  let last: Summary | undefined;
  const report = (event: RunEvent): void => {
    if (event.type === 'end') last = named(event.summary, name);
    else log.report(namedEvent(event, name));
  };
  try {
    const summary = await runCopy(pair, options, report);
    const exitCode = exitOfSummary(summary, { errorOnNoTransfer });
    log.end(named(summary, name), exitCode);
    return exitCode;
  } catch (error) {
    const known = toXsyncError(error);
    if (last !== undefined) endWith(log, last, known);
    throw known;
  }
}

function endWith(log: Renderer, summary: Summary, error: ReturnType<typeof toXsyncError>): void {
  log.end(summary, exitOfError(error), error);
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
