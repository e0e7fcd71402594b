/** Resolves a path and checks that it can be written, once, before a run moves anything. */
import { access, constants, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { translate } from './errors.js';

/** The path with every symbolic link resolved as far as it exists, so that two spellings of one path are equal. */
export async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (dirname(path) === path || !isErrno(error, 'ENOENT', 'ENOTDIR')) throw translate(error, 'read', path);
    return join(await realPlace(dirname(path)), basename(path));
  }
}

/**
 * Checks that files can be created in the folder `root`, or in its nearest parent if it does not exist yet.
 * @throws not-writable
 * @throws usage: the path or one of its parents is a file
 */
export async function refuseUnwritable(root: string, folder = root): Promise<void> {
  try {
    const found = await stat(folder);
    if (!found.isDirectory()) {
      const what = folder === root ? 'not a folder' : `so ${root} cannot be a folder`;
      throw new XsyncError('usage', `${folder} is a file, ${what}`, {
        subject: root,
        remedy: 'Choose another destination.',
      });
    }
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const above = dirname(folder);
    if (above === folder || !isErrno(error, 'ENOENT', 'ENOTDIR')) throw translate(error, 'write', folder);
    await refuseUnwritable(root, above);
  }
}
