/** The text of an error, the same in every command. */
import type { ChalkInstance } from 'chalk';
import type { XsyncError } from '../../model/error.js';
import { excerpt } from '../../model/excerpt.js';
import { printable } from './printable.js';

/** Names can be copied from the screen up to the longest that a system takes. */
const LONGER_THAN_A_PATH = /\S{4097,}/g;

/**
 * `xsync: <what> — <remedy>`; with `details` also the service's response and the causes. A stack trace is shown only
 * for bugs in xsync, and only with `details`.
 */
export function errorLines(error: XsyncError, details: boolean, chalk: ChalkInstance): string[] {
  const internal = error.code === 'internal';
  const what = internal ? `a bug in xsync: ${error.message}` : error.message;
  const remedy = internal
    ? 'please report it with the output of -vv'
    : error.remedy !== undefined && !error.message.includes(error.remedy)
      ? error.remedy
      : undefined;
  // An invalid config has one line per error; elsewhere only a key can contain a line break.
  const lines = error.code === 'config' ? what.split('\n') : [what];
  const [first = '', ...more] = lines.map(readable);
  const tail = remedy === undefined ? '' : ` — ${readable(remedy)}`;
  const text = [`${chalk.red('xsync:')} ${first}`, ...more.map((line) => `  ${line}`)];
  text.push(`${text.pop()}${tail}`);
  return details ? [...text, ...detailLines(error).map((detail) => chalk.dim(`  ${detail}`))] : text;
}

function readable(text: string): string {
  return printable(text.replace(LONGER_THAN_A_PATH, (word) => excerpt(word)));
}

function detailLines(error: XsyncError): string[] {
  const facts: [string, string | number | undefined][] = [
    ['code', `${error.code} (${error.class})`],
    ['status', error.status],
    ['service code', error.serviceCode],
    ['request id', error.requestId],
    ...causes(error).map((cause): [string, string] => ['caused by', cause]),
  ];
  const lines = facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${printable(String(value))}`]));
  return error.code === 'internal' ? [...lines, ...stackOf(error).map(printable)] : lines;
}

const DEEPEST = 5;

function causes(error: Error): string[] {
  const texts: string[] = [];
  let cause = error.cause;
  while (cause !== undefined && cause !== null && texts.length < DEEPEST) {
    texts.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return texts;
}

function stackOf(error: Error): string[] {
  const origin = error.cause instanceof Error ? error.cause : error;
  return (origin.stack ?? '').split('\n').slice(1);
}
