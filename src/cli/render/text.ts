/** Events as log lines: on standard error off a terminal, or in a log file. */
import type { ChalkInstance } from 'chalk';
import type { RunEvent, Summary } from '../../engine/events.js';
import { errorLines } from './error.js';
import { type LogLevel, levelOf, says } from './levels.js';
import { eventLine, statsLine } from './lines.js';
import type { Renderer } from './renderer.js';
import { heldLine, summaryLine, summaryLines } from './summary.js';
import { Tally } from './tally.js';

export interface TextOptions {
  write(text: string): void;
  chalk: ChalkInstance;
  level: LogLevel;
  /** Start lines with time and level, as a log needs them. */
  stamped: boolean;
  /** Milliseconds between two statistics lines; 0 for none. */
  statsMs: number;
  /** Columns that the summary may take. */
  width: number;
  oneLine: boolean;
  /** Say nothing of a run that found nothing to do: what cron sends by mail is to be read. */
  idleSilent: boolean;
  now: () => number;
}

export function textRenderer(options: TextOptions): Renderer {
  const tally = options.statsMs > 0 ? new Tally(options.now) : undefined;
  let dryRun = false;
  const say = (level: LogLevel, text: string): void => {
    // A log has no use for empty lines.
    if (!says(options.level, level) || (options.stamped && text === '')) return;
    const stamp = options.stamped ? `${logTime(options.now())} ${level.toUpperCase().padEnd(6)} ` : '';
    options.write(`${stamp}${text}\n`);
  };
  const timer =
    tally && setInterval(() => say(options.idleSilent ? 'info' : 'notice', statsLine(tally.status())), options.statsMs);
  timer?.unref();
  const report = (event: RunEvent): void => {
    tally?.hear(event);
    if (event.type === 'start') dryRun = event.dryRun;
    const line = eventLine(event, options.chalk, dryRun);
    if (line !== undefined) say(levelOf(event, dryRun), line);
  };
  return {
    report,
    end(summary, _exitCode, error) {
      clearInterval(timer);
      const cut = error !== undefined;
      // What went wrong before anything was done is told by the error alone.
      if (cut && summary.copied.objects + summary.skipped.objects + summary.failed.objects === 0) return;
      if (options.idleSilent && !cut && isIdle(summary) && !says(options.level, 'info')) {
        // The exit code is not 0: a log that stays empty would leave whoever reads it without a reason.
        if (summary.held.objects > summary.held.dropped) say('notice', heldLine(summary));
        return;
      }
      const lines = options.oneLine ? [summaryLine(summary, error)] : summaryLines(summary, error, options);
      for (const line of lines) say('notice', line);
    },
    pass: (summary) => say(didSomething(summary) ? 'notice' : 'debug', summaryLine(summary)),
    say,
    tell(level, _event, lines) {
      if (says(options.level, level)) for (const line of lines()) say(level, line);
    },
    fail(error) {
      for (const line of errorLines(error, says(options.level, 'debug'), options.chalk)) say('error', line);
    },
    close: () => clearInterval(timer),
  };
}

/** Nothing was done, and nothing is left to do. */
function isIdle(summary: Summary): boolean {
  const { deleted, stopped, dryRun } = summary;
  return !didSomething(summary) && deleted.left === 0 && stopped === undefined && !dryRun;
}

function didSomething({ copied, deleted, failed }: Summary): boolean {
  return copied.objects + deleted.objects + failed.objects > 0;
}

/** ISO 8601 in UTC to the second: logs of two machines can be merged. */
function logTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
