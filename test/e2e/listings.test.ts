/** Listings that fail, break off or come out of order, and credentials that expire: nothing wrong is concluded. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buckets, expectSurvived, objects } from './faults.js';
import { seed } from './fixtures.js';
import { Lab, summaryOf } from './harness.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

describe('listings', () => {
  const many = objects(Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`k${n}`, n % 7])));

  test.each(['source', 'dest'] as const)(
    'fail half-way at the %s: the run ends with 5, and the next copies all',
    async (side) => {
      const { source, dest } = buckets(lab);
      seed(source, many);
      if (side === 'dest') seed(dest, many);
      const bucket = side === 'source' ? source : dest;
      bucket.fault({ kind: 'status', status: 500 }, { kind: 'ListObjects', nth: 2, times: 1000 });
      const outcome = await lab.copy(source.at(), dest.at(), '--low-level-retries', '2');
      expect(outcome.code).toBe(5);
      expect(outcome.stderr).toMatch(/InternalError/);
      if (side === 'dest') expect(dest.requests('PutObject'), 'a page not seen is no absence').toEqual([]);

      lab.reset();
      expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
      expect(dest.keys()).toHaveLength(many.length);
    },
  );

  test.each([
    ['XML that ends in its middle', { kind: 'truncated-xml' }],
    ['a body that is closed early', { kind: 'truncate' }],
    ['a body that ends early as if it were whole', { kind: 'truncate', clean: true }],
  ] as const)('come as %s: the page is asked for again, never taken for a short one', async (_how, fault) => {
    const { source, dest } = buckets(lab);
    seed(source, many);
    source.fault(fault, { kind: 'ListObjects', nth: 2 });
    dest.fault(fault, { kind: 'ListObjects', nth: 1 });
    expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
    expect(dest.keys()).toHaveLength(many.length);
  });

  test('come as broken XML for good: the run ends with 5, and nothing was taken for absent', async () => {
    const { source, dest } = buckets(lab);
    for (const bucket of [source, dest]) seed(bucket, many);
    dest.fault({ kind: 'truncated-xml' }, { kind: 'ListObjects' });
    const outcome = await lab.copy(source.at(), dest.at(), '--low-level-retries', '2');
    expect(outcome.code).toBe(5);
    expect(dest.requests('PutObject')).toEqual([]);
  });

  test.each(['source', 'dest'] as const)(
    'come out of order at the %s: sorted, and every object copied once',
    async (side) => {
      const { source, dest } = buckets(lab);
      seed(source, many);
      const there = many.slice(0, 700);
      seed(dest, there);
      const bucket = side === 'source' ? source : dest;
      bucket.fault({ kind: 'unordered-list' }, { kind: 'ListObjects' });
      const outcome = await lab.copy(source.at(), dest.at());
      expect(outcome.code).toBe(0);
      expect(dest.keys()).toHaveLength(many.length);
      expect(dest.requests('PutObject')).toHaveLength(many.length - there.length);
      expect(
        outcome.events.some(({ event, message }) => event === 'warning' && /out of order/.test(message ?? '')),
      ).toBe(true);
      expect(summaryOf(await lab.copy(source.at(), dest.at())).copied.objects).toBe(0);
    },
  );
});

describe('credentials', () => {
  test.each([
    ['source', 'GetObject'],
    ['dest', 'PutObject'],
  ] as const)(
    'expire at the %s while the run is on: it ends with 7 and the remedy; the next run does the rest',
    async (side, kind) => {
      const pair = buckets(lab);
      const fixtures = objects(Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, 100 + n])));
      seed(pair.source, fixtures);
      pair[side].fault({ kind: 'expired-credentials' }, { kind, nth: 20, times: 1000 });
      const outcome = await lab.copy(pair.source.at(), pair.dest.at(), '--transfers', '4');
      expect(outcome.code).toBe(7);
      expect(outcome.stderr).toMatch(/expired/i);
      const arrived = pair.dest.keys().length;
      expect(arrived).toBeGreaterThan(10);

      lab.reset();
      const rest = await lab.copy(pair.source.at(), pair.dest.at());
      expect(summaryOf(rest).copied.objects).toBe(fixtures.length - arrived);
      await expectSurvived(lab, rest, { ...pair, fixtures });
    },
  );
});
