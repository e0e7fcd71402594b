/** --check-first and --order-by: when copies start, and in which order. */
import { describe, expect, test } from 'vitest';
import { orderOf } from '../../../src/open/order.js';
import { listUpsideDown } from '../support.js';
import { bytesOf, keysOf, Pair, sync, synced, told } from '../sync.js';

const ONE_BY_ONE = { transfers: 1 };

/** Keys in the order of their puts, and the lists among them. */
function calls(pair: Pair): string[] {
  const seen: string[] = [];
  pair.faults.source.before('list', () => seen.push('list'));
  pair.faults.dest.before('put', ({ key = '' }) => seen.push(key));
  return seen;
}

async function filled(): Promise<Pair> {
  const pair = new Pair({ source: { clock: clock() } });
  for (const [key, size] of [
    ['b', 30],
    ['a', 10],
    ['d.md5', 5],
    ['c.tar', 20],
  ] as const) {
    await pair.source.put(key, bytesOf(key, size));
  }
  return pair;
}

/** A second later each time. */
function clock(): () => number {
  let now = 1_700_000_000_000;
  return () => (now += 1000);
}

describe('--order-by', () => {
  test.each([
    ['size', ['d.md5', 'a', 'c.tar', 'b']],
    ['size,desc', ['b', 'c.tar', 'a', 'd.md5']],
    ['modtime,ascending', ['b', 'a', 'd.md5', 'c.tar']],
    ['modtime,descending', ['c.tar', 'd.md5', 'a', 'b']],
    ['name', ['a', 'b', 'c.tar', 'd.md5']],
    ['name,desc', ['d.md5', 'c.tar', 'b', 'a']],
    ['pattern,*.tar,*.md5', ['c.tar', 'd.md5', 'a', 'b']],
  ])('%s', async (text, keys) => {
    const pair = await filled();
    const order = calls(pair);
    await pair.copy({ ...ONE_BY_ONE, order: await orderOf(text) });
    expect(order.filter((call) => call !== 'list')).toEqual(keys);
  });

  test('a dry run shows the order, and changes nothing', async () => {
    const pair = await filled();
    const run = await pair.copy({ dryRun: true, order: await orderOf('size,desc') });
    expect(told(run, 'plan')).toEqual(['b', 'c.tar', 'a', 'd.md5']);
    expect(await keysOf(pair.dest)).toEqual([]);
  });

  test('--max-transfer cuts off the end of the order', async () => {
    const pair = await filled();
    const limit = { maxTransfer: 50, cutoffMode: 'cautious' as const };
    const run = await pair.copy({ ...ONE_BY_ONE, ...limit, order: await orderOf('size,desc') });
    expect(run.stopped).toBe('max-transfer');
    expect(await keysOf(pair.dest)).toEqual(['b', 'c.tar']);
  });
});

test('with --check-first nothing is copied before both sides are listed, and the deletes come after it', async () => {
  const pair = await synced(['gone', 'a1', 'a2', 'z'], ['gone']);
  for (let n = 0; n < 1500; n++) await pair.source.put(`k${n}`, bytesOf('k', 1));
  const order = calls(pair);
  pair.faults.dest.before('delete', () => order.push('delete'));
  await sync(pair, { checkFirst: true });
  expect(order.lastIndexOf('list')).toBeLessThan(order.indexOf('k0'));
  expect(order.at(-1)).toBe('delete');
  expect(order.filter((call) => call.startsWith('k'))).toHaveLength(1500);
});

test('a source that lists out of order is sorted, and each object is copied once', async () => {
  const pair = new Pair({ source: { capabilities: { orderedListing: 'unknown' } } });
  for (const key of ['a', 'b', 'c', 'd']) await pair.source.put(key, bytesOf(key, 5));
  listUpsideDown(pair.faults.source);
  const order = calls(pair);
  await pair.copy({ ...ONE_BY_ONE, order: await orderOf('name,desc') });
  expect(order.filter((call) => call !== 'list')).toEqual(['d', 'c', 'b', 'a']);
});
