import { mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Calls } from '../../../src/store/local/calls.js';
import { Directories } from '../../../src/store/local/directories.js';
import { refuseUnwritable } from '../../../src/store/local/place.js';
import { Syncs } from '../../../src/store/local/syncs.js';
import { bytes, expectCode, readAll } from '../../contract/context.js';
import { useFixture } from './fixture.js';

describe('a directory that becomes a link during the run', () => {
  const fixture = useFixture();

  /** Puts a link to `outside` in the place of `root/d`. */
  async function swap(): Promise<void> {
    await mkdir(join(fixture.base, 'outside'), { recursive: true });
    await writeFile(join(fixture.base, 'outside', 'secret'), 'secret');
    await rename(join(fixture.root, 'd'), join(fixture.base, 'moved'));
    await symlink(join(fixture.base, 'outside'), join(fixture.root, 'd'));
  }
  const outside = () => readdir(join(fixture.base, 'outside'));

  it('is not written, read or deleted through, although it was used before', async () => {
    const store = fixture.open();
    await store.put('d/a', bytes('a'));
    await swap();
    await expectCode(store.put('d/b', bytes('b')), 'key-not-representable');
    await expectCode(readAll(store, 'd/secret'), 'object-not-found');
    expect(await store.delete(['d/secret'])).toMatchObject([{ error: { code: 'key-not-representable' } }]);
    expect(await outside()).toEqual(['secret']);
  });

  it('is not written through between its check and its use', async () => {
    const directories = new Directories(fixture.root, {
      followLinks: false,
      syncs: new Syncs(false),
      calls: new Calls(),
    });
    await directories.make('d');
    await directories.toCreate('d/new', async (path) => {
      await swap();
      await writeFile(path, 'new');
    });
    expect(await outside()).toEqual(['secret']);
    expect(await readdir(join(fixture.base, 'moved'))).toEqual(['new']);
    directories.forget();
  });

  it('is noticed at its next use where directories have no descriptors', async () => {
    const how = { followLinks: false, syncs: new Syncs(false), calls: new Calls(), descriptors: false };
    const directories = new Directories(fixture.root, how);
    await directories.toCreate('d/a', (path) => writeFile(path, 'a'));
    await swap();
    await expectCode(
      directories.toCreate('d/b', (path) => writeFile(path, 'b')),
      'key-not-representable',
    );
    expect(await outside()).toEqual(['secret']);
  });

  it.each(['link', 'link/below/it'])('is no destination if it leads to nothing: %s', async (path) => {
    await symlink('nowhere', join(fixture.base, 'link'));
    const error = await expectCode(refuseUnwritable(join(fixture.base, path), true), 'not-writable');
    expect(error.message).toBe(`${join(fixture.base, 'link')} is a symbolic link to nothing`);
  });

  it.each(['.xsync', '.xsync/tmp', '.xsync/meta', '.xsync/uploads'])('does not hold our own files: %s', async (own) => {
    const elsewhere = join(fixture.base, 'elsewhere');
    await mkdir(elsewhere);
    await mkdir(join(fixture.root, own, '..'), { recursive: true });
    await symlink(elsewhere, join(fixture.root, own));
    const error = await expectCode(refuseUnwritable(fixture.root, true), 'not-writable');
    expect(error.message).toBe(`${join(fixture.root, own)} is a symbolic link, and xsync keeps its own files there`);
    const store = fixture.open();
    const about = { metadata: { name: 'value' } };
    await Promise.allSettled([store.put('a', bytes('a'), about), store.createUpload('b')]);
    await store.close();
    expect(await readdir(elsewhere)).toEqual([]);
  });
});
