import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
});

afterEach(() => lab.close());

const buckets = (): string[] => lab.server.core.s3.buckets().map(({ name }) => name);
const keys = (): string[] => lab.server.core.s3.list('bucket').map(({ key }) => key);

describe('mkdir and rmdir', () => {
  it('a bucket', async () => {
    expect(await lab.xsync('mkdir', 'lab:new')).toEqual({ code: 0, out: '', err: '' });
    expect((await lab.xsync('mkdir', '-n', 'lab:newer')).err).toBe('would create lab:newer\n');
    expect(buckets()).toEqual(['bucket', 'new']);
    expect((await lab.xsync('mkdir', 'lab:new')).code).toBe(0);
    expect((await lab.xsync('rmdir', '-n', 'lab:new')).err).toBe('would delete lab:new\n');
    expect((await lab.xsync('rmdir', '-v', 'lab:new')).err).toBe('deleted lab:new\n');
    expect(buckets()).toEqual(['bucket']);
    expect((await lab.xsync('rmdir', 'lab:new')).code).toBe(3);
  });

  it('an object with bytes and the name of a folder stays', async () => {
    lab.server.core.s3.put('bucket', 'f/', 'bytes');
    expect((await lab.xsync('rmdir', 'lab:bucket/f')).code).toBe(7);
    expect((await lab.xsync('rmdir', 'lab:bucket/f/')).code).toBe(7);
    expect(keys()).toEqual(['f/']);
  });

  it('a bucket that is not empty stays', async () => {
    lab.server.core.s3.put('bucket', 'k', 'k');
    const { code, err } = await lab.xsync('rmdir', 'lab:bucket');
    expect([code, err]).toEqual([7, expect.stringContaining('lab:bucket is not empty')]);
    expect(keys()).toEqual(['k']);
  });

  it('a folder in a bucket is an empty object', async () => {
    expect((await lab.xsync('mkdir', 'lab:bucket/f/g')).code).toBe(0);
    expect(keys()).toEqual(['f/g/']);
    expect((await lab.xsync('rmdir', 'lab:bucket/f')).code).toBe(7);
    expect((await lab.xsync('rmdir', 'lab:bucket/f/g')).code).toBe(0);
    expect(keys()).toEqual([]);
    expect((await lab.xsync('rmdir', 'lab:bucket/f/g')).code).toBe(3);
    expect((await lab.xsync('mkdir', 'lab:missing/f')).code).toBe(3);
  });

  it('a local folder', async () => {
    const folder = join(lab.home, 'a/b');
    expect((await lab.xsync('mkdir', folder)).code).toBe(0);
    expect(existsSync(folder)).toBe(true);
    mkdirSync(join(folder, 'c'));
    expect((await lab.xsync('rmdir', folder)).code).toBe(7);
    expect((await lab.xsync('rmdir', join(folder, 'c'))).code).toBe(0);
    writeFileSync(join(folder, 'file'), '');
    expect((await lab.xsync('rmdir', folder)).code).toBe(7);
    expect((await lab.xsync('rmdir', join(folder, 'file'))).code).toBe(2);
    expect((await lab.xsync('mkdir', join(folder, 'file'))).code).toBe(2);
    expect((await lab.xsync('rmdir', join(folder, 'none'))).code).toBe(3);
  });
});
