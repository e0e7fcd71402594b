/** `xsync sync` as cron runs it: each pair of places, what it prints, what it costs, and how it is stopped. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesOf } from './compare.js';
import { expectComplaint } from './complaint.js';
import { awkward, bytesOf, MiB } from './fixtures.js';
import { type Bucket, Lab, type Outcome, summaryOf, until } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

type Holder = 's3' | 'oss' | 'local';

/** A place to sync from or to, seen from behind. */
interface Place {
  at: string;
  put(key: string, text: string): Promise<void>;
  remove(key: string): Promise<void>;
  keys(): Promise<string[]>;
  read(key: string): Promise<string>;
  /** Absent for a disk. */
  bucket?: Bucket;
}

function placeOf(kind: Holder, side: 'from' | 'to'): Place {
  if (kind === 'local') return folder(lab.path(side));
  const bucket = lab[kind === 'oss' ? 'shanghai' : side === 'from' ? 'east' : 'west'].bucket();
  return {
    at: bucket.at(),
    put: async (key, text) => bucket.put(key, text),
    remove: async (key) => void bucket.remote.store.delete(bucket.name, key),
    keys: async () => bucket.keys(),
    read: async (key) => bucket.read(key).toString(),
    bucket,
  };
}

function folder(root: string): Place {
  return {
    at: root,
    put: async (key, text) => {
      await mkdir(dirname(join(root, key)), { recursive: true });
      await writeFile(join(root, key), text);
    },
    remove: (key) => rm(join(root, key)),
    keys: () => filesOf(root),
    read: (key) => readFile(join(root, key), 'utf8'),
  };
}

function sync(from: string, to: string, ...options: string[]): Promise<Outcome> {
  return lab.run(['sync', from, to, ...options]);
}

const PAIRS: [Holder, Holder][] = (['s3', 'oss', 'local'] as const).flatMap((from) =>
  (['s3', 'oss', 'local'] as const).map((to): [Holder, Holder] => [from, to]),
);

describe.each(PAIRS)('%s to %s', (from, to) => {
  test('the destination becomes what the source is, whatever the keys, and stays so in silence', async () => {
    const [source, dest] = [placeOf(from, 'from'), placeOf(to, 'to')];
    const keys = awkward(from, to, 'local').map(({ key }) => key);
    for (const key of keys) await source.put(key, `1: ${key}`);
    expect((await sync(source.at, dest.at)).code).toBe(0);
    expect((await dest.keys()).sort()).toEqual([...keys].sort());

    const [gone, stays] = [keys.filter((_, n) => n % 2 === 0), keys.filter((_, n) => n % 2 === 1)];
    for (const key of gone) await source.remove(key);
    for (const key of stays.slice(0, 3)) await source.put(key, `two: ${key}`);
    await dest.put('of somebody else', 'x');
    const run = await sync(source.at, dest.at, '--json');
    expect(run.code, run.stderr).toBe(0);
    expect(summaryOf(run)).toMatchObject({
      copied: { objects: 3 },
      deleted: { objects: gone.length, left: 0 },
      kept: { objects: 1 },
      held: { objects: 0 },
      backedUp: { objects: 0 },
    });
    expect((await dest.keys()).sort()).toEqual([...stays, 'of somebody else'].sort());
    for (const key of stays) expect(await dest.read(key)).toBe(await source.read(key));

    lab.reset();
    const again = await sync(source.at, dest.at);
    expect({ code: again.code, stdout: again.stdout, stderr: again.stderr }).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    for (const { bucket } of [source, dest]) if (bucket) expect(bucket.counts()).toEqual({ ListObjects: 1 });
  });
});

