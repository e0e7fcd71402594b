/** The page of one destination of a rule. Tests: test/cli/render/page.test.ts */
import { dueMs } from '../../../engine/record/failed.js';
import type { PairStatus } from '../../../engine/record/status.js';
import type { ConflictRow, FailureRow } from '../../../manifest/port.js';
import type { Shown } from '../../../web/board.js';
import { type Detail, keyParameter, type RunLine } from '../../../web/detail.js';
import type { Parts } from '../../../web/live.js';
import type { Viewer } from '../../../web/server.js';
import { formatBytes, formatCosts, formatCount, formatDuration } from '../format.js';
import { bareMessage } from '../lines.js';
import { keyText } from '../printable.js';
import { type Html, html, NOTHING } from '../report-html.js';
import { mood as outcomeMood, outcomeText } from '../status.js';
import { costCell, meter, pathOf, stateText } from './board.js';
import { ago, bytes, count, duration, figure, NONE, percent, time, timeFigure } from './figures.js';
import { chart } from './lag-chart.js';
import { retryForm, retryText } from './retry.js';
import { stateOf } from './state.js';

/** @param detail absent: the pair has not run, or its manifest cannot be read now */
export function pairParts(pair: Shown, detail: Detail | undefined, viewer: Viewer): Parts {
  const parts: [id: string, content: Html][] = [
    ['head', head(pair)],
    ['sums', pair.status ? figures(pair, pair.status) : html`<p id="sums">It has not run on this machine yet.</p>`],
    ['lag', lagSection(pair)],
    ['failed', failedSection(pair, detail, viewer)],
    ['conflicts', conflictSection(pair, detail)],
    ['runs', runSection(detail)],
    ['as-of', asOf(pair)],
  ];
  const whole = html`<main id="main" data-rule="${pair.id}">${parts.map(([, content]) => content)}</main>`;
  return { whole: { id: 'main', html: whole.text }, parts: parts.map(([id, { text }]) => ({ id, html: text })) };
}

function head(pair: Shown): Html {
  return html`<div id="head"><h1>${pair.id}</h1><p class="soft">${pair.mode}: ${pair.source} → ${pair.destination}</p><p>${stateText(stateOf(pair))}</p></div>`;
}

function figures({ rpoMs }: Shown, status: PairStatus): Html {
  const { history, synchronised, pending, lag, rate, failed, atMs } = status;
  const tile = (title: string, value: Html, below: Html | string = ''): Html =>
    html`<div><dt>${title}</dt><dd>${value}<span class="below">${below}</span></dd></div>`;
  const p99 = (name: string, lags: NonNullable<typeof lag.hour>): Html =>
    html`p50 ${duration(`lag.${name}.p50`, lags.p50)}, max ${duration(`lag.${name}.max`, lags.max)}`;
  return html`<dl class="sums" id="sums">${[
    history
      ? tile(
          'History',
          html`${percent('history.percent', history.percent)}${meter(history.percent)}`,
          html`${count('history.objects', history.objects)} of ${count('history.ofObjects', history.ofObjects)}, ${bytes('history.ofBytes', history.ofBytes)}`,
        )
      : tile('History', NONE, 'no pass yet'),
    synchronised && synchronised.untilMs > 0
      ? tile(
          'Synchronized up to',
          timeFigure('synchronised.untilMs', synchronised.untilMs, atMs),
          `${ago(atMs - synchronised.untilMs)}${rpoMs === undefined ? '' : `, ${formatDuration(rpoMs)} allowed`}`,
        )
      : tile('Synchronized up to', NONE, 'not yet'),
    lag.hour ? tile('Lag p99, last hour', duration('lag.hour.p99', lag.hour.p99), p99('hour', lag.hour)) : NOTHING,
    lag.day ? tile('Lag p99, last day', duration('lag.day.p99', lag.day.p99), p99('day', lag.day)) : NOTHING,
    rate
      ? tile(
          'Throughput',
          bytes('rate.bytes', rate.bytes, '/s'),
          figure('rate.objects', Math.round(rate.objects), `${rate.objects.toFixed(1)} objects/s`),
        )
      : tile('Throughput', NONE, 'no pass is copying'),
    tile('Pending', count('pending.objects', pending.objects), bytes('pending.bytes', pending.bytes)),
    tile(
      'Failed',
      html`<span class="${failed.objects > 0 ? 'bad' : ''}">${count('failed.objects', failed.objects)}</span>`,
      html`${bytes('failed.bytes', failed.bytes)}${failed.dropped > 0 ? html`, ${count('failed.dropped', failed.dropped)} given up` : NOTHING}`,
    ),
    tile(
      'Cost so far',
      costCell(status),
      status.spent ? html`since ${time(status.spent.sinceMs)}` : 'no remote has prices',
    ),
  ]}</dl>`;
}

