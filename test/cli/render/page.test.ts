import { describe, expect, test } from 'vitest';
import { boardParts } from '../../../src/cli/render/page/board.js';
import { chart, spark } from '../../../src/cli/render/page/lag-chart.js';
import { pairParts } from '../../../src/cli/render/page/pair.js';
import { retryText } from '../../../src/cli/render/page/retry.js';
import { stateOf } from '../../../src/cli/render/page/state.js';
import { STYLE } from '../../../src/cli/render/page/style.js';
import type { PairStatus } from '../../../src/engine/record/status.js';
import { COURSE_STEP_MS, type Shown } from '../../../src/web/board.js';
import { STATUS } from '../../observe/events.js';

const NOW = Date.UTC(2026, 10, 30, 3, 30);
const nothing = { objects: 0, bytes: 0 };
const HISTORY = {
  objects: 9,
  bytes: 9,
  ofObjects: 9,
  ofBytes: 9,
  percent: 100,
  excluded: nothing,
  atMs: NOW,
  total: true,
};

function shown(status: Partial<PairStatus> | undefined, more: Partial<Shown> = {}): Shown {
  const all = status && { ...STATUS, atMs: NOW, ...status };
  return {
    ...{ id: 'r', rule: 'r', source: 'a:s', destination: 'b:d', mode: 'copy', course: [] },
    status: all,
    ...more,
  };
}

const inStep = { history: HISTORY, synchronised: { untilMs: NOW - 5000, withoutFailedMs: NOW - 5000, behind: 0 } };

const DETAIL = { failed: [], more: false, conflicts: [], runs: [] };

/** Text between tags. */
const plain = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

describe('the state of a pair', () => {
  test.each<[string, Shown]>([
    ['Not run yet', shown(undefined)],
    ['Not run yet', shown({})],
    ['First pass', shown({ history: { ...HISTORY, percent: 40 } })],
    ['Copying', shown({ ...inStep, history: { ...HISTORY, percent: 99 } })],
    ['Synchronized', shown(inStep)],
    ['Synchronized', shown(inStep, { rpoMs: 5000 })],
    ['Late', shown(inStep, { rpoMs: 4999 })],
    ['Failures', shown({ ...inStep, failed: { ...STATUS.failed, objects: 1 } })],
    ['Failures', shown({ ...inStep, history: { ...HISTORY, percent: 99 }, failed: { ...STATUS.failed, dropped: 1 } })],
    ['Conflicts', shown({ ...inStep, conflicts: 1 }, { mode: 'mirror' })],
    ['Trouble', shown(inStep, { trouble: { message: 'no way', remedy: 'Find one.' } })],
  ])('%s', (word, pair) => {
    expect(stateOf(pair).word).toBe(word);
  });
});

describe('a rule with several destinations', () => {
  const pairs = [
    shown({ ...inStep, pending: { objects: 1, bytes: 10 } }, { id: 'r[1]' }),
    shown(
      {
        history: { ...HISTORY, percent: 50 },
        synchronised: { untilMs: NOW - 60_000, withoutFailedMs: NOW - 60_000, behind: 0 },
        pending: { objects: 2, bytes: 20 },
        spent: { sinceMs: 1, cost: [{ currency: 'USD', amount: 2 }] },
      },
      { id: 'r[2]' },
    ),
  ];

  test('has a row for what holds for all of them, and one for each', () => {
    const [, , rule, first, second] = boardParts(pairs, 'anybody').parts;
    expect(plain(rule?.html ?? '')).toMatch(
      /^ r a:s → 2 destinations Copying 50\.00% 03:29:00 UTC – – 3 0 – USD 2\.00 $/,
    );
    expect(plain(first?.html ?? '')).toMatch(/^ r\[1\] b:d Synchronized 100%/);
    expect(plain(second?.html ?? '')).toMatch(/^ r\[2\] b:d Copying 50\.00%/);
  });

  test('claims nothing while one of them is not known', () => {
    const [, , rule] = boardParts([...pairs, shown(undefined, { id: 'r[3]' })], 'anybody').parts;
    expect(plain(rule?.html ?? '')).toMatch(/^ r a:s → 3 destinations Copying – – –/);
  });

  test('counts as one rule, as bad as its worst destination', () => {
    const [verdict] = boardParts([...pairs, shown(inStep, { id: 'x', rule: 'x' })], 'anybody').parts;
    expect(plain(verdict?.html ?? '')).toBe(' 2 rules: 1 copying , 1 synchronized ');
  });
});

