/**
 * Checks which keys a directory tree can hold. A key is used verbatim as a path below the root. A key that the tree
 * would change, resolve or merge with another is rejected, never altered.
 * Tests: test/store/local/escape.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { keyBytes } from '../../model/key.js';
import type { Names } from './names.js';

/** The directory at the root for xsync's own files: no key may start with it. Below the root the name is an ordinary one. */
export const OWN_DIRECTORY = '.xsync';

/** NAME_MAX of every common file system, in bytes (some count UTF-16 units and allow more). */
const MAX_COMPONENT = 255;
/** PATH_MAX of Linux without the terminating NUL, in bytes. */
const MAX_PATH = 4095;

/** Begins the name of a file under construction beside its final path; an `ownName` follows. */
export const BESIDE = '.xsync-';
const OWN_NAME = /^[0-9a-f]{8}-\d+(\.[0-9a-f]{8})?-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a file or directory of this name is xsync's own. */
export function isOwn(directory: string, name: string): boolean {
  if (name.startsWith(BESIDE)) return OWN_NAME.test(name.slice(BESIDE.length));
  return directory === '' && name === OWN_DIRECTORY;
}

/** @throws key-not-representable: the message contains the reason */
export function requireKey(root: string, key: string, names: Names): void {
  const reason = whyNot(root, key) ?? names.whyNot(key);
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
  if (!key.isWellFormed()) return 'is not well-formed Unicode';
  if (keyBytes(root) + 1 + keyBytes(key) > MAX_PATH) return `makes a path longer than ${MAX_PATH} bytes`;
  const parts = (isMarker(key) ? key.slice(0, -1) : key).split('/');
  for (const [index, part] of parts.entries()) {
    if (part === '') return 'has an empty component (//)';
    if (part === '.' || part === '..') return `has the component ${part}`;
    if (isOwn(index === 0 ? '' : '/', part)) return `has the component ${part}, which is reserved`;
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

/** The key without its directory. */
export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
