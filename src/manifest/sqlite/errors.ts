import Database from 'better-sqlite3';
import { type ErrorCode, XsyncError } from '../../model/error.js';

interface Meaning {
  code: ErrorCode;
  what: string;
  remedy: string;
}

const DAMAGED: Meaning = {
  code: 'config',
  what: 'is damaged or is not a manifest',
  remedy:
    'Run "xsync manifest rebuild SOURCE DESTINATION" with the paths of its pair, and with --manifest FILE if the run used it, to set the file aside and create a new one from both sides; if the file is not a manifest, move it away.',
};

const NOT_WRITABLE: Meaning = {
  code: 'not-writable',
  what: 'cannot be written',
  remedy: 'Check the owner and permissions of the file and of its folder, and that the disk is not mounted read-only.',
};

const FULL: Meaning = {
  code: 'disk-full',
  what: 'cannot be written: the disk is full',
  remedy: 'Free space, or put the manifest on another disk.',
};

const BUSY: Meaning = {
  code: 'locked',
  what: 'is in use by another process',
  remedy: 'Wait until that process ends.',
};

/** By primary result code, the prefix of extended codes (`SQLITE_CORRUPT_VTAB`). https://sqlite.org/rescode.html */
const MEANINGS: readonly [string, Meaning][] = [
  ['SQLITE_CORRUPT', DAMAGED],
  ['SQLITE_NOTADB', DAMAGED],
  ['SQLITE_FULL', FULL],
  ['SQLITE_READONLY', NOT_WRITABLE],
  ['SQLITE_CANTOPEN', NOT_WRITABLE],
  ['SQLITE_PERM', NOT_WRITABLE],
  ['SQLITE_BUSY', BUSY],
  ['SQLITE_LOCKED', BUSY],
];

/**
 * EEXIST and ENOTDIR: a file is in place of a folder. ENOENT: Node's error for a folder that cannot be created on a
 * read-only disk.
 */
const NOT_WRITABLE_ERRNOS = new Set(['EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOTDIR', 'ENOENT']);

/** Translates an error of SQLite or the file system about `file`. */
export function manifestError(error: unknown, file: string): XsyncError {
  if (error instanceof XsyncError) return error;
  const meaning = meaningOf(error);
  if (meaning) {
    return new XsyncError(meaning.code, `the manifest ${file} ${meaning.what}`, {
      subject: file,
      remedy: meaning.remedy,
      cause: error,
    });
  }
  const said = error instanceof Error ? error.message : String(error);
  return new XsyncError('internal', `the manifest ${file} failed: ${said}`, { subject: file, cause: error });
}

function meaningOf(error: unknown): Meaning | undefined {
  if (error instanceof Database.SqliteError) return MEANINGS.find(([prefix]) => error.code.startsWith(prefix))?.[1];
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return FULL;
  return typeof code === 'string' && NOT_WRITABLE_ERRNOS.has(code) ? NOT_WRITABLE : undefined;
}
