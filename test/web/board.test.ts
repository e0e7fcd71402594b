import { describe, expect, test } from 'vitest';
import { Board, type Retrying } from '../../src/web/board.js';
import { SUMMARY } from '../observe/events.js';
import { boardPair, manifestWith } from './support.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('figures', () => {
  test('are read once for all who look, and again when they are old', async () => {
    let reads = 0;
    let clockMs = 0;
    const manifest = manifestWith(['a']);
    const board = new Board({ clock: () => clockMs });
    const counting = boardPair('r', manifest, {
      read: async (look) => {
        reads++;
        clockMs += 100;
        return look(manifest);
      },
    });
    board.set([counting]);
    const [first, second] = await Promise.all([board.shown(), board.shown()]);
    expect([first[0]?.status?.failed.objects, second[0]?.status?.failed.objects, reads]).toEqual([1, 1, 1]);
    // Reading took a tenth of a second, so that it is due after five.
    clockMs += 4999;
    await board.shown();
    expect(reads).toBe(1);
    clockMs += 1;
    await board.shown();
    expect(reads).toBe(2);
  });

  test('are there although another manifest cannot be read, which is told', async () => {
    const board = new Board();
    const broken = boardPair('broken', undefined, { read: () => Promise.reject(new Error('damaged')) });
    board.set([broken, boardPair('new', undefined), boardPair('good', manifestWith([]))]);
    const [one, two, three] = await board.shown();
    expect(one).toMatchObject({ id: 'broken', trouble: { message: expect.stringContaining('damaged') } });
    expect([two?.status, two?.trouble]).toEqual([undefined, undefined]);
    expect(three?.status?.failed.objects).toBe(0);
  });

  test('of rules that are read again while figures are read are read next', async () => {
    const clock = () => 0;
    const board = new Board({ clock });
    board.set([boardPair('old', manifestWith([]))]);
    const reading = board.shown();
    board.set([boardPair('old', manifestWith([])), boardPair('new', manifestWith(['a']))]);
    await reading;
    const shown = await board.shown();
    expect(shown.map(({ id, status }) => [id, status?.failed.objects])).toEqual([
      ['old', 0],
      ['new', 1],
    ]);
  });

  test('and the lag of the day go on when the clock is set back', async () => {
    let nowMs = 10 * 3_600_000;
    let clockMs = 0;
    let courses = 0;
    const manifest = manifestWith([]);
    const board = new Board({ now: () => nowMs, clock: () => clockMs });
    const counting = new Proxy(manifest, {
      get(target, name) {
        if (name === 'lagCourse') courses++;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    board.set([boardPair('r', counting)]);
    await board.shown();
    nowMs -= 3_600_000;
    clockMs += 60_000;
    await board.shown();
    expect(courses).toBe(2);
  });

  test('of pairs that stay are kept when others come and go; what has changed begins anew', async () => {
    const board = new Board();
    board.set([boardPair('stays', manifestWith([])), boardPair('changes', manifestWith([]))]);
    const trouble = { type: 'trouble', code: 'network', message: 'no way' } as const;
    board.hear('stays', trouble);
    board.hear('changes', trouble);
    board.hear('stranger', trouble);
    board.set([
      boardPair('new', undefined),
      boardPair('stays', manifestWith([])),
      boardPair('changes', manifestWith([]), { fingerprint: 'other' }),
    ]);
    const shown = await board.shown();
    expect(shown.map(({ id, trouble: now }) => [id, now?.message])).toEqual([
      ['new', undefined],
      ['stays', 'no way'],
      ['changes', undefined],
    ]);
    board.hear('stays', { type: 'well', afterMs: 1 });
    expect((await board.one('stays'))?.trouble).toBeUndefined();
    expect(await board.one('stranger')).toBeUndefined();
  });
});

describe('a retry', () => {
  /** A run that the test ends. */
  function running() {
    const asked: string[] = [];
    let end: (how: { stopped?: 'interrupted' } | Error) => void = () => {};
    const run: Retrying = async (batches, hear) => {
      for await (const keys of batches(manifest)) asked.push(...keys);
      hear({ ...{ type: 'skip', key: 'x', size: 1 }, reason: 'filtered' });
      return new Promise((resolve, reject) => {
        end = (how) => (how instanceof Error ? reject(how) : resolve({ ...SUMMARY, ...how }));
      });
    };
    const manifest = manifestWith(['a', 'b', 'c']);
    manifest.dropFailures(['c']);
    const board = new Board({ now: () => 5000 });
    board.set([boardPair('r', manifest, { retry: () => run })]);
    return { board, asked, end: (how: Parameters<typeof end>[0] = {}) => end(how) };
  }

  test('is about everything except what was given up, and one at a time', async () => {
    const { board, asked, end } = running();
    expect(board.retry('r')).toBe('started');
    await settled();
    expect(board.retry('r')).toBe('in progress');
    expect(asked).toEqual(['a', 'b']);
    expect((await board.one('r'))?.retry).toEqual({ sinceMs: 5000, key: undefined, copied: 0, failed: 0, rest: 1 });
    end();
    await settled();
    expect((await board.one('r'))?.retry).toMatchObject({ endedMs: 5000, rest: 1 });
    expect(board.retry('r')).toBe('started');
  });

  test('of one key is about that one, although it was given up; of one that did not fail about none', async () => {
    for (const [key, keys] of [
      ['c', ['c']],
      ['stranger', []],
    ] as const) {
      const { board, asked } = running();
      expect(board.retry('r', key)).toBe('started');
      await settled();
      expect(asked).toEqual(keys);
    }
  });

  test('says why it ended early', async () => {
    for (const [how, said] of [
      [new Error('the bucket is gone'), expect.stringContaining('the bucket is gone')],
      [{ stopped: 'interrupted' as const }, 'it was stopped'],
    ] as const) {
      const { board, end } = running();
      board.retry('r');
      await settled();
      end(how);
      await settled();
      expect((await board.one('r'))?.retry).toMatchObject({ endedMs: 5000, error: said });
    }
  });

  test('is refused of a mirror, of a pair that is not open, and of a stranger', () => {
    const board = new Board();
    board.set([
      boardPair('mirror', undefined, { mode: 'mirror', retry: () => undefined }),
      boardPair('closed', undefined, { retry: () => undefined }),
    ]);
    expect(['mirror', 'closed', 'stranger'].map((id) => board.retry(id))).toEqual([
      'mirror',
      'not open',
      'unknown rule',
    ]);
  });
});