function lagSection({ course, status, rpoMs }: Shown): Html {
  if (!status) return html`<div id="lag"></div>`;
  return html`<section class="card" id="lag"><h2>Lag over the last day</h2>${chart(course, status.atMs, rpoMs)}</section>`;
}

function failedSection(pair: Shown, detail: Detail | undefined, viewer: Viewer): Html {
  const { status, retry, mode, id } = pair;
  const said = retry ? html`<p role="status" class="small">${retryText(retry)}</p>` : NOTHING;
  if (!detail)
    return html`<section class="card" id="failed"><h2>Failed objects</h2>${said}${unknown(status)}</section>`;
  const { failed, more, after } = detail;
  if (!status || (failed.length === 0 && after === undefined)) {
    return html`<section class="card" id="failed"><h2>Failed objects</h2>${said}<p class="soft">None.</p></section>`;
  }
  const back = after === undefined ? pathOf(id) : `${pathOf(id)}?after=${keyParameter(after)}`;
  const how =
    mode === 'mirror'
      ? html`<span class="soft small">A mirror tries them again in each pass.</span>`
      : viewer === 'reader'
        ? html`<a class="small" href="/sign-in?back=${encodeURIComponent(back)}">Sign in to retry</a>`
        : retryForm(pair, viewer, { back });
  const rows = failed.map((row) => failedRow(pair, row, viewer, back));
  const last = failed.at(-1);
  const pages = [
    ...(after === undefined ? [] : [html`<a href="${pathOf(id)}#failed">First ones</a>`]),
    ...(more && last
      ? [
          html`<a rel="next" href="${pathOf(id)}?after=${keyParameter(last.key)}#failed">Next ${formatCount(failed.length)}</a>`,
        ]
      : []),
  ];
  const columns = ['Key', 'Size', 'Why', 'Attempts', 'Next attempt'];
  const header = columns.map(
    (title, index) => html`<th scope="col"${index === 1 || index === 3 ? html` class="n"` : NOTHING}>${title}</th>`,
  );
  return html`<section class="card" id="failed"><div class="bar"><h2>Failed objects: ${count('failed.objects', status.failed.objects)}</h2>${how}</div>${said}
<div class="wide"><table><caption class="hidden">Failed objects in the order of their keys</caption><thead><tr>${header}</tr></thead><tbody>${rows}</tbody></table></div>${pages.length > 0 ? html`<nav class="bar small" aria-label="Failed objects">${pages}</nav>` : NOTHING}</section>`;
}

const CLASS = { temporary: 'may succeed later', person: 'needs action', permanent: 'will fail again' } as const;

function failedRow(pair: Shown, row: FailureRow, viewer: Viewer, back: string): Html {
  const { key, size, code, attempts, dropped } = row;
  const next = dropped ? 'given up' : nextText(row, pair.status?.atMs ?? 0);
  const button = retryForm(pair, viewer, { key, back });
  return html`<tr><th scope="row"><span class="key"><bdi>${keyText(key)}</bdi></span></th><td class="n" data-label="Size">${formatBytes(size)}</td><td class="full why" data-label="Why"><b>${code}</b>, ${CLASS[row.class]}<span class="below">${bareMessage(row)}</span></td><td class="n" data-label="Attempts">${formatCount(attempts)}</td><td class="next" data-label="Next attempt">${next}${button}</td></tr>`;
}

