/** --track-renames: what the destination has under another key is copied there, and not sent. */
import { describe, expect, test } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { contentOf } from '../support.js';
import { bytesOf, keysOf, Pair, type SyncOptions, sync } from '../sync.js';

const TRACKING: SyncOptions = { trackRenames: true, deletes: { max: { percent: 100 } } };
const KiB = 1024;

/** `old/0` to `old/4` and `stays` on both sides. */
async function synced(pair = new Pair(), size = 1000): Promise<Pair> {
  for (let n = 0; n < 5; n++) await pair.source.put(`old/${n}`, bytesOf(`${n}`, size));
  await pair.source.put('stays', bytesOf('stays', 100));
  await sync(pair);
  return pair;
}

async function rename(pair: Pair, from: string, to: string, options = {}): Promise<void> {
  await pair.source.put(to, await contentOf(pair.source, from), options);
  await pair.source.delete([from]);
}

async function renamed(pair = new Pair(), size = 1000): Promise<Pair> {
  await synced(pair, size);
  for (let n = 0; n < 5; n++) await rename(pair, `old/${n}`, `new/${n}`);
  return pair;
}

async function expectEqual(pair: Pair): Promise<void> {
  expect(await keysOf(pair.dest)).toEqual(await keysOf(pair.source));
  for (const key of await keysOf(pair.source)) {
    expect((await contentOf(pair.dest, key)).equals(await contentOf(pair.source, key)), key).toBe(true);
  }
}

test('a renamed folder sends no bytes', async () => {
  const pair = await renamed();

  const { traffic, copied, deleted, renamed: notSent, verified, events } = await sync(pair, TRACKING);

  expect(traffic.source).toMatchObject({ requests: { list: 1, head: 10 }, bytesIn: 0 });
  expect(traffic.destination).toEqual({ requests: { list: 1, copy: 5, delete: 1 }, bytesIn: 0, bytesOut: 0 });
  expect(copied).toEqual({ objects: 5, bytes: 5000 });
  expect(notSent).toEqual({ objects: 5, bytes: 5000 });
  expect(deleted.objects).toBe(5);
  expect(verified).toEqual({ server: 5 });
  expect(events).toContainEqual(expect.objectContaining({ type: 'copied', key: 'new/3', from: 'old/3' }));
  await expectEqual(pair);
  const again = await sync(pair, TRACKING);
  expect(again.skipped.byReason).toEqual({ unchanged: 6 });
  expect(again.renamed).toBeUndefined();
});

test('without the option, the bytes are sent', async () => {
  const pair = await renamed();
  const { traffic, renamed: notSent } = await sync(pair, { deletes: TRACKING.deletes });
  expect(traffic.destination.bytesOut).toBe(5000);
  expect(notSent).toBeUndefined();
});

test('a dry run says from which key, and prices no bytes', async () => {
  const pair = await renamed();

  const { planned, events, renamed: notSent } = await sync(pair, { ...TRACKING, dryRun: true });

  expect(notSent).toEqual({ objects: 5, bytes: 5000 });
  expect(planned?.destination).toMatchObject({ copy: 5 });
  expect(planned?.destination.put).toBeUndefined();
  expect(planned?.source).toMatchObject({ head: 10 });
  expect(events).toContainEqual(expect.objectContaining({ type: 'plan', key: 'new/0', from: 'old/0' }));
  expect(await keysOf(pair.dest)).toContain('old/0');
});

test.each([{ checkFirst: true }, { order: ({ key }: { key: string }) => key }])(
  'what waits is renamed, too: %j',
  async (how) => {
    const pair = await renamed();
    const { traffic } = await sync(pair, { ...TRACKING, ...how });
    expect(traffic.destination.bytesOut).toBe(0);
    await expectEqual(pair);
  },
);

test('a large object is copied in parts', async () => {
  const pair = await renamed(new Pair({ dest: { capabilities: { maxCopySize: 200 * KiB } } }), 500 * KiB);

  const { traffic } = await sync(pair, TRACKING);

  expect(traffic.destination.requests).toMatchObject({ createUpload: 5, uploadPartCopy: 25, completeUpload: 5 });
  expect(traffic.destination.bytesOut).toBe(0);
  await expectEqual(pair);
});

test('the attributes are those of the new key', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 50), { headers: { contentType: 'text/plain' }, metadata: { was: 'a' } });
  await sync(pair);
  await rename(pair, 'a', 'b', { headers: { contentType: 'text/html' }, metadata: { is: 'b' } });

  await sync(pair, TRACKING);

  const { headers, metadata } = await pair.dest.head('b');
  expect(headers.contentType).toBe('text/html');
  expect(metadata).toMatchObject({ is: 'b' });
  expect(metadata).not.toHaveProperty('was');
});

test('tags of the old object do not go along', async () => {
  const pair = await synced();
  await pair.dest.putTags('old/0', [{ key: 'a', value: 'b' }]);
  await rename(pair, 'old/0', 'new/0');

  const { renamed: notSent } = await sync(pair, TRACKING);

  expect(notSent?.objects).toBe(1);
  expect(await pair.dest.getTags('new/0')).toEqual([]);
});

