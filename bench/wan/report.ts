/** Renders the results over emulated lines as a Markdown table. */
import { median } from '../figures.js';
import { type LINES, type Line, WAN_CASES, type WanCase } from './cases.js';
import type { Shares } from './score.js';
import type { WanRun } from './upload.js';

/** Milliseconds. If the line was ever later than this, the machine limited the result. */
export const LATE_MS = 20;

export interface WanResults {
  /** The arguments of `npm run bench -- --wan`. */
  options: string;
  date: string;
  commit: string;
  machine: { processor: string; cores: number; kernel: string; node: string; loadBefore: number; loadAfter: number };
  lines: Record<keyof typeof LINES, Line>;
  cases: { case: WanCase; shares: Shares; reached: boolean; runs: WanRun[] }[];
}

const SHARES = ['whole', 'ramped', 'settled'] as const;

export function wanMarkdown({ options, date, commit, machine, lines, cases }: WanResults): string {
  const { processor, cores, kernel, node, loadBefore, loadAfter } = machine;
  const load = [loadBefore, loadAfter].map((value) => value.toFixed(1));
  const told = ['--wan', options].filter((part) => part !== '').join(' ');
  const missing = WAN_CASES.filter(({ name }) => !cases.some((one) => one.case.name === name));
  return [
    [
      `Taken on ${date.slice(0, 10)} with \`npm run bench -- ${told}\`, commit ${commit}:`,
      `${cores} × ${processor}, ${kernel}, Node ${node}; load average ${load[0]} before, ${load[1]} after.`,
    ].join('\n'),
    [
      '| | line | sends | time | whole | ramped | settled | sent for nothing | goals |',
      '|---|---|---|---|---|---|---|---|---|',
      ...cases.map((one) => row(one, lines)),
    ].join('\n'),
    ...(missing.length > 0 ? [`Not measured: ${missing.map(({ name }) => `\`${name}\``).join(', ')}.`] : []),
  ].join('\n\n');
}

function row({ case: bench, shares, reached, runs }: WanResults['cases'][number], lines: WanResults['lines']): string {
  const { rtt_ms, loss, rate_mbit } = lines[bench.line];
  const { name, objects, size, congestion, targets, dip, stalls } = bench;
  const late = runs.filter(({ lateMs }) => lateMs > LATE_MS).length;
  const cells = [
    `\`${name}\``,
    `${bench.line}: ${rtt_ms} ms, ${percent(loss)}, ${rate_mbit} Mbit/s${dip ? ', half of it for 30 s' : ''}${stalls ? ', with stalls' : ''}`,
    `${objects.toLocaleString('en-US')} × ${size < 1024 ** 2 ? `${size / 1024} KiB` : `${size / 1024 ** 2} MiB`}, ${congestion}`,
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
