/**
 * Option values in rclone's formats: sizes, durations, times, bandwidths and counts. Every parser takes the option's
 * name for its message and throws XsyncError `usage`. Where `off` is accepted, it is undefined.
 */
import { XsyncError } from '../../model/error.js';
import { excerpt } from '../../model/excerpt.js';
import type { Bandwidth, BandwidthSlot } from './bandwidth.js';
import type { Kind } from './option.js';

/** Takes the option's name for error messages. @throws XsyncError `usage` */
export type Parser<T> = (option: string, text: string) => T;

const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** rclone's units; a month is 30 days and a year 365. */
const DURATION_UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: DAY,
  w: 7 * DAY,
  M: 30 * DAY,
  y: 365 * DAY,
};

const SIZES = 'a size such as 512 (KiB), 100B, 64k, 10M, 1.5G, 16MiB (K M G T P E are powers of 1024), or "off"';
const DURATIONS = 'a duration such as 90 (seconds), 500ms, 30s, 5m, 1h30m, 2d, 1w, 3M (months), 1y, or "off"';
const SHORTEST_INTERVAL_MS = 100;
const INTERVALS = 'an interval such as 500ms, 30s, 5m, 1h30m or 1d, of at least 100ms';
const TIMES = `${DURATIONS}; or a time such as 2024-01-31, 2024-01-31T12:00:00 (local) or 2024-01-31T12:00:00Z`;
const BANDWIDTHS =
  'bytes per second such as 10M or 512k, UP:DOWN such as 10M:1M, "off", or a timetable such as ' +
  '"08:00,512k 12:00,10M 13:00,512k 18:00,30M 23:00,off" or "Mon-00:00,512k Fri-23:59,10M"';

function refuse(option: string, text: string, accepted: string, why = 'is not'): XsyncError {
  const shown = text === '' ? 'an empty value' : `"${excerpt(text)}"`;
  return new XsyncError('usage', `${option}: ${shown} ${why} ${accepted}`, { subject: option });
}

/** Bytes; undefined for `off`. A bare number is in KiB, as in rclone. Fractions of a byte are dropped. */
export function parseSize(option: string, text: string): number | undefined {
  return sizeOr(text, () => refuse(option, text, SIZES));
}

function sizeOr(text: string, refusal: () => XsyncError): number | undefined {
  if (text.toLowerCase() === 'off') return undefined;
  const match = /^(\d+\.?\d*|\.\d+)(?:(b)|([kmgtpe])(?:ib?)?)?$/i.exec(text);
  if (!match) throw refusal();
  const power = match[2] ? 0 : 'kmgtpe'.indexOf((match[3] ?? 'k').toLowerCase()) + 1;
  const bytes = Math.floor(Number(match[1]) * 1024 ** power);
  if (!Number.isSafeInteger(bytes)) throw refusal();
  return bytes;
}

/** Milliseconds; undefined for `off`. A bare number is in seconds. */
export function parseDuration(option: string, text: string): number | undefined {
  if (text.toLowerCase() === 'off') return undefined;
  const ms = durationMs(text);
  if (ms === undefined) throw refuse(option, text, DURATIONS);
  return ms;
}

/** Milliseconds between repetitions; a minimum prevents a busy loop. */
export function parseInterval(option: string, text: string): number {
  const ms = durationMs(text);
  if (ms === undefined || ms < SHORTEST_INTERVAL_MS) throw refuse(option, text, INTERVALS);
  return ms;
}

function durationMs(text: string): number | undefined {
  const number = '(?:\\d+\\.?\\d*|\\.\\d+)';
  if (new RegExp(`^${number}$`).test(text)) return Number(text) * SECOND;
  const token = `(${number})(ns|us|µs|ms|[smhdwMy])`;
  if (!new RegExp(`^(?:${token})+$`).test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(new RegExp(token, 'g'))) {
    total += Number(count) * (DURATION_UNITS[unit ?? ''] ?? 0);
  }
  return total;
}

/**
 * --min-age and --max-age: a duration before `nowMs`, or a time (local unless it names its zone). The instant, in
 * milliseconds since 1970; undefined for `off`.
 */
export function parseAge(option: string, text: string, nowMs: number): number | undefined {
  if (text.toLowerCase() === 'off') return undefined;
  const ago = durationMs(text);
  const instant = ago === undefined ? timeMs(text) : nowMs - ago;
  if (instant === undefined) throw refuse(option, text, TIMES);
  return instant;
}

function timeMs(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!match) return undefined;
  const [, day = '', time = '00:00:00', zone = ''] = match;
  // JavaScript turns 31 February into a day in March; here it is an error.
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return undefined;
  const instant = Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(instant) ? undefined : instant;
}

