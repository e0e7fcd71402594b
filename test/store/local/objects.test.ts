import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { md5 } from '../../../src/hash/index.js';
import { XsyncError } from '../../../src/model/error.js';
import { Calls } from '../../../src/store/local/calls.js';
import { Directories } from '../../../src/store/local/directories.js';
import { translate } from '../../../src/store/local/errors.js';
import { Syncs } from '../../../src/store/local/syncs.js';
import { Temporaries } from '../../../src/store/local/temporaries.js';
import { bytes, expectCode, listAll, pattern, readAll, text } from '../../contract/context.js';
import { useFixture } from './fixture.js';

const HEADERS = { contentType: 'text/x-odd', cacheControl: 'no-cache' };
const METADATA = { name: '漢字' };

describe('files as objects', () => {
  const fixture = useFixture();

  it('reads a tree without changing anything in it', async () => {
    await fixture.write('d/a.html', '<html>');
    const before = await fixture.tree();
    const store = fixture.open();
    await store.checkBucket();
    await listAll(store);
    const { info, body } = await readAll(store, 'd/a.html');
    await store.close();
    expect(text(body)).toBe('<html>');
    expect(info).toMatchObject({ headers: { contentType: 'text/html' }, metadata: {} });
    expect(await fixture.tree()).toEqual(before);
  });

  it('leaves nothing but the objects when everything went well', async () => {
    const store = fixture.open();
    await store.put('d/a.html', bytes('<html>'), { headers: { contentType: 'text/html' }, metadata: {} });
    const upload = await store.createUpload('b');
    const { etag } = await store.uploadPart(upload, 1, bytes('b'));
    await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    await store.put('temporary', bytes('x'), { headers: HEADERS });
    await store.put('marker/', new Uint8Array());
    expect(await store.delete(['temporary', 'marker/'])).toEqual([]);
    await store.close();
    expect(await fixture.tree()).toEqual(['b', 'd', 'd/a.html']);
  });

  it('reads a few large files at once, so that the first are whole before the last are begun', async () => {
    const keys = Array.from({ length: 24 }, (_, i) => `large-${i + 10}`);
    const size = 3 * 1024 * 1024;
    const body = pattern(size);
    for (const key of keys) await fixture.write(key, body);
    const store = fixture.open();
    const reading = new Set<string>();
    let most = 0;
    const read = async (key: string): Promise<void> => {
      const pace = () => {
        reading.add(key);
        most = Math.max(most, reading.size);
        return undefined;
      };
      const target = new Uint8Array(size);
      await store.read(key, target, { pace });
      reading.delete(key);
      expect(Buffer.from(target).equals(body)).toBe(true);
    };
    await Promise.all(keys.map(read));
    await store.close();
    expect(most).toBeGreaterThan(1);
    // One that has ended may still be here when the next one begins.
    expect(most).toBeLessThanOrEqual(9);
  });

  it('leaves no temporary file behind a put that failed', async () => {
    const store = fixture.open();
    await store.put('d/x', bytes('x'));
    await expectCode(store.put('d', bytes('d')), 'key-not-representable');
    await expectCode(store.put('a', bytes('a'), { contentMd5: md5(bytes('b')) }), 'checksum-mismatch');
    const controller = new AbortController();
    const pace = () => {
      controller.abort();
      return undefined;
    };
    await expectCode(store.put('b', pattern(3_000_000), { pace, signal: controller.signal }), 'aborted');
    await store.close();
    expect(await fixture.tree()).toEqual(['d', 'd/x']);
  });

  it('keeps a temporary file of an unknown owner whatever its modification time, which is its source’s', async () => {
    await fixture.write('.xsync/tmp/theirs', 'under construction');
    const longAgo = new Date('2001-01-01');
    await utimes(join(fixture.root, '.xsync/tmp/theirs'), longAgo, longAgo);
    const store = fixture.open();
    await store.put('a', bytes('a'));
    await store.close();
    expect(await readdir(join(fixture.root, '.xsync/tmp'))).toEqual(['theirs']);
  });

  it('removes one that nothing has changed for long, by the clock of the file system', async () => {
    const own = (ms: number) => {
      const calls = new Calls();
      const directories = new Directories(fixture.root, { followLinks: false, syncs: new Syncs(false), calls });
      return new Temporaries(directories, calls, ms);
    };
    await fixture.write('.xsync/tmp/theirs', 'left behind');
    const ahead = new Date(Date.now() + 3_600_000);
    await utimes(join(fixture.root, '.xsync/tmp/theirs'), ahead, ahead);
    const patient = await own(60_000).create();
    expect((await readdir(join(fixture.root, '.xsync/tmp'))).filter((name) => name === 'theirs')).toHaveLength(1);
    await setTimeout(20);
    const hasty = await own(5).create();
    expect((await readdir(join(fixture.root, '.xsync/tmp'))).sort()).toEqual([basename(hasty.path)]);
    await Promise.all([patient.close(), hasty.close()]);
  });

  it('removes at once what a dead process of this host left behind', async () => {
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    await fixture.write(`.xsync/tmp/${host}-${dead}-x`, 'torn');
    await fixture.write(`.xsync/tmp/${host}-${process.pid}-x`, 'in use');
    // The same process ID in another container, or before the host was started again.
    await fixture.write(`.xsync/tmp/${host}-${dead}.00000000-x`, 'perhaps in use');
    await fixture.open().put('key', bytes('bytes'));
    const kept = [`${host}-${process.pid}-x`, `${host}-${dead}.00000000-x`];
    expect((await readdir(join(fixture.root, '.xsync/tmp'))).sort()).toEqual(kept.sort());
  });

  it('notices a file that changes while it is read', async () => {
    const store = fixture.open();
    await fixture.write('a', pattern(3_000_000));
    const { etag } = await store.head('a');
    let paced = 0;
    const pace = () => (paced++ === 0 ? appendFile(join(fixture.root, 'a'), 'more') : undefined);
    await expectCode(store.read('a', new Uint8Array(3_000_000), { ifMatch: etag, pace }), 'precondition-failed');
  });

  it('keeps headers and metadata for the version that they were written for, and no other', async () => {
    const store = fixture.open();
    await store.put('a.txt', bytes('first'), { headers: HEADERS, metadata: METADATA });
    expect(await fixture.open().head('a.txt')).toMatchObject({ headers: HEADERS, metadata: METADATA });
    await writeFile(join(fixture.root, 'a.txt'), 'by another program');
    const changed = await store.head('a.txt');
    expect(changed.headers).toEqual({ contentType: 'text/plain' });
    expect(changed.metadata).toEqual({});
  });

  it('forgets them when the object is replaced at the same size and time', async () => {
    const store = fixture.open();
    const mtimeMs = 1_000_000_000_000;
    await store.put('a.txt', bytes('first'), { headers: HEADERS, metadata: METADATA, mtimeMs });
    await store.put('a.txt', bytes('other'), { mtimeMs });
    expect(await store.head('a.txt')).toMatchObject({ headers: { contentType: 'text/plain' }, metadata: {} });
  });

  it('says so when the record of an object cannot be read, rather than to lose its headers', async () => {
    const store = fixture.open();
    await store.put('a.txt', bytes('first'), { headers: HEADERS });
    const record = (await fixture.tree()).find((path) => path.endsWith('.json')) ?? '';
    await writeFile(join(fixture.root, record), '{');
    const error = await expectCode(store.head('a.txt'), 'not-readable');
    expect(error.message).toContain(record);
    await rm(join(fixture.root, record));
    await mkdir(join(fixture.root, record));
    const refused = await expectCode(store.head('a.txt'), 'not-readable');
    expect(refused.message).toBe(
      `its headers and metadata: ${join(fixture.root, record)} cannot be read: illegal operation on a directory`,
    );
    expect(refused.remedy).toBe('Make it readable for this user.');
  });

  it('keeps times to the millisecond and beyond, before 1970 too', async () => {
    const store = fixture.open();
    for (const mtimeMs of [0, 1, 1_700_000_000_789, 1_700_000_000_123.456, -1500, 4_000_000_000_001]) {
      const written = await store.put('a', bytes('a'), { mtimeMs });
      expect(written.mtimeMs).toBe(mtimeMs);
      expect((await store.head('a')).mtimeMs).toBe(mtimeMs);
    }
    expect((await stat(join(fixture.root, 'a'))).mtimeMs).toBe(4_000_000_000_001);
  });

  it('keeps directories that hold a marker or were there before, and prunes those that emptied', async () => {
    await mkdir(join(fixture.root, 'mine'), { recursive: true });
    const store = fixture.open();
    await store.put('kept/', new Uint8Array());
    for (const key of ['kept/a/x', 'gone/a/b/x', 'gone/y']) await store.put(key, bytes('x'));
    await store.delete(['kept/a/x', 'gone/a/b/x', 'gone/y', 'mine/none', 'mine/']);
    expect((await listAll(store)).keys).toEqual(['kept/']);
    expect((await fixture.tree()).filter((path) => !path.startsWith('.xsync'))).toEqual(['kept', 'mine']);
    await store.put('gone/a/b/x', bytes('again'));
    expect(text((await readAll(store, 'gone/a/b/x')).body)).toBe('again');
  });

  it('writes and deletes beside each other in directories that come and go', async () => {
    const store = fixture.open({ sync: false });
    const work = async (n: number) => {
      for (let i = 0; i < 40; i++) {
        const key = `d/${i % 3}/${n}`;
        await store.put(key, bytes(key), { metadata: { n: String(n) } });
        expect(await store.delete([key])).toEqual([]);
      }
    };
    await Promise.all([1, 2, 3, 4].map(work));
    expect((await listAll(store)).keys).toEqual([]);
    await store.close();
    expect(await readdir(fixture.root)).toEqual([]);
  });

  it('refuses a root that is not an absolute path', () => {
    expect(() => fixture.open({ root: 'relative' })).toThrow(XsyncError);
  });

  it('writes what other programs can read', async () => {
    await fixture.open().put('a/b', bytes('plain'));
    expect(await readFile(join(fixture.root, 'a/b'), 'utf8')).toBe('plain');
    const mode = (await stat(join(fixture.root, 'a/b'))).mode & 0o777;
    expect(mode).toBe(0o666 & ~process.umask());
  });
});

