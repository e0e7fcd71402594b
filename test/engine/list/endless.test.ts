/** Stores whose listings never end: each is given up by name, in sequence, sorted and in ranges. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listPages } from '../../../src/engine/list/list.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import type { Capabilities, ListOptions, ListPage, ObjectCatalog } from '../../../src/store/port.js';

/** How far away a store is: by a clock that only the tests advance, because a busy machine makes every store slow. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const entry = (key: string) => ({ key, size: 1, etag: key, mtimeMs: 0 });
const first = { entries: ['a', 'b'].map(entry), prefixes: [] };

/** By request number, from 1. */
type Pages = (request: number, options: ListOptions) => ListPage;

const ENDLESS: Record<string, Pages> = {
  'the position is ignored, and each token is new': (n) => ({ ...first, nextToken: `t${n}` }),
  'the token is always the same': (n) => ({
    entries: [entry(`k${String(n).padStart(9, '0')}`)],
    prefixes: [],
    nextToken: 't',
  }),
  'two tokens in turn, on empty pages': (n) => ({
    ...(n === 1 ? first : { entries: [], prefixes: [] }),
    nextToken: `t${n % 2}`,
  }),
  'two tokens in turn, on full pages': (n) => ({
    ...first,
    entries: [entry(n % 2 ? 'a' : 'b')],
    nextToken: `t${n % 2}`,
  }),
  'empty pages, and each token is new': (n) => ({ entries: [], prefixes: [], nextToken: `t${n}` }),
  'empty pages after a full one': (n) => ({ ...(n === 1 ? first : { entries: [], prefixes: [] }), nextToken: `t${n}` }),
};

function endless(pages: Pages, orderedListing: Capabilities['orderedListing'], delayMs: number) {
  const memory = new MemoryStore();
  let requests = 0;
  const store: ObjectCatalog = Object.create(memory, {
    capabilities: { value: { ...memory.capabilities, local: false, orderedListing } },
    list: {
      value: async (options: ListOptions): Promise<ListPage> => {
        const page = pages(++requests, options);
        // The first page decides between a sequence and ranges.
        if (requests === 1) vi.advanceTimersByTime(delayMs);
        return page;
      },
    },
  });
  return { store, requests: () => requests };
}

describe.each([
  ['in sequence', 'yes', 0],
  ['in ranges', 'yes', 80],
  ['without order', 'unknown', 0],
] as const)('listed %s', (_how, ordered, delayMs) => {
  it.each(Object.entries(ENDLESS))('%s', async (_name, pages) => {
    const { store, requests } = endless(pages, ordered, delayMs);
    const listing = listPages({ store, prefix: '', text: 's3:bucket' }, 4, () => undefined);
    const reading = (async () => {
      for await (const _page of listing);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'invalid-response',
      subject: 's3:bucket',
      message: expect.stringContaining('s3:bucket'),
    });
    expect(requests()).toBeLessThanOrEqual(1100);
  });
});
