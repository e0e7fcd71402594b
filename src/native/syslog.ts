/**
 * syslog(3) of the C library, which knows where the system's logger listens. Node cannot send to /dev/log itself.
 * Tests: test/cli/syslog.test.ts
 */
import { existsSync } from 'node:fs';
import { XsyncError } from '../model/error.js';
import { loadLibc } from './libc.js';

/** Numbers of RFC 5424, section 6.2.1. */
export const FACILITIES = {
  USER: 1,
  MAIL: 2,
  DAEMON: 3,
  AUTH: 4,
  CRON: 9,
  LOCAL0: 16,
  LOCAL1: 17,
  LOCAL2: 18,
  LOCAL3: 19,
  LOCAL4: 20,
  LOCAL5: 21,
  LOCAL6: 22,
  LOCAL7: 23,
} as const;
export type Facility = keyof typeof FACILITIES;

export const SEVERITIES = { error: 3, notice: 5, info: 6, debug: 7 } as const;
export type Severity = keyof typeof SEVERITIES;

export type Syslog = (severity: Severity, line: string) => void;

/** With the process ID in each message. */
const LOG_PID = 1;

/** Facility and severity in one number. */
export function priorityOf(facility: Facility, severity: Severity): number {
  return FACILITIES[facility] * 8 + SEVERITIES[severity];
}

/** Where the C library of Linux finds the logger. It loses messages without a word if there is none. */
const SOCKET = '/dev/log';

/** @throws unsupported, not-writable */
export async function openSyslog(facility: Facility): Promise<Syslog> {
  if (process.platform === 'linux' && !existsSync(SOCKET)) {
    throw new XsyncError('not-writable', `--syslog: no system logger listens at ${SOCKET}`, {
      subject: '--syslog',
      remedy: 'Start one, or write to a file with --log-file.',
    });
  }
  try {
    const libc = await loadLibc();
    const openlog = libc.func('void openlog(const void *ident, int option, int facility)');
    const syslog = libc.func('void syslog(int priority, const char *format, ...)');
    openlog(IDENT, LOG_PID, FACILITIES[facility] * 8);
    return (severity, line) => void syslog(priorityOf(facility, severity), '%s', 'str', line);
  } catch (error) {
    throw new XsyncError('unsupported', '--syslog: the C library cannot be called on this machine', {
      subject: '--syslog',
      remedy: 'Install the optional dependency koffi, or pipe standard error to logger(1).',
      cause: error,
    });
  }
}

/** openlog(3) keeps the pointer, so the text must stay where it is. */
const IDENT = Buffer.from('xsync\0');
