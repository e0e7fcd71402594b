/** Events as log lines: on standard error, or in a log file. Tests: test/cli/render/lines.test.ts */
import type { ChalkInstance } from 'chalk';
import type { RunEvent, Summary } from '../../engine/events.js';
import { errorLines } from './error.js';
import { type LogLevel, levelOf, says } from './levels.js';
import { eventLine, statsLine } from './lines.js';
import type { Renderer } from './renderer.js';
import { heldLine, keptLine, summaryLine, summaryLines } from './summary.js';
import { Tally } from './tally.js';

export interface TextOptions {
  write(text: string): void;
  chalk: ChalkInstance;
  level: LogLevel;
  /** Start each line with its time and level. */
  stamped: boolean;
  /** Milliseconds between statistics lines; 0 for none. */
  statsMs: number;
  /** Columns available for the summary. */
  width: number;
  oneLine: boolean;
  /** Print nothing for a run that had nothing to do, so that cron sends no mail. */
  idleSilent: boolean;
  /** The rule that it is about, of several. */
  rule?: string;
  now: () => number;
}

export function textRenderer(options: TextOptions): Renderer {
  const tally = options.statsMs > 0 ? new Tally(options.now) : undefined;
  let dryRun = false;
  const subject = options.rule === undefined ? '' : `${options.rule}: `;
  const say = (level: LogLevel, text: string): void => {
    // A log has no empty lines.
    if (!says(options.level, level) || (options.stamped && text === '')) return;
    const stamp = options.stamped ? `${logTime(options.now())} ${level.toUpperCase().padEnd(6)} ` : '';
    options.write(`${stamp}${subject}${text}\n`);
  };
  const timer =
    tally && setInterval(() => say(options.idleSilent ? 'info' : 'notice', statsLine(tally.status())), options.statsMs);
  timer?.unref();
  const report = (event: RunEvent): void => {
    tally?.hear(event);
    if (event.type === 'start') dryRun = event.dryRun;
    const level = levelOf(event, dryRun);
    const line = says(options.level, level) ? eventLine(event, options.chalk, dryRun) : undefined;
    if (line !== undefined) say(level, line);
  };
  return {
    report,
    end(summary, _exitCode, error) {
      clearInterval(timer);
      if (!says(options.level, 'notice')) return;
      const cut = error !== undefined;
      // The run failed before it did anything: the error is enough.
      if (cut && summary.copied.objects + summary.skipped.objects + summary.failed.objects === 0) return;
      if (options.idleSilent && !cut && isIdle(summary) && !says(options.level, 'info')) {
        // The exit code is not 0, so the log must give the reason.
        if (summary.held.objects > summary.held.dropped) say('notice', heldLine(summary));
        // Both sides do not match, which only a word can tell.
        if (summary.kept.objects > 0) say('notice', keptLine(summary));
        return;
      }
      const lines = options.oneLine ? [summaryLine(summary, error)] : summaryLines(summary, error, options);
      for (const line of lines) say('notice', line);
    },
    pass(summary, minor) {
      say(didSomething(summary) ? (minor ? 'info' : 'notice') : 'debug', summaryLine(summary));
    },
    say,
    tell(level, _event, lines) {
      if (says(options.level, level)) for (const line of lines()) say(level, line);
    },
    fail(error) {
      for (const line of errorLines(error, says(options.level, 'debug'), options.chalk)) say('error', line);
    },
    of: (rule) => textRenderer({ ...options, rule, statsMs: 0, oneLine: true }),
    close: () => clearInterval(timer),
  };
}

/** Nothing was done, and nothing remains. */
function isIdle(summary: Summary): boolean {
  const { deleted, oddity, stopped, dryRun } = summary;
  return !didSomething(summary) && deleted.left === 0 && (oddity ?? stopped) === undefined && !dryRun;
}

function didSomething({ copied, deleted, failed }: Summary): boolean {
  return copied.objects + deleted.objects + failed.objects > 0;
}

/** ISO 8601 in UTC to the second: logs of two machines can be merged. */
function logTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
