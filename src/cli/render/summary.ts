/** The summary of a run: a short, aligned table. */
import type { ChalkInstance } from 'chalk';
import type { Failure, StopReason, Summary, Traffic } from '../../engine/events.js';
import type { XsyncError } from '../../model/error.js';
import { VERIFIED_BY } from '../../model/verified.js';
import { keptAttributes, lossLines, lostAttributes, mappedAttributes } from './fidelity.js';
import { formatBytes, formatCosts, formatCount, formatCounts, formatDuration, plural } from './format.js';
import { failureText, VERIFIED_TEXT } from './lines.js';
import { printable } from './printable.js';
import { wrap } from './width.js';

export interface SummaryOptions {
  chalk: ChalkInstance;
  /** Columns. */
  width: number;
}

const LABEL = 13;
const SHOWN_FAILURES = 10;
const SHOWN_WORKERS = 20;

const HEADLINE: Record<StopReason, string> = {
  interrupted: 'Interrupted',
  'max-transfer': 'Stopped at --max-transfer',
  'max-cost': 'Stopped at --max-cost',
  'max-duration': 'Stopped at --max-duration',
};

/** Lines without line ends, the first one empty. `error` ended the run; the caller prints it after the summary. */
export function summaryLines(summary: Summary, error: XsyncError | undefined, options: SummaryOptions): string[] {
  const { chalk, width } = options;
  const row = (label: string, text: string, colour: (text: string) => string = (plain) => plain): string[] => {
    const lines = wrap(text, Math.max(20, width - LABEL));
    return lines.map(
      (line, index) => `${(index === 0 ? chalk.dim(label) : '') + pad(index === 0 ? label : '')}${colour(line)}`,
    );
  };
  const [a, b] = sidesOf(summary);
  return [
    '',
    ...wrap(`${headline(summary, error)}: ${pairText(summary)}`, width, '  ').map((line) =>
      chalk.bold(headColour(summary, error, chalk)(line)),
    ),
    ...row(summary.dryRun ? 'Would copy' : 'Copied', copiedText(summary), chalk.green),
    ...optional(renamedText(summary), (text) => row('Not sent', text)),
    ...optional(verifiedText(summary), (text) => row('Verified', text)),
    ...optional(refreshedText(summary), (text) => row(summary.dryRun ? 'Would set' : 'Updated', text)),
    ...optional(keptAttributes(summary), (text) => row('Attributes', text)),
    ...optional(mappedAttributes(summary), (text) => row('Mapped', text)),
    ...optional(lostAttributes(summary), (text) => row('Lost', text, chalk.yellow)),
    ...optional(deletedText(summary), (text) => row(summary.dryRun ? 'Would delete' : 'Deleted', text, chalk.red)),
    ...optional(movedText(summary), (text) => row('Moved', text, chalk.green)),
    ...optional(keptText(summary), (text) => row('Kept', text)),
    ...optional(conflictsText(summary), (text) => row('Conflicts', text, chalk.yellow)),
    ...optional(asideText(summary), (text) => row('Backed up', text)),
    ...optional(resumedText(summary), (text) => row('Resumed', text)),
    ...optional(skippedText(summary), (text) => row('Skipped', text)),
    ...optional(failedText(summary), (text) => row('Failed', text, chalk.red)),
    ...optional(heldText(summary), (text) => row('On hold', text, chalk.yellow)),
    ...optional(unfinishedText(summary), (text) => row('Remaining', text, chalk.yellow)),
    ...optional(retriedText(summary), (text) => row('Retried', text, chalk.yellow)),
    ...row('Listed', `${a} ${formatCount(summary.listed.source)} · ${b} ${formatCount(summary.listed.destination)}`),
    ...plannedRows(summary, row),
    ...(summary.planned ? optional(costText(summary), (text) => row('', text)) : []),
    ...row('Requests', `${a}: ${requestsText(summary.traffic.source)}`),
    ...row('', `${b}: ${requestsText(summary.traffic.destination)}`),
    ...(summary.planned ? [] : optional(costText(summary), (text) => row('Cost', text))),
    ...workerRows(summary, row),
    ...row('Elapsed', elapsedText(summary)),
    ...lossySection(summary, options),
    ...failureLines(summary.failed.list, summary.failed.objects, options),
    ...(error ? [] : nextStep(summary)).flatMap((text) => ['', ...wrap(text, width)]),
  ];
}

