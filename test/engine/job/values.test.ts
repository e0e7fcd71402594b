import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandwidthAt } from '../../../src/engine/job/bandwidth.js';
import {
  parseAge,
  parseBandwidth,
  parseDuration,
  parseInteger,
  parseInterval,
  parsePercent,
  parseRate,
  parseSize,
} from '../../../src/engine/job/values.js';
import { toXsyncError } from '../../../src/model/error.js';

function refusal(parse: () => unknown): string {
  try {
    return `accepted: ${JSON.stringify(parse())}`;
  } catch (error) {
    const { code, message } = toXsyncError(error);
    return `${code}: ${message}`;
  }
}

const KiB = 1024;
const DAY = 86_400_000;

describe('a size means what it means to rclone', () => {
  it.each<[string, number | undefined]>([
    ['10', 10 * KiB],
    ['0', 0],
    ['1.5', 1536],
    ['10B', 10],
    ['10b', 10],
    ['1k', KiB],
    ['1K', KiB],
    ['1Ki', KiB],
    ['1KiB', KiB],
    ['1M', KiB ** 2],
    ['1.5G', 1.5 * KiB ** 3],
    ['2Ti', 2 * KiB ** 4],
    ['1P', KiB ** 5],
    ['.5M', KiB ** 2 / 2],
    ['off', undefined],
    ['OFF', undefined],
  ])('%s', (text, bytes) => {
    expect(parseSize('--min-size', text)).toBe(bytes);
  });

  it.each(['', '-1', '1MB', '1X', 'k', '1e3', '0x10', '1 M', '10E', 'i', '1Bi'])('and "%s" is refused', (text) => {
    expect(refusal(() => parseSize('--min-size', text))).toMatch(/^usage: --min-size: .* is not a size such as/);
  });

  it('whole numbers of bytes survive', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        expect(parseSize('-', `${n}B`)).toBe(n);
      }),
    );
  });
});

describe('a duration means what it means to rclone', () => {
  it.each<[string, number | undefined]>([
    ['90', 90_000],
    ['1.5', 1500],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 2 * DAY],
    ['1w', 7 * DAY],
    ['1M', 30 * DAY],
    ['1y', 365 * DAY],
    ['1d12h', 1.5 * DAY],
    ['off', undefined],
  ])('%s', (text, ms) => {
    expect(parseDuration('--timeout', text)).toBe(ms);
  });

  it.each(['', '5 m', '-1h', 'h', '1x', '1h30', '1D'])('and "%s" is refused', (text) => {
    expect(refusal(() => parseDuration('--timeout', text))).toMatch(/^usage: --timeout: .* is not a duration such as/);
  });
});

describe('intervals', () => {
  it.each(['0', 'off', '1ns', '99ms', 'x', ''])(
    '"%s" is refused, since a watch would ask the stores without a pause',
    (text) => {
      expect(refusal(() => parseInterval('--interval', text))).toMatch(/^usage: --interval: .* is not an interval/);
    },
  );

  it('of 100ms and more are taken', () => {
    expect([parseInterval('--interval', '100ms'), parseInterval('--interval', '1h30m')]).toEqual([100, 5_400_000]);
  });
});

describe('--min-age and --max-age', () => {
  const now = Date.UTC(2024, 5, 15, 12);
  it.each<[string, number | undefined]>([
    ['1d', now - DAY],
    ['60', now - 60_000],
    ['2024-01-31', new Date(2024, 0, 31).getTime()],
    ['2024-01-31T10:20:30', new Date(2024, 0, 31, 10, 20, 30).getTime()],
    ['2024-01-31 10:20:30', new Date(2024, 0, 31, 10, 20, 30).getTime()],
    ['2024-01-31T10:20:30Z', Date.UTC(2024, 0, 31, 10, 20, 30)],
    ['2024-01-31T10:20:30.5+08:00', Date.UTC(2024, 0, 31, 2, 20, 30, 500)],
    ['off', undefined],
  ])('%s', (text, instant) => {
    expect(parseAge('--max-age', text, now)).toBe(instant);
  });

  it.each(['2024-02-31', '2024-13-01', '2024-01-31T25:00:00', 'yesterday', '31.01.2024'])('not %s', (text) => {
    expect(refusal(() => parseAge('--max-age', text, now))).toMatch(/^usage: --max-age: ".*" is not a duration/);
  });
});

