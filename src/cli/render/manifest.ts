/** The output of `xsync manifest`. Tests: test/e2e/manifest.test.ts */
import type { AdoptSummary } from '../../engine/rows/rebuild.js';
import type { RowsSummary } from '../../engine/rows/verify.js';
import { describePlace } from '../../manifest/pair.js';
import { pathOf } from '../../manifest/place.js';
import type { BrokenManifest, ManifestInfo } from '../../open/manifests.js';
import { formatBytes, formatCount, formatCounts, plural } from './format.js';
import { printable } from './printable.js';

type Info = ManifestInfo | BrokenManifest;

const LABEL = 14;

export function infoLines(info: Info): string[] {
  const row = (label: string, text: string): string => `${label.padEnd(LABEL)}${printable(text)}`;
  if ('error' in info) {
    return [row('Manifest', info.file), row('Size', formatBytes(info.bytes)), row('Damaged', info.error.message)];
  }
  const { lastRun, atWork } = info;
  return [
    row('Manifest', info.file),
    row('Source', pathOf(info.pair.source) ?? describePlace(info.pair.source)),
    row('Destination', pathOf(info.pair.dest) ?? describePlace(info.pair.dest)),
    row('Size', `${formatBytes(info.bytes)}, format ${info.format}`),
    row('Objects', formatCount(info.rows)),
    row('Unfinished', plural(info.uploads, 'upload')),
    row('Failed', plural(info.failed, 'object')),
    row(
      'Last run',
      lastRun ? `${lastRun.command}, ${lastRun.outcome}, ended ${iso(lastRun.endedMs)}` : 'none recorded',
    ),
    row('Synchronized', info.synchronisedMs ? `up to ${iso(info.synchronisedMs)}` : 'never'),
    ...(atWork ? [row('In use', `by process ${atWork.pid} (${atWork.command}) since ${iso(atWork.sinceMs)}`)] : []),
  ];
}

export function infoTable(infos: readonly Info[]): string[] {
  if (infos.length === 0) return ['No manifests on this machine yet: the first copy creates one.'];
  const rows = infos.map((info) =>
    'error' in info
      ? ['damaged', '', '', formatBytes(info.bytes), '', info.file]
      : [
          formatCount(info.rows),
          formatCount(info.uploads),
          formatCount(info.failed),
          formatBytes(info.bytes),
          info.synchronisedMs ? iso(info.synchronisedMs) : 'never',
          info.file,
        ],
  );
  const table = [['OBJECTS', 'UPLOADS', 'FAILED', 'SIZE', 'SYNCHRONIZED UP TO', 'MANIFEST'], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return table.map((row) =>
    row
      .map((cell, column) => (column < 4 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .map(printable)
      .join('  ')
      .trimEnd(),
  );
}

export function infoJson(info: Info): string {
  if (!('error' in info)) return JSON.stringify(info);
  const { file, bytes, error } = info;
  return JSON.stringify({ file, bytes, error: { code: error.code, message: error.message, remedy: error.remedy } });
}

type Verified = RowsSummary & { manifest: string; damage: readonly string[] };

export function verifiedLines({ manifest, damage, rows, agreeing, source, destination, unknown }: Verified): string[] {
  const side = (name: string, counts: RowsSummary['source']): string[] => {
    const text = formatCounts({ changed: counts.changed, missing: counts.gone });
    return text === '' ? [] : [`${name.padEnd(LABEL)}${text}`];
  };
  return [
    `${'Manifest'.padEnd(LABEL)}${printable(manifest)}`,
    `${'File'.padEnd(LABEL)}${damage.length === 0 ? 'intact' : 'damaged: run "xsync manifest rebuild"'}`,
    ...damage.map((line) => `${''.padEnd(LABEL)}${printable(line)}`),
    `${'Rows'.padEnd(LABEL)}${formatCount(rows)}, of which ${formatCount(agreeing)} match both listings`,
    ...side('Source', source),
    ...side('Destination', destination),
    ...(unknown > 0 ? [`${'Unknown'.padEnd(LABEL)}${plural(unknown, 'object')} on both sides without a row`] : []),
  ];
}

type Rebuilt = Omit<AdoptSummary, 'stopped'> & { manifest: string; aside: string | undefined; claimed: boolean };

const ADOPTED_BY = { 'same-checksum': 'by checksum', 'same-time': 'by size and time' } as const;

export function rebuiltLines(found: Rebuilt): string[] {
  const { manifest, aside, adopted, different, onlySource, onlyDestination, failed, claimed } = found;
  const row = (label: string, text: string): string => `${label.padEnd(LABEL)}${printable(text)}`;
  const by = formatCounts(
    Object.fromEntries(
      Object.entries(ADOPTED_BY).map(([reason, name]) => [name, adopted.by[reason as keyof typeof ADOPTED_BY]]),
    ),
  );
  const left = formatCounts({
    'only at the source': onlySource,
    'different at the destination': different,
    'only at the destination': onlyDestination,
    'could not be compared': failed,
  });
  return [
    row('Manifest', manifest),
    ...(aside === undefined ? [] : [row('Old file', `kept as ${aside}`)]),
    row('Adopted', `${plural(adopted.objects, 'object')}, ${formatBytes(adopted.bytes)}${by === '' ? '' : `: ${by}`}`),
    ...(left === '' ? [] : [row('Not adopted', left)]),
    row(
      'Deleting',
      claimed
        ? 'sync may delete adopted objects'
        : 'sync keeps adopted objects unless --delete-unknown is set (--claim changes that)',
    ),
  ];
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
