/** copy --versions: what a person sees, and what is refused. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
  lab.server.core.s3.bucket('bucket').versioning = 'Enabled';
  lab.server.core.s3.createBucket('copy', { versioning: 'Enabled' });
});

afterEach(() => lab.close());

function fill(): void {
  for (const body of ['1', '22']) lab.server.core.s3.put('bucket', 'a', body, { metadata: { of: body } });
  lab.server.core.s3.delete('bucket', 'a');
  lab.server.core.s3.put('bucket', 'a', '4444', { metadata: { of: '4444' } });
  lab.server.core.s3.put('bucket', 'd/b', 'x');
  lab.server.core.s3.delete('bucket', 'd/b');
}

/** Each key's versions, the oldest first; `-` is a delete marker. */
function history(bucket: string): Record<string, string[]> {
  const found = lab.server.core.s3.bucket(bucket);
  return Object.fromEntries(
    found
      .keys()
      .map((key) => [
        key,
        [...found.versionsOf(key)]
          .reverse()
          .map(({ deleteMarker, bytes }) => (deleteMarker ? '-' : bytes.buffer().toString())),
      ]),
  );
}

describe('copy --versions', () => {
  it('carries the history over, once, and says how many', async () => {
    fill();
    const dry = await lab.xsync('copy', '--versions', '--dry-run', 'lab:bucket', 'lab:copy');
    expect(dry.code).toBe(0);
    expect(history('copy')).toEqual({});
    const { code, err } = await lab.xsync('copy', '--versions', 'lab:bucket', 'lab:copy');
    expect(code).toBe(0);
    expect(history('copy')).toEqual({ a: ['1', '22', '-', '4444'], 'd/b': ['x', '-'] });
    expect(history('copy')).toEqual(history('bucket'));
    expect(err).toMatch(/Copied +4 objects/);
    expect(err).toMatch(/Deleted +2 objects/);
    expect(err).not.toContain('Remaining');
    lab.server.requests.reset();
    expect((await lab.xsync('copy', '--versions', 'lab:bucket', 'lab:copy')).code).toBe(0);
    expect(history('copy')).toEqual(history('bucket'));
    expect(lab.server.requests.counts()).toEqual({ GetBucketVersioning: 2, ListObjectVersions: 1 });
    const status = JSON.parse((await lab.xsync('status', 'lab:bucket', 'lab:copy', '--json')).out);
    expect(status.history.percent).toBe(100);
    expect(status.synchronised.untilMs).toBeGreaterThan(Date.now() - 60_000);
  });

  it('carries a prefix and a single object', async () => {
    fill();
    expect((await lab.xsync('copy', '--versions', 'lab:bucket/d', 'lab:copy/e')).code).toBe(0);
    expect((await lab.xsync('copyto', '--versions', 'lab:bucket/a', 'lab:copy/z')).code).toBe(0);
    expect(history('copy')).toEqual({ 'e/b': ['x', '-'], z: ['1', '22', '-', '4444'] });
  });

  it('carries an object whose newest version is a delete marker, and that marker alone later', async () => {
    const { s3 } = lab.server.core;
    s3.put('bucket', 'a', '1');
    s3.put('bucket', 'ab', 'x');
    expect((await lab.xsync('copyto', '--versions', 'lab:bucket/a', 'lab:copy/z')).code).toBe(0);
    s3.delete('bucket', 'a');
    expect((await lab.xsync('copyto', '--versions', 'lab:bucket/a', 'lab:copy/z')).code).toBe(0);
    expect((await lab.xsync('copyto', '--versions', 'lab:bucket/a', 'lab:copy/y')).code).toBe(0);
    expect(history('copy')).toEqual({ y: ['1', '-'], z: ['1', '-'] });
  });

  it('takes filters', async () => {
    fill();
    await lab.xsync('copy', '--versions', 'lab:bucket', 'lab:copy', '--exclude', 'd/**');
    expect(Object.keys(history('copy'))).toEqual(['a']);
  });

  it('explains what the sides keep before anything moves', async () => {
    fill();
    lab.server.core.s3.createBucket('plain');
    lab.server.core.s3.createBucket('suspended', { versioning: 'Suspended' });
    const said = async (source: string, destination: string) => {
      const { code, err } = await lab.xsync('copy', '--versions', source, destination);
      return [code, err];
    };
    const local = join(lab.home, 'target');
    expect(await said('lab:bucket', 'lab:plain')).toEqual([
      2,
      expect.stringContaining('lab:plain keeps no versions: of each object, only the latest'),
    ]);
    expect(await said('lab:bucket', 'lab:suspended')).toEqual([
      2,
      expect.stringContaining('has its versioning suspended'),
    ]);
    expect(await said('lab:bucket', local)).toEqual([2, expect.stringContaining(`${local} keeps no versions`)]);
    expect(await said('lab:plain', 'lab:copy')).toEqual([2, expect.stringContaining('lab:plain keeps no versions')]);
    expect(await said(lab.home, 'lab:copy')).toEqual([2, expect.stringContaining('keeps no versions')]);
    for (const bucket of ['plain', 'suspended', 'copy']) expect(history(bucket)).toEqual({});
    lab.server.core.s3.bucket('bucket').versioning = 'Suspended';
    expect(await said('lab:bucket', 'lab:copy')).toEqual([0, expect.stringContaining('versioning is suspended')]);
    expect(history('copy')).toEqual(history('bucket'));
  });

  it('of a suspended bucket takes each null version that it meets', async () => {
    lab.server.core.s3.bucket('bucket').versioning = 'Suspended';
    for (const body of ['1', '22', '22', '-', '333']) {
      if (body === '-') lab.server.core.s3.delete('bucket', 'a');
      else lab.server.core.s3.put('bucket', 'a', body, { mtimeMs: Date.now() + body.length });
      expect((await lab.xsync('copy', '--versions', 'lab:bucket', 'lab:copy')).code).toBe(0);
    }
    expect(history('copy').a?.at(-1)).toBe('333');
    expect(history('copy').a?.filter((body) => body !== '22')).toEqual(['1', '-', '333']);
  });

  it.each([
    ['--at', '2h'],
    ['--backup-dir', 'lab:old'],
    ['--suffix', '.bak'],
    ['--update'],
    ['--immutable'],
    ['--ignore-existing'],
    ['--checksum'],
    ['--size-only'],
    ['--no-traverse'],
    ['--max-age', '1d'],
    ['--order-by', 'name'],
    ['--interactive'],
  ])('is not combined with %s', async (...flags) => {
    const { code, err } = await lab.xsync('copy', '--versions', ...flags, 'lab:bucket', 'lab:copy');
    expect([code, err]).toEqual([2, expect.stringContaining(`${flags[0]} cannot be combined with --versions`)]);
  });
});

