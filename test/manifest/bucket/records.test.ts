import { afterEach, describe, expect, it } from 'vitest';
import { BucketRecords } from '../../../src/manifest/bucket/records.js';
import { ticketId } from '../../../src/manifest/queues.js';
import { nameText } from '../../../src/manifest/records/port.js';
import { pullStateIn } from '../../../src/manifest/records/state.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { ossBackend } from '../../store/oss/backend.js';

const disposals: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const dispose of disposals.splice(0)) await dispose();
});
const NAME = { group: 'g', id: 'x' };
const PLACE = { queue: 'q', rank: '1' };

/** The calls of a store, counted. */
function counted(store: MemoryStore): { store: MemoryStore; counts(): Record<string, number> } {
  let counts: Record<string, number> = {};
  const seen = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        counts[String(name)] = (counts[String(name)] ?? 0) + 1;
        return Reflect.apply(value, target, given);
      };
    },
  });
  const take = () => {
    const taken = counts;
    counts = {};
    return taken;
  };
  return { store: seen, counts: take };
}

it('a ticket costs as many requests as docs/serverless.md says', async () => {
  const { store, counts } = counted(new MemoryStore());
  const { queue, written } = pullStateIn(new BucketRecords(store, 'state/'));
  const ids = Array.from({ length: 10 }, (_, n) => ({ key: `k${n}`, revision: 1 }));
  await queue.once('nonce', 1, 0);
  await queue.countWaiting(100);
  expect(counts()).toEqual({ put: 1, list: 1 });
  await queue.add(ids.map((one) => ({ ...one, id: ticketId(one), body: '{}' })));
  expect(counts()).toEqual({ read: 10, put: 20 });
  const claims = await queue.claim({ nowMs: 0, leaseMs: 1, limit: 10 });
  expect(counts()).toEqual({ list: 1, read: 10, put: 20, delete: 10 });
  const row = { size: 1, sourceEtag: 's', sourceMtimeMs: 1, destEtag: 'd', verifiedBy: 'md5' as const };
  await written.rows(claims.map(({ key }) => key));
  await written.commit(claims.map(({ key }) => ({ ...row, key, ours: true, atMs: 1 })));
  expect(counts()).toEqual({ read: 20, put: 10 });
  await queue.settle(claims.map((claim) => ({ ...claim, state: 'done' })));
  expect(counts()).toEqual({ read: 10, put: 10, delete: 10 });
  await queue.states(ids.map(ticketId));
  expect(counts()).toEqual({ read: 10 });
});

it('a writer that is killed leaves a mark that holds up nobody, and is removed after a day', async () => {
  let ageMs = 2 * 86_400_000;
  const store = new MemoryStore({ clock: () => Date.now() - ageMs });
  const records = new BucketRecords(store, '');
  const put = store.put.bind(store);
  store.put = async (key, body, options) => {
    if (key.startsWith('record/')) throw new Error('killed');
    return put(key, body, options);
  };
  const killed = () => expect(records.swap(NAME, undefined, { text: '1', place: PLACE })).rejects.toThrow('killed');
  await killed();
  ageMs = 0;
  await killed();
  store.put = put;
  await records.swap(NAME, undefined, { text: '2', place: PLACE });
  expect(await records.countQueued('q', 9)).toBe(3);
  expect(await records.queued('q', { limit: 1 })).toMatchObject([{ text: '2' }]);
  // The record of a young one may be about to be written.
  expect(await records.countQueued('q', 9)).toBe(2);
});

it('a text of any size is read as one version', async () => {
  const records = new BucketRecords(new MemoryStore(), '');
  const text = 'ж'.repeat(5000);
  await records.swap(NAME, undefined, { text });
  expect((await records.get([NAME])).get(nameText(NAME))?.text).toBe(text);
});

it('a key that is too long for the name of an object is refused', async () => {
  const records = new BucketRecords(new MemoryStore(), 'state/');
  const long = { group: 'outbox', id: 'k'.repeat(600) };
  await expect(records.swap(long, undefined, { text: '1' })).rejects.toMatchObject({
    code: 'limit',
    message: expect.stringContaining('is too long a key for a state that is in a bucket'),
  });
});

describe('a bucket is refused', () => {
  it('whose store compares nothing', () => {
    const store = new MemoryStore({ capabilities: { writesIfMatch: undefined } });
    expect(() => new BucketRecords(store, '')).toThrow('does not compare what a write replaces');
  });

  it('of OSS that keeps versions, because it overwrites then', async () => {
    const { store, dispose } = (await ossBackend('lean').openVersioned?.()) ?? {};
    if (dispose) disposals.push(dispose);
    if (!store) throw new Error('no store');
    await expect(new BucketRecords(store, '').swap(NAME, undefined, { text: '1' })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('keeps versions'),
      remedy: 'Keep the state in a bucket that never kept versions.',
    });
  });
});

it('on OSS, somebody who was slow cannot take back what has been replaced twice', async () => {
  const { store, dispose } = await ossBackend('lean').open();
  if (dispose) disposals.push(dispose);
  const records = new BucketRecords(store, '');
  const first = await records.swap(NAME, undefined, { text: '1' });
  const second = await records.swap(NAME, first, { text: '2' });
  await records.swap(NAME, second, { text: '3' });
  // The object that the second write has created is no longer there.
  expect(await records.swap(NAME, first, { text: 'late' })).toBeUndefined();
  expect((await records.get([NAME])).get(nameText(NAME))?.text).toBe('3');
  expect((await store.list({})).entries).toHaveLength(1);
});