describe('--bwlimit', () => {
  const at = (day: number, hour: number, minute = 0) => new Date(2024, 0, 7 + day, hour, minute).getTime();

  it.each<[string, object]>([
    ['512', { up: 512 * KiB, down: 512 * KiB }],
    ['10M', { up: 10 * KiB ** 2, down: 10 * KiB ** 2 }],
    ['10M:100k', { up: 10 * KiB ** 2, down: 100 * KiB }],
    ['off:1M', { down: KiB ** 2 }],
    ['1M:off', { up: KiB ** 2 }],
    ['off', {}],
    ['0', {}],
  ])('%s holds at all times', (text, limit) => {
    expect(bandwidthAt(parseBandwidth('--bwlimit', text), at(3, 4))).toEqual(limit);
  });

  it('a daily timetable applies by the clock on the wall, and over midnight', () => {
    const parsed = parseBandwidth('--bwlimit', '08:00,512k 12:00,10M 13:00,512k:1k 18:00,30M 23:00,off');
    const limit = (nowMs: number) => bandwidthAt(parsed, nowMs);
    const half = 512 * KiB;
    expect(limit(at(2, 8))).toEqual({ up: half, down: half });
    expect(limit(at(2, 11, 59))).toEqual({ up: half, down: half });
    expect(limit(at(2, 12))).toEqual({ up: 10 * KiB ** 2, down: 10 * KiB ** 2 });
    expect(limit(at(2, 13, 1))).toEqual({ up: half, down: KiB });
    expect(limit(at(2, 23))).toEqual({});
    expect(limit(at(3, 7, 59))).toEqual({});
    expect(limit(at(0, 0))).toEqual({});
  });

  it('a weekly timetable lasts from one entry to the next, over the end of the week', () => {
    const parsed = parseBandwidth('--bwlimit', 'Fri-23:59,10M;Monday-00:00,512 sat-10:00,1M');
    const limit = (nowMs: number) => bandwidthAt(parsed, nowMs);
    expect(limit(at(1, 0)).up).toBe(512 * KiB);
    expect(limit(at(5, 23, 58)).up).toBe(512 * KiB);
    expect(limit(at(5, 23, 59)).up).toBe(10 * KiB ** 2);
    expect(limit(at(6, 10)).up).toBe(KiB ** 2);
    expect(limit(at(0, 12)).up).toBe(KiB ** 2);
  });

  it.each([
    '',
    'x',
    '1M:2M:3M',
    '10M:',
    ',',
    '8:00,1M',
    '24:00,1M',
    '08:60,1M',
    'Foo-08:00,1M',
    '08:00,',
    '08:00,1M,2M',
  ])('refuses "%s" rather than run without a limit', (text) => {
    expect(refusal(() => parseBandwidth('--bwlimit', text))).toMatch(/^usage: --bwlimit: /);
  });
});

it('counts, percentages and rates keep to their range', () => {
  expect(parseInteger('--transfers', '4', { min: 1 })).toBe(4);
  expect(refusal(() => parseInteger('--transfers', '0', { min: 1 }))).toBe(
    'usage: --transfers: "0" is not a whole number of at least 1',
  );
  expect(refusal(() => parseInteger('--n', '9', { max: 8 }))).toBe('usage: --n: "9" is not a whole number from 0 to 8');
  expect(refusal(() => parseInteger('--n', '1.5'))).toContain('not a whole number');
  expect(refusal(() => parseInteger('--n', ''))).toContain('an empty value is not');
  expect(refusal(() => parseInteger('--n', '99999999999999999999'))).toContain('not a whole number');
  expect(parsePercent('--p', '25%')).toBe(25);
  expect(refusal(() => parsePercent('--p', '101%'))).toContain('not a percentage');
  expect(refusal(() => parsePercent('--p', '25'))).toContain('not a percentage');
  expect(parseRate('--tpslimit', '0.5')).toBe(0.5);
  expect(parseRate('--tpslimit', '0')).toBeUndefined();
  expect(refusal(() => parseRate('--tpslimit', 'fast'))).toContain('a number per second');
});
