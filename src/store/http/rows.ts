/**
 * Damaged rows of a listing. If a row lacks its size, ETag or time, or has one that cannot be right, the object is listed
 * all the same, with an ETag that no object has: reading it finds another one, and asks about this object alone. A row
 * without a key names no object: it is described.
 * Tests: test/store/damaged-rows.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { bareEtag } from '../../model/etag.js';
import type { ObjectEntry } from '../../model/object.js';

/** The ETag of a listed object whose row is damaged. Nothing is taken for equal to it. */
export const UNKNOWN_ETAG = 'unknown';

/** Whether HTTP can carry the ETag back in a condition. */
export function isUsableEtag(etag: string | undefined): etag is string {
  return etag !== undefined && /^[\x20-\x7e\x80-\xff]+$/.test(etag);
}

/** The ETag of a row without quotes; undefined if it is missing or damaged. */
export function usableEtag(etag: string | undefined): string | undefined {
  const bare = bareEtag(etag ?? '');
  return isUsableEtag(bare) ? bare : undefined;
}

/** Undefined for what is no whole number, or too large to be exact. */
export function wholeNumber(text: string | undefined): number | undefined {
  const number = /^\d+$/.test(text ?? '') ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Milliseconds since 1970; undefined for what is no time. */
export function timeIn(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** The row's values, or those of an unknown version if one of them is missing, or is NaN. */
export function versionOf(row: { size?: number; etag?: string; mtimeMs?: number }): {
  size: number;
  etag: string;
  mtimeMs: number;
} {
  const { etag } = row;
  const size = numberOf(row.size);
  const mtimeMs = numberOf(row.mtimeMs);
  if (size !== undefined && isUsableEtag(etag) && mtimeMs !== undefined) return { size, etag, mtimeMs };
  return { size: size ?? 0, etag: UNKNOWN_ETAG, mtimeMs: mtimeMs ?? 0 };
}

/** Undefined for NaN, which a damaged field is read as. */
export function numberOf(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** The rows that have a name, and descriptions of the others. */
export interface Named<R> {
  rows: R[];
  /** Absent if all rows have a name. */
  damaged?: string[];
}

/**
 * Separates the rows without a name. The reader leaves the field empty if it is there twice with different values.
 * @param nameOf as the response has it
 * @param decode for the names in messages
 */
export function withNames<R>(
  rows: readonly R[],
  nameOf: (row: R) => string | undefined,
  decode: (name: string) => string,
  what:
    | 'row without a key'
    | 'folder without a name'
    | 'row without an upload'
    | 'row without a version' = 'row without a key',
): Named<R> {
  if (rows.every(nameOf)) return { rows: [...rows] };
  const damaged: string[] = [];
  let last: string | undefined;
  // Rows that follow each other must not look like one.
  let nth = 1;
  for (const row of rows) {
    const name = nameOf(row);
    if (name) [last, nth] = [name, 1];
    else {
      const place = last === undefined ? 'at the start of a page' : `after ${JSON.stringify(decode(last))}`;
      damaged.push(`a ${what} ${place}${nth === 1 ? '' : ` (${nth})`}`);
      nth++;
    }
  }
  return { rows: rows.filter(nameOf), damaged };
}

/** The descriptions of several lists, if there are any. */
export function damagedOf(...lists: readonly Named<unknown>[]): string[] | undefined {
  const all = lists.flatMap(({ damaged = [] }) => damaged);
  return all.length === 0 ? undefined : all;
}

/** When an upload began. Now for a time that cannot be read, so that it never looks old enough to be aborted. */
export function startOf(text: string | undefined): number {
  return timeIn(text) ?? Date.now();
}

/** An object whose key cannot be decoded. It is listed under the text of the response, and fails under that name. */
export function undecodable(entry: ObjectEntry): ObjectEntry {
  const fault = new XsyncError('key-not-representable', 'its key is not UTF-8; the listing shows it encoded', {
    subject: entry.key,
    remedy: "Rename the object with the service's own tools.",
  });
  return { ...entry, special: 'other', fault };
}
