/** Tests: test/manifest/sqlite/open.test.ts */
import { closeSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ABSENT, isErrno } from '../../model/errno.js';
import { makePrivateFolder } from '../../native/folder.js';
import { manifestError } from './errors.js';

/**
 * Creates `file` with mode 0600 if it does not exist. SQLite uses the same mode for the -wal, -shm and -journal files.
 * An existing file is not opened, because closing any descriptor of a file releases the POSIX locks that this process
 * holds on it.
 */
export function createPrivateFile(file: string): void {
  makePrivateFolder(dirname(file));
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** Whether there is no file, or one without content. @throws not-writable if that cannot be determined */
export function isAbsentOrEmpty(file: string): boolean {
  try {
    return statSync(file).size === 0;
  } catch (error) {
    if (isErrno(error, ...ABSENT)) return true;
    throw manifestError(error, file);
  }
}
