/** A bucket as it stood at a time equals what a model remembers of that time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { compareKeys } from '../../../src/model/key.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import type { ListOptions, ObjectStore, RestoreOptions, VersionListOptions } from '../../../src/store/port.js';
import { PastStore } from '../../../src/store/wrap/past.js';
import { pinned } from '../../../src/store/wrap/pinned.js';
import { bytes, expectCode, listAll, text } from '../../contract/context.js';

const KEYS = ['a', 'a/b', 'a/b/c', 'a/\u{10ffff}x', 'a0', 'b/1', 'b/2', 'c/'];

interface Step {
  key: string;
  /** Absent: the object is deleted. */
  body?: string;
  /** Time that passes before the step: some steps share their time. */
  afterMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  key: fc.constantFrom(...KEYS),
  body: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }),
  afterMs: fc.constantFrom(0, 1000),
});

/** A bucket with a history, and what it held at each time. */
async function replay(
  steps: readonly Step[],
): Promise<{ store: MemoryStore; states: Map<number, Map<string, string>> }> {
  let nowMs = 0;
  const store = new MemoryStore({ versioning: 'enabled', clock: () => nowMs });
  let state = new Map<string, string>();
  const states = new Map<number, Map<string, string>>([[0, state]]);
  for (const { key, body, afterMs } of steps) {
    nowMs += afterMs;
    state = new Map(state);
    if (body === undefined) {
      await store.delete([key]);
      state.delete(key);
    } else {
      await store.put(key, bytes(body));
      state.set(key, body);
    }
    states.set(nowMs, state);
  }
  return { store, states };
}

async function contents(store: ObjectStore, options: ListOptions): Promise<[string, string][]> {
  const { entries } = await listAll(store, options);
  return Promise.all(
    entries.map(async ({ key, size, etag, versionId }): Promise<[string, string]> => {
      const body = new Uint8Array(size);
      await pinned(store, versionId ?? '').read(key, body, { ifMatch: etag });
      return [key, text(body)];
    }),
  );
}

/** Lists few versions a page, so that a key spans pages. */
class SmallPages extends MemoryStore {
  most = 2;

  override listVersions(options: VersionListOptions) {
    return super.listVersions({ ...options, maxKeys: this.most });
  }
}

describe('a bucket as it stood at a time', () => {
  it('equals the model of any history at any of its times, however it is listed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 4 }), async (steps, maxKeys) => {
        const { store, states } = await replay(steps);
        for (const [atMs, state] of states) {
          const past = new PastStore(store, atMs);
          const expected = [...state].sort(([a], [b]) => compareKeys(a, b));
          expect(await contents(past, { maxKeys })).toEqual(expected);
          expect(await contents(past, { prefix: 'a/', startAfter: 'a/b' })).toEqual(
            expected.filter(([key]) => key.startsWith('a/') && compareKeys(key, 'a/b') > 0),
          );
          const { keys, prefixes } = await listAll(past, { delimiter: '/', maxKeys });
          expect(keys).toEqual(expected.map(([key]) => key).filter((key) => !key.includes('/')));
          const folders = expected.flatMap(([key]) => (key.includes('/') ? key.slice(0, key.indexOf('/') + 1) : []));
          expect(prefixes).toEqual([...new Set(folders)]);
          for (const key of KEYS) {
            const body = state.get(key);
            if (body === undefined) await expectCode(past.head(key), 'object-not-found');
            else expect((await past.head(key)).size).toBe(bytes(body).byteLength);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('looks an object up once, however often it is read', async () => {
    let nowMs = 1000;
    const store = new SmallPages({ versioning: 'enabled', clock: () => nowMs });
    await store.put('a', bytes('then'));
    nowMs = 5000;
    for (let i = 0; i < 9; i++) await store.put('a', bytes(`now ${i}`));
    let pages = 0;
    const past = new PastStore(store, 2000);
    const list = store.listVersions.bind(store);
    store.listVersions = (options) => {
      pages++;
      return list(options);
    };
    const counted = new PastStore(store, 2000);
    for (const offset of [0, 1, 2]) {
      const one = new Uint8Array(1);
      await counted.read('a', one, { offset });
      expect(text(one)).toBe('then'[offset]);
    }
    expect(pages).toBe(5);
    expect(await contents(past, {})).toEqual([['a', 'then']]);
  });

  it('reads on while a page holds nothing of that time', async () => {
    let nowMs = 5000;
    const store = new SmallPages({ versioning: 'enabled', clock: () => nowMs });
    for (let i = 0; i < 40; i++) await store.put(`k${i}`, bytes('now'));
    nowMs = 1000;
    await store.put('z', bytes('then'));
    const page = await new PastStore(store, 2000).list({});
    expect(page.entries.map(({ key }) => key)).toEqual(['z']);
    expect(page.nextToken).toBeUndefined();
  });

  it('notices a listing of versions that goes in circles', async () => {
    const store = new MemoryStore({ versioning: 'enabled', clock: () => 5000 });
    await store.put('a', bytes('now'));
    const list = store.listVersions.bind(store);
    store.listVersions = async (options) => ({
      ...(await list({ ...options, token: undefined })),
      nextToken: '["a","v1"]',
    });
    const past = new PastStore(store, 2000);
    await expectCode(past.list({}), 'invalid-response');
    await expectCode(past.head('a'), 'invalid-response');
  });

  it('passes the pieces of that version on', async () => {
    let nowMs = 1000;
    const store = new MemoryStore({ versioning: 'enabled', clock: () => nowMs });
    const { versionId = '' } = await store.put('a', bytes('then'));
    nowMs = 5000;
    await store.put('a', bytes('now'));
    const asked: (string | undefined)[] = [];
    const readPieces: ObjectStore['readPieces'] = async (key, _sink, options) => {
      asked.push(options?.versionId);
      return store.head(key, options);
    };
    const inner = Object.assign(store, { readPieces });
    const sink = { byteLength: 4, taken: 0, begin: () => undefined, take: () => undefined };
    await new PastStore(inner, 2000).readPieces?.('a', sink);
    await pinned(inner, versionId).readPieces?.('a', sink);
    expect(asked).toEqual([versionId, versionId]);
  });

  it('has the tags and the ACL of that time, and asks for the archived version of that time', async () => {
    let nowMs = 0;
    const store = new MemoryStore({ versioning: 'enabled', clock: () => nowMs });
    const tagsOf = (value: string) => [{ key: 'of', value }];
    await store.put('a', bytes('1'), { tags: tagsOf('1'), acl: 'public-read' });
    nowMs = 1000;
    await store.put('a', bytes('2'), { tags: tagsOf('2') });
    const past = new PastStore(store, 500);
    expect([await past.getTags('a'), await past.getAcl('a')]).toEqual([tagsOf('1'), 'public-read']);
    const asked: unknown[] = [];
    store.restore = async (_key: string, options?: RestoreOptions) => {
      asked.push(options?.versionId);
      throw new XsyncError('unsupported', 'nothing here is archived');
    };
    await expectCode(past.restore('a', { tier: 'standard', days: 1 }), 'unsupported');
    expect(asked).toEqual([(await past.head('a')).versionId]);
  });

  it('has no signed URLs, which would lead to the present', () => {
    expect(new PastStore(new MemoryStore(), 0).signedUrl).toBeUndefined();
  });
});
