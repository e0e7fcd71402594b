/** --compare-dest and --copy-dest: what is found in another place is skipped, or copied from there. */
import { describe, expect, test } from 'vitest';
import type { RunOptions } from '../../../src/engine/options.js';
import type { RunPair } from '../../../src/engine/pair.js';
import { runPair } from '../../../src/engine/run.js';
import { XsyncError } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { FaultyStore } from '../../support/faults.js';
import { OPTIONS, POLICY, side } from '../support.js';
import { bytesOf, keysOf, Pair } from '../sync.js';

const REMOTE = { local: false, keepsMtime: false };

/** `old/` holds what an earlier backup has. In the destination's bucket, unless another endpoint is given. */
function withOld(pair: Pair, endpoint?: string): { store: MemoryStore; faults: FaultyStore } {
  if (endpoint === undefined) return { store: pair.dest, faults: pair.faults.dest };
  const store = new MemoryStore({ endpoint, bucket: 'old', capabilities: REMOTE });
  return { store, faults: new FaultyStore(store) };
}

async function run(pair: Pair, old: { faults: FaultyStore }, copies: boolean, options: Partial<RunOptions> = {}) {
  pair.prefixes.dest = 'new/';
  const references = { sides: [side(old.faults, 'old/', 'memory:old')], copies };
  const open: RunPair = { ...pair.open(), references };
  return runPair(open, { ...OPTIONS, ...options }, () => {});
}

async function prepared(endpoint?: string) {
  const pair = new Pair();
  const old = withOld(pair, endpoint);
  for (const key of ['same', 'changed', 'fresh']) await pair.source.put(key, bytesOf(key, 100));
  await old.store.put('old/same', bytesOf('same', 100));
  await old.store.put('old/changed', bytesOf('other', 100));
  return { pair, old };
}

test('--compare-dest leaves out what is the same there', async () => {
  const { pair, old } = await prepared('elsewhere');

  const { skipped, copied, traffic } = await run(pair, old, false);

  expect(skipped.byReason).toEqual({ 'in-compare-dest': 1 });
  expect(copied.objects).toBe(2);
  expect(await keysOf(pair.dest)).toEqual(['new/changed', 'new/fresh']);
  // A HEAD for each object that would be copied.
  expect(traffic.destination.requests).toEqual({ list: 1, head: 3, put: 2 });
  expect(traffic.source.requests).toEqual({ list: 1, read: 2 });
});

describe('--copy-dest', () => {
  test('lets the service copy what is the same, and reads the rest from the source', async () => {
    const { pair, old } = await prepared();

    const { copied, verified, traffic } = await run(pair, old, true);

    expect(copied.objects).toBe(3);
    expect(verified).toEqual({ server: 1, md5: 2 });
    expect(traffic.source.requests.read).toBe(2);
    expect(traffic.destination.requests).toMatchObject({ copy: 1, put: 2 });
    expect((await keysOf(pair.dest)).filter((key) => key.startsWith('new/'))).toHaveLength(3);
    // The row is that of the source's object, so the next run has nothing to do.
    const again = await run(pair, old, true);
    expect(again.skipped.byReason).toEqual({ unchanged: 3 });
  });

  test('copies from another service through this machine, and from the source if that fails', async () => {
    const { pair, old } = await prepared('elsewhere');
    old.faults.fail('read', new XsyncError('access-denied', 'not yours'));

    const { copied, failed, traffic } = await run(pair, old, true);

    expect(copied.objects).toBe(3);
    expect(failed.objects).toBe(0);
    expect(traffic.source.requests.read).toBe(3);
  });

  test('counts as verified by size what only size and time show to be the same', async () => {
    const opaque = { ...REMOTE, partEtagIsMd5: false };
    const clock = () => 1_700_000_000_000;
    const pair = new Pair({ source: { capabilities: opaque, clock }, dest: { capabilities: opaque, clock } });
    const old = withOld(pair);
    await pair.source.put('a', bytesOf('a', 100));
    await old.store.put('old/a', bytesOf('a', 100));

    const { verified } = await run(pair, old, true);

    expect(verified).toEqual({ size: 1 });
  });

  test('a dry run shows the copy that the service would make, and --check-first keeps it in mind', async () => {
    const { pair, old } = await prepared();
    const { planned } = await run(pair, old, true, { dryRun: true });
    expect(planned?.destination).toEqual({ copy: 1, put: 2 });
    const { verified } = await run(pair, old, true, { checkFirst: true });
    expect(verified).toEqual({ server: 1, md5: 2 });
  });
});

test.each([false, true])('a place that overlaps the destination is refused, %s', async (copies) => {
  const { pair } = await prepared();
  pair.prefixes.dest = 'new/';
  const references = { sides: [side(pair.faults.dest, 'new/old/', 'memory:dst/new/old')], copies };
  await expect(runPair({ ...pair.open(), references }, OPTIONS, () => {})).rejects.toMatchObject({
    code: 'usage',
    subject: copies ? '--copy-dest' : '--compare-dest',
  });
});

test('a failed HEAD is that of its object alone, and a place that is not there has nothing', async () => {
  const { pair, old } = await prepared('elsewhere');
  old.faults.fail('head', new XsyncError('access-denied', 'not yours'), ({ key }) => key === 'old/same');
  old.faults.fail('head', new XsyncError('bucket-not-found', 'no such bucket'), ({ key }) => key === 'old/fresh');

  const { copied, failed } = await run(pair, old, false, { policy: POLICY });

  expect(failed.list).toMatchObject([{ key: 'same', code: 'access-denied' }]);
  expect(copied.objects).toBe(2);
});
