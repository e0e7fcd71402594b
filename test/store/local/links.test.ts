/** What symbolic links of a tree point to, as keys and as texts. The rest is in the contract suite. */
import { lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { targetOf } from '../../../src/store/local/links.js';
import { Names, namesIn } from '../../../src/store/local/names.js';
import { useFixture } from './fixture.js';

const UTF8 = new Names();
const target = (key: string, text: string, root = '/r', names = UTF8) => targetOf(root, key, Buffer.from(text), names);

describe('the target of a link', () => {
  it.each([
    ['a', 'b', 'b'],
    ['a/b', 'c', 'a/c'],
    ['a/b', '../c/./d/', 'c/d'],
    ['a/b', '..', ''],
    ['a', '/r/x', 'x'],
    ['a', '/r', ''],
    ['a', '/r/x/../y', 'y'],
  ])('of %s to %s is the key %j', (key, text, expected) => {
    expect(target(key, text)).toBe(expected);
  });

  it.each(['..', '../x', '/', '/x', '/rx', '/r/../x', '.xsync/meta', 'x/../../y'])('is refused: %s', (text) => {
    expect(() => target('a', text)).toThrow('which is not below /r');
  });

  it('is read in the encoding of the tree', async () => {
    const gbk = await namesIn('gbk');
    expect(targetOf('/r', 'a', Buffer.from('d6d02f78', 'hex'), gbk)).toBe('中/x');
    expect(() => targetOf('/r', 'a', Buffer.from('d62f78', 'hex'), UTF8)).toThrow('a symbolic link to \\xd6/x');
  });

  it('of a tree that is the whole disk can be anywhere', () => {
    expect(target('a/b', '../etc', '/')).toBe('etc');
    expect(target('a/b', '/etc/x', '/')).toBe('etc/x');
  });
});

describe('a link', () => {
  const fixture = useFixture();

  it('is relative, and has the time that it is given', async () => {
    const store = fixture.open();
    await store.putLink?.('a/b/link', 'a/x', { mtimeMs: 1_600_000_000_123 });
    expect(await readlink(join(fixture.root, 'a/b/link'))).toBe('../x');
    expect((await lstat(join(fixture.root, 'a/b/link'))).mtimeMs).toBeCloseTo(1_600_000_000_123, 0);
    await store.putLink?.('root', '');
    expect(await readlink(join(fixture.root, 'root'))).toBe('.');
    await store.close();
    expect((await readdir(fixture.root)).sort()).toEqual(['a', 'root']);
    expect(await readdir(join(fixture.root, 'a/b'))).toEqual(['link']);
  });

  it.each(['../x', 'a//b', '/x', '.xsync/x', 'a/../b'])('cannot be made to %j', async (to) => {
    await expect(fixture.open().putLink?.('link', to)).rejects.toMatchObject({ code: 'key-not-representable' });
  });

  it('is not made through a link, and not over another version than expected', async () => {
    const store = fixture.open();
    await mkdir(join(fixture.base, 'outside'));
    await fixture.write('x', '1');
    await symlink('../outside', join(fixture.root, 'd'));
    await expect(store.putLink?.('d/link', 'x')).rejects.toMatchObject({ code: 'key-not-representable' });
    await expect(store.putLink?.('x', 'y', { replaces: 'other' })).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    await expect(store.putLink?.('folder/', 'x')).rejects.toMatchObject({ code: 'key-not-representable' });
    await rm(join(fixture.root, 'd'));
    expect((await store.head('x')).size).toBe(1);
  });
});
