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
    expect(lab.server.requests.counts()).toEqual({ GetBucketVersioning: 2, ListObjectVersions: 2 });
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
