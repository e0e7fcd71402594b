/** The measured values and their summaries. */
import type { Case } from './cases.js';
import { PEERS, type PeerName, type ToolName } from './contenders.js';
import type { Found, Run } from './tools.js';

export interface Results {
  cases: CaseResult[];
}

/** When, with what and where a case was measured. */
export interface Taken {
  /** The arguments of `npm run bench`, without folders of this machine. */
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
  tools: Record<PeerName, Found>;
}

export interface CaseResult {
  name: string;
  title: string;
  per: Case['per'];
  objects: number;
  size: number;
  contenders: ContenderResult[];
  taken: Taken;
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

/** The newer results take the place of those of the same cases; the order is that of `order`. */
export function merged(older: Results, newer: Results, order: readonly string[]): Results {
  const byName = new Map([...older.cases, ...newer.cases].map((one) => [one.name, one]));
  return { cases: order.flatMap((name) => byName.get(name) ?? []) };
}

export interface Best {
  label: string;
  tool: PeerName;
  /** xsync's value in multiples of this peer's; more than 1 is worse. */
  ratio: number;
}

/** The first contender beside the peer that took the least, by CPU and by time. Undefined without a peer. */
export function besideBest(
  { contenders }: Pick<CaseResult, 'contenders'>,
  among: readonly PeerName[] = PEERS,
): { cpu: Best; time: Best } | undefined {
  const [first, ...others] = contenders.filter(({ runs }) => runs.length > 0);
  if (!first || first !== contenders[0]) return undefined;
  const own = mediansOf(first.runs);
  const peers = others.flatMap(({ label, tool, runs }) => {
    const peer = among.find((name) => name === tool);
    return peer === undefined ? [] : [{ label, tool: peer, ...mediansOf(runs) }];
  });
  const best = (kind: 'cpuS' | 'wallS'): Best | undefined => {
    const [least] = [...peers].sort((a, b) => a[kind] - b[kind]);
    return least && { label: least.label, tool: least.tool, ratio: own[kind] / least[kind] };
  };
  const [cpu, time] = [best('cpuS'), best('wallS')];
  return cpu && time && { cpu, time };
}
