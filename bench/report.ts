/** Results as JSON data and as Markdown tables. */
import type { Case } from './cases.js';
import type { Run } from './tools.js';

export interface Results {
  /** As it was typed after `npm run bench`. */
  options: string;
  date: string;
  /** Of the source tree; `+` when it held more than that commit. */
  commit: string;
  machine: {
    processor: string;
    cores: number;
    memoryGiB: number;
    kernel: string;
    node: string;
    rclone: string;
    /** Of one minute, before the first run and after the last. */
    loadBefore: number;
    loadAfter: number;
  };
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
  command: string;
  runs: Run[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

const GiB = 1024 ** 3;

/** How the work of a case is counted: the words over the columns, and how many units the case has. */
function units({ per, objects, size }: CaseResult): { rate: string; cost: string; count: number; costCount: number } {
  const gib = (objects * size) / GiB;
  switch (per) {
    case 'object':
      return { rate: 'objects/s', cost: 'CPU s per 1,000', count: objects, costCount: objects / 1000 };
    case 'byte':
      return { rate: 'MiB/s', cost: 'CPU s per GiB', count: gib * 1024, costCount: gib };
    case 'key':
      return { rate: 'keys/s', cost: 'CPU s per 1,000,000', count: objects, costCount: objects / 1e6 };
    case 'start':
      return { rate: 'starts/s', cost: 'CPU s', count: 1, costCount: 1 };
  }
}

function significant(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(value >= 10 ? 3 : 2);
}

function ratio(value: number, own: number): string {
  return `${significant(value / own)} ×`;
}

/** A table for one case; ratios are to the first contender, which is xsync. */
function table(result: CaseResult): string {
  const { rate, cost, count, costCount } = units(result);
  const rows = result.contenders.map(({ label, runs }) => ({
    label,
    runs: runs.length,
    wall: median(runs.map((run) => run.wallS)),
    cpu: median(runs.map((run) => run.cpuS)),
    least: Math.min(...runs.map((run) => run.cpuS)),
    most: Math.max(...runs.map((run) => run.cpuS)),
    rss: median(runs.map((run) => run.peakRssMiB)),
    requests: requestsOf(runs[0]),
  }));
  const own = rows[0];
  if (!own) return '';
  const lines = rows.map((row) => {
    const spread = `${significant(row.least / costCount)}–${significant(row.most / costCount)}`;
    const cells = [
      row.label,
      ratio(row.cpu, own.cpu),
      ratio(row.wall, own.wall),
      `**${significant(row.cpu / costCount)}** (${spread})`,
      result.per === 'start' ? `${significant(row.wall)} s` : significant(count / row.wall),
      `${significant(row.rss)} MiB`,
      row.requests,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const heads = ['', 'CPU', 'time', cost, result.per === 'start' ? 'wall' : rate, 'peak RSS', 'requests'];
  return [
    `### ${result.title}`,
    '',
    `| ${heads.join(' | ')} |`,
    `|${heads.map(() => '---').join('|')}|`,
    ...lines,
    '',
    `Medians of ${own.runs}; \`--case ${result.name}\`.`,
  ].join('\n');
}

const KINDS = {
  list: 'LIST',
  head: 'HEAD',
  get: 'GET',
  put: 'PUT',
  part: 'part',
  createUpload: 'create',
  completeUpload: 'complete',
  other: 'other',
} as const;

function requestsOf(run: Run | undefined): string {
  if (!run) return '';
  const kinds = Object.entries(KINDS) as [keyof typeof KINDS, string][];
  const asked = kinds.filter(([kind]) => run.requests[kind] > 0);
  return asked.map(([kind, name]) => `${run.requests[kind].toLocaleString('en-US')} ${name}`).join(', ') || '–';
}

export function markdown({ machine, date, commit, options, cases }: Results): string {
  const { processor, cores, memoryGiB, kernel, node, rclone, loadBefore, loadAfter } = machine;
  const about = [
    `Taken on ${date.slice(0, 10)} with \`npm run bench${options === '' ? '' : ` -- ${options}`}\`, commit ${commit}:`,
    `${cores} × ${processor}, ${memoryGiB} GiB, ${kernel}, Node ${node}, ${rclone};`,
    `load average ${loadBefore} before the first run, ${loadAfter} after the last.`,
  ].join('\n');
  return [about, ...cases.map(table)].join('\n\n');
}

const BEGIN = '<!-- figures: begin (written by npm run bench -- --publish) -->';
const END = '<!-- figures: end -->';

/** The page with its figures exchanged. @throws when the page lacks the marks between which they stand */
export function withFigures(page: string, figures: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no place for the figures: ${BEGIN} … ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${figures}\n\n${page.slice(end)}`;
}
