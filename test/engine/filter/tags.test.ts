import { expect, test } from 'vitest';
import { createTagFilter, type TagOptions } from '../../../src/engine/filter/tags.js';

const tagged = (tags: Record<string, string>) => Object.entries(tags).map(([key, value]) => ({ key, value }));

function passes(options: TagOptions, tags: Record<string, string>): boolean {
  return createTagFilter(options)?.exclusion(tagged(tags)) === undefined;
}

test.each<[string, TagOptions, Record<string, string>, boolean]>([
  ['the tag', { include: ['team=web'] }, { team: 'web', other: 'x' }, true],
  ['another value', { include: ['team=web'] }, { team: 'Web' }, false],
  ['no tags', { include: ['team=web'] }, {}, false],
  ['any value', { include: ['team'] }, { team: '' }, true],
  ['an empty value', { include: ['team='] }, { team: 'web' }, false],
  ['an empty value', { include: ['team='] }, { team: '' }, true],
  ['all of a set', { include: ['a=1,b=2'] }, { a: '1', b: '2' }, true],
  ['one of a set', { include: ['a=1,b=2'] }, { a: '1' }, false],
  ['one of two sets', { include: ['a=1', 'b=2'] }, { b: '2' }, true],
  ['a value with an equals sign', { include: ['a=x=y'] }, { a: 'x=y' }, true],
  ['an excluded tag', { exclude: ['class=tmp'] }, { class: 'tmp' }, false],
  ['another tag', { exclude: ['class=tmp'] }, { class: 'hot' }, true],
  ['one of an excluded set', { exclude: ['a=1,b=2'] }, { a: '1' }, true],
  ['both', { include: ['a'], exclude: ['b'] }, { a: '1', b: '1' }, false],
  ['characters of Unicode', { include: ['größe=大'] }, { größe: '大' }, true],
  ['names of JavaScript', { include: ['constructor'] }, {}, false],
])('%s: %j, %j', (_, options, tags, expected) => {
  expect(passes(options, tags)).toBe(expected);
});

test('filters that decide alike have one id, whatever the order of their sets', () => {
  const id = (options: TagOptions) => createTagFilter(options)?.id;
  expect(id({ include: ['a=1,b=2', 'c'] })).toBe(id({ include: ['c', 'b=2,a=1'], recheck: true }));
  expect(id({ include: ['a'] })).not.toBe(id({ exclude: ['a'] }));
  expect(id({ include: ['a'] })).not.toBe(id({ include: ['a='] }));
  expect(id({ include: ['a', 'b'] })).not.toBe(id({ include: ['a,b'] }));
});

test.each(['', '=x', 'a=1,', ',a'])('%j has a tag without a key', (text) => {
  expect(() => createTagFilter({ include: [text] })).toThrow('has a tag without a key');
});

test('nothing is chosen by no tags, and then there is nothing to look at again', () => {
  expect(createTagFilter({})).toBeUndefined();
  expect(() => createTagFilter({ recheck: true })).toThrow('--recheck-tags means nothing without --include-tag');
});
