/** Symbolic links, of stores that have some. */
import { expect, it } from 'vitest';
import { type Backend, bytes, expectCode, listAll, readAll, text, useSubject } from './context.js';

export function describeLinks(backend: Backend): void {
  const subject = useSubject(backend);

  /** The store, if it has links that can be written and read. */
  const linking = () => {
    const { store } = subject();
    const { getLink, putLink, capabilities } = store;
    expect([getLink === undefined, putLink === undefined]).toEqual(Array(2).fill(capabilities.links === undefined));
    if (!getLink || !putLink) return undefined;
    return { store, getLink: getLink.bind(store), putLink: putLink.bind(store) };
  };

  it('are written, listed as links, described by themselves and read back', async () => {
    const on = linking();
    if (!on) return;
    await on.store.put('d/target', bytes('12345'));
    await on.putLink('d/e/link', 'd/target');
    const { entries } = await listAll(on.store);
    const listed = entries.find(({ key }) => key === 'd/e/link');
    const { target, info } = await on.getLink('d/e/link');
    expect([target, info.size, info.special]).toEqual(['d/target', 0, 'symlink']);
    const described = await on.store.head('d/e/link');
    // A tree that follows links lists and describes what they point to.
    const itself = on.store.capabilities.links === 'objects' || described.special === 'symlink';
    const expected = itself ? { size: 0, etag: info.etag, special: 'symlink' } : { size: 5 };
    expect([listed, described]).toMatchObject([expected, expected]);
  });

  it('have another ETag when they point elsewhere', async () => {
    const on = linking();
    if (!on) return;
    await on.putLink('link', 'a', { mtimeMs: 1_600_000_000_000 });
    const before = await on.getLink('link');
    await on.putLink('link', 'b', { mtimeMs: 1_600_000_001_000 });
    const after = await on.getLink('link');
    expect([before.target, after.target]).toEqual(['a', 'b']);
    expect(after.info.etag).not.toBe(before.info.etag);
  });

  it.each(['a b+c%20', 'é/～😀', "q?x=1&y#'()*!", '__proto__'])('point to any key: %j', async (target) => {
    const on = linking();
    if (!on) return;
    await on.putLink(`links/${target}`, target);
    expect((await on.getLink(`links/${target}`)).target).toBe(target);
  });

  it('carry headers and metadata of their own', async () => {
    const on = linking();
    if (!on) return;
    await on.putLink('link', 'x', { headers: { contentType: 'text/x' }, metadata: { a: 'ü' } });
    expect((await on.getLink('link')).info).toMatchObject({ headers: { contentType: 'text/x' }, metadata: { a: 'ü' } });
  });

  it('take the place of objects, and objects take theirs', async () => {
    const on = linking();
    if (!on) return;
    await on.store.put('target', bytes('1'));
    await on.store.put('x', bytes('old'));
    await on.putLink('x', 'target');
    expect((await on.getLink('x')).target).toBe('target');
    await on.store.put('x', bytes('new'));
    expect(text((await readAll(on.store, 'x')).body)).toBe('new');
    expect(text((await readAll(on.store, 'target')).body)).toBe('1');
  });

  it('are deleted without what they point to', async () => {
    const on = linking();
    if (!on) return;
    await on.store.put('target', bytes('1'));
    await on.putLink('x', 'target');
    expect(await on.store.delete(['x'])).toEqual([]);
    await expectCode(on.getLink('x'), 'object-not-found');
    expect((await on.store.head('target')).size).toBe(1);
  });

  it('are not other objects', async () => {
    const on = linking();
    if (!on) return;
    await on.store.put('x', bytes('1'));
    await expectCode(on.getLink('x'), 'unsupported-object');
    await expectCode(on.getLink('missing'), 'object-not-found');
  });

  it('are followed by a read, where they are objects; those that lead nowhere are refused', async () => {
    const on = linking();
    if (on?.store.capabilities.links !== 'objects') return;
    const { etag } = await on.store.put('target', bytes('12345'));
    await on.putLink('link', 'target');
    await on.putLink('dangling', 'nothing');
    await on.putLink('loop', 'loop');
    await on.putLink('second', 'link');
    const info = await on.store.read('link', new Uint8Array(0));
    expect(info).toMatchObject({ size: 5, etag, special: 'symlink' });
    const body = new Uint8Array(3);
    await on.store.read('link', body, { offset: 1, ifMatch: etag });
    expect(text(body)).toBe('234');
    for (const key of ['dangling', 'loop', 'second']) {
      await expectCode(on.store.read(key, new Uint8Array(0)), 'unsupported-object');
      await expectCode(on.store.read(key, new Uint8Array(1)), 'unsupported-object');
      expect(await on.store.head(key)).toMatchObject({ size: 0, special: 'symlink' });
    }
  });
}
