/** The state of a pair as text and as JSON. Tests: test/cli/pairs.test.ts */
import type { ChalkInstance } from 'chalk';
import type { Lags } from '../../engine/record/lag.js';
import type { History, PairStatus } from '../../engine/record/status.js';
import type { Sum } from '../../engine/record/sum.js';
import type { WholeStatus } from '../../engine/record/whole.js';
import { formatBytes, formatCosts, formatCount, formatCounts, formatDuration, plural } from './format.js';
import { keyText, printable } from './printable.js';
import type { Terminal } from './terminal.js';
import { wrap } from './width.js';

export interface ShownStatus {
  source: string;
  destination: string;
  /** Path of the manifest. */
  manifest: string;
  status: PairStatus;
  /** The rule that runs it, with the number of the destination if there are several. */
  rule?: string;
  /** `--rpo`, if given. */
  rpoMs?: number;
  /** How far the pair exceeds `rpoMs`; 0 if it does not. */
  behindMs: number;
}

export interface StatusStyle {
  chalk: ChalkInstance;
  /** Columns. */
  width: number;
}

const LABEL = 14;

/** Lines without line ends. */
export function statusLines(shown: ShownStatus, { chalk, width }: StatusStyle): string[] {
  const { status } = shown;
  const row = (label: string, text: string, colour: (text: string) => string = (plain) => plain): string[] =>
    wrap(text, Math.max(20, width - LABEL)).map(
      (line, index) => chalk.dim((index === 0 ? label : '').padEnd(LABEL)) + colour(line),
    );
  const title = `${printable(shown.source)} → ${printable(shown.destination)}`;
  const { red, yellow, green } = chalk;
  return [
    ...wrap(title, width, '  ').map((line) => chalk.bold(line)),
    ...(status.history ? row('History', historyText(status.history)) : row('History', 'no pass yet')),
    ...row('Synchronized', synchronisedText(status), status.synchronised?.behind ? yellow : undefined),
    ...(shown.behindMs > 0 ? row('', lateText(shown), red) : []),
    ...row('Pending', sumText(status.pending)),
    ...failedRows(status, row, red),
    ...(status.conflicts > 0
      ? row('Conflicts', `${formatCount(status.conflicts)} open (xsync conflicts lists them)`, yellow)
      : []),
    ...lagText(status.lag.hour, 'last hour').flatMap((text) => row('Lag', text)),
    ...lagText(status.lag.day, 'last day').flatMap((text) => row(status.lag.hour ? '' : 'Lag', text)),
    ...atWorkText(status).flatMap((text) => row('Running', text, green)),
    ...lastRunText(status).flatMap(({ text, bad }) => row('Last run', text, bad ? red : undefined)),
    ...costText(status).flatMap((text) => row('Cost', text)),
    ...row('Manifest', printable(shown.manifest)),
  ];
}

type Row = (label: string, text: string, colour?: (text: string) => string) => string[];

/** Truncated, not rounded: only a complete history is shown as 100%. */
export function percentText(percent: number): string {
  return percent >= 100 ? '100%' : `${(Math.floor(percent * 100) / 100).toFixed(2)}%`;
}

function historyText({ percent, objects, ofObjects, ofBytes, excluded, total, ahead = 0 }: History): string {
  // The listing was interrupted before it found anything: there is no percentage.
  if (!total && ofObjects === 0) return 'nothing found so far';
  const missing = ofObjects - objects - ahead;
  const bytes = ahead > 0 ? '' : `, ${formatBytes(ofBytes)}`;
  const what = `${plural(ofObjects, 'object')}${bytes}${total ? '' : ' found so far'}`;
  return [
    `${percentText(percent)} of ${what}`,
    ...(ahead > 0 ? [`${formatCount(ahead)} not compared yet`] : []),
    ...(missing > 0 ? [`${formatCount(missing)} not at the destination`] : []),
    ...(excluded.objects > 0 ? [`${formatCount(excluded.objects)} excluded`] : []),
  ].join('; ');
}

function synchronisedText({ atMs, synchronised, failed }: PairStatus): string {
  if (!synchronised) return 'not yet: no complete pass so far';
  const { untilMs, withoutFailedMs, behind } = synchronised;
  const until = untilMs > 0 ? `up to ${timeText(untilMs)} (${ago(atMs - untilMs)})` : 'unknown';
  if (behind === 0) return until;
  const [oldest] = failed.oldest;
  const key = oldest ? `: ${keyText(oldest.key)} (${oldest.code})` : '';
  return `${until}, held back by ${plural(behind, 'failed object')}${key}; otherwise ${timeText(withoutFailedMs)}`;
}

function lateText({ rpoMs = 0, behindMs, status }: ShownStatus): string {
  const allowed = formatDuration(rpoMs);
  return status.synchronised?.untilMs
    ? `${formatDuration(behindMs)} more than the allowed ${allowed}`
    : `more than the allowed ${allowed}`;
}

function failedRows({ failed }: PairStatus, row: Row, red: (text: string) => string): string[] {
  if (failed.objects + failed.dropped === 0) return row('Failed', 'none');
  const { person, ...rest } = failed.byClass;
  const classes = formatCounts({ ...rest, 'needs action': person });
  const text = failed.objects === 0 ? 'none' : `${sumText(failed)}: ${classes}`;
  const dropped = failed.dropped === 0 ? '' : `; given up ${formatCount(failed.dropped)}`;
  return [
    ...row('Failed', `${text}${dropped}`, failed.objects > 0 ? red : undefined),
    ...failed.oldest.flatMap(({ key, code }) => row('', `  ${keyText(key)} (${code})`)),
    ...(failed.objects > failed.oldest.length ? row('', '  … (xsync failed lists them)') : []),
  ];
}

