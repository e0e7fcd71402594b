/** Tests: test/cli/stores.test.ts */
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as z from 'zod';
import { lacksEncryption } from '../../model/encryption.js';
import { ABSENT, isErrno, reasonOf, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { Backend, Opened, OpenTarget } from '../backend.js';
import { PERMISSIONS } from './permissions.js';

const schema = z.strictObject({
  type: z.literal('local'),
  copy_links: z.boolean().default(false).describe('Follow symbolic links and copy what they point to'),
  xattrs: z
    .boolean()
    .optional()
    .describe('Keep metadata and content headers in extended attributes (user.*), where the file system has them'),
  permissions: z
    .enum(PERMISSIONS)
    .optional()
    .describe('Copy permissions as metadata: none (default), mode, owner (mode, user and group), all (setuid too)'),
  encoding: z.string().optional().describe('Encoding of file names, such as gbk or latin1; UTF-8 by default'),
});

export const localBackend: Backend<z.output<typeof schema>> = {
  type: 'local',
  schema,
  paths: true,
  async open(remote, place, { encryption, ...resources }) {
    if (encryption && encryption.method !== 'none') {
      throw lacksEncryption('local disk', encryption, 'Encrypt the disk, or omit --sse.');
    }
    return openPath(place, {
      ...remote,
      copy_links: resources.copyLinks ?? remote.copy_links,
      encoding: resources.localEncoding ?? remote.encoding,
      xattrs: resources.localXattrs ?? remote.xattrs,
      permissions: resources.localPermissions ?? remote.permissions,
    });
  },
  rclone: { type: 'local', settings: () => ({}) },
};

/**
 * A folder is a root. A file is an object in its folder; a link to a file is that file under the link's name. A new path
 * is a root, or with `asFile` a file.
 */
async function openPath(
  { bucket: path, asFile, asFolder }: OpenTarget,
  remote: z.output<typeof schema>,
): Promise<Opened> {
  const [{ createLocalStore }, { namesIn }, { realPlace, refuseUnreadable, refuseUnwritable }] = await Promise.all([
    import('./store.js'),
    import('./names.js'),
    import('./place.js'),
  ]);
  const { xattrs, permissions } = remote;
  const names = await namesIn(remote.encoding);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (isErrno(error, ...ABSENT)) return undefined;
    throw new XsyncError('not-readable', `${path} cannot be read: ${reasonOf(error)}`, { subject: path, cause: error });
  });
  if (found && !found.isDirectory()) refuseUnfit(path, found, asFolder);
  const isFile = found ? !found.isDirectory() : asFile && !asFolder;
  // A file that replaces a link does not go through it.
  const followed = isFile && !asFile && (await isLink(path));
  const root = isFile ? dirname(path) : path;
  const copyLinks = remote.copy_links || followed;
  const store = createLocalStore({ root: await realPlace(root), copyLinks, names, xattrs, permissions });
  return {
    store,
    path: isFile ? basename(path) : '',
    givenAs: root,
    again: { remote: { ...remote, copy_links: copyLinks }, bucket: store.identity.bucket },
    refuseUnwritable: (tries) => refuseUnwritable(store.identity.bucket, tries),
    refuseUnreadable: () => refuseUnreadable(store.identity.bucket),
  };
}

/** @throws usage: the path names neither a file nor a folder, or has a slash at its end and names a file */
function refuseUnfit(path: string, found: Stats, asFolder: boolean): void {
  if (!found.isFile()) {
    throw new XsyncError('usage', `${path} is neither a file nor a folder`, {
      subject: path,
      remedy: 'Name a file or a folder.',
    });
  }
  if (!asFolder) return;
  throw new XsyncError('usage', `${path}/ is a file, not a folder`, {
    subject: path,
    remedy: 'Remove the slash at the end.',
  });
}

async function isLink(path: string): Promise<boolean> {
  return (await unlessErrno(ABSENT, lstat(path)))?.isSymbolicLink() ?? false;
}
