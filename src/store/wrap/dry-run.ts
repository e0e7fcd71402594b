/** Tests: test/store/wrap/intercept.test.ts */
import { XsyncError } from '../../model/error.js';
import type { ObjectStore, RequestKind } from '../port.js';
import { InterceptedStore } from './intercept.js';

/** A record over all kinds, so that the compiler finds a missing one. */
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
  deleteBucket: true,
  restore: true,
  getTags: false,
  putTags: true,
  getAcl: false,
  putAcl: true,
  putLock: true,
  getLink: false,
  putLink: true,
};

/**
 * A read-only store. The planner of a dry run never writes; this wrapper enforces it. A write is a bug and rejects with
 * `internal` before anything is sent.
 */
export function dryRun(store: ObjectStore): ObjectStore {
  return new InterceptedStore(store, async (call, run) => {
    if (!WRITES[call.kind]) return run(call.pace);
    throw new XsyncError('internal', `a dry run tried to write (${call.kind})`, { subject: call.key });
  });
}
