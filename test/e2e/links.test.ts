/** Symbolic links between OSS, S3 and local disk, through the built program. */
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { storeLink } from '../support/server/oss/objects.js';
import { type Bucket, Lab, summaryOf } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

const link = (bucket: Bucket, key: string, target: string) =>
  storeLink(bucket.remote.store.bucket(bucket.name), key, target);
const targetOf = (bucket: Bucket, key: string) => bucket.get(key)?.symlinkTarget;

/** In a folder: a file, links to it and to what is not there, a link to a link, and one that leads out of the folder. */
function fill(): Bucket {
  const bucket = lab.shanghai.bucket();
  bucket.put('in/a b.txt', '12345');
  bucket.put('other/x', 'x');
  link(bucket, 'in/l/good', 'in/a b.txt');
  link(bucket, 'in/l/dangling', 'in/nothing');
  link(bucket, 'in/l/second', 'in/l/good');
  link(bucket, 'in/l/loop', 'in/l/loop');
  return bucket;
}

describe('from OSS to OSS', () => {
  test('links arrive as links, below the prefix of the destination; a second run costs two listings', async () => {
    const [from, to] = [fill(), lab.shanghai.bucket()];
    link(from, 'in/out', 'other/x');
    const args = ['sync', from.at('in/'), to.at('copy/'), '--json'];
    const first = await lab.run(args);
    expect(first.code, first.stderr).toBe(0);
    const keys = ['l/good', 'l/dangling', 'l/second', 'l/loop', 'out'];
    expect(keys.map((key) => targetOf(to, `copy/${key}`))).toEqual([
      'copy/a b.txt',
      'copy/nothing',
      'copy/l/good',
      'copy/l/loop',
      'other/x',
    ]);
    expect(from.counts()).toMatchObject({ GetSymlink: 5 });
    expect(to.counts()).toMatchObject({ PutSymlink: 5, GetSymlink: 5 });
    const { fidelity } = summaryOf(first);
    expect(fidelity).toMatchObject({ kept: { link: 4 }, lost: { link: 1 } });
    lab.reset();
    expect(summaryOf(await lab.run(args)).copied.objects).toBe(0);
    expect([from.counts(), to.counts()]).toEqual([{ ListObjects: 1 }, { ListObjects: 1 }]);
  });

  test('a link that points elsewhere is a change, one that is gone is deleted, and a file takes the place of one', async () => {
    const [from, to] = [fill(), lab.shanghai.bucket()];
    const args = ['sync', from.at('in/'), to.at(), '--json', '--max-delete', '100%'];
    expect((await lab.run(args)).code).toBe(0);
    link(from, 'in/l/dangling', 'in/a b.txt');
    from.remove('in/l/loop');
    from.put('in/l/second', 'a file now');
    const second = await lab.run(args);
    expect(second.code, second.stderr).toBe(0);
    expect(summaryOf(second)).toMatchObject({ copied: { objects: 2 }, deleted: { objects: 1 } });
    expect(to.keys()).toEqual(['a b.txt', 'l/dangling', 'l/good', 'l/second']);
    expect([targetOf(to, 'l/dangling'), targetOf(to, 'l/second')]).toEqual(['a b.txt', undefined]);
    expect((await lab.run(['check', from.at('in/'), to.at()])).code).toBe(0);
  });

  test('without a manifest, links that point to the same are found equal', async () => {
    const [from, to] = [fill(), lab.shanghai.bucket()];
    expect((await lab.run(['copy', from.at('in/'), to.at()])).code).toBe(0);
    const again = await lab.run(['copy', from.at('in/'), to.at(), '--json', '--manifest', lab.path('fresh')]);
    expect(summaryOf(again).skipped.byReason).toMatchObject({ 'same-target': 4 });
    link(to, 'l/good', 'l/loop');
    const repaired = await lab.run(['check', from.at('in/'), to.at(), '--repair', '--json']);
    expect(repaired.code, repaired.stderr).toBe(0);
    expect(targetOf(to, 'l/good')).toBe('a b.txt');
  });

  test('--links follow copies what they point to, skip leaves them out in silence, and strict refuses what is outside', async () => {
    const [from, to, none, strict] = [fill(), lab.shanghai.bucket(), lab.shanghai.bucket(), lab.shanghai.bucket()];
    link(from, 'in/out', 'other/x');
    const followed = await lab.run(['copy', from.at('in/'), to.at(), '--links', 'follow']);
    expect(followed.code).toBe(6);
    expect(to.keys()).toEqual(['a b.txt', 'l/good', 'out']);
    expect([targetOf(to, 'l/good'), to.read('l/good').toString()]).toEqual([undefined, '12345']);
    const skipped = await lab.run(['copy', from.at('in/'), none.at(), '--links', 'skip']);
    expect([skipped.code, none.keys(), skipped.stderr.includes('symbolic')]).toEqual([0, ['a b.txt'], false]);
    const refused = await lab.run(['copy', from.at('in/'), strict.at(), '--fidelity', 'strict']);
    expect([refused.code, refused.stderr.includes('link: it points to "other/x"')]).toEqual([6, true]);
    expect(strict.keys()).not.toContain('out');
  });

  test('a link that is overwritten is backed up as a link, and a move takes links along', async () => {
    const [from, to, old] = [fill(), lab.shanghai.bucket(), lab.shanghai.bucket()];
    link(to, 'l/good', 'kept');
    const moved = await lab.run(['move', from.at('in/'), to.at(), '--backup-dir', old.at()]);
    expect(moved.code, moved.stderr).toBe(0);
    expect(from.keys()).toEqual(['other/x']);
    expect([targetOf(to, 'l/good'), targetOf(old, 'l/good')]).toEqual(['a b.txt', 'kept']);
  });
});

