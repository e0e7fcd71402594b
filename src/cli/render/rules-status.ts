/** How far rules are, as a table. */
import type { ChalkInstance } from 'chalk';
import type { PairStatus } from '../../engine/record/status.js';
import type { WholeStatus } from '../../engine/record/whole.js';
import { formatCosts, formatCount, formatDuration } from './format.js';
import { printable } from './printable.js';
import { percentText, timeText } from './status.js';
import { table } from './table.js';

export interface RuleStatus {
  /** With the number of its destination, if it has several. */
  rule: string;
  rpoMs?: number;
  /** How much more than `rpoMs` it is behind. */
  behindMs: number;
  /** Absent: it has not run on this machine. */
  status?: PairStatus;
  /** Of a rule with several destinations: all of them together. */
  whole?: WholeStatus;
}

const HEAD = ['RULE', 'HISTORY', 'SYNCHRONIZED UP TO', 'LAG P99', 'PENDING', 'FAILED', 'RPO', 'COST'];

/** With line ends. */
export function rulesTable(rules: readonly RuleStatus[], chalk: ChalkInstance): string {
  const rows = rules.map(({ rule, status, whole, rpoMs, behindMs }) => {
    const known = whole ?? status;
    if (!known) return [rule, 'not run yet', '', '', '', '', rpoText(rpoMs, behindMs, chalk), ''];
    const { history, synchronised, pending, failed, spent } = known;
    const lag = known.lag.hour ?? known.lag.day;
    return [
      printable(rule),
      history ? percentText(history.percent) : 'no pass yet',
      synchronised && synchronised.untilMs > 0 ? timeText(synchronised.untilMs) : 'not yet',
      lag ? formatDuration(lag.p99) : '',
      formatCount(pending.objects),
      failed.objects > 0 ? chalk.red(formatCount(failed.objects)) : '0',
      rpoText(rpoMs, behindMs, chalk),
      spent ? formatCosts(spent.cost) : '',
    ];
  });
  // Only with prices.
  const columns = rules.some(({ status }) => status?.spent) ? HEAD.length : HEAD.length - 1;
  return table([HEAD, ...rows].map((row) => row.slice(0, columns)));
}

function rpoText(rpoMs: number | undefined, behindMs: number, { red, green }: ChalkInstance): string {
  if (rpoMs === undefined) return '';
  const allowed = formatDuration(rpoMs);
  return behindMs > 0 ? red(`late: more than ${allowed} behind`) : green(`met (${allowed})`);
}
