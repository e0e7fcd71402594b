import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, type Outcome, openLab } from './lab.js';

let lab: Lab;
let source: string;
const dest = 'lab:bucket/in';

beforeEach(async () => {
  lab = await openLab();
  source = join(lab.home, 'out');
  write('a.txt', 'aa');
  write('sub/b.txt', 'bbb');
  mkdirSync(join(source, 'empty'));
});

afterEach(() => lab.close());

function write(name: string, text: string): void {
  mkdirSync(join(source, name, '..'), { recursive: true });
  writeFileSync(join(source, name), text);
}

const left = (): string[] =>
  (readdirSync(source, { recursive: true }) as string[]).filter((name) => !name.startsWith('.xsync')).sort();
const keys = (bucket = 'bucket'): string[] => lab.server.core.s3.list(bucket).map(({ key }) => key);
const read = (key: string): string => lab.server.core.s3.read('bucket', key).toString();
const move = (...args: string[]): Promise<Outcome> => lab.xsync('move', source, dest, ...args);

describe('move', () => {
  it('copies, and deletes the source', async () => {
    const { code, err } = await move();
    expect(code).toBe(0);
    expect(err).toContain('Moved        2 objects, 5 B: deleted at the source');
    expect(keys()).toEqual(['in/a.txt', 'in/sub/b.txt']);
    // As in rclone, folders stay.
    expect(left()).toEqual(['empty', 'sub']);
  });

  it('--delete-empty-src-dirs deletes empty folders, and those that were', async () => {
    write('kept/k.bak', 'k');
    expect((await move('--delete-empty-src-dirs', '--exclude', '*.bak')).code).toBe(0);
    expect(left()).toEqual(['kept', 'kept/k.bak']);
    expect(existsSync(source)).toBe(true);
  });

  it('a dry run says what it would do', async () => {
    const { code, err } = await move('--dry-run');
    expect(code).toBe(0);
    expect(err).toContain('would copy a.txt');
    expect(err).toContain('would delete a.txt  moved, 2 B');
    expect(keys()).toEqual([]);
    expect(left()).toContain('a.txt');
  });

  it('filters leave objects alone', async () => {
    expect((await move('--include', 'a.*')).code).toBe(0);
    expect(keys()).toEqual(['in/a.txt']);
    expect(left()).toEqual(['empty', 'sub', 'sub/b.txt']);
  });

  it('moves what is at the destination already only after a checksum has compared it', async () => {
    lab.server.core.s3.put('bucket', 'in/a.txt', 'aa');
    lab.server.core.s3.put('bucket', 'in/sub/b.txt', 'XXX');
    const time = new Date('2026-01-01');
    utimesSync(join(source, 'sub/b.txt'), time, time);
    expect((await move()).code).toBe(0);
    expect(read('in/sub/b.txt')).toBe('bbb');
    expect(left()).toEqual(['empty', 'sub']);
  });

  it('a size alone is no proof', async () => {
    lab.server.core.s3.put('bucket', 'in/a.txt', 'XX');
    const { code, err } = await move('--size-only');
    expect(code).toBe(6);
    expect(err).toContain('not deleted a.txt: only its size could be compared, so it stays at the source');
    expect(left()).toContain('a.txt');
    expect(read('in/a.txt')).toBe('XX');
  });

  it('--ignore-existing leaves both sides alone', async () => {
    lab.server.core.s3.put('bucket', 'in/a.txt', 'XX');
    expect((await move('--ignore-existing')).code).toBe(0);
    expect(left()).toEqual(['a.txt', 'empty', 'sub']);
  });

  it('what could not be copied stays', async () => {
    lab.server.faults.add({ match: { kind: 'PutObject', key: 'in/a.txt' }, fault: { kind: 'status', status: 403 } });
    const { code } = await move('--low-level-retries', '1', '--retries', '1');
    expect([5, 6]).toContain(code);
    expect(keys()).toEqual(['in/sub/b.txt']);
    expect(left()).toContain('a.txt');
  });

  it('what arrived damaged stays', async () => {
    lab.server.faults.add({
      match: { kind: 'PutObject', key: 'in/a.txt' },
      fault: { kind: 'flip-bit', where: 'stored' },
    });
    const { code } = await move('--retries', '1');
    expect(code).not.toBe(0);
    expect(left()).toContain('a.txt');
  });

  it('a destination that is refused moves nothing', async () => {
    const refused = await lab.xsync('move', source, 'lab:missing/in');
    expect(refused.code).toBe(3);
    expect(left()).toEqual(['a.txt', 'empty', 'sub', 'sub/b.txt']);
  });

  it('a place into itself, or under another name, is refused', async () => {
    expect((await lab.xsync('move', source, source)).code).toBe(2);
    expect((await lab.xsync('move', source, join(source, 'sub'))).code).toBe(2);
    symlinkSync(source, join(lab.home, 'alias'));
    expect((await lab.xsync('move', source, join(lab.home, 'alias'))).code).toBe(2);
    expect(left()).toEqual(['a.txt', 'empty', 'sub', 'sub/b.txt']);
  });

  it('a bucket that two remotes name is one place', async () => {
    lab.server.core.s3.put('bucket', 'in/a.txt', 'aa');
    const file = join(lab.home, 'config.yaml');
    const text = readFileSync(file, 'utf8');
    const alias = text.split('\n')[1]?.replace('lab:', 'alias:').replace('127.0.0.1', 'localhost') ?? '';
    writeFileSync(file, `${text}${alias}\n`);
    const { code, err } = await lab.xsync('move', 'alias:bucket/in', dest);
    expect([code, err]).toEqual([2, expect.stringContaining('are the same place under two names')]);
    expect(read('in/a.txt')).toBe('aa');
    expect(lab.server.core.s3.uploads('bucket')).toEqual([]);
  });

  it('from a store deletes only the version that was copied', async () => {
    lab.server.core.s3.createBucket('from');
    lab.server.core.s3.put('from', 'x', 'old');
    lab.server.core.s3.put('from', 'y', 'yy');
    // Somebody overwrites the source when its copy has arrived.
    lab.server.faults.add({
      match: { kind: 'HeadObject', bucket: 'from', key: 'x', nth: 1 },
      fault: { kind: 'change' },
    });
    const target = join(lab.home, 'target');
    const { code, err } = await lab.xsync('move', 'lab:from', target);
    expect(err).toContain('not deleted x: changed at the source after it was copied, so it stays there');
    expect(code).toBe(5);
    expect(keys('from')).toEqual(['x']);
    expect(readdirSync(target).filter((name) => name !== '.xsync')).toEqual(['x', 'y']);
    // The next run moves the new version.
    expect((await lab.xsync('move', 'lab:from', target)).code).toBe(0);
    expect(keys('from')).toEqual([]);
    expect(readFileSync(join(target, 'x'), 'utf8')).not.toBe('old');
  });

  it('costs one look and one delete for all', async () => {
    lab.server.core.s3.createBucket('from');
    for (const key of ['x', 'y', 'z']) lab.server.core.s3.put('from', key, key);
    const target = join(lab.home, 'target');
    expect((await lab.xsync('move', 'lab:from', target)).code).toBe(0);
    const counts = lab.server.requests.counts({ protocol: 's3', bucket: 'from' });
    expect(counts).toEqual({ HeadObject: 3, GetObject: 3, ListObjects: expect.any(Number), DeleteObjects: 1 });
    expect(keys('from')).toEqual([]);
    expect(readFileSync(join(target, 'y'), 'utf8')).toBe('y');
  });

  it('a later sync does not take the copies for objects whose source is gone', async () => {
    expect((await move()).code).toBe(0);
    write('new.txt', 'n');
    const { code } = await lab.xsync('sync', source, dest);
    expect(code).toBe(0);
    expect(keys()).toEqual(['in/a.txt', 'in/new.txt', 'in/sub/b.txt']);
  });

  it('links and hard links', async () => {
    symlinkSync('a.txt', join(source, 'link'));
    linkSync(join(source, 'a.txt'), join(source, 'hard'));
    expect((await move()).code).toBe(0);
    expect(left()).toEqual(['empty', 'link', 'sub']);
    expect(read('in/hard')).toBe('aa');
  });

  it('-vv names each object, and --json has the event', async () => {
    expect((await move('-v', '--include', 'a.txt')).err).toContain('moved a.txt  2 B, deleted at the source');
    const { out } = await move('--json');
    const events = out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { event: string; key?: string });
    expect(events.filter(({ event }) => event === 'moved').map(({ key }) => key)).toEqual(['sub/b.txt']);
    expect(events.at(-1)).toMatchObject({ event: 'end', moved: { objects: 1, bytes: 3 } });
  });
});