describe('the guards', () => {
  /** Synced once, with 20 objects. */
  async function twenty(): Promise<[Bucket, Bucket]> {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (let n = 0; n < 20; n++) source.put(`photos/${n}`, `${n}`);
    expect((await sync(source.at('photos'), dest.at())).code).toBe(0);
    lab.reset();
    return [source, dest];
  }

  function remove({ remote, name }: Bucket, count: number): void {
    for (let n = 0; n < count; n++) remote.store.delete(name, `photos/${n}`);
  }

  function expectUntouched(dest: Bucket): void {
    const { ListObjects: _, ...others } = dest.counts();
    expect(others).toEqual({});
    expect(dest.keys()).toHaveLength(20);
  }

  const TIMES = ['--delete-after', '--delete-during', '--delete-before'];

  test.each(TIMES)('%s: an emptied source is refused, with the option that means it', async (when) => {
    const [source, dest] = await twenty();
    remove(source, 20);
    const outcome = await sync(source.at('photos'), dest.at(), when);
    expectComplaint(outcome, 'fatal', 'the source is empty', '20 objects', '--allow-empty-source');
    expectUntouched(dest);
    const meant = await sync(source.at('photos'), dest.at(), when, '--allow-empty-source');
    expect(meant.code, meant.stderr).toBe(0);
    expect(dest.keys()).toEqual([]);
  });

  test('a listing that fails at its seventh page deletes nothing', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (let n = 0; n < 7100; n++) source.put(`${n}`, '');
    for (let n = 0; n < 20; n++) source.put(`photos/${n}`, '');
    expect((await sync(source.at(), dest.at(), '--exclude', '/[0-9]*')).code).toBe(0);
    remove(source, 20);
    lab.reset();
    source.fault({ kind: 'status', status: 403 }, { kind: 'ListObjects', nth: 7, times: 1000 });
    const outcome = await sync(source.at(), dest.at(), '--exclude', '/[0-9]*', '--max-delete', '100%');
    expect(outcome.code, outcome.stderr).toBe(7);
    expect(source.requests('ListObjects').length).toBeGreaterThanOrEqual(7);
    expectUntouched(dest);
  });

  test('credentials that may not list delete nothing', async () => {
    const [source, dest] = await twenty();
    source.fault({ kind: 'status', status: 403 }, { kind: 'ListObjects', times: 1000 });
    expectComplaint(await sync(source.at('photos'), dest.at()), 'fatal', source.name);
    expectUntouched(dest);
  });

  test('a wrong prefix finds nothing that it put there, and deletes nothing', async () => {
    const [source, dest] = await twenty();
    source.put('other/x', 'x');
    const outcome = await sync(source.at('other'), dest.at());
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stderr).toMatch(/Kept +20 objects/);
    expect(dest.keys()).toHaveLength(21);
  });

  test('a wrong prefix with --delete-unknown is refused', async () => {
    const [source, dest] = await twenty();
    source.put('other/x', 'x');
    const outcome = await sync(source.at('other'), dest.at(), '--delete-unknown');
    expect(outcome.code, outcome.stderr).toBe(7);
    expect(outcome.stderr).toContain('the two sides had no key in common, and 20 objects would be deleted');
    expect(outcome.stderr).toContain('--max-delete 20');
    // What the refused run has copied is no key in common.
    expect((await sync(source.at('other'), dest.at(), '--delete-unknown')).code).toBe(7);
    expect(dest.keys().filter((key) => key !== 'x')).toHaveLength(20);
  });

  test.each([
    ['4', '5 objects would be deleted', '--max-delete 5'],
    ['20%', '5 objects would be deleted', '--max-delete 5'],
    ['0', '5 objects would be deleted', '--max-delete 5'],
  ])('--max-delete %s is kept to', async (max, ...says) => {
    const [source, dest] = await twenty();
    remove(source, 5);
    expectComplaint(await sync(source.at('photos'), dest.at(), '--max-delete', max), 'fatal', ...says);
    expectUntouched(dest);
    expect((await sync(source.at('photos'), dest.at(), '--max-delete', '25%')).code).toBe(0);
    expect(dest.keys()).toHaveLength(15);
  });

  test('a dry run names what it would delete, deletes nothing, and is guarded too', async () => {
    const [source, dest] = await twenty();
    remove(source, 5);
    const dry = await sync(source.at('photos'), dest.at(), '--dry-run');
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stderr.match(/would delete \d/g)).toHaveLength(5);
    expect((await sync(source.at('photos'), dest.at(), '--dry-run', '--max-delete', '4')).code).toBe(7);
    expectUntouched(dest);
  });

  test.each([
    [['--delete-before', '--delete-after'], '--delete-before and --delete-after contradict each other'],
    [['--max-delete', 'all'], '--max-delete: "all"'],
    [['--max-delete', '-1'], '--max-delete: "-1"'],
  ])('%j is a slip', async (options, says) => {
    expectComplaint(await sync('east:a', 'east:b', ...options), 'usage', says);
  });
});

