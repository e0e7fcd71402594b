/** Events as JSON lines: one object per line, with stable names. Documented in `docs/json.md`. */
import type { RunEvent } from '../../engine/events.js';
import type { XsyncError } from '../../model/error.js';
import { type LogLevel, levelOf, says } from './levels.js';
import type { Renderer } from './renderer.js';
import { Tally } from './tally.js';

export interface JsonOptions {
  write(text: string): void;
  level: LogLevel;
  /** Milliseconds between `stats` events; 0 for none. */
  statsMs: number;
  /** The rule that it is about, of several: a field of every line. */
  rule?: string;
  now: () => number;
}

/** A `stats` event names at most this many objects in flight. */
const NAMED_IN_FLIGHT = 100;

export function jsonRenderer(options: JsonOptions): Renderer {
  const tally = options.statsMs > 0 ? new Tally(options.now) : undefined;
  let dryRun = false;
  let started = false;
  const write = (level: LogLevel, event: string, fields: object): void => {
    if (!says(options.level, level)) return;
    options.write(`${jsonLine(options.now(), level, event, { rule: options.rule, ...fields })}\n`);
  };
  const stats = (): void => {
    if (started && tally) write('info', 'stats', { ...tally.status(), inFlight: tally.inFlight(NAMED_IN_FLIGHT) });
  };
  const timer = tally && setInterval(stats, options.statsMs);
  timer?.unref();
  const report = (event: RunEvent): void => {
    tally?.hear(event);
    if (event.type === 'start') {
      started = true;
      dryRun = event.dryRun;
    }
    if (isThrottled(event)) return;
    const { type, ...fields } = withoutClash(event);
    write(levelOf(event, dryRun), type, fields);
  };
  const say = (level: LogLevel, message: string): void => write(level, 'notice', { message });
  const fail = (error: XsyncError, exitCode: number): void => {
    const { code, message, subject, remedy, status, serviceCode, requestId } = error;
    const fields = { code, class: error.class, message, subject, remedy, status, serviceCode, requestId, exitCode };
    write('error', 'error', fields);
  };
  const end: Renderer['end'] = (summary, exitCode, error) => {
    clearInterval(timer);
    write('notice', 'end', { ...summary, ...(error === undefined ? {} : { error: error.code }), exitCode });
  };
  const tell: Renderer['tell'] = (level, { type, ...fields }) => write(level, type, fields);
  const pass: Renderer['pass'] = (summary) => write('info', 'pass', summary);
  const of: Renderer['of'] = (rule) => jsonRenderer({ ...options, rule, statsMs: 0 });
  return { report, end, pass, say, tell, fail, of, close: () => clearInterval(timer) };
}

/** One line, without a line end. `time`, `level` and `event` come first. */
export function jsonLine(nowMs: number, level: LogLevel, event: string, fields: object): string {
  return JSON.stringify({ time: new Date(nowMs).toISOString(), level, event, ...fields }, whole);
}

/** Rounds times and rates to whole units, because their fractions are noise, and money to a millionth. */
function whole(name: string, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  const isMoney = name === 'amount' || name === 'acceleration';
  return isMoney ? Number(value.toFixed(6)) : Math.round(value);
}

/** Events per chunk or page: `stats` reports their totals instead. */
function isThrottled(event: RunEvent): boolean {
  return event.type === 'progress' || (event.type === 'listed' && !event.done);
}

/** Moves a notice's level into the event name: `level` is the level of the line. */
function withoutClash(event: RunEvent): { type: string } {
  if (event.type !== 'notice') return event;
  return { type: event.level === 'warn' ? 'warning' : 'notice', message: event.message } as { type: string };
}
