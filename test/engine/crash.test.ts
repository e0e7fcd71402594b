import { describe, expect, test } from 'vitest';
import type { RunOptions } from '../../src/engine/options.js';
import type { MemoryStoreOptions } from '../../src/store/memory/store.js';
import { copyAndDie } from './crash.js';
import { bytesOf, contentOf, keysOf, Pair } from './support.js';

const KiB = 1024;
const SIZE = 5 * 64 * KiB + 77;
const PARTS: Partial<RunOptions> = { partSize: 64 * KiB, partConcurrency: 2, transfers: 2 };

interface Case {
  stores?: { source?: MemoryStoreOptions; dest?: MemoryStoreOptions };
  /** What happens between the death and the next run. */
  meanwhile?: (pair: Pair) => Promise<unknown>;
  /** Of the next run, where they differ from the first one's. */
  next?: Partial<RunOptions>;
}

async function expectRight(pair: Pair, when: string): Promise<void> {
  for (const key of await keysOf(pair.source)) {
    const same = Buffer.compare(await contentOf(pair.source, key), await contentOf(pair.dest, key)) === 0;
    expect(same, `${key} ${when}`).toBe(true);
  }
  expect((await pair.dest.listUploads({})).uploads, `uploads left ${when}`).toEqual([]);
  expect(pair.manifest.uploads(), `checkpoints left ${when}`).toEqual([]);
  expect(pair.manifest.failures(), `failures ${when}`).toEqual([]);
}

/** Dies once at every instant there is, each time in a fresh pair, and runs again. */
async function survivesEveryDeath({ stores, meanwhile, next }: Case): Promise<number> {
  for (let instant = 0; ; instant++) {
    const pair = new Pair(stores);
    await pair.source.put('large', bytesOf('large', SIZE));
    await pair.source.put('small', bytesOf('small', 1000));
    const died = await copyAndDie(pair, instant, PARTS);
    if (!died) return instant;
    await meanwhile?.(pair);
    const run = await pair.copy({ ...PARTS, ...next });
    expect(run.failed.list, `dead at ${instant}`).toEqual([]);
    await expectRight(pair, `dead at ${instant}`);
    const again = await pair.copy(PARTS);
    expect(again.copied.objects, `copied for nothing, dead at ${instant}`).toBe(0);
  }
}

const OPAQUE = { partEtagIsMd5: false };

describe('a run that dies at any instant is made good by the next', () => {
  const cases: Record<string, Case> = {
    'with the same command': {},
    'from and to stores whose ETags say nothing': {
      stores: { source: { capabilities: OPAQUE }, dest: { capabilities: OPAQUE } },
    },
    'to a store that answers CRC-64': {
      stores: { source: { capabilities: OPAQUE }, dest: { capabilities: { ...OPAQUE, answersCrc64ecma: true } } },
    },
    'with another part size': { next: { partSize: 100 * KiB } },
    'with a part size that makes it one request': { next: { partSize: 1024 * KiB } },
    'when the source changed in between': {
      meanwhile: (pair) => pair.source.put('large', bytesOf('new', SIZE - 9)),
    },
    'when the source became small in between': {
      meanwhile: (pair) => pair.source.put('large', bytesOf('new', 10)),
    },
    'when the source vanished in between': { meanwhile: (pair) => pair.source.delete(['large']) },
    'when someone wrote to the destination in between': {
      meanwhile: (pair) => pair.dest.put('large', bytesOf('other', SIZE)),
    },
    'when someone aborted the upload in between': {
      meanwhile: async (pair) => {
        for (const upload of (await pair.dest.listUploads({})).uploads) await pair.dest.abortUpload(upload);
      },
    },
    'without listing the destination': { next: { noTraverse: true } },
    'by server-side copy in one request': {
      stores: { source: { endpoint: 'x' }, dest: { endpoint: 'x' } },
    },
    'by server-side copy in parts': {
      stores: { source: { endpoint: 'x' }, dest: { endpoint: 'x', capabilities: { maxCopySize: 100 * KiB } } },
    },
  };
  test.each(Object.entries(cases))('%s', async (_, one) => {
    expect(await survivesEveryDeath(one)).toBeGreaterThan(8);
  });
});
