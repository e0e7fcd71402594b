/** Renders results as a chart: the other tools' time and CPU time in multiples of xsync's. */
import { type CaseResult, type ContenderResult, mediansOf, significant } from './figures.js';

const WIDTH = 800;
const MARGIN = 16;
/** Start and end of the bars, between the names and the numbers. */
const LEFT = 210;
const RIGHT = 700;
const TITLE_HEIGHT = 30;
const ROW_HEIGHT = 34;
const BAR_HEIGHT = 12;
const HEAD_HEIGHT = 84;
const FOOT_HEIGHT = 34;

const STYLE = `
  text { font: 14px system-ui, sans-serif; fill: #1f2328; }
  .head { font-size: 18px; font-weight: 600; }
  .title { font-weight: 600; paint-order: stroke; stroke: #ffffff; stroke-width: 5px; }
  .quiet { fill: #59636e; }
  .paper { fill: #ffffff; }
  .line { stroke: #d1d9e0; }
  .one { stroke: #1f2328; stroke-width: 1.5; }
  .cpu { fill: #0969da; }
  .time { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .paper { fill: #0d1117; }
    .title { stroke: #0d1117; }
    .line { stroke: #3d444d; }
    .one { stroke: #f0f6fc; }
    .cpu { fill: #4493f8; }
    .time { fill: #f0883e; }
  }
`;

interface Row {
  label: string;
  cpu: number;
  time: number;
}

interface Group {
  title: string;
  rows: Row[];
}

/** The other tools of a case, or else xsync's other configurations. */
function groupOf({ title, contenders }: CaseResult): Group {
  const [own, ...others] = contenders.filter(({ runs }) => runs.length > 0);
  if (!own) return { title, rows: [] };
  const peers = others.filter(({ tool }) => tool !== 'xsync' && tool !== 'node');
  const base = mediansOf(own.runs);
  const row = ({ label, runs }: ContenderResult): Row => {
    const { cpuS, wallS } = mediansOf(runs);
    return { label, cpu: cpuS / base.cpuS, time: wallS / base.wallS };
  };
  return { title, rows: (peers.length > 0 ? peers : others).map(row) };
}

/** The chart as SVG, on a logarithmic scale. */
export function chart(cases: readonly CaseResult[]): string {
  const groups = cases.map(groupOf).filter(({ rows }) => rows.length > 0);
  const values = groups.flatMap(({ rows }) => rows.flatMap(({ cpu, time }) => [cpu, time]));
  const from = Math.floor(Math.min(-1, ...values.map(Math.log2)));
  const until = Math.ceil(Math.max(1, ...values.map(Math.log2)));
  const x = (value: number): number => LEFT + ((Math.log2(value) - from) / (until - from)) * (RIGHT - LEFT);
  const body: string[] = [];
  let y = HEAD_HEIGHT;
  for (const { title, rows } of groups) {
    body.push(text(MARGIN, y + 20, title, 'title'));
    y += TITLE_HEIGHT;
    for (const row of rows) {
      body.push(text(LEFT - 10, y + 18, row.label, '', 'end'), bar('cpu', row.cpu, y), bar('time', row.time, y + 14));
      y += ROW_HEIGHT;
    }
  }
  const ticks = Array.from({ length: until - from + 1 }, (_, i) => 2 ** (from + i));
  const axis = ticks.flatMap((value) => [
    `<line class="${value === 1 ? 'one' : 'line'}" x1="${at(x(value))}" x2="${at(x(value))}" y1="${HEAD_HEIGHT}" y2="${y}"/>`,
    text(x(value), y + 20, `${value < 1 ? `1/${1 / value}` : value}`, 'quiet', 'middle'),
  ]);
  return svg(y + FOOT_HEIGHT, [...head(x(1)), ...axis, ...body]);

  function bar(kind: 'cpu' | 'time', value: number, top: number): string {
    const [left, right] = [Math.min(x(1), x(value)), Math.max(x(1), x(value))];
    const shape = `<rect class="${kind}" x="${at(left)}" y="${top}" width="${at(Math.max(1, right - left))}" height="${BAR_HEIGHT}"/>`;
    return shape + text(right + 6, top + 11, `${significant(value)} ×`);
  }
}

function head(xOfOne: number): string[] {
  const key = (x: number, kind: string, name: string): string =>
    `<rect class="${kind}" x="${x}" y="38" width="${BAR_HEIGHT}" height="${BAR_HEIGHT}"/>${text(x + 18, 49, name)}`;
  return [
    text(MARGIN, 26, 'What others take for the same work, in multiples of xsync', 'head'),
    key(MARGIN, 'cpu', 'processor time'),
    key(MARGIN + 150, 'time', 'time'),
    text(MARGIN + 230, 49, 'to the right of the line: xsync takes less', 'quiet'),
    text(xOfOne, HEAD_HEIGHT - 8, 'xsync = 1 ×', '', 'middle'),
  ];
}

function svg(height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="What others take for the same work, in multiples of xsync">`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function text(x: number, y: number, content: string, kind = '', anchor = 'start'): string {
  const safe = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  const styled = `${kind === '' ? '' : ` class="${kind}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`;
  return `<text x="${at(x)}" y="${y}"${styled}>${safe}</text>`;
}

function at(value: number): string {
  return value.toFixed(1);
}
