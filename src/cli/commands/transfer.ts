/** What `copy`, `copyto`, `move`, `moveto`, `sync` and `mirror` share: run the job and report the result. Tests: test/e2e/sync.test.ts */
import type { RunEvent, Summary } from '../../engine/events.js';
import { toXsyncError } from '../../model/error.js';
import type { OpenPair } from '../../open.js';
import { type Io, runCommand } from '../context.js';
import { exitOfError, exitOfSummary } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import { jobOf } from '../job.js';
import type { Observers } from '../observers.js';
import type { LogFlags, ObserveFlags, ReportFlags } from '../options.js';
import { Questions } from '../questions.js';
import { V8 } from '../v8.js';

/** Besides the options of a job. */
export type TransferCommandFlags = ObserveFlags &
  ReportFlags &
  LogFlags & { errorOnNoTransfer?: true; interactive?: true };

export type TransferCommand = 'copy' | 'copyto' | 'move' | 'moveto' | 'sync' | 'mirror';

export function transferCommand(
  io: Io,
  command: TransferCommand,
  source: string,
  destination: string,
  flags: TransferCommandFlags,
): Promise<number> {
  // Bars would write over the questions.
  return runCommand(
    io,
    flags,
    { bars: !flags.interactive, idleSilent: command === 'sync' || command === 'mirror' },
    async (context) => {
      const { log } = context;
      const interruption = onInterrupt(context);
      const v8 = new V8();
      const questions = flags.interactive ? new Questions(io, () => interruption.stop()) : undefined;
      let observers: Observers | undefined;
      let pair: OpenPair | undefined;
      let last: Summary | undefined;
      const opened = async (open: OpenPair): Promise<() => void> => {
        pair = open;
        const { openObservers } = await import('../observers.js');
        observers = await openObservers(flags, { source, destination, endless: false, pair: () => pair }, context);
        return () => {
          pair = undefined;
        };
      };
      const report = (event: RunEvent): void => {
        v8.hear(event);
        observers?.hear(event);
        if (event.type === 'end') last = event.summary;
        else log.report(event);
      };
      const means = {
        stop: interruption.signal,
        env: io.env,
        warn: (text: string) => log.say('notice', `warning: ${text}`),
        opened,
        confirm: questions?.confirm,
      };
      try {
        const job = await jobOfCommand(command, { source, destination }, flags);
        const { mirror, transfer } = await import('../../open/run-job.js');
        const summary = await (job.mode === 'mirror' ? mirror(job, means, report) : transfer(job, means, report));
        const exitCode = exitOfSummary(summary, { errorOnNoTransfer: flags.errorOnNoTransfer === true });
        log.end(summary, exitCode);
        return exitCode;
      } catch (error) {
        // The summary of what was done comes before the error.
        const known = toXsyncError(error);
        if (last !== undefined) log.end(last, exitOfError(known), known);
        throw known;
      } finally {
        questions?.close();
        // After the pair is closed, so that a slow receiver of notifications does not keep it locked.
        await observers?.close(interruption.signal.aborted);
        interruption.dispose();
      }
    },
  );
}

function jobOfCommand(command: TransferCommand, places: { source: string; destination: string }, flags: object) {
  switch (command) {
    case 'sync':
      return jobOf('sync', places, flags);
    case 'mirror':
      return jobOf('mirror', places, flags);
    case 'move':
    case 'moveto':
      return jobOf('move', { ...places, ...(command === 'moveto' && { single: true }) }, flags);
    default:
      return jobOf('copy', { ...places, ...(command === 'copyto' && { single: true }) }, flags);
  }
}
