/** The output of `xsync report --list`. Tests: test/cli/pairs.test.ts */
import type { Summary } from '../../engine/events.js';
import type { RunOutcome, RunRow } from '../../manifest/port.js';
import { formatBytes, formatCount, formatDuration } from './format.js';
import { printable } from './printable.js';
import { timeText } from './status.js';
import { shorten } from './width.js';

export interface ListedRun {
  source: string;
  destination: string;
  run: RunRow;
  /** Absent if the run's record cannot be read. */
  summary?: Summary;
  outcome: RunOutcome | 'killed';
}

type Cell = (listed: ListedRun) => string;

const UNKNOWN = '?';

function endText(outcome: ListedRun['outcome'], failed: number): string {
  if (outcome === 'guarded') return 'refused to delete';
  return outcome === 'complete' && failed > 0 ? 'failures' : outcome;
}

function sumText({ objects, bytes }: Summary['copied']): string {
  return `${formatCount(objects)}, ${formatBytes(bytes)}`;
}

/** Short, so that a run of thousands of objects fits in 80 columns. */
const COLUMNS: readonly [title: string, cell: Cell][] = [
  ['run', ({ run }) => run.id],
  ['started (UTC)', ({ run }) => timeText(run.startedMs).slice(0, 16)],
  ['took', ({ run, summary }) => formatDuration(summary?.elapsedMs ?? run.endedMs - run.startedMs)],
  ['by', ({ run }) => run.command],
  ['copied', ({ summary }) => (summary ? sumText(summary.copied) : UNKNOWN)],
  [
    'fail/del',
    ({ summary }) =>
      summary ? `${formatCount(summary.failed.objects)}/${formatCount(summary.deleted.objects)}` : UNKNOWN,
  ],
  ['ended', ({ outcome, summary }) => endText(outcome, summary?.failed.objects ?? 0)],
];

const PAIR: [string, Cell] = ['pair', ({ source, destination }) => `${printable(source)} → ${printable(destination)}`];

const LEAST_PAIR = 20;

/** Titles, and one line per run. @param pairs add a column with the pair, shortened to `width` */
export function runTable(
  runs: readonly ListedRun[],
  { pairs, width = Number.POSITIVE_INFINITY }: { pairs: boolean; width?: number },
): string[] {
  const columns = pairs ? [...COLUMNS, PAIR] : COLUMNS;
  const rows = [columns.map(([title]) => title), ...runs.map((run) => columns.map(([, cell]) => cell(run)))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row, index) => {
    const left = row.slice(0, COLUMNS.length).map((text, column) => text.padEnd(widths[column] ?? 0));
    const [pair] = row.slice(COLUMNS.length);
    if (pair === undefined) return left.join('  ').trimEnd();
    const start = `${left.join('  ')}  `;
    const room = width - start.length;
    if (room >= LEAST_PAIR) return start + shorten(pair, room);
    // The pair has a row of its own.
    return start.trimEnd() + (index === 0 ? '' : `\n  ${shorten(pair, width - 2)}`);
  });
}