describe('sync --versions', () => {
  const erase = (key: string, ...numbers: number[]): void => {
    const bucket = lab.server.core.s3.bucket('bucket');
    const versions = [...bucket.versionsOf(key)].reverse();
    for (const [index, { versionId }] of versions.entries()) {
      if (numbers.length === 0 || numbers.includes(index)) bucket.delete(key, versionId);
    }
  };

  it('hides what the source no longer has, and deletes it for good with --delete-versions', async () => {
    fill();
    for (const key of ['x', 'y', 'z']) lab.server.core.s3.put('bucket', key, key);
    expect((await lab.xsync('sync', '--versions', 'lab:bucket', 'lab:copy')).code).toBe(0);
    erase('x');
    erase('a', 0);
    expect((await lab.xsync('sync', '--versions', 'lab:bucket', 'lab:copy')).code).toBe(0);
    expect(history('copy')).toMatchObject({ a: ['1', '22', '-', '4444'], x: ['x', '-'] });
    const dry = await lab.xsync('sync', '--versions', '--delete-versions', '--dry-run', 'lab:bucket', 'lab:copy');
    expect(dry.err).toMatch(/Would delete 2 objects/);
    const few = ['--max-delete', '1'];
    const refused = await lab.xsync('sync', '--versions', '--delete-versions', ...few, 'lab:bucket', 'lab:copy');
    expect([refused.code, refused.err]).toEqual([7, expect.stringContaining('2 versions would be deleted')]);
    const { code, err } = await lab.xsync('sync', '--versions', '--delete-versions', 'lab:bucket', 'lab:copy');
    expect(code).toBe(0);
    expect(err).toMatch(/destination: 4 \(list 2 · delete 2\)/);
    expect(history('copy')).toEqual({ ...history('bucket'), x: ['-'] });
  });

  it('names the remedy for a version that a lock protects', async () => {
    lab.server.core.s3.createBucket('locked', { objectLock: true });
    for (const key of ['x', 'y', 'z']) lab.server.core.s3.put('bucket', key, key);
    await lab.xsync('sync', '--versions', 'lab:bucket', 'lab:locked');
    const [version] = lab.server.core.s3.bucket('locked').versionsOf('x');
    if (version) version.lock = { hold: true };
    erase('x');
    const { code, err } = await lab.xsync('sync', '--versions', '--delete-versions', 'lab:bucket', 'lab:locked');
    expect(code).toBe(6);
    expect(err).toContain('object protected by object lock');
    expect(err).toContain('Wait until the retention of this version ends, or remove its legal hold.');
    expect(history('locked').x).toEqual(['x']);
  });

  it('explains what the sides keep before anything moves, as watch does', async () => {
    fill();
    lab.server.core.s3.createBucket('plain');
    lab.server.core.s3.createBucket('suspended', { versioning: 'Suspended' });
    for (const [bucket, why] of [
      ['plain', 'keeps no versions: of each object, only the latest'],
      ['suspended', 'has its versioning suspended: of each object, only the latest'],
    ] as const) {
      for (const command of ['sync', 'watch']) {
        const { code, err } = await lab.xsync(command, '--versions', 'lab:bucket', `lab:${bucket}`);
        expect([code, err]).toEqual([2, expect.stringContaining(`lab:${bucket} ${why}`)]);
      }
      expect(history(bucket)).toEqual({});
    }
  });

  it.each([
    ['sync', '--delete-before', '--versions'],
    ['sync', '--delete-during', '--versions'],
    ['sync', '--delete-excluded', '--versions'],
    ['watch', '--settle', '5s', '--versions'],
    ['watch', '--backup-dir', 'lab:old', '--versions'],
    ['check', '--at', '1h', '--versions'],
    ['check', '--repair', '--versions'],
    ['sync', '--copy-links', '--versions'],
    ['check', '--copy-links', '--versions'],
  ])('%s is not combined with %s', async (command, flag, ...rest) => {
    const { code, err } = await lab.xsync(command, flag, ...rest, 'lab:bucket', 'lab:copy');
    expect([code, err]).toEqual([2, expect.stringContaining(`${flag} cannot be combined with --versions`)]);
  });

  it('--max-delete-size is refused where it would count nothing', async () => {
    const flags = ['--versions', '--delete-versions', '--max-delete-size', '1G'];
    const { code, err } = await lab.xsync('sync', ...flags, 'lab:bucket', 'lab:copy');
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('--max-delete-size cannot be combined with --delete-versions'),
    ]);
  });

  it.each([
    ['sync', '--delete-versions', '--versions'],
    ['watch', '--delete-versions', '--versions'],
    ['watch', '--delete-versions', '--delete', '--versions'],
  ])('%s says what %s needs', async (command, ...flags) => {
    const given = flags.slice(0, -1);
    const own = command === 'watch' && flags.length === 2 ? [...given, '--versions'] : given;
    const needs = own.includes('--versions') ? '--delete' : '--versions';
    const { code, err } = await lab.xsync(command, ...own, 'lab:bucket', 'lab:copy');
    expect([code, err]).toEqual([2, expect.stringContaining(`--delete-versions means nothing without ${needs}`)]);
  });
});

