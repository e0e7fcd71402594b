import { XsyncError } from '../../model/error.js';
import type { ObjectStore } from '../port.js';
import { InterceptedStore } from './intercept.js';
import type { RequestKind } from './kinds.js';

/** Every kind has its place here, so that a new one cannot be forgotten. */
const WRITES: Record<RequestKind, boolean> = {
  list: false,
  head: false,
  read: false,
  put: true,
  copy: true,
  createUpload: true,
  uploadPart: true,
  uploadPartCopy: true,
  listParts: false,
  completeUpload: true,
  abortUpload: true,
  listUploads: false,
  delete: true,
  checkBucket: false,
  createBucket: true,
};

/**
 * A store that can only be looked at. The planner of a dry run never writes; this is the guard behind it, so a write
 * that reaches it is a fault of ours: it rejects with `internal` and nothing is sent.
 */
export function dryRun(store: ObjectStore): ObjectStore {
  return new InterceptedStore(store, async (call, run) => {
    if (!WRITES[call.kind]) return run(call.pace);
    throw new XsyncError('internal', `a dry run tried to write (${call.kind})`, { subject: call.key });
  });
}
