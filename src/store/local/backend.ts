import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { ABSENT, isErrno, reasonOf } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { Backend, Opened } from '../backend.js';

const schema = z.strictObject({
  type: z.literal('local'),
  copy_links: z.boolean().default(false).describe('Follow symbolic links and copy what they point to'),
});

export const localBackend: Backend<z.output<typeof schema>> = {
  type: 'local',
  schema,
  paths: true,
  open: (remote, place, resources) => openPath(place.bucket, place.asFile, remote.copy_links || resources.copyLinks),
  rclone: { type: 'local', settings: () => ({}) },
};

/** A folder is a root. A file is an object in its folder. A new path is a root, or with `asFile` a file. */
async function openPath(path: string, asFile: boolean, copyLinks: boolean): Promise<Opened> {
  const [{ createLocalStore }, { realPlace, refuseUnwritable }] = await Promise.all([
    import('./store.js'),
    import('./place.js'),
  ]);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (isErrno(error, ...ABSENT)) return undefined;
    throw new XsyncError('not-readable', `${path} cannot be read: ${reasonOf(error)}`, { subject: path, cause: error });
  });
  const isFile = found ? !found.isDirectory() : asFile;
  const store = createLocalStore({ root: await realPlace(isFile ? dirname(path) : path), copyLinks });
  return {
    store,
    path: isFile ? basename(path) : '',
    refuseUnwritable: () => refuseUnwritable(store.identity.bucket),
  };
}
