/** Whether a completion that failed was carried out all the same. Tests: test/engine/transfer/pour.test.ts, test/engine/crash.test.ts */
import { isXsyncError } from '../../model/error.js';
import type { ObjectBytes, UploadRef } from '../../store/port.js';

/** The store still knows the upload, so nothing has completed it. One request. @throws what listParts throws */
export async function isOpen(store: ObjectBytes, upload: UploadRef, signal: AbortSignal): Promise<boolean> {
  try {
    await store.listParts(upload, { signal });
    return true;
  } catch (error) {
    if (isXsyncError(error, 'upload-not-found')) return false;
    throw error;
  }
}
