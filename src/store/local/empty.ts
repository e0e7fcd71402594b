/** Removes folders without objects, which block files of their names. Tests: test/store/local/conflicts.test.ts */
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { isErrno } from '../../model/errno.js';
import { childrenOf } from './children.js';
import type { Directories } from './directories.js';
import { isOwn } from './keys.js';
import type { Names } from './names.js';
import { removeAbandoned } from './temporaries.js';

export interface EmptyFolders {
  directories: Directories;
  names: Names;
  /** Whether the folder is an object: it has a marker. */
  isMarked(directory: string): Promise<boolean>;
}

/**
 * Removes the folder `directory` and those below it, if nothing else is there but what killed runs left.
 * @returns false if something is there, or appeared meanwhile; then no folder is removed, or some of the empty ones
 */
export async function removeEmpty(how: EmptyFolders, directory: string): Promise<boolean> {
  const folders = await foldersIn(how, directory);
  for (const folder of folders ?? []) {
    const removed = await how.directories.toChange(folder, async (path) => {
      try {
        await rmdir(path);
        // A marker may have been made since the look.
        if (!(await how.isMarked(folder))) return true;
        await mkdir(path);
        return false;
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return true;
        if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
        throw error;
      }
    });
    if (removed === false) return false;
  }
  return folders !== undefined;
}

/** The folder and those below it, each after those in it; undefined if anything else is there. */
async function foldersIn(how: EmptyFolders, directory: string): Promise<string[] | undefined> {
  if (await how.isMarked(directory)) return undefined;
  const children = await how.directories.inside(directory, async (path) => {
    const left = (await readdir(path)).filter((name) => isOwn('/', name));
    await removeAbandoned(path.toString(), left);
    return childrenOf({ key: `${directory}/`, path, above: [] }, { names: how.names, followLinks: false });
  });
  const folders: string[] = [];
  for (const { name, kind } of children ?? []) {
    const below = kind === 'directory' ? await foldersIn(how, `${directory}/${name.slice(0, -1)}`) : undefined;
    if (!below) return undefined;
    folders.push(...below);
  }
  return [...folders, directory];
}
