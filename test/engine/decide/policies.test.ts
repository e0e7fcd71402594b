import { describe, expect, test } from 'vitest';
import type { CopyPolicy } from '../../../src/engine/decide/decide.js';
import { createFilter, parseRawKeyFile } from '../../../src/engine/filter/filter.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, contentOf, keysOf, listUpsideDown, Pair, POLICY } from '../support.js';

type Policy = Partial<CopyPolicy>;

/** `a` on both sides, of one size, with times of our choosing. */
async function both(times: { source: number; dest: number }, content = { source: 'x', dest: 'y' }): Promise<Pair> {
  const opaque = { partEtagIsMd5: false };
  const pair = new Pair({
    source: { clock: () => times.source, capabilities: opaque },
    dest: { clock: () => times.dest, capabilities: opaque },
  });
  await pair.source.put('a', bytesOf(content.source, 10));
  await pair.dest.put('a', bytesOf(content.dest, 10));
  return pair;
}

async function outcome(pair: Pair, policy: Policy, options: Partial<RunOptions> = {}): Promise<string> {
  const run = await pair.copy({ ...options, policy: { ...POLICY, ...policy } });
  const said = run.events.find((event) => ['skip', 'plan', 'failed'].includes(event.type));
  if (said?.type === 'failed') return `failed ${said.code}`;
  return said?.type === 'skip' || said?.type === 'plan' ? `${said.type} ${said.reason}` : 'nothing';
}

const NEWER = { source: 1_000_000, dest: 2_000_000 };
const OLDER = { source: 2_000_000, dest: 1_000_000 };
const EQUAL = { source: 1_000_000, dest: 1_000_000 };

describe.each([{ noTraverse: false }, { noTraverse: true }])('options that contradict each other, %o', (options) => {
  const rows: [Policy, typeof NEWER, string][] = [
    [{}, EQUAL, 'skip same-time'],
    [{}, NEWER, 'plan time-differs'],
    [{ update: true }, NEWER, 'skip destination-newer'],
    [{ update: true }, OLDER, 'plan time-differs'],
    [{ update: true }, EQUAL, 'skip same-time'],
    [{ update: true, compare: 'ignore-times' }, NEWER, 'skip destination-newer'],
    [{ update: true, compare: 'ignore-times' }, EQUAL, 'plan forced'],
    [{ update: true, compare: 'ignore-times' }, OLDER, 'plan forced'],
    [{ update: true, immutable: true }, NEWER, 'skip destination-newer'],
    [{ update: true, immutable: true }, OLDER, 'failed guard'],
    [{ immutable: true, compare: 'ignore-times' }, EQUAL, 'failed guard'],
    [{ immutable: true }, NEWER, 'failed guard'],
    [{ ignoreExisting: true, immutable: true, compare: 'ignore-times' }, OLDER, 'skip exists'],
    [{ compare: 'size-only' }, OLDER, 'skip same-size'],
    [{ compare: 'checksum' }, OLDER, 'skip same-size'],
  ];
  test.each(rows)('%o, %o → %s', async (policy, times, expected) => {
    expect(await outcome(await both(times), policy, options)).toBe(expected);
  });
});

describe('--ignore-size', () => {
  async function ofTwoSizes(times: typeof NEWER): Promise<Pair> {
    const pair = await both(times, { source: 'x', dest: 'y' });
    await pair.source.put('a', bytesOf('x', 11));
    return pair;
  }

  test('goes by the times, says so, and does not take the object for proven', async () => {
    const pair = await ofTwoSizes(EQUAL);
    expect(await outcome(pair, { ignoreSize: true })).toBe('skip size-ignored');
    expect(pair.manifest.get('a')).toBeUndefined();
    expect(await outcome(pair, {})).toBe('plan size-differs');
  });

  test.each([
    [{ ignoreSize: true }, OLDER, 'plan time-differs'],
    [{ ignoreSize: true, update: true }, NEWER, 'skip destination-newer'],
    [{ ignoreSize: true, compare: 'checksum' as const }, EQUAL, 'plan checksum-differs'],
    [{}, EQUAL, 'plan size-differs'],
  ])('%o, %o → %s', async (policy, times, expected) => {
    expect(await outcome(await ofTwoSizes(times), policy)).toBe(expected);
  });
});

describe('--update, once the manifest knows the object', () => {
  test('copies a source that changed within the same second to the same size', async () => {
    const pair = await both(EQUAL);
    expect(await outcome(pair, {})).toBe('skip same-time');
    await pair.source.put('a', bytesOf('changed', 10));
    expect(await outcome(pair, { update: true })).toBe('plan source-changed');
  });

  test('leaves a destination that is newer, though the source is larger', async () => {
    const pair = await both(NEWER);
    await pair.source.put('a', bytesOf('larger', 11));
    expect(await outcome(pair, { update: true, immutable: true })).toBe('skip destination-newer');
  });
});