describe('the bytes are sent', () => {
  test('if somebody has changed the old object at the destination', async () => {
    const pair = await renamed();
    await pair.dest.put('old/1', bytesOf('stranger', 1000));

    const { renamed: notSent, traffic, failed, events } = await sync(pair, TRACKING);

    expect(notSent?.objects).toBe(4);
    expect(traffic.destination.bytesOut).toBe(1000);
    expect(failed.objects).toBe(0);
    expect(events.filter(({ type }) => type === 'restart')).toEqual([]);
    expect(await contentOf(pair.dest, 'new/1')).toEqual(await contentOf(pair.source, 'new/1'));
    expect(await contentOf(pair.dest, 'old/1')).toEqual(Buffer.from(bytesOf('stranger', 1000)));
  });

  test('if somebody has changed it, and the store ignores the condition', async () => {
    const pair = await renamed(new Pair({ dest: { capabilities: { pinsCopies: undefined } } }));
    await pair.dest.put('old/1', bytesOf('stranger', 1000));

    const { renamed: notSent, failed } = await sync(pair, TRACKING);

    expect(notSent?.objects).toBe(4);
    expect(failed.objects).toBe(0);
    expect(await contentOf(pair.dest, 'new/1')).toEqual(await contentOf(pair.source, 'new/1'));
  });

  test('if the old object is gone', async () => {
    const pair = await renamed();
    await pair.dest.delete(['old/2']);
    const { renamed: notSent, failed } = await sync(pair, TRACKING);
    expect([notSent?.objects, failed.objects]).toEqual([4, 0]);
    await expectEqual(pair);
  });

  test.each(['access-denied', 'unsupported', 'timeout'] as const)('if the copy fails: %s', async (code) => {
    const pair = await renamed();
    pair.faults.dest.fail('copy', new XsyncError(code, 'no'));
    const { renamed: notSent, failed, copied } = await sync(pair, TRACKING);
    expect([notSent, failed.objects, copied.objects]).toEqual([undefined, 0, 5]);
    await expectEqual(pair);
  });

  test('if only size and time proved the row', async () => {
    const pair = await renamed();
    const row = pair.manifest.get('old/0');
    if (row) pair.manifest.commit([{ ...row, verifiedBy: 'size' }]);
    const { renamed: notSent } = await sync(pair, TRACKING);
    expect(notSent?.objects).toBe(4);
  });

  test('if it was renamed and changed', async () => {
    const pair = await renamed();
    await pair.source.put('new/0', bytesOf('changed', 1000));
    const { renamed: notSent } = await sync(pair, TRACKING);
    expect(notSent?.objects).toBe(4);
    await expectEqual(pair);
  });

  test('if two names were swapped', async () => {
    const pair = await synced();
    const [zero, one] = [await contentOf(pair.source, 'old/0'), await contentOf(pair.source, 'old/1')];
    await pair.source.put('old/0', one);
    await pair.source.put('old/1', zero);
    const { renamed: notSent, traffic } = await sync(pair, TRACKING);
    expect(notSent).toBeUndefined();
    expect(traffic.destination.bytesOut).toBe(2000);
    await expectEqual(pair);
  });

  test('if the destination cannot copy, which it says', async () => {
    const pair = await renamed(new Pair({ dest: { capabilities: { maxCopySize: 0 } } }));
    const { renamed: notSent, events } = await sync(pair, TRACKING);
    expect(notSent).toBeUndefined();
    const message = '--track-renames has no effect: memory:dst cannot copy objects';
    expect(events).toContainEqual({ type: 'notice', level: 'warn', message });
    await expectEqual(pair);
  });
});

test('an answer that was lost leaves the right object', async () => {
  const pair = await renamed();
  pair.faults.dest.around('copy', async (_, run) => {
    await run();
    throw new XsyncError('timeout', 'no answer');
  });
  const { failed } = await sync(pair, TRACKING);
  expect(failed.objects).toBe(0);
  await expectEqual(pair);
});

test('the old name may be used again in the same run', async () => {
  const pair = await renamed();
  await pair.source.put('old/0', bytesOf('another', 700));
  const { failed } = await sync(pair, TRACKING);
  expect(failed.objects).toBe(0);
  await expectEqual(pair);
});

describe('a local source', () => {
  const local = () => new Pair({ source: { capabilities: { local: true, keepsMtime: true } } });

  test('is hashed where a row has the same size', async () => {
    const pair = await renamed(local());
    await pair.source.put('new/other-size', bytesOf('x', 999));

    const { renamed: notSent, traffic } = await sync(pair, TRACKING);

    expect(notSent?.objects).toBe(5);
    expect(traffic.destination.bytesOut).toBe(999);
    // Each renamed file once, and the other one once.
    expect(traffic.source.requests.read).toBe(6);
    await expectEqual(pair);
    // The checksum went along with the row.
    for (let n = 0; n < 5; n++) await rename(pair, `new/${n}`, `newer/${n}`);
    expect((await sync(pair, TRACKING)).renamed?.objects).toBe(5);
    await expectEqual(pair);
  });

  test('of the same size and another content is sent', async () => {
    const pair = await synced(local());
    await pair.source.put('new/0', bytesOf('other', 1000));
    const { renamed: notSent, copied } = await sync(pair, TRACKING);
    expect([notSent, copied.objects]).toEqual([undefined, 1]);
    await expectEqual(pair);
  });
});
