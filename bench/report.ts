/** Renders results as Markdown tables. */
import type { Case, Proof } from './cases.js';
import {
  type Best,
  besideBest,
  type CaseResult,
  type ContenderResult,
  mediansOf,
  type Results,
  significant,
  type Taken,
} from './figures.js';
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
function table(result: CaseResult, bench: Case | undefined): string {
  const { rate, cost } = units(result);
  const proofs = bench?.proof ? ['verifies'] : [];
  const heads = ['', 'CPU', cost, 'time*', 'seconds*', ...(rate === '' ? [] : [`${rate}*`]), 'peak RSS', 'requests'];
  const most = Math.max(...result.contenders.map(({ runs }) => runs.length));
  return [
    `### ${result.title}`,
    '',
    `| ${[...heads, ...proofs].join(' | ')} |`,
    `|${[...heads, ...proofs].map(() => '---').join('|')}|`,
    ...result.contenders
      .filter(({ runs }) => runs.length > 0)
      .map((one) => `| ${[...cells(result, one, most), ...proofs.map(() => proofOf(bench, one))].join(' | ')} |`),
    '',
    `Medians of ${most}; \`--case ${result.name}\`. * ${serverNeeds(result.taken)}`,
    ...result.contenders.flatMap(({ label, failed }) => (failed === undefined ? [] : [`${label} failed: ${failed}.`])),
  ].join('\n');
}

function serverNeeds({ machine: { cores } }: Taken): string {
  return `Of ${cores} cores, the server of the bench needs one.`;
}

function proofOf(bench: Case | undefined, { tool }: Pick<ContenderResult, 'tool'>): Proof | '' {
  return tool === 'node' ? '' : (bench?.proof?.[tool] ?? '');
}

function cells(result: CaseResult, { label, runs }: ContenderResult, most: number): string[] {
  const { rate, count, costCount } = units(result);
  const { wallS, cpuS, cpuSpread, peakRssMiB } = mediansOf(runs);
  const own = mediansOf(result.contenders[0]?.runs ?? []);
  const spread = cpuSpread.map((value) => significant(value / costCount)).join('–');
  const fewer = runs.length < most ? ` (${runs.length} run${runs.length === 1 ? '' : 's'})` : '';
  return [
    label + fewer,
    ratio(cpuS, own.cpuS),
    `**${significant(cpuS / costCount)}** (${spread})`,
    ratio(wallS, own.wallS),
    significant(wallS),
    ...(rate === '' ? [] : [significant(count / wallS)]),
    `${significant(peakRssMiB)} MiB`,
    requestsOf(runs[0]),
  ];
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

/** What was measured when; one paragraph for each time. */
function abouts(results: readonly CaseResult[]): string[] {
  const dates = [...new Set(results.map(({ taken }) => taken.date))];
  return dates.map((date) => {
    const [first, ...others] = results.filter(({ taken }) => taken.date === date);
    if (!first) return '';
    const names = dates.length === 1 ? '' : ` (${[first, ...others].map(({ name }) => `\`${name}\``).join(', ')})`;
    return about(first.taken, names);
  });
}

function about({ machine, tools, date, commit, options }: Taken, names: string): string {
  const { processor, cores, memoryGiB, kernel, node, loadBefore, loadAfter } = machine;
  const versions = Object.entries(tools).map(([tool, { version, missing }]) =>
    version === undefined ? `${tool} was not measured: ${missing}` : `${tool} ${version}`,
  );
  return [
    `Taken on ${date.slice(0, 10)} with \`npm run bench${options === '' ? '' : ` -- ${options}`}\`, commit ${commit}${names}:`,
    `${cores} × ${processor}, ${memoryGiB} GiB, ${kernel}, Node ${node}; ${versions.join('; ')};`,
    `load average ${loadBefore} before the first run, ${loadAfter} after the last.`,
  ].join('\n');
}

export function markdown(cases: readonly Case[], { cases: results }: Results): string {
  const tables = results.map((result) =>
    table(
      result,
      cases.find(({ name }) => name === result.name),
    ),
  );
  return [...abouts(results), ...goals(cases, results), ...tables].join('\n\n');
}

/** In which rows xsync is behind, and every row beside its best peer. For the first lines of the page. */
export function standing(cases: readonly Case[], { cases: results }: Results): string {
  const rows = results.flatMap((result) => {
    const best = besideBest(result);
    return best ? [{ result, ...best, bench: cases.find(({ name }) => name === result.name) }] : [];
  });
  const behind = rows.flatMap(({ result: { name }, cpu, time }) => {
    const kinds = [...(cpu.ratio > 1 ? [`CPU ${times(cpu)}`] : []), ...(time.ratio > 1 ? [`time ${times(time)}`] : [])];
    return kinds.length === 0 ? [] : [`\`${name}\` (${kinds.join(', ')})`];
  });
  const cell = (bench: Case | undefined, best: Best): string => {
    const proof = proofOf(bench, best);
    return `${best.ratio > 1 ? `**${times(best)}**` : times(best)}${proof === '' ? '' : `, verifies: ${proof}`}`;
  };
  return [
    behind.length === 0
      ? 'In no row is xsync behind the best peer, in CPU or in time.'
      : `xsync is behind the best peer in ${behind.length} of ${rows.length} rows: ${behind.join('; ')}.`,
    [
      '| | xsync’s CPU, beside the best peer | xsync’s time*, beside the best peer | xsync verifies |',
      '|---|---|---|---|',
      ...rows.map(
        ({ result, cpu, time, bench }) =>
          `| \`${result.name}\`: ${result.title} | ${cell(bench, cpu)} | ${cell(bench, time)} | ${bench?.proof?.xsync ?? ''} |`,
      ),
    ].join('\n'),
    ...(results[0] ? [`\\* ${serverNeeds(results[0].taken)}`] : []),
  ].join('\n\n');
}

function times({ ratio, label }: Best): string {
  return `${significant(ratio)} × ${label}`;
}
