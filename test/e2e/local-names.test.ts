/** What a folder holds that cannot be copied as a file is named, and the rest arrives. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectComplaint } from './complaint.js';
import { Lab } from './harness.js';

const BINARY = fileURLToPath(new URL('../../bin/xsync.js', import.meta.url));

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.close());

const GBK_NAME = Buffer.from('d6d0cec42e747874', 'hex');
const GBK_FOLDER = Buffer.from('b4b5', 'hex');

/** One good file, and one file and one folder with names in GBK. */
async function mixed(): Promise<string> {
  const from = lab.path();
  const at = (...names: Buffer[]) => Buffer.concat([Buffer.from(from), ...names.flatMap((n) => [Buffer.from('/'), n])]);
  await mkdir(at(GBK_FOLDER), { recursive: true });
  await writeFile(at(GBK_NAME), 'important');
  await writeFile(at(GBK_FOLDER, Buffer.from('x.txt')), 'important too');
  await writeFile(join(from, 'ok.txt'), 'ok');
  return from;
}

test('what was copied through links stays when links are not followed', async () => {
  const [from, to, away] = [lab.path(), lab.path(), lab.path()];
  for (const folder of [from, away]) {
    await mkdir(folder);
    for (const name of ['1', '2', '3']) await writeFile(join(folder, name), name);
  }
  await symlink(away, join(from, 'd'));
  expect((await lab.run(['sync', from, to, '--copy-links'])).code).toBe(0);
  const without = await lab.run(['sync', from, to, '--max-delete', '100%']);
  expect([without.code, without.stderr.includes('symbolic link')]).toEqual([0, true]);
  expect(await readdir(join(to, 'd'))).toEqual(['1', '2', '3']);
});

describe('names that are not UTF-8', () => {
  const FAILED = ['\\xb4\\xb5/', '\\xd6\\xd0\\xce\\xc4.txt'];

  test('fail by name in copy, sync, check, status and retry, and the rest is copied', async () => {
    const [from, to] = [await mixed(), lab.path()];
    const copied = await lab.run(['copy', from, to, '--json']);
    expect(copied.code).toBe(6);
    const failed = copied.events.filter(({ event }) => event === 'failed');
    expect(failed.map(({ key, code }) => [key, code])).toEqual(FAILED.map((key) => [key, 'key-not-representable']));
    expect(await readdir(to)).toEqual(['ok.txt']);
    expect((await lab.run(['sync', from, to])).code).toBe(6);
    const checked = await lab.run(['check', from, to]);
    expect([checked.code, ...FAILED.map((key) => checked.stderr.includes(key))]).toEqual([6, true, true]);
    expect((await lab.run(['status', from, to])).stdout).toContain('2 not at the destination');
    const again = await lab.run(['retry', from, to]);
    expect([again.code, ...FAILED.map((key) => again.stderr.includes(key))]).toEqual([6, true, true]);
  });

  test('are keys with --local-encoding, to and from a bucket', async () => {
    const [from, to] = [await mixed(), lab.path()];
    const bucket = lab.east.bucket();
    const up = await lab.run(['copy', from, bucket.at(), '--local-encoding', 'gbk']);
    expect(up.code, up.stderr).toBe(0);
    expect(bucket.keys()).toEqual(['ok.txt', '中文.txt', '吹/x.txt']);
    expect((await lab.run(['copy', bucket.at(), to, '--local-encoding', 'gbk'])).code).toBe(0);
    expect(execFileSync('diff', ['-r', from, to], { encoding: 'utf8' })).toBe('');
    const unknown = await lab.run(['copy', from, to, '--local-encoding', 'klingon']);
    expectComplaint(unknown, 'usage', 'the encoding klingon is not known', 'gbk');
  });
});

test('links that are not followed, pipes and sockets are a warning; broken links fail with --copy-links', async () => {
  const [from, to] = [lab.path(), lab.path()];
  await mkdir(from);
  await writeFile(join(from, 'ok.txt'), 'ok');
  await symlink('nowhere', join(from, 'dangling'));
  await symlink('ok.txt', join(from, 'good'));
  execFileSync('mkfifo', [join(from, 'pipe')]);
  const plain = await lab.run(['copy', from, to]);
  expect(plain.code, plain.stderr).toBe(0);
  expect(plain.stderr).toContain('warning: 2 symbolic links were left out: dangling, good; --copy-links');
  expect(plain.stderr).toContain('warning: left out, because it is not a regular file: pipe (named pipe)');
  const followed = await lab.run(['copy', from, to, '--copy-links']);
  expect(followed.code).toBe(6);
  expect(followed.stderr).toContain('failed dangling: a symbolic link to nothing (nowhere)');
  expect((await readdir(to)).sort()).toEqual(['good', 'ok.txt']);
});

