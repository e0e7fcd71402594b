/**
 * Lag over the last day as inline SVG, a bar for each quarter of an hour: dark up to the median, light up to the 99th
 * percentile. Bars stretch, so text is HTML outside of them. Tests: test/cli/render/page.test.ts
 */
import type { LagPoint } from '../../../engine/record/lag.js';
import { COURSE_MS, COURSE_STEP_MS } from '../../../web/board.js';
import { formatDuration, plural } from '../format.js';
import { type Html, html, NOTHING } from '../report-html.js';
import { NONE } from './figures.js';

const STEPS = COURSE_MS / COURSE_STEP_MS + 1;
const HEIGHT = 100;

/** @param endMs the end of the day, ms since 1970 */
export function spark(course: readonly LagPoint[], endMs: number): Html {
  if (course.length === 0) return NONE;
  const { bars, most } = barsOf(course, endMs, longestOf(course), '', 'median');
  const label = `Lag over the last day: 99th percentile up to ${formatDuration(most)}`;
  return html`<svg class="spark" viewBox="0 0 ${STEPS} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}"><title>${label}</title><line class="base" x1="0" x2="${STEPS}" y1="${HEIGHT}" y2="${HEIGHT}"/>${bars}</svg>`;
}

/** @param rpoMs shown as a line where it is near what happened */
export function chart(course: readonly LagPoint[], endMs: number, rpoMs?: number): Html {
  if (course.length === 0) return html`<p class="soft">Nothing has changed at the source in the last day.</p>`;
  const longest = longestOf(course);
  const near = rpoMs !== undefined && rpoMs <= 4 * longest ? rpoMs : 0;
  const top = niceCeiling(Math.max(longest, near));
  const { bars } = barsOf(course, endMs, top, 'p99', 'p50');
  const y = (ms: number): string => (HEIGHT * (1 - ms / top)).toFixed(2);
  const lines = [0, top / 2, top].map(
    (ms) => html`<line class="base" x1="0" x2="${STEPS}" y1="${y(ms)}" y2="${y(ms)}"/>`,
  );
  const limit = near > 0 ? html`<line class="rpo" x1="0" x2="${STEPS}" y1="${y(near)}" y2="${y(near)}"/>` : NOTHING;
  const label = `Lag over the last day, 99th percentile up to ${formatDuration(longest)}`;
  return html`<div class="chart"><div class="y"><span>${formatDuration(top)}</span><span>${formatDuration(top / 2)}</span><span>0</span></div>
<svg viewBox="0 0 ${STEPS} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${lines}${bars}${limit}</svg>
<div class="x"><span>${clock(endMs - COURSE_MS)}</span><span>${clock(endMs - COURSE_MS / 2)}</span><span>${clock(endMs)} UTC</span></div></div>
<p class="soft small">Dark: half of the changes arrived within this time. Light: 99 of 100 did.${near > 0 ? ` Dashed: the allowed ${formatDuration(near)}.` : ''}</p>`;
}

function longestOf(course: readonly LagPoint[]): number {
  return Math.max(1, ...course.map(({ p99 }) => p99));
}

function barsOf(course: readonly LagPoint[], endMs: number, top: number, upper: string, lower: string) {
  const startMs = Math.floor((endMs - COURSE_MS) / COURSE_STEP_MS) * COURSE_STEP_MS;
  const bars = course.map(({ atMs, objects, p50, p99 }) => {
    const x = (atMs - startMs) / COURSE_STEP_MS;
    const tip = `${clock(atMs)} UTC: p50 ${formatDuration(p50)}, p99 ${formatDuration(p99)}, ${plural(objects, 'object')}`;
    return html`<g><title>${tip}</title>${bar(x, p99 / top, upper)}${bar(x, p50 / top, lower)}</g>`;
  });
  return { bars, most: longestOf(course) };
}

function bar(x: number, share: number, name: string): Html {
  // What is there must be seen.
  const height = Math.max(3, HEIGHT * share);
  return html`<rect class="${name}" x="${(x + 0.08).toFixed(2)}" width="0.84" y="${(HEIGHT - height).toFixed(2)}" height="${height.toFixed(2)}"/>`;
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

/** Rounds up to a time that people use. */
function niceCeiling(ms: number): number {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400];
  const found = steps.find((seconds) => seconds * 1000 >= ms);
  return found === undefined ? Math.ceil(ms / 86_400_000) * 86_400_000 : found * 1000;
}
