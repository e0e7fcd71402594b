/** The part of a pair's keys that a listing covers. */
import { compareKeys } from '../../model/key.js';
import { countUpTo } from './ranges-range.js';

/** Keys relative to the pair's prefix, compared by their UTF-8 bytes. Absent: from the first key, or to the last. */
export interface Bounds {
  /** Exclusive. */
  after?: string;
  /** Inclusive. */
  until?: string;
}

/** No key can be inside. */
export function isVoid({ after, until }: Bounds): boolean {
  return after !== undefined && until !== undefined && compareKeys(after, until) >= 0;
}

/** No key after this one is inside. */
export function reaches({ until }: Bounds, key: string): boolean {
  return until !== undefined && compareKeys(key, until) >= 0;
}

export function contains({ after, until }: Bounds, key: string): boolean {
  return (after === undefined || compareKeys(key, after) > 0) && (until === undefined || compareKeys(key, until) <= 0);
}

/** The entries inside, which must be sorted by key; the same array if all are. */
export function inside<T extends { key: string }>(entries: readonly T[], { after, until }: Bounds): readonly T[] {
  const from = after === undefined ? 0 : countUpTo(entries, after);
  const to = until === undefined ? entries.length : Math.max(from, countUpTo(entries, until));
  return from === 0 && to === entries.length ? entries : entries.slice(from, to);
}

/** The same bounds for full keys. */
export function below(prefix: string, { after, until }: Bounds): Bounds {
  return {
    after: after === undefined ? undefined : prefix + after,
    until: until === undefined ? undefined : prefix + until,
  };
}
