import { expect, it } from 'vitest';
import { MemoryStore } from '../../src/store/memory/store.js';
import type { ObjectStore } from '../../src/store/port.js';
import { type Backend, bytes, expectCode, partSize, pattern, readAll, text, useSubject } from './context.js';

const HEADERS = { contentType: 'text/x-odd', cacheControl: 'no-cache' };
const METADATA = { name: 'value', utf8: '漢字' };

export function describeCopies(backend: Backend): void {
  const subject = useSubject(backend);

  /** The store, when it copies within itself; a store that does not must refuse, which another test holds it to. */
  const copier = () => {
    const { store } = subject();
    return store.capabilities.copiesWithin || store.copyableFrom(store) ? store : undefined;
  };

  it('does not claim to reach stores of another service', async () => {
    const { store } = subject();
    const stranger = new MemoryStore({ endpoint: 'memory://elsewhere' });
    await stranger.put('a', bytes('a'));
    expect(store.copyableFrom(stranger)).toBe(false);
    await expectCode(store.copy(stranger, 'a', 'b'), 'unsupported');
    await expectCode(store.head('b'), 'object-not-found');
  });

  it('refuses to copy where it says that it cannot', async () => {
    const { store } = subject();
    if (copier()) return;
    await store.put('a', bytes('a'));
    await expectCode(store.copy(store, 'a', 'b'), 'unsupported');
    await refusesParts(store);
  });

  it('copies no parts where it copies whole objects alone', async () => {
    const { store } = subject();
    if (!store.capabilities.copiesWithin) return;
    await store.put('a', bytes('a'));
    await refusesParts(store);
  });

  async function refusesParts(store: ObjectStore): Promise<void> {
    const upload = await store.createUpload('b');
    await expectCode(store.uploadPartCopy(upload, 1, store, 'a', { offset: 0, size: 1 }), 'unsupported');
    await store.abortUpload(upload);
  }

  it.each(['a b+&%41?#.txt', '漢字/😀'])('copies bytes, headers and metadata of %s', async (key) => {
    const store = copier();
    if (!store) return;
    const { etag } = await store.put(key, bytes('bytes'), { headers: HEADERS, metadata: METADATA });
    const written = await store.copy(store, key, `copy of ${key}`, { ifMatch: etag });
    const { info, body } = await readAll(store, `copy of ${key}`);
    expect(text(body)).toBe('bytes');
    expect(info).toMatchObject({ etag: written.etag, headers: HEADERS, metadata: METADATA });
  });

  it('replaces headers and metadata when they are given', async () => {
    const store = copier();
    if (!store) return;
    await store.put('a', bytes('a'), {
      headers: { contentType: 'text/plain', contentEncoding: 'gzip' },
      metadata: { old: '1' },
    });
    await store.copy(store, 'a', 'b', { headers: HEADERS, metadata: METADATA });
    expect(await store.head('b')).toMatchObject({ headers: HEADERS, metadata: METADATA });
    expect((await store.head('b')).metadata).toEqual(METADATA);
  });

  it('copies only the version that was seen', async () => {
    const store = copier();
    if (!store) return;
    const { etag } = await store.put('a', bytes('old'));
    await store.put('a', bytes('new'));
    await expectCode(store.copy(store, 'a', 'b', { ifMatch: etag }), 'precondition-failed');
    await expectCode(store.copy(store, 'missing', 'b'), 'object-not-found');
    await expectCode(store.head('b'), 'object-not-found');
  });

  it('makes parts of ranges of an object', async () => {
    const store = copier();
    if (!store || store.capabilities.copiesWithin) return;
    const size = partSize(subject());
    const body = pattern(size * 2 + 10);
    const { etag: ifMatch } = await store.put('a +b', body);
    const upload = await store.createUpload('m');
    const parts = [];
    for (const [n, length] of [
      [1, size],
      [2, size],
      [3, 10],
    ] as const) {
      const range = { offset: (n - 1) * size, size: length };
      const { etag } = await store.uploadPartCopy(upload, n, store, 'a +b', range, { ifMatch });
      parts.push({ partNumber: n, etag });
    }
    await expectCode(
      store.uploadPartCopy(upload, 4, store, 'a +b', { offset: 0, size: 1 }, { ifMatch: 'other' }),
      'precondition-failed',
    );
    await store.completeUpload(upload, parts);
    expect(Buffer.compare((await readAll(store, 'm')).body, body)).toBe(0);
  });
}
