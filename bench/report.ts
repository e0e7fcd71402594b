/** Renders results as Markdown tables. */
import type { Case } from './cases.js';
import { type CaseResult, type ContenderResult, mediansOf, type Results, significant } from './figures.js';
import { verdicts } from './goals.js';
import type { Run } from './tools.js';

const GiB = 1024 ** 3;

/** The units of a case: the column headings, and the number of units. */
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
      return { rate: '', cost: 'CPU s', count: 1, costCount: 1 };
  }
}

function ratio(value: number, own: number): string {
  return `${significant(value / own)} ×`;
}

/** The table of one case. Ratios are relative to the first contender, xsync. */
function table(result: CaseResult): string {
  const { rate, cost } = units(result);
  const heads = ['', 'CPU', 'time', cost, 'seconds', ...(rate === '' ? [] : [rate]), 'peak RSS', 'requests'];
  const most = Math.max(...result.contenders.map(({ runs }) => runs.length));
  return [
    `### ${result.title}`,
    '',
    `| ${heads.join(' | ')} |`,
    `|${heads.map(() => '---').join('|')}|`,
    ...result.contenders.filter(({ runs }) => runs.length > 0).map((one) => row(result, one, most)),
    '',
    `Medians of ${most}; \`--case ${result.name}\`.`,
    ...result.contenders.flatMap(({ label, failed }) => (failed === undefined ? [] : [`${label} failed: ${failed}.`])),
  ].join('\n');
}

function row(result: CaseResult, { label, runs }: ContenderResult, most: number): string {
  const { rate, count, costCount } = units(result);
  const { wallS, cpuS, cpuSpread, peakRssMiB } = mediansOf(runs);
  const own = mediansOf(result.contenders[0]?.runs ?? []);
  const spread = cpuSpread.map((value) => significant(value / costCount)).join('–');
  const fewer = runs.length < most ? ` (${runs.length} run${runs.length === 1 ? '' : 's'})` : '';
  const cells = [
    label + fewer,
    ratio(cpuS, own.cpuS),
    ratio(wallS, own.wallS),
    `**${significant(cpuS / costCount)}** (${spread})`,
    significant(wallS),
    ...(rate === '' ? [] : [significant(count / wallS)]),
    `${significant(peakRssMiB)} MiB`,
    requestsOf(runs[0]),
  ];
  return `| ${cells.join(' | ')} |`;
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

function goals(cases: readonly Case[], results: readonly CaseResult[]): string[] {
  const all = verdicts(cases, results);
  if (all.length === 0) return [];
  const rows = all.map(
    (one) =>
      `| \`${one.case}\` | ${one.label} | ${one.wanted} | ${one.measured} | ${one.reached ? 'reached' : '**missed**'} |`,
  );
  return [['### Goals', '', '| case | | to be reached | measured | |', '|---|---|---|---|---|', ...rows].join('\n')];
}

export function markdown(
  cases: readonly Case[],
  { machine, tools, date, commit, options, cases: results }: Results,
): string {
  const { processor, cores, memoryGiB, kernel, node, loadBefore, loadAfter } = machine;
  const versions = Object.entries(tools).map(([tool, { version, missing }]) =>
    version === undefined ? `${tool} was not measured: ${missing}` : `${tool} ${version}`,
  );
  const about = [
    `Taken on ${date.slice(0, 10)} with \`npm run bench${options === '' ? '' : ` -- ${options}`}\`, commit ${commit}:`,
    `${cores} × ${processor}, ${memoryGiB} GiB, ${kernel}, Node ${node}; ${versions.join('; ')};`,
    `load average ${loadBefore} before the first run, ${loadAfter} after the last.`,
  ].join('\n');
  return [about, ...goals(cases, results), ...results.map(table)].join('\n\n');
}
