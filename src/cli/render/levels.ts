/** Tests: test/cli/render/json.test.ts */
import type { RunEvent } from '../../engine/events.js';

/** Log levels, named as in rclone: `-q` is error, the default notice, `-v` info, `-vv` debug. */
export const LOG_LEVELS = ['error', 'notice', 'info', 'debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** True if messages of `level` are printed at `threshold`. */
export function says(threshold: LogLevel, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(threshold);
}

/** The level of an event. The plan of a dry run is its result, so it is printed by default. */
export function levelOf(event: RunEvent, dryRun: boolean): LogLevel {
  switch (event.type) {
    case 'failed':
    case 'trouble':
      return 'error';
    case 'well':
    case 'conflict':
      return 'notice';
    case 'retry':
      return event.long ? 'notice' : 'debug';
    case 'notice':
      return event.level === 'warn' ? 'notice' : 'info';
    case 'plan':
    case 'doom':
      return dryRun ? 'notice' : 'debug';
    case 'start':
    case 'copied':
    case 'deleted':
    case 'attributes':
    case 'moved':
    case 'backup':
    case 'held':
    case 'restart':
    case 'tuned':
    case 'waiting':
      return 'info';
    default:
      return 'debug';
  }
}
