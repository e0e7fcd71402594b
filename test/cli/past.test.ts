/** --versions of the listing commands, and --at: a bucket as it stood at a time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;

const T = (minute: number): number => Date.UTC(2026, 0, 1, 0, minute);
const at = (minute: number): string => new Date(T(minute)).toISOString();

/** A put, or a delete, at a minute of 2026-01-01. @returns the version ID */
function put(key: string, body: string, minute: number): string {
  return lab.server.core.s3.put('bucket', key, body, { mtimeMs: T(minute) }).versionId;
}

function remove(key: string, minute: number): string | undefined {
  lab.server.clockOffsetMs = T(minute) - Date.now();
  const { versionId } = lab.server.core.s3.bucket('bucket').delete(key);
  lab.server.clockOffsetMs = 0;
  return versionId;
}

beforeEach(async () => {
  lab = await openLab();
  lab.server.core.s3.bucket('bucket').versioning = 'Enabled';
});

afterEach(() => lab.close());

/** a: 1, then 22, deleted, then 4444. d/b: 1, deleted. d/c: only at the end. */
function history() {
  const ids = [put('a', '1', 1), put('a', '22', 2), remove('a', 3), put('a', '4444', 4)];
  return { ids, b: put('d/b', '1', 1), gone: remove('d/b', 3), c: put('d/c', 'ccc', 4) };
}

const brief = (out: string): string[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());

describe('ls --versions', () => {
  it('lists every version and delete marker, the newest first, with time and ID', async () => {
    const { ids, b, gone, c } = history();
    const { code, out, err } = await lab.xsync('ls', '--versions', 'lab:bucket');
    expect([code, err]).toEqual([0, '']);
    expect(brief(out)).toEqual([
      `4 2026-01-01 00:04:00.000 ${ids[3]} a`,
      expect.stringMatching(new RegExp(`^deleted 2026-01-01 00:03:00\\.\\d{3} ${ids[2]} a$`)),
      `2 2026-01-01 00:02:00.000 ${ids[1]} a`,
      `1 2026-01-01 00:01:00.000 ${ids[0]} a`,
      expect.stringMatching(new RegExp(`^deleted .* ${gone} d/b$`)),
      `1 2026-01-01 00:01:00.000 ${b} d/b`,
      `3 2026-01-01 00:04:00.000 ${c} d/c`,
    ]);
  });

  it('with --at, only those that were there', async () => {
    const { ids, b } = history();
    const { out } = await lab.xsync('ls', '--versions', '--at', at(2), 'lab:bucket');
    expect(brief(out)).toEqual([
      `2 2026-01-01 00:02:00.000 ${ids[1]} a`,
      `1 2026-01-01 00:01:00.000 ${ids[0]} a`,
      `1 2026-01-01 00:01:00.000 ${b} d/b`,
    ]);
  });

  it('takes filters, one level, and the key of an object', async () => {
    const { ids } = history();
    const paths = async (...args: string[]) =>
      brief((await lab.xsync('ls', '--versions', ...args)).out).map((row) => row.split(' ').at(-1));
    expect(await paths('lab:bucket', '--include', 'd/*', '--max-size', '1B')).toEqual(['d/b', 'd/b']);
    expect(await paths('-1', 'lab:bucket')).toEqual(['a', 'a', 'a', 'a', 'd/']);
    expect(await paths('lab:bucket/a')).toEqual(['a', 'a', 'a', 'a']);
    expect(brief((await lab.xsync('ls', '--versions', 'lab:bucket/a', '--at', at(1))).out)[0]).toContain(ids[0]);
    expect((await lab.xsync('ls', '--versions', 'lab:bucket/none')).code).toBe(3);
  });

  it('a local folder keeps none', async () => {
    const { code, err } = await lab.xsync('ls', '--versions', lab.home);
    expect(code).toBe(2);
    expect(err).toContain(`${lab.home} keeps no versions`);
  });
});

describe('lsjson --versions', () => {
  it('has the ID of each version, and says which is the latest and which a delete marker', async () => {
    const { ids, gone } = history();
    const { out } = await lab.xsync('lsjson', '--versions', '-R', '--files-only', '--hash', '-M', 'lab:bucket');
    const rows: Record<string, unknown>[] = JSON.parse(out);
    expect(rows.slice(0, 3)).toMatchObject([
      { Path: 'a', Size: 4, VersionID: ids[3], IsLatest: true, IsDeleteMarker: false, Metadata: {} },
      { Path: 'a', Size: 0, VersionID: ids[2], IsLatest: false, IsDeleteMarker: true },
      { Path: 'a', Size: 2, VersionID: ids[1], IsLatest: false, Metadata: {} },
    ]);
    expect(rows.find(({ VersionID }) => VersionID === gone)).toMatchObject({ Path: 'd/b', IsLatest: true });
    const level: Record<string, unknown>[] = JSON.parse((await lab.xsync('lsjson', '--versions', 'lab:bucket')).out);
    expect(level.map(({ Path }) => Path)).toEqual(['a', 'a', 'a', 'a', 'd']);
  });
});

