/**
 * Checks which keys a directory tree can hold. A key is used verbatim as a path below the root. A key that the tree
 * would change, resolve or merge with another is rejected, never altered.
 */
import { XsyncError } from '../../model/error.js';
import { keyBytes } from '../../model/key.js';

/** The directory at the root for xsync's own files; no component of a key may have this name. */
export const OWN_DIRECTORY = '.xsync';

/** NAME_MAX of every common file system, in bytes (some count UTF-16 units and allow more). */
const MAX_COMPONENT = 255;
/** PATH_MAX of Linux without the terminating NUL, in bytes. */
const MAX_PATH = 4095;

/** @throws key-not-representable: the message contains the reason */
export function requireKey(root: string, key: string): void {
  const reason = whyNot(root, key);
  if (reason === undefined) return;
  throw new XsyncError('key-not-representable', `${JSON.stringify(key)} cannot be a file name: it ${reason}`, {
    subject: key,
  });
}

/** Why the key cannot be a path below the root; undefined if it can. */
export function whyNot(root: string, key: string): string | undefined {
  if (key === '') return 'is empty';
  if (key.startsWith('/')) return 'starts with a slash';
  if (key.includes('\0')) return 'contains a NUL character';
  if (/\p{Cs}/u.test(key)) return 'is not well-formed Unicode';
  if (keyBytes(root) + 1 + keyBytes(key) > MAX_PATH) return `makes a path longer than ${MAX_PATH} bytes`;
  const parts = (isMarker(key) ? key.slice(0, -1) : key).split('/');
  for (const part of parts) {
    if (part === '') return 'has an empty component (//)';
    if (part === '.' || part === '..') return `has the component ${part}`;
    if (part === OWN_DIRECTORY) return `has the component ${OWN_DIRECTORY}, which is reserved`;
    if (keyBytes(part) > MAX_COMPONENT) return `has a component longer than ${MAX_COMPONENT} bytes`;
  }
  return undefined;
}

/** Object stores mark folders with empty objects whose key ends in a slash; on disk such a marker is a directory. */
export function isMarker(key: string): boolean {
  return key.endsWith('/');
}

/** The key's directory: empty for the root, otherwise without a trailing slash. */
export function directoryOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}
