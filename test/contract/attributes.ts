/** What an object has besides its bytes, headers and metadata, wherever the store says that it keeps it. */
import { describe, expect, it } from 'vitest';
import { md5 } from '../../src/hash/index.js';
import type { ObjectLock, Tags } from '../../src/model/attributes.js';
import type { ObjectStore } from '../../src/store/port.js';
import { type Backend, bytes, expectCode, readAll, useSubject } from './context.js';

const TAGS: Tags = [
  { key: 'project', value: 'a b+c' },
  { key: 'path/of:it', value: '' },
];
const MORE: Tags = [{ key: 'other', value: '1=2' }];
const sorted = (tags: Tags) => [...tags].sort((a, b) => (a.key < b.key ? -1 : 1));

export function describeAttributes(backend: Backend): void {
  const subject = useSubject(backend);
  const tagsOf = async (store: ObjectStore, key: string) => sorted(await store.getTags(key));

  describe('tags', () => {
    const tagging = () => {
      const { store } = subject();
      return store.capabilities.attributes.tags ? store : undefined;
    };

    it('come with a put, are counted by HEAD and GET, and go with the next version', async () => {
      const store = tagging();
      if (!store) return;
      await store.put('a', bytes('x'), { tags: TAGS });
      expect((await store.head('a')).tagCount).toBe(2);
      expect((await readAll(store, 'a')).info.tagCount).toBe(2);
      expect(await tagsOf(store, 'a')).toEqual(sorted(TAGS));
      await store.put('a', bytes('x'));
      expect((await store.head('a')).tagCount).toBeUndefined();
      expect(await store.getTags('a')).toEqual([]);
    });

    it('come with an upload in parts', async () => {
      const store = tagging();
      if (!store || store.capabilities.attributes.tags?.onlyInPuts) return;
      const upload = await store.createUpload('a', { tags: TAGS });
      const part = { partNumber: 1, ...(await store.uploadPart(upload, 1, bytes('x'))) };
      await store.completeUpload(upload, [part]);
      expect(await tagsOf(store, 'a')).toEqual(sorted(TAGS));
    });

    it('are replaced and removed without touching the object', async () => {
      const store = tagging();
      if (!store) return;
      const { etag } = await store.put('a', bytes('x'), { metadata: { a: '1' }, tags: TAGS });
      await store.putTags('a', MORE);
      expect(await store.getTags('a')).toEqual(MORE);
      expect(await store.head('a')).toMatchObject({ etag, metadata: { a: '1' }, tagCount: 1 });
      await store.putTags('a', []);
      expect(await store.getTags('a')).toEqual([]);
    });

    it('go along with a copy by the service, unless it is given others', async () => {
      const store = tagging();
      if (!store?.copyableFrom(store) || store.capabilities.attributes.tags?.onlyInPuts) return;
      await store.put('a', bytes('x'), { tags: TAGS });
      await store.copy(store, 'a', 'b', { metadata: { a: '2' } });
      await store.copy(store, 'a', 'c', { metadata: { a: '2' }, tags: MORE });
      expect(await tagsOf(store, 'b')).toEqual(sorted(TAGS));
      expect(await store.getTags('c')).toEqual(MORE);
    });

    it('of a missing object are missing', async () => {
      const store = tagging();
      if (!store) return;
      await expectCode(store.getTags('missing'), 'object-not-found');
      await expectCode(store.putTags('missing', TAGS), 'object-not-found');
    });
  });

  describe('ACLs', () => {
    it('come with a put, and can be changed', async () => {
      const { store } = subject();
      const { acl } = store.capabilities.attributes;
      if (!acl) return;
      await store.put('a', bytes('x'));
      expect(await store.getAcl('a')).toBe(acl.usual);
      await store.put('a', bytes('x'), { acl: 'public-read' });
      expect(await store.getAcl('a')).toBe('public-read');
      await store.putAcl('a', 'private');
      expect(await store.getAcl('a')).toBe('private');
      await expectCode(store.getAcl('missing'), 'object-not-found');
    });

    it('are those of the copy, not of its source', async () => {
      const { store } = subject();
      const { acl } = store.capabilities.attributes;
      if (!acl || !store.copyableFrom(store)) return;
      await store.put('a', bytes('x'), { acl: 'public-read' });
      await store.copy(store, 'a', 'b', { metadata: {} });
      await store.copy(store, 'a', 'c', { metadata: {}, acl: 'public-read' });
      expect([await store.getAcl('b'), await store.getAcl('c')]).toEqual([acl.usual, 'public-read']);
    });
  });

  if (backend.openLocking) describe('locks', () => describeLocks(backend.openLocking));

  it('keeps website redirects where it says so', async () => {
    const { store } = subject();
    if (!store.capabilities.attributes.redirect) return;
    await store.put('a', bytes('x'), { redirect: '/other?a=1' });
    expect((await store.head('a')).redirect).toBe('/other?a=1');
  });

  it('keeps metadata that needs another form, up to what fits', async () => {
    const { store } = subject();
    if (!store.capabilities.keepsMetadata) return;
    const long = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`entry_${i}`, `größe ${i} of the whole`]));
    await store.put('a', bytes('x'), { metadata: long });
    expect((await store.head('a')).metadata).toEqual(long);
  });
}

function describeLocks(open: Backend['openLocking']): void {
  if (!open) return;
  const subject = useSubject({ open });
  // Soon over, so that the bucket can be emptied.
  const until = (): number => Math.ceil(Date.now() / 1000) * 1000 + 20_000;
  const name = (): string => `locked-${Math.random()}`;
  const sent = (lock: ObjectLock) => ({ lock, contentMd5: md5(bytes('x')) });

  it('come with a put, and are told by HEAD and GET', async () => {
    const { store } = subject();
    const [key, lock] = [name(), { mode: 'COMPLIANCE', untilMs: until() } as const];
    await store.put(key, bytes('x'), sent(lock));
    expect((await store.head(key)).lock).toEqual(lock);
    expect((await readAll(store, key)).info.lock).toEqual(lock);
  });

  it('come with copies by the service and uploads in parts, unless only puts take them', async () => {
    const { store } = subject();
    if (store.capabilities.attributes.lock?.onlyInPuts) return;
    const [key, lock] = [name(), { mode: 'COMPLIANCE', untilMs: until() } as const];
    const upload = await store.createUpload(key, { lock });
    const part = { partNumber: 1, ...(await store.uploadPart(upload, 1, bytes('x'))) };
    await store.completeUpload(upload, [part]);
    expect((await store.head(key)).lock).toEqual(lock);
    if (!store.copyableFrom(store)) return;
    await store.copy(store, key, `${key}-2`, { metadata: {}, lock });
    expect((await store.head(`${key}-2`)).lock).toEqual(lock);
  });

  it('are set afterwards: retention, and a legal hold', async () => {
    const { store } = subject();
    const [key, untilMs] = [name(), until()];
    await store.put(key, bytes('x'));
    await store.putLock(key, { mode: 'COMPLIANCE', untilMs });
    expect((await store.head(key)).lock).toEqual({ mode: 'COMPLIANCE', untilMs });
    const held = name();
    await store.put(held, bytes('x'));
    await store.putLock(held, { legalHold: true });
    expect((await store.head(held)).lock).toEqual({ legalHold: true });
  });
}