test('parts have IDs of their own, which stay the same, and stand in the whole', () => {
  const names = ['r', 'r[1]', '<b>', 'a b', 'ä', 'A B'];
  const board = boardParts(
    names.map((id) => shown(inStep, { id, rule: id })),
    'anybody',
  );
  const ids = board.parts.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, html } of [...board.parts, ...pairParts(shown(inStep), DETAIL, 'anybody').parts]) {
    expect(id).toMatch(/^[\w-]+$/);
    expect(html).toContain(`id="${id}"`);
  }
  for (const { html } of board.parts) expect(board.whole.html).toContain(html);
});

test('of a manifest that cannot be read, nothing is said to be none', () => {
  const textOf = (detail?: typeof DETAIL): string =>
    plain(pairParts(shown(inStep, { mode: 'mirror' }), detail, 'anybody').whole.html);
  expect(textOf(DETAIL)).toContain('Failed objects None. Open conflicts None.');
  const unknown = 'Not known: the manifest cannot be read now.';
  expect(textOf()).toContain(`Failed objects ${unknown} Open conflicts ${unknown}`);
});

test('a retry says what became of it', () => {
  const sinceMs = Date.UTC(2026, 0, 1, 12, 0, 5);
  const retry = { sinceMs, copied: 0, failed: 0, rest: 0 };
  expect(retryText(retry)).toBe('Retrying since 12:00:05 UTC');
  expect(retryText({ ...retry, key: 'a\nb', copied: 1 })).toBe('Retrying a\\nb since 12:00:05 UTC: 1 copied');
  const ended = { ...retry, endedMs: sinceMs };
  expect(retryText({ ...ended, copied: 2, failed: 1 })).toBe('Retried 12:00:05 UTC: 2 copied, 1 failed again');
  expect(retryText(ended)).toBe('Retried 12:00:05 UTC: nothing was left to copy');
  expect(retryText({ ...ended, error: 'the disk is full' })).toBe(
    'Retried 12:00:05 UTC: ended early: the disk is full',
  );
});

describe('lag over time', () => {
  const point = { atMs: NOW - COURSE_STEP_MS, objects: 3, p50: 1000, p99: 60_000 };

  test('is a bar for each quarter of an hour in which something arrived', () => {
    const { text } = spark([point, { ...point, atMs: NOW - 80_000_000 }], NOW);
    expect(text.match(/<g>/g)).toHaveLength(2);
    expect(text).toContain('03:15 UTC: p50 1.0s, p99 1m00s, 3 objects');
    expect(text).toContain('aria-label="Lag over the last day: 99th percentile up to 1m00s"');
  });

  test('shows what is allowed where that is near, and says when nothing has changed', () => {
    expect(chart([point], NOW, 120_000).text).toContain('class="rpo"');
    expect(chart([point], NOW, 3_600_000).text).not.toContain('class="rpo"');
    expect(chart([], NOW).text).toContain('Nothing has changed');
  });
});

describe.each([
  ['light', /:root \{([^}]*)\}/],
  ['dark', /prefers-color-scheme: dark\) \{ :root \{([^}]*)\}/],
])('the %s colors', (_, block) => {
  const found = block.exec(STYLE)?.[1] ?? '';
  const color = (name: string): string => new RegExp(`--${name}: #([0-9a-f]+);`).exec(found)?.[1] ?? '';

  /** WCAG 2.2, relative luminance. */
  function luminance(hex: string): number {
    const long = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex;
    const [r = 0, g = 0, b = 0] = [0, 2, 4].map((at) => {
      const share = Number.parseInt(long.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  test('have the contrast of WCAG AA for text', () => {
    for (const behind of ['page', 'card', 'press']) {
      for (const text of ['ink', 'soft', 'accent', 'good', 'warn', 'bad']) {
        const [a, b] = [luminance(color(text)), luminance(color(behind))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        expect([text, behind, ratio >= 4.5]).toEqual([text, behind, true]);
      }
    }
  });
});
