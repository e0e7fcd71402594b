/** Reads one directory of a walk. Tests: test/store/local/directories.test.ts */
import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, readlink, stat } from 'node:fs/promises';
import { ABSENT, isErrno, reasonOf, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import { translating } from './errors.js';
import { isOwn } from './keys.js';
import { escapeName, type Names, type Path } from './names.js';

/** A directory of the walk. Its key ends in a slash; the root's key is empty. */
export interface Folder {
  key: string;
  path: Path;
  /** Identities (`dev:ino`) of this directory and its parents, to detect cycles of followed links. */
  above: readonly string[];
}

export interface Child {
  /** Ends in a slash for directories. */
  name: string;
  path: Path;
  kind: 'file' | 'directory' | 'symlink' | Other;
  /** Why there is nothing to read although something is expected. */
  fault?: XsyncError;
}

/** What holds no data. */
export type Other = (typeof OTHERS)[number];
const OTHERS = ['named pipe', 'socket', 'block device', 'character device', 'unknown kind of file'] as const;

export const identityOf = (found: BigIntStats) => `${found.dev}:${found.ino}`;

/** The children of a directory in key order. A directory that no longer exists is empty. */
export async function childrenOf(
  folder: Folder,
  { names, followLinks }: { names: Names; followLinks: boolean },
): Promise<Child[]> {
  const found: Child[] = [];
  for (const entry of await entriesOf(folder.path, names)) {
    if (isOwn(folder.key, entry.name)) continue;
    found.push(followLinks && entry.kind === 'symlink' ? await followed(entry, folder.above) : entry);
  }
  for (const child of found) if (child.kind === 'directory') child.name += '/';
  return found.sort((a, b) => compareKeys(a.name, b.name));
}

async function entriesOf(folder: Path, names: Names): Promise<Child[]> {
  const text = folder.toString();
  const list = () => unlessErrno(ABSENT, readdir(folder, { withFileTypes: true }));
  // Node decodes names that are not UTF-8 with U+FFFD, under which the files cannot be opened.
  const plain = names.encoding === undefined ? ((await translating('read', text, list)) ?? []) : undefined;
  if (plain && !plain.some(({ name }) => name.includes('\ufffd'))) {
    return plain.map((entry) => ({ name: entry.name, path: names.join(folder, entry.name), kind: kindOf(entry) }));
  }
  const listRaw = () => unlessErrno(ABSENT, readdir(folder, { withFileTypes: true, encoding: 'buffer' }));
  const raw = (await translating('read', text, listRaw)) ?? [];
  const taken = new Set<string>();
  const children: Child[] = [];
  for (const entry of raw) {
    const name = names.decode(entry.name);
    if (name === undefined) continue;
    taken.add(name);
    children.push({ name, path: names.join(folder, name), kind: kindOf(entry) });
  }
  for (const entry of raw)
    if (names.decode(entry.name) === undefined) children.push(unnamed(folder, entry, names, taken));
  return children;
}

/** An entry without a key. It is listed under its escaped name, to be reported. */
function unnamed(folder: Path, entry: Dirent<Buffer>, names: Names, taken: Set<string>): Child {
  const plain = escapeName(entry.name);
  // A valid name may look like the escaped one.
  let name = plain;
  while (taken.has(name)) name += '?';
  taken.add(name);
  const path = Buffer.concat([Buffer.from(folder), Buffer.from('/'), entry.name]);
  const isFolder = entry.isDirectory();
  return {
    name: isFolder ? `${name}/` : name,
    path,
    kind: 'unknown kind of file',
    fault: names.unnamed(plain, isFolder),
  };
}

type Typed = Pick<
  Dirent | BigIntStats,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket' | 'isBlockDevice' | 'isCharacterDevice'
>;

export function kindOf(entry: Typed): Child['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'symlink';
  if (entry.isFIFO()) return 'named pipe';
  if (entry.isSocket()) return 'socket';
  if (entry.isBlockDevice()) return 'block device';
  return entry.isCharacterDevice() ? 'character device' : 'unknown kind of file';
}

/** What a link points to. One that points to nothing, or to a directory that contains it, stays a link, with a fault. */
async function followed({ name, path }: Child, above: readonly string[]): Promise<Child> {
  const link = { name, path, kind: 'symlink' as const };
  try {
    const target = await stat(path, { bigint: true });
    if (!above.includes(identityOf(target))) return { name, path, kind: kindOf(target) };
    return { ...link, fault: await brokenLink(path, 'a folder that contains it') };
  } catch (error) {
    if (isErrno(error, ...ABSENT)) return { ...link, fault: await brokenLink(path, 'nothing') };
    if (isErrno(error, 'ELOOP')) return { ...link, fault: await brokenLink(path, 'itself') };
    return { ...link, fault: await brokenLink(path, `what cannot be read (${reasonOf(error)})`) };
  }
}

async function brokenLink(path: Path, what: string): Promise<XsyncError> {
  const target = await readlink(path, 'buffer').then(escapeName, () => undefined);
  const where = target === undefined ? '' : ` (${target})`;
  return new XsyncError('not-readable', `a symbolic link to ${what}${where}`, {
    subject: path.toString(),
    remedy: 'Repair or remove the link, or exclude it.',
  });
}
