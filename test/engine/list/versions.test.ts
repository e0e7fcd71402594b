import { expect, it } from 'vitest';
import { listVersions, type VersionsHow, versionsOfKey } from '../../../src/engine/list/versions.js';
import type { XsyncError } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import type { VersionListOptions } from '../../../src/store/port.js';
import { bytes, expectCode } from '../../contract/context.js';

const raise = (fault: XsyncError): never => {
  throw fault;
};

async function all(store: MemoryStore, prefix = '', how: Partial<VersionsHow> = {}) {
  const versions: string[] = [];
  const folders: string[] = [];
  for await (const page of listVersions({ store, prefix, text: 'place' }, { onDamaged: raise, ...how })) {
    versions.push(...page.versions.map(({ key, size, deleteMarker }) => `${key} ${deleteMarker ? 'marker' : size}`));
    folders.push(...page.folders);
  }
  return { versions, folders };
}

async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore({ versioning: 'enabled' });
  for (const key of ['a', 'd/1', 'd/2', 'e']) for (const body of ['1', '22']) await store.put(key, bytes(body));
  await store.delete(['d/1']);
  return store;
}

/** Pages of at most `size` versions; counts them. */
function inPages(store: MemoryStore, size: number): { pages: number } {
  const seen = { pages: 0 };
  const list = store.listVersions.bind(store);
  store.listVersions = (options: VersionListOptions) => {
    seen.pages++;
    return list({ ...options, maxKeys: size });
  };
  return seen;
}

it('lists every version below the prefix, over any pages', async () => {
  for (const size of [1, 2, 1000]) {
    const store = await filled();
    inPages(store, size);
    const below = ['d/1 marker', 'd/1 2', 'd/1 1', 'd/2 2', 'd/2 1'];
    expect((await all(store)).versions).toEqual(['a 2', 'a 1', ...below, 'e 2', 'e 1']);
    expect((await all(store, 'd/')).versions).toEqual(below);
  }
});

it('with one level, names each folder once and does not read it to its end', async () => {
  const store = await filled();
  for (let i = 0; i < 50; i++) await store.put(`d/x${i}`, bytes('x'));
  const seen = inPages(store, 3);
  const found = await all(store, '', { oneLevel: true });
  expect(found).toEqual({ versions: ['a 2', 'a 1', 'e 2', 'e 1'], folders: ['d/'] });
  expect(seen.pages).toBe(2);
});

it('reports rows that lie outside the prefix', async () => {
  const store = await filled();
  const list = store.listVersions.bind(store);
  store.listVersions = (options) => list({ ...options, prefix: '' });
  const faults: string[] = [];
  const { versions } = await all(store, 'e', { onDamaged: ({ message }) => void faults.push(message) });
  expect(versions).toEqual(['e 2', 'e 1']);
  expect(faults).toHaveLength(3);
});

it('notices a list that goes in circles, also within one key', async () => {
  const store = await filled();
  inPages(store, 1);
  const list = store.listVersions.bind(store);
  store.listVersions = async (options) => ({ ...(await list(options)), nextToken: '["a","v1"]' });
  await expectCode(all(store), 'invalid-response');
});

it('refuses a store that keeps none', async () => {
  const store = await filled();
  Object.defineProperty(store, 'listVersions', { value: undefined });
  const fault = await expectCode(all(store), 'usage');
  expect(fault.message).toBe('place keeps no versions');
});

it('leaves out what a page repeats of the page before it', async () => {
  const store = await filled();
  const whole = (await all(store)).versions;
  const list = store.listVersions.bind(store);
  const { versions } = await list({});
  for (const [size, overlap] of [
    [2, 1],
    [3, 2],
    [5, 1],
  ] as const) {
    store.listVersions = async ({ token = '0' }) => {
      const at = Number(token);
      const rest = at + size < versions.length;
      return { versions: versions.slice(at, at + size), ...(rest && { nextToken: String(at + size - overlap) }) };
    };
    expect((await all(store)).versions).toEqual(whole);
  }
});

it('ends with an error, and not never, when pages do not advance', async () => {
  for (const tokens of [(n: number) => String(n), (n: number) => String(n % 3), () => 'same']) {
    const store = await filled();
    const list = store.listVersions.bind(store);
    let pages = 0;
    store.listVersions = async () => ({ ...(await list({ maxKeys: 2 })), nextToken: tokens(++pages) });
    const { message } = await expectCode(all(store), 'invalid-response');
    expect(message).toMatch(/^the listing of place repeats a (page|continuation token)$/);
    expect(pages).toBeLessThan(10);
  }
});

it('lists the keys within bounds, and the versions of one key', async () => {
  for (const size of [1, 3, 1000]) {
    const store = await filled();
    await store.put('e/1', bytes('1'));
    const seen = inPages(store, size);
    const { versions } = await all(store, '', { bounds: { after: 'a', until: 'd/2' } });
    expect(versions).toEqual(['d/1 marker', 'd/1 2', 'd/1 1', 'd/2 2', 'd/2 1']);
    const found: string[] = [];
    seen.pages = 0;
    for await (const { key, size: bytes } of versionsOfKey({ store, prefix: '', text: 'place' }, 'e', {}))
      found.push(`${key} ${bytes}`);
    expect(found).toEqual(['e 2', 'e 1']);
    expect(seen.pages).toBeLessThan(4);
  }
});
