/** Tests: test/manifest/sqlite/lock.test.ts */
import Database from 'better-sqlite3';
import { errnoOf, FULL as FULL_ERRNOS, reasonOf } from '../../model/errno.js';
import { type ErrorCode, toXsyncError, XsyncError } from '../../model/error.js';
import { fileSystemOf } from './file-system.js';

interface Meaning {
  code: ErrorCode;
  what: string;
  remedy?: string;
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

const UNREADABLE: Meaning = {
  code: 'not-readable',
  what: 'cannot be read or written: the disk failed',
  remedy: 'Check the disk, or put the manifest on another one.',
};

/** The write-ahead log needs a file that processes map into their memory. */
const NO_SHARED_MEMORY = 'does not support the shared memory maps that a manifest needs';
const NO_LOCKS = 'does not support the locks that a manifest needs';
const LOCAL_DISK = 'Keep the manifests on a local disk: set XDG_STATE_HOME to a folder there, or use --manifest FILE.';

const BUSY: Meaning = {
  code: 'locked',
  what: 'is in use by another process',
  remedy: 'Wait until that process ends.',
};

/** Reasons in place of the operating system's, which would point elsewhere. */
const MISLEADING: Readonly<Record<string, string>> = {
  EEXIST: 'a file is in place of a folder',
  ENOTDIR: 'a file is in place of a folder',
  // Node's error for a folder that cannot be created on a read-only disk.
  ENOENT: 'its folder cannot be created',
};

/** By primary result code, the prefix of extended codes (`SQLITE_CORRUPT_VTAB`). https://sqlite.org/rescode.html */
const MEANINGS: readonly [string, Meaning][] = [
  ['SQLITE_CORRUPT', DAMAGED],
  ['SQLITE_NOTADB', DAMAGED],
  // A table, a column or a rule is not as this version made it: every statement fits the format that the file declares.
  ['SQLITE_ERROR', DAMAGED],
  ['SQLITE_SCHEMA', DAMAGED],
  ['SQLITE_MISMATCH', DAMAGED],
  ['SQLITE_CONSTRAINT_CHECK', DAMAGED],
  ['SQLITE_CONSTRAINT_TRIGGER', DAMAGED],
  // The -shm file cannot grow.
  ['SQLITE_IOERR_SHMSIZE', FULL],
  ['SQLITE_IOERR', UNREADABLE],
  ['SQLITE_NOLFS', UNREADABLE],
  ['SQLITE_FULL', FULL],
  ['SQLITE_READONLY', NOT_WRITABLE],
  ['SQLITE_CANTOPEN', NOT_WRITABLE],
  ['SQLITE_PERM', NOT_WRITABLE],
  ['SQLITE_BUSY', BUSY],
  ['SQLITE_LOCKED', BUSY],
];

/** Codes of calls that only some file systems support. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  SQLITE_IOERR_SHMMAP: NO_SHARED_MEMORY,
  SQLITE_IOERR_SHMOPEN: NO_SHARED_MEMORY,
  SQLITE_IOERR_SHMLOCK: NO_LOCKS,
  SQLITE_IOERR_LOCK: NO_LOCKS,
  SQLITE_IOERR_RDLOCK: NO_LOCKS,
  SQLITE_IOERR_UNLOCK: NO_LOCKS,
  SQLITE_IOERR_CHECKRESERVEDLOCK: NO_LOCKS,
  SQLITE_PROTOCOL: NO_LOCKS,
};

/** Translates an error of SQLite or the file system about `file`, or of an SQLite that cannot be loaded. */
export function manifestError(error: unknown, file: string): XsyncError {
  if (error instanceof XsyncError) return error;
  const lacks = error instanceof Database.SqliteError ? UNSUPPORTED[error.code] : undefined;
  if (lacks !== undefined) return unfit(file, lacks, error);
  const meaning = meaningOf(error);
  if (!meaning && !(error instanceof Database.SqliteError)) return toXsyncError(error);
  const { code, what, remedy } = meaning ?? { code: 'internal', what: `failed: ${reasonOf(error)}`, remedy: undefined };
  return new XsyncError(code, `the manifest ${file} ${what}`, { subject: file, remedy, cause: error });
}

/** The manifest has a value that xsync never wrote there. */
export function damaged(file: string): XsyncError {
  return new XsyncError(DAMAGED.code, `the manifest ${file} ${DAMAGED.what}`, {
    subject: file,
    remedy: DAMAGED.remedy,
  });
}

/** The file system of `file` grants no locks. */
export function withoutLocks(file: string, cause: unknown): XsyncError {
  return unfit(file, NO_LOCKS, cause);
}

function unfit(file: string, lacks: string, cause: unknown): XsyncError {
  const details = { subject: file, remedy: LOCAL_DISK, cause };
  return new XsyncError('unsupported', `${fileSystemOf(file)} ${lacks}`, details);
}

function meaningOf(error: unknown): Meaning | undefined {
  if (error instanceof Database.SqliteError) return MEANINGS.find(([prefix]) => error.code.startsWith(prefix))?.[1];
  const errno = errnoOf(error);
  if (errno === undefined) return undefined;
  if (FULL_ERRNOS.includes(errno)) return FULL;
  return { ...NOT_WRITABLE, what: `${NOT_WRITABLE.what}: ${MISLEADING[errno] ?? reasonOf(error)}` };
}
