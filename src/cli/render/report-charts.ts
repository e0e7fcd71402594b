/**
 * Charts of a report as inline SVG. They stretch to the page's width, so their text is HTML outside the SVG.
 * Tests: test/cli/pairs.test.ts
 */
import type { RunDetail } from '../../engine/record/journal.js';
import { formatBytes, formatCount, formatDuration } from './format.js';
import { Html, html, NOTHING, table } from './report-html.js';

interface Span {
  fromMs: number;
  toMs: number;
  /** Bytes per second. */
  rate: number;
}

const HEIGHT = 100;
const WIDTH = 1000;

/** Bytes per second over the run, as steps: each rate was measured over its whole step. */
export function throughputChart(curve: RunDetail['curve']): Html {
  const spans = spansOf(curve);
  const endMs = spans.at(-1)?.toMs ?? 0;
  const most = niceCeiling(Math.max(0, ...spans.map(({ rate }) => rate)));
  if (endMs === 0 || most === 0) return NOTHING;
  const x = (ms: number): string => ((WIDTH * ms) / endMs).toFixed(1);
  const y = (rate: number): string => (HEIGHT - (HEIGHT * rate) / most).toFixed(2);
  const steps = spans.map(({ fromMs, toMs, rate }) => `${x(fromMs)},${y(rate)} ${x(toMs)},${y(rate)}`).join(' ');
  const tips = spans.map(
    ({ fromMs, toMs, rate }) =>
      html`<rect x="${x(fromMs)}" y="0" width="${x(toMs - fromMs)}" height="${HEIGHT}" fill="transparent"><title>${formatDuration(fromMs)} to ${formatDuration(toMs)}: ${formatBytes(rate)}/s</title></rect>`,
  );
  const rules = [0, HEIGHT / 2, HEIGHT].map(
    (at) => html`<line class="rule" x1="0" x2="${WIDTH}" y1="${at}" y2="${at}"/>`,
  );
  return html`<div class="plot"><div class="y"><span>${round(formatBytes(most))}/s</span><span>${round(formatBytes(most / 2))}/s</span><span>0</span></div>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Throughput over time">${rules}<polygon class="area" points="0,${HEIGHT} ${steps} ${WIDTH},${HEIGHT}"/><polyline class="line" points="${steps}"/>${tips}</svg>
<div class="axis"><span>0s</span><span>${formatDuration(endMs / 2)}</span><span>${formatDuration(endMs)}</span></div></div>`;
}

function spansOf(curve: RunDetail['curve']): Span[] {
  const spans: Span[] = [];
  for (const [index, point] of curve.entries()) {
    const before = curve[index - 1];
    if (!before || point.atMs <= before.atMs) continue;
    const rate = (1000 * (point.bytes - before.bytes)) / (point.atMs - before.atMs);
    spans.push({ fromMs: before.atMs, toMs: point.atMs, rate });
  }
  return spans;
}

/** Rounds up to a round number of a binary unit (1024ⁿ), because rates are shown in KiB, MiB and so on. */
function niceCeiling(value: number): number {
  if (value <= 0) return 0;
  const unit = 1024 ** Math.floor(Math.log2(value) / 10);
  const inUnit = value / unit;
  const steps = [1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400, 600, 800, 1024];
  return unit * (steps.find((step) => step >= inUnit) ?? 1024);
}

/** Objects and bytes by size, one row per power of four. */
export function sizeTable(sizes: RunDetail['sizes']): Html {
  const [first, last] = [sizes[0], sizes.at(-1)];
  if (!first || !last) return NOTHING;
  const bounds: number[] = [];
  for (let upTo = first.upTo; upTo <= last.upTo; upTo = upTo === 0 ? 1 : upTo * 4) bounds.push(upTo);
  const found = new Map(sizes.map((size) => [size.upTo, size]));
  // The gap between empty objects and the smallest other ones is not shown.
  const shown = bounds.filter(
    (upTo, index) => found.has(upTo) || index > bounds.findIndex((b) => b > 0 && found.has(b)),
  );
  const most = Math.max(...sizes.map(({ objects }) => objects));
  return table(
    [{ title: 'Up to' }, { title: 'Objects', number: true }, { title: '' }, { title: 'Bytes', number: true }],
    shown.map((upTo) => {
      const { objects, bytes } = found.get(upTo) ?? { objects: 0, bytes: 0 };
      const size = html`<span class="whole">${upTo === 0 ? 'empty' : round(formatBytes(upTo))}</span>`;
      return [size, formatCount(objects), bar(objects / most), formatBytes(bytes)];
    }),
  );
}

/** `16.0 KiB` becomes `16 KiB`. */
function round(text: string): string {
  return text.replace(/\.0+ /, ' ');
}

/** A bar. @param share its length, 0 to 1 */
export function bar(share: number): Html {
  return new Html(
    `<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${(100 * share).toFixed(1)}" height="10"/></svg>`,
  );
}
