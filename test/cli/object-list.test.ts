/** copy of a list of objects and versions: --files-from-versions and --batch-manifest. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
  lab.server.core.s3.bucket('bucket').versioning = 'Enabled';
  lab.server.core.s3.createBucket('copy');
  lab.server.core.s3.createBucket('lists');
});

afterEach(() => lab.close());

/** The IDs of the versions. */
function put(key: string, ...bodies: string[]): string[] {
  return bodies.map((body) => lab.server.core.s3.put('bucket', key, body).versionId);
}

const file = (text: string): string => {
  const path = join(lab.home, 'list');
  writeFileSync(path, text);
  return path;
};

function contents(bucket = 'copy'): Record<string, string> {
  const { s3 } = lab.server.core;
  const found = s3.list(bucket).map(({ key }) => [key, s3.get(bucket, key)?.bytes.buffer().toString() ?? '']);
  return Object.fromEntries(found) as Record<string, string>;
}

const copy = (...args: string[]) => lab.xsync('copy', 'lab:bucket', 'lab:copy', ...args);

it('copies the versions that are named, by their IDs, and lists nothing', async () => {
  const [old] = put('a', 'old', 'newer');
  put('b', 'current');
  put('c', 'not in the list');
  const list = file(`b\na\t${old}\n`);
  const { code } = await copy('--files-from-versions', list);
  expect(code).toBe(0);
  expect(contents()).toEqual({ a: 'old', b: 'current' });
  expect(lab.server.requests.count('ListObjects')).toBe(0);

  lab.server.requests.reset();
  expect((await copy('--files-from-versions', list)).code).toBe(0);
  expect(lab.server.requests.count('CopyObject', { bucket: 'copy' })).toBe(0);
  // The next run without the list copies what is current.
  expect((await copy()).code).toBe(0);
  expect(contents()).toEqual(contents('bucket'));
});

it('costs a HEAD and a GET for each object', async () => {
  const [old] = put('a', 'old', 'newer');
  const target = join(lab.home, 'target');
  const { code } = await lab.xsync('copy', 'lab:bucket', target, '--files-from-versions', file(`a\t${old}`));
  expect(code).toBe(0);
  expect(lab.server.requests.counts({ bucket: 'bucket' })).toEqual({ HeadObject: 1, GetObject: 1 });
  expect(readFileSync(join(target, 'a'), 'utf8')).toBe('old');
});

it('of a key that is named again, the last one is copied', async () => {
  const [first, second] = put('a', '1', '22', '333');
  const { code, err } = await copy('--files-from-versions', file(`a\t${second}\na\t${first}\n`));
  expect(err).toContain('the list names 1 key again; the last version that it names of a key is copied');
  expect(code).toBe(0);
  expect(contents()).toEqual({ a: '1' });
});

it('reads the manifest of a batch job from a bucket, for a pair below a prefix', async () => {
  const [old] = put('in/a b', 'old', 'newer');
  put('in/c', 'c');
  put('out/d', 'd');
  lab.server.core.s3.put('lists', 'x/job.csv', `bucket,in/a+b,${old}\nbucket,in/c\nbucket,out/d\n`);
  const args = ['lab:bucket/in', 'lab:copy/to', '--batch-manifest', 'lab:lists/x/job.csv'];
  const { code, err } = await lab.xsync('copy', ...args);
  expect(err).toContain('1 row of the list are not below lab:bucket/in, and are left out');
  expect(code).toBe(0);
  expect(contents()).toEqual({ 'to/a b': 'old', 'to/c': 'c' });
});

it('a version that is gone, a key that is gone, and a delete marker are told, and the rest is copied', async () => {
  const [gone] = put('a', '1', '22');
  lab.server.core.s3.delete('bucket', 'a', gone);
  put('b', 'b');
  const { code, err } = await copy('--files-from-versions', file(`a\t${gone}\nb\nnever\n`));
  expect(err).toContain('no object "a"');
  expect(err).toContain('no object "never"');
  expect(code).toBe(0);
  expect(contents()).toEqual({ b: 'b' });
});

it('names more keys than fit into one page', async () => {
  const keys = Array.from({ length: 1203 }, (_, n) => `k${String(n).padStart(4, '0')}`);
  for (const key of keys) put(key, key);
  expect((await copy('--files-from-versions', file(keys.reverse().join('\n')))).code).toBe(0);
  expect(Object.keys(contents())).toEqual([...keys].reverse());
});

it.each([
  [['--include', '*'], 'cannot be combined with --include'],
  [['--at', '1h'], 'cannot be combined with --at'],
  [['--batch-manifest', 'x.csv'], 'cannot be combined with --files-from-versions'],
  [['--versions'], '--files-from-versions cannot be combined with --versions'],
])('with %j it is refused', async (more, message) => {
  put('a', 'a');
  const { code, err } = await copy('--files-from-versions', file('a'), ...more);
  expect(err).toContain(message);
  expect(code).toBe(2);
  expect(contents()).toEqual({});
});

it('a list that cannot be used copies nothing', async () => {
  put('a', 'a');
  const said = async (...args: string[]) => {
    const { code, err } = await copy(...args);
    return [code, err];
  };
  expect(await said('--batch-manifest', file('bucket,a\nother,b'))).toEqual([
    2,
    expect.stringMatching(/line 2 of \S+ names the bucket other, which is not the source/),
  ]);
  expect(await said('--batch-manifest', file('bucket,a\nbucket,%ff'))).toEqual([
    7,
    expect.stringMatching(/line 2 of \S+ is not a row of bucket, key and version/),
  ]);
  const disk = await lab.xsync('copy', lab.home, 'lab:copy', '--files-from-versions', file('a\tv1'));
  expect([disk.code, disk.err]).toEqual([2, expect.stringContaining('the list names versions, and ')]);
  expect(await said('--files-from-versions', join(lab.home, 'none'))).toEqual([
    2,
    expect.stringMatching(/--files-from-versions: \S+none cannot be read: /),
  ]);
  expect(contents()).toEqual({});
});