describe('a destination that may list in any order', () => {
  /** Its first page is the upper half of the keys. */
  async function upsideDown(): Promise<Pair> {
    const pair = new Pair({ dest: { capabilities: { orderedListing: 'unknown' } } });
    for (const key of ['a', 'b', 'c', 'd']) {
      await pair.source.put(key, bytesOf(`${key} new`, 20));
      await pair.dest.put(key, bytesOf(`${key} precious`, 10));
    }
    listUpsideDown(pair.faults.dest);
    return pair;
  }

  test.each([{ ignoreExisting: true }, { immutable: true }])('loses nothing that %o protects', async (policy) => {
    const pair = await upsideDown();
    await pair.copy({ policy: { ...POLICY, ...policy } });
    for (const key of ['a', 'b', 'c', 'd']) {
      expect(Buffer.compare(await contentOf(pair.dest, key), Buffer.from(bytesOf(`${key} precious`, 10)))).toBe(0);
    }
  });
});

describe('a listing that cannot be right', () => {
  test('that goes round in a circle ends the run', async () => {
    const pair = new Pair();
    await pair.source.put('a', bytesOf('a', 10));
    pair.faults.source.before('list', ({ options }) => Object.assign(options, { token: undefined }));
    pair.faults.source.change('list', (page) => ({ ...page, nextToken: 'again' }));
    await expect(pair.copy()).rejects.toMatchObject({ code: 'invalid-response' });
  });

  test('that names a key outside the prefix fails for it, and no wrong key is written', async () => {
    const pair = new Pair();
    pair.prefixes = { source: 'photos/', dest: '' };
    await pair.source.put('other/secret', bytesOf('a', 10));
    pair.faults.source.before('list', ({ options }) => Object.assign(options, { prefix: '' }));
    const run = await pair.copy();
    expect(run.failed).toMatchObject({ objects: 1, list: [{ operation: 'list', code: 'invalid-response' }] });
    expect(await keysOf(pair.dest)).toEqual([]);
  });
});

describe('--files-from', () => {
  const listed = (...keys: string[]) => createFilter({ filesFromRaw: [parseRawKeyFile(keys.join('\n'), 'list')] });

  test('names that one side or both do not have stop none of the others', async () => {
    const pair = new Pair();
    for (const key of ['both', 'source only', 'unlisted']) await pair.source.put(key, bytesOf(key, 10));
    for (const key of ['both', 'dest only']) await pair.dest.put(key, bytesOf(key, 10));
    const run = await pair.copy({ filter: listed('both', 'source only', 'dest only', 'nowhere') });
    expect(run).toMatchObject({ copied: { objects: 1 }, skipped: { objects: 1 }, failed: { objects: 0 } });
    expect(await keysOf(pair.dest)).toEqual(['both', 'dest only', 'source only']);
  });

  test.each([false, true])(
    'a name that no store can hold or read fails alone, --no-traverse %s',
    async (noTraverse) => {
      const pair = new Pair();
      for (const key of ['good', 'secret']) await pair.source.put(key, bytesOf(key, 10));
      pair.faults.source.fail('head', new XsyncError('access-denied', 'no'), ({ key }) => key === 'secret');
      const run = await pair.copy({ filter: listed('good', 'x'.repeat(1025), 'secret'), noTraverse });
      expect(run.copied.objects).toBe(1);
      expect(run.failed.list.map(({ key, code }) => `${key.slice(0, 6)} ${code}`).sort()).toEqual([
        'secret access-denied',
        'xxxxxx key-not-representable',
      ]);
    },
  );
});

describe('--max-transfer, hard', () => {
  test('lets an object finish that fits exactly, so that the next run gets further', async () => {
    const pair = new Pair();
    for (const key of ['a', 'b', 'c']) await pair.source.put(key, bytesOf(key, 100));
    // As over a line: the bytes are gone before the answer comes.
    pair.faults.dest.around('put', async ({ pace, bytes }, run) => {
      pace?.(bytes.byteLength);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return run(() => undefined);
    });
    const run = await pair.copy({ maxTransfer: 100, transfers: 1 });
    expect(run).toMatchObject({ copied: { objects: 1 }, stopped: 'max-transfer' });
    expect((await pair.copy({ maxTransfer: 100, transfers: 1 })).copied.objects).toBe(1);
  });
});
