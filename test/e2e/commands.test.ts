/** Every small command by the built program, against S3, OSS and local disk. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Bucket, Lab } from './harness.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

async function xsync(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await lab.run(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** A bucket, or a folder, with `a` and `sub/b`. */
async function places(): Promise<[string, string][]> {
  const buckets: Bucket[] = [lab.east.bucket(), lab.shanghai.bucket()];
  for (const bucket of buckets) {
    bucket.put('a', 'aaa');
    bucket.put('sub/b', 'bb');
  }
  const folder = lab.path();
  await mkdir(join(folder, 'sub'), { recursive: true });
  await writeFile(join(folder, 'a'), 'aaa');
  await writeFile(join(folder, 'sub/b'), 'bb');
  return [...buckets.map((bucket): [string, string] => [bucket.remote.protocol, bucket.at()]), ['disk', folder]];
}

test('lists, hashes, makes and deletes', async () => {
  for (const [name, at] of await places()) {
    const below = (path: string): string => `${at.replace(/\/$/, '')}/${path}`;
    expect([name, await xsync('lsf', '-R', at)]).toEqual([name, 'a\nsub/\nsub/b\n']);
    expect((await xsync('lsl', at)).split('\n').map((line) => line.replace(/ \d{4}-.{24} /, ' '))).toEqual([
      '        3 a',
      '        2 sub/b',
      '',
    ]);
    expect((await xsync('lsd', at)).trimEnd().endsWith(' sub')).toBe(true);
    expect(await xsync('tree', at)).toBe('/\n├── a\n└── sub\n    └── b\n\n1 directories, 2 files\n');
    const sums = '47bce5c74f589f4867dbd57e9ca9f808  a\n21ad0bd836b90d08f4cf640b4c298e7c  sub/b\n';
    // OSS promises no MD5.
    expect(await xsync('md5sum', '--download', at)).toBe(sums);
    expect(await xsync('hashsum', 'sha1', '--download', below('a'))).toBe(
      '7e240de74fb1ed08fa08d38063f6a6a91462a815  a\n',
    );
    await xsync('mkdir', below('new'));
    await xsync('rmdir', below('new'));
    expect((await lab.run(['delete', at, '--include', '/a'])).code).toBe(0);
    expect(await xsync('lsf', '-R', '--files-only', at)).toBe('sub/b\n');
    expect((await lab.run(['rmdir', at])).code).toBe(7);
    expect((await lab.run(['purge', below('sub')])).code).toBe(0);
    expect(await xsync('lsf', '-R', '--files-only', at)).toBe('');
    await xsync('rmdir', at);
    expect((await lab.run(['rmdir', at])).code).toBe(3);
  }
});

test('names remotes and buckets, links and completes', async () => {
  const bucket = lab.shanghai.bucket();
  bucket.put('k', 'linked');
  expect(await xsync('listremotes')).toBe('east:\nshanghai:\nwest:\n');
  expect(await xsync('lsf', 'shanghai:')).toContain(`${bucket.name}/\n`);
  expect(await xsync('--log-level', 'error', 'lsf', 'shanghai:')).toContain(`${bucket.name}/\n`);
  const response = await fetch((await xsync('link', bucket.at('k'))).trim());
  expect(await response.text()).toBe('linked');
  expect(await xsync('version')).toMatch(/^xsync \d/);
  expect(await xsync('completion', 'bash')).toContain('complete -o default -F _xsync xsync');
  // As under cron: /dev/null must not replace an object by an empty one.
  const outcome = await lab.run(['rcat', bucket.at('k')]);
  expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining('nothing to read from standard input')]);
  expect(bucket.read('k').toString()).toBe('linked');
});
