/** Computes a run's use of the line from the counters of every second. */
import { LINES, RAMP_S, SETTLE_S, type Targets, UNTIL_SHARE, type WanCase } from './cases.js';

/** Payload share of 1,500 IP bytes with TCP timestamps. */
const PAYLOAD = 1448 / 1500;

export interface Second {
  /** Seconds since the program was started. */
  atS: number;
  /** IP bytes delivered so far. */
  bytes: number;
}

/** Shares of the line's rate; absent where the run was too short. */
export type Shares = Targets;

export function sharesOf(bench: WanCase, wallS: number, seconds: readonly Second[]): Shares {
  const { line, objects, size, dip } = bench;
  const rate = (LINES[line].rate_mbit * 1e6) / 8;
  const endS = seconds.find(({ bytes }) => bytes * PAYLOAD >= objects * size * UNTIL_SHARE)?.atS ?? wallS;
  const between = (fromS: number, untilS: number): number | undefined => {
    const span = seconds.filter(({ atS }) => atS >= fromS && atS <= untilS);
    const [first, last] = [span[0], span.at(-1)];
    if (!first || !last || last.atS - first.atS < 3) return undefined;
    return ((last.bytes - first.bytes) * PAYLOAD) / (last.atS - first.atS) / rate;
  };
  const shares: Shares = { whole: (objects * size) / wallS / rate };
  if (!dip) return { ...shares, ramped: between(RAMP_S, endS) };
  const during = between(dip.fromS + SETTLE_S, dip.untilS);
  const after = between(dip.untilS + SETTLE_S, endS);
  const settled = during === undefined || after === undefined ? undefined : Math.min(during / dip.share, after);
  return { ...shares, settled };
}

/** Whether all targets were reached. An unmeasured target counts as missed. */
export function reached({ targets }: WanCase, shares: Shares): boolean {
  return (['whole', 'ramped', 'settled'] as const).every((name) => {
    const target = targets[name];
    return target === undefined || (shares[name] ?? 0) >= target;
  });
}
