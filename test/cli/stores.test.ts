import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
  for (const key of ['a/one', 'a/two', 'ab', 'odd//key ?#%']) lab.server.core.s3.put('bucket', key, `<${key}>`);
});

afterEach(() => lab.close());

describe('looking into a bucket', () => {
  it('a prefix is a folder, and a key is itself', async () => {
    expect((await lab.xsync('ls', 'lab:bucket/a')).out).toBe('        7 one\n        7 two\n');
    expect((await lab.xsync('ls', 'lab:bucket/ab')).out).toBe('        4 ab\n');
    expect((await lab.xsync('cat', 'lab:bucket/odd//key ?#%')).out).toBe('<odd//key ?#%>');
    expect((await lab.xsync('ls', '-1', 'lab:bucket')).out).toBe('        - a/\n        4 ab\n        - odd/\n');
  });

  it('what is not there is an error, not an empty answer', async () => {
    for (const command of ['ls', 'lsjson', 'size']) expect((await lab.xsync(command, 'lab:bucket/none')).code).toBe(3);
    expect(await lab.xsync('ls', 'lab:nobucket')).toMatchObject({ code: 3 });
    expect(await lab.xsync('cat', 'lab:bucket/none')).toMatchObject({ code: 4, out: '' });
    expect(await lab.xsync('cat', 'lab:bucket')).toMatchObject({ code: 2 });
  });

  it('an empty bucket is no error', async () => {
    lab.server.core.s3.createBucket('empty');
    expect(await lab.xsync('ls', 'lab:empty')).toEqual({ code: 0, out: '', err: '' });
    expect((await lab.xsync('lsjson', 'lab:empty')).out).toBe('[\n]\n');
  });

  it('cat never joins bytes of two versions', async () => {
    lab.server.core.s3.put('bucket', 'large', Buffer.alloc(20 * 1024 * 1024, 'a'));
    lab.server.faults.add({ match: { kind: 'GetObject', nth: 2 }, fault: { kind: 'change' } });
    const { code, err } = await lab.xsync('cat', 'lab:bucket/large');
    expect(code).toBe(6);
    expect(err).toContain('large');
  });

  it('-vv tells of retries', async () => {
    lab.server.faults.add({ match: { kind: 'ListObjects', times: 1 }, fault: { kind: 'status', status: 503 } });
    const { code, err } = await lab.xsync('ls', '-vv', 'lab:bucket');
    expect(code).toBe(0);
    expect(err).toMatch(/^retry .*list/m);
  });
});

describe('copying what is not there', () => {
  it('exits with 3 for a prefix and 4 for an object, and says which', async () => {
    const target = join(lab.home, 'target');
    const copy = await lab.xsync('copy', 'lab:bucket/none', target);
    expect(copy.code).toBe(3);
    expect(copy.err).toContain('there is nothing at lab:bucket/none');
    expect((await lab.xsync('copyto', 'lab:bucket/none', join(target, 'x'))).code).toBe(4);
    expect((await lab.xsync('copy', 'lab:bucket/a', target)).code).toBe(0);
  });
});
