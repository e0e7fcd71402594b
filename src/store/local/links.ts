/**
 * Symbolic links of a tree: between the text of a link and the key of what it points to. Only links that stay below the
 * root are read and written, as relative ones: the copy of a tree has another root.
 * Tests: test/store/local/links.test.ts
 */
import { lutimes, symlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { XsyncError } from '../../model/error.js';
import { mtimeOf } from './files.js';
import { directoryOf, requireKey, whyNot } from './keys.js';
import { escapeName, type Names, type Path } from './names.js';

/**
 * The key that a link points to; empty for the root.
 * @throws unsupported-object: it is outside of the root, or has no key
 */
export function targetOf(root: string, key: string, text: Buffer, names: Names): string {
  const path = decode(text, names);
  const target = path === undefined ? undefined : below(root, directoryOf(key), path);
  if (target !== undefined && (target === '' || whyNot(root, target) === undefined)) return target;
  throw new XsyncError('unsupported-object', `a symbolic link to ${escapeName(text)}, which is not below ${root}`, {
    subject: key,
    remedy: 'Copy what it points to (--links follow), or exclude it.',
  });
}

/** Undefined for names that are not in the encoding of the tree. */
function decode(text: Buffer, names: Names): string | undefined {
  const parts = text.toString('latin1').split('/');
  const decoded = parts.map((part) => (part === '' ? '' : names.decode(Buffer.from(part, 'latin1'))));
  return decoded.includes(undefined) ? undefined : decoded.join('/');
}

/** Undefined: it is not below the root. */
function below(root: string, directory: string, path: string): string | undefined {
  const start = root === '/' ? '/' : `${root}/`;
  const inTree = path.startsWith('/') ? relativeTo(start, posix.normalize(path)) : posix.join(directory, path);
  if (inTree === undefined || inTree === '..' || inTree.startsWith('../')) return undefined;
  return inTree === '.' ? '' : inTree.replace(/\/$/, '');
}

function relativeTo(start: string, path: string): string | undefined {
  return `${path}/`.startsWith(start) ? path.slice(start.length) : undefined;
}

/**
 * Creates a link at `path`, which nothing has yet.
 * @param key where it will be
 * @param mtimeMs its own time; the present when absent
 * @throws key-not-representable: the target has no path below the root
 */
export async function makeLink(
  path: Path,
  { root, key, target, names, mtimeMs }: { root: string; key: string; target: string; names: Names; mtimeMs?: number },
): Promise<void> {
  if (target !== '') requireKey(root, target, names);
  const text = names.join('.', posix.relative(`/${directoryOf(key)}`, `/${target}`) || '.');
  await symlink(typeof text === 'string' ? text.slice(2) : text.subarray(2), path);
  if (mtimeMs !== undefined) await lutimes(path, mtimeOf(mtimeMs), mtimeOf(mtimeMs));
}
