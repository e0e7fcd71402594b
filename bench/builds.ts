/** Builds another commit of xsync, to run it in turn with this one. */
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from './cases.js';

export interface Build {
  /** Its `bin/xsync.js`. */
  program: string;
  /** Abbreviated. */
  commit: string;
  /** Removes the work tree. */
  remove(): void;
}

/**
 * Checks the commit out in a new folder and builds it with this work tree's packages.
 * @param folder must not exist
 * @throws Error: for an unknown commit, or one that does not build
 */
export function build(root: string, commit: string, folder: string): Build {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const hash = git('rev-parse', '--short', '--verify', `${commit}^{commit}`);
  git('worktree', 'add', '--quiet', '--detach', folder, hash);
  const remove = (): void => void git('worktree', 'remove', '--force', folder);
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (cause) {
    remove();
    throw new Error(`${hash} does not build with the packages of this work tree`, { cause });
  }
  return { program: join(folder, 'bin', 'xsync.js'), commit: hash, remove };
}

/** The case with xsync only: each contender, and the same from the other build. */
export function compared(bench: Case, { program, commit }: Build): Case {
  const contenders = bench.contenders
    .filter(({ tool }) => tool === 'xsync')
    .flatMap((one) => [one, { ...one, label: `${one.label} (${commit})`, program }]);
  return { ...bench, contenders };
}
