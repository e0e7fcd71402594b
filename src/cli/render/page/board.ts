/** The board: one row for each rule, with its destinations beneath if it has several. Tests: test/cli/render/page.test.ts */
import type { PairStatus } from '../../../engine/record/status.js';
import { plus } from '../../../engine/record/sum.js';
import { spentIn, wholeOf } from '../../../engine/record/whole.js';
import type { Shown } from '../../../web/board.js';
import type { Part, Parts } from '../../../web/live.js';
import type { Viewer } from '../../../web/server.js';
import { formatBytes, formatCount, plural } from '../format.js';
import { type Html, html, NOTHING } from '../report-html.js';
import {
  ago,
  bytes,
  costs,
  count,
  duration,
  figure,
  NONE,
  percent,
  runningCost,
  spentOf,
  time,
  timeFigure,
} from './figures.js';
import { spark } from './lag-chart.js';
import { retryForm, retryText } from './retry.js';
import { MOODS, type State, stateOf, worst } from './state.js';

const COLUMNS: readonly [title: string, number: boolean][] = [
  ['Rule', false],
  ['State', false],
  ['History', true],
  ['Synchronized up to', false],
  ['Lag p99, last hour', false],
  ['Throughput', true],
  ['Pending', true],
  ['Failed', true],
  ['Conflicts', true],
  ['Cost so far', true],
];

export function boardParts(pairs: readonly Shown[], viewer: Viewer): Parts {
  const rules = rulesOf(pairs);
  const rows = rules.flatMap((members) => rowsOf(members, viewer));
  const [verdict, sums, asOf] = [verdictOf(rules), sumsOf(pairs), asOfText(pairs)];
  const whole = html`<main id="main"><div role="status">${verdict.html}</div>${sums.html}${tableOf(rows)}${asOf.html}</main>`;
  return { whole: { id: 'main', html: whole.text }, parts: [verdict, sums, ...rows, asOf].map(partOf) };
}

interface Piece {
  id: string;
  html: Html;
}

function partOf({ id, html: { text } }: Piece): Part {
  return { id, html: text };
}

function tableOf(rows: readonly Piece[]): Html {
  if (rows.length === 0) return html`<p>There are no rules that are enabled.</p>`;
  const head = COLUMNS.map(
    ([title, number]) => html`<th scope="col"${number ? html` class="n"` : NOTHING}>${title}</th>`,
  );
  return html`<div class="wide"><table><caption class="hidden">Rules and their destinations</caption><thead><tr>${head}</tr></thead>
<tbody>${rows.map((row) => row.html)}</tbody></table></div>`;
}

/** In their order, with the destinations of a rule together. */
function rulesOf(pairs: readonly Shown[]): Shown[][] {
  const rules = new Map<string, Shown[]>();
  for (const pair of pairs) rules.set(pair.rule, [...(rules.get(pair.rule) ?? []), pair]);
  return [...rules.values()];
}

const SAID: Record<State['mood'], string> = {
  bad: 'in trouble',
  warn: 'with failures or conflicts',
  busy: 'copying',
  idle: 'not run yet',
  good: 'synchronized',
};

function verdictOf(rules: readonly Shown[][]): Piece {
  const states = rules.map((members) => worst(members.map(stateOf)));
  const counts = MOODS.map((mood) => ({ mood, n: states.filter((state) => state?.mood === mood).length }));
  const said = counts.filter(({ n }) => n > 0);
  const all = plural(rules.length, 'rule');
  const parts = said.map(
    ({ mood, n }, index) =>
      html`${index > 0 ? ', ' : ''}<span class="${mood}">${said.length === 1 ? 'all' : formatCount(n)} ${SAID[mood]}</span>`,
  );
  const text = rules.length === 0 ? html`No rules` : html`${all}${said.length === 1 ? ', ' : ': '}${parts}`;
  return { id: 'verdict', html: html`<h1 id="verdict">${text}</h1>` };
}