/** The summary in one line, for logs. */
export function summaryLine(summary: Summary, error?: XsyncError): string {
  return [
    `${headline(summary, error)}: ${summary.dryRun ? 'would copy' : 'copied'} ${copiedText(summary)}`,
    ...(summary.deleted.objects > 0
      ? [`${summary.dryRun ? 'would delete' : 'deleted'} ${formatCount(summary.deleted.objects)}`]
      : []),
    ...(summary.moved ? [`moved ${formatCount(summary.moved.objects)}`] : []),
    ...(summary.kept.objects > 0 ? [`kept ${formatCount(summary.kept.objects)}`] : []),
    `skipped ${formatCount(summary.skipped.objects)}`,
    `failed ${formatCount(summary.failed.objects)}`,
    elapsedText(summary),
  ].join('; ');
}

function pad(label: string): string {
  return ' '.repeat(LABEL - label.length);
}

/** The busiest first. */
function workerRows({ workers = [] }: Summary, row: (label: string, text: string) => string[]): string[] {
  const sorted = [...workers].sort((a, b) => b.bytes - a.bytes);
  const more = sorted.length - SHOWN_WORKERS;
  return [
    ...sorted.slice(0, SHOWN_WORKERS).flatMap(({ name, objects, bytes, bytesPerSecond }, at) => {
      const text = `${plural(objects, 'item')}, ${formatBytes(bytes)}, ${formatBytes(bytesPerSecond)}/s`;
      return row(at === 0 ? 'Workers' : '', `${printable(name)}: ${text}`);
    }),
    ...(more > 0 ? row('', `and ${formatCount(more)} more (--json has all)`) : []),
  ];
}

function optional(text: string, render: (text: string) => string[]): string[] {
  return text === '' ? [] : render(text);
}

function headline(summary: Summary, error: XsyncError | undefined): string {
  if (error) return error.code === 'guard' ? 'Refused to delete' : 'Ended with an error';
  if (summary.stopped !== undefined) return HEADLINE[summary.stopped];
  if (summary.dryRun) return 'Dry run';
  if (summary.failed.objects > 0) return 'Finished with failures';
  return summary.held.objects > summary.held.dropped ? 'Finished with objects on hold' : 'Done';
}

function headColour({ stopped, failed, held }: Summary, error: XsyncError | undefined, chalk: ChalkInstance) {
  if (error || failed.objects > 0) return chalk.red;
  return stopped !== undefined || held.objects > held.dropped ? chalk.yellow : (text: string) => text;
}

/** A mirror has no source: its sides are a and b, as in its help. */
function sidesOf({ mirror }: Summary): [source: string, destination: string] {
  return mirror ? ['a', 'b'] : ['source', 'destination'];
}

function pairText({ source, destination, mirror }: Summary): string {
  return `${printable(source)} ${mirror ? '↔' : '→'} ${printable(destination)}`;
}

function copiedText({ copied, mirror }: Summary): string {
  const ways = copied.objects > 0 ? waysText(copied.objects, mirror?.copied.objects, ['a → b', 'b → a']) : '';
  return `${plural(copied.objects, 'object')}, ${formatBytes(copied.bytes)}${ways}`;
}

/** Of a mirror: how many for each side. @param back those at the first side */
function waysText(all: number, back: number | undefined, [there, other]: readonly [string, string]): string {
  return back === undefined
    ? ''
    : `: ${formatCounts({ [there]: all - back || undefined, [other]: back || undefined })}`;
}

function conflictsText({ mirror, dryRun }: Summary): string {
  if (!mirror || mirror.conflicts.objects === 0) return '';
  const { objects, kept, open } = mirror.conflicts;
  const how = formatCounts({
    [dryRun ? 'would be kept on both sides' : 'kept on both sides']: kept || undefined,
    [dryRun ? 'would be replaced' : 'replaced']: objects - kept - open || undefined,
    open: open || undefined,
  });
  return `${plural(objects, 'object')}: ${how} (xsync conflicts lists them)`;
}

function renamedText({ renamed, dryRun }: Summary): string {
  if (!renamed) return '';
  const how = dryRun ? 'would be copied' : 'copied';
  return `${plural(renamed.objects, 'object')}, ${formatBytes(renamed.bytes)}: ${how} at the destination from other keys`;
}

function verifiedText({ verified }: Summary): string {
  const named = VERIFIED_BY.map((way) => [VERIFIED_TEXT[way], verified[way]]);
  return formatCounts(Object.fromEntries(named));
}