describe('disks', () => {
  async function two(...keys: string[]) {
    const [from, to] = [folder(lab.path('from')), folder(lab.path('to'))];
    for (const key of keys) await from.put(key, `old ${key}`);
    expect((await sync(from.at, to.at)).code).toBe(0);
    return [from, to] as const;
  }

  test('a folder that is not mounted, or gone, is no source without files', async () => {
    const [from, to] = await two('a', 'b/c');
    await rm(from.at, { recursive: true });
    expect((await sync(from.at, to.at)).code).toBe(3);
    await mkdir(from.at);
    expect((await sync(from.at, to.at)).code).toBe(7);
    expect((await to.keys()).sort()).toEqual(['a', 'b/c']);
  });

  test.each([
    [0, []],
    [6, ['--copy-links']],
  ])('a file that became a link to nowhere is not gone: exit %i with %j', async (code, options) => {
    const [from, to] = await two('a', 'b');
    await from.remove('a');
    await symlink('/no/such/file', join(from.at, 'a'));
    expect((await sync(from.at, to.at, ...options)).code).toBe(code);
    expect((await to.keys()).sort()).toEqual(['a', 'b']);
  });

  test.each([
    ['a file becomes a folder', 'a', 'a/b'],
    ['a folder becomes a file', 'a/b', 'a'],
  ])('%s with --delete-before', async (_, before, after) => {
    const [from, to] = await two(before, 'stays');
    await from.remove(before);
    await rm(join(from.at, 'a'), { recursive: true, force: true });
    await from.put(after, 'new');
    const outcome = await sync(from.at, to.at, '--delete-before');
    expect(outcome.code, outcome.stderr).toBe(0);
    expect((await to.keys()).sort()).toEqual([after, 'stays']);
  });

  test('a folder whose last file is deleted goes with it, and one that was there otherwise stays', async () => {
    const [from, to] = await two('a/b/c', 'stays');
    await mkdir(join(to.at, 'mine'));
    await rm(join(from.at, 'a'), { recursive: true });
    expect((await sync(from.at, to.at)).code).toBe(0);
    expect((await readdir(to.at)).filter((name) => name !== '.xsync').sort()).toEqual(['mine', 'stays']);
  });
});

