/** One line of text per event, the same on a terminal, in a pipe and in a log file. */
import type { ChalkInstance } from 'chalk';
import type { Failure, RunEvent } from '../../engine/events.js';
import type { VerifiedBy } from '../../model/verified.js';
import { lostText } from './fidelity.js';
import { formatBytes, formatCosts, formatCount, formatDuration, formatPercent, plural } from './format.js';
import { keyText, printable } from './printable.js';
import type { Status } from './tally.js';

/** How a copy was verified. */
export const VERIFIED_TEXT: Record<VerifiedBy, string> = {
  md5: 'MD5',
  sha256: 'SHA-256',
  sha1: 'SHA-1',
  'md5-of-parts': 'MD5 of parts',
  crc64: 'CRC-64',
  crc32: 'CRC-32',
  computed: 'computed checksum',
  server: 'the service',
  link: 'link target',
  size: 'size only',
  none: 'not verified',
};

/** The event as text, with keys escaped; undefined for events that only update the statistics. */
export function eventLine(event: RunEvent, chalk: ChalkInstance, dryRun: boolean): string | undefined {
  const said = (verb: string, key: string, rest: string): string => `${verb} ${keyText(key)}  ${chalk.dim(rest)}`;
  switch (event.type) {
    case 'start':
      return printable(`${event.source} → ${event.destination}, manifest ${event.manifest}`);
    case 'notice':
      return event.level === 'warn' ? chalk.yellow(`warning: ${printable(event.message)}`) : printable(event.message);
    case 'skip':
      return said(chalk.dim('skip'), event.key, joined(event.reason, event.detail));
    case 'plan':
      return said(
        dryRun ? chalk.cyan('would copy') : chalk.dim('queue'),
        event.key,
        joined(
          wayText(event),
          event.reason,
          formatBytes(event.size),
          (event.parts ?? 1) > 1 && plural(event.parts ?? 1, 'part'),
          fromText(event),
          event.detail,
        ),
      );
    case 'copied':
      return said(chalk.green('copied'), event.key, copiedDetail(event));
    case 'doom':
      return said(
        dryRun ? chalk.cyan('would delete') : chalk.dim('to delete'),
        event.key,
        joined(event.direction && 'on a', event.reason, formatBytes(event.size)),
      );
    case 'deleted':
      return said(chalk.red('deleted'), event.key, joined(event.direction && 'on a', formatBytes(event.size)));
    case 'attributes':
      return said(dryRun ? chalk.cyan('would set') : chalk.green('attributes'), event.key, event.changed.join(', '));
    case 'moved':
      return said(chalk.green('moved'), event.key, `${formatBytes(event.size)}, deleted at the source`);
    case 'keep':
      return said(chalk.dim('keep'), event.key, joined(event.reason, formatBytes(event.size)));
    case 'backup':
      return said(chalk.dim('backed up'), event.key, `as ${keyText(event.to)}`);
    case 'conflict':
      return said(chalk.yellow('conflict'), event.key, conflictText(event));
    case 'held':
      return said(chalk.yellow('on hold'), event.key, heldText(event));
    case 'waiting':
      return waitingLine(event);
    case 'trouble':
      return `${chalk.red('waiting to retry')}: ${printable(event.message)}${remedyText(event.remedy, chalk)}`;
    case 'well':
      return chalk.green(`recovered after ${formatDuration(event.afterMs)}`);
    case 'failed':
      return failureLine(event, chalk);
    case 'retry':
      return retryLine(event, chalk);
    case 'tuned':
      return printable(`tuned: ${event.message}`);
    case 'restart':
      return said(chalk.yellow('restart'), event.key, printable(event.message));
    default:
      return undefined;
  }
}

function copiedDetail(event: Extract<RunEvent, { type: 'copied' }>): string {
  return joined(
    wayText(event),
    formatBytes(event.size),
    event.parts > 1 && plural(event.parts, 'part'),
    fromText(event),
    event.resumedParts > 0 && `${formatCount(event.resumedParts)} already sent`,
    event.verifiedBy === 'none' ? 'not verified' : `verified by ${VERIFIED_TEXT[event.verifiedBy]}`,
    formatDuration(event.elapsedMs),
    event.fidelity && event.fidelity.lost.length > 0 && `lost ${lostText(event.fidelity.lost)}`,
  );
}

function conflictText({ source, destination, winner, keepsLoser }: Extract<RunEvent, { type: 'conflict' }>): string {
  const sides = `a has ${formatBytes(source.size)}, b ${formatBytes(destination.size)}`;
  if (winner === undefined) return `changed on both sides: ${sides}; both stay as they are`;
  const [won, lost] = winner === 'source' ? ['a', 'b'] : ['b', 'a'];
  return `changed on both sides: ${sides}; ${won}'s keeps the name, ${lost}'s is ${keepsLoser ? 'kept' : 'replaced'}`;
}

