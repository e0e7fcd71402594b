/** Faults as plain data. Tests: test/engine/record/summary.test.ts */
import { XsyncError } from '../../model/error.js';
import type { Fault } from '../../model/outcome.js';

const LISTED_ONLY = "The source lists it but does not return it: inspect it with the source's own tools.";

/** Of an object that had another version each time it was read, such as a log file: a later run may find it at rest. */
export function beingWritten(cause: XsyncError): XsyncError {
  const message = 'it is being written to: each time, it changed while it was read';
  const remedy = 'Run again when nothing writes to it.';
  return new XsyncError(cause.code, message, { subject: cause.subject, remedy, class: 'temporary', cause });
}

/** The object has another version than the one that was asked for. */
export function isChange({ code }: XsyncError): boolean {
  return code === 'precondition-failed' || code === 'source-changed';
}

export function faultOf({ class: kind, code, message, remedy }: XsyncError): Fault {
  return { class: kind, code, message, remedy: remedy ?? (code === 'object-not-found' ? LISTED_ONLY : undefined) };
}
