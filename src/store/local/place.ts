/**
 * Resolves a path and checks that it can be written, once, before a run moves anything.
 * Tests: test/cli/stores.test.ts
 */
import { access, constants, lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { translate } from './errors.js';
import { OWN_DIRECTORY } from './keys.js';

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
 * Checks that files can be created in the folder `root`, or in its nearest parent if it does not exist yet, and that
 * xsync's own folder in it is not a link, through which it would write elsewhere.
 * @throws not-writable
 * @throws usage: the path or one of its parents is a file
 */
export async function refuseUnwritable(root: string): Promise<void> {
  await refuseUnwritableFolder(root, root);
  for (const name of ['', '/tmp', '/meta', '/uploads']) {
    const own = `${root === '/' ? '' : root}/${OWN_DIRECTORY}${name}`;
    const found = await unlessErrno(ABSENT, lstat(own));
    if (!found || found.isDirectory()) continue;
    const what = found.isSymbolicLink() ? 'a symbolic link' : 'not a folder';
    throw new XsyncError('not-writable', `${own} is ${what}, and xsync keeps its own files there`, {
      subject: own,
      remedy: `Remove ${own}.`,
    });
  }
}

async function refuseUnwritableFolder(root: string, folder: string): Promise<void> {
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
    await refuseUnwritableFolder(root, above);
  }
}
