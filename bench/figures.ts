/** The measured values and their summaries. */
import type { Case } from './cases.js';
import type { ToolName } from './contenders.js';
import type { Found, Run } from './tools.js';

export interface Results {
  /** The arguments of `npm run bench`. */
  options: string;
  date: string;
  /** Commit of the source tree; ends in `+` when the tree had changes. */
  commit: string;
  machine: {
    processor: string;
    cores: number;
    memoryGiB: number;
    kernel: string;
    node: string;
    /** Load average of one minute, before the first run and after the last. */
    loadBefore: number;
    loadAfter: number;
  };
  /** The other tools: their versions, or why they were not measured. */
  tools: Record<Exclude<ToolName, 'xsync'>, Found>;
  cases: CaseResult[];
}

export interface CaseResult {
  name: string;
  title: string;
  per: Case['per'];
  objects: number;
  size: number;
  contenders: ContenderResult[];
}

export interface ContenderResult {
  label: string;
  tool: ToolName;
  command: string;
  runs: Run[];
  /** Why there are no more runs. */
  failed?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

export function significant(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(value >= 10 ? 3 : 2);
}

export interface Medians {
  wallS: number;
  cpuS: number;
  /** Minimum and maximum. */
  cpuSpread: readonly [number, number];
  peakRssMiB: number;
}

export function mediansOf(runs: readonly Run[]): Medians {
  const cpu = runs.map((run) => run.cpuS);
  return {
    wallS: median(runs.map((run) => run.wallS)),
    cpuS: median(cpu),
    cpuSpread: [Math.min(...cpu), Math.max(...cpu)],
    peakRssMiB: median(runs.map((run) => run.peakRssMiB)),
  };
}
