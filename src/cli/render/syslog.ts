/** The log as lines for syslog, each with the severity of its level. Tests: test/cli/syslog.test.ts */
import type { LogLevel } from './levels.js';
import { levelOf } from './levels.js';
import type { Renderer } from './renderer.js';
import { type TextOptions, textRenderer } from './text.js';

/** @param send takes one line without its end */
export function syslogRenderer(
  options: Omit<TextOptions, 'write' | 'stamped' | 'width' | 'oneLine'>,
  send: (level: LogLevel, line: string) => void,
): Renderer {
  let current: LogLevel = 'notice';
  let dryRun = false;
  const write = (text: string): void => {
    for (const line of text.split('\n')) if (line !== '') send(current, line);
  };
  const text = textRenderer({ ...options, write, stamped: false, width: Number.POSITIVE_INFINITY, oneLine: true });
  const at = (level: LogLevel, act: () => void): void => {
    current = level;
    act();
    // Lines of statistics come by themselves.
    current = 'notice';
  };
  return {
    ...text,
    report(event) {
      if (event.type === 'start') dryRun = event.dryRun;
      at(levelOf(event, dryRun), () => text.report(event));
    },
    say: (level, line) => at(level, () => text.say(level, line)),
    tell: (level, event, lines) => at(level, () => text.tell(level, event, lines)),
    of: (rule) => syslogRenderer({ ...options, rule, statsMs: 0 }, send),
    fail: (error, exitCode) => at('error', () => text.fail(error, exitCode)),
  };
}
