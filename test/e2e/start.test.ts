/** How the program starts: what it loads, and the compiled code that it keeps. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { VERSION } from '../../src/version.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xsync-start-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  code: number | string | null | undefined;
  stdout: string;
  stderr: string;
}

function run(program: string, args: string[], env: NodeJS.ProcessEnv, cwd?: string): Promise<Outcome> {
  const file = join(program, 'bin/xsync.js');
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { cwd, env: { HOME: folder, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}

describe('a package of which only the starter is there', () => {
  beforeAll(async () => {
    await mkdir(join(folder, 'part'));
    await cp(join(PROJECT, 'bin'), join(folder, 'part/bin'), { recursive: true });
    await cp(join(PROJECT, 'package.json'), join(folder, 'part/package.json'));
  });

  test('knows its version', async () => {
    expect(await run(join(folder, 'part'), ['--version'], {})).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('says that the rest is missing', async () => {
    const { code, stderr } = await run(join(folder, 'part'), ['help'], {});
    expect(code).toBe(7);
    expect(stderr).toMatch(/^xsync: the installation is incomplete: ENOENT.*xsync\.cjs' — Install xsync again\.\n$/);
  });
});

describe('the program', () => {
  let hook: string;
  let list: string;
  beforeAll(async () => {
    [hook, list] = [join(folder, 'hook.cjs'), join(folder, 'loaded.json')];
    const write = `require('node:fs').writeFileSync(${JSON.stringify(list)}, JSON.stringify(process.moduleLoadList))`;
    await writeFile(hook, `process.on('exit', () => ${write});`);
  });

  test('loads only what it uses of Node', async () => {
    await mkdir(join(folder, 'tree'));
    const copy = ['copy', join(folder, 'tree'), join(folder, 'other'), '-q'];
    expect(await run(PROJECT, copy, { NODE_OPTIONS: `--require ${hook}` })).toMatchObject({ code: 0, stderr: '' });
    const loaded: string[] = JSON.parse(await readFile(list, 'utf8'));
    const rare = ['child_process', 'http', 'https', 'readline', 'tls', 'worker_threads'];
    expect(rare.filter((name) => loaded.includes(`NativeModule ${name}`))).toEqual([]);
    expect(loaded).toContain('NativeModule crypto');
  });

  test('says which part of SQLite is missing', async () => {
    const program = join(folder, 'without-sqlite');
    await mkdir(join(program, 'node_modules/better-sqlite3'), { recursive: true });
    for (const name of ['bin', 'dist/xsync.cjs', 'package.json'])
      await cp(join(PROJECT, name), join(program, name), { recursive: true });
    const copy = ['copy', join(folder, 'a'), join(folder, 'b')];
    const whole = /installation is incomplete: Cannot find module 'better-sqlite3\/package\.json'/;
    expect((await run(program, copy, {})).stderr).toMatch(whole);
    await writeFile(join(program, 'node_modules/better-sqlite3/package.json'), '{}');
    expect((await run(program, copy, {})).stderr).toMatch(/SQLite \(better-sqlite3\) has no binary for Node v/);
  });
});

describe('compiled code', () => {
  let home: string;
  let cache: string;
  let file: string;
  let runs = 0;
  beforeEach(async () => {
    home = join(folder, `home-${++runs}`);
    await mkdir(home);
    cache = join(home, '.cache/xsync');
    file = join(cache, 'help.code');
  });

  async function help(env: NodeJS.ProcessEnv = {}): Promise<void> {
    const { code, stdout, stderr } = await run(PROJECT, ['help'], { HOME: home, ...env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('xsync <command>');
  }

  /** A file that is replaced is another file. */
  async function isKept(): Promise<boolean> {
    const { ino } = await stat(file);
    await help();
    return (await stat(file)).ino === ino;
  }

  test('is kept for the user alone, and used by the next run', async () => {
    await help();
    expect((await stat(cache)).mode & 0o777).toBe(0o700);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await isKept()).toBe(true);
    expect(await readdir(cache)).toEqual(['help.code']);
  });

  test('has the functions of the start, although they have not run for many collections', async () => {
    const calls = Array.from({ length: 300 }, (_, n) => `given.call${n}('argument ${n}');`);
    const program = `exports.start = function (given) { if (given) { ${calls.join('')} } };`;
    const bundle = join(folder, 'bundle.cjs');
    await writeFile(bundle, program);
    // What `gc()` collects does not count.
    const sizeAfter = async (rounds: number): Promise<number> => {
      const script = `
        const { load } = require(${JSON.stringify(join(PROJECT, 'bin/load.js'))});
        const { exports, save } = load(${JSON.stringify(bundle)}, 'copy');
        exports.start();
        const garbage = () => Array.from({ length: 300 }, () => new Array(20_000).fill(0));
        for (let n = 0; n < ${rounds}; n++) garbage();
        save();`;
      const env = { HOME: join(home, String(rounds)) };
      await mkdir(env.HOME);
      await promisify(execFile)(process.execPath, ['-e', script], { env });
      return (await stat(join(env.HOME, '.cache/xsync/copy.code'))).size;
    };
    expect(await sizeAfter(20)).toBe(await sizeAfter(0));
  });

  test('goes where XDG_CACHE_HOME says', async () => {
    await help({ XDG_CACHE_HOME: join(home, 'elsewhere') });
    expect(await readdir(join(home, 'elsewhere/xsync'))).toEqual(['help.code']);
    expect(await readdir(home)).toEqual(['elsewhere']);
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['of another program', (bytes) => Buffer.concat([Buffer.alloc(4), bytes.subarray(4)])],
    ['with a flipped bit', (bytes) => bytes.fill(bytes.readUInt8(9999) ^ 1, 9999, 10_000)],
    ['that was cut', (bytes) => bytes.subarray(0, 5000)],
    ['that is empty', () => Buffer.alloc(0)],
  ])('%s is not used, and replaced', async (_, damage) => {
    await help();
    const bytes = await readFile(file);
    await writeFile(file, damage(bytes));
    expect(await isKept()).toBe(false);
    expect(await isKept()).toBe(true);
  });

  test('that others can write is not used, and replaced', async () => {
    await help();
    await chmod(file, 0o622);
    expect(await isKept()).toBe(false);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('behind a link is not used, and the link replaced', async () => {
    await help();
    await cp(file, join(home, 'other'));
    await rm(file);
    await symlink(join(home, 'other'), file);
    expect(await isKept()).toBe(false);
  });

  test('is neither read from nor written to a folder that others can write', async () => {
    await mkdir(cache, { recursive: true });
    await chmod(cache, 0o777);
    await help();
    expect(await readdir(cache)).toEqual([]);
  });

  test('is not kept in the current folder for want of a home', async () => {
    const copy = ['copy', join(folder, 'tree'), join(home, 'to'), '-q'];
    const env = { HOME: '', XDG_CONFIG_HOME: join(home, 'config'), XDG_STATE_HOME: join(home, 'state') };
    expect(await run(PROJECT, copy, env, home)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await readdir(home)).not.toContain('.cache');
  });

  // Only root can run a program as a user that the system does not know.
  test.runIf(process.getuid?.() === 0)('is not kept for a user without a home', async () => {
    const hook = join(home, 'nobody.cjs');
    await writeFile(hook, 'delete process.env.HOME; process.setuid(54321);');
    const { code, stderr } = await run(PROJECT, ['help'], { HOME: home, NODE_OPTIONS: `--require ${hook}` });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('is not kept if Node is told so, without a place, or for a command that fails', async () => {
    await help({ NODE_DISABLE_COMPILE_CACHE: '1' });
    await help({ HOME: '/dev/null' });
    expect((await run(PROJECT, ['nonsense'], { HOME: home })).code).toBe(2);
    expect(await readdir(home)).toEqual([]);
  });
});
