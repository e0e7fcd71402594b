/** What every queue of tickets does. */
import { expect, it } from 'vitest';
import { type Claim, type TicketQueue, ticketId } from '../../../src/manifest/queues.js';

export const ticket = (key: string, revision: number, body = `body ${revision}`) => ({
  ...{ key, revision, body },
  id: ticketId({ key, revision }),
});
const ID = (key: string, revision: number): string => ticketId({ key, revision });
const LEASE = 1000;
const FAULT = { code: 'timeout', message: 'slow' };

/** @param make a new queue, which the suite does not close */
export function ticketSuite(make: () => Promise<TicketQueue>): void {
  const claim = (queue: TicketQueue, nowMs = 0, limit = 10) => queue.claim({ nowMs, leaseMs: LEASE, limit });
  const keysOf = (claims: readonly Claim[]) => claims.map(({ key }) => key).sort();

  it('keeps one ticket a key, the newest, in whichever order they come', async () => {
    const queue = await make();
    expect(await queue.add([ticket('a', 2), ticket('b', 1)])).toEqual([]);
    expect(await queue.add([ticket('a', 1), ticket('b', 3)])).toEqual([ID('a', 1)]);
    expect((await claim(queue)).map(({ id }) => id).sort()).toEqual([ID('a', 2), ID('b', 3)].sort());
    expect(await queue.states([ID('a', 1), ID('a', 2), ID('c', 9)])).toEqual(
      new Map([[ID('a', 2), { state: 'queued' }]]),
    );
  });

  it('drops a delete of what another source has written since, and nothing else', async () => {
    const queue = await make();
    const [from, other] = ['0000000000000001', '0000000000000002'];
    await queue.add([
      { ...ticket('a', 1), source: from },
      { ...ticket('b', 1), source: from },
      { ...ticket('c', 1), source: from },
      ticket('d', 1),
    ]);
    expect(await queue.add([{ ...ticket('a', 2), source: other }])).toEqual([]);
    expect(
      await queue.add([
        { ...ticket('a', 3), source: from, deletes: true },
        { ...ticket('b', 3), source: from, deletes: true },
        { ...ticket('c', 3), deletes: true },
        { ...ticket('d', 3), source: from, deletes: true },
        { ...ticket('e', 3), source: from, deletes: true },
      ]),
    ).toEqual([ID('a', 3)]);
    expect((await claim(queue)).map(({ id }) => id).sort()).toEqual(
      [ID('a', 2), ID('b', 3), ID('c', 3), ID('d', 3), ID('e', 3)].sort(),
    );
    expect(await queue.add([{ ...ticket('a', 4), source: other, deletes: true }])).toEqual([]);
  });

  it('gives tickets of one request that name one key to the newest', async () => {
    const queue = await make();
    expect(await queue.add([ticket('a', 3), ticket('a', 1), ticket('a', 2)])).toEqual([ID('a', 1), ID('a', 2)]);
    expect((await claim(queue)).map(({ id }) => id)).toEqual([ID('a', 3)]);
  });

  it('performs a settled ticket again only if it is repeated with a fresh URL, and never one that is done', async () => {
    const queue = await make();
    await queue.add([ticket('a', 1), ticket('b', 2)]);
    const claims = await claim(queue);
    const states = { a: 'done', b: 'expired' } as const;
    expect(await queue.settle(claims.map((one) => ({ ...one, state: one.key === 'a' ? states.a : states.b })))).toEqual(
      [],
    );
    expect(await claim(queue, 1e6)).toEqual([]);
    expect((await queue.states([ID('a', 1), ID('b', 2)])).get(ID('b', 2))).toEqual({ state: 'expired' });
    expect(await queue.add([ticket('a', 1, 'again'), ticket('b', 2, 'fresh')])).toEqual([ID('a', 1)]);
    expect(await claim(queue)).toMatchObject([{ key: 'b', id: ID('b', 2), body: 'fresh', attempts: 0 }]);
  });

  it('counts attempts on when a URL has ended before anything moved, and from the start when it served', async () => {
    const queue = await make();
    await queue.add([ticket('idle', 1), ticket('moved', 2), ticket('dead', 3)]);
    await queue.putBack(await claim(queue), 0, FAULT);
    const moved = { code: 'expired-url', message: 'half-way' };
    const results = (await claim(queue)).map((one) => {
      if (one.key === 'dead') return { ...one, state: 'dead' as const, fault: FAULT };
      return { ...one, state: 'expired' as const, ...(one.key === 'moved' && { fault: moved }) };
    });
    expect(await queue.settle(results)).toEqual([]);
    await queue.add([ticket('idle', 1, 'fresh'), ticket('moved', 2, 'fresh'), ticket('dead', 3, 'fresh')]);
    const again = await claim(queue);
    expect(Object.fromEntries(again.map(({ key, attempts }) => [key, attempts]))).toEqual({
      idle: 1,
      moved: 0,
      dead: 0,
    });
  });

  it('gives a ticket to one claimer, until its lease runs out, which counts as an attempt', async () => {
    const queue = await make();
    await queue.add([ticket('a', 1)]);
    const [first] = await claim(queue, 0);
    expect(first).toMatchObject({ key: 'a', body: 'body 1', attempts: 0 });
    expect(await claim(queue, LEASE - 1)).toEqual([]);
    expect(await queue.nextMs()).toBe(LEASE);
    const [second] = await claim(queue, LEASE);
    expect(second).toMatchObject({ key: 'a', attempts: 1 });
    if (!first || !second) throw new Error('no claim');
    // The former holder comes back late.
    expect(await queue.renew([first], 1e6)).toEqual([]);
    await queue.putBack([first], 0, FAULT);
    expect(await queue.settle([{ ...first, state: 'dead', fault: FAULT }])).toEqual([ID('a', 1)]);
    expect((await queue.states([ID('a', 1)])).get(ID('a', 1))).toEqual({ state: 'queued' });
    expect(await claim(queue, LEASE)).toEqual([]);
    expect(await queue.settle([{ ...second, state: 'done' }])).toEqual([]);
    expect(await queue.countWaiting()).toBe(0);
    expect(await queue.nextMs()).toBeUndefined();
  });

  it('what a wrong clock has put off for years is due once the clock is right', async () => {
    const [wrongMs, nowMs] = [Date.parse('2099-01-01'), Date.parse('2026-01-01')];
    const queue = await make();
    await queue.add([ticket('a', 1), ticket('b', 1)]);
    const [first, second] = await claim(queue, nowMs);
    if (!first || !second) throw new Error('no claims');
    await queue.putBack([first], wrongMs);
    await queue.putBack([second], nowMs + 600_000);
    await queue.add([ticket('c', 1)]);
    expect(keysOf(await claim(queue, nowMs, 1))).toEqual(['c']);
    expect(await queue.claim({ nowMs, leaseMs: LEASE, limit: 1, ids: [second.id] })).toEqual([]);
    expect(keysOf(await claim(queue, nowMs))).toEqual([first.key]);
    // Its lease is that of the right clock.
    expect(await claim(queue, nowMs)).toEqual([]);
  });

  it('extends a lease', async () => {
    const queue = await make();
    await queue.add([ticket('a', 1)]);
    const held = await queue.renew(await claim(queue), 5 * LEASE);
    expect(held).toMatchObject([{ key: 'a', body: 'body 1' }]);
    expect(await claim(queue, 5 * LEASE - 1)).toEqual([]);
    expect(await queue.settle(held.map((one) => ({ ...one, state: 'done' })))).toEqual([]);
  });

  it('keeps a newer ticket of a key until the older one is no longer performed', async () => {
    const queue = await make();
    await queue.add([ticket('a', 1), ticket('b', 1), ticket('c', 1)]);
    const held = new Map((await claim(queue)).map((one) => [one.key, one]));
    const [a, b] = [held.get('a'), held.get('b')];
    if (!a || !b) throw new Error('no claims');
    await queue.add([ticket('a', 2), ticket('b', 2), ticket('c', 2)]);
    expect(await claim(queue, LEASE - 1)).toEqual([]);
    // Whatever becomes of the older ones says nothing of the newer ones.
    expect(await queue.settle([{ ...a, state: 'dead', fault: FAULT }])).toEqual([ID('a', 1)]);
    await queue.putBack([b], 1e6, FAULT);
    const newer = await claim(queue, 0);
    expect(keysOf(newer)).toEqual(['a', 'b']);
    expect(newer).toMatchObject(newer.map(({ key }) => ({ id: ID(key, 2), body: 'body 2', attempts: 0 })));
    expect((await claim(queue, LEASE)).map(({ id }) => id)).toContain(ID('c', 2));
  });

  it('a fresh URL while the ticket is performed leaves it to its holder', async () => {
    const queue = await make();
    await queue.add([ticket('a', 1)]);
    const [held] = await claim(queue);
    expect(await queue.add([ticket('a', 1, 'fresh')])).toEqual([]);
    expect(await claim(queue, LEASE - 1)).toEqual([]);
    expect(held && (await queue.settle([{ ...held, state: 'done' }]))).toEqual([]);
    expect((await queue.states([ID('a', 1)])).get(ID('a', 1))).toEqual({ state: 'done' });
  });

  it('gives tickets back: with a fault as an attempt, without one as if nothing had been', async () => {
    const queue = await make();
    await queue.add([ticket('a', 1), ticket('b', 1)]);
    const held = await claim(queue);
    await queue.putBack(
      held.filter(({ key }) => key === 'a'),
      5000,
      FAULT,
    );
    await queue.putBack(
      held.filter(({ key }) => key === 'b'),
      0,
    );
    expect(await claim(queue, 0)).toMatchObject([{ key: 'b', attempts: 0 }]);
    expect((await queue.states([ID('a', 1)])).get(ID('a', 1))).toEqual({ state: 'queued', fault: FAULT });
    const later = await claim(queue, 5000);
    expect(later.map(({ key, attempts }) => `${key} ${attempts}`).sort()).toEqual(['a 1', 'b 1']);
  });

  it('gives out named tickets, if they are due', async () => {
    const queue = await make();
    await queue.add(['a', 'b', 'c'].map((key) => ticket(key, 1)));
    const ids = [ID('b', 1), ID('c', 2), ID('z', 1)];
    expect(keysOf(await queue.claim({ nowMs: 0, leaseMs: LEASE, limit: 10, ids }))).toEqual(['b']);
    expect(await queue.claim({ nowMs: 0, leaseMs: LEASE, limit: 10, ids })).toEqual([]);
    expect(keysOf(await claim(queue, 0, 1))).toHaveLength(1);
  });

  it('gives no ticket to two of many claimers, and each to one', async () => {
    const queue = await make();
    const keys = Array.from({ length: 12 }, (_, n) => `key ${n}`);
    await queue.add(keys.map((key) => ticket(key, 1)));
    const taken: string[] = [];
    const claimer = async (): Promise<void> => {
      for (let claims = await claim(queue, 0, 3); claims.length > 0; claims = await claim(queue, 0, 3)) {
        taken.push(...claims.map(({ key }) => key));
      }
    };
    await Promise.all(Array.from({ length: 4 }, claimer));
    expect(taken.sort()).toEqual([...keys].sort());
  });

  it('a newer ticket wins however many come at once', async () => {
    const queue = await make();
    const stale = await Promise.all([3, 1, 5, 2, 4].map((revision) => queue.add([ticket('a', revision)])));
    expect(stale[2]).toEqual([]);
    expect((await claim(queue)).map(({ id }) => id)).toEqual([ID('a', 5)]);
  });

  it('counts, and stops counting where it is told to', async () => {
    const queue = await make();
    await queue.add(['a', 'b', 'c'].map((key) => ticket(key, 1)));
    expect([await queue.countWaiting(), await queue.countWaiting(2)]).toEqual([3, 2]);
  });

  it('remembers nonces until their time', async () => {
    const queue = await make();
    expect(await queue.once('n', 100, 0)).toBe(true);
    expect(await queue.once('n', 100, 50)).toBe(false);
    expect(await queue.once('n', 300, 101)).toBe(true);
    const many = await Promise.all(Array.from({ length: 8 }, () => queue.once('m', 100, 0)));
    expect(many.filter(Boolean)).toHaveLength(1);
  });

  it('takes keys as they are', async () => {
    const queue = await make();
    const keys = ['ключ', 'a b', '../x', 'a/b//c', 'é', 'e\u0301', '\u{1F600}', 'k'.repeat(1024)];
    expect(await queue.add(keys.map((key) => ticket(key, 1)))).toEqual([]);
    expect(keysOf(await claim(queue))).toEqual([...keys].sort());
  });
}