function resumedText({ resumed }: Summary): string {
  if (resumed.parts === 0) return '';
  const kept = `${plural(resumed.parts, 'part')}, ${formatBytes(resumed.bytes)}`;
  return `${plural(resumed.objects, 'object')}: ${kept} already sent by an earlier run`;
}

function skippedText({ skipped }: Summary): string {
  if (skipped.objects === 0) return '';
  const size = skipped.bytes > 0 ? `, ${formatBytes(skipped.bytes)}` : '';
  return `${plural(skipped.objects, 'object')}${size}: ${formatCounts(skipped.byReason)}`;
}

function failedText({ failed }: Summary): string {
  if (failed.objects === 0) return '';
  const { person, ...rest } = failed.byClass;
  return `${plural(failed.objects, 'object')}: ${formatCounts({ ...rest, 'needs action': person })}`;
}

function deletedText({ deleted, mirror }: Summary): string {
  if (deleted.objects === 0) return '';
  const ways = waysText(deleted.objects, mirror?.deleted.objects, ['on b', 'on a']);
  return `${plural(deleted.objects, 'object')}, ${formatBytes(deleted.bytes)}${ways}`;
}

function refreshedText({ refreshed }: Summary): string {
  return refreshed === undefined ? '' : `attributes of ${plural(refreshed, 'object')}, without their bytes`;
}

function movedText({ moved }: Summary): string {
  if (moved === undefined || moved.objects === 0) return '';
  return `${plural(moved.objects, 'object')}, ${formatBytes(moved.bytes)}: deleted at the source`;
}

function keptText({ kept }: Summary): string {
  if (kept.objects === 0) return '';
  const { unknown = 0, 'not-ours': adopted = 0, 'changed-at-destination': changed = 0 } = kept.byReason;
  const why = [
    ...(unknown + adopted > 0 ? [`${plural(unknown + adopted, 'object')} that xsync did not write`] : []),
    ...(changed > 0 ? [`${plural(changed, 'object')} changed since xsync wrote ${changed === 1 ? 'it' : 'them'}`] : []),
  ].join(', ');
  return `${why}; --delete-unknown deletes ${kept.objects === 1 ? 'it' : 'them'}`;
}

/** The output of a run that only kept objects. */
export function keptLine(summary: Summary): string {
  return `Kept ${keptText(summary)}: ${pairText(summary)}`;
}

function asideText({ backedUp, mirror }: Summary): string {
  return mirror || backedUp.objects === 0
    ? ''
    : `${plural(backedUp.objects, 'object')}, ${formatBytes(backedUp.bytes)}`;
}

function heldText({ held }: Summary): string {
  if (held.objects === 0) return '';
  const { person, permanent, temporary } = held.byClass;
  const why = formatCounts({
    'will be retried': temporary,
    'needs action': (person ?? 0) + (permanent ?? 0) || undefined,
    'given up': held.dropped || undefined,
  });
  return `${plural(held.objects, 'object')} that failed before: ${why} (xsync failed lists them)`;
}

/** The output of a run that found only objects on hold. */
export function heldLine(summary: Summary): string {
  return `Nothing to do: ${pairText(summary)}; on hold: ${heldText(summary)}`;
}

function unfinishedText({ unfinished, deleted }: Summary): string {
  return [
    ...(unfinished.objects === 0
      ? []
      : [`${unfinished.atLeast ? 'at least ' : ''}${plural(unfinished.objects, 'object')} for the next run`]),
    ...(deleted.left === 0 ? [] : [`${plural(deleted.left, 'object')} to delete`]),
  ].join(', ');
}

function retriedText(summary: Summary): string {
  return [
    ...(summary.retries > 0 ? [plural(summary.retries, 'request')] : []),
    ...(summary.restarts > 0
      ? [`${plural(summary.restarts, 'restart')} of objects that changed while being read`]
      : []),
  ].join(', ');
}

/** The requests that a dry run would cause. */
function plannedRows(summary: Summary, row: (label: string, text: string) => string[]): string[] {
  const { planned } = summary;
  if (planned === undefined) return [];
  const [a, b] = sidesOf(summary);
  return [
    ...row('Would cost', `${a}: ${countsText(planned.source)}`),
    ...row('', `${b}: ${countsText(planned.destination)}`),
  ];
}

