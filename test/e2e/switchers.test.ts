/** What people bring from rclone: its options through the built program, its config, and its paths. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { filesOf } from './compare.js';
import { Lab } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** Files below `from`, each with its name as its bytes. */
async function tree(...names: string[]): Promise<string> {
  const root = lab.path('from');
  for (const name of names) await put(root, name);
  return root;
}

async function put(root: string, name: string): Promise<void> {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), name);
}

test('a sync deletes nothing that --max-depth and --exclude-if-present hide', async () => {
  const bucket = lab.east.bucket();
  const from = await tree('top', 'a/one', 'a/b/two', 'hid/x', 'c', 'd');
  expect((await lab.run(['sync', from, bucket.at()])).code).toBe(0);
  await rm(`${from}/hid/x`);
  await rm(`${from}/a/b/two`);
  await rm(`${from}/d`);
  await put(from, 'hid/.nobackup');

  const options = ['--max-depth', '2', '--exclude-if-present', '.nobackup'];
  const { code, stderr } = await lab.run(['sync', from, bucket.at(), ...options]);

  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(bucket.keys()).toEqual(['a/b/two', 'a/one', 'c', 'hid/x', 'top']);
});

test('--max-delete-size refuses, with the size that would do', async () => {
  const bucket = lab.shanghai.bucket();
  const from = await tree('a', 'bb', 'ccc', 'dddd', 'eeeee', 'ffffff');
  await lab.run(['sync', from, bucket.at()]);
  await rm(`${from}/ffffff`);
  const refused = await lab.run(['sync', from, bucket.at(), '--max-delete-size', '5B']);
  expect(refused.code).toBe(7);
  expect(refused.stderr).toContain('1 object of 6 bytes would be deleted, which is more than --max-delete-size allows');
  expect((await lab.run(['sync', from, bucket.at(), '--max-delete-size', '6B'])).code).toBe(0);
  expect(bucket.keys()).not.toContain('ffffff');
});

test('--compare-dest leaves out, and --copy-dest lets the service copy, what an older backup has', async () => {
  const bucket = lab.east.bucket();
  const from = await tree('same', 'new');
  await lab.run(['copy', from, bucket.at('old'), '--include', 'same']);

  await lab.run(['copy', from, bucket.at('monday'), '--compare-dest', bucket.at('old')]);
  expect(bucket.keys()).toEqual(['monday/new', 'old/same']);

  const { stderr } = await lab.run(['copy', from, bucket.at('tuesday'), '--copy-dest', bucket.at('old')]);
  expect(stderr).toMatch(/copy 1/);
  expect(bucket.keys()).toEqual(['monday/new', 'old/same', 'tuesday/new', 'tuesday/same']);

  const both = ['--copy-dest', bucket.at('old'), '--compare-dest', bucket.at('old')];
  expect((await lab.run(['copy', from, bucket.at('x'), ...both])).stderr).toContain('exclude each other');
});

test('--order-by, --check-first, --create-empty-src-dirs, --ignore-checksum and ./names reach the run', async () => {
  const from = await tree('a', 'bbb', 'cc');
  await mkdir(`${from}/empty`);
  const names = lab.path('names');
  await writeFile(names, './a\n./bbb\n');
  const to = lab.path('to');

  const ordered = await lab.run(['copy', from, to, '--dry-run', '--order-by', 'size,desc']);
  expect([...ordered.stderr.matchAll(/would copy (\w+)/g)].map(([, key]) => key)).toEqual(['bbb', 'cc', 'a']);
  expect((await lab.run(['copy', from, to, '--files-from', names, '--check-first'])).code).toBe(0);
  expect(await filesOf(to)).toEqual(['a', 'bbb']);

  const last = await lab.run(['copy', from, to, '--create-empty-src-dirs', '--ignore-checksum', '-v']);
  expect(last.stderr).toContain('created 1 folder that no object needed');
  expect(last.stderr).toMatch(/Verified +not verified 1/);
});

test.each([
  [['--order-by', 'sise'], '--order-by: "sise" is not size, name or modtime'],
  [['--ignore-size', '--size-only'], '--size-only and --ignore-size contradict each other'],
  [['--max-depth', '0'], '--max-depth: "0" is not'],
  [['--fast-list'], "unknown option '--fast-list': not needed: a listing is always recursive"],
])('%j is refused with a sentence', async (options, message) => {
  const { code, stderr } = await lab.run(['copy', lab.path('from'), lab.path('to'), ...options]);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test('an rclone.conf in place of a config, and a remote without its colon, are explained', async () => {
  const file = lab.path('rclone.conf');
  await writeFile(file, '# mine\n\n[rgw]\ntype = s3\nsecret_access_key = hunter2\n', {
    mode: 0o600,
  });
  const conf = await lab.run(['ls', 'rgw:x', '--config', file]);
  expect(conf.code).toBe(7);
  expect(conf.stderr).toContain('is a config of another tool, such as rclone, and not of xsync');
  expect(conf.stderr).toContain('xsync config import ');
  expect(conf.stderr).not.toContain('hunter2');

  const from = await tree('a');
  for (const [path, better] of [
    [lab.east.name, `${lab.east.name}:BUCKET`],
    [`${lab.east.name}/bucket/x`, `${lab.east.name}:bucket/x`],
  ]) {
    const bare = await lab.run(['copy', from, path ?? '']);
    expect(bare.code).toBe(2);
    expect(bare.stderr).toContain(`Write ${better} for the remote, or ./${path} for a local path.`);
  }
});
