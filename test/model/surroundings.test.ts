import { describe, expect, it } from 'vitest';
import { toXsyncError } from '../../src/model/error.js';

function errorWith(message: string, more: object): Error {
  return Object.assign(new Error(message), more);
}

const dlopen = (message: string): Error => errorWith(message, { code: 'ERR_DLOPEN_FAILED' });
const system = (code: string, text: string, syscall: string, path?: string): Error =>
  errorWith(`${code}: ${text}, ${syscall}${path === undefined ? '' : ` '${path}'`}`, {
    ...{ code, syscall, errno: -1 },
    ...(path !== undefined && { path }),
  });

describe('faults of the surroundings are no bugs', () => {
  it.each<[string, Error, object]>([
    [
      'SQLite was built for another Node',
      dlopen(
        "The module '/x/better_sqlite3.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115. This version of Node.js requires\nNODE_MODULE_VERSION 127.",
      ),
      {
        code: 'config',
        message: expect.stringContaining('another version of Node'),
        remedy: expect.stringContaining('npm rebuild better-sqlite3'),
      },
    ],
    [
      'SQLite was built for another C library',
      dlopen("/lib/libm.so.6: version `GLIBC_2.38' not found (required by /x/better_sqlite3.node)"),
      { code: 'config', message: expect.stringContaining('GLIBC_2.38') },
    ],
    [
      'SQLite was never built',
      new Error('Could not locate the bindings file. Tried:\n → /x/build/better_sqlite3.node'),
      { code: 'config', message: expect.stringContaining('has no binary for Node') },
    ],
    [
      'a package is missing',
      errorWith("Cannot find package 'x' imported from /y.js", { code: 'ERR_MODULE_NOT_FOUND' }),
      { code: 'config', message: "the installation is incomplete: Cannot find package 'x' imported from /y.js" },
    ],
    ['too many files', system('EMFILE', 'too many open files', 'open', '/x'), { code: 'usage' }],
    [
      'the folder was removed',
      system('ENOENT', 'no such file or directory', 'uv_cwd'),
      { code: 'not-readable', message: 'the current folder no longer exists' },
    ],
    [
      'a full disk',
      system('ENOSPC', 'no space left on device', 'write'),
      { code: 'disk-full', message: 'no space left on device' },
    ],
    ['a quota', system('EDQUOT', 'disk quota exceeded', 'open', '/q'), { code: 'disk-full' }],
    ['a disk that fails', system('EIO', 'i/o error', 'read', '/x'), { code: 'not-readable', message: '/x: i/o error' }],
    ['a broken connection', system('ECONNRESET', 'connection reset', 'read'), { code: 'network' }],
  ])('%s', (_, error, expected) => {
    expect(toXsyncError(error)).toMatchObject({ ...expected, cause: error });
  });

  it('anything else is a bug', () => {
    expect(toXsyncError(new TypeError('x is undefined')).code).toBe('internal');
    expect(toXsyncError('text').code).toBe('internal');
  });
});
