/**
 * Checks the state directory, the config and local folders: `look…` collects facts, `judge…` evaluates them.
 * Tests: test/doctor/host.test.ts
 */
import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ABSENT, reasonOf, unlessErrno } from '../model/errno.js';
import type { XsyncError } from '../model/error.js';
import { type Finding, fail, ok, warn } from './finding.js';
import { binarySize } from './text.js';

export interface DirectoryFacts {
  path: string;
  exists: boolean;
  /** The directory, or its nearest existing parent, is writable. */
  writable: boolean;
  freeBytes: number;
  /** Why no folder can be here; the other facts are then without meaning. */
  problem?: string;
}

export async function lookAtDirectory(path: string): Promise<DirectoryFacts> {
  const unusable = (problem: string) => ({ path, exists: false, writable: false, freeBytes: 0, problem });
  try {
    const { nearest, isFolder } = await nearestExisting(path);
    if (!isFolder) {
      return unusable(
        nearest === path ? `${path} is a file, not a folder` : `${nearest} is a file, so ${path} cannot be a folder`,
      );
    }
    const { bavail, bsize } = await statfs(nearest);
    const writable = await access(nearest, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    return { path, exists: nearest === path, writable, freeBytes: bavail * bsize };
  } catch (error) {
    return unusable(`${path} cannot be used: ${reasonOf(error)}`);
  }
}

/** The path itself, or the nearest of its parents that exists. @throws the operating system's error */
async function nearestExisting(path: string): Promise<{ nearest: string; isFolder: boolean }> {
  for (let nearest = path; ; nearest = dirname(nearest)) {
    const found = await unlessErrno(ABSENT, stat(nearest));
    if (found) return { nearest, isFolder: found.isDirectory() };
  }
}

/** A manifest needs about 73 MB per million objects. */
const LITTLE = 1024 ** 3;

export function judgeDirectory(check: string, { path, exists, writable, freeBytes, problem }: DirectoryFacts): Finding {
  const values = { path, exists, writable, freeBytes };
  if (problem !== undefined) return fail(check, problem, 'Correct the path, or choose another.', { values });
  const found = `${path}: ${exists ? '' : 'does not exist yet, '}${binarySize(freeBytes)} free`;
  if (!writable) {
    return fail(check, `${path} is not writable`, 'Give this user write permission for it.', { values });
  }
  return judgeSpace(check, found, values);
}

/** A folder of the user. A source need not be writable. */
export function judgeFolder({ path, exists, writable, freeBytes, problem }: DirectoryFacts): Finding {
  const values = { path, exists, writable, freeBytes };
  if (problem !== undefined) return fail('space', problem, 'Correct the path, or choose another.', { values });
  const found = `${writable ? '' : 'not writable, '}${binarySize(freeBytes)} free`;
  if (writable) return judgeSpace('space', found, values);
  return warn('space', found, 'If it is a destination, give this user write permission for it.', { values });
}

function judgeSpace(check: string, found: string, values: Finding['values'] & { freeBytes: number }): Finding {
  if (values.freeBytes >= LITTLE) return ok(check, found, values);
  return warn(check, found, 'Free some space on this disk.', { values });
}

export interface ConfigFacts {
  path: string;
  /** Permission bits; absent when there is no file. */
  mode?: number;
  /** Names of the effective remotes. */
  remotes: readonly string[];
  /** Why the config cannot be used. */
  error?: XsyncError;
}

export async function lookAtConfig(path: string, config: Pick<ConfigFacts, 'remotes' | 'error'>): Promise<ConfigFacts> {
  // Whether the file can be used is told by `config.error`: reading it is the better test. This adds its mode.
  const found = await stat(path).catch(() => undefined);
  return { path, ...config, ...(found && { mode: found.mode & 0o777 }) };
}

export function judgeConfig({ path, mode, remotes, error }: ConfigFacts): Finding {
  if (error !== undefined) {
    return fail('config', error.message, error.remedy ?? 'Correct the file; docs/commands.md describes it.', {
      values: { path },
    });
  }
  const count = remotes.length === 0 ? 'no remotes' : remotes.length === 1 ? '1 remote' : `${remotes.length} remotes`;
  const file = mode === undefined ? `no file at ${path}` : path;
  const access = mode === undefined ? '' : `, mode ${mode.toString(8).padStart(4, '0')}`;
  return ok('config', `${file}: ${count}${access}`, { path, remotes });
}
