import type { Reporter, Summary } from '../../engine/events.js';
import type { XsyncError } from '../../model/error.js';
import type { LogLevel } from './levels.js';

/** Shows a run to somebody: a terminal, a log, a program. */
export interface Renderer {
  /** Every event but `end`, whose summary comes through `end`. */
  report: Reporter;
  /** The run has ended: by itself, or (`error`) because something went wrong that concerns every object. */
  end(summary: Summary, exitCode: number, error?: XsyncError): void;
  /** One of many passes has ended, and there will be more. */
  pass(summary: Summary): void;
  /** Something that is no event of the run, such as "stopping". */
  say(level: LogLevel, text: string): void;
  /** What a command that is no run has found: text for people, the event's fields for programs. */
  tell(level: LogLevel, event: { type: string }, lines: () => string[]): void;
  /** The error that ends the command. */
  fail(error: XsyncError, exitCode: number): void;
  /** Gives back timers and the screen. Idempotent. */
  close(): void;
}

/** Shows everything to both. */
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
    pass(summary) {
      a.pass(summary);
      b.pass(summary);
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
    close() {
      a.close();
      b.close();
    },
  };
}
