/** Faults as plain data. */
import type { XsyncError } from '../../model/error.js';
import type { Fault } from '../../model/outcome.js';

const LISTED_ONLY = "The source lists it but does not return it: inspect it with the source's own tools.";

export function faultOf({ class: kind, code, message, remedy }: XsyncError): Fault {
  return { class: kind, code, message, remedy: remedy ?? (code === 'object-not-found' ? LISTED_ONLY : undefined) };
}
