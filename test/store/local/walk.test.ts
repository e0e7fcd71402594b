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
  });

  it('fails on a directory that it may not read, which a sync would take for deleted', async () => {
    await fixture.write('a', 'a');
    await fixture.write('closed/x', 'x');
    await chmod(fixture.base, 0o755);
    await chmod(join(fixture.root, 'closed'), 0);
    const asRoot = process.getuid?.() === 0;
    if (asRoot) process.seteuid?.(65534);
    try {
      const error = await expectCode(listAll(fixture.open()), 'not-readable');
      expect(error.message).toContain(join(fixture.root, 'closed'));
      await expectCode(fixture.open().head('closed/x'), 'not-readable');
    } finally {
      if (asRoot) process.seteuid?.(0);
      await chmod(join(fixture.root, 'closed'), 0o755);
    }
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

describe('a folder', () => {
  const fixture = useFixture();

  it('exists even if it is empty, and not if it is a file, a link, missing or not a name that the tree can have', async () => {
    await fixture.write('a/file', 'x');
    await mkdir(join(fixture.root, 'a/empty'));
    await symlink('a', join(fixture.root, 'link'));
    const names = ['a/', 'a/empty/', 'a/file/', 'link/', 'no/', 'no/such/', '../', 'a/.xsync/', '/'];
    const [store, following] = [fixture.open(), fixture.open({ copyLinks: true })];
    const found = async (of: typeof store) =>
      (await Promise.all(names.map(async (name) => [(await of.hasFolder?.(name)) === true, name] as const))).flatMap(
        ([is, name]) => (is ? [name] : []),
      );
    expect(await found(store)).toEqual(['a/', 'a/empty/']);
    expect(await found(following)).toEqual(['a/', 'a/empty/', 'link/']);
  });
});