/** Totals of what is known. */
function sumsOf(pairs: readonly Shown[]): Piece {
  const statuses = pairs.flatMap(({ status }) => status ?? []);
  const pending = plus(...statuses.map((status) => status.pending));
  const failed = plus(...statuses.map((status) => status.failed));
  const rate = plus(...statuses.flatMap((status) => status.rate ?? []));
  const arrived = statuses.reduce((sum, { lag }) => sum + (lag.hour?.objects ?? 0), 0);
  const conflicts = statuses.reduce((sum, status) => sum + status.conflicts, 0);
  const cost = spentIn(statuses);
  const tile = (title: string, value: Html | string, below: string): Html =>
    html`<div><dt>${title}</dt><dd>${value}<span class="below">${below}</span></dd></div>`;
  const failedText = html`<span class="${failed.objects > 0 ? 'bad' : ''}">${formatCount(failed.objects)}</span>`;
  return {
    id: 'sums',
    html: html`<dl class="sums" id="sums">${[
      tile('Throughput', `${formatBytes(rate.bytes)}/s`, `${rate.objects.toFixed(1)} objects/s`),
      tile('Arrived, last hour', formatCount(arrived), 'changed objects'),
      tile('Pending', formatCount(pending.objects), formatBytes(pending.bytes)),
      tile('Failed', failedText, failed.objects > 0 ? formatBytes(failed.bytes) : 'nothing'),
      tile('Conflicts', formatCount(conflicts), 'of mirrors, open'),
      tile(
        'Cost so far',
        cost.length > 0 ? costs(cost) : '–',
        cost.length > 0 ? 'all ended runs' : 'no remote has prices',
      ),
    ]}</dl>`,
  };
}

/** The oldest of all figures. */
function asOfText(pairs: readonly Shown[]): Piece {
  const times = pairs.flatMap(({ status }) => status?.atMs ?? []);
  const text = times.length === 0 ? NOTHING : html`Figures as of ${time(Math.min(...times))}.`;
  return { id: 'as-of', html: html`<p class="soft small" id="as-of">${text}</p>` };
}

function rowsOf(members: readonly Shown[], viewer: Viewer): Piece[] {
  const [first] = members;
  if (!first) return [];
  if (members.length === 1 && first.id === first.rule) return [pairRow(first, viewer, false)];
  return [ruleRow(members), ...members.map((member) => pairRow(member, viewer, true))];
}

/** Safe in HTML and in selectors, and the same for the same name. */
export function elementId(kind: string, name: string): string {
  return `${kind}-${Buffer.from(name).toString('base64url')}`;
}

export function pathOf(id: string): string {
  return `/rules/${encodeURIComponent(id)}`;
}

/** What holds for all destinations: an object counts when each of them has it. */
function ruleRow(members: readonly Shown[]): Piece {
  const { history, synchronised, pending, failed, lag, spent } = wholeOf(members.map(({ status }) => status));
  const statuses = members.flatMap(({ status }) => status ?? []);
  const rate = plus(...statuses.flatMap((status) => status.rate ?? []));
  const state = worst(members.map(stateOf));
  const [first] = members;
  const rule = first?.rule ?? '';
  const id = elementId('rule', rule);
  const nowMs = Math.max(...statuses.map(({ atMs }) => atMs));
  return {
    id,
    html: html`<tr id="${id}" data-rule="${rule}"><th scope="row" class="name"><b>${rule}</b><span class="below">${first?.source ?? ''} → ${plural(members.length, 'destination')}</span></th>
${cell(0, state ? stateText({ ...state, why: undefined }) : NONE, 'full')}
${cell(1, history ? html`${percent('history.percent', history.percent)}${meter(history.percent)}` : NONE)}
${cell(2, synchronised && synchronised.untilMs > 0 ? timeFigure('synchronised.untilMs', synchronised.untilMs, nowMs) : NONE)}
${cell(3, lag.hour ? duration('lag.hour.p99', lag.hour.p99) : NONE, 'full')}
${cell(4, rate.bytes > 0 ? html`${formatBytes(rate.bytes)}/s` : NONE)}
${cell(5, count('pending.objects', pending.objects))}
${cell(6, html`<span class="${failed.objects > 0 ? 'bad' : ''}">${count('failed.objects', failed.objects)}</span>`)}
${cell(7, NONE)}
${cell(8, spentOf({ spent }) ?? NONE)}</tr>`,
  };
}

function pairRow(pair: Shown, viewer: Viewer, isOne: boolean): Piece {
  const { id: name, source, destination, status, mode } = pair;
  const id = elementId('pair', name);
  const below = isOne ? destination : `${source} → ${destination}`;
  return {
    id,
    html: html`<tr id="${id}"${isOne ? html` class="one"` : NOTHING} data-rule="${name}"><th scope="row" class="name"><a id="${id}-name" href="${pathOf(name)}">${name}</a><span class="below">${below}</span></th>
${cell(0, stateText(stateOf(pair)), 'full')}
${cell(1, status ? historyCell(status) : NONE)}
${cell(2, status ? synchronizedCell(status) : NONE)}
${cell(3, status ? lagCell(pair, status) : NONE, 'full')}
${cell(4, status ? rateCell(status) : NONE)}
${cell(5, status ? pendingCell(status) : NONE)}
${cell(6, status ? failedCell(pair, status, viewer) : NONE)}
${cell(7, status && mode === 'mirror' ? count('conflicts', status.conflicts) : NONE)}
${cell(8, status ? costCell(status) : NONE)}</tr>`,
  };
}

