/** The runs of a pair, a line each. */
import type { Summary } from '../../engine/events.js';
import type { RunOutcome, RunRow } from '../../manifest/port.js';
import { formatBytes, formatCount, formatDuration } from './format.js';
import { printable } from './printable.js';
import { timeText } from './status.js';

interface ListedRun {
  source: string;
  destination: string;
  run: RunRow;
  summary: Summary;
  outcome: RunOutcome | 'killed';
}

export const RUN_TITLES = cells([
  'run',
  'started (UTC)',
  'took',
  'command',
  'ended',
  'copied',
  'failed',
  'deleted',
  'pair',
]);

export function runLine({ source, destination, run, summary, outcome }: ListedRun): string {
  const { copied, failed, deleted, elapsedMs } = summary;
  return cells([
    run.id,
    timeText(run.startedMs).slice(0, 19),
    formatDuration(elapsedMs),
    run.command,
    outcome,
    `${formatCount(copied.objects)}, ${formatBytes(copied.bytes)}`,
    formatCount(failed.objects),
    formatCount(deleted.objects),
    `${printable(source)} → ${printable(destination)}`,
  ]);
}

function cells(texts: readonly string[]): string {
  const widths = [12, 19, 7, 7, 8, 19, 7, 7, 0];
  return texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ');
}