describe('made for cron', () => {
  test('statistics are not printed of a run that finds nothing to do, and of one that works they are', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('a', 'x');
    source.fault({ kind: 'slow', delayMs: 300 });
    const first = await sync(source.at(), dest.at(), '--stats', '20ms');
    expect(first.stderr).toMatch(/Done: /);
    const second = await sync(source.at(), dest.at(), '--stats', '20ms');
    expect(second).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('an object that failed is told again and again, with an exit code, until it is copied', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (const key of ['a', 'b', 'gone']) source.put(key, key);
    await sync(source.at(), dest.at());
    source.put('b', 'changed');
    source.remote.store.delete(source.name, 'gone');
    const heal = source.fault({ kind: 'status', status: 403 }, { kind: 'GetObject', key: 'b', times: 1000 });
    const failed = await sync(source.at(), dest.at());
    expect(failed.code).toBe(6);
    expect(failed.stderr).toContain('nothing was deleted, because 1 object could not be copied');
    const held = await sync(source.at(), dest.at(), '--json');
    expect(held.code).toBe(6);
    expect(summaryOf(held)).toMatchObject({ held: { objects: 1 }, deleted: { objects: 0, left: 1 } });
    expect(dest.keys()).toContain('gone');
    heal();
    source.put('b', 'changed again');
    expect((await sync(source.at(), dest.at())).code).toBe(0);
    expect(dest.keys()).toEqual(['a', 'b']);
  });

  test('--max-duration ends it cleanly with 10, nothing is deleted, and the next run catches up', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (const key of ['a', 'gone']) source.put(key, key);
    await sync(source.at(), dest.at());
    source.remote.store.delete(source.name, 'gone');
    for (let n = 0; n < 300; n++) source.put(`new ${n}`, `${n}`);
    dest.fault({ kind: 'slow', delayMs: 50 }, { kind: 'PutObject', times: 1000 });
    const outcome = await sync(
      source.at(),
      dest.at(),
      '--max-duration',
      '1s',
      '--transfers',
      '2',
      '--cutoff-mode',
      'soft',
    );
    expect(outcome.code, outcome.stderr).toBe(10);
    expect(outcome.stderr).toContain('Stopped at --max-duration');
    const there = dest.keys().length;
    expect(there).toBeLessThan(302);
    expect(dest.keys()).toContain('gone');
    lab.reset();
    const next = await sync(source.at(), dest.at(), '--json');
    expect(next.code, next.stderr).toBe(0);
    expect(summaryOf(next)).toMatchObject({ copied: { objects: 302 - there }, deleted: { objects: 1, left: 0 } });
    expect(dest.keys().sort()).toEqual(source.keys().sort());
  });

  test('Ctrl-C ends it with 130, and nothing is deleted', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (const key of ['a', 'gone']) source.put(key, key);
    await sync(source.at(), dest.at());
    source.remote.store.delete(source.name, 'gone');
    source.put('new', 'new');
    lab.reset();
    source.fault({ kind: 'slow', delayMs: 500 }, { kind: 'GetObject' });
    const running = lab.start(['sync', source.at(), dest.at()]);
    await until(() => source.requests('GetObject').length > 0, { orElse: running.done });
    running.kill('SIGINT');
    expect((await running.done).code).toBe(130);
    expect(dest.keys()).toContain('gone');
    expect((await sync(source.at(), dest.at())).code).toBe(0);
    expect(dest.keys()).toEqual(['a', 'new']);
  });

  test('a second run of the pair ends at once with 5, and says who holds it since when', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('a', 'a');
    source.fault({ kind: 'slow', delayMs: 3000 }, { kind: 'GetObject' });
    const running = lab.start(['sync', source.at(), dest.at()]);
    await until(() => source.requests('GetObject').length > 0, { orElse: running.done });
    const second = await sync(source.at(), dest.at());
    const since = new RegExp(`in use by process ${running.pid} on .* \\(sync\\) since \\d{4}-\\d\\d-\\d\\dT`);
    expectComplaint(second, 'temporary', 'this pair is in use', 'Wait until');
    expect(second.stderr).toMatch(since);
    expect((await running.done).code).toBe(0);
  });

  test('a pass over 5,000 objects that finds nothing costs the pages of two listings', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    for (let n = 0; n < 5000; n++) source.put(`${n}`, '');
    expect((await sync(source.at(), dest.at())).code).toBe(0);
    lab.reset();
    expect(await sync(source.at(), dest.at())).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 5 }, { ListObjects: 5 }]);
    lab.reset();
    expect((await sync(source.at(), dest.at(), '--no-traverse')).code).toBe(0);
    expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 5 }, {}]);
  });
});