describe('moveto', () => {
  it('moves one object to a new name', async () => {
    expect((await lab.xsync('moveto', join(source, 'a.txt'), 'lab:bucket/z/new')).code).toBe(0);
    expect(read('z/new')).toBe('aa');
    expect(left()).toEqual(['empty', 'sub', 'sub/b.txt']);
    expect((await lab.xsync('moveto', 'lab:bucket/z/new', 'lab:bucket/z/newer')).code).toBe(0);
    expect(keys()).toEqual(['z/newer']);
  });

  it('what does not exist creates no folder at its new name', async () => {
    const there = join(lab.home, 'there');
    expect((await lab.xsync('moveto', join(source, 'typo.txt'), there)).code).toBe(3);
    expect(existsSync(there)).toBe(false);
    expect((await lab.xsync('moveto', join(source, 'a.txt'), there)).code).toBe(0);
    expect(readFileSync(there, 'utf8')).toBe('aa');
  });

  it('to itself keeps it', async () => {
    lab.server.core.s3.put('bucket', 'k', 'kk');
    expect((await lab.xsync('moveto', 'lab:bucket/k', 'lab:bucket/k')).code).toBe(2);
    expect((await lab.xsync('moveto', join(source, 'a.txt'), join(source, 'a.txt'))).code).toBe(2);
    expect(read('k')).toBe('kk');
    expect(left()).toContain('a.txt');
  });
});