/** At the prices in the remotes' configs. Acceleration is shown separately, because it is optional. */
function costText({ cost }: Summary): string {
  if (cost === undefined) return '';
  const accelerated = cost
    .filter(({ acceleration }) => acceleration > 0)
    .map(({ currency, acceleration: amount }) => ({ currency, amount }));
  return `${formatCosts(cost)}${accelerated.length > 0 ? `, of which acceleration ${formatCosts(accelerated)}` : ''}`;
}

function requestsText(traffic: Traffic): string {
  return countsText(traffic.requests, bytesText(traffic));
}

function countsText(requests: Traffic['requests'], bytes = ''): string {
  const total = Object.values(requests).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  return total === 0 ? '0' : `${formatCount(total)}${bytes} (${formatCounts(requests)})`;
}

function bytesText({ bytesIn, bytesOut }: Traffic): string {
  return `${bytesIn > 0 ? `, ${formatBytes(bytesIn)} in` : ''}${bytesOut > 0 ? `, ${formatBytes(bytesOut)} out` : ''}`;
}

function elapsedText(summary: Summary): string {
  const elapsed = formatDuration(summary.elapsedMs);
  if (summary.dryRun || summary.copied.objects === 0) return elapsed;
  const { bytes, objects } = paceTexts(summary);
  return `${elapsed}, ${bytes}, ${objects}`;
}

/** The average speed, without what an earlier run had sent. */
export function paceTexts({ elapsedMs, traffic, copied, resumed }: Summary): { bytes: string; objects: string } {
  const seconds = Math.max(elapsedMs, 1) / 1000;
  // `bytesOut` includes parts of unfinished objects, but not copies made by the service.
  const sent = Math.max(traffic.destination.bytesOut, copied.bytes - resumed.bytes);
  return { bytes: `${formatBytes(sent / seconds)}/s`, objects: `${(copied.objects / seconds).toFixed(1)} objects/s` };
}

function failureLines(list: readonly Failure[], total: number, { chalk, width }: SummaryOptions): string[] {
  if (list.length === 0) return [];
  const shown = list.slice(0, SHOWN_FAILURES);
  const more = total - shown.length;
  return [
    '',
    chalk.red(more > 0 ? `The first ${shown.length} of ${formatCount(total)} failures:` : 'Failures:'),
    ...shown.flatMap((failure) => [
      ...wrap(`  ${failureText(failure)}`, width, '    '),
      ...optional(failure.remedy ?? '', (remedy) =>
        wrap(`    → ${printable(remedy)}`, width, '      ').map((line) => chalk.dim(line)),
      ),
    ]),
  ];
}

function lossySection(summary: Summary, { chalk, width }: SummaryOptions): string[] {
  const losses = lossLines(summary);
  if (!losses) return [];
  return ['', chalk.yellow(losses.heading), ...losses.lines.flatMap((line) => wrap(`  ${line}`, width, '    '))];
}

function nextStep(summary: Summary): string[] {
  if (summary.dryRun) return ['Nothing was changed. To make these changes, run again without --dry-run.'];
  if (summary.stopped !== undefined) {
    return ['To resume, run the same command again: finished objects and parts are not sent again.'];
  }
  // Running the same command again would not retry them.
  if (summary.held.objects > summary.held.dropped) {
    return [
      'To retry the objects on hold now, run xsync retry. To see why each one waits, run xsync failed --explain.',
    ];
  }
  const { temporary = 0 } = summary.failed.byClass;
  // A mirror holds nothing back, and xsync retry leaves it alone.
  if (summary.failed.objects > temporary && !summary.mirror) {
    return [
      "To retry failed objects, run xsync retry: xsync sync may skip them until they or the remotes' config change.",
    ];
  }
  if (summary.failed.objects > 0) return ['To retry failed objects, run the same command again.'];
  return archivedStep(summary.skipped.byReason);
}

function archivedStep({ archived = 0, restoring = 0 }: Summary['skipped']['byReason']): string[] {
  const them = (n: number) => (n === 1 ? 'it' : 'them');
  const begun = `${plural(restoring, 'object')} ${restoring === 1 ? 'is' : 'are'} being restored: a later run copies ${them(restoring)}.`;
  const left = `${plural(archived, 'archived object')} ${archived === 1 ? 'was' : 'were'} left out; --restore asks the service for ${them(archived)}.`;
  return [...(restoring > 0 ? [begun] : []), ...(archived > 0 ? [left] : [])];
}
