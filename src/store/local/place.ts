/**
 * Resolves a path and checks that it can be written, once, before a run moves anything.
 * Tests: test/cli/stores.test.ts
 */
import { access, constants, lstat, mkdir, realpath, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ABSENT, FULL, isErrno, reasonOf, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { translate, translating } from './errors.js';
import { BESIDE, OWN_DIRECTORY } from './keys.js';
import { ownName } from './temporaries.js';

/** Our own folder and those in it, below the root. */
const OWN = ['', '/tmp', '/meta', '/uploads'].map((name) => `/${OWN_DIRECTORY}${name}`);
/** What may be over before the run writes, or before it needs the space. */
const PASSING = [...FULL, 'EMFILE', 'ENFILE', 'ENOMEM'];

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
 * xsync's own folder in it can be written, and is not a link, through which it would write elsewhere.
 * @param tries whether to create a folder and remove it: nothing else tells that a file system takes no files (`/proc`)
 * @throws not-writable
 * @throws usage: the path or one of its parents is a file
 */
export async function refuseUnwritable(root: string, tries: boolean): Promise<void> {
  const folder = await refuseUnwritableFolder(root, root);
  for (const own of OWN.map((name) => join(root, name))) {
    await translating('write', own, async () => {
      const found = await unlessErrno(ABSENT, lstat(own));
      if (!found) return;
      if (found.isDirectory()) return access(own, constants.W_OK | constants.X_OK);
      const what = found.isSymbolicLink() ? 'a symbolic link' : 'not a folder';
      throw new XsyncError('not-writable', `${own} is ${what}, and xsync keeps its own files there`, {
        subject: own,
        remedy: `Remove ${own}.`,
      });
    });
  }
  if (tries) await tryToCreate(folder);
}

/**
 * Checks that the headers and metadata of the files below `root` can be read, without which they cannot be copied.
 * @throws not-readable
 */
export async function refuseUnreadable(root: string): Promise<void> {
  for (const name of ['', '/meta']) {
    const own = join(root, OWN_DIRECTORY, name);
    try {
      await unlessErrno(ABSENT, access(own, constants.R_OK | constants.X_OK));
    } catch (error) {
      throw new XsyncError(
        'not-readable',
        `${own} cannot be read, and holds the headers and metadata of the files: ${reasonOf(error)}`,
        { subject: own, remedy: 'Make it readable for this user.', cause: error },
      );
    }
  }
}

/** @returns the folder, or its nearest parent that exists */
async function refuseUnwritableFolder(root: string, folder: string): Promise<string> {
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
    return folder;
  } catch (error) {
    const above = dirname(folder);
    if ((await unlessErrno(ABSENT, lstat(folder)))?.isSymbolicLink() && isErrno(error, 'ENOENT')) {
      throw new XsyncError('not-writable', `${folder} is a symbolic link to nothing`, {
        subject: folder,
        remedy: 'Create the folder that it leads to, or remove the link.',
      });
    }
    if (above === folder || !isErrno(error, 'ENOENT', 'ENOTDIR')) throw translate(error, 'write', folder);
    return refuseUnwritableFolder(root, above);
  }
}

async function tryToCreate(folder: string): Promise<void> {
  const path = join(folder, `${BESIDE}${await ownName()}`);
  try {
    await mkdir(path);
    await rmdir(path);
  } catch (error) {
    if (isErrno(error, ...PASSING)) return;
    const reason = isErrno(error, 'ENOENT') ? 'its file system takes no files' : reasonOf(error);
    throw new XsyncError('not-writable', `nothing can be created in ${folder}: ${reason}`, {
      subject: folder,
      remedy: 'Choose another destination.',
      cause: error,
    });
  }
}
