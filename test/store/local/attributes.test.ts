/** What files hold of metadata and headers themselves. Where the file system has no extended attributes, records do. */
import { chmodSync, chownSync, existsSync, statSync } from 'node:fs';
import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadXattrs } from '../../../src/native/xattr.js';
import type { LocalStoreOptions } from '../../../src/store/local/store.js';
import { useFixture } from './fixture.js';

const HEADERS = { contentType: 'text/x-own', cacheControl: 'no-cache', expires: 'Thu, 01 Jan 2026 00:00:00 GMT' };
const METADATA = { a: 'ü', 'with-hyphen': ' 1 ', empty: '' };
const root = process.getuid?.() === 0;
/** Set in a folder for temporary files. */
const xattrs = await working();

async function working() {
  const calls = await loadXattrs();
  const file = await open(join(import.meta.dirname, '.xattr-probe'), 'w');
  try {
    calls?.set(file.fd, 'user.x', Buffer.from('1'));
    return calls;
  } catch {
    return undefined;
  } finally {
    await file.close();
    const { rm } = await import('node:fs/promises');
    await rm(join(import.meta.dirname, '.xattr-probe'));
  }
}

describe('metadata and headers', () => {
  const fixture = useFixture();
  const put = async (options: Partial<LocalStoreOptions>, metadata: Record<string, string> = METADATA) => {
    const store = fixture.open(options);
    await store.put('d/a.txt', Buffer.from('12345'), { headers: HEADERS, metadata });
    return store;
  };

  it.each([{ xattrs: true }, {}])('come back as they were given, to HEADs and reads: %j', async (options) => {
    const store = await put(options);
    expect(await store.head('d/a.txt')).toMatchObject({ headers: HEADERS, metadata: METADATA });
    expect(await store.read('d/a.txt', new Uint8Array(5))).toMatchObject({ headers: HEADERS, metadata: METADATA });
    await store.put('d/a.txt', Buffer.from('2'));
    expect(await store.head('d/a.txt')).toMatchObject({ headers: { contentType: 'text/plain' }, metadata: {} });
  });

  it.runIf(xattrs)('are attributes of the file, as rclone names them, and no record', async () => {
    await put({ xattrs: true });
    const found = xattrs?.read(join(fixture.root, 'd/a.txt'));
    expect(new Map([...(found ?? [])].map(([name, value]) => [name, value.toString()]))).toEqual(
      new Map([
        ['user.content-type', 'text/x-own'],
        ['user.cache-control', 'no-cache'],
        ['user.expires', HEADERS.expires],
        ['user.a', 'ü'],
        ['user.with-hyphen', ' 1 '],
        ['user.empty', ''],
      ]),
    );
    expect(existsSync(join(fixture.root, '.xsync/meta'))).toBe(false);
  });

  it.runIf(xattrs)('of other programs are metadata; what is not text is not', async () => {
    await fixture.write('x', '1');
    const file = await open(join(fixture.root, 'x'), 'r+');
    xattrs?.set(file.fd, 'user.Mine', Buffer.from('1'));
    xattrs?.set(file.fd, 'user.binary', Buffer.from([0xff, 0]));
    await file.close();
    expect((await fixture.open({ xattrs: true }).head('x')).metadata).toEqual({ mine: '1' });
    expect((await fixture.open().head('x')).metadata).toEqual({});
  });

  it.each<Record<string, string>>([{ 'content-type': 'a name that is a header' }, { huge: 'x'.repeat(100_000) }])(
    'have a record where the file cannot hold them',
    async (metadata) => {
      const store = await put({ xattrs: true }, metadata);
      expect(await store.head('d/a.txt')).toMatchObject({ headers: HEADERS, metadata });
      expect(existsSync(join(fixture.root, '.xsync/meta'))).toBe(true);
    },
  );

  it('of an upload in parts are kept too', async () => {
    const store = fixture.open({ xattrs: true });
    const upload = await store.createUpload('a', { headers: HEADERS, metadata: METADATA });
    const part = { partNumber: 1, ...(await store.uploadPart(upload, 1, Buffer.from('1'))) };
    await store.completeUpload(upload, [part]);
    expect(await store.head('a')).toMatchObject({ headers: HEADERS, metadata: METADATA });
  });
});

describe('permissions', () => {
  const fixture = useFixture();
  const modeOf = (key: string) => (statSync(join(fixture.root, key)).mode & 0o7777).toString(8);

  it.each([
    ['100640', '640'],
    ['104755', '755'],
    ['0600', '600'],
    ['33216', '700'],
  ])('mode %s becomes %s', async (mode, expected) => {
    const store = fixture.open({ permissions: 'mode' });
    await store.put('a', Buffer.from('1'), { metadata: { mode, other: 'x' } });
    expect(modeOf('a')).toBe(expected);
    expect((await store.head('a')).metadata).toEqual({ mode: `100${expected}`, other: 'x' });
  });

  it('that nobody asked for stay metadata, and are not applied', async () => {
    const store = fixture.open();
    const metadata = { mode: '104777', uid: '1', gid: '1' };
    await store.put('a', Buffer.from('1'), { metadata });
    const usual = statSync(join(fixture.root, 'a')).mode;
    await writeFile(join(fixture.root, 'b'), '');
    expect(usual).toBe(statSync(join(fixture.root, 'b')).mode);
    expect((await store.head('a')).metadata).toEqual(metadata);
  });

  it.each(['nonsense', '40755', '120777', '999999999'])('of another kind stay metadata: %s', async (mode) => {
    const store = fixture.open({ permissions: 'mode' });
    await store.put('a', Buffer.from('1'), { metadata: { mode, uid: '1' } });
    const { metadata } = await store.head('a');
    expect([metadata.uid, metadata.mode]).toEqual(['1', `100${modeOf('a')}`]);
  });

  it('setuid is set only by "all"', async () => {
    await fixture.write('x', '1');
    chmodSync(join(fixture.root, 'x'), 0o4755);
    expect((await fixture.open({ permissions: 'mode' }).head('x')).metadata).toEqual({ mode: '100755' });
    const all = fixture.open({ permissions: 'all' });
    expect((await all.head('x')).metadata.mode).toBe('104755');
    await all.put('a', Buffer.from('1'), { metadata: { mode: '104755' } });
    await fixture.open({ permissions: 'owner' }).put('b', Buffer.from('1'), { metadata: { mode: '104755' } });
    expect([modeOf('a'), modeOf('b')]).toEqual(['4755', '755']);
  });

  it.runIf(root)('owners are read and set where they are asked for', async () => {
    await fixture.write('x', '1');
    chownSync(join(fixture.root, 'x'), 12, 34);
    const store = fixture.open({ permissions: 'owner' });
    const { metadata } = await store.head('x');
    expect(metadata).toMatchObject({ uid: '12', gid: '34' });
    await store.put('a', Buffer.from('1'), { metadata });
    expect(statSync(join(fixture.root, 'a'))).toMatchObject({ uid: 12, gid: 34 });
    await fixture.open({ permissions: 'mode' }).put('b', Buffer.from('1'), { metadata });
    expect(statSync(join(fixture.root, 'b')).uid).toBe(process.getuid?.());
  });

  it('are read of the open file, too', async () => {
    await mkdir(fixture.root);
    await copyFile(import.meta.filename, join(fixture.root, 'x'));
    chmodSync(join(fixture.root, 'x'), 0o604);
    const store = fixture.open({ permissions: 'mode', xattrs: true });
    expect((await store.read('x', new Uint8Array(1))).metadata).toEqual({ mode: '100604' });
  });
});