describe('--at', () => {
  it('lists and counts a bucket as it stood', async () => {
    history();
    const keys = async (minute: number) => brief((await lab.xsync('ls', 'lab:bucket', '--at', at(minute))).out);
    expect(await keys(1)).toEqual(['1 a', '1 d/b']);
    expect(await keys(2)).toEqual(['2 a', '1 d/b']);
    expect(await keys(3.5)).toEqual(['']);
    expect(await keys(4)).toEqual(['4 a', '3 d/c']);
    expect(brief((await lab.xsync('ls', 'lab:bucket/d', '--at', at(2))).out)).toEqual(['1 b']);
    expect(brief((await lab.xsync('ls', 'lab:bucket/a', '--at', at(1))).out)).toEqual(['1 a']);
    expect((await lab.xsync('size', '--json', 'lab:bucket', '--at', at(2))).out).toBe('{"count":2,"bytes":3}\n');
    const level = JSON.parse((await lab.xsync('lsjson', 'lab:bucket', '--at', at(2))).out);
    expect(level).toMatchObject([
      { Path: 'a', Size: 2 },
      { Path: 'd', IsDir: true },
    ]);
    expect(JSON.parse((await lab.xsync('lsjson', 'lab:bucket', '--at', at(0))).out)).toEqual([]);
  });

  it('takes a duration ago', async () => {
    lab.server.core.s3.put('bucket', 'a', 'old', { mtimeMs: Date.now() - 3 * 3_600_000 });
    lab.server.core.s3.put('bucket', 'a', 'newer', { mtimeMs: Date.now() - 3_600_000 });
    expect(brief((await lab.xsync('ls', 'lab:bucket', '--at', '2h')).out)).toEqual(['3 a']);
    expect(brief((await lab.xsync('ls', 'lab:bucket', '--at', '30m')).out)).toEqual(['5 a']);
  });

  it('copies, checks and syncs from there, each object pinned to its version: one GET an object', async () => {
    history();
    const target = join(lab.home, 'target');
    lab.server.requests.reset();
    expect(await lab.xsync('copy', 'lab:bucket', target, '--at', at(2))).toMatchObject({ code: 0 });
    expect(lab.server.requests.counts()).toEqual({ GetBucketVersioning: 1, ListObjectVersions: 1, GetObject: 2 });
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('22');
    expect(readFileSync(join(target, 'd/b'), 'utf8')).toBe('1');
    expect((await lab.xsync('check', 'lab:bucket', target, '--at', at(2))).code).toBe(0);
    expect((await lab.xsync('check', '--download', 'lab:bucket', target, '--at', at(2))).code).toBe(0);
    expect((await lab.xsync('check', 'lab:bucket', target)).code).toBe(1);
    writeFileSync(join(target, 'mine'), 'mine');
    expect(await lab.xsync('sync', 'lab:bucket', target, '--at', at(4))).toMatchObject({ code: 0 });
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('4444');
    expect(() => readFileSync(join(target, 'd/b'))).toThrow('ENOENT');
    expect(readFileSync(join(target, 'mine'), 'utf8')).toBe('mine');
    expect(readFileSync(join(target, 'd/c'), 'utf8')).toBe('ccc');
  });

  it('copies a bucket to another one by the service, large objects in parts, and one object under a new name', async () => {
    lab.server.core.s3.createBucket('other');
    const old = Buffer.alloc(12 * 1024 * 1024, 'o');
    lab.server.core.s3.put('bucket', 'large', old, { mtimeMs: T(1) });
    lab.server.core.s3.put('bucket', 'large', 'now', { mtimeMs: T(5) });
    expect(await lab.xsync('copy', 'lab:bucket', 'lab:other', '--at', at(2))).toMatchObject({ code: 0 });
    expect(lab.server.core.s3.read('other', 'large').equals(old)).toBe(true);
    const target = mkdtempSync(join(lab.home, 'one-'));
    expect((await lab.xsync('copyto', 'lab:bucket/large', join(target, 'x'), '--at', at(2))).code).toBe(0);
    expect(readFileSync(join(target, 'x')).equals(old)).toBe(true);
    rmSync(target, { recursive: true });
  });

  it('does not count as synchronized what came later', async () => {
    history();
    const target = join(lab.home, 'target');
    await lab.xsync('copy', 'lab:bucket', target, '--at', at(2));
    const status = JSON.parse((await lab.xsync('status', 'lab:bucket', target, '--json')).out);
    expect(status.synchronised.untilMs).toBe(T(2));
    // The next run without it has everything to do.
    await lab.xsync('copy', 'lab:bucket', target);
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('4444');
  });

  it('is refused where nothing is known of the past, and warns where something may be missing', async () => {
    for (const place of [lab.home, 'lab:plain']) {
      lab.server.core.s3.hasBucket('plain') || lab.server.core.s3.createBucket('plain');
      const { code, err } = await lab.xsync('ls', place, '--at', '2h');
      expect(code).toBe(2);
      expect(err).toContain(`${place} keeps no versions, so nothing is known of its past`);
      expect((await lab.xsync('copy', place, join(lab.home, 'x'), '--at', '2h')).code).toBe(2);
    }
    history();
    lab.server.core.s3.bucket('bucket').versioning = 'Suspended';
    const { code, err } = await lab.xsync('ls', 'lab:bucket', '--at', at(2));
    expect(code).toBe(0);
    expect(err).toContain('versioning is suspended');
    lab.server.faults.add({ match: { kind: 'GetBucketVersioning' }, fault: { kind: 'status', status: 403 } });
    expect((await lab.xsync('copy', 'lab:bucket', join(lab.home, 'y'), '--at', at(2))).err).toContain('may not see');
  });
});
