/** Translates errors of the operating system into XsyncErrors. Tests: test/store/local/objects.test.ts */
import { errnoOf, reasonOf } from '../../model/errno.js';
import { type ErrorCode, type ErrorDetails, XsyncError } from '../../model/error.js';

export type Intent = 'read' | 'write';

interface Sentence {
  code: ErrorCode;
  says: string;
  class?: ErrorDetails['class'];
  remedy?: string;
}

const NO_HANDLES: Sentence = {
  code: 'not-readable',
  says: 'cannot be opened: too many open files',
  class: 'temporary',
  remedy: 'Lower --transfers or raise the limit (ulimit -n).',
};
const FULL: Sentence = {
  code: 'disk-full',
  says: 'cannot be written: the disk or the quota is full',
  remedy: 'Free space, or choose another destination.',
};
const NAME_TOO_LONG: Sentence = { code: 'key-not-representable', says: 'is too long for this file system' };
const CONFLICT: Sentence = {
  code: 'key-not-representable',
  says: 'cannot be created: a file and a folder would have the same name',
  remedy: 'Move or remove the one that is there, or exclude this one; sync deletes what the source no longer has.',
};
const DENIED: Sentence = {
  code: 'not-writable',
  says: 'cannot be written: permission denied',
  remedy: 'Check its owner and permissions, or choose another destination.',
};
/** The disk, or a network file system. */
const CHECK_DISK = 'Check the disk; the log of the system (dmesg) may say more.';
const BUSY: Sentence = { code: 'not-writable', says: 'is busy', class: 'temporary' };

const BY_ERRNO: Record<Intent, Record<string, Sentence>> = {
  read: {
    ENOENT: { code: 'object-not-found', says: 'does not exist' },
    ENOTDIR: { code: 'object-not-found', says: 'does not exist' },
    ELOOP: { code: 'unsupported-object', says: 'is a symbolic link' },
    ENXIO: { code: 'unsupported-object', says: 'is not a regular file' },
    EACCES: { code: 'not-readable', says: 'cannot be read: permission denied' },
    EPERM: { code: 'not-readable', says: 'cannot be read: permission denied' },
    EIO: { code: 'not-readable', says: 'cannot be read: i/o error', remedy: CHECK_DISK },
    EMFILE: NO_HANDLES,
    ENFILE: NO_HANDLES,
    ENAMETOOLONG: NAME_TOO_LONG,
  },
  write: {
    ENOSPC: FULL,
    EDQUOT: FULL,
    EACCES: DENIED,
    EPERM: DENIED,
    EROFS: {
      code: 'not-writable',
      says: 'cannot be written: the file system is read-only',
      remedy: 'Choose another destination, or remount it as writable.',
    },
    EIO: { code: 'not-writable', says: 'cannot be written: i/o error', remedy: CHECK_DISK },
    EFBIG: { code: 'object-too-large', says: 'is too large for this file system' },
    EMFILE: NO_HANDLES,
    ENFILE: NO_HANDLES,
    ENAMETOOLONG: NAME_TOO_LONG,
    ENOTDIR: CONFLICT,
    EISDIR: CONFLICT,
    ENOTEMPTY: CONFLICT,
    EEXIST: CONFLICT,
    // The name is not UTF-8 or contains characters that this file system forbids.
    EILSEQ: { code: 'key-not-representable', says: 'has characters that this file system does not allow' },
    EINVAL: { code: 'key-not-representable', says: 'has characters that this file system does not allow' },
    // Removed by another program after it was created.
    ENOENT: { code: 'not-writable', says: 'cannot be written: its folder was removed meanwhile', class: 'temporary' },
    EBUSY: BUSY,
    ETXTBSY: BUSY,
  },
};

/** The XsyncError for `error`, which occurred at `path`; errors of other origin are returned unchanged. */
export function translate(error: unknown, intent: Intent, path: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || !(error instanceof Error)) return error;
  const known = BY_ERRNO[intent][errno];
  if (!known) {
    const [code, verb] =
      intent === 'read' ? (['not-readable', 'read'] as const) : (['not-writable', 'written'] as const);
    return new XsyncError(code, `${path} cannot be ${verb}: ${reasonOf(error)}`, { subject: path, cause: error });
  }
  const { code, says, ...details } = known;
  return new XsyncError(code, `${path} ${says}`, { subject: path, cause: error, ...details });
}

/** The error of a key that the tree cannot hold beside the folder or file at `path`. */
export function inTheWay(path: string, kind: 'folder' | 'mount' | 'file'): XsyncError {
  const what = {
    folder: 'is a folder that is not empty, so no file can have its name',
    mount: 'is a folder in use by the system, such as a mount point, so no file can have its name',
    file: 'is a file, so no folder can have its name',
  };
  return new XsyncError(CONFLICT.code, `${path} ${what[kind]}`, { subject: path, remedy: CONFLICT.remedy });
}

/** Runs `work`, translating its errors. */
export async function translating<T>(intent: Intent, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error, intent, path);
  }
}