describe('check --versions', () => {
  it('compares histories, and says which version is missing', async () => {
    fill();
    await lab.xsync('copy', '--versions', 'lab:bucket', 'lab:copy');
    const same = await lab.xsync('check', '--versions', 'lab:bucket', 'lab:copy');
    expect([same.code, same.err]).toEqual([0, expect.stringContaining('6 matching files: by manifest 6')]);
    expect(same.err).toContain('Requests: source 2 (list 2); destination 2 (list 2)');
    lab.server.core.s3.put('bucket', 'a', 'five');
    lab.server.core.s3.delete('copy', 'd/b');
    const [newest] = lab.server.core.s3.bucket('bucket').versionsOf('a');
    const [marker] = lab.server.core.s3.bucket('copy').versionsOf('d/b');
    const { code, err } = await lab.xsync('check', '--versions', 'lab:bucket', 'lab:copy');
    expect(code).toBe(1);
    expect(err).toContain(`missing at the destination a  version ${newest?.versionId}, 4 B`);
    expect(err).toContain(`missing at the source d/b  delete marker ${marker?.versionId}, 0 B`);
    const listed = await lab.xsync('check', '--versions', '--one-way', '--combined', '-', 'lab:bucket', 'lab:copy');
    expect(listed.out.split('\n').filter((line) => !line.startsWith('='))).toEqual([`+ ${newest?.versionId} a`, '']);
  });
});

it('retry carries the history of a failed object of such a pair', async () => {
  fill();
  lab.server.faults.add({
    match: { kind: 'CopyObject', bucket: 'copy', key: 'a', nth: 2 },
    fault: { kind: 'status', status: 403, code: 'AccessDenied' },
  });
  expect((await lab.xsync('copy', '--versions', 'lab:bucket', 'lab:copy')).code).toBe(6);
  expect(history('copy').a).toEqual(['1']);
  lab.server.faults.clear();
  expect((await lab.xsync('retry', 'lab:bucket', 'lab:copy')).code).toBe(0);
  expect(history('copy')).toEqual(history('bucket'));
});
