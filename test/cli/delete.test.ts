import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;
let folder: string;
const KEYS = ['a/1', 'a/2', 'a/x/3', 'ab', 'b'];

beforeEach(async () => {
  lab = await openLab();
  folder = join(lab.home, 'tree');
  for (const key of KEYS) {
    lab.server.core.s3.put('bucket', key, `<${key}>`);
    mkdirSync(join(folder, key, '..'), { recursive: true });
    writeFileSync(join(folder, key), key);
  }
});

afterEach(() => lab.close());

const keys = (): string[] => lab.server.core.s3.list('bucket').map(({ key }) => key);
const left = (): string[] => (readdirSync(folder, { recursive: true }) as string[]).sort();
const counts = () => lab.server.requests.counts({ protocol: 's3', bucket: 'bucket' });

describe('delete', () => {
  it('deletes what is below the path and passes the filters, and says so', async () => {
    const { code, err, out } = await lab.xsync('delete', 'lab:bucket/a', '--exclude', '2');
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toBe('Deleted 2 objects, 12 B, from lab:bucket/a\n');
    expect(keys()).toEqual(['a/2', 'ab', 'b']);
  });

  it('looks at each object first, unless told not to', async () => {
    expect((await lab.xsync('delete', 'lab:bucket/a', '-v')).err).toContain('deleted x/3  7 B');
    expect(counts()).toEqual({ ListObjects: 1, HeadObject: 3, DeleteObjects: 1 });
    expect((await lab.xsync('delete', 'lab:bucket', '--delete-unchecked')).code).toBe(0);
    expect(counts()).toEqual({ ListObjects: 2, HeadObject: 3, DeleteObjects: 2 });
    expect(keys()).toEqual([]);
  });

  it('what is rewritten meanwhile stays', async () => {
    lab.server.faults.add({ match: { kind: 'HeadObject', key: 'a/1', nth: 1 }, fault: { kind: 'change' } });
    const { code, err } = await lab.xsync('delete', 'lab:bucket/a');
    expect(code).toBe(5);
    expect(err).toContain('Deleted 2 objects, 12 B, from lab:bucket/a\nKept 1 object that changed meanwhile\n');
    expect(keys()).toEqual(['a/1', 'ab', 'b']);
  });

  it('a dry run deletes nothing', async () => {
    const { code, err } = await lab.xsync('delete', '-n', 'lab:bucket/a');
    expect(code).toBe(0);
    expect(err).toContain('would delete 1  5 B\n');
    expect(err).toContain('Would delete 3 objects, 17 B, from lab:bucket/a\n');
    expect(keys()).toEqual(KEYS);
  });

  it('--max-delete refuses before anything is deleted', async () => {
    const refused = await lab.xsync('delete', 'lab:bucket', '--max-delete', '4');
    expect([refused.code, refused.err]).toEqual([7, expect.stringContaining('more than 4 objects would be deleted')]);
    expect((await lab.xsync('delete', 'lab:bucket', '--include', '/a/**', '--max-delete', '50%')).code).toBe(7);
    expect(keys()).toEqual(KEYS);
    expect((await lab.xsync('delete', 'lab:bucket', '--include', '/a/**', '--max-delete', '60%')).code).toBe(0);
    expect((await lab.xsync('delete', 'lab:bucket', '--max-delete', '2')).code).toBe(0);
    expect(keys()).toEqual([]);
  });

  it('a single object, and nothing', async () => {
    expect((await lab.xsync('delete', 'lab:bucket/ab')).err).toBe('Deleted 1 object, 4 B, from lab:bucket/ab\n');
    expect(keys()).toEqual(['a/1', 'a/2', 'a/x/3', 'b']);
    expect((await lab.xsync('delete', 'lab:bucket/none')).code).toBe(3);
    expect((await lab.xsync('delete', 'lab:')).code).toBe(2);
    expect((await lab.xsync('delete')).code).toBe(2);
  });

  it('what cannot be deleted is named', async () => {
    lab.server.faults.add({
      match: { kind: 'DeleteObjects' },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    const { code, err } = await lab.xsync('delete', 'lab:bucket/a');
    expect(code).toBe(6);
    expect(err).toContain('not deleted 1: ');
    expect(err).toContain('3 objects could not be deleted');
    expect(keys()).toEqual(KEYS);
  });

  it('local folders stay, and go with --rmdirs', async () => {
    symlinkSync('b', join(folder, 'link'));
    expect((await lab.xsync('delete', join(folder, 'a'))).code).toBe(0);
    expect(left()).toEqual(['a', 'a/x', 'ab', 'b', 'link']);
    expect((await lab.xsync('delete', '--rmdirs', folder)).code).toBe(0);
    expect(left()).toEqual(['link']);
  });

  it('--json', async () => {
    const { out } = await lab.xsync('delete', '--json', 'lab:bucket/a');
    const events = out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { event: string });
    expect(events.map(({ event }) => event)).toEqual(['deleted', 'deleted', 'deleted', 'end']);
    expect(events.at(-1)).toMatchObject({ path: 'lab:bucket/a', deleted: { objects: 3, bytes: 17 }, exitCode: 0 });
  });
});

describe('purge', () => {
  it('deletes a prefix with its uploads, without looks', async () => {
    lab.server.core.s3.put('bucket', 'a/', '');
    const { code, err } = await lab.xsync('purge', 'lab:bucket/a');
    expect([code, err]).toEqual([0, 'Deleted 4 objects, 17 B, from lab:bucket/a\n']);
    expect(counts()).toEqual({ ListObjects: 1, DeleteObjects: 1, ListMultipartUploads: 1 });
    expect(keys()).toEqual(['ab', 'b']);
  });

  it('deletes a bucket', async () => {
    expect((await lab.xsync('purge', '-n', 'lab:bucket')).code).toBe(0);
    expect(keys()).toEqual(KEYS);
    expect((await lab.xsync('purge', 'lab:bucket')).code).toBe(0);
    expect(lab.server.core.s3.buckets().map(({ name }) => name)).toEqual([]);
  });

  it('keeps the bucket when something could not be deleted', async () => {
    lab.server.faults.add({
      match: { kind: 'DeleteObjects' },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    expect((await lab.xsync('purge', 'lab:bucket')).code).toBe(6);
    expect(keys()).toEqual(KEYS);
  });

  it('deletes a local folder with links and empty folders, and no more', async () => {
    symlinkSync('../b', join(folder, 'a/link'));
    mkdirSync(join(folder, 'a/empty/deeper'), { recursive: true });
    expect((await lab.xsync('purge', join(folder, 'a'))).code).toBe(0);
    expect(left()).toEqual(['ab', 'b']);
    expect((await lab.xsync('purge', join(folder, 'ab'))).code).toBe(2);
    expect((await lab.xsync('purge', '/')).code).toBe(2);
    expect((await lab.xsync('purge', folder, '--max-delete', '1')).code).toBe(7);
    expect((await lab.xsync('purge', folder)).code).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });

  it('refuses a link to a folder, with and without a slash', async () => {
    const link = join(lab.home, 'current');
    symlinkSync(folder, link);
    for (const path of [link, `${link}/`]) {
      const { code, err } = await lab.xsync('purge', path);
      expect([code, err]).toEqual([2, expect.stringContaining('is a link, not a folder')]);
    }
    expect(left()).toContain('b');
  });

  it('an empty place and a missing one', async () => {
    mkdirSync(join(lab.home, 'empty/inner'), { recursive: true });
    expect((await lab.xsync('purge', join(lab.home, 'empty'))).code).toBe(0);
    expect(existsSync(join(lab.home, 'empty'))).toBe(false);
    expect((await lab.xsync('purge', join(lab.home, 'none'))).code).toBe(3);
    expect((await lab.xsync('purge', 'lab:bucket/none')).code).toBe(3);
  });
});