/** @param index after the column of names */
function cell(index: number, content: Html, kind = ''): Html {
  const [title, number] = COLUMNS[index + 1] ?? ['', false];
  const names = [number ? 'n' : '', content === NONE ? 'none' : '', kind].filter(Boolean).join(' ');
  return html`<td class="${names}"${title === 'State' ? NOTHING : html` data-label="${title}"`}>${content}</td>`;
}

export function stateText({ word, mood, why }: State): Html {
  return html`<span class="state ${mood}">${word}</span>${why === undefined ? NOTHING : html`<span class="why soft">${why}</span>`}`;
}

export function meter(share: number): Html {
  return html`<meter aria-hidden="true" min="0" max="100" low="100" optimum="100" value="${share}"></meter>`;
}

function historyCell({ history }: PairStatus): Html {
  if (!history) return NONE;
  if (!history.total && history.ofObjects === 0) return html`<span class="soft">nothing found so far</span>`;
  const of = html`${count('history.objects', history.objects)} of ${count('history.ofObjects', history.ofObjects)}`;
  return html`${percent('history.percent', history.percent)}${meter(history.percent)}<span class="below">${of}</span>`;
}

function synchronizedCell({ synchronised, atMs }: PairStatus): Html {
  if (!synchronised) return html`<span class="soft">not yet</span>`;
  if (synchronised.untilMs === 0) return html`${figure('synchronised.untilMs', 0, 'unknown')}`;
  const { untilMs, behind } = synchronised;
  const held = behind > 0 ? html`, held back by ${plural(behind, 'failed object')}` : NOTHING;
  return html`${timeFigure('synchronised.untilMs', untilMs, atMs)}<span class="below">${ago(atMs - untilMs)}${held}</span>`;
}

function lagCell({ course }: Shown, { lag, atMs }: PairStatus): Html {
  const hour = lag.hour ? html`${duration('lag.hour.p99', lag.hour.p99)}` : NONE;
  const day = lag.day ? html`<span class="below">day ${duration('lag.day.p99', lag.day.p99)}</span>` : NOTHING;
  return html`<div class="lag"><span>${hour}${day}</span>${course.length > 0 ? spark(course, atMs) : NOTHING}</div>`;
}

function rateCell({ rate, lag }: PairStatus): Html {
  const arrived = lag.hour
    ? html`<span class="below">${count('lag.hour.objects', lag.hour.objects)} last hour</span>`
    : NOTHING;
  if (!rate) return html`${NONE}${arrived}`;
  const objects = figure('rate.objects', Math.round(rate.objects), `${rate.objects.toFixed(1)} objects/s`);
  return html`${bytes('rate.bytes', rate.bytes, '/s')}<span class="below">${objects}</span>${arrived}`;
}

function pendingCell({ pending }: PairStatus): Html {
  const below =
    pending.objects > 0 ? html`<span class="below">${bytes('pending.bytes', pending.bytes)}</span>` : NOTHING;
  return html`${count('pending.objects', pending.objects)}${below}`;
}

function failedCell(pair: Shown, { failed }: PairStatus, viewer: Viewer): Html {
  const number = count('failed.objects', failed.objects);
  const linked =
    failed.objects > 0
      ? html`<a class="bad" id="${elementId('failed', pair.id)}" href="${pathOf(pair.id)}#failed">${number}</a>`
      : number;
  const dropped =
    failed.dropped > 0 ? html`<span class="below">${count('failed.dropped', failed.dropped)} given up</span>` : NOTHING;
  const said = pair.retry ? html`<span class="below">${retryText(pair.retry)}</span>` : NOTHING;
  return html`${linked}${dropped}${said}${failed.objects > 0 ? retryForm(pair, viewer, { back: '/' }) : NOTHING}`;
}

export function costCell(status: PairStatus): Html {
  const [spent, running] = [spentOf(status), runningCost(status)];
  const now = running ? html`<span class="below">this run ${costs(running)}</span>` : NOTHING;
  return html`${spent ?? NONE}${now}`;
}
