/** What a path means: an object, a folder, or both. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, openLab } from './cli/lab.js';

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
  lab.server.core.s3.createBucket('to');
});

afterEach(() => lab.close());

const put = (...keys: string[]): void => {
  for (const key of keys) lab.server.core.s3.put('bucket', key, key);
};
const remove = (key: string): void => void lab.server.core.s3.delete('bucket', key);
const keys = (): string[] => lab.server.core.s3.list('to').map(({ key }) => key);
const BOTH = 'lab:bucket/photos is both an object and a folder; the folder is used';

describe('an object named like the folder', () => {
  beforeEach(() => put('photos/1', 'photos/2', 'photos'));

  test.each(['copy', 'copyto', 'sync'])('%s takes the folder, and says so', async (command) => {
    const { code, err } = await lab.xsync(command, 'lab:bucket/photos', 'lab:to/x');
    expect(code, err).toBe(0);
    expect(err).toContain(BOTH);
    expect(keys()).toEqual(['x/1', 'x/2']);
  });

  test('with a slash it is the folder without a word', async () => {
    const { err } = await lab.xsync('copyto', 'lab:bucket/photos/', 'lab:to/x');
    expect(err).not.toContain('warning');
    expect(keys()).toEqual(['x/1', 'x/2']);
  });

  test('does not keep a sync from copying and deleting, nor a check from comparing', async () => {
    remove('photos');
    await lab.xsync('sync', 'lab:bucket/photos', 'lab:to/photos');
    put('photos', 'photos/3');
    remove('photos/1');
    expect((await lab.xsync('sync', 'lab:bucket/photos', 'lab:to/photos')).code).toBe(0);
    expect(keys()).toEqual(['photos/2', 'photos/3']);
    const check = await lab.xsync('check', 'lab:bucket/photos', 'lab:to/photos');
    expect(check.code).toBe(0);
    expect(check.err + check.out).toContain(BOTH);
    expect(check.err + check.out).toContain('2 matching files');
  });

  test('is looked for with one list request when a path names an object', async () => {
    put('alone');
    expect((await lab.xsync('copy', 'lab:bucket/alone', join(lab.home, 'disk'))).code).toBe(0);
    expect(lab.server.requests.counts({ protocol: 's3' })).toEqual({ HeadObject: 2, ListObjects: 1, GetObject: 1 });
  });

  test('is copied by credentials that may not list', async () => {
    put('alone');
    lab.server.faults.add({
      match: { kind: 'ListObjects' },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    expect((await lab.xsync('copy', 'lab:bucket/alone', 'lab:to')).code).toBe(0);
    expect(keys()).toEqual(['alone']);
  });
});

describe('a pair that was a folder', () => {
  test.each(['lab:to/photos', 'disk'])('stays one when only an object of that name is left, %s', async (to) => {
    const at = to === 'disk' ? join(lab.home, 'disk') : to;
    put('photos/1', 'photos/2');
    await lab.xsync('sync', 'lab:bucket/photos', at);
    put('photos');
    remove('photos/1');
    remove('photos/2');
    const { code, err } = await lab.xsync('sync', 'lab:bucket/photos', at);
    expect(code, err).toBe(7);
    expect(err).toContain('lab:bucket/photos is an object now; it is used as the folder that it was in earlier runs');
    expect(err).toContain('the source is empty, and 2 objects would be deleted');
  });

  test('and never had an object was a mistyped path: the object is copied', async () => {
    await lab.xsync('copy', 'lab:bucket/late', 'lab:to');
    put('late');
    expect((await lab.xsync('copy', 'lab:bucket/late', 'lab:to')).code).toBe(0);
    expect(keys()).toEqual(['late']);
  });
});

describe('on a disk', () => {
  const at = (name: string): string => join(lab.home, name);

  beforeEach(() => {
    writeFileSync(at('file'), 'x');
    symlinkSync('file', at('link'));
    symlinkSync('link', at('link-to-link'));
  });

  test.each(['copyto', 'copy', 'sync'])('%s follows a link that is named as the only source', async (command) => {
    const target = command === 'copyto' ? 'lab:to/link' : 'lab:to';
    for (const name of ['link', 'link-to-link']) {
      const { code, err } = await lab.xsync(command, at(name), target.replace('link', name));
      expect(code, err).toBe(0);
      expect(lab.server.core.s3.read('to', name).toString()).toBe('x');
    }
    writeFileSync(at('file'), 'changed');
    await lab.xsync(command, at('link'), target);
    expect(lab.server.core.s3.read('to', 'link').toString()).toBe('changed');
  });

  test('a link as the destination is replaced, and its file stays', async () => {
    put('new');
    expect((await lab.xsync('copyto', 'lab:bucket/new', at('link'))).code).toBe(0);
    expect([readFileSync(at('link'), 'utf8'), readFileSync(at('file'), 'utf8')]).toEqual(['new', 'x']);
  });

  test.each([
    ['a link to nowhere', (path: string) => symlinkSync('/no/such/file', path), 3],
    ['a link to itself', (path: string) => symlinkSync(path, path), 7],
    ['a pipe', (path: string) => execFileSync('mkfifo', [path]), 2],
  ])('%s as the only source is an error', async (_, make, expected) => {
    make(at('odd'));
    const { code, err } = await lab.xsync('copy', at('odd'), 'lab:to');
    expect(code, err).toBe(expected);
    expect(err).toContain(at('odd'));
  });

  test('a slash at the end means a folder: a file is refused, and a new path becomes one', async () => {
    const refused = await lab.xsync('copy', `${at('file')}/`, 'lab:to');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('is a file, not a folder');
    put('new');
    expect((await lab.xsync('copyto', 'lab:bucket/new', `${at('folder')}/`)).code).toBe(0);
    expect(readFileSync(at('folder/new'), 'utf8')).toBe('new');
    mkdirSync(at('empty'));
    expect((await lab.xsync('copyto', at('file'), `${at('empty')}/`)).code).toBe(0);
    expect(readFileSync(at('empty/file'), 'utf8')).toBe('x');
  });
});

describe('a pair whose source on disk leads elsewhere', () => {
  const at = (name: string): string => join(lab.home, name);
  const folder = (name: string, ...files: string[]): void => {
    mkdirSync(at(name));
    for (const file of files) writeFileSync(join(at(name), file), `${name} ${file}`);
  };
  const point = (link: string, to: string): void => {
    rmSync(at(link), { force: true });
    symlinkSync(to, at(link));
  };

  test.each([
    ['a folder that is a file now', () => folder('data', '1', '2'), () => writeFileSync(at('data'), 'x')],
    [
      'a link that leads to a file now',
      () => {
        folder('old', '1', '2');
        point('data', 'old');
      },
      () => {
        writeFileSync(at('file'), 'x');
        point('data', 'file');
      },
    ],
  ])('%s is refused until the pair is forgotten', async (_, before, after) => {
    before();
    expect((await lab.xsync('sync', at('data'), 'lab:to')).code).toBe(0);
    rmSync(at('data'), { recursive: true });
    after();
    for (const command of ['sync', 'copy', 'check', 'watch', 'retry']) {
      const { code, err } = await lab.xsync(command, at('data'), 'lab:to');
      expect(code, `${command}: ${err}`).toBe(7);
      expect(err).toContain(`${at('data')} is a file now, and was a folder in earlier runs`);
    }
    expect((await lab.xsync('status', at('data'), 'lab:to')).out).toContain('100% of 2 objects');
    expect(keys()).toEqual(['1', '2']);
    expect((await lab.xsync('manifest', 'forget', at('data'), 'lab:to')).code).toBe(0);
    expect((await lab.xsync('sync', at('data'), 'lab:to')).code).toBe(0);
    expect(keys()).toEqual(['1', '2', 'data']);
  });

  test('through a link is the same pair: what is gone from there is deleted', async () => {
    folder('release-2', '1', '2', '3');
    folder('release-3', '2', '3', '4');
    point('current', 'release-2');
    expect((await lab.xsync('sync', at('current'), 'lab:to')).code).toBe(0);
    point('current', 'release-3');
    const { code, err } = await lab.xsync('sync', at('current'), 'lab:to');
    expect(code, err).toBe(0);
    expect(err).not.toContain('did not write');
    expect(keys()).toEqual(['2', '3', '4']);
    expect(lab.server.core.s3.read('to', '2').toString()).toBe('release-3 2');
    expect((await lab.xsync('status', at('current'), 'lab:to')).out).toContain('100% of 3 objects');
    expect((await lab.xsync('retry', at('current'), 'lab:to')).err).not.toContain('belongs to');
  });

  test('is the same under both spellings, in either order', async () => {
    folder('real', '1', '2', '3');
    point('link', 'real');
    for (const name of ['link', 'real', 'link']) {
      expect((await lab.xsync('sync', at(name), 'lab:to')).code).toBe(0);
    }
    rmSync(at('real/3'));
    expect((await lab.xsync('sync', at('real'), 'lab:to')).code).toBe(0);
    expect(keys()).toEqual(['1', '2']);
    rmSync(at('real/2'));
    expect((await lab.xsync('sync', at('link'), 'lab:to')).code).toBe(0);
    expect(keys()).toEqual(['1']);
  });

  test('with links in front of it, too', async () => {
    mkdirSync(at('v1'));
    mkdirSync(at('v2'));
    folder('v1/data', '1', '2', '3');
    folder('v2/data', '2', '3');
    point('current', 'v1');
    await lab.xsync('sync', at('current/data'), 'lab:to');
    point('current', 'v2');
    expect((await lab.xsync('sync', at('current/data'), 'lab:to')).code).toBe(0);
    expect(keys()).toEqual(['2', '3']);
  });
});
