/** Faults as plain data. Tests: test/engine/record/summary.test.ts */
import { type ErrorCode, isXsyncError, XsyncError } from '../../model/error.js';
import type { Fault } from '../../model/outcome.js';
import type { ObjectStore } from '../../store/port.js';

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

/** The store could hold the name, but refused it beside another: on a disk, `a` and `a/b`. */
export function isRefusedBeside(store: Pick<ObjectStore, 'checkKey'>, key: string, code: ErrorCode): boolean {
  if (code !== 'key-not-representable') return false;
  try {
    store.checkKey(key);
    return true;
  } catch (error) {
    if (isXsyncError(error)) return false;
    throw error;
  }
}
