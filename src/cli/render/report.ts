/** The HTML report of a run: one page without scripts, other files or network access. Tests: test/cli/pairs.test.ts */
import { LISTED_LOSSES, type Summary, type Traffic } from '../../engine/events.js';
import type { RunDetail } from '../../engine/record/journal.js';
import type { RunOutcome, RunRow } from '../../manifest/port.js';
import type { AttributeName } from '../../model/attributes.js';
import type { ErrorClass } from '../../model/error.js';
import { VERIFIED_BY } from '../../model/verified.js';
import { lostText, NAMES } from './fidelity.js';
import { formatBytes, formatCosts, formatCount, formatDuration, plural } from './format.js';
import { bareMessage, VERIFIED_TEXT } from './lines.js';
import { keyText } from './printable.js';
import { bar, sizeTable, throughputChart } from './report-charts.js';
import { type Html, html, NOTHING, STYLE, section, table } from './report-html.js';
import { mood, outcomeText, timeText } from './status.js';
import { paceTexts } from './summary.js';

export interface ShownRun {
  source: string;
  destination: string;
  run: RunRow;
  detail: RunDetail;
  outcome: RunOutcome | 'killed';
  /** The version of xsync. */
  version: string;
}

export function reportPage({ source, destination, run, detail, outcome, version }: ShownRun): string {
  const { summary } = detail;
  const body = [
    html`<h1>${source} → ${destination}</h1>`,
    html`<p class="soft">${run.command} ${run.id} · ${timeText(run.startedMs)} · ${formatDuration(summary.elapsedMs)} · <b class="${mood(outcome, summary.failed.objects)}">${outcomeText(outcome, summary.failed.objects)}</b></p>`,
    detail.error ? html`<p class="bad">${detail.error.code}: ${detail.error.message}</p>` : NOTHING,
    tiles(summary),
    section('Throughput', throughputChart(detail.curve)),
    section('Sizes of copied objects', sizeTable(detail.sizes)),
    failures(summary),
    section('On hold: failed before, not retried', heldTable(summary)),
    section('Slowest objects', slowestTable(detail.slowest)),
    section('Verified by', verifiedTable(summary)),
    attributes(summary),
    section('Skipped', countTable('Reason', summary.skipped.byReason)),
    deletes(summary),
    section(
      'Requests',
      requestTable('source', summary.traffic.source),
      requestTable('destination', summary.traffic.destination),
    ),
    section('Repeated work', wasteTable(summary)),
  ];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>xsync ${run.command} ${run.id}</title><style>${STYLE}</style></head>
<body>${body}<p class="soft">xsync ${version}. Times are UTC.</p></body></html>
`.text;
}

function tiles(summary: Summary): Html {
  const { copied, skipped, failed, held, deleted, unfinished, resumed, listed } = summary;
  const pace = paceTexts(summary);
  const tile = (title: string, value: string, below: string, bad = false): Html =>
    html`<div class="tile"><span>${title}</span><b${bad ? html` class="bad"` : NOTHING}>${value}</b><span>${below}</span></div>`;
  return html`<div class="tiles">${[
    tile('Copied', formatCount(copied.objects), formatBytes(copied.bytes)),
    tile('Speed', pace.bytes, pace.objects),
    ...(resumed.parts > 0
      ? [tile('Resumed', formatCount(resumed.objects), `${formatBytes(resumed.bytes)} already sent`)]
      : []),
    tile('Skipped', formatCount(skipped.objects), formatBytes(skipped.bytes)),
    tile('Failed', formatCount(failed.objects), `on hold ${formatCount(held.objects)}`, failed.objects > 0),
    tile('Deleted', formatCount(deleted.objects), formatBytes(deleted.bytes)),
    ...(summary.cost ? [tile('Cost', formatCosts(summary.cost), 'by the prices in the config')] : []),
    tile('Listed', formatCount(listed.source), `destination ${formatCount(listed.destination)}`),
    ...(unfinished.objects > 0
      ? [
          tile(
            'Remaining',
            `${unfinished.atLeast ? 'at least ' : ''}${formatCount(unfinished.objects)}`,
            'for the next run',
            true,
          ),
        ]
      : []),
  ]}</div>`;
}

function keyOf(key: string): Html {
  return html`<span class="key">${keyText(key)}</span>`;
}

function slowestTable(slowest: RunDetail['slowest']): Html {
  const columns = [{ title: 'Key' }, { title: 'Size', number: true }, { title: 'Time', number: true }] as const;
  return table(
    columns,
    slowest.map(({ key, size, elapsedMs }) => [keyOf(key), formatBytes(size), formatDuration(elapsedMs)]),
  );
}

const CLASS_TITLE: Record<ErrorClass, string> = {
  temporary: 'May succeed later',
  person: 'Need action',
  permanent: 'Will fail again',
};

function failures({ failed }: Summary): Html {
  const more = failed.objects - failed.list.length;
  const classes = (Object.keys(CLASS_TITLE) as ErrorClass[]).map((kind) => {
    const rows = failed.list.filter((failure) => failure.class === kind);
    const count = failed.byClass[kind] ?? 0;
    if (count === 0) return NOTHING;
    const list = table(
      [{ title: 'Key' }, { title: 'Code' }, { title: 'Message' }],
      rows.map((failure) => [
        failure.operation === 'list' ? '' : keyOf(failure.key),
        failure.operation === 'delete' ? `not deleted: ${failure.code}` : failure.code,
        html`${bareMessage(failure)}${failure.remedy ? html`<br><span class="soft">→ ${failure.remedy}</span>` : NOTHING}`,
      ]),
    );
    return html`<h3>${CLASS_TITLE[kind]}: ${plural(count, 'object')}</h3>${list}`;
  });
  const rest = more > 0 ? html`<p class="soft">And ${formatCount(more)} more: xsync failed lists them.</p>` : NOTHING;
  return section('Failed', ...classes, rest);
}

function heldTable({ held }: Summary): Html {
  const { byClass, dropped } = held;
  return countTable('Reason', {
    'will be retried': byClass.temporary,
    'needs action': byClass.person,
    'will fail again': byClass.permanent,
    'given up': dropped || undefined,
  });
}

function verifiedTable({ verified }: Summary): Html {
  return countTable('By', Object.fromEntries(VERIFIED_BY.map((way) => [VERIFIED_TEXT[way], verified[way]])));
}

/** Of copied objects: what became of each attribute, why, and which objects lost some. */
function attributes({ fidelity, refreshed }: Summary): Html {
  if (!fidelity) return NOTHING;
  const { kept, mapped, lost, reasons, objects, list } = fidelity;
  const names = (Object.keys(NAMES) as AttributeName[]).filter((name) => kept[name] || mapped[name] || lost[name]);
  const count = (n: number | undefined): string => (n === undefined ? '' : formatCount(n));
  const numbers = ['Kept', 'Mapped', 'Lost'].map((title) => ({ title, number: true as const }));
  const totals = names.map((name) => [NAMES[name], count(kept[name]), count(mapped[name]), count(lost[name])]);
  const why = reasons.map(({ became, attribute, reason, objects: n }) => [
    html`<span class="${became === 'lost' ? 'warn' : 'good'}">${became}</span>`,
    ...[NAMES[attribute], formatCount(n), reason],
  ]);
  const shown = list.slice(0, LISTED_LOSSES).map(({ key, lost: notes }) => [keyOf(key), lostText(notes)]);
  const more = objects - shown.length;
  return section(
    'Attributes',
    refreshed ? html`<p>Set without the bytes: ${plural(refreshed, 'object')}</p>` : NOTHING,
    table([{ title: 'Attribute' }, ...numbers], totals),
    why.length > 0 ? html`<h3>Why</h3>` : NOTHING,
    table([{ title: '' }, { title: 'Attribute' }, { title: 'Objects', number: true }, { title: 'Reason' }], why),
    objects > 0 ? html`<h3>Lost something: ${plural(objects, 'object')}</h3>` : NOTHING,
    table([{ title: 'Key' }, { title: 'What' }], shown),
    more > 0 ? html`<p class="soft">And ${formatCount(more)} more: the events of --json name them.</p>` : NOTHING,
  );
}

/** The largest count first, with bars. */
function countTable(title: string, counts: Readonly<Record<string, number | undefined>>): Html {
  const rows = Object.entries(counts)
    .filter((entry): entry is [string, number] => (entry[1] ?? 0) > 0)
    .sort((a, b) => b[1] - a[1]);
  const most = rows[0]?.[1] ?? 1;
  return table(
    [{ title }, { title: 'Count', number: true }, { title: '' }],
    rows.map(([name, count]) => [name, formatCount(count), bar(count / most)]),
  );
}

function deletes({ deleted, kept, backedUp }: Summary): Html {
  const rows = [
    ['deleted: no longer at the source', deleted.objects, deleted.bytes],
    ['not deleted yet', deleted.left, undefined],
    ['kept: not at the source', kept.objects, kept.bytes],
    ['backed up before being replaced or deleted', backedUp.objects, backedUp.bytes],
  ] as const;
  return section(
    'At the destination',
    table(
      [{ title: '' }, { title: 'Objects', number: true }, { title: 'Bytes', number: true }],
      rows.flatMap(([what, objects, bytes]) =>
        objects > 0 ? [[what, formatCount(objects), bytes === undefined ? '' : formatBytes(bytes)]] : [],
      ),
    ),
  );
}

function requestTable(side: string, { requests, bytesIn, bytesOut }: Traffic): Html {
  const total = Object.values(requests).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  if (total === 0) return NOTHING;
  const traffic = `${plural(total, 'request')}, ${formatBytes(bytesIn)} in, ${formatBytes(bytesOut)} out`;
  return html`<h3>${side}: ${traffic}</h3>${countTable('Kind', requests)}`;
}

function wasteTable({ retries, restarts, waste }: Summary): Html {
  const bytes = waste.bytes > 0 ? `, ${formatBytes(waste.bytes)} transferred twice` : '';
  return table(
    [{ title: '' }, { title: '', number: true }],
    [
      ...(retries > 0 ? [['retried requests', formatCount(retries)]] : []),
      ...(restarts > 0 ? [['objects restarted because they changed while being read', formatCount(restarts)]] : []),
      ...(waste.parts > 0 ? [[`parts requested twice because they were slow${bytes}`, formatCount(waste.parts)]] : []),
    ],
  );
}