function fromText({ from }: { from?: string }): string | undefined {
  return from === undefined ? undefined : `copy at the destination from ${keyText(from)}`;
}

/** Only of what a mirror does at its first side. */
function wayText({ direction }: RunEvent): string | undefined {
  return direction && 'b → a';
}

function heldText({ code, why, untilMs }: Extract<RunEvent, { type: 'held' }>): string {
  if (why === 'dropped') return `given up (${code}) until its source changes`;
  if (why === 'later' && untilMs !== undefined)
    return `failed (${code}); retried after ${new Date(untilMs).toISOString()}`;
  return `failed (${code}); needs action: fix the cause, then run xsync retry`;
}

function waitingLine(event: Extract<RunEvent, { type: 'waiting' }>): string {
  const { untilMs, listRequests, listRequestsPerDay, listCostPerDay } = event;
  const cost = listCostPerDay === undefined ? '' : ` (${formatCosts(listCostPerDay)})`;
  const requests = `${plural(listRequests, 'list request')}, ${formatCount(listRequestsPerDay)} a day${cost}`;
  return `next poll at ${new Date(untilMs).toISOString().slice(11, 19)}Z; ${requests}`;
}

function remedyText(remedy: string | undefined, chalk: ChalkInstance): string {
  return remedy === undefined ? '' : chalk.dim(` — ${printable(remedy)}`);
}

function failureLine(event: Extract<RunEvent, { type: 'failed' }>, chalk: ChalkInstance): string {
  const after = event.attempts > 1 ? ` (${plural(event.attempts, 'attempt')})` : '';
  const what = event.operation === 'delete' ? 'not deleted' : 'failed';
  const line = `${chalk.red(what)}${event.operation === 'list' ? ': ' : ' '}${failureText(event)}`;
  return `${line}${after}${remedyText(event.remedy, chalk)}`;
}

/** The key and what happened to it; a row of a listing has no key. */
export function failureText(failure: Pick<Failure, 'key' | 'message' | 'operation'>): string {
  const text = printable(bareMessage(failure));
  return failure.operation === 'list' ? text : `${keyText(failure.key)}: ${text}`;
}

function retryLine(event: Extract<RunEvent, { type: 'retry' }>, chalk: ChalkInstance): string {
  const what = `${event.side} ${event.kind}${event.key === undefined ? '' : ` ${keyText(event.key)}`}`;
  const when = chalk.dim(`in ${formatDuration(event.delayMs)}, attempt ${event.attempt}`);
  return `${chalk.yellow('retry')} ${what}: ${printable(bareMessage(event))}  ${when}`;
}

/** The message without the key (with or without the pair's prefix) at its start: the line has already named it. */
export function bareMessage({ key, message }: { key?: string; message: string }): string {
  const at = key === undefined || key === '' ? -1 : message.indexOf(`${key}: `);
  const leads = at === 0 || (at > 0 && message[at - 1] === '/' && !message.slice(0, at).includes(': '));
  return leads ? message.slice(at + (key?.length ?? 0) + 2) : message;
}

/** One line of statistics for logs: `12.3 MiB / 45.6 MiB, 26%, 3.21 MiB/s, ETA 10.5s; 12 / 34 objects; …`. */
export function statsLine(status: Status): string {
  const { planned, copied } = status;
  return [
    [
      `${formatBytes(status.doneBytes)} / ${formatBytes(planned.bytes)}`,
      formatPercent(status.doneBytes, planned.bytes),
      `${formatBytes(status.bytesPerSecond)}/s`,
      `ETA ${etaText(status)}`,
    ].join(', '),
    `${formatCount(copied.objects)} / ${plural(planned.objects, 'object')}`,
    ...counters(status),
  ].join('; ');
}

/** The counts that are not 0, and always the listed objects. */
export function counters(status: Status): string[] {
  const { source, destination } = status.listed;
  const against = destination > 0 ? ` (destination ${formatCount(destination)})` : '';
  return [
    ...(status.skipped > 0 ? [`skipped ${formatCount(status.skipped)}`] : []),
    ...(status.failed > 0 ? [`failed ${formatCount(status.failed)}`] : []),
    ...(status.retries > 0 ? [`retries ${formatCount(status.retries)}`] : []),
    `listed ${formatCount(source)}${status.sourceListed ? '' : '…'}${against}`,
  ];
}

/** Starts with `>` while the source is still being listed, because the total may grow. */
export function etaText(status: Status): string {
  if (status.etaMs === undefined) return '-';
  return `${status.sourceListed ? '' : '>'}${formatDuration(Math.ceil(status.etaMs / 1000) * 1000)}`.replace(
    '.0s',
    's',
  );
}

function joined(...parts: (string | false | undefined)[]): string {
  return parts.filter((part) => part !== false && part !== undefined && part !== '').join(', ');
}
