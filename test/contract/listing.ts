import { expect, it } from 'vitest';
import { compareKeys } from '../../src/model/key.js';
import type { ListOptions } from '../../src/store/port.js';
import { type Backend, expectKeys, fill, listAll, putAll, useSubject } from './context.js';
import { ORDERED_KEYS } from './keys.js';

export function describeListing(backend: Backend): void {
  const subject = useSubject(backend);

  it('lists nothing of an empty bucket, and ends', async () => {
    expect(await listAll(subject().store)).toMatchObject({ keys: [], prefixes: [], pages: 1 });
  });

  it('lists in UTF-8 byte order, which a merge of two listings needs', async () => {
    const { store } = subject();
    await putAll(store, ORDERED_KEYS);
    expectKeys(store, (await listAll(store)).keys, ORDERED_KEYS);
  });

  it.each([1, 2, 3, 7, 1000])('loses and repeats nothing between pages of %d', async (maxKeys) => {
    const { store } = subject();
    await putAll(store, ORDERED_KEYS);
    expectKeys(store, (await listAll(store, { maxKeys })).keys, ORDERED_KEYS);
    const { keys, prefixes } = await listAll(store, { maxKeys, delimiter: '/' });
    expectKeys(
      store,
      keys,
      ORDERED_KEYS.filter((key) => !key.includes('/')),
    );
    expect([...prefixes].sort(compareKeys)).toEqual(['a!/', 'a/', 'a0b/', '😀～/']);
  });

  it('gives at most as many names as asked for, keys and prefixes together', async () => {
    const { store } = subject();
    await putAll(store, ORDERED_KEYS);
    for (const options of [{ maxKeys: 3 }, { maxKeys: 3, delimiter: '/' }, { maxKeys: 1, prefix: 'a/' }]) {
      const page = await store.list(options);
      expect(page.entries.length + page.prefixes.length).toBe(options.maxKeys);
      expect(page.nextToken).toBeDefined();
    }
  });

  it('starts after any key, whether it exists or not', async () => {
    const { store } = subject();
    if (store.capabilities.orderedListing !== 'yes') return;
    await putAll(store, ORDERED_KEYS);
    for (const startAfter of [...ORDERED_KEYS, 'a', 'a/', 'a/0', 'a/1.txt0', 'a/b', 'a/b/', 'a0a', '\u{10ffff}', '!']) {
      const expected = ORDERED_KEYS.filter((key) => compareKeys(key, startAfter) > 0);
      expect((await listAll(store, { startAfter })).keys, `after ${startAfter}`).toEqual(expected);
      expect((await listAll(store, { startAfter, maxKeys: 4 })).keys, `after ${startAfter}`).toEqual(expected);
    }
  });

  it.each(['a', 'a/', 'a/1', 'a/b', 'a0', '😀', 'missing', 'a/missing/', 'b/'])(
    'lists only the keys with the prefix %s, which need not end a name',
    async (prefix) => {
      const { store } = subject();
      await putAll(store, ORDERED_KEYS);
      const expected = ORDERED_KEYS.filter((key) => key.startsWith(prefix));
      for (const maxKeys of [1, 2, 1000]) expectKeys(store, (await listAll(store, { prefix, maxKeys })).keys, expected);
      if (store.capabilities.orderedListing !== 'yes') return;
      const after = ORDERED_KEYS.filter((key) => key.startsWith(prefix) && compareKeys(key, 'a/1') > 0);
      expect((await listAll(store, { prefix, startAfter: 'a/1' })).keys).toEqual(after);
    },
  );

  it.each<[ListOptions, string[], string[]]>([
    [{ prefix: 'a/' }, ['a/1', 'a/1-2', 'a/1.txt', 'a/b0'], ['a/b/']],
    [{ prefix: 'a' }, ['a b', 'a-b', 'a.txt', 'a0'], ['a!/', 'a/', 'a0b/']],
    [{ prefix: 'a/b' }, ['a/b0'], ['a/b/']],
    [{ prefix: 'a/b/' }, ['a/b/c'], []],
  ])('rolls up below the delimiter: %j', async (options, keys, prefixes) => {
    const { store } = subject();
    await putAll(store, ORDERED_KEYS);
    for (const maxKeys of [1, 2, 1000]) {
      const listed = await listAll(store, { ...options, delimiter: '/', maxKeys });
      expectKeys(store, listed.keys, keys);
      expect([...listed.prefixes].sort(compareKeys)).toEqual(prefixes);
    }
  });

  it('pages beyond a thousand keys without being told to', async () => {
    const { store } = subject();
    const keys = Array.from({ length: 1003 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
    await fill(subject(), keys);
    const listed = await listAll(store);
    expectKeys(store, listed.keys, keys);
    expect(listed.pages).toBe(2);
  });

  it('goes on where it was when listed keys are deleted between pages, as a sync does', async () => {
    const { store } = subject();
    const keys = ['a', 'b/1', 'b/2', 'b/3', 'c', 'd/1'];
    await putAll(store, keys);
    const seen: string[] = [];
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const page = await store.list({ maxKeys: 2, token });
      seen.push(...page.entries.map(({ key }) => key));
      await store.delete(page.entries.map(({ key }) => key));
      token = page.nextToken;
    }
    expectKeys(store, seen, keys);
  });

  it('continues from a token twice with the same answer, so that a page can be retried', async () => {
    const { store } = subject();
    await putAll(store, ORDERED_KEYS);
    const { nextToken } = await store.list({ maxKeys: 4 });
    const once = await store.list({ maxKeys: 4, token: nextToken });
    const again = await store.list({ maxKeys: 4, token: nextToken });
    expect(again.entries).toEqual(once.entries);
    expect(once.entries).toHaveLength(4);
  });
}
