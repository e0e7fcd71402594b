/**
 * The result of a check as text. The counts are worded as in rclone, so that log searches keep working.
 * Tests: test/e2e/check.test.ts
 */
import type { ChalkInstance } from 'chalk';
import { type Checked, type CheckSummary, differencesOf, type KnownBy } from '../../engine/check/findings.js';
import type { RepairSummary } from '../../engine/check/repair.js';
import type { Traffic } from '../../engine/events.js';
import { lossLines, lostAttributes } from './fidelity.js';
import { formatBytes, formatCounts, formatDuration, plural } from './format.js';
import { keyText, printable } from './printable.js';

const KNOWN_BY: Record<KnownBy, string> = {
  size: 'size',
  manifest: 'manifest',
  checksum: 'checksum',
  bytes: 'content',
  order: 'order',
};

export function checkedLine(checked: Checked, chalk: ChalkInstance): string {
  const { key, verdict, by, size, versionId, deleteMarker } = checked;
  const what = versionId === undefined ? '' : `${deleteMarker ? 'delete marker' : 'version'} ${printable(versionId)}, `;
  const said = (verb: string, rest: string): string => `${verb} ${keyText(key)}  ${chalk.dim(what + rest)}`;
  switch (verdict) {
    case 'match':
      return said(chalk.dim('matches'), `by ${KNOWN_BY[by ?? 'size']}`);
    case 'differ':
      return said(chalk.red('differs'), `by ${KNOWN_BY[by ?? 'size']}`);
    case 'missing-on-src':
      return said(chalk.yellow('missing at the source'), formatBytes(size));
    case 'missing-on-dst':
      return said(chalk.red('missing at the destination'), formatBytes(size));
  }
}

/** Lines without line ends. */
export function checkLines(summary: CheckSummary, repaired: RepairSummary | undefined, chalk: ChalkInstance): string[] {
  const { source, destination, match, differ, missingOnSrc, missingOnDst, errors, unproven, stopped } = summary;
  const differences = differencesOf(summary);
  const heading = stopped === undefined ? 'Checked' : 'Interrupted, not everything was checked';
  return [
    '',
    chalk.bold(`${heading}: ${printable(source)} ↔ ${printable(destination)}`),
    (differences > 0 ? chalk.red : chalk.green)(
      withDetail(`${plural(differences, 'difference')} found`, {
        'missing at the source': missingOnSrc.objects,
        'missing at the destination': missingOnDst.objects,
        ...renamed(differ.by, (by) => `different by ${KNOWN_BY[by]}`),
      }),
    ),
    ...(errors.objects > 0 ? [chalk.red(withDetail(`${errors.objects} errors while checking`, errors.byClass))] : []),
    ...(unproven > 0
      ? [chalk.yellow(`${unproven} hashes could not be checked: matched by size only (--download compares content)`)]
      : []),
    withDetail(
      `${match.objects} matching files`,
      renamed(match.by, (by) => `by ${KNOWN_BY[by]}`),
    ),
    ...(summary.skipped.objects > 0
      ? [withDetail(`${summary.skipped.objects} skipped`, summary.skipped.byReason)]
      : []),
    ...(repaired ? repairLines(repaired, missingOnSrc.objects, chalk) : []),
    `Requests: source ${requests(summary.traffic.source)}; destination ${requests(summary.traffic.destination)}`,
    `Elapsed ${formatDuration(summary.elapsedMs)}`,
  ];
}

function repairLines(repaired: RepairSummary, onlyDest: number, chalk: ChalkInstance): string[] {
  const { copied, failed, left } = repaired;
  const whole = failed.objects + left === 0;
  const rest = formatCounts({ failed: failed.objects, 'not reached or no longer at the source': left });
  const text = `Repaired ${plural(copied.objects, 'object')}, ${formatBytes(copied.bytes)}${rest === '' ? '' : ` (${rest})`}`;
  const kept = `Not deleted: ${plural(onlyDest, 'object')} missing at the source (--repair deletes nothing)`;
  const lost = lostAttributes(repaired);
  return [
    (whole ? chalk.green : chalk.red)(text),
    ...(lost === '' ? [] : [chalk.yellow(`Attributes lost: ${lost}`)]),
    ...(lossLines(repaired)?.lines ?? []).map((line) => `  ${line}`),
    ...(onlyDest > 0 ? [kept] : []),
  ];
}

/** The progress of a check, in one line. */
export function checkStatus({ match, errors, listed, ...summary }: CheckSummary): string {
  return [
    `${match.objects} matching`,
    `${differencesOf({ match, errors, listed, ...summary })} differences`,
    ...(errors.objects > 0 ? [`${errors.objects} errors`] : []),
    `listed ${listed.source} and ${listed.destination}`,
  ].join('; ');
}

function withDetail(text: string, counts: Readonly<Record<string, number | undefined>>): string {
  const detail = formatCounts(counts);
  return detail === '' ? text : `${text}: ${detail}`;
}

function renamed<K extends string>(
  counts: Partial<Record<K, number>>,
  name: (key: K) => string,
): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([key, count]) => [name(key as K), Number(count)]));
}

function requests({ requests: counts, bytesIn }: Traffic): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const read = bytesIn > 0 ? `, ${formatBytes(bytesIn)} read` : '';
  return total === 0 ? 'none' : `${total} (${formatCounts(counts)}${read})`;
}
