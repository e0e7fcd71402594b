/** --syslog: the severity of each line. What the C library sends was compared with a socket at /dev/log. */
import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { syslogRenderer } from '../../src/cli/render/syslog.js';
import { XsyncError } from '../../src/model/error.js';
import { priorityOf } from '../../src/native/syslog.js';

test('each line has the severity of its level, and a summary is one line', () => {
  const sent: string[] = [];
  const options = {
    chalk: new Chalk({ level: 0 }),
    level: 'info' as const,
    statsMs: 0,
    idleSilent: false,
    now: () => 0,
  };
  const log = syslogRenderer(options, (level, line) => sent.push(`${level}: ${line}`));

  log.say('debug', 'not at this level');
  log.say('info', 'two\nlines');
  log.report({ type: 'notice', level: 'warn', message: 'careful' });
  log.report({ type: 'deleted', key: 'a\nb', size: 1 });
  log.fail(new XsyncError('config', 'no such remote'), 7);

  expect(sent).toEqual([
    'info: two',
    'info: lines',
    'notice: warning: careful',
    'info: deleted a\\nb  1 B',
    'error: xsync: no such remote',
  ]);
});

test('priorities are those of RFC 5424', () => {
  expect(priorityOf('DAEMON', 'notice')).toBe(29);
  expect(priorityOf('LOCAL7', 'debug')).toBe(191);
  expect(priorityOf('USER', 'error')).toBe(11);
});
