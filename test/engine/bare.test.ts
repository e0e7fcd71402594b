/** Named keys without a manifest: what a function in a cloud does. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type BareOptions, runBare } from '../../src/engine/bare.js';
import type { RunEvent } from '../../src/engine/events.js';
import { checkpointsIn } from '../../src/manifest/checkpoints.js';
import type { ManifestRow } from '../../src/manifest/port.js';
import type { WrittenRows } from '../../src/manifest/state.js';
import { USUAL_POLICY } from '../../src/model/carry-policy.js';
import { XsyncError } from '../../src/model/error.js';
import { bytesOf, contentOf, emptyManifest, Pair, POLICY, SYNC_POLICY } from './support.js';

const MIB = 2 ** 20;

class Rows implements WrittenRows {
  readonly known = new Map<string, ManifestRow>();
  rows = async (keys: readonly string[]) => keys.flatMap((key) => this.known.get(key) ?? []);
  commit = async (rows: readonly ManifestRow[]) => {
    for (const row of rows) this.known.set(row.key, row);
  };
  forget = async (keys: readonly string[]) => {
    for (const key of keys) this.known.delete(key);
  };
}

let pair: Pair;
let written: Rows;
let manifest: ReturnType<typeof emptyManifest>;

beforeEach(() => {
  pair = new Pair();
  written = new Rows();
  manifest = emptyManifest();
});

async function run(
  keys: readonly string[],
  more: Partial<BareOptions> = {},
  hear: (event: RunEvent) => void = () => {},
) {
  const { source, dest } = pair.open();
  const events: RunEvent[] = [];
  const options: BareOptions = {
    ...{ policy: POLICY, objectAttempts: 3, maxMemory: 64 * MIB, transfers: 4, partConcurrency: 1, graceMs: 60_000 },
    ...{ stop: new AbortController().signal, partSize: 5 * MIB, ...more },
  };
  const report = (event: RunEvent): void => {
    events.push(event);
    hear(event);
  };
  const { stopped } = await runBare(
    { source, dest, written, checkpoints: checkpointsIn(manifest) },
    keys,
    options,
    report,
  );
  const told = events.filter(({ type }) => ['copied', 'skip', 'deleted', 'keep', 'failed'].includes(type));
  return { stopped, events, told };
}

describe('a key', () => {
  test('is copied, and not again', async () => {
    await pair.source.put('a', bytesOf('a', 10));
    expect((await run(['a', 'none'])).told).toMatchObject([{ type: 'copied', key: 'a', size: 10, replaced: false }]);
    expect((await run(['a'])).told).toMatchObject([{ type: 'skip', key: 'a', reason: 'unchanged' }]);
    await pair.source.put('a', bytesOf('b', 10));
    expect((await run(['a'])).told).toMatchObject([{ type: 'copied', key: 'a', replaced: true }]);
    expect(await contentOf(pair.dest, 'a')).toEqual(bytesOf('b', 10));
  });

  test('that is gone is deleted only if it was written from here, and only in a sync', async () => {
    await pair.source.put('mine', bytesOf('m', 1));
    await pair.dest.put('theirs', bytesOf('t', 1));
    await run(['mine']);
    await pair.source.delete(['mine']);
    expect((await run(['mine', 'theirs'])).told).toEqual([]);
    const { told } = await run(['mine', 'theirs'], { policy: SYNC_POLICY });
    expect(told).toMatchObject([
      { type: 'keep', key: 'theirs', reason: 'unknown' },
      { type: 'deleted', key: 'mine' },
    ]);
    expect(written.known.size).toBe(0);
  });

  test('that somebody else has replaced at the destination is kept', async () => {
    await pair.source.put('a', bytesOf('a', 1));
    await run(['a']);
    await pair.source.delete(['a']);
    await pair.dest.put('a', bytesOf('theirs', 2));
    const { told } = await run(['a'], { policy: SYNC_POLICY });
    expect(told).toMatchObject([{ type: 'keep', reason: 'changed-at-destination' }]);
  });

  test('that fails does not hold up the others', async () => {
    await pair.source.put('a', bytesOf('a', 1));
    await pair.source.put('b', bytesOf('b', 1));
    pair.faults.source.fail('read', new XsyncError('access-denied', 'no'), ({ key }) => key === 'a');
    const { told, stopped } = await run(['a', 'b']);
    expect(told).toMatchObject([
      { type: 'failed', key: 'a', code: 'access-denied' },
      { type: 'copied', key: 'b' },
    ]);
    expect(stopped).toBe(false);
  });
});

describe('attributes', () => {
  const carry = { ...USUAL_POLICY, tags: true as const };
  const tagsOf = (store: typeof pair.dest, key: string) => store.getTags(key);

  test('of unchanged bytes are set if they are compared, and only then', async () => {
    await pair.source.put('a', bytesOf('a', 10), { tags: [{ key: 'n', value: '1' }] });
    await run(['a'], { carry });
    await pair.source.putTags('a', [{ key: 'n', value: '2' }]);
    expect((await run(['a'], { carry })).told).toMatchObject([{ type: 'skip', reason: 'unchanged' }]);
    expect(await tagsOf(pair.dest, 'a')).toEqual([{ key: 'n', value: '1' }]);
    const { events } = await run(['a'], { carry, compareAttributes: true });
    expect(events).toMatchObject([{ type: 'attributes', key: 'a', changed: ['tags'] }]);
    expect(await tagsOf(pair.dest, 'a')).toEqual([{ key: 'n', value: '2' }]);
    expect((await run(['a'], { carry, compareAttributes: true })).told).toMatchObject([{ type: 'skip' }]);
  });

  test('that an earlier attempt did not get to are set by the next one', async () => {
    await pair.source.put('a', bytesOf('a', 10), { tags: [{ key: 'n', value: '1' }] });
    await run(['a']);
    written.known.clear();
    const { events } = await run(['a'], { carry });
    expect(events).toMatchObject([{ type: 'attributes', key: 'a', changed: ['tags'] }]);
  });
});

test('a fault that every key would meet ends the run', async () => {
  await pair.source.put('a', bytesOf('a', 1));
  pair.faults.dest.fail('put', new XsyncError('expired-credentials', 'the token has expired'));
  await expect(run(['a'])).rejects.toThrow('the token has expired');
});

test('a large object goes on where an earlier call stopped: no part is read or sent twice', async () => {
  pair = new Pair({ dest: { capabilities: { minPartSize: MIB, maxPutSize: MIB } } });
  const bytes = bytesOf('big', 4 * MIB + 1);
  await pair.source.put('big', bytes);
  const sent: number[] = [];
  pair.faults.dest.around('uploadPart', async ({ part }, call) => {
    sent.push(part);
    return call();
  });
  let calls = 0;
  for (let stopped = true; stopped; calls++) {
    const stop = new AbortController();
    // The time is over as soon as the first part is on its way.
    const hear = (event: RunEvent): void => {
      if (event.type === 'progress') stop.abort();
    };
    ({ stopped } = await run(['big'], { stop: stop.signal, partSize: MIB }, hear));
  }
  expect(calls).toBe(6);
  expect(sent).toEqual([1, 2, 3, 4, 5]);
  expect((await contentOf(pair.dest, 'big')).equals(bytes)).toBe(true);
});
