/**
 * `--max-cost`: ends a run when its requests and bytes have cost as much, by the prices in the remotes' configuration.
 * Tests: test/engine/limits.test.ts
 */
import { XsyncError } from '../../model/error.js';
import type { MaxCost } from '../../model/prices.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { RunEvent } from '../events.js';
import type { Halt } from '../flow/halt.js';
import type { RunOptions } from '../options.js';
import type { RunPair, RunSide } from '../pair.js';
import { Forecast } from './forecast.js';
import { costOf } from './price.js';

const FLAG = '--max-cost';

export class CostLimit {
  readonly #pair: RunPair;
  readonly #max: number;
  readonly #halt: Halt;
  readonly #cutoff: RunOptions['cutoffMode'];
  /** Of the copies that were started. */
  readonly #started = new Forecast();

  private constructor(pair: RunPair, max: number, halt: Halt, cutoff: RunOptions['cutoffMode']) {
    this.#pair = pair;
    this.#max = max;
    this.#halt = halt;
    this.#cutoff = cutoff;
  }

  /** Absent: the run may cost what it likes. @param pair the run's view. @throws usage: `refuseUnpriced` */
  static of(pair: RunPair, { maxCost, cutoffMode }: RunOptions, halt: Halt): CostLimit | undefined {
    if (!maxCost) return undefined;
    refuseUnpriced(pair, maxCost);
    return new CostLimit(pair, maxCost.amount, halt, cutoffMode);
  }

  /** Stops the run once it has cost more. To be called after each event. */
  hear({ type }: RunEvent): void {
    if (type !== 'progress' && type !== 'listed') return;
    const { source, dest } = this.#pair;
    if (amountOf(this.#pair, { source: source.traffic(), destination: dest.traffic() }) <= this.#max) return;
    this.#halt.stop('max-cost', this.#cutoff === 'hard' ? 'calls' : 'objects');
  }

  /**
   * Whether another copy may start: in a dry run and with `cautious`, none that would exceed the limit, counting what the
   * copies that were started will cost.
   */
  admits(ticket: CopyTicket, dryRun: boolean): boolean {
    if (!dryRun && this.#cutoff !== 'cautious') return true;
    const { source, dest } = this.#pair;
    this.#started.add(ticket, dest.store.capabilities.attributes);
    const copies = amountOf(this.#pair, this.#started.traffic);
    const comparing = amountOf(this.#pair, { source: comparingOf(source), destination: comparingOf(dest) });
    if (copies + comparing <= this.#max) return true;
    this.#halt.stop('max-cost', 'plans');
    return false;
  }
}

function amountOf(pair: RunPair, traffic: Parameters<typeof costOf>[1]): number {
  return (costOf(pair, traffic) ?? []).reduce((sum, { amount }) => sum + amount, 0);
}

/** What was spent on finding out what to copy. */
function comparingOf(side: RunSide) {
  const { list = 0, head = 0 } = side.traffic().requests;
  return { requests: { list, head }, bytesIn: 0, bytesOut: 0 };
}

/** @throws usage: nobody knows what the run costs, or the amounts cannot be compared */
function refuseUnpriced({ source, dest }: RunPair, { currency }: MaxCost): void {
  const priced = [source, dest].flatMap((side) => (side.prices ? [{ ...side.prices, text: side.text }] : []));
  const [first, second] = priced.map((prices) => ({ ...prices, currency: prices.currency ?? 'USD' }));
  if (!first)
    throw unusable('no remote has prices', 'Add `prices` to the remotes in the config (examples/prices.yaml).');
  if (second && first.currency !== second.currency) {
    const both = `${first.text} has prices in ${first.currency}, and ${second.text} in ${second.currency}`;
    throw unusable(both, 'Give both remotes prices in one currency.');
  }
  if (currency !== undefined && currency.toUpperCase() !== first.currency.toUpperCase()) {
    throw unusable(
      `the prices of ${first.text} are in ${first.currency}, not ${currency}`,
      `Give an amount in ${first.currency}.`,
    );
  }
}

function unusable(message: string, remedy: string): XsyncError {
  return new XsyncError('usage', `${FLAG}: ${message}`, { subject: FLAG, remedy });
}

/** A side that may charge without anybody counting it, for a warning. */
export function uncounted({ source, dest }: RunPair, { maxCost }: RunOptions): string | undefined {
  if (!maxCost) return undefined;
  const free = [source, dest].find(({ prices, store }) => !prices && !store.capabilities.local);
  return free && `${free.text} has no prices, so what it charges does not count for ${FLAG}`;
}
