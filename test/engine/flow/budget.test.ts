import { describe, expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/engine/flow/budget.js';

const KiB = 1024;

describe('the memory budget', () => {
  test('holds back what does not fit and grants it in order of arrival', async () => {
    const budget = new MemoryBudget(100 * KiB);
    const first = await budget.lease(80 * KiB);
    const order: string[] = [];
    const second = budget.lease(40 * KiB).then((lease) => {
      order.push('second');
      return lease;
    });
    const third = budget.lease(10 * KiB).then((lease) => {
      order.push('third');
      return lease;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    expect(budget.used).toBe(80 * KiB);
    first.release();
    (await second).release();
    (await third).release();
    expect(order).toEqual(['second', 'third']);
    expect(budget.used).toBe(0);
  });

  test('gives what nobody need wait for, and nothing past those who wait', async () => {
    const budget = new MemoryBudget(100 * KiB);
    const first = await budget.lease(60 * KiB);
    budget.tryLease(40 * KiB)?.release();
    expect(budget.used).toBe(60 * KiB);
    expect(budget.tryLease(41 * KiB)).toBeUndefined();
    const waiting = budget.lease(80 * KiB);
    expect(budget.tryLease(KiB)).toBeUndefined();
    first.release();
    (await waiting).release();
    expect(budget.used).toBe(0);
  });

  test('lets one request beyond the limit through when nothing else is out, or a large part could never go', async () => {
    const budget = new MemoryBudget(10);
    const lease = await budget.lease(1000);
    expect(lease.bytes.byteLength).toBe(1000);
    lease.release();
  });

  test('gives the same memory again, of exactly the size asked for', async () => {
    const budget = new MemoryBudget(10_000 * KiB);
    const first = await budget.lease(1000 * KiB);
    const memory = first.bytes.buffer;
    first.release();
    const second = await budget.lease(1000 * KiB - 3);
    expect(second.bytes.buffer).toBe(memory);
    expect(second.bytes.byteLength).toBe(1000 * KiB - 3);
  });

  test('a lease released twice counts once', async () => {
    const budget = new MemoryBudget(100);
    const lease = await budget.lease(60);
    lease.release();
    lease.release();
    expect(budget.used).toBe(0);
  });
});