test('own folders of another tree are data, and an own folder that is a link is refused', async () => {
  const [from, to, elsewhere] = [lab.path(), lab.path(), lab.path()];
  await mkdir(join(from, 'a/.xsync/meta'), { recursive: true });
  await writeFile(join(from, 'a/.xsync/meta/x'), 'x');
  expect((await lab.run(['copy', from, to])).code).toBe(0);
  expect(await readFile(join(to, 'a/.xsync/meta/x'), 'utf8')).toBe('x');
  await mkdir(elsewhere);
  await symlink(elsewhere, join(to, '.xsync'));
  await writeFile(join(from, 'new'), 'new');
  expectComplaint(await lab.run(['copy', from, to]), 'fatal', `${to}/.xsync is a symbolic link`, 'Remove');
  expect(await readdir(elsewhere)).toEqual([]);
});

describe.runIf(process.getuid?.() === 0)('a folder that may not be read', () => {
  const NOBODY = 65534;

  async function locked() {
    const home = lab.path();
    const [from, to] = [join(home, 'from'), join(home, 'to')];
    await mkdir(join(from, 'lost+found'), { recursive: true });
    await mkdir(to);
    for (const name of ['a', 'lost+found/x', 'z']) await writeFile(join(from, name), name);
    for (const path of [home, to]) await chown(path, NOBODY, NOBODY);
    await chmod(lab.directory, 0o755);
    await chmod(join(from, 'lost+found'), 0o700);
    const env = { PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: join(home, 'state') };
    const run = (...args: string[]) => {
      const how = { uid: NOBODY, gid: NOBODY, env, encoding: 'utf8' as const, cwd: '/' };
      const { status: code, stdout, stderr } = spawnSync(process.execPath, [BINARY, ...args], how);
      return { code, stdout, stderr };
    };
    return { from, to, run };
  }

  test('fails alone, and not when it is excluded', async () => {
    const { from, to, run } = await locked();
    const first = run('copy', from, to);
    expect(first.code, first.stderr).toBe(6);
    expect(first.stderr).toContain(`failed lost+found/: ${from}/lost+found cannot be read: permission denied`);
    expect(await readdir(to)).toEqual(['a', 'z']);
    for (const filter of [
      ['--exclude', '/lost+found/**'],
      ['--filter', '- lost+found/**'],
    ]) {
      const without = run('sync', from, to, ...filter);
      expect([without.code, without.stderr]).toEqual([0, '']);
    }
    const listed = run('ls', from);
    expect([listed.code, listed.stdout.split('\n').length]).toEqual([7, 3]);
    expect(listed.stderr).toContain('the list is not complete');
  });

  test.each(['.xsync', '.xsync/meta'])(
    'is named once when it is %s of the source, and nothing is copied without it',
    async (own) => {
      const { from, to, run } = await locked();
      await mkdir(join(from, '.xsync/meta'), { recursive: true });
      await chmod(join(from, own), 0o700);
      const { code, stderr } = run('copy', from, to, '--exclude', '/lost+found/**');
      expect(code, stderr).toBe(7);
      const what = `${join(from, own)} cannot be read, and holds the headers and metadata of the files: permission denied`;
      expect(stderr.split(what)).toHaveLength(2);
      expect(await readdir(to)).toEqual([]);
    },
  );

  test.each(['.xsync', '.xsync/meta'])('is named when it is %s of the destination', async (own) => {
    const { from, to, run } = await locked();
    await mkdir(join(to, '.xsync/meta'), { recursive: true });
    await chmod(join(to, '.xsync'), 0o755);
    await chmod(join(to, own), 0o700);
    const { code, stderr } = run('copy', from, to);
    expect(code, stderr).toBe(7);
    expect(stderr).toContain(`${to}/.xsync cannot be written: permission denied`);
  });
});