describe('errors of the operating system', () => {
  it.each([
    ['ENOSPC', 'write', 'disk-full', 'person'],
    ['EDQUOT', 'write', 'disk-full', 'person'],
    ['EACCES', 'write', 'not-writable', 'person'],
    ['EROFS', 'write', 'not-writable', 'person'],
    ['EACCES', 'read', 'not-readable', 'person'],
    ['EIO', 'read', 'not-readable', 'person'],
    ['EIO', 'write', 'not-writable', 'person'],
    ['EMFILE', 'read', 'not-readable', 'temporary'],
    ['EMFILE', 'write', 'not-readable', 'temporary'],
    ['ENAMETOOLONG', 'write', 'key-not-representable', 'permanent'],
  ] as const)('tell a person what to do: %s on %s is %s', (errno, intent, code, errorClass) => {
    const cause = Object.assign(new Error(`${errno}: it failed`), { code: errno, syscall: 'open' });
    const error = translate(cause, intent, '/data/a');
    expect(error).toMatchObject({ code, class: errorClass, cause, subject: '/data/a' });
    expect(error).toBeInstanceOf(XsyncError);
  });

  it('leave errors that are not theirs alone', () => {
    const fault = new TypeError('a fault of ours');
    expect(translate(fault, 'read', '/data/a')).toBe(fault);
  });
});
