import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { FarAccount, Ledger, SharedCount } from '../../../src/engine/flow/account.js';
import { MemoryBudget } from '../../../src/engine/flow/budget.js';

/** The account of the deciding thread, and that of another one over the same memory. */
function accounts(limit: number): { near: Ledger; far: FarAccount } {
  const count = new SharedCount();
  const near = new Ledger(limit, count);
  const there = new SharedCount(count.memory);
  const far = new FarAccount(
    limit,
    there,
    (size) => near.wait(size),
    () => near.look(),
  );
  return { near, far };
}

describe('an account that two threads share', () => {
  test('counts what both have taken', () => {
    const { near, far } = accounts(100);
    expect(near.take(60)).toBe(true);
    expect(far.take(41)).toBe(false);
    expect(far.take(40)).toBe(true);
    expect([near.used, far.used]).toEqual([100, 100]);
    near.give(60);
    expect(far.used).toBe(40);
  });

  test('grants a single larger request when nothing else is taken', () => {
    const { near, far } = accounts(100);
    expect(far.take(500)).toBe(true);
    expect(near.take(1)).toBe(false);
    far.give(500);
    expect(near.take(1)).toBe(true);
  });

  test('grants in order of arrival, whoever gives bytes back', async () => {
    const { near, far } = accounts(100);
    const order: string[] = [];
    expect(far.take(100)).toBe(true);
    const waits = [near.wait(80).then(() => order.push('near')), far.wait(30).then(() => order.push('far'))];
    // Nobody overtakes those who wait.
    far.give(50);
    expect(far.take(10)).toBe(false);
    expect(near.take(10)).toBe(false);
    far.give(50);
    await turn();
    expect(order).toEqual(['near']);
    near.give(80);
    await Promise.all(waits);
    expect(order).toEqual(['near', 'far']);
    expect(near.used).toBe(30);
  });

  test('is that of two budgets', async () => {
    const { near, far } = accounts(300_000);
    const [here, there] = [near, far].map((account) => new MemoryBudget(300_000, { account, threads: 2 }));
    const lease = await here?.lease(200_000);
    expect(there?.tryLease(200_000)).toBeUndefined();
    const waiting = there?.lease(200_000);
    lease?.release();
    expect((await waiting)?.bytes.byteLength).toBe(200_000);
    expect(here?.used).toBe(200_000);
  });
});
