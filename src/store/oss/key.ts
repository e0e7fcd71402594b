/** Tests: test/store/oss/server.test.ts */
import { toXsyncError, XsyncError } from '../../model/error.js';
import { keyBytes } from '../../model/key.js';
import type { DeleteFailure } from '../port.js';

/**
 * Keys have 1 to 1023 bytes of UTF-8 and start with neither `/` nor `\` (OSS developer reference, "Object naming
 * conventions").
 * @throws key-not-representable: for all other keys
 */
export function checkKey(key: string): void {
  const fault = keyFault(key);
  if (fault === undefined) return;
  throw new XsyncError('key-not-representable', `OSS cannot hold this key: ${fault}`, {
    subject: key,
    remedy: 'Rename the object at its source, or exclude it.',
  });
}

function keyFault(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.startsWith('/') || key.startsWith('\\')) return 'it begins with a slash or backslash';
  if (!key.isWellFormed()) return 'it is not well-formed Unicode';
  if (keyBytes(key) > 1023) return 'it is longer than 1023 bytes';
  return undefined;
}

/** Characters that XML 1.0 cannot contain, not even as references, and control characters that it discourages. */
const NOT_XML = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/u;

export interface DeletePlan {
  /** Can be deleted in one batch. */
  batch: string[];
  /** Contain characters that XML cannot: each needs a separate request. */
  single: string[];
  /** Not valid as keys. */
  refused: DeleteFailure[];
}

export function planDelete(keys: readonly string[]): DeletePlan {
  const batch: string[] = [];
  const single: string[] = [];
  const refused: DeleteFailure[] = [];
  for (const key of keys) {
    try {
      checkKey(key);
      (NOT_XML.test(key) ? single : batch).push(key);
    } catch (error) {
      refused.push({ key, error: toXsyncError(error) });
    }
  }
  return { batch, single, refused };
}
