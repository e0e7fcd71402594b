/** Entries of a listing as text, for a temporary table. Tests: test/engine/list/spooled.test.ts */
import { type ErrorCode, type ErrorDetails, XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';

export function spooled({ fault, ...entry }: ObjectEntry): string {
  return JSON.stringify(fault ? { ...entry, fault: plain(fault) } : entry);
}

export function unspooled(value: string): ObjectEntry {
  const { fault, ...entry } = JSON.parse(value) as Omit<ObjectEntry, 'fault'> & { fault?: SpooledFault };
  return fault ? { ...entry, fault: thrown(fault) } : entry;
}

export interface SpooledFault {
  code: ErrorCode;
  message: string;
  details: ErrorDetails;
}

/** An error as data. */
export function plain({ code, message, class: kind, subject, remedy }: XsyncError): SpooledFault {
  return { code, message, details: { class: kind, subject, remedy } };
}

export function thrown({ code, message, details }: SpooledFault): XsyncError {
  return new XsyncError(code, message, details);
}
