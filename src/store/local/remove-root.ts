/** Removes a root that holds nothing. Tests: test/contract/stores.test.ts */
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { OWN_DIRECTORY } from './keys.js';
import { requireRoot } from './listing.js';

/** xsync's own folder goes with it when no file is left in it. @throws guard: it is not empty; bucket-not-found */
export async function removeRoot(root: string): Promise<void> {
  await requireRoot(root);
  try {
    const names = await readdir(root);
    if (names.length === 1 && names[0] === OWN_DIRECTORY) await removeFolders(join(root, OWN_DIRECTORY));
    await rmdir(root);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
    throw new XsyncError('guard', `${root} is not empty`, {
      subject: root,
      remedy: 'Delete what is in it with xsync delete.',
      cause: error,
    });
  }
}

/** @throws ENOTEMPTY, ENOTDIR for a file in it, before anything beside it is removed */
async function removeFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeFolders(join(folder, entry.name));
  }
  await rmdir(folder);
}
