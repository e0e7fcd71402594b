/**
 * Figures of a status as HTML: the text for people, and the value that `status --json` has, under the name that it has
 * there. Tests: test/cli/render/page.test.ts
 */

import type { PairStatus } from '../../../engine/record/status.js';
import type { Amount } from '../../../engine/record/whole.js';
import type { Cost } from '../../../model/prices.js';
import { formatBytes, formatCosts, formatCount, formatDuration } from '../format.js';
import { type Html, html } from '../report-html.js';
import { percentText, timeText } from '../status.js';

/** What has no value. */
export const NONE = html`<span class="soft">–</span>`;

/** @param name path in the line of `status --json`, such as `pending.objects` */
export function figure(name: string, value: number, text: string): Html {
  return html`<data data-figure="${name}" value="${value}">${text}</data>`;
}

export function count(name: string, value: number): Html {
  return figure(name, value, formatCount(value));
}

export function bytes(name: string, value: number, after = ''): Html {
  return figure(name, Math.round(value), `${formatBytes(value)}${after}`);
}

export function duration(name: string, ms: number): Html {
  return figure(name, Math.round(ms), formatDuration(ms));
}

export function percent(name: string, value: number): Html {
  return figure(name, Math.floor(value * 100) / 100, percentText(value));
}

/** A time that is a figure; of a time on the same day as `nowMs`, only the time. */
export function timeFigure(name: string, ms: number, nowMs: number): Html {
  return html`<data data-figure="${name}" value="${ms}">${shortTime(ms, nowMs)}</data>`;
}

export function shortTime(ms: number, nowMs: number): Html {
  const text = timeText(ms);
  const isToday = text.slice(0, 10) === timeText(nowMs).slice(0, 10);
  return html`<time datetime="${new Date(ms).toISOString()}">${isToday ? text.slice(11) : text}</time>`;
}

export function time(ms: number): Html {
  return html`<time datetime="${new Date(ms).toISOString()}">${timeText(ms)}</time>`;
}

/** Coarse, so that a page of which nothing else changes stays as it is. */
export function ago(ms: number): string {
  if (ms < 0) return 'in the future';
  if (ms < 60_000) return 'under 1 min ago';
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

/** What all runs that have ended have cost; undefined if no remote has had prices. */
export function spentOf({ spent }: { spent?: { cost: readonly Amount[] } }): Html | undefined {
  if (!spent || spent.cost.length === 0) return undefined;
  const value = spent.cost.map(({ currency, amount }) => `${currency} ${amount}`).join(' ');
  return html`<data data-figure="spent.cost" value="${value}">${costs(spent.cost)}</data>`;
}

/** One line for each currency that cost something. */
export function costs(amounts: readonly Amount[]): Html {
  const some = amounts.filter(({ amount }) => amount > 0);
  const shown = some.length > 0 ? some : amounts.slice(0, 1);
  return html`${shown.map((amount) => html`<span class="line">${formatCosts([amount])}</span>`)}`;
}

/** What the run in progress has cost so far. */
export function runningCost({ lastRun }: PairStatus): readonly Cost[] | undefined {
  return lastRun?.outcome === 'running' ? lastRun.cost : undefined;
}
