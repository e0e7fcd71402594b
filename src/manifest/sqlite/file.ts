import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes sure that `file` exists and that nobody else may read it. SQLite gives its companions (-wal, -shm, -journal)
 * the same mode. An existing file is left alone and above all not opened: closing any descriptor of a file gives up
 * the POSIX locks that this process holds on it.
 */
export function createPrivateFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
