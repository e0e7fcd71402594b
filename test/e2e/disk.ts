/** A small disk for tests that fill it. */
import { execFileSync } from 'node:child_process';

export interface SmallDisk {
  env: NodeJS.ProcessEnv;
  /** Makes room. */
  grow(): void;
  remove(): void;
}

/**
 * A file system of 1 MiB, where mounting is allowed (root with CAP_SYS_ADMIN). Elsewhere the program itself runs with
 * file writes that fail as on a full disk once a megabyte was written (full-disk.mjs).
 */
export function smallDisk(path: string): SmallDisk {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    const env = { NODE_OPTIONS: `--import ${new URL('full-disk.mjs', import.meta.url).href}` };
    return { env, grow: () => delete (env as NodeJS.ProcessEnv).NODE_OPTIONS, remove: () => undefined };
  }
  return {
    env: {},
    grow: () => void execFileSync('mount', ['-o', 'remount,size=32m', path]),
    remove: () => void execFileSync('umount', [path]),
  };
}
