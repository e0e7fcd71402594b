import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { bytes, expectCode, listAll, readAll, text } from '../../contract/context.js';
import { useFixture } from './fixture.js';

describe('a key never reaches outside the root', () => {
  const fixture = useFixture();
  let outside: string;

  beforeEach(async () => {
    outside = join(fixture.base, 'outside');
    await mkdir(fixture.root);
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(fixture.root, 'link'));
  });

  const expectUntouched = async () => {
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
  };

  it.each(['../outside/x', 'a/../../outside/x', '..', 'a/..', './x', '/etc/passwd', 'link/../x'])(
    'neither by its spelling: %s',
    async (key) => {
      const store = fixture.open();
      await expectCode(store.put(key, bytes('x')), 'key-not-representable');
      await expectCode(store.createUpload(key), 'key-not-representable');
      await expectCode(store.head(key), 'key-not-representable');
      expect(await store.delete([key])).toHaveLength(1);
      await expectUntouched();
    },
  );

  it.each([false, true])('nor by writing through a linked directory (copyLinks %s)', async (copyLinks) => {
    const store = fixture.open({ copyLinks });
    for (const key of ['link/secret', 'link/new', 'link/deep/new', 'link/marker/']) {
      const error = await expectCode(store.put(key, new Uint8Array()), 'key-not-representable');
      expect(error.message).toContain(outside);
    }
    const upload = await store.createUpload('link/secret');
    const { etag } = await store.uploadPart(upload, 1, bytes('x'));
    await expectCode(store.completeUpload(upload, [{ partNumber: 1, etag }]), 'key-not-representable');
    expect(await store.delete(['link/secret'])).toMatchObject([{ error: { code: 'key-not-representable' } }]);
    await expectUntouched();
  });

  it('nor through a link that leads nowhere yet', async () => {
    await symlink(join(fixture.base, 'nowhere'), join(fixture.root, 'dangling'));
    await expectCode(fixture.open().put('dangling/x', bytes('x')), 'key-not-representable');
    expect((await readdir(fixture.base)).sort()).toEqual(['outside', 'root']);
  });

  it('nor by writing through a linked file: the link is replaced', async () => {
    await symlink(join(outside, 'secret'), join(fixture.root, 'file'));
    const store = fixture.open();
    await store.put('file', bytes('new'));
    expect(text((await readAll(store, 'file')).body)).toBe('new');
    await store.delete(['file']);
    await expectUntouched();
  });

  it('nor by reading through a linked directory or file, unless told to follow links', async () => {
    await symlink(join(outside, 'secret'), join(fixture.root, 'file'));
    const strict = fixture.open();
    await expectCode(strict.read('link/secret', new Uint8Array(6)), 'object-not-found');
    await expectCode(strict.head('link/secret'), 'object-not-found');
    await expectCode(strict.read('file', new Uint8Array(6)), 'unsupported-object');
    expect((await listAll(strict, { prefix: 'link/' })).keys).toEqual([]);
    const following = fixture.open({ copyLinks: true });
    for (const key of ['link/secret', 'file']) {
      expect(text((await readAll(following, key)).body)).toBe('secret');
    }
  });

  it('nor by an upload id that is a path', async () => {
    const store = fixture.open();
    const upload = { key: 'a', uploadId: '../../../outside' };
    await store.abortUpload(upload);
    await expectCode(store.uploadPart(upload, 1, bytes('x')), 'upload-not-found');
    await expectUntouched();
  });

  it('writes through links that stay inside, when told to follow links', async () => {
    await mkdir(join(fixture.root, 'real'));
    await symlink('real', join(fixture.root, 'inside'));
    await fixture.open({ copyLinks: true }).put('inside/x', bytes('x'));
    expect(await readFile(join(fixture.root, 'real', 'x'), 'utf8')).toBe('x');
    await expectCode(fixture.open().put('inside/y', bytes('y')), 'key-not-representable');
  });

  it('says which name is in the way when a file and a directory need the same one', async () => {
    const store = fixture.open();
    await store.put('a', bytes('a'));
    await store.put('d/x', bytes('x'));
    const below = await expectCode(store.put('a/b', bytes('b')), 'key-not-representable');
    expect(below.message).toBe(`${fixture.root}/a is a file, so no folder can have its name`);
    const above = await expectCode(store.put('d', bytes('d')), 'key-not-representable');
    expect(above.message).toBe(`${fixture.root}/d is a folder that is not empty, so no file can have its name`);
    expect((await listAll(store)).keys).toEqual(['a', 'd/x', 'link']);
    expect(await fixture.tree()).not.toContain('.xsync/meta');
  });
});
