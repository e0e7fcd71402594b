import { describe, expect, it } from 'vitest';
import type { ObjectStore, VersionEntry, VersionListOptions } from '../../src/store/port.js';
import { type Backend, bytes, expectCode, expectKeys, text, useSubject } from './context.js';
import { ORDERED_KEYS } from './keys.js';

type Versioned = ObjectStore & Required<Pick<ObjectStore, 'listVersions' | 'versioning'>>;

function isVersioned(store: ObjectStore): store is Versioned {
  return store.listVersions !== undefined && store.versioning !== undefined;
}

export function describeVersions(backend: Backend): void {
  const plain = useSubject(backend);

  it('says by a capability whether it can list versions', () => {
    const { store } = plain();
    expect(isVersioned(store)).toBe(store.capabilities.keepsVersions === true);
    expect(backend.openVersioned === undefined || isVersioned(store)).toBe(true);
  });

  it('lists the objects of a bucket that never kept versions as versions "null"', async () => {
    const { store } = plain();
    if (!isVersioned(store)) return;
    expect(await store.versioning()).toBe('never');
    await store.put('a', bytes('one'));
    await store.put('a', bytes('two'));
    const { versions } = await all(store);
    expect(brief(versions)).toEqual(['a 3 latest']);
    expect(versions[0]?.versionId).toBe('null');
    const body = new Uint8Array(3);
    await store.read('a', body, { versionId: 'null' });
    expect(text(body)).toBe('two');
  });

  if (backend.openLocking) describe('of a bucket with locks', () => describeLocked(backend.openLocking));
  if (backend.openVersioned) describe('of a bucket that keeps them', () => describeHistory(backend.openVersioned));
}

function describeHistory(open: Backend['openVersioned']): void {
  if (!open) return;
  const subject = useSubject({ open });
  const versioned = (): Versioned => {
    const { store } = subject();
    if (!isVersioned(store)) throw new Error('a bucket with versions has listVersions');
    return store;
  };

  it('lists every version and delete marker of a key, the newest first, however fast they follow each other', async () => {
    const store = versioned();
    expect(await store.versioning()).toBe('enabled');
    const ids: (string | undefined)[] = [];
    for (const body of ['1', '22', '333']) ids.push((await store.put('a', bytes(body))).versionId);
    expect(await store.delete(['a'])).toEqual([]);
    ids.push((await store.put('a', bytes('55555'))).versionId);
    await store.put('b', bytes('b'));
    const { versions } = await all(store);
    expect(brief(versions)).toEqual(['a 5 latest', 'a marker', 'a 3', 'a 2', 'a 1', 'b 1 latest']);
    const [newest, marker, ...older] = versions;
    expect([newest, ...older.slice(0, 3)].map((version) => version?.versionId)).toEqual([...ids].reverse());
    expect(marker).toMatchObject({ etag: '', size: 0 });
    expect(new Set(versions.map(({ versionId }) => versionId)).size).toBe(6);
  });

  it.each([1, 2, 3, 1000])('loses and repeats nothing between pages of %d, also within a key', async (maxKeys) => {
    const store = versioned();
    for (const key of ['a/1', 'a/2', 'b']) for (const body of ['1', '22', '333']) await store.put(key, bytes(body));
    await store.delete(['a/2']);
    const whole = ['a/1 3 latest', 'a/1 2', 'a/1 1', 'a/2 marker latest', 'a/2 3', 'a/2 2', 'a/2 1'];
    const rest = ['b 3 latest', 'b 2', 'b 1'];
    const { versions, pages } = await all(store, { maxKeys });
    expect(brief(versions)).toEqual([...whole, ...rest]);
    if (maxKeys === 1) expect(pages).toBeGreaterThanOrEqual(10);
    expect(brief((await all(store, { maxKeys, prefix: 'a/' })).versions)).toEqual(whole);
    expect(brief((await all(store, { maxKeys, startAfter: 'a/1' })).versions)).toEqual([...whole.slice(3), ...rest]);
    expect(brief((await all(store, { maxKeys, startAfter: 'a/2' })).versions)).toEqual(rest);
    expect(brief((await all(store, { maxKeys, startAfter: 'a/11' })).versions)).toEqual([...whole.slice(3), ...rest]);
    expect(brief((await all(store, { maxKeys, startAfter: 'b' })).versions)).toEqual([]);
  });

  it('lists keys of all kinds, those of one key together', async () => {
    const store = versioned();
    for (const key of ORDERED_KEYS) for (const body of ['1', '22']) await store.put(key, bytes(body));
    for (const maxKeys of [3, 1000]) {
      const { versions } = await all(store, { maxKeys });
      expect(versions.map(({ size }) => size)).toEqual(ORDERED_KEYS.flatMap(() => [2, 1]));
      const keys = versions.filter(({ isLatest }) => isLatest).map(({ key }) => key);
      expectKeys(store, keys, ORDERED_KEYS);
    }
  });

  it('reads, describes and copies the version that is asked for', async () => {
    const store = versioned();
    const { versionId, etag } = await store.put('a', bytes('old'), { metadata: { which: 'old' } });
    await store.put('a', bytes('newer'));
    await store.delete(['a']);
    expect(await store.head('a', { versionId })).toMatchObject({
      size: 3,
      etag,
      versionId,
      metadata: { which: 'old' },
    });
    const body = new Uint8Array(3);
    expect(await store.read('a', body, { versionId, ifMatch: etag })).toMatchObject({ etag, size: 3 });
    expect(text(body)).toBe('old');
    const pieces: number[] = [];
    const sink = {
      byteLength: 3,
      taken: 0,
      begin: () => undefined,
      take(piece: Uint8Array) {
        this.taken += piece.byteLength;
        pieces.push(...piece);
        return undefined;
      },
    };
    const info = await store.readPieces?.('a', sink, { versionId, ifMatch: etag });
    if (info) expect([info.etag, text(Uint8Array.from(pieces))]).toEqual([etag, 'old']);
    await expectCode(store.head('a'), 'object-not-found');
    if (!store.copyableFrom(store)) return;
    await store.copy(store, 'a', 'b', { versionId, ifMatch: etag });
    expect(await store.head('b')).toMatchObject({ size: 3, metadata: { which: 'old' } });
  });

  it('finds no object at a delete marker or an unknown version', async () => {
    const store = versioned();
    const { versionId } = await store.put('a', bytes('old'));
    await store.delete(['a']);
    const marker = (await all(store)).versions.find(({ deleteMarker }) => deleteMarker);
    expect(marker).toMatchObject({ key: 'a', isLatest: true });
    await expectCode(store.head('a', { versionId: marker?.versionId }), 'object-not-found');
    await expectCode(store.read('a', new Uint8Array(1), { versionId: marker?.versionId }), 'object-not-found');
    await expectCode(store.head('b', { versionId }), 'object-not-found');
  });

  it('adds a delete marker and tells its ID, also where there is no object', async () => {
    const store = versioned();
    await store.put('a', bytes('old'));
    for (const key of ['a', 'never']) {
      const added = await store.addDeleteMarker?.(key);
      const { versions } = await all(store, { prefix: key });
      expect(versions[0]).toMatchObject({ key, deleteMarker: true, isLatest: true, versionId: added?.versionId });
    }
    expect(brief((await all(store)).versions)).toEqual(['a marker latest', 'a 3', 'never marker latest']);
  });

  it('deletes one version for good, or a delete marker, and shows again what it covered', async () => {
    const store = versioned();
    for (const body of ['1', '22', '333']) await store.put('a', bytes(body));
    await store.delete(['a']);
    const [marker, newest, middle] = (await all(store)).versions.map(({ versionId }) => versionId);
    await store.deleteVersion?.('a', middle ?? '');
    expect(brief((await all(store)).versions)).toEqual(['a marker latest', 'a 3', 'a 1']);
    await store.deleteVersion?.('a', marker ?? '');
    expect(await store.head('a')).toMatchObject({ size: 3, versionId: newest });
    await store.deleteVersion?.('a', newest ?? '');
    expect(brief((await all(store)).versions)).toEqual(['a 1 latest']);
    await store.deleteVersion?.('a', newest ?? '');
    await store.deleteVersion?.('a', (await store.head('a')).versionId ?? '');
    expect((await all(store)).versions).toEqual([]);
  });

  it('gives a version to an upload in parts', async () => {
    const store = versioned();
    await store.put('a', bytes('old'));
    const upload = await store.createUpload('a');
    const { etag } = await store.uploadPart(upload, 1, bytes('in parts'));
    const { versionId } = await store.completeUpload(upload, [{ partNumber: 1, etag }]);
    const { versions } = await all(store);
    expect(brief(versions)).toEqual(['a 8 latest', 'a 3']);
    expect(versions[0]?.versionId).toBe(versionId);
  });
}

