/** Copies again what a check found missing at the destination or different there. Deletes nothing. */
import type { Manifest, Spool } from '../../manifest/port.js';
import type { TransferPolicy } from '../decide/decide.js';
import { LISTED_FAILURES, type Reporter, type StopReason, type Summary } from '../events.js';
import type { RunOptions, RunPair } from '../options.js';
import type { Sum } from '../record/progress.js';
import { trafficSum } from '../record/traffic.js';
import { runPair } from '../run.js';
import type { CheckEvent } from './findings.js';

/** Keys that one run is told to copy; each run asks both sides about each of them. */
const KEYS_PER_RUN = 10_000;
const PAGE = 1000;

/** The keys to repair, in a table on disk: there may be as many as there are objects. */
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
      const keys = this.#spool.page(after, KEYS_PER_RUN).map(({ key }) => key);
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
  /** Neither: gone from the source meanwhile, or not reached. */
  left: number;
  /** Of the repair alone. */
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
  const total: RepairSummary = {
    copied: { objects: 0, bytes: 0 },
    failed: { objects: 0, byClass: {}, list: [] },
    left: list.count,
    traffic: {
      source: { requests: {}, bytesIn: 0, bytesOut: 0 },
      destination: { requests: {}, bytesIn: 0, bytesOut: 0 },
    },
  };
  // What the check called different may have the source's size and time.
  const policy: TransferPolicy = { ...options.policy, compare: 'ignore-times' };
  for (const only of list.batches()) {
    const summary = await runPair(pair, { ...options, policy, only, filter: undefined }, (event) => {
      if (event.type !== 'start' && event.type !== 'end') report(event);
    });
    addTo(total, summary);
    if (summary.stopped) return { ...total, stopped: summary.stopped };
  }
  return total;
}

function addTo(total: RepairSummary, { copied, failed, traffic }: Summary): void {
  total.copied.objects += copied.objects;
  total.copied.bytes += copied.bytes;
  total.failed.objects += failed.objects;
  total.left -= copied.objects + failed.objects;
  for (const [name, objects = 0] of Object.entries(failed.byClass)) {
    const kind = name as keyof typeof failed.byClass;
    total.failed.byClass[kind] = (total.failed.byClass[kind] ?? 0) + objects;
  }
  total.traffic = trafficSum(total.traffic, traffic);
  total.failed.list.push(...failed.list.slice(0, LISTED_FAILURES - total.failed.list.length));
}
