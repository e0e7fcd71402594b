import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes sure that `file` exists and that nobody else may read it. SQLite gives its companions (-wal, -shm, -journal)
 * the same mode. An existing file is left alone and above all not opened: closing any descriptor of a file gives up
 * the POSIX locks that this process holds on it.
 */
export function createPrivateFile(file: string): void {
  makeFolder(dirname(file));
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** With the folders above it. Node's own `recursive` never returns where a folder exists and takes none (/proc). */
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
