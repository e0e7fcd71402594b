import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_EMPTY_PAGES, PageGuard, type SeenPage } from '../../src/model/paging.js';

/** How many pages were followed before the listing was given up; undefined if all were. */
function givenUpAfter(pages: Iterable<SeenPage>): number | undefined {
  const guard = new PageGuard('s3:bucket');
  let seen = 0;
  for (const page of pages) {
    seen++;
    try {
      guard.follow(page);
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid-response', message: expect.stringContaining('s3:bucket') });
      return seen;
    }
  }
  return undefined;
}

function* circle(before: number, length: number, page: (n: number) => SeenPage): Generator<SeenPage> {
  for (let n = 0; n < before; n++) yield page(n);
  for (let n = 0; ; n = (n + 1) % length) yield page(before + n);
}

describe('a listing without end', () => {
  const sizes = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 40 }));

  it('whose tokens lead in a circle is given up soon, whatever is on its pages', () => {
    fc.assert(
      fc.property(sizes, ([before, length]) => {
        let keys = 0;
        const pages = circle(before, length, (n) => ({ first: `k${++keys}`, last: `l${keys}`, token: `t${n}` }));
        expect(givenUpAfter(pages)).toBeLessThanOrEqual(2 * Math.max(before, length) + length + 1);
      }),
    );
  });

  it('whose pages lead in a circle is given up soon, whatever their tokens are', () => {
    fc.assert(
      fc.property(sizes, ([before, length]) => {
        let tokens = 0;
        const pages = circle(before, length, (n) => ({ first: `k${n}`, last: `l${n}`, token: `t${++tokens}` }));
        expect(givenUpAfter(pages)).toBeLessThanOrEqual(2 * Math.max(before, length) + length + 1);
      }),
    );
  });

  it('of empty pages is given up, however new the tokens are', () => {
    let tokens = 0;
    expect(givenUpAfter(circle(0, 1, () => ({ token: `t${++tokens}` })))).toBe(MOST_EMPTY_PAGES);
  });

  it('that only repeats its last prefix is given up', () => {
    let tokens = 0;
    expect(givenUpAfter(circle(0, 1, () => ({ last: 'a/', token: `t${++tokens}` })))).toBe(MOST_EMPTY_PAGES + 1);
  });
});

describe('a listing that ends', () => {
  it('is never given up', () => {
    function* honest(): Generator<SeenPage> {
      for (let n = 0; n < 20_000; n++) yield { first: `k${2 * n}`, last: `k${2 * n + 1}`, token: `t${n}` };
      yield {};
    }
    expect(givenUpAfter(honest())).toBeUndefined();
  });

  it('may have many empty pages between full ones', () => {
    function* sparse(): Generator<SeenPage> {
      for (let n = 0; n < 5_000; n++) {
        const key = n % 900 === 0 ? `k${n}` : undefined;
        yield { first: key, last: key, token: `t${n}` };
      }
      yield {};
    }
    expect(givenUpAfter(sparse())).toBeUndefined();
  });
});
