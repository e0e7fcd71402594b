/** The cases over emulated lines, as data. */

export interface Line {
  /** Round trip, in milliseconds. */
  rtt_ms: number;
  /** Share of lost packets, in each direction. */
  loss: number;
  /** Includes IP headers; at most 96.5 % is payload. */
  rate_mbit: number;
}

export const LINES = {
  A: { rtt_ms: 200, loss: 0, rate_mbit: 200 },
  B: { rtt_ms: 200, loss: 0.01, rate_mbit: 200 },
  C: { rtt_ms: 250, loss: 0.03, rate_mbit: 100 },
  D: { rtt_ms: 30, loss: 0.001, rate_mbit: 500 },
} as const satisfies Record<string, Line>;

/** Seconds from the start of a run. */
export const RAMP_S = 20;
/** Above this share of the bytes, the rest does not fill the line. */
export const UNTIL_SHARE = 0.9;
/** Seconds after a change of the line. */
export const SETTLE_S = 15;

/** Shares of the line's rate that the payload must reach. */
export interface Targets {
  /** From the start of the program to its end. */
  whole?: number;
  /** From `RAMP_S` until `UNTIL_SHARE` of the bytes arrived. */
  ramped?: number;
  /** From `SETTLE_S` after each change of the line, relative to its new rate. */
  settled?: number;
}

export interface WanCase {
  name: string;
  /** From a disk to the far store, from it to a disk, or from a store at the near end to the far one. */
  way: 'up' | 'down' | 'between';
  line: keyof typeof LINES;
  objects: number;
  /** Bytes of each. */
  size: number;
  /** Of the sender: xsync, or the far store for a download. */
  congestion: 'cubic' | 'bbr';
  /** From `fromS` to `untilS` of the run, the line has only this share of its rate. */
  dip?: { fromS: number; untilS: number; share: number };
  /** About every `everyS` seconds, a connection stalls for `ms`. */
  stalls?: { everyS: number; ms: number };
  targets: Targets;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const LARGE = { objects: 16, size: 128 * MiB };

const SMALL = { objects: 5000, size: 64 * KiB };
const CUBIC = { ...LARGE, congestion: 'cubic' } as const;
const BBR = { ...LARGE, congestion: 'bbr' } as const;

const UPLOADS: readonly Omit<WanCase, 'way'>[] = [
  { name: 'clean-cubic', line: 'A', ...CUBIC, targets: { whole: 0.85 } },
  { name: 'lossy-cubic', line: 'B', ...CUBIC, targets: { ramped: 0.85, whole: 0.7 } },
  { name: 'lossy-bbr', line: 'B', ...BBR, targets: { whole: 0.85 } },
  { name: 'lossy-bbr-4', line: 'B', ...BBR, objects: 4, targets: { whole: 0.85 } },
  { name: 'worst-cubic', line: 'C', ...CUBIC, targets: { ramped: 0.75 } },
  { name: 'near-cubic', line: 'D', ...CUBIC, targets: { whole: 0.85 } },
  { name: 'small-cubic', line: 'B', ...SMALL, congestion: 'cubic', targets: { whole: 0.65 } },
  {
    name: 'dip-cubic',
    line: 'B',
    objects: 24,
    size: 128 * MiB,
    congestion: 'cubic',
    dip: { fromS: 40, untilS: 70, share: 0.5 },
    targets: { settled: 0.85 },
  },
  { name: 'stalls-cubic', line: 'B', ...CUBIC, stalls: { everyS: 600, ms: 30_000 }, targets: {} },
];

const DOWNLOADS: readonly Omit<WanCase, 'way'>[] = [
  { name: 'down-clean-cubic', line: 'A', ...CUBIC, targets: { whole: 0.85 } },
  { name: 'down-lossy-cubic', line: 'B', ...CUBIC, targets: { ramped: 0.85, whole: 0.7 } },
  { name: 'down-lossy-bbr', line: 'B', ...BBR, targets: { whole: 0.85 } },
  { name: 'down-worst-cubic', line: 'C', ...CUBIC, targets: { ramped: 0.75 } },
  { name: 'down-small-cubic', line: 'B', ...SMALL, congestion: 'cubic', targets: { whole: 0.65 } },
];

const BETWEEN_STORES: readonly Omit<WanCase, 'way'>[] = [
  { name: 'between-lossy-cubic', line: 'B', ...CUBIC, targets: { ramped: 0.85, whole: 0.7 } },
  { name: 'between-lossy-bbr', line: 'B', ...BBR, targets: { whole: 0.85 } },
  { name: 'between-small-cubic', line: 'B', ...SMALL, congestion: 'cubic', targets: { whole: 0.65 } },
];

export const WAN_CASES: readonly WanCase[] = [
  ...UPLOADS.map((one) => ({ ...one, way: 'up' as const })),
  ...DOWNLOADS.map((one) => ({ ...one, way: 'down' as const })),
  ...BETWEEN_STORES.map((one) => ({ ...one, way: 'between' as const })),
];

/** An eighth of the objects, and no changes after the end: a check that the bench works, not for results. */
export function quick(bench: WanCase): WanCase {
  const { dip } = bench;
  const sooner = dip && { ...dip, fromS: 5, untilS: 10 };
  return { ...bench, objects: Math.ceil(bench.objects / 8), dip: sooner };
}
