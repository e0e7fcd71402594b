/**
 * Damaged rows of a listing. If a row lacks its size, ETag or time, or has one that cannot be right, the object is listed
 * all the same, with an ETag that no object has: reading it finds another one, and asks about this object alone.
 * Tests: test/store/damaged-rows.test.ts
 */
import { bareEtag } from '../../model/etag.js';

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

/** The row's values, or those of an unknown version if one of them is missing. */
export function versionOf(row: { size?: number; etag?: string; mtimeMs?: number }): {
  size: number;
  etag: string;
  mtimeMs: number;
} {
  const { size, etag, mtimeMs } = row;
  if (size !== undefined && isUsableEtag(etag) && mtimeMs !== undefined) return { size, etag, mtimeMs };
  return { size: size ?? 0, etag: UNKNOWN_ETAG, mtimeMs: mtimeMs ?? 0 };
}
