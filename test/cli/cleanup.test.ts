import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUpload } from '../support/server/uploads.js';
import { type Lab, openLab } from './lab.js';

const HOUR_MS = 3_600_000;

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
});

afterEach(() => lab.close());

function leave(key: string, hoursAgo: number): void {
  lab.server.clockOffsetMs = -hoursAgo * HOUR_MS;
  createUpload(lab.server.core.s3.bucket('bucket'), key, {});
  lab.server.clockOffsetMs = 0;
}

const left = (): string[] => lab.server.core.s3.uploads('bucket').map(({ key }) => key);

describe('cleanup', () => {
  it('aborts old uploads under the path alone: young ones may be at work, others belong to somebody else', async () => {
    leave('mine/old', 30);
    leave('mine/young', 1);
    leave('minefield/old', 30);
    const { code, out } = await lab.xsync('cleanup', 'lab:bucket/mine');
    expect(code).toBe(0);
    expect(out).toMatch(/^aborted mine\/old \(\S+, 1d06h old\)\nAborted 1 unfinished upload\n$/);
    expect(left()).toEqual(['mine/young', 'minefield/old']);
    await lab.xsync('cleanup', '--max-age', '30m', 'lab:bucket/mine');
    expect(left()).toEqual(['minefield/old']);
  });

  it('only names them in a dry run', async () => {
    leave('old', 30);
    const { out } = await lab.xsync('cleanup', '-n', 'lab:bucket');
    expect(out).toMatch(/^would abort old .*\nWould abort 1 unfinished upload\n$/);
    expect(left()).toEqual(['old']);
  });

  it('aborts what an interrupted copy left, however young, and forgets its checkpoint', async () => {
    const source = join(lab.home, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'large'), Buffer.alloc(12 * 1024 * 1024, 7));
    lab.server.faults.add({
      match: { kind: 'UploadPart', partNumber: 2 },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    expect((await lab.xsync('copy', '--part-size', '5M', source, 'lab:bucket/mine')).code).toBe(6);
    leave('mine/young', 1);
    expect(left()).toEqual(['mine/large', 'mine/young']);
    expect((await lab.xsync('cleanup', '-n', 'lab:bucket/mine/lar')).out).toBe('Would abort 0 unfinished uploads\n');
    expect((await lab.xsync('cleanup', '-n', 'lab:bucket')).out).toMatch(/^would abort mine\/large .*\nWould abort 1 /);
    expect((await lab.xsync('cleanup', 'lab:bucket/other')).out).toBe('Aborted 0 unfinished uploads\n');
    const { code, out } = await lab.xsync('cleanup', 'lab:bucket/mine');
    expect({ code, left: left() }).toEqual({ code: 0, left: ['mine/young'] });
    expect(out).toContain('aborted mine/large');
    expect((await lab.xsync('cleanup', 'lab:bucket/mine')).out).toBe('Aborted 0 unfinished uploads\n');
  });

  it('finds below a folder what an interrupted copy into its parent left there, and nothing beside it', async () => {
    for (const folder of ['a', 'ab']) {
      mkdirSync(join(lab.home, 'source', folder), { recursive: true });
      writeFileSync(join(lab.home, 'source', folder, 'large'), Buffer.alloc(12 * 1024 * 1024, 7));
    }
    lab.server.faults.add({
      match: { kind: 'UploadPart', partNumber: 2, times: 10 },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    expect((await lab.xsync('copy', '--part-size', '5M', join(lab.home, 'source'), 'lab:bucket')).code).toBe(6);
    expect(left()).toEqual(['a/large', 'ab/large']);
    expect((await lab.xsync('cleanup', 'lab:bucket/a')).out).toContain('aborted a/large');
    expect(left()).toEqual(['ab/large']);
    await lab.xsync('cleanup', 'lab:bucket/ab/');
    expect(left()).toEqual([]);
  });

  it('finds on disk what is in the folder of the whole destination, from a folder below it and from one above', async () => {
    const to = join(lab.home, 'mirror/to');
    for (const key of ['a/large', 'ab/large']) {
      lab.server.core.s3.put('bucket', key, Buffer.alloc(12 * 1024 * 1024, 7).toString());
      lab.server.faults.add({
        match: { kind: 'GetObject', key, nth: 3, times: 100 },
        fault: { kind: 'status', status: 403, code: 'AccessDenied' },
      });
    }
    expect((await lab.xsync('copy', '--part-size', '5M', 'lab:bucket', to)).code).toBe(6);
    const uploads = (): number => readdirSync(join(to, '.xsync/uploads')).length;
    expect(uploads()).toBe(2);
    expect((await lab.xsync('cleanup', '-n', join(to, 'b'))).out).toBe('Would abort 0 unfinished uploads\n');
    const below = await lab.xsync('cleanup', join(to, 'a'));
    expect(below.out).toMatch(/^aborted a\/large .*\nAborted 1 unfinished upload\n$/);
    expect(uploads()).toBe(1);
    const above = await lab.xsync('cleanup', join(lab.home, 'mirror'));
    expect(above.out).toMatch(/^aborted ab\/large .*\nAborted 1 unfinished upload\n$/);
  });
});
