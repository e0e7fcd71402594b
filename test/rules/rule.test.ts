import { expect, test } from 'vitest';
import { createFilter } from '../../src/engine/filter/filter.js';
import { inOrder, labelOf, pairsOf, type Rule } from '../../src/rules/rule.js';

const rule: Rule = {
  ...{ name: 'r', place: 'F:1:1', text: '', enabled: true, mode: 'copy', source: 'a', destinations: ['b'] },
  ...{ priority: 0, historical: true, options: {} },
};

test('each destination is a pair of its own', () => {
  const pairs = pairsOf({ ...rule, destinations: ['b', 'c'], options: { checkers: 3, interval: 5000 } });
  expect(pairs.map(({ job: { source, destination, checkers } }) => [source, destination, checkers])).toEqual([
    ['a', 'b', 3],
    ['a', 'c', 3],
  ]);
  expect(pairs.map(labelOf)).toEqual(['r[1]', 'r[2]']);
  expect(pairs[1]?.schedule.interval).toBe(5000);
});

test('prefixes select keys by their first characters, whatever these mean in patterns', () => {
  const prefixes = ['logs/2024-', 'a*[b]{c}\\d?', 'deep/er/'];
  const [pair] = pairsOf({ ...rule, prefixes, options: { exclude: ['*.tmp'] } });
  const { filter = [], exclude = [] } = pair?.job ?? {};
  const built = createFilter({ filter, exclude });
  const included = (key: string): boolean => built.test(key, 1, 0).included;
  const inside = ['logs/2024-01/x', 'logs/2024-', 'a*[b]{c}\\d?/y/z', 'deep/er/x'];
  expect(inside.map(included)).toEqual(inside.map(() => true));
  const outside = ['logs/2023-01/x', 'x/logs/2024-01', 'aa[b]{c}\\d?', 'deep/x', 'logs/2024-01/x.tmp'];
  expect(outside.map(included)).toEqual(outside.map(() => false));
});

test('without history, only what changed after the first run counts', () => {
  const [pair] = pairsOf({ ...rule, historical: false }, 1000);
  expect(pair?.job).toMatchObject({ maxAge: 1000 });
  const [younger] = pairsOf({ ...rule, historical: false, options: { maxAge: 5000 } }, 1000);
  expect(younger?.job).toMatchObject({ maxAge: 5000 });
});

test('rules run by priority, and then as they are written', () => {
  const named = (name: string, priority: number): Rule => ({ ...rule, name, priority });
  const rules = [named('a', 0), named('b', 5), named('c', 0), named('d', 5), named('e', -1)];
  expect(inOrder(rules).map(({ name }) => name)).toEqual(['b', 'd', 'a', 'c', 'e']);
});
