import { toXsyncError, XsyncError } from '../../model/error.js';
import { keyBytes } from '../../model/key.js';
import type { DeleteFailure } from '../port.js';

/**
 * Throws `key-not-representable` for what OSS cannot name: keys of 1 to 1023 bytes of UTF-8 that begin with neither
 * `/` nor `\` (OSS developer reference, "Object naming conventions").
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
  if (/\p{Surrogate}/u.test(key)) return 'it is not well-formed Unicode';
  if (keyBytes(key) > 1023) return 'it is longer than 1023 bytes';
  return undefined;
}

/** What XML 1.0 has no way to write, not even by reference (and a few control characters that it frowns on). */
const NOT_XML = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/u;

export interface DeletePlan {
  /** Can be named in one batch. */
  batch: string[];
  /** Hold characters that XML lacks: each needs a request of its own. */
  single: string[];
  /** OSS cannot hold them. */
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
