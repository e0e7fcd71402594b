/** Disks that cannot be written, and places that overlap: told before anything is read, and nothing is left behind. */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectComplaint } from './complaint.js';
import { type Bucket, Lab } from './harness.js';

let lab: Lab;
let bucket: Bucket;
beforeAll(async () => {
  lab = await Lab.start();
  bucket = lab.east.bucket();
  bucket.put('a/one', 'one');
  bucket.put('a/two', 'two');
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

describe('a destination on disk', () => {
  test('that is a file, or lies below one, is refused before a byte is read', async () => {
    const file = lab.path('file');
    await writeFile(file, 'mine');
    expectComplaint(await lab.run(['copy', bucket.at('a'), file]), 'usage', `${file} is a file`, 'another destination');
    expectComplaint(await lab.run(['copy', bucket.at('a/one'), file]), 'usage', `${file} is a file`, 'use copyto');
    const below = await lab.run(['copy', bucket.at('a'), join(file, 'deep/er')]);
    expectComplaint(below, 'usage', `${file} is a file, so ${file}/deep/er cannot be a folder`);
    expectComplaint(await lab.run(['copyto', bucket.at('a/one'), join(file, 'x')]), 'usage', `${file} is a file`);
    expect(bucket.requests('GetObject')).toEqual([]);
  });

  /** A file system of its own, in memory, as only root can mount one. */
  async function mounted(options: string, use: (folder: string) => Promise<void>): Promise<void> {
    const folder = lab.path('mount');
    await mkdir(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
    try {
      await use(folder);
    } finally {
      execFileSync('umount', [folder]);
    }
  }
  const privileged = canMount();

  test.runIf(privileged)('on a read-only disk is refused before a byte is read', () =>
    mounted('ro,size=1m', async (folder) => {
      for (const dest of [folder, join(folder, 'deep/er')]) {
        const outcome = await lab.run(['copy', bucket.at('a'), dest]);
        expectComplaint(outcome, 'fatal', `${folder} cannot be written: the file system is read-only`, 'another');
      }
      expect(bucket.requests('GetObject')).toEqual([]);
      const state = await lab.run(['copy', bucket.at('a'), lab.path('fine')], { XDG_STATE_HOME: folder });
      expectComplaint(state, 'fatal', `the manifest ${folder}/xsync/`, 'cannot be written', 'read-only');
    }),
  );

  test.runIf(process.platform === 'linux')(
    'on a file system that takes no files is refused before a byte is read',
    async () => {
      const reads = bucket.requests('GetObject').length;
      for (const dest of ['/proc', '/proc/new']) {
        const outcome = await lab.run(['copy', bucket.at('a'), dest]);
        expectComplaint(
          outcome,
          'fatal',
          process.getuid?.() === 0 ? 'nothing can be created in /proc' : '/proc',
          'another',
        );
      }
      expect(bucket.requests('GetObject')).toHaveLength(reads);
      const aside = await lab.run(['copy', bucket.at('a'), lab.path('there'), '--backup-dir', '/proc/old']);
      expectComplaint(aside, 'fatal', '/proc', 'another');
    },
  );

  test('is not touched by a dry run', async () => {
    const folder = lab.path('untouched');
    await mkdir(folder);
    const before = await stat(folder);
    expect((await lab.run(['copy', '--dry-run', bucket.at('a'), folder])).code).toBe(0);
    expect((await stat(folder)).mtimeMs).toBe(before.mtimeMs);
  });

  test.runIf(privileged)('on a full disk ends the run; what arrived stays, and nothing half-written does', () =>
    mounted('size=1m', async (folder) => {
      const source = lab.east.bucket();
      for (let i = 0; i < 10; i++) source.put(`file-${i}`, Buffer.alloc(200_000, i));
      const outcome = await lab.run(['copy', source.at(), folder, '--transfers', '1']);
      expectComplaint(outcome, 'fatal', `${folder}/file-`, 'the disk or the quota is full', 'Free space', 'Copied');
      const left = execFileSync('find', [folder, '-type', 'f', '-printf', '%s %P\n'], { encoding: 'utf8' });
      const files = left.trim().split('\n');
      expect(files.length).toBeGreaterThan(2);
      for (const file of files) expect(file).toMatch(/^200000 file-\d$/);
      const manifest = await lab.run(['copy', source.at(), lab.path('other'), '--manifest', join(folder, 'm.db')]);
      expectComplaint(manifest, 'fatal', `the manifest ${folder}/m.db`, 'disk is full', 'Free space');
    }),
  );
});

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

describe('source and destination', () => {
  async function tree(): Promise<string> {
    const root = lab.path();
    await mkdir(root);
    await writeFile(join(root, 'file'), 'file');
    return root;
  }

  test('that are one folder are refused, however they are spelt', async () => {
    const root = await tree();
    await symlink(root, `${root}-link`);
    for (const same of [root, `${root}/`, `${root}/../${basename(root)}`, `${root}-link`]) {
      expectComplaint(await lab.run(['copy', root, same]), 'usage', 'are the same place', root);
    }
    const file = join(root, 'file');
    expectComplaint(await lab.run(['copyto', file, file]), 'usage', 'are the same place', file);
  });

  test('one inside the other are refused, links or not', async () => {
    const root = await tree();
    await symlink(root, `${root}-link`);
    for (const inner of [`${root}/sub`, `${root}-link/sub`]) {
      expectComplaint(await lab.run(['copy', root, inner]), 'usage', `${inner} lies inside ${root}`, 'outside it');
    }
    expectComplaint(await lab.run(['copy', root, lab.directory]), 'usage', `${root} lies inside ${lab.directory}`);
    expect(await readdir(root)).toEqual(['file']);
  });

  test('in one bucket are refused when they overlap, and copied when they only look alike', async () => {
    const own = lab.east.bucket();
    own.put('a/one', 'one');
    for (const same of [own.at('a'), own.at('a/')]) {
      expectComplaint(await lab.run(['copy', own.at('a'), same]), 'usage', 'are the same place', own.at('a'));
    }
    for (const [from, to] of [
      [own.at('a'), own.at('a/b')],
      [own.at(), own.at('a')],
      [own.at('a'), own.at()],
    ] as const) {
      expectComplaint(await lab.run(['copy', from, to]), 'usage', 'lies inside');
    }
    expectComplaint(await lab.run(['copyto', own.at('a/one'), own.at('a/one')]), 'usage', 'are the same place');
    expect(own.keys()).toEqual(['a/one']);
    expect((await lab.run(['copy', own.at('a'), own.at('ab')])).code).toBe(0);
    expect(own.keys()).toEqual(['a/one', 'ab/one']);
  });
});
