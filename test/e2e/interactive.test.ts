/** --interactive, typed on the standard input of the built program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const BINARY = fileURLToPath(new URL('../../bin/xsync.js', import.meta.url));

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'xsync-ask-'));
  await mkdir(join(home, 'from'));
  for (const name of ['a', 'b', 'c']) await writeFile(join(home, 'from', name), name);
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function xsync(input: string, ...args: string[]): Promise<{ code: number; err: string }> {
  const env = { PATH: process.env.PATH, HOME: home };
  const child = spawn(process.execPath, [BINARY, ...args], { cwd: home, env, stdio: ['pipe', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  // It may end before it has read everything.
  child.stdin.on('error', () => {}).end(input);
  const [code] = await once(child, 'close');
  return { code, err };
}

const there = () => readdir(join(home, 'to')).then((names) => names.filter((name) => !name.startsWith('.')).sort());

test('what is declined is not copied, not overwritten and not deleted, and the summary says so', async () => {
  const { code, err } = await xsync('y\nn\ny\n', 'copy', '-i', 'from', 'to');
  expect(code).toBe(0);
  expect(err).toContain('copy a?\n');
  expect(err).toMatch(/Skipped +1 object, 1 B: declined 1/);
  expect(await there()).toEqual(['a', 'c']);

  await writeFile(join(home, 'from', 'a'), 'changed');
  await rm(join(home, 'from', 'c'));
  const again = await xsync('n\nn\nn\n', 'sync', '--interactive', 'from', 'to');
  expect(again.code).toBe(0);
  expect(again.err).toContain('overwrite a?\n');
  expect(again.err).toContain('delete c?\n');
  expect(await there()).toEqual(['a', 'c']);
  expect(await readFile(join(home, 'to', 'a'), 'utf8')).toBe('a');
});

test('delete and purge ask before each object, and a folder that keeps one stays', async () => {
  const from = () => readdir(join(home, 'from')).then((names) => names.filter((name) => !name.startsWith('.')).sort());
  const some = await xsync('n\ny\nn\n', 'delete', '-i', 'from');
  expect(some).toEqual({ code: 0, err: expect.stringContaining('delete b?\n') });
  expect(some.err).toContain('Deleted 1 object, 1 B, from from\nDeclined 2 objects\n');
  expect(await from()).toEqual(['a', 'c']);
  expect((await xsync('n\ny\n', 'purge', '-i', 'from')).code).toBe(0);
  expect(await from()).toEqual(['a']);
  expect((await xsync('q\n', 'purge', '-i', 'from')).code).toBe(130);
  expect((await xsync('', 'purge', '-i', 'from')).code).toBe(130);
  expect(await from()).toEqual(['a']);
  expect((await xsync('', 'purge', '-i', '--dry-run', 'from')).code).toBe(0);
  expect((await xsync('y\n', 'purge', '-i', 'from')).code).toBe(0);
  await expect(from()).rejects.toThrow('ENOENT');
});

test('q ends the run, and so does the end of the input', async () => {
  expect((await xsync('y\nq\n', 'copy', '-i', '--transfers', '1', 'from', 'to')).code).toBe(130);
  const copied = await there().catch(() => []);
  expect(copied.filter((name) => name !== 'a')).toEqual([]);
  expect((await xsync('', 'copy', '-i', 'from', 'to')).code).toBe(130);
});
