/**
 * Checks the directories below a root, so that no key reaches outside it. Before a directory is used, its real path is
 * compared with the path in the key. Without `followLinks` they must be equal, so that no component is a link (or, on
 * case-insensitive file systems, another spelling). With it, reads may follow links anywhere, and writes must stay
 * below the root.
 */
import { mkdir, realpath, rmdir } from 'node:fs/promises';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { makeDirectories } from './files.js';
import { directoryOf } from './keys.js';
import type { Syncs } from './syncs.js';

/** Number of checked directories to remember. */
const REMEMBERED = 10_000;

export class Directories {
  readonly #root: string;
  readonly #followLinks: boolean;
  readonly #syncs: Syncs;
  readonly #checked = new Set<string>();
  #realRoot: string | undefined;

  constructor(root: string, options: { followLinks: boolean; syncs: Syncs }) {
    this.#root = root;
    this.#followLinks = options.followLinks;
    this.#syncs = options.syncs;
  }

  path(directory: string): string {
    return directory === '' ? this.#root : `${this.#root}/${directory}`;
  }

  /** Whether objects directly below `directory` may be read. False if it is missing. */
  async readable(directory: string): Promise<boolean> {
    if (this.#followLinks || directory === '' || this.#checked.has(directory)) return true;
    const real = await unlessErrno(ABSENT, realpath(this.path(directory)));
    if (real === undefined) return false;
    if (real !== (await this.#realPath(directory))) return false;
    this.#remember(directory);
    return true;
  }

  /**
   * Whether `directory` exists and may be written to.
   * @throws key-not-representable: it leads through a link to another place
   */
  async writable(directory: string): Promise<boolean> {
    if (this.#checked.has(directory)) return true;
    const real = await unlessErrno(ABSENT, realpath(this.path(directory)));
    if (real === undefined) return false;
    const root = await this.#realPath('');
    const inside = real === root || real.startsWith(root === '/' ? root : `${root}/`);
    const allowed = this.#followLinks ? inside : real === (await this.#realPath(directory));
    if (!allowed) throw leadsElsewhere(this.path(directory), real);
    this.#remember(directory);
    return true;
  }

  /** Creates `directory` and its parents, including the root. @throws key-not-representable */
  async make(directory: string): Promise<void> {
    if (this.#checked.has(directory)) return;
    if (directory === '') {
      await makeDirectories(this.#root);
      this.#remember('');
      return;
    }
    if (await this.writable(directory)) return;
    const parent = directoryOf(directory);
    await this.make(parent);
    try {
      await mkdir(this.path(directory));
    } catch (error) {
      // Another transfer created it, or it is a dangling link.
      if (!isErrno(error, 'EEXIST')) throw error;
      if (!(await this.writable(directory))) throw leadsElsewhere(this.path(directory), 'nowhere');
      return;
    }
    await this.#syncs.directory(this.path(parent));
    this.#remember(directory);
  }

  /** Removes `directory` and its parents as long as they are empty and `mayGo` allows it. */
  async prune(directory: string, mayGo: (directory: string) => Promise<boolean>): Promise<void> {
    for (let at = directory; at !== ''; at = directoryOf(at)) {
      if (!(await mayGo(at))) return;
      this.#checked.delete(at);
      try {
        await rmdir(this.path(at));
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) return;
      }
    }
  }

  /** Forgets all checks, after something else removed a directory. */
  forget(): void {
    this.#checked.clear();
  }

  async #realPath(directory: string): Promise<string> {
    this.#realRoot ??= await realpath(this.#root);
    if (directory === '') return this.#realRoot;
    return `${this.#realRoot === '/' ? '' : this.#realRoot}/${directory}`;
  }

  #remember(directory: string): void {
    if (this.#checked.size >= REMEMBERED) this.#checked.clear();
    this.#checked.add(directory);
  }
}

function leadsElsewhere(path: string, real: string): XsyncError {
  return new XsyncError('key-not-representable', `${path} leads through a link to ${real}; nothing is written there`, {
    subject: path,
  });
}
