/**
 * Copies again what a check found missing or different at the destination. Deletes nothing.
 * Tests: test/engine/check/check.test.ts
 */
import type { Manifest, Spool } from '../../manifest/port.js';
import type { TransferPolicy } from '../decide/decide.js';
import type { Reporter, StopReason, Summary } from '../events.js';
import type { RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import type { Sum } from '../record/sum.js';
import { runKeys } from '../run.js';
import type { CheckEvent } from './findings.js';

/** Keys of one batch. */
const BATCH = 10_000;
const PAGE = 1000;

/** The keys to repair, in a table on disk, because there may be as many as objects. */
export class RepairList {
  readonly #spool: Spool;
  #waiting: { key: string; value: string }[] = [];
  #count = 0;

  constructor(manifest: Pick<Manifest, 'spool'>) {
    this.#spool = manifest.spool();
  }

  get count(): number {
    return this.#count;
  }

  hear(event: CheckEvent): void {
    if (event.type !== 'checked' || (event.verdict !== 'differ' && event.verdict !== 'missing-on-dst')) return;
    this.#count++;
    this.#waiting.push({ key: event.key, value: '' });
    if (this.#waiting.length >= PAGE) this.#flush();
  }

  *batches(): Generator<string[]> {
    this.#flush();
    for (let after: string | undefined; ; ) {
      const keys = this.#spool.page(after, BATCH).map(({ key }) => key);
      if (keys.length === 0) return;
      yield keys;
      after = keys.at(-1);
    }
  }

  dispose(): void {
    this.#spool.dispose();
  }

  #flush(): void {
    this.#spool.add(this.#waiting);
    this.#waiting = [];
  }
}

export interface RepairSummary {
  copied: Sum;
  failed: Summary['failed'];
  /** Neither copied nor failed: gone from the source meanwhile, or not reached. */
  left: number;
  /** What became of the attributes of copied objects; absent: nothing to tell. */
  fidelity?: Summary['fidelity'];
  /** Of the repair only. */
  traffic: Summary['traffic'];
  stopped?: StopReason;
}

/** @throws faults that end a run */
export async function repair(
  pair: RunPair,
  list: RepairList,
  options: RunOptions,
  report: Reporter,
): Promise<RepairSummary> {
  // An object that the check found different may have the source's size and time.
  const policy: TransferPolicy = { ...options.policy, compare: 'ignore-times' };
  const summary = await runKeys(pair, list.batches(), { ...options, policy }, (event) => {
    if (event.type !== 'start' && event.type !== 'end') report(event);
  });
  const { copied, failed, traffic, fidelity, stopped } = summary;
  const left = list.count - copied.objects - failed.objects;
  return { copied, failed, left, traffic, ...(fidelity && { fidelity }), ...(stopped && { stopped }) };
}