describe('from OSS to stores without links', () => {
  test('what they point to arrives and is said; links that lead nowhere are left out; targets that change are copied', async () => {
    const [from, to] = [fill(), lab.east.bucket()];
    const args = ['copy', from.at('in/'), to.at(), '--json'];
    const first = await lab.run(args);
    expect(first.code, first.stderr).toBe(0);
    expect(to.keys()).toEqual(['a b.txt', 'l/good']);
    expect(to.read('l/good').toString()).toBe('12345');
    expect(summaryOf(first).fidelity).toMatchObject({ mapped: { link: 1 } });
    expect(first.events.filter(({ event }) => event === 'warning').map(({ message }) => message)).toEqual([
      'left out, because it is not a regular file: l/dangling (symbolic link that leads to no object), l/loop (symbolic link that leads to no object), l/second (symbolic link that leads to no object)',
    ]);
    lab.reset();
    expect(summaryOf(await lab.run(args)).copied.objects).toBe(0);
    expect(from.counts()).toEqual({ ListObjects: 1, HeadObject: 4 });
    from.put('in/a b.txt', 'changed');
    expect(summaryOf(await lab.run(args)).copied.objects).toBe(2);
    expect(to.read('l/good').toString()).toBe('changed');
    const strict = await lab.run(['copy', from.at('in/'), lab.east.bucket().at(), '--links', 'follow']);
    expect(strict.code).toBe(6);
  });

  test('--links keep leaves them out with a warning', async () => {
    const [from, to] = [fill(), lab.east.bucket()];
    const kept = await lab.run(['copy', from.at('in/'), to.at(), '--links', 'keep']);
    expect([kept.code, to.keys()]).toEqual([0, ['a b.txt']]);
    expect(kept.stderr).toContain('warning: 4 symbolic links were left out: l/dangling, l/good, l/loop, l/second;');
  });

  test('one that is named is what it points to, and cat writes that', async () => {
    const [from, to] = [fill(), lab.east.bucket()];
    expect((await lab.run(['copyto', from.at('in/l/good'), to.at('x')])).code).toBe(0);
    expect(to.read('x').toString()).toBe('12345');
    expect((await lab.run(['cat', from.at('in/l/good')])).stdout).toBe('12345');
  });
});

