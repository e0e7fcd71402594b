/** The failed list as text and as JSON. Tests: test/cli/pairs.test.ts */
import type { ChalkInstance } from 'chalk';
import type { FailureRow } from '../../manifest/port.js';
import { formatBytes, formatDuration, plural } from './format.js';
import { bareMessage } from './lines.js';
import { keyText, printable } from './printable.js';
import { timeText } from './status.js';
import { shorten, wrap } from './width.js';

export interface ShownFailure extends FailureRow {
  /** Time of the automatic retry, ms; absent when something must change first. */
  nextMs?: number;
  remedy?: string;
}

export interface FailedStyle {
  chalk: ChalkInstance;
  /** Columns. */
  width: number;
  nowMs: number;
}

interface Names {
  source: string;
  destination: string;
}

interface Column {
  title: string;
  width: number;
  cell(failure: ShownFailure, nowMs: number): string;
  /** Left out in a narrow window, so that the key has room; `--explain` shows it. */
  wide?: true;
}

const COLUMNS: readonly Column[] = [
  { title: 'class', width: 9, cell: (failure) => failure.class },
  { title: 'code', width: 21, cell: ({ code }) => code },
  { title: 'tries', width: 5, cell: ({ attempts }) => String(attempts) },
  { title: 'first', width: 16, cell: ({ firstMs }) => minute(firstMs), wide: true },
  { title: 'last', width: 16, cell: ({ lastMs }) => minute(lastMs), wide: true },
  { title: 'next try', width: 13, cell: nextText },
];
/** Columns of a window that has room for all of them and a key. */
const WIDE = 120;

/** One line per object, with titles above the first. The key comes last, because its length varies. */
export class FailedTable {
  readonly #names: Names;
  readonly #style: FailedStyle;
  #begun = false;

  constructor(names: Names, style: FailedStyle) {
    this.#names = names;
    this.#style = style;
  }

  /** Lines with line ends. */
  lines(failures: readonly ShownFailure[]): string[] {
    if (failures.length === 0) return [];
    const { chalk, width } = this.#style;
    const head = [
      ...wrap(title(this.#names, chalk), width, '  '),
      chalk.dim(`${this.#cells(({ title }) => title)}key`),
    ];
    const lines = failures.map((failure) => {
      const left = this.#cells(({ cell }) => cell(failure, this.#style.nowMs));
      return left + shorten(keyText(failure.key), Math.max(20, width - left.length));
    });
    const shown = this.#begun ? lines : [...head, ...lines];
    this.#begun = true;
    return shown.map((line) => `${line}\n`);
  }

  #cells(text: (column: Column) => string): string {
    const columns = COLUMNS.filter(({ wide }) => !wide || this.#style.width >= WIDE);
    return columns.map((column) => `${text(column).padEnd(column.width)}  `).join('');
  }
}

function title({ source, destination }: Names, chalk: ChalkInstance): string {
  return chalk.bold(`${printable(source)} → ${printable(destination)}`);
}

/** `2026-11-21 02:01`, UTC. */
function minute(ms: number): string {
  return timeText(ms).slice(0, 16);
}

function isArchived(code: FailureRow['code']): boolean {
  return code === 'object-archived' || code === 'object-restoring';
}

function nextText({ code, dropped, nextMs }: ShownFailure, nowMs: number): string {
  if (dropped) return 'given up';
  if (isArchived(code)) return 'on restore';
  if (nextMs === undefined) return 'on change';
  return nextMs <= nowMs ? 'now' : `in ${formatDuration(nextMs - nowMs)}`;
}

/** One paragraph per object: lines with line ends. */
export function explainLines(
  names: Names,
  failures: readonly ShownFailure[],
  { chalk, width, nowMs }: FailedStyle,
): string[] {
  const block = (text: string, indent = '  '): string[] => wrap(`${indent}${text}`, width, `${indent}  `);
  return failures.flatMap((failure) => {
    const { key, code, message, attempts, firstMs, lastMs, size, remedy } = failure;
    return [
      ...wrap(chalk.bold(keyText(key)), width),
      ...block(`${printable(names.source)} → ${printable(names.destination)}, ${formatBytes(size)}`),
      ...block(chalk.red(`${code} (${CLASS[failure.class]}): ${printable(bareMessage({ key, message }))}`)),
      ...(remedy === undefined ? [] : block(`→ ${printable(remedy)}`)),
      ...block(`${plural(attempts, 'attempt')}, the first at ${timeText(firstMs)}, the last at ${timeText(lastMs)}`),
      ...block(againText(failure, nowMs)),
      '',
    ].map((line) => `${line}\n`);
  });
}

const CLASS: Record<FailureRow['class'], string> = {
  temporary: 'may succeed later',
  permanent: 'will fail again',
  person: 'needs action',
};

/** When a sync retries the object. */
function againText({ code, dropped, nextMs }: ShownFailure, nowMs: number): string {
  if (dropped) return 'Given up: retried when its source changes, or when xsync retry names it.';
  if (code === 'object-archived')
    return 'Skipped until it is restored at the service. The next run then copies it; --restore asks the service for it.';
  if (nextMs === undefined) {
    return "Retried when its source changes, or when the remotes' settings change (their config, credentials from the environment, the version of xsync); at once with xsync retry or copy.";
  }
  const when = nextMs <= nowMs ? 'by the next sync' : `by a sync after ${timeText(nextMs)}`;
  return `Retried ${when}, or when its source changes; at once with xsync retry or copy.`;
}

/** One line of JSON, without a line end. */
export function failedJson({ source, destination }: Names, failure: ShownFailure): string {
  const { key, size, code, message, remedy, attempts, firstMs, lastMs, nextMs, dropped, sourceMtimeMs } = failure;
  const when = { firstMs, lastMs, nextMs, dropped, sourceMtimeMs: Math.round(sourceMtimeMs) };
  return JSON.stringify({
    ...{ source, destination, key, size, class: failure.class, code, message, remedy, attempts },
    ...when,
  });
}