function lagText(lags: Lags | undefined, when: string): string[] {
  if (!lags) return [];
  const { p50, p99, p9999, max, objects } = lags;
  const shares = [
    ['p50', p50],
    ['p99', p99],
    ['p99.99', p9999],
    ['max', max],
  ] as const;
  const text = shares.map(([name, ms]) => `${name} ${formatDuration(ms)}`).join(' · ');
  return [`${when}: ${text} (${plural(objects, 'object')})`];
}

function atWorkText({ atWork, rate }: PairStatus): string[] {
  if (!atWork) return [];
  const { command, pid, host, sinceMs } = atWork;
  const who = `${printable(command)} (process ${pid} on ${printable(host)}) since ${timeText(sinceMs)}`;
  if (!rate) return [who];
  const eta = rate.etaMs === undefined ? '' : `, ETA ${formatDuration(rate.etaMs)}`;
  return [`${who}; ${formatBytes(rate.bytes)}/s, ${rate.objects.toFixed(1)} objects/s${eta}`];
}

const OUTCOME = {
  running: 'running',
  complete: 'complete',
  stopped: 'stopped early',
  broken: 'ended with an error',
  guarded: 'refused to delete',
  killed: 'killed before it could record its end',
} as const;

export type Outcome = keyof typeof OUTCOME;

/** @param failed objects that failed in the run */
export function outcomeText(outcome: Outcome, failed: number): string {
  return outcome === 'complete' && failed > 0 ? 'finished with failures' : OUTCOME[outcome];
}

/** How an end is judged: colors follow it. */
export function mood(outcome: Outcome, failed: number): 'good' | 'warn' | 'bad' {
  if (outcome === 'complete') return failed > 0 ? 'bad' : 'good';
  return outcome === 'running' || outcome === 'stopped' ? 'warn' : 'bad';
}

function lastRunText({ lastRun, atMs }: PairStatus): { text: string; bad: boolean }[] {
  if (!lastRun) return [];
  const { id, command, startedMs, endedMs, outcome, copied, deleted, failed, error } = lastRun;
  const took = formatDuration((outcome === 'running' ? atMs : endedMs) - startedMs);
  const text = [
    `${command} ${id}, ${timeText(startedMs)}, ${took}: ${outcomeText(outcome, failed)}`,
    `copied ${sumText(copied)}`,
    ...(deleted.objects > 0 ? [`deleted ${formatCount(deleted.objects)}`] : []),
    ...(failed > 0 ? [`failed ${formatCount(failed)}`] : []),
  ].join('; ');
  const said = error ? ` — ${printable(error.message)}` : '';
  return [{ text: `${text}${said}`, bad: mood(outcome, failed) === 'bad' }];
}

/** What the last run has cost so far, and all runs that have ended. */
function costText({ lastRun, spent }: PairStatus): string[] {
  const last = lastRun?.cost ? [`last run ${formatCosts(lastRun.cost)}`] : [];
  if (!spent) return last;
  return [[`${formatCosts(spent.cost)} since ${timeText(spent.sinceMs)}`, ...last].join('; ')];
}

function sumText({ objects, bytes }: Sum): string {
  return objects === 0 ? 'nothing' : `${plural(objects, 'object')}, ${formatBytes(bytes)}`;
}

/** `2026-11-21 02:01:56 UTC`. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function ago(ms: number): string {
  return ms < 0 ? 'in the future' : `${formatDuration(ms)} ago`;
}

/** Of a rule that has not run, there is no manifest. */
type KnownStatus = Omit<ShownStatus, 'destination' | 'manifest' | 'status'> &
  Partial<Pick<ShownStatus, 'destination' | 'manifest' | 'status'>> & {
    /** Of a whole rule. */
    destinations?: readonly string[];
    whole?: WholeStatus;
  };

const MONEY = ['amount', 'acceleration'];

/** One line of JSON, without a line end. Times and rates are rounded; the percentage is truncated to a hundredth. */
export function statusJson({ rpoMs, behindMs, status, whole, ...known }: KnownStatus): string {
  const rpo = rpoMs === undefined ? undefined : { allowedMs: rpoMs, met: behindMs === 0 };
  return JSON.stringify({ ...known, ...status, ...whole, rpo }, (name, value: unknown) => {
    if (typeof value !== 'number') return value;
    if (name === 'percent') return Math.floor(value * 100) / 100;
    return MONEY.includes(name) ? value : Math.round(value);
  });
}

/** Output that is refreshed: in place on a terminal, otherwise appended. */
export class Screen {
  readonly #inPlace: boolean;
  readonly #terminal: Terminal;
  #lines = 0;

  constructor(inPlace: boolean, terminal: Terminal) {
    this.#inPlace = inPlace;
    this.#terminal = terminal;
  }

  /** The text to write in order to show `text`, whose lines must fit the terminal's width. */
  draw(text: string): string {
    if (!this.#inPlace) return text;
    const lines = text.split('\n').slice(0, -1);
    // Lines that have scrolled off the screen cannot be replaced.
    const most = Math.max(1, (this.#terminal.rows ?? 24) - 1);
    const shown = lines.length > most ? [...lines.slice(0, most - 1), '…'] : lines;
    const back = this.#lines > 0 ? `\u001b[${this.#lines}A\r\u001b[J` : '';
    this.#lines = shown.length;
    return `${back}${shown.join('\n')}\n`;
  }
}
