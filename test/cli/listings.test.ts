import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;
let folder: string;
const zone = process.env.TZ;

/** The outputs below are those of rclone 1.75 over the same folder. */
beforeEach(async () => {
  process.env.TZ = 'Asia/Shanghai';
  lab = await openLab();
  folder = join(lab.home, 'tree');
  mkdirSync(join(folder, 'sub/deep'), { recursive: true });
  mkdirSync(join(folder, 'empty'));
  const files = {
    'a.txt': 'hi\n',
    'b, "x"': 'b b\n',
    'sub/c.jpg': 'c\n',
    'sub/deep/z.bin': '0'.repeat(10),
    '.hidden': 'h',
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    lab.server.core.s3.put('bucket', name, text);
  }
  const time = new Date('2026-01-02T03:04:05.500Z');
  for (const name of [...Object.keys(files), 'sub/deep', 'sub', 'empty']) utimesSync(join(folder, name), time, time);
});

afterEach(async () => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
  await lab.close();
});

const lines = async (...args: string[]): Promise<string[]> => {
  const { code, out, err } = await lab.xsync(...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.split('\n').slice(0, -1);
};

describe('a local folder is listed as rclone lists it', () => {
  it('lsl', async () => {
    expect(await lines('lsl', folder, '--include', '*.{txt,bin}')).toEqual([
      '        3 2026-01-02 11:04:05.500000000 a.txt',
      '       10 2026-01-02 11:04:05.500000000 sub/deep/z.bin',
    ]);
  });

  it('lsd has empty folders', async () => {
    expect((await lines('lsd', folder)).map((line) => line.replace(/^ *\d+/, 'SIZE'))).toEqual([
      'SIZE 2026-01-02 11:04:05        -1 empty',
      'SIZE 2026-01-02 11:04:05        -1 sub',
    ]);
    const named = async (...args: string[]) => (await lines('lsd', ...args, folder)).map((line) => line.slice(43));
    expect(await named('-R')).toEqual(['empty', 'sub', 'sub/deep']);
    expect(await named('--max-depth', '1')).toEqual(['empty', 'sub']);
    expect(await named('--max-depth', '2')).toEqual(['empty', 'sub', 'sub/deep']);
    expect(await named('-R', '--max-depth', '2', '--exclude', 'sub/deep/**')).toEqual(['empty', 'sub']);
  });

  it('lsf', async () => {
    expect(await lines('lsf', folder)).toEqual(['.hidden', 'a.txt', 'b, "x"', 'empty/', 'sub/']);
    expect(await lines('lsf', folder, '--dirs-only', '--no-dir-slash', '--absolute')).toEqual(['/empty', '/sub']);
    expect(await lines('lsf', '-R', '--files-only', '--format', 'tsp', '-s', ' ', join(folder, 'sub'))).toEqual([
      '2026-01-02 11:04:05 2 c.jpg',
      '2026-01-02 11:04:05 10 deep/z.bin',
    ]);
    expect(await lines('lsf', '--csv', '--format', 'ps', folder)).toEqual([
      '.hidden,1',
      'a.txt,3',
      '"b, ""x""",4',
      'empty/,-1',
      'sub/,-1',
    ]);
    expect(await lines('lsf', '--format', 'ph', '--hash', 'SHA-1', folder, '--include', 'a.txt')).toEqual([
      'a.txt;55ca6286e3e4f4fba5d0448333fa99fc5a404a73',
      'empty/;',
      'sub/;',
    ]);
  });

  it('tree', async () => {
    const drawn = ['/', '├── a.txt', '├── b, "x"', '├── empty', '└── sub', '    ├── c.jpg', '    └── deep'];
    expect(await lines('tree', folder)).toEqual([...drawn, '        └── z.bin', '', '3 directories, 4 files']);
    expect(await lines('tree', '-d', '--no-report', folder)).toEqual(['/', '├── empty', '└── sub', '    └── deep']);
    expect(await lines('tree', '--max-depth', '1', '--no-report', folder)).toEqual([
      ...['/', '├── a.txt', '├── b, "x"', '├── empty', '└── sub'],
    ]);
    expect(await lines('tree', '-a', '--size', '--no-report', join(folder, 'sub'))).toEqual([
      '[         12]  /',
      '├── [          2]  c.jpg',
      '└── [         10]  deep',
      '    └── [         10]  z.bin',
    ]);
  });

  it('md5sum and hashsum', async () => {
    expect(await lines('md5sum', folder, '--include', 'a.txt')).toEqual(['764efa883dda1e11db47671c4a3bbd9e  a.txt']);
    expect(await lines('md5sum', '--base64', folder, '--include', 'a.txt')).toEqual([
      'dk76iD3aHhHbR2ccSju9ng==  a.txt',
    ]);
    expect(await lines('hashsum', 'sha1', join(folder, 'a.txt'))).toEqual([
      '55ca6286e3e4f4fba5d0448333fa99fc5a404a73  a.txt',
    ]);
    expect(await lab.xsync('hashsum', 'md4', folder)).toMatchObject({ code: 2, out: '' });
  });
});

describe('a bucket', () => {
  it('lists folders without times as rclone does', async () => {
    expect(await lines('lsd', 'lab:bucket')).toEqual(['          -1 2000-01-01 08:00:00        -1 sub']);
    expect(await lines('lsf', '-R', 'lab:bucket')).toEqual([
      '.hidden',
      'a.txt',
      'b, "x"',
      'sub/',
      'sub/c.jpg',
      'sub/deep/',
      'sub/deep/z.bin',
    ]);
    expect(await lines('lsd', 'lab:', '--max-depth', '1')).toHaveLength(1);
    expect(await lines('lsf', '--max-depth', '1', '-R', 'lab:bucket')).toEqual(['.hidden', 'a.txt', 'b, "x"', 'sub/']);
    expect(await lines('lsf', '--max-depth', '2', '--dirs-only', 'lab:bucket')).toEqual(['sub/', 'sub/deep/']);
    expect(await lines('lsf', '--max-depth', '2', '--exclude', 'sub/deep/**', 'lab:bucket/')).not.toContain(
      'sub/deep/',
    );
    expect(await lines('ls', '--max-depth', '1', 'lab:bucket')).toHaveLength(3);
    const items = JSON.parse((await lab.xsync('lsjson', 'lab:bucket')).out) as Record<string, unknown>[];
    expect(items.find(({ Name }) => Name === 'sub')).toEqual({
      ...{ Path: 'sub', Name: 'sub', Size: -1, MimeType: 'inode/directory', IsDir: true },
      ModTime: '2000-01-01T00:00:00.000Z',
    });
    expect(items.find(({ Name }) => Name === 'a.txt')).toMatchObject({ Size: 3, Tier: 'STANDARD' });
  });

  it('shows the hashes that the store has, and computes those that it has not', async () => {
    const config = join(lab.home, 'minio.yaml');
    const text = readFileSync(join(lab.home, 'config.yaml'), 'utf8');
    writeFileSync(config, text.replace('type: s3', 'type: s3, provider: minio'), { mode: 0o600 });
    expect(await lines('md5sum', 'lab:bucket/a.txt', '--config', config)).toEqual([
      '764efa883dda1e11db47671c4a3bbd9e  a.txt',
    ]);
    // Nobody promises that the ETags of an unknown provider are MD5s.
    expect((await lab.xsync('md5sum', 'lab:bucket/a.txt')).out).toBe(`${' '.repeat(32)}  a.txt\n`);
    const unknown = await lab.xsync('hashsum', 'sha256', 'lab:bucket/a.txt');
    expect(unknown.out).toBe(`${' '.repeat(64)}  a.txt\n`);
    expect(unknown.err).toContain('1 object without a sha256 at the store; --download computes it');
    expect(await lines('hashsum', 'sha1', '--download', 'lab:bucket/a.txt')).toEqual([
      '55ca6286e3e4f4fba5d0448333fa99fc5a404a73  a.txt',
    ]);
  });
});

describe('a remote without a bucket', () => {
  it('lists its buckets, with one request', async () => {
    lab.server.core.s3.createBucket('another');
    const before = lab.server.requests.find('ListBuckets').length;
    expect(await lines('lsf', 'lab:')).toEqual(['another/', 'bucket/']);
    expect(lab.server.requests.find('ListBuckets').length - before).toBe(1);
    expect(await lines('ls', 'lab:')).toEqual(['        - another/', '        - bucket/']);
    expect((await lines('lsd', 'lab:')).map((line) => line.slice(43))).toEqual(['another', 'bucket']);
    expect(await lines('lsf', 'lab:', '--exclude', 'another/**')).toEqual(['bucket/']);
    const [first] = JSON.parse((await lab.xsync('lsjson', 'lab:')).out) as Record<string, unknown>[];
    expect(first).toMatchObject({ Path: 'another', IsDir: true, IsBucket: true });
    expect(first?.ModTime).not.toBe('2000-01-01T00:00:00.000Z');
  });

  it('is no place for the others', async () => {
    for (const command of ['lsl', 'size', 'tree', 'cat']) {
      const { code, err } = await lab.xsync(command, 'lab:');
      expect([code, err]).toEqual([2, expect.stringContaining('"lab:" has no bucket')]);
    }
    expect(await lab.xsync('lsd', 'nowhere:')).toMatchObject({ code: 2 });
  });

  it('is retried when the service is busy', async () => {
    lab.server.faults.add({ match: { kind: 'ListBuckets', times: 1 }, fault: { kind: 'status', status: 503 } });
    expect(await lines('lsf', 'lab:')).toEqual(['bucket/']);
  });
});
