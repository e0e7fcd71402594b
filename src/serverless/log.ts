/** What functions say: a JSON object a line, as the logs of both clouds can search it. Tests: test/serverless/log.test.ts */
import type { AuditEntry } from '../bridge/pull/audit.js';

type Level = 'info' | 'warn' | 'error';

/** @param more never a URL */
export function say(level: Level, message: string, more: AuditEntry = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...more })}\n`);
}

/** The audit log of a function is its log. */
export const AUDIT = {
  note: (entry: AuditEntry): void => say('info', String(entry.event), entry),
  refuse: (entry: AuditEntry): void => say('warn', String(entry.message), entry),
};
