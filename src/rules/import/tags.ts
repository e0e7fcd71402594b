/** Tags by which a replication rule chooses objects, as the sets of `includeTag`. Tests: test/rules/import.test.ts */
import { isRecord } from '../values.js';
import type { Notes } from './notes.js';
import { type Tree, textAt } from './tree.js';

/** How a rule of xsync chooses the same objects. */
export interface Chosen {
  includeTag?: readonly string[];
  /** It cannot, and would copy more. */
  enabled?: false;
}

/**
 * @param tags elements with Key and Value, of which an object must have all
 * @param note said of them besides, where not everything is known
 */
export function chosenByTags(tags: readonly unknown[], at: string, notes: Notes, note?: string): Chosen {
  if (tags.length === 0) return {};
  const pairs = tags.map((tag) => (isRecord(tag) ? pairOf(tag) : undefined));
  if (pairs.some((pair) => pair === undefined)) {
    const text = 'its tags cannot be written in a rule: it has "enabled: false", because it would copy more';
    notes.add(at, 'left out', text);
    return { enabled: false };
  }
  const set = pairs.join(',');
  notes.add(at, note === undefined ? 'maps' : 'partly', `includeTag: ${set}${note === undefined ? '' : `; ${note}`}`);
  return { includeTag: [set] };
}

/** Undefined for a tag without a key, or with a mark that separates. */
function pairOf(tag: Tree): string | undefined {
  const key = textAt(tag, 'Key');
  const value = textAt(tag, 'Value') ?? '';
  return key === undefined || /[,=]/.test(key) || value.includes(',') ? undefined : `${key}=${value}`;
}
