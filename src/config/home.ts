/** Where a user's files are: the XDG Base Directory Specification, with its defaults. */
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { XsyncError } from '../model/error.js';
import type { Environment } from './references.js';

/** `$XDG_CONFIG_HOME`, else `~/.config`. @throws config when the user has no home directory */
export function configHome(env: Environment): string {
  return absolute(env.XDG_CONFIG_HOME) ?? join(homeOf(env), '.config');
}

/** `$XDG_STATE_HOME`, else `~/.local/state`. @throws config when the user has no home directory */
export function stateHome(env: Environment): string {
  return absolute(env.XDG_STATE_HOME) ?? join(homeOf(env), '.local', 'state');
}

/** The specification ignores relative paths. Node's `homedir` returns an empty HOME, which is the current folder. */
function homeOf({ HOME }: Environment): string {
  const home = absolute(HOME) ?? absolute(accountHome());
  if (home !== undefined) return home;
  throw new XsyncError('config', 'this user has no home directory', {
    subject: 'HOME',
    remedy: 'set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME, to a folder that xsync may write to',
  });
}

/** A container may run as a user that has no account. */
function accountHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