/** --bwlimit: one limit, `UP:DOWN`, or rclone's timetable. `off` and 0: no limit. */
export function parseBandwidth(option: string, text: string): Bandwidth | BandwidthSlot[] {
  if (!/[ ,;]/.test(text)) return bandwidthOf(option, text, text);
  const slots = text
    .split(/[ ;]+/)
    .filter((slot) => slot !== '')
    .flatMap((slot) => timetableSlots(option, text, slot));
  if (slots.length === 0) throw refuse(option, text, BANDWIDTHS);
  return slots;
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** `HH:MM,LIMIT` applies every day, `DAY-HH:MM,LIMIT` on one day. */
function timetableSlots(option: string, text: string, slot: string): BandwidthSlot[] {
  const match = /^(?:([a-z]+)-)?(\d\d):(\d\d),([^,]+)$/i.exec(slot);
  const [, day = '', hour = '', minute = '', limit = ''] = match ?? [];
  const weekday = WEEKDAYS.findIndex((name) => [name, name.slice(0, 3)].includes(day.toLowerCase()));
  if (!match || Number(hour) > 23 || Number(minute) > 59 || (day !== '' && weekday < 0)) {
    throw refuse(option, slot, 'an entry HH:MM,LIMIT or Mon-HH:MM,LIMIT', `in "${text}" is not`);
  }
  const bandwidth = bandwidthOf(option, text, limit);
  const ofDay = Number(hour) * 60 + Number(minute);
  if (day !== '') return [{ minute: weekday * 24 * 60 + ofDay, ...bandwidth }];
  return Array.from({ length: 7 }, (_, index) => ({ minute: index * 24 * 60 + ofDay, ...bandwidth }));
}

function bandwidthOf(option: string, text: string, limit: string): Bandwidth {
  const refusal = () => refuse(option, limit, BANDWIDTHS, limit === text ? 'is not' : `in "${text}" is not`);
  const [up = '', down = up, ...more] = limit.split(':');
  if (more.length > 0) throw refusal();
  const upward = sizeOr(up, refusal) || undefined;
  const downward = sizeOr(down, refusal) || undefined;
  return {
    ...(upward === undefined ? {} : { up: upward }),
    ...(downward === undefined ? {} : { down: downward }),
  };
}

export interface IntegerRange {
  /** Inclusive; 0 when absent. */
  min?: number;
  /** Inclusive. */
  max?: number;
}

/** A whole decimal number within the range. */
export function parseInteger(option: string, text: string, { min = 0, max }: IntegerRange = {}): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  const top = max ?? Number.MAX_SAFE_INTEGER;
  if (!(value >= min && value <= top)) {
    const range = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
    throw refuse(option, text, `a whole number ${range}`);
  }
  return value;
}

/** `100`, or `10%`. */
export function parseCountOrPercent(option: string, text: string): { objects: number } | { percent: number } {
  return text.endsWith('%') ? { percent: parsePercent(option, text) } : { objects: parseInteger(option, text) };
}

/** A whole number from 1 to 100, or `auto`. */
export function parseCountOrAuto(option: string, text: string): number | 'auto' {
  if (text.toLowerCase() === 'auto') return 'auto';
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 100) throw refuse(option, text, 'a whole number from 1 to 100, or "auto"');
  return count;
}

/** `25%` as 25; from 0 to 100, fractions allowed. */
export function parsePercent(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  const value = Number(match?.[1] ?? Number.NaN);
  if (!(value <= 100)) throw refuse(option, text, 'a percentage from 0% to 100%, such as 25%');
  return value;
}

/** --tpslimit: transactions per second, fractions allowed; undefined (no limit) for `off` and 0. */
export function parseRate(option: string, text: string): number | undefined {
  if (text.toLowerCase() === 'off') return undefined;
  const match = /^\d+(?:\.\d+)?$/.test(text);
  if (!match) throw refuse(option, text, 'a number per second such as 10 or 0.5, or "off"');
  return Number(text) || undefined;
}

/** The parser of each kind of value, for the command line and the rules in a file. */
export const PARSERS: Readonly<Record<Kind, Parser<unknown>>> = {
  size: parseSize,
  duration: parseDuration,
  interval: parseInterval,
  instant: (option, text) => parseAge(option, text, Date.now()),
  count: (option, text) => parseInteger(option, text, { min: 1, max: 100_000 }),
  rate: parseRate,
  bandwidth: parseBandwidth,
  'count-or-auto': parseCountOrAuto,
  'count-or-percent': parseCountOrPercent,
  text: (_option, text) => text,
};
