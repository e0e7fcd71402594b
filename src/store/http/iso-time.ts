/** Reads the times of listings without making strings. Tests: test/store/http/xml.test.ts */

const DAY_MS = 86_400_000;

/**
 * Milliseconds since 1970 of `2026-11-29T16:04:05Z` or `…05.678Z` at an offset. NaN for anything that is not certainly a
 * time: the caller then asks Date.parse, which knows the ends of months and leap seconds.
 */
export function isoTime(bytes: Uint8Array, at: number, fraction: boolean): number {
  const year = number(bytes, at, 4);
  const month = number(bytes, at + 5, 2);
  const day = number(bytes, at + 8, 2);
  const hour = number(bytes, at + 11, 2);
  const minute = number(bytes, at + 14, 2);
  const second = number(bytes, at + 17, 2);
  const ms = fraction ? number(bytes, at + 20, 3) : 0;
  const marks =
    bytes[at + 4] === 0x2d &&
    bytes[at + 7] === 0x2d &&
    bytes[at + 10] === 0x54 &&
    bytes[at + 13] === 0x3a &&
    bytes[at + 16] === 0x3a;
  if (!marks || !(month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour < 24 && minute < 60 && second < 60)) {
    return Number.NaN;
  }
  return daysBefore(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}

/** Days from 1970 on, in the Gregorian calendar. Years begin in March here, so that a leap day is the last of its year. */
function daysBefore(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + ofYear - 719_468;
}

/** NaN unless every byte is a digit. */
function number(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
