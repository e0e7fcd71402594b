/** A tree cannot hold a file and a folder of one name. */
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownName } from '../../../src/store/local/temporaries.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { bytes, expectCode, readAll } from '../../contract/context.js';
import { useFixture } from './fixture.js';

const fixture = useFixture();
const folder = (path: string) => mkdir(join(fixture.root, path), { recursive: true });

async function upload(store: ObjectStore, key: string, body: Uint8Array): Promise<void> {
  const ref = await store.createUpload(key);
  const { etag } = await store.uploadPart(ref, 1, body);
  await store.completeUpload(ref, [{ partNumber: 1, etag }]);
}

const WAYS: [string, (store: ObjectStore, key: string) => Promise<unknown>][] = [
  ['put', (store, key) => store.put(key, bytes('new'))],
  ['an upload', (store, key) => upload(store, key, bytes('new'))],
];

describe.each(WAYS)('%s over a folder', (_, write) => {
  it.each([
    ['is empty', ['f']],
    ['holds only empty folders', ['f/a/b/c', 'f/d', 'f/a/e']],
    ['holds only the empty folders of a destination that was there', ['f/.xsync/tmp', 'f/.xsync/meta/00']],
  ])('that %s takes its place', async (_case, paths) => {
    for (const path of paths) await folder(path);
    const store = fixture.open();
    await write(store, 'f');
    await store.close();
    expect(await readFile(join(fixture.root, 'f'), 'utf8')).toBe('new');
    expect(await fixture.tree()).toEqual(['f']);
  });

  it.each([
    ['a file', 'f/a/x', ['f', 'f/a', 'f/a/x', 'f/b']],
    ['a file whose name is like our own', 'f/.xsync-x', ['f', 'f/.xsync-x', 'f/b']],
    ['a file in a folder named .xsync', 'f/.xsync/meta', ['f', 'f/.xsync', 'f/.xsync/meta', 'f/b']],
  ])('that holds %s is refused, and what is there stays', async (_case, path, tree) => {
    await folder('f/b');
    await fixture.write(path, 'theirs');
    const store = fixture.open();
    const error = await expectCode(write(store, 'f'), 'key-not-representable');
    expect(error.message).toBe(
      `${join(fixture.root, 'f')} is a folder that is not empty, so no file can have its name`,
    );
    expect(error.remedy).toMatch(/^Move or remove/);
    await store.close();
    expect(await fixture.tree()).toEqual(tree);
    await rm(join(fixture.root, path));
    await write(store, 'f');
    await store.close();
    expect(await fixture.tree()).toEqual(['f']);
  });

  it('that holds a link is refused', async () => {
    await folder('f');
    await symlink('/nowhere', join(fixture.root, 'f/link'));
    await expectCode(write(fixture.open(), 'f'), 'key-not-representable');
  });

  it.each(['f/', 'f/a/'])('that holds a folder marker (%s) is refused', async (marker) => {
    const store = fixture.open();
    await store.put(marker, bytes(''));
    await expectCode(write(store, 'f'), 'key-not-representable');
    expect((await store.head(marker)).size).toBe(0);
    await store.delete([marker]);
    await write(store, 'f');
    expect((await readAll(store, 'f')).body).toEqual(bytes('new'));
  });

  it('that holds what a killed run left takes its place, unless its run may be alive', async () => {
    const left = `f/.xsync-${await ownName()}`;
    await fixture.write(left, 'left');
    await expectCode(write(fixture.open(), 'f'), 'key-not-representable');
    expect(await fixture.tree()).toContain(left);
    await rename(join(fixture.root, left), join(fixture.root, left.replace(/-\d+\b/, '-4194399')));
    const store = fixture.open();
    await write(store, 'f');
    await store.close();
    expect(await fixture.tree()).toEqual(['f']);
  });
});

describe('a file in the place of a folder', () => {
  it('is kept, and named', async () => {
    await fixture.write('f', 'theirs');
    const store = fixture.open();
    const error = await expectCode(store.put('f/a/b', bytes('new')), 'key-not-representable');
    expect(error.message).toBe(`${join(fixture.root, 'f')} is a file, so no folder can have its name`);
    await expectCode(store.put('f/', bytes('')), 'key-not-representable');
    await store.close();
    expect(await fixture.tree()).toEqual(['f']);
  });

  it('refuses an upload before its parts are sent', async () => {
    await fixture.write('f', 'theirs');
    await expectCode(fixture.open().createUpload('f/a'), 'key-not-representable');
    await folder('g/h');
    await writeFile(join(fixture.root, 'g/h/x'), 'theirs');
    await expectCode(fixture.open().createUpload('g'), 'key-not-representable');
    expect((await fixture.tree()).filter((path) => path.startsWith('.xsync'))).toEqual([]);
  });
});

it('a link in the place of a file is replaced, and what it leads to stays', async () => {
  await folder('outside/x');
  await symlink('outside', join(fixture.root, 'f'));
  const store = fixture.open();
  await store.put('f', bytes('new'));
  await store.close();
  expect(await fixture.tree()).toEqual(['f', 'outside', 'outside/x']);
  expect((await readAll(store, 'f')).body).toEqual(bytes('new'));
});

it('a file and a folder marker of one name: whichever is acknowledged is there', async () => {
  const store = fixture.open();
  for (let round = 0; round < 50; round++) {
    const [file, marker] = await Promise.allSettled([store.put('f', bytes('new')), store.put('f/', bytes(''))]);
    const there = await Promise.allSettled([store.head('f'), store.head('f/')]);
    expect(there.map(({ status }) => status)).toEqual([file.status, marker.status]);
    expect([file.status, marker.status].sort()).toEqual(['fulfilled', 'rejected']);
    await store.delete(['f', 'f/']);
  }
});

it('a file and a folder of one name that come and go: each delete succeeds, whatever is there', async () => {
  const [one, other] = [fixture.open(), fixture.open()];
  const turns = async (store: ObjectStore, key: string): Promise<void> => {
    for (let round = 0; round < 100; round++) {
      await store.put(key, bytes(key)).catch((error) => expect(error.code).toBe('key-not-representable'));
      expect(await store.delete(['f', 'f/a'])).toEqual([]);
    }
  };
  await Promise.all([turns(one, 'f'), turns(other, 'f/a')]);
  await Promise.all([one.close(), other.close()]);
  expect((await fixture.tree()).filter((path) => path !== 'f')).toEqual([]);
});
