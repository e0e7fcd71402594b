/** Renders the results over emulated lines as a Markdown table. */
import { median } from '../figures.js';
import { type LINES, type Line, WAN_CASES, type WanCase } from './cases.js';
import type { WanRun } from './copy.js';
import type { Shares } from './score.js';

/** Milliseconds. If the line was ever later than this, the machine limited the result. */
export const LATE_MS = 20;

export interface WanResults {
  lines: Record<keyof typeof LINES, Line>;
  cases: WanResult[];
}

export interface WanResult {
  case: WanCase;
  shares: Shares;
  reached: boolean;
  runs: WanRun[];
  taken: WanTaken;
}

/** When, with what and where a case was measured. */
export interface WanTaken {
  /** The arguments of `npm run bench -- --wan`. */
  options: string;
  date: string;
  commit: string;
  machine: { processor: string; cores: number; kernel: string; node: string; loadBefore: number; loadAfter: number };
}

/** The newer results take the place of those of the same cases. */
export function mergedWan(older: WanResults | undefined, newer: WanResults): WanResults {
  const byName = new Map([...(older?.cases ?? []), ...newer.cases].map((one) => [one.case.name, one]));
  return { lines: newer.lines, cases: WAN_CASES.flatMap(({ name }) => byName.get(name) ?? []) };
}

const SHARES = ['whole', 'ramped', 'settled'] as const;

function about({ options, date, commit, machine }: WanTaken, names: readonly string[]): string {
  const { processor, cores, kernel, node, loadBefore, loadAfter } = machine;
  const load = [loadBefore, loadAfter].map((value) => value.toFixed(1));
  const told = ['--wan', options].filter((part) => part !== '').join(' ');
  return [
    `Taken on ${date.slice(0, 10)} with \`npm run bench -- ${told}\`, commit ${commit} (${names.join(', ')}):`,
    `${cores} × ${processor}, ${kernel}, Node ${node}; load average ${load[0]} before, ${load[1]} after.`,
  ].join('\n');
}

export function wanMarkdown({ lines, cases }: WanResults): string {
  const times = new Map(cases.map(({ taken }) => [taken.date, taken]));
  const abouts = [...times.values()].map((taken) => {
    const then = cases.filter((one) => one.taken.date === taken.date);
    return about(
      taken,
      then.map((one) => `\`${one.case.name}\``),
    );
  });
  const missing = WAN_CASES.filter(({ name }) => !cases.some((one) => one.case.name === name));
  return [
    ...abouts,
    [
      '| | line | copies | time | whole | ramped | settled | sent for nothing | goals |',
      '|---|---|---|---|---|---|---|---|---|',
      ...cases.map((one) => row(one, lines)),
    ].join('\n'),
    ...(missing.length > 0 ? [`Not measured: ${missing.map(({ name }) => `\`${name}\``).join(', ')}.`] : []),
  ].join('\n\n');
}

const WAYS = { up: 'to the store', down: 'from the store', between: 'store to store' } as const;

function row({ case: bench, shares, reached, runs }: WanResult, lines: WanResults['lines']): string {
  const { rtt_ms, loss, rate_mbit } = lines[bench.line];
  const { name, way, objects, size, congestion, targets, dip, stalls } = bench;
  const late = runs.filter(({ lateMs }) => lateMs > LATE_MS).length;
  const cells = [
    `\`${name}\``,
    `${bench.line}: ${rtt_ms} ms, ${percent(loss)}, ${rate_mbit} Mbit/s${dip ? ', half of it for 30 s' : ''}${stalls ? ', with stalls' : ''}`,
    `${objects.toLocaleString('en-US')} × ${size < 1024 ** 2 ? `${size / 1024} KiB` : `${size / 1024 ** 2} MiB`} ${WAYS[way]}, ${congestion}`,
    `${median(runs.map(({ wallS }) => wallS)).toFixed(0)} s`,
    ...SHARES.map((share) => shareCell(shares[share], targets[share])),
    percent(median(runs.map(({ waste }) => waste.bytes)) / (objects * size)),
    verdict(targets, reached) + (late > 0 ? `; the machine was too busy in ${late} of ${runs.length} runs` : ''),
  ];
  return `| ${cells.join(' | ')} |`;
}

function verdict(targets: Shares, reached: boolean): string {
  if (Object.keys(targets).length === 0) return '–';
  return reached ? 'reached' : '**missed**';
}

function shareCell(share: number | undefined, target: number | undefined): string {
  const measured = share === undefined ? '–' : percent(share);
  return target === undefined ? measured : `**${measured}** (≥ ${percent(target)})`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
