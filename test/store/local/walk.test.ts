import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys } from '../../../src/model/key.js';
import { bytes, expectCode, listAll } from '../../contract/context.js';
import { useFixture } from './fixture.js';

describe('listing a tree', () => {
  const fixture = useFixture();

  it('gives for any tree, prefix, start and page size what sorting all keys would give', async () => {
    const name = fc.constantFrom('a', 'b', 'a-', 'a.', 'a0', 'ab', '～', '😀', ' ', 'é');
    const key = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { maxLength: 25 }),
        fc.option(key, { nil: '' }),
        fc.option(key, { nil: '' }),
        fc.integer({ min: 1, max: 5 }),
        async (wanted, start, prefixKey, maxKeys) => {
          const root = join(fixture.base, `tree-${run++}`);
          await mkdir(root);
          const store = fixture.open({ root, sync: false });
          const keys = new Set<string>();
          for (const one of wanted) {
            const parents = one.split('/').map((_, i, all) => all.slice(0, i).join('/'));
            const conflicts = [...keys].some((other) => other.startsWith(`${one}/`) || parents.includes(other));
            if (conflicts) continue;
            await store.put(one, bytes(one));
            keys.add(one);
          }
          const prefix = prefixKey.slice(0, -1);
          const expected = [...keys]
            .filter((one) => one.startsWith(prefix) && compareKeys(one, start) > 0)
            .sort(compareKeys);
          const listed = await listAll(store, { startAfter: start, prefix, maxKeys });
          expect(listed.keys).toEqual(expected);
          const rolled = await listAll(store, { prefix, delimiter: '/', maxKeys });
          const all = [...keys].filter((one) => one.startsWith(prefix));
          const slash = (one: string) => one.indexOf('/', prefix.length) + 1;
          expect(rolled.keys).toEqual(all.filter((one) => slash(one) === 0).sort(compareKeys));
          const prefixes = new Set(all.filter((one) => slash(one) > 0).map((one) => one.slice(0, slash(one))));
          expect(rolled.prefixes).toEqual([...prefixes].sort(compareKeys));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('goes on from a token in another process with the same answer', async () => {
    for (const path of ['a', 'b/c', 'b/d', 'b0', 'c']) await fixture.write(path, path);
    const first = await fixture.open().list({ maxKeys: 2 });
    const second = await fixture.open().list({ token: first.nextToken });
    expect([...first.entries, ...second.entries].map(({ key }) => key)).toEqual(['a', 'b/c', 'b/d', 'b0', 'c']);
  });

  it('leaves out its own directory, and directories that hold nothing', async () => {
    await mkdir(join(fixture.root, 'empty', 'deep'), { recursive: true });
    const store = fixture.open();
    await store.put('a', bytes('a'), { metadata: { name: 'value' } });
    await store.createUpload('b');
    expect(await listAll(store)).toMatchObject({ keys: ['a'] });
    expect(await listAll(store, { delimiter: '/' })).toMatchObject({ keys: ['a'], prefixes: [] });
  });

  it('shows links as special, and follows them only when told to', async () => {
    await fixture.write('real/x', 'xyz');
    await fixture.write('target', 'target');
    await symlink('real', join(fixture.root, 'dir'));
    await symlink('target', join(fixture.root, 'file'));
    await symlink('nowhere', join(fixture.root, 'broken'));
    const strict = (await listAll(fixture.open())).entries.map(({ key, special }) => [key, special]);
    expect(strict).toEqual([
      ['broken', 'symlink'],
      ['dir', 'symlink'],
      ['file', 'symlink'],
      ['real/x', undefined],
      ['target', undefined],
    ]);
    const following = (await listAll(fixture.open({ copyLinks: true }))).entries;
    expect(following.map(({ key, special, size }) => [key, special, size])).toEqual([
      ['broken', 'symlink', 0],
      ['dir/x', undefined, 3],
      ['file', undefined, 6],
      ['real/x', undefined, 3],
      ['target', undefined, 6],
    ]);
    expect(await fixture.open().head('file')).toMatchObject({ special: 'symlink' });
  });

  it('ends on links that lead back to where they are', async () => {
    await fixture.write('a/b/x', 'x');
    await symlink('..', join(fixture.root, 'a', 'b', 'up'));
    await symlink('self', join(fixture.root, 'self'));
    await symlink(fixture.root, join(fixture.root, 'a', 'root'));
    const { entries } = await listAll(fixture.open({ copyLinks: true }));
    expect(entries.map(({ key, special }) => [key, special])).toEqual([
      ['a/b/up', 'symlink'],
      ['a/b/x', undefined],
      ['a/root', 'symlink'],
      ['self', 'symlink'],
    ]);
    const below = await listAll(fixture.open({ copyLinks: true }), { prefix: 'a/b/' });
    expect(below.keys).toEqual(['a/b/up', 'a/b/x']);
  });

  it('shows a fifo as special and never waits for its writer', async () => {
    await fixture.write('x', 'x');
    execFileSync('mkfifo', [join(fixture.root, 'fifo')]);
    const store = fixture.open();
    expect((await listAll(store)).entries).toMatchObject([{ key: 'fifo', special: 'other' }, { key: 'x' }]);
    expect(await store.head('fifo')).toMatchObject({ special: 'other' });
    await expectCode(store.read('fifo', new Uint8Array()), 'unsupported-object');
  });

  it('does not drop names that are not UTF-8, and tells them from those that look the same', async () => {
    await fixture.write('good', 'good');
    await fixture.write('a\ufffd', 'a replacement character of its own');
    for (const last of [0xff, 0xfe]) {
      await writeFile(Buffer.concat([Buffer.from(`${fixture.root}/a`), Buffer.from([last])]), 'bad');
    }
    const { entries } = await listAll(fixture.open());
    expect(entries.map(({ key, special }) => [key, special])).toEqual([
      ['a\\xfe', 'other'],
      ['a\\xff', 'other'],
      ['a\ufffd', undefined],
      ['good', undefined],
    ]);
    expect(entries.map(({ fault }) => fault?.code)).toEqual([
      'key-not-representable',
      'key-not-representable',
      undefined,
      undefined,
    ]);
    await expectCode(fixture.open().head('a\\xff'), 'key-not-representable');
    await expectCode(fixture.open().head('b\\xff'), 'object-not-found');
  });

  /** As a user who may read nothing below `folder`. */
  async function barredFrom(folder: string, mode: number, work: () => Promise<void>): Promise<void> {
    await chmod(fixture.base, 0o755);
    await chmod(join(fixture.root, folder), mode);
    const asRoot = process.getuid?.() === 0;
    if (asRoot) process.seteuid?.(65534);
    try {
      await work();
    } finally {
      if (asRoot) process.seteuid?.(0);
      await chmod(join(fixture.root, folder), 0o755);
    }
  }

  it('names a directory that it may not read, which a sync would take for deleted, and lists the rest', async () => {
    for (const path of ['a', 'closed/x', 'z/z']) await fixture.write(path, path);
    await barredFrom('closed', 0, async () => {
      const page = await fixture.open().list({});
      expect(page.entries.map(({ key }) => key)).toEqual(['a', 'z/z']);
      expect(page.unlisted).toMatchObject([{ prefix: 'closed/', error: { code: 'not-readable' } }]);
      expect(page.unlisted?.[0]?.error.message).toContain(`${fixture.root}/closed cannot be read: permission denied`);
      await expectCode(fixture.open().head('closed/x'), 'not-readable');
      await expectCode(fixture.open().head('closed/'), 'not-readable');
      const inside = await fixture.open().list({ startAfter: 'closed/m' });
      expect(inside.unlisted).toMatchObject([{ prefix: 'closed/' }]);
      const rolled = await fixture.open().list({ delimiter: '/' });
      expect(rolled).toMatchObject({ prefixes: ['z/'], unlisted: [{ prefix: 'closed/' }] });
      await expectCode(fixture.open().list({ prefix: 'closed/' }), 'not-readable');
    });
  });

  it('does not enter directories that are not wanted', async () => {
    for (const path of ['a', 'closed/x', 'z/z']) await fixture.write(path, path);
    await barredFrom('closed', 0, async () => {
      const page = await fixture.open().list({ enters: (folder) => folder !== 'closed/' });
      expect(page).toEqual({ entries: [expect.anything(), expect.anything()], prefixes: [] });
    });
  });

  it('gives each file of a directory that it may list but not search a fault of its own', async () => {
    for (const path of ['a', 'listed/x', 'listed/d/y']) await fixture.write(path, path);
    await barredFrom('listed', 0o744, async () => {
      const { entries, unlisted } = await fixture.open().list({});
      expect(entries.map(({ key, fault }) => [key, fault?.code])).toEqual([
        ['a', undefined],
        ['listed/x', 'not-readable'],
      ]);
      expect(unlisted).toMatchObject([{ prefix: 'listed/d/' }]);
    });
  });

  it('lists a source whose records cannot be read, and says so', async () => {
    await fixture.write('a', 'a');
    await fixture.write('.xsync/meta/x', '{}');
    await barredFrom('.xsync', 0, async () => {
      const { entries, unlisted } = await fixture.open().list({});
      expect(entries.map(({ key }) => key)).toEqual(['a']);
      expect(unlisted).toMatchObject([{ prefix: '.xsync/' }]);
    });
  });

  it('leaves out only the own folder of the root: one below it is data', async () => {
    await fixture.write('.xsync/tmp/x', 'mine');
    await fixture.write('a/.xsync/meta/y', 'a copy of another tree');
    const store = fixture.open();
    expect((await listAll(store)).keys).toEqual(['a/.xsync/meta/y']);
    await store.put('b/.xsync/z', bytes('z'));
    expect((await listAll(store)).keys).toEqual(['a/.xsync/meta/y', 'b/.xsync/z']);
    await expectCode(store.put('.xsync/z', bytes('z')), 'key-not-representable');
  });

  it('says what each entry is that has no bytes, and which of them are faults', async () => {
    await mkdir(fixture.root);
    await symlink('nowhere', join(fixture.root, 'dangling'));
    await symlink('loop', join(fixture.root, 'loop'));
    await symlink('.', join(fixture.root, 'up'));
    execFileSync('mkfifo', [join(fixture.root, 'pipe')]);
    const told = async (copyLinks: boolean) =>
      (await listAll(fixture.open({ copyLinks }))).entries.map(({ key, kind, fault }) => [key, kind, fault?.message]);
    expect(await told(true)).toEqual([
      ['dangling', undefined, 'a symbolic link to nothing (nowhere)'],
      ['loop', undefined, 'a symbolic link to itself (loop)'],
      ['pipe', 'named pipe', undefined],
      ['up', undefined, 'a symbolic link to a folder that contains it (.)'],
    ]);
    expect((await told(false)).map(([, , fault]) => fault)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('takes a root that is a file, or that vanished, for no bucket', async () => {
    await fixture.write('file', 'x');
    const store = fixture.open({ root: join(fixture.root, 'file') });
    await expectCode(store.checkBucket(), 'bucket-not-found');
    await expectCode(store.list({}), 'bucket-not-found');
    const gone = fixture.open({ root: join(fixture.base, 'gone') });
    await expectCode(gone.head('a'), 'bucket-not-found');
    await expectCode(gone.read('a', new Uint8Array()), 'bucket-not-found');
  });
});
