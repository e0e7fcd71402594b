/**
 * Which objects a run copies by their tags. A set of tags is written as on the command line: `team=web,class=hot`; an
 * object has a set if it has all of its tags.
 * Tests: test/engine/filter/tags.test.ts
 */
import type { Tags } from '../../model/attributes.js';
import { XsyncError } from '../../model/error.js';

export interface TagOptions {
  /** Only objects that have one of these sets. */
  include?: readonly string[];
  /** No objects that have one of these sets; they win. */
  exclude?: readonly string[];
  /** Ask again about objects that were left out by their tags before. */
  recheck?: boolean;
}

export interface TagFilter {
  /** Equal for filters that decide alike, in any order of their sets. */
  readonly id: string;
  readonly recheck: boolean;
  /** For messages: a flag that was given. */
  readonly flag: string;
  /** Why an object with these tags is left out; undefined if it passes. */
  exclusion(tags: Tags): string | undefined;
}

/** `value` absent: the tag may have any. */
interface Wanted {
  key: string;
  value?: string;
}

interface TagSet {
  text: string;
  tags: readonly Wanted[];
}

/** Undefined: nothing is chosen by tags. @throws usage: a set is empty, or `recheck` has nothing to check */
export function createTagFilter({ include = [], exclude = [], recheck = false }: TagOptions): TagFilter | undefined {
  if (include.length + exclude.length === 0) {
    if (!recheck) return undefined;
    throw new XsyncError('usage', '--recheck-tags means nothing without --include-tag or --exclude-tag', {
      subject: '--recheck-tags',
      remedy: 'Leave out --recheck-tags.',
    });
  }
  const included = include.map((text) => setOf(text, '--include-tag'));
  const excluded = exclude.map((text) => setOf(text, '--exclude-tag'));
  return {
    id: JSON.stringify([normal(included), normal(excluded)]),
    recheck,
    flag: include.length > 0 ? '--include-tag' : '--exclude-tag',
    exclusion(tags) {
      const values = new Map(tags.map(({ key, value }) => [key, value]));
      const hit = excluded.find((set) => hasAll(values, set));
      if (hit) return `--exclude-tag ${hit.text}`;
      const passes = included.length === 0 || included.some((set) => hasAll(values, set));
      return passes ? undefined : `--include-tag: not tagged ${included.map(({ text }) => text).join(' or ')}`;
    },
  };
}

/** A key or a value of a tag has no comma in either service, and a key of a filter no equals sign. */
function setOf(text: string, flag: string): TagSet {
  const tags = text.split(',').map((part): Wanted => {
    const equals = part.indexOf('=');
    const key = (equals < 0 ? part : part.slice(0, equals)).trim();
    return equals < 0 ? { key } : { key, value: part.slice(equals + 1).trim() };
  });
  if (tags.every(({ key }) => key !== '')) return { text, tags };
  throw new XsyncError('usage', `${flag}: "${text}" has a tag without a key`, {
    subject: flag,
    remedy: 'Write KEY=VALUE, or KEY for any value; join tags that an object must all have with commas.',
  });
}

function hasAll(values: ReadonlyMap<string, string>, { tags }: TagSet): boolean {
  return tags.every(({ key, value }) => (value === undefined ? values.has(key) : values.get(key) === value));
}

function normal(sets: readonly TagSet[]): string[] {
  return sets.map(({ tags }) => JSON.stringify(tags.map(({ key, value }) => [key, value ?? null]).sort())).sort();
}
