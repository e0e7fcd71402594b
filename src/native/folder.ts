/** Creates private folders. Tests: test/manifest/sqlite/open.test.ts */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../model/errno.js';

/**
 * Creates a folder and its parents with mode 0700. Node's `recursive` is not used because it never returns where folders
 * cannot be created (/proc).
 * @throws the operating system's error
 */
export function makePrivateFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makePrivateFolder(dirname(path));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}
