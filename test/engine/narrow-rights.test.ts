/** Credentials that may write objects and not look at them, or only below a prefix. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createFilter } from '../../src/engine/filter/filter.js';
import type { RunOptions } from '../../src/engine/options.js';
import { XsyncError } from '../../src/model/error.js';
import { bytesOf, keysOf, Pair, POLICY, SYNC_POLICY } from './support.js';

const NAMED = { name: 'names', lines: ['a', 'b'].map((text, index) => ({ text, line: index + 1 })) };

const denied = () => new XsyncError('access-denied', 'no right', { status: 403, serviceCode: 'AccessDenied' });

let pair: Pair;

beforeEach(async () => {
  pair = new Pair();
  await pair.source.put('a', bytesOf('a', 10));
  await pair.source.put('b', bytesOf('b', 10));
  for (const kind of ['head', 'list', 'checkBucket', 'createBucket'] as const) pair.faults.dest.fail(kind, denied());
});

const UNSEEN: Record<string, Partial<RunOptions>> = {
  'without a listing': { noTraverse: true },
  'named objects': { only: ['a', 'b'] },
  'named objects, forced': { only: ['a', 'b'], policy: { ...POLICY, compare: 'ignore-times' } },
  'forced, without a listing': { noTraverse: true, policy: { ...POLICY, compare: 'ignore-times' } },
  'by checksum': { noTraverse: true, policy: { ...POLICY, compare: 'checksum' } },
  'with --create-bucket': { noTraverse: true, createBucket: true },
};

describe('credentials that may only write', () => {
  test.each(Object.entries(UNSEEN))('write %s', async (_how, options) => {
    const run = await pair.copy(options);
    expect(run.copied.objects).toBe(2);
    expect(await keysOf(pair.dest)).toEqual(['a', 'b']);
  });

  test.each([{ noTraverse: true }, { only: ['a', 'b'] }])(
    'write nothing again that the manifest knows (%o)',
    async (options) => {
      await pair.copy(options);
      await pair.source.put('b', bytesOf('changed', 10));
      const run = await pair.copy(options);
      expect(run.copied.objects).toBe(1);
      expect(run.skipped.byReason).toEqual({ unchanged: 1 });
    },
  );

  test.each([{ noTraverse: true }, { filter: createFilter({ filesFromRaw: [NAMED] }) }])(
    'are not asked to look where a write needs no look (%o)',
    async (options) => {
      const run = await pair.copy({ ...options, policy: { ...POLICY, compare: 'ignore-times' } });
      expect(run.copied.objects).toBe(2);
      expect(run.traffic.destination.requests).toEqual({ put: 2 });
    },
  );

  test.each([
    ['--ignore-existing', { policy: { ...POLICY, ignoreExisting: true } }],
    ['--immutable', { policy: { ...POLICY, immutable: true } }],
    ['--update', { policy: { ...POLICY, update: true } }],
  ])('write nothing with %s, which must know what is there', async (_flag, options) => {
    const run = await pair.copy({ ...options, noTraverse: true });
    expect(run.failed).toMatchObject({ objects: 2, byClass: { person: 2 } });
    expect(await keysOf(pair.dest)).toEqual([]);
  });

  test('are refused by a sync of named objects, whose deletes must know what they delete', async () => {
    const deletes = { when: 'after', ignoreErrors: false, allowEmptySource: false, excluded: false } as const;
    await expect(pair.copy({ only: ['a'], policy: SYNC_POLICY, deletes })).rejects.toMatchObject({
      code: 'access-denied',
    });
  });
});

describe('credentials that may list and not read', () => {
  test('overwrite an object whose time or checksum would be needed', async () => {
    pair = new Pair();
    await pair.source.put('a', bytesOf('new', 10));
    await pair.dest.put('a', bytesOf('old', 10));
    pair.faults.dest.fail('head', denied());
    pair.faults.source.around('list', async (_call, list) => {
      const page = await list();
      return { ...page, entries: page.entries.map((entry) => ({ ...entry, checksums: {} })) };
    });
    const run = await pair.copy();
    expect(run.traffic.destination.requests).toMatchObject({ head: 1, put: 1 });
    expect(run.copied.objects).toBe(1);
    expect(run.failed.objects).toBe(0);
  });
});