function nextText(row: FailureRow, nowMs: number): Html {
  if (row.class !== 'temporary') return html`after a change of source or settings`;
  const atMs = dueMs(row, nowMs);
  return atMs <= nowMs ? html`in the next pass` : time(atMs);
}

function conflictSection({ mode, status }: Shown, detail: Detail | undefined): Html {
  if (mode !== 'mirror') return html`<div id="conflicts"></div>`;
  if (!detail) return html`<section class="card" id="conflicts"><h2>Open conflicts</h2>${unknown(status)}</section>`;
  const { conflicts } = detail;
  if (conflicts.length === 0)
    return html`<section class="card" id="conflicts"><h2>Open conflicts</h2><p class="soft">None.</p></section>`;
  const rows = conflicts.map(
    ({ key, foundMs, sides }: ConflictRow) =>
      html`<tr><th scope="row"><span class="key"><bdi>${keyText(key)}</bdi></span></th><td data-label="Found">${time(foundMs)}</td><td class="n" data-label="Source">${formatBytes(sides.source.size)}</td><td class="n" data-label="Destination">${formatBytes(sides.dest.size)}</td></tr>`,
  );
  return html`<section class="card" id="conflicts"><h2>Open conflicts</h2><div class="wide"><table><caption class="hidden">Open conflicts</caption><thead><tr><th scope="col">Key</th><th scope="col">Found</th><th scope="col" class="n">Source</th><th scope="col" class="n">Destination</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

/** Nothing may be said of what cannot be read. */
function unknown(status: PairStatus | undefined): Html {
  return html`<p class="soft">${status ? 'Not known: the manifest cannot be read now.' : 'None.'}</p>`;
}

function runSection({ runs = [] }: Partial<Detail> = {}): Html {
  if (runs.length === 0) return html`<div id="runs"></div>`;
  const columns = ['Started', 'Run', 'Outcome', 'Took', 'Copied', 'Deleted', 'Failed', 'Cost'];
  const header = columns.map(
    (title, index) => html`<th scope="col"${index > 2 ? html` class="n"` : NOTHING}>${title}</th>`,
  );
  return html`<section class="card" id="runs"><h2>Latest runs</h2><div class="wide"><table><caption class="hidden">Latest runs</caption><thead><tr>${header}</tr></thead><tbody>${runs.map(runRow)}</tbody></table></div></section>`;
}

function runRow({
  id,
  command,
  startedMs,
  endedMs,
  outcome,
  copied,
  bytes: sum,
  failed,
  deleted,
  cost,
}: RunLine): Html {
  const below = copied > 0 ? html`<span class="below">${formatBytes(sum)}</span>` : NOTHING;
  return html`<tr><th scope="row">${time(startedMs)}</th><td data-label="Run">${command} <span class="key soft">${id}</span></td><td data-label="Outcome"><span class="${outcomeMood(outcome, failed)}">${outcomeText(outcome, failed)}</span></td><td class="n" data-label="Took">${outcome === 'running' ? NONE : formatDuration(endedMs - startedMs)}</td><td class="n" data-label="Copied">${formatCount(copied)}${below}</td><td class="n" data-label="Deleted">${formatCount(deleted)}</td><td class="n" data-label="Failed">${formatCount(failed)}</td><td class="n" data-label="Cost">${cost ? formatCosts(cost) : NONE}</td></tr>`;
}

function asOf({ status }: Shown): Html {
  return html`<p class="soft small" id="as-of">${status ? html`Figures as of ${time(status.atMs)}.` : NOTHING}</p>`;
}
