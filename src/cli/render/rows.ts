/** The lines of rclone's listing commands, for scripts that read them. Tests: test/cli/listings.test.ts */
import type { Found } from '../commands/reading.js';

/** Enough for sizes below 1 GB, as in rclone; larger sizes take more. */
export const SIZE_WIDTH = 9;
const FOLDER_SIZE_WIDTH = 12;
/** What rclone shows for a directory without a time. */
const NO_TIME_MS = Date.UTC(2000, 0, 1);

/** `        7 key`. */
export function lsRow({ entry }: Found, path: string): string {
  return `${(entry === undefined ? '-' : String(entry.size)).padStart(SIZE_WIDTH)} ${path}`;
}

/** `        7 2024-01-31 12:34:56.789000000 key`, local time. */
export function lslRow(found: Found, path: string): string {
  const size = String(found.entry?.size ?? -1).padStart(SIZE_WIDTH);
  return `${size} ${localTime(timeOf(found))}.${nanoseconds(timeOf(found))} ${path}`;
}

/** `          -1 2024-01-31 12:34:56        -1 name`, local time. */
export function lsdRow(found: Found, path: string): string {
  const size = String(folderSize(found)).padStart(FOLDER_SIZE_WIDTH);
  const columns = [size, localTime(timeOf(found)), '-1'.padStart(SIZE_WIDTH)];
  return `${columns.join(' ')} ${path}`;
}

/** Bytes that the directory itself takes on a disk; -1 where it has none. */
export function folderSize(found: Found): number {
  return ('info' in found ? found.info?.size : undefined) ?? -1;
}

/** ms since 1970. */
export function timeOf({ entry, ...found }: Found): number {
  return entry?.mtimeMs ?? ('info' in found ? found.info?.mtimeMs : undefined) ?? NO_TIME_MS;
}

/** `2024-01-31 12:34:56`, local. */
export function localTime(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** The fraction of the second, nine digits, of which six are exact. */
function nanoseconds(ms: number): string {
  const fraction = ms - Math.floor(ms / 1000) * 1000;
  return `${String(Math.min(999_999, Math.round(fraction * 1000))).padStart(6, '0')}000`;
}

/** Without the slash at the end of a directory. */
export function bareName(path: string): string {
  return path.replace(/\/$/, '');
}
