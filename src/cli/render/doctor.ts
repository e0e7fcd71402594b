/** The findings of `xsync doctor` as text. */
import type { ChalkInstance } from 'chalk';
import type { Finding, Level } from '../../doctor/finding.js';
import { colours } from './colour.js';
import { plural } from './format.js';
import { printable } from './printable.js';
import { type Terminal, terminalWidth } from './terminal.js';
import { wrap } from './width.js';

const MARK: Record<Level, string> = { ok: '✓', warn: '!', fail: '✗', skip: '·' };

export interface DoctorText {
  title(title: string): string;
  finding(finding: Finding): string[];
  verdict(findings: readonly Finding[]): string;
}

export function doctorText(terminal: Terminal, env: NodeJS.ProcessEnv): DoctorText {
  const chalk = colours(terminal, env);
  return {
    title: (title) => chalk.bold(printable(title)),
    finding: (finding) => findingLines(finding, chalk, terminalWidth(terminal)),
    verdict: (findings) => verdictLine(findings, chalk),
  };
}

/** Width of a check's name in columns; the longest is `acceleration`. */
const NAME = 13;
const INDENT = ' '.repeat(4 + NAME);

/** Lines of at most `width` columns, except commands, which must stay whole to be copied. */
function findingLines(finding: Finding, chalk: ChalkInstance, width: number): string[] {
  const { level, check, remedy, commands = [] } = finding;
  const colour = { ok: chalk.green, warn: chalk.yellow, fail: chalk.red, skip: chalk.dim }[level];
  // An invalid config has one line per error.
  const [first = '', ...rest] = finding.found
    .split('\n')
    .flatMap((line) => wrap(printable(line), Math.max(20, width - INDENT.length)))
    .map((line) => (level === 'skip' ? chalk.dim(line) : line));
  return [
    `  ${colour(MARK[level])} ${check.padEnd(NAME)}${first}`,
    ...rest.map((line) => INDENT + line),
    ...(remedy === undefined ? [] : wrap(`    → ${printable(remedy)}`, width, '      ')),
    ...commands.map((command) => `        ${chalk.bold(printable(command))}`),
  ];
}

/** One line: the number of problems and warnings. */
function verdictLine(findings: readonly Finding[], chalk: ChalkInstance): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const wrong = count('fail');
  const better = count('warn');
  const could = better === 0 ? '' : `${plural(better, 'warning')} (!)`;
  if (wrong > 0) {
    const start = chalk.red(`${plural(wrong, 'problem')} (✗)`);
    return could === '' ? `${start}.` : `${start}, ${could}.`;
  }
  return could === '' ? chalk.green('No problems found.') : `No problems; ${could}.`;
}
