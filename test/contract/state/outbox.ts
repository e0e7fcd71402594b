/** What every outbox does. */
import { expect, it } from 'vitest';
import type { Change, Move, Outbox } from '../../../src/manifest/queues.js';

const change = (key: string, etag = 'e'): Change => ({ key, action: 'copy', etag, size: 1, mtimeMs: 2 });
const keysOf = (rows: readonly { key: string }[]) => rows.map(({ key }) => key);

/** @param make a new outbox, or that of before */
export function outboxSuite(make: (how?: { again: true }) => Promise<Outbox>): void {
  it('waits with growing revisions, also after a restart', async () => {
    const first = await make();
    await first.note([change('b'), change('a')], 'waiting');
    const before = await first.due(0, 10);
    expect(keysOf(before)).toEqual(['b', 'a']);
    const outbox = await make({ again: true });
    await outbox.note([{ ...change('b', 'e2'), versionId: 'v', since: before[0]?.revision }], 'waiting');
    const row = await outbox.get('b');
    expect(row).toMatchObject({ etag: 'e2', versionId: 'v', state: 'waiting', attempts: 0 });
    expect(row?.revision).toBeGreaterThan(before[0]?.revision ?? Number.POSITIVE_INFINITY);
    expect(keysOf(await outbox.page('a', 10))).toEqual(['b']);
    expect(await outbox.get('c')).toBeUndefined();
  });

  it('is not moved on by the answer to an older change', async () => {
    const outbox = await make();
    await outbox.note([change('a')], 'waiting');
    const [old] = await outbox.due(0, 1);
    await outbox.note([{ ...change('a', 'e2'), since: old?.revision }], 'waiting');
    // Nor is an older change noted over a newer one.
    const late = [{ ...change('a', 'e3'), since: old?.revision }, change('a'), change('b')];
    expect(await outbox.note(late, 'waiting')).toEqual(['a', 'a']);
    if (old) await outbox.move([{ ...old, state: 'done' }]);
    expect(await outbox.get('a')).toMatchObject({ etag: 'e2', state: 'waiting' });
  });

  it('passes rows from waiting to sent and done, and what failed waits until its time', async () => {
    const outbox = await make();
    await outbox.note([change('a'), change('b')], 'waiting');
    const [a, b] = await outbox.due(0, 10);
    if (!a || !b) throw new Error('nothing is due');
    await outbox.move([{ ...a, state: 'sent', attempts: 1, untilMs: 7 }]);
    const fault = { code: 'timeout', message: 'slow' };
    await outbox.move([{ ...b, state: 'waiting', attempts: 2, untilMs: 5000, fault }]);
    expect([keysOf(await outbox.sent(10)), await outbox.countSent()]).toEqual([['a'], 1]);
    expect([await outbox.due(4999, 10), await outbox.nextMs()]).toEqual([[], 5000]);
    expect(await outbox.due(5000, 10)).toMatchObject([{ key: 'b', attempts: 2, fault }]);
    await outbox.move([{ ...a, state: 'done' }]);
    expect([await outbox.countSent(), await outbox.isIdle()]).toEqual([0, false]);
    await outbox.move([{ ...b, state: 'done' }]);
    expect([await outbox.isIdle(), await outbox.nextMs()]).toEqual([true, undefined]);
  });

  it('what a wrong clock has put off for years is due once the clock is right', async () => {
    const [wrongMs, nowMs] = [Date.parse('2099-01-01'), Date.parse('2026-01-01')];
    const outbox = await make();
    await outbox.note([change('a'), change('b'), change('c')], 'waiting');
    const [a, b, c] = await outbox.due(nowMs, 3);
    if (!a || !b || !c) throw new Error('nothing is due');
    await outbox.move([
      { ...a, untilMs: wrongMs },
      { ...b, untilMs: nowMs + 600_000 },
    ]);
    expect(keysOf(await outbox.due(nowMs, 1))).toEqual(['c']);
    await outbox.move([{ ...c, state: 'sent' }]);
    expect(keysOf(await outbox.due(nowMs, 9))).toEqual(['a']);
  });

  it('gives rows up with the reason, and replays them', async () => {
    const outbox = await make();
    await outbox.note([change('a'), change('b'), change('c')], 'waiting');
    for (const row of await outbox.due(0, 2)) {
      await outbox.move([{ ...row, state: 'dead', fault: { code: 'x', message: 'why' } }]);
    }
    expect((await outbox.dead({ key: 'a' }, 10)).map(({ key, fault }) => [key, fault?.message])).toEqual([
      ['b', 'why'],
    ]);
    expect((await outbox.counts()).objects).toEqual({ known: 0, waiting: 1, sent: 0, done: 0, dead: 2 });
    expect([await outbox.isIdle(), await outbox.countSent()]).toEqual([false, 0]);
    expect(await outbox.replay(['b', 'c'])).toBe(1);
    expect(await outbox.replay()).toBe(1);
    expect((await outbox.due(0, 10)).map(({ key, attempts }) => [key, attempts])).toEqual([
      ['c', 0],
      ['b', 0],
      ['a', 0],
    ]);
  });

  it('replays what waits after a failure here or at the other end, and nothing that is on its way', async () => {
    const outbox = await make();
    await outbox.note(
      ['here', 'there', 'sent', 'new'].map((key) => change(key)),
      'waiting',
    );
    const rows = new Map((await outbox.due(0, 9)).map((row) => [row.key, row]));
    const move = (key: string, to: Partial<Move>) => {
      const row = rows.get(key);
      return row ? [{ ...row, attempts: 3, ...to }] : [];
    };
    const fault = { code: 'access-denied', message: 'why' };
    await outbox.move([
      ...move('here', { untilMs: 5_000, fault }),
      ...move('there', { state: 'sent', fault }),
      ...move('sent', { state: 'sent' }),
    ]);
    expect(await outbox.replay()).toBe(2);
    // What is heard of the former ticket by then no longer counts.
    await outbox.move(move('there', { state: 'sent', fault }));
    const due = (await outbox.due(0, 9)).map(({ key, attempts }) => [key, attempts]);
    expect(due.sort()).toEqual([
      ['here', 0],
      ['new', 0],
      ['there', 0],
    ]);
    expect([await outbox.replay(), await outbox.replay(['sent', 'here'])]).toEqual([0, 0]);
  });

  it('has its rows in the order of the bytes of their keys', async () => {
    const outbox = await make();
    const keys = ['a', 'a!', 'a/b', 'aa', '../x', 'é', '\u{1F600}', '\uFFFD', 'z'.repeat(400)];
    await outbox.note(
      keys.map((key) => change(key)),
      'known',
    );
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const found: string[] = [];
    for (let after: string | undefined; ; after = found.at(-1)) {
      const page = await outbox.page(after, 2);
      if (page.length === 0) break;
      found.push(...keysOf(page));
    }
    expect(found).toEqual(sorted);
    expect(await outbox.isIdle()).toBe(true);
  });

  it('lets one of many note a change', async () => {
    const outbox = await make();
    const left = await Promise.all(['1', '2', '3', '4'].map((etag) => outbox.note([change('a', etag)], 'waiting')));
    expect(left.flat()).toEqual(['a', 'a', 'a']);
    expect(await outbox.due(0, 10)).toHaveLength(1);
  });

  it('remembers facts', async () => {
    const outbox = await make();
    expect(await outbox.fact('x')).toBeUndefined();
    await outbox.setFact('x', '1');
    await outbox.setFact('x', '2');
    expect(await outbox.fact('x')).toBe('2');
  });
}
