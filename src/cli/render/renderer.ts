/** Tests: test/cli/output.test.ts */
import type { Reporter, Summary } from '../../engine/events.js';
import type { XsyncError } from '../../model/error.js';
import type { LogLevel } from './levels.js';

/** Shows a run on a terminal, in a log, or to a program. */
export interface Renderer {
  /** Shows every event except `end`. */
  report: Reporter;
  /** Shows the end of the run. `error`: the error that affects every object and ended the run. */
  end(summary: Summary, exitCode: number, error?: XsyncError): void;
  /** Shows the end of a pass that more passes follow. `minor`: only in detail, because it is shown with others. */
  pass(summary: Summary, minor?: boolean): void;
  /** Prints a message that is not an event of the run, such as "stopping". */
  say(level: LogLevel, text: string): void;
  /** Prints a result of a command that is not a run: `lines` for people, the event's fields for programs. */
  tell(level: LogLevel, event: { type: string }, lines: () => string[]): void;
  /** Prints the error that ends the command. */
  fail(error: XsyncError, exitCode: number): void;
  /** Shows one of several rules: its name is on every line. It is closed with this one. */
  of(rule: string): Renderer;
  /** Opens its log file again if log rotation moved it away. */
  reopen?(): void;
  /** Releases timers and the screen. Idempotent. */
  close(): void;
}

/** Passes everything to both renderers. */
export function both(a: Renderer, b: Renderer): Renderer {
  return {
    report(event) {
      a.report(event);
      b.report(event);
    },
    end(summary, exitCode, error) {
      a.end(summary, exitCode, error);
      b.end(summary, exitCode, error);
    },
    pass(summary, minor) {
      a.pass(summary, minor);
      b.pass(summary, minor);
    },
    say(level, text) {
      a.say(level, text);
      b.say(level, text);
    },
    tell(level, event, lines) {
      a.tell(level, event, lines);
      b.tell(level, event, lines);
    },
    fail(error, exitCode) {
      a.fail(error, exitCode);
      b.fail(error, exitCode);
    },
    of: (rule) => both(a.of(rule), b.of(rule)),
    reopen() {
      a.reopen?.();
      b.reopen?.();
    },
    close() {
      a.close();
      b.close();
    },
  };
}
