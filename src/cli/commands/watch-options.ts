/** The options that watch alone has. */
import type { Command } from 'commander';
import { flag, value } from '../define.js';
import { plainText } from '../options.js';
import { parseDuration, parseInterval } from '../values.js';

/** How a watch looks. */
export interface WatchFlags {
  /** Milliseconds, as all of them. */
  interval?: number;
  minInterval?: number;
  maxInterval?: number;
  fullInterval?: number;
  /** Undefined for `off`. */
  checkDestination?: number;
  settle?: number;
  delete?: true;
  events?: string;
}

export function watchOptions(command: Command): Command {
  command.optionsGroup('Watch:');
  value(command, '--interval <duration>', 'between two looks', parseInterval, [30_000, '30s']);
  value(command, '--min-interval <duration>', 'while changes flow (a quarter of --interval)', parseInterval);
  value(command, '--max-interval <duration>', 'while nothing happens (twice --interval)', parseInterval);
  value(command, '--full-interval <duration>', 'between looks at all of a big source (10 x --interval)', parseInterval);
  value(command, '--check-destination <duration>', 'between listings of the destination too', parseDuration, [
    24 * 3_600_000,
    '1d',
  ]);
  value(command, '--settle <duration>', 'leave alone what changed within (5s from local disk)', parseDuration);
  flag(command, '--delete', 'delete at the destination what is gone from the source');
  return value(
    command,
    '--events <source>',
    'take change events too: :port/path, sqs://… or - (docs/events.md)',
    plainText,
  );
}
