/** Where a path really is, and whether a tree may be written there: asked once, before a run moves anything. */
import { access, constants, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { XsyncError } from '../../model/error.js';
import { isErrno, translate } from './errors.js';

/** The path with every symbolic link on its way resolved, as far as it exists: two spellings of one place are equal. */
export async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (dirname(path) === path || !isErrno(error, 'ENOENT', 'ENOTDIR')) throw translate(error, 'read', path);
    return join(await realPlace(dirname(path)), basename(path));
  }
}

/**
 * Asks whether files can be made in the folder `root`, or in the nearest one above it when it does not exist yet.
 * @throws not-writable; usage when a file stands where a folder has to be
 */
export async function refuseUnwritable(root: string, folder = root): Promise<void> {
  try {
    const found = await stat(folder);
    if (!found.isDirectory()) {
      const what = folder === root ? 'and a folder is needed' : `so ${root} cannot be a folder`;
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
