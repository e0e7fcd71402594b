import { describe, expect, test } from 'vitest';
import { FairShares, sharing } from '../../../src/engine/flow/fair.js';
import { limiter } from '../../../src/engine/flow/queue.js';

/** Takes one unit after the other until none is granted. */
function fill(member: ReturnType<FairShares['join']>): number {
  while (member.take(1)) {
    // It holds one more.
  }
  return member.used;
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('fair shares', () => {
  test('a member that is alone has everything', () => {
    expect(fill(new FairShares(12).join())).toBe(12);
  });

  test('one that gives nothing back leaves half, and each further one less', () => {
    const shares = new FairShares(12);
    const [a, b, c] = [shares.join(), shares.join(), shares.join()];
    expect(fill(a)).toBe(6);
    expect(fill(b)).toBe(3);
    expect(fill(c)).toBe(2);
    b.give(3);
    expect(fill(c)).toBe(3);
  });

  test('what can be done without is not taken while somebody waits', async () => {
    const shares = new FairShares(4);
    const held = shares.join(1, (size) => held.used > 0 && held.give(Math.min(size, held.used)));
    const [a, b] = [shares.join(), shares.join()];
    expect(b.take(1)).toBe(true);
    const whole = a.wait(4);
    expect(held.take(1)).toBe(false);
    b.give(1);
    await whole;
    expect(a.used).toBe(4);
  });

  test('when one leaves, the rest is for the others', async () => {
    const shares = new FairShares(4);
    const [a, b] = [shares.join(), shares.join()];
    expect(fill(a)).toBe(2);
    const more = a.wait(2);
    b.leave();
    await more;
    expect(a.used).toBe(4);
  });

  test('of those that wait, the one with the least is next, and the order of one member stays', async () => {
    const shares = new FairShares(4);
    const [a, b, c] = [shares.join(), shares.join(), shares.join()];
    const order: string[] = [];
    fill(a);
    fill(b);
    expect(c.take(2)).toBe(false);
    for (const [name, member] of [
      ['a1', a],
      ['a2', a],
      ['b1', b],
      ['c1', c],
    ] as const) {
      void member.wait(1).then(() => order.push(name));
    }
    await tick();
    const before = [...order];
    a.give(1);
    a.give(1);
    await tick();
    expect(before).toEqual(['c1']);
    expect(order).toEqual(['c1', 'a1']);
  });

  test('a single larger request is granted when nothing else is', async () => {
    const shares = new FairShares(4);
    const [a, b] = [shares.join(), shares.join()];
    expect(a.take(10)).toBe(true);
    const waiting = b.wait(9);
    a.give(10);
    await waiting;
    expect(b.used).toBe(9);
  });

  test('many small requests do not keep a large one waiting for ever', async () => {
    const shares = new FairShares(100);
    const [small, large] = [shares.join(), shares.join()];
    expect(small.take(30)).toBe(true);
    let granted = false;
    void large.wait(80).then(() => {
      granted = true;
    });
    let passed = 0;
    for (; passed < 1000 && !granted; passed++) {
      const more = small.wait(10);
      small.give(10);
      // It waits until the large one has had its turn.
      if (!(await Promise.race([more.then(() => true), tick().then(() => false)]))) break;
    }
    small.give(20);
    await tick();
    expect(granted).toBe(true);
    expect(passed).toBeLessThan(100);
  });

  test('a member may have a limit of its own', () => {
    const shares = new FairShares(100);
    const [a] = [shares.join(10), shares.join()];
    expect(a.most).toBe(10);
    expect(fill(a)).toBe(10);
  });
});

test('a member that can do without gives back what another one waits for', async () => {
  const shares = new FairShares(100);
  const yielded: number[] = [];
  const holder = shares.join(50, (size) => {
    yielded.push(size);
    holder.give(30);
  });
  const needy = shares.join();
  expect([holder.take(30), needy.take(80)]).toEqual([true, false]);
  await needy.wait(80);
  expect([yielded, holder.used, needy.used]).toEqual([[80], 0, 80]);
});

test('a limiter of a member runs as many tasks as both allow', async () => {
  const shares = new FairShares(6);
  const [a, b] = [sharing(limiter(10), shares.join()), sharing(limiter(2), shares.join())];
  let running = 0;
  const open: (() => void)[] = [];
  const task = async (): Promise<void> => {
    running++;
    await new Promise<void>((resolve) => open.push(resolve));
    running--;
  };
  const all = Array.from({ length: 5 }, () => [a(task), b(task)]).flat();
  await tick();
  expect(running).toBe(2 + 2);
  expect([a.concurrency, b.pendingCount]).toEqual([10, 3]);
  b.concurrency = 1;
  expect(b.concurrency).toBe(1);
  while (open.length > 0) {
    for (const end of open.splice(0)) end();
    await tick();
  }
  await Promise.all(all);
  expect(running).toBe(0);
});