describe('between OSS and local disk', () => {
  test('links go up and come down as links, and leave nothing outside', async () => {
    const [tree, back] = [lab.path(), lab.path()];
    await mkdir(join(tree, 'd/e'), { recursive: true });
    await writeFile(join(tree, 'd/file'), '12345');
    await symlink('../file', join(tree, 'd/e/relative'));
    await symlink(join(tree, 'd/file'), join(tree, 'absolute'));
    await symlink('d', join(tree, 'folder'));
    await symlink('nothing', join(tree, 'dangling'));
    const bucket = lab.shanghai.bucket();
    const up = await lab.run(['sync', tree, bucket.at('p/'), '--links', 'keep']);
    expect(up.code, up.stderr).toBe(0);
    const keys = ['p/d/e/relative', 'p/absolute', 'p/folder', 'p/dangling'];
    expect(keys.map((key) => targetOf(bucket, key))).toEqual(['p/d/file', 'p/d/file', 'p/d', 'p/nothing']);
    link(bucket, 'p/out', 'q/elsewhere');
    const down = await lab.run(['sync', bucket.at('p/'), back, '--links', 'keep']);
    expect(down.code).toBe(6);
    expect(down.stderr).toContain('failed out: a symbolic link to q/elsewhere, which is not copied with it');
    expect((await readdir(back)).sort()).toEqual(['absolute', 'd', 'dangling', 'folder']);
    expect(await readlink(join(back, 'd/e/relative'))).toBe('../file');
    expect(await readlink(join(back, 'absolute'))).toBe('d/file');
    expect(await readFile(join(back, 'absolute'), 'utf8')).toBe('12345');
    bucket.remove('p/out');
    const again = await lab.run(['sync', bucket.at('p/'), back, '--links', 'keep', '--json']);
    expect([again.code, summaryOf(again).copied.objects]).toEqual([0, 0]);
  });

  test('a link that leads out of the folder fails by name, whichever way', async () => {
    const [tree, to] = [lab.path(), lab.path()];
    await mkdir(tree);
    await symlink('/etc/passwd', join(tree, 'a'));
    await symlink('../../x', join(tree, 'b'));
    for (const dest of [lab.shanghai.bucket().at(), to]) {
      const run = await lab.run(['copy', tree, dest, '--links', 'keep']);
      expect(run.code).toBe(6);
      expect(run.stderr).toContain('failed a: a symbolic link to /etc/passwd, which is not below');
      expect(run.stderr).toContain('failed b: a symbolic link to ../../x, which is not below');
    }
    const bucket = lab.shanghai.bucket();
    for (const target of ['p/../../x', 'p//x', 'p/.xsync/x']) link(bucket, `p/${target.length}`, target);
    const down = await lab.run(['copy', bucket.at('p/'), to, '--links', 'keep']);
    expect([down.code, await readdir(to)]).toEqual([6, []]);
  });

  test('nothing is written through a link that was copied', async () => {
    const [back, outside] = [lab.path(), lab.path()];
    await mkdir(outside);
    const bucket = lab.shanghai.bucket();
    bucket.put('x/file', '1');
    link(bucket, 'd', 'x');
    expect((await lab.run(['copy', bucket.at(), back, '--links', 'keep'])).code).toBe(0);
    bucket.put('d/file', '2');
    const second = await lab.run(['copy', bucket.at(), back, '--links', 'keep']);
    expect([second.code, await readFile(join(back, 'x/file'), 'utf8')]).toEqual([6, '1']);
  });

  test('by default, links on disk are left out, and those of OSS arrive as files', async () => {
    const [tree, back] = [lab.path(), lab.path()];
    await mkdir(tree);
    await writeFile(join(tree, 'file'), '1');
    await symlink('file', join(tree, 'link'));
    const [bucket, from] = [lab.shanghai.bucket(), fill()];
    const up = await lab.run(['copy', tree, bucket.at()]);
    expect([up.code, bucket.keys()]).toEqual([0, ['file']]);
    expect(up.stderr).toContain(
      'a symbolic link was left out: link; --copy-links copies what links point to, and --links keep',
    );
    expect((await lab.run(['copy', from.at('in/'), back])).code).toBe(0);
    expect((await lstat(join(back, 'l/good'))).isFile()).toBe(true);
  });

  test('contradicting flags are named', async () => {
    const run = await lab.run(['copy', lab.path(), lab.path(), '--copy-links', '--links', 'keep']);
    expect([run.code, run.stderr.includes('--copy-links means --links follow')]).toEqual([2, true]);
  });
});

test('a history carries versions of links from OSS to OSS', async () => {
  const [from, to] = [lab.shanghai.bucket(), lab.shanghai.bucket()];
  for (const { remote, name } of [from, to]) remote.store.bucket(name).versioning = 'Enabled';
  from.put('a', '1');
  for (const target of ['a', 'b', 'c']) link(from, 'l', target);
  const args = ['copy', '--versions', from.at(), to.at(), '--json'];
  const first = await lab.run(args);
  expect(first.code, first.stderr).toBe(0);
  const versions = to.remote.store.bucket(to.name).versionsOf('l');
  expect(versions.map(({ symlinkTarget }) => symlinkTarget)).toEqual(['c', 'b', 'a']);
  expect(summaryOf(await lab.run(args)).copied.objects).toBe(0);
});

test('a history says which links it leaves out, and refuses to follow them', async () => {
  const [from, to] = [lab.shanghai.bucket(), lab.east.bucket()];
  for (const { remote, name } of [from, to]) remote.store.bucket(name).versioning = 'Enabled';
  from.put('a', 'a');
  for (const target of ['a', 'b']) link(from, 'l', target);
  const warned = await lab.run(['sync', '--versions', from.at(), to.at()]);
  expect([warned.code, to.keys()]).toEqual([0, ['a']]);
  expect(warned.stderr).toContain('warning: a symbolic link was left out: l\n');
  const silent = await lab.run(['sync', '--versions', '--links', 'skip', from.at(), to.at()]);
  expect([silent.code, silent.stderr]).toEqual([0, '']);
  const refused = await lab.run(['sync', '--versions', '--links', 'follow', from.at(), to.at()]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--links follow cannot be combined')]);
});