describe('--backup-dir and --suffix', () => {
  const about = {
    headers: { 'content-type': 'text/x-odd', 'cache-control': 'max-age=5' },
    metadata: { owner: 'Jane', mtime: '1600000000' },
  };
  const LARGE = 11 * MiB;

  /** `small` and `large` are new versions at the source, `gone` is gone. */
  async function changed(to: 'west' | 'shanghai'): Promise<[Bucket, Bucket]> {
    const [source, dest] = [lab.east.bucket(), lab[to].bucket()];
    for (const key of ['d/small.txt', 'gone.txt', 'stays']) source.put(key, `old ${key}`, about);
    source.put('large', bytesOf('old', LARGE), about);
    expect((await sync(source.at(), dest.at('to'), '--part-size', '5M')).code).toBe(0);
    source.put('d/small.txt', 'new');
    source.put('large', bytesOf('new', LARGE + 1));
    source.remote.store.delete(source.name, 'gone.txt');
    lab.reset();
    return [source, dest];
  }

  test.each(['west', 'shanghai'] as const)('in another bucket of %s, copied by the service', async (to) => {
    const [source, dest] = await changed(to);
    const aside = lab[to].bucket();
    const outcome = await sync(
      source.at(),
      dest.at('to'),
      '--backup-dir',
      aside.at('old'),
      '--part-size',
      '5M',
      '--json',
    );
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(summaryOf(outcome)).toMatchObject({
      copied: { objects: 2 },
      deleted: { objects: 1 },
      backedUp: { objects: 3 },
    });
    expect(aside.keys()).toEqual(['old/d/small.txt', 'old/gone.txt', 'old/large']);
    expect(aside.read('old/large').equals(bytesOf('old', LARGE))).toBe(true);
    expect(aside.get('old/gone.txt')).toMatchObject({ headers: about.headers, metadata: about.metadata });
    expect(aside.get('old/large')).toMatchObject({ headers: about.headers, metadata: about.metadata });
    expect(aside.counts()).toEqual({ CopyObject: 3 });
    expect(dest.counts().GetObject).toBeUndefined();
    expect(dest.keys()).toEqual(['to/d/small.txt', 'to/large', 'to/stays']);
  });

  test.each([
    ['west', 'shanghai'],
    ['shanghai', 'east'],
  ] as const)('of %s at %s, through here, in parts where large', async (to, elsewhere) => {
    const [source, dest] = await changed(to);
    const aside = lab[elsewhere].bucket();
    const outcome = await sync(source.at(), dest.at('to'), '--backup-dir', aside.at('old'), '--part-size', '5M');
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stderr).toMatch(/Backed up +3 objects, 11\.0 MiB/);
    expect(aside.read('old/large').equals(bytesOf('old', LARGE))).toBe(true);
    expect(aside.get('old/large')).toMatchObject({ headers: about.headers, metadata: about.metadata });
    expect(aside.counts()).toMatchObject({ PutObject: 2, UploadPart: 3, CompleteMultipartUpload: 1 });
    expect(aside.unfinished()).toEqual([]);
  });

  test('on a local disk, and back from there', async () => {
    const [source, dest] = await changed('shanghai');
    const aside = lab.path('aside');
    const outcome = await sync(source.at(), dest.at('to'), '--backup-dir', aside, '--suffix', '.1');
    expect(outcome.code, outcome.stderr).toBe(0);
    expect((await filesOf(aside)).sort()).toEqual(['d/small.txt.1', 'gone.txt.1', 'large.1']);
    const restored = lab.west.bucket();
    expect((await lab.run(['copy', aside, restored.at()])).code).toBe(0);
    expect(restored.get('gone.txt.1')).toMatchObject({ headers: about.headers, metadata: about.metadata });
    expect(restored.read('large.1').equals(bytesOf('old', LARGE))).toBe(true);
  });

  test('between two folders, as rclone does', async () => {
    const [from, to, aside] = [folder(lab.path('from')), folder(lab.path('to')), folder(lab.path('aside'))];
    for (const key of ['a.txt', 'd/gone.txt', 'stays']) await from.put(key, `old ${key}`);
    await sync(from.at, to.at);
    await from.put('a.txt', 'new');
    await from.remove('d/gone.txt');
    expect((await sync(from.at, to.at, '--backup-dir', aside.at)).code).toBe(0);
    expect((await aside.keys()).sort()).toEqual(['a.txt', 'd/gone.txt']);
    expect(await aside.read('a.txt')).toBe('old a.txt');
    await from.put('a.txt', 'newer');
    expect((await sync(from.at, to.at, '--suffix', '.bak', '--suffix-keep-extension')).code).toBe(0);
    expect((await to.keys()).sort()).toEqual(['a.bak.txt', 'a.txt', 'stays']);
    expect(await sync(from.at, to.at, '--suffix', '.bak', '--suffix-keep-extension', '--delete-unknown')).toMatchObject(
      { code: 0 },
    );
    expect(await to.read('a.bak.txt')).toBe('new');
  });

  test('what was kept is restored by copying it back to the source', async () => {
    const [source, dest] = await changed('west');
    const aside = lab.west.bucket();
    await sync(source.at(), dest.at('to'), '--backup-dir', aside.at('2026'));
    expect((await lab.run(['copy', aside.at('2026'), source.at()])).code).toBe(0);
    expect((await sync(source.at(), dest.at('to'))).code).toBe(0);
    expect(dest.keys()).toEqual(['to/d/small.txt', 'to/gone.txt', 'to/large', 'to/stays']);
    expect(dest.read('to/d/small.txt').toString()).toBe('old d/small.txt');
    expect(dest.read('to/large').equals(bytesOf('old', LARGE))).toBe(true);
  });

  test('what cannot be kept is neither overwritten nor deleted, and listed as failed', async () => {
    const [source, dest] = await changed('west');
    const aside = lab.shanghai.bucket();
    aside.fault({ kind: 'status', status: 403 }, { times: 1000 });
    const outcome = await sync(source.at(), dest.at('to'), '--backup-dir', aside.at(), '--ignore-errors');
    expect(outcome.code, outcome.stderr).toBe(6);
    expect(outcome.stderr).toContain('could not be backed up');
    expect(dest.keys()).toEqual(['to/d/small.txt', 'to/gone.txt', 'to/large', 'to/stays']);
    expect(dest.read('to/d/small.txt').toString()).toBe('old d/small.txt');
  });

  test('a bucket for it that does not exist ends the run with nothing touched', async () => {
    const [source, dest] = await changed('west');
    const outcome = await sync(source.at(), dest.at('to'), '--backup-dir', 'west:no-such-bucket/old');
    expect(outcome.code, outcome.stderr).toBe(3);
    expect(outcome.stderr).toContain('no-such-bucket');
    expect(dest.read('to/d/small.txt').toString()).toBe('old d/small.txt');
    expect(dest.keys()).toContain('to/gone.txt');
  });

  test('a dry run keeps nothing', async () => {
    const [source, dest] = await changed('west');
    const aside = lab.west.bucket();
    expect((await sync(source.at(), dest.at('to'), '--backup-dir', aside.at(), '--dry-run')).code).toBe(0);
    expect(aside.counts()).toEqual({});
  });

  test('a place inside a side is refused', async () => {
    const [source, dest] = [lab.east.bucket(), lab.west.bucket()];
    for (const path of [dest.at('to'), dest.at('to/old'), dest.at(), source.at('x')]) {
      const outcome = await sync(source.at(), dest.at('to'), '--backup-dir', path);
      expectComplaint(outcome, 'usage', '--backup-dir', 'overlap', 'choose a location outside it');
    }
    expectComplaint(await sync(source.at(), dest.at(), '--suffix', 'a/b'), 'usage', '--suffix', 'has a slash');
  });

  test('one object is kept under its name', async () => {
    const [source, dest, aside] = [lab.east.bucket(), lab.west.bucket(), lab.west.bucket()];
    source.put('a.txt', 'old');
    await lab.run(['copyto', source.at('a.txt'), dest.at('d/b.txt')]);
    source.put('a.txt', 'newer');
    const outcome = await lab.run([
      'copyto',
      source.at('a.txt'),
      dest.at('d/b.txt'),
      '--backup-dir',
      aside.at(),
      '--suffix',
      '.1',
    ]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(aside.keys()).toEqual(['b.txt.1']);
    expect(aside.read('b.txt.1').toString()).toBe('old');
  });
});
