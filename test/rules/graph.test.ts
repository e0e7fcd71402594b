import { describe, expect, test } from 'vitest';
import { type Arc, type Finding, findingsOf } from '../../src/rules/graph.js';

/** `name: A/x > B/y [p q]`, or `<>` for a mirror. */
function arcs(...lines: string[]): Arc[] {
  return lines.flatMap((line) => {
    const [, rule = '', source = '', way, target = '', listed] =
      /^(\w+): (\S+) (<?>) (\S+)(?: \[(.*)\])?$/.exec(line) ?? [];
    const space = (text: string) => {
      const [home = '', ...path] = text.split('/');
      return { home, path: path.join('/') };
    };
    const prefixes = listed === undefined ? [''] : listed.split(' ');
    const there: Arc = {
      rule,
      pair: rule,
      prefixes,
      from: space(source),
      to: space(target),
      text: { from: source, to: target },
    };
    if (way === '>') return [there];
    return [there, { ...there, from: there.to, to: there.from, text: { from: target, to: source } }];
  });
}

function found(...lines: string[]): string[] {
  return findingsOf(arcs(...lines)).map(
    ({ type, arcs: way }: Finding) => `${type} ${way.map(({ rule }) => rule).join(' ')}`,
  );
}

describe('loops', () => {
  test.each([
    ['there and back', ['a: A > B', 'b: B > A'], ['loop a b']],
    ['through several', ['a: A > B', 'b: B > C', 'c: C > D', 'd: D > A'], ['loop a b c d']],
    ['via prefixes', ['a: A > B/sub/', 'b: B > A/in/'], ['loop a b']],
    ['of a part', ['a: A/x/ > B', 'b: B/y/ > A'], ['loop a b']],
    ['of one rule into itself', ['a: A > A/copy/'], ['loop a']],
    [
      'of which two share a rule',
      ['a: A > B', 'b: B > A', 'c: B > C', 'd: C > A'],
      ['loop a b', 'loop c d a', 'overlap b d'],
    ],
    ['that a mirror closes', ['m: A <> B', 'c: B > C', 'd: C > A'], ['loop m c d']],
    ['of three mirrors', ['x: A <> B', 'y: B <> C', 'z: C <> A'], ['loop x y z']],
  ])('%s', (_, lines, expected) => {
    const all = found(...lines);
    expect(all).toEqual(expect.arrayContaining(expected));
    expect(all.filter((text) => text.startsWith('loop'))).toEqual(expected.filter((text) => text.startsWith('loop')));
  });

  test.each([
    ['other prefixes', ['a: A > B [x/]', 'b: B > A [y/]'], []],
    ['folders beside each other', ['a: A/x/ > B/x/', 'b: B/y/ > A/y/'], []],
    ['a declared mirror', ['m: A <> B'], []],
    ['a copy within one bucket', ['a: A/x/ > A/y/'], []],
    ['prefixes that do not come back', ['a: A > B/p/', 'b: B/p/ > A [q/]', 'c: A/z/ > C'], ['loop a b']],
  ])('%s are none, unless they are', (_, lines, expected) => {
    expect(found(...lines).filter((text) => text.startsWith('loop'))).toEqual(expected);
  });

  test('a way whose keys only get deeper ends the search', () => {
    expect(found('p: P > Q', 'q: Q > R/x/', 'r: R > Q/y/')).toEqual(expect.arrayContaining(['loop q r']));
  });
});

describe('chains and overlaps', () => {
  test('are told', () => {
    expect(found('a: A > B', 'b: B > C', 'c: X > C/sub/', 'd: B/other/ > D')).toEqual([
      'overlap b c',
      'chain a b',
      'chain a d',
    ]);
  });

  test('two rules that are the same pair have one manifest', () => {
    expect(found('a: A > B [x/]', 'b: A > B [y/]')).toEqual(['twins a b']);
    expect(found('a: A > B', 'm: B <> A')).toContain('twins a m');
  });

  test('prefixes keep key spaces apart', () => {
    expect(found('a: A > C [x/]', 'b: B > C [y/]')).toEqual([]);
    expect(found('a: A > C [x/ z]', 'b: B > C [y/ z/1]')).toEqual(['overlap a b']);
  });
});

test('a hundred rules of one source are looked at in no time', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `r${index}: A/${index % 10}/ > B${index}`);
  expect(found(...lines, 'back: B7 > A/7/')).toEqual([
    'loop r7 back',
    ...Array.from({ length: 9 }, (_, n) => `chain back r${7 + 10 * (n + 1)}`),
  ]);
});