function describeLocked(open: Backend['openLocking']): void {
  if (!open) return;
  const subject = useSubject({ open });

  it('refuses to delete a version for good while a lock protects it, and says so', async () => {
    const { store } = subject();
    const { versionId = '' } = await store.put('a', bytes('locked'));
    await store.putLock('a', { mode: 'COMPLIANCE', untilMs: Date.now() + LOCKED_MS }, { versionId });
    const { versionId: free = '' } = await store.put('a', bytes('free'));
    await expectCode(store.deleteVersion?.('a', versionId) ?? Promise.resolve(), 'access-denied');
    await store.deleteVersion?.('a', free);
    expect(brief((await all(store)).versions)).toEqual(['a 6 latest']);
    await store.addDeleteMarker?.('a');
    expect(brief((await all(store)).versions)).toEqual(['a marker latest', 'a 6']);
  });
}

/** Short, so that a real server can be emptied afterwards. */
const LOCKED_MS = 20_000;

function brief(versions: readonly VersionEntry[]): string[] {
  return versions.map(
    ({ key, size, isLatest, deleteMarker }) => `${key} ${deleteMarker ? 'marker' : size}${isLatest ? ' latest' : ''}`,
  );
}

/** Every page, joined; fails on a listing that does not end. */
async function all(
  store: ObjectStore,
  options: VersionListOptions = {},
): Promise<{ versions: VersionEntry[]; pages: number }> {
  const versions: VersionEntry[] = [];
  let token: string | undefined;
  for (let pages = 1; pages < 500; pages++) {
    const page = await store.listVersions?.({ ...options, token });
    if (!page) break;
    expect(page.damaged).toBeUndefined();
    versions.push(...page.versions);
    token = page.nextToken;
    if (token === undefined) return { versions, pages };
  }
  throw new Error('the listing does not end');
}
