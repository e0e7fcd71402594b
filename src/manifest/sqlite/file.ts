import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates `file` with mode 0600 if it does not exist. SQLite uses the same mode for the -wal, -shm and -journal files.
 * An existing file is not opened, because closing any descriptor of a file releases the POSIX locks that this process
 * holds on it.
 */
export function createPrivateFile(file: string): void {
  makeFolder(dirname(file));
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** Creates a folder and its parents. Node's `recursive` never returns where folders cannot be created (/proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
