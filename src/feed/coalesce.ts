import { Bell, type Clock, systemClock } from './clock.js';
import type { ChangeBatch, ChangeEvent } from './feed.js';
import { type EventOrder, keyOf, laterOf } from './order.js';

export interface CoalesceOptions {
  /** A key is delivered after this many milliseconds without an event, ... */
  settleMs: number;
  /** ... or this many milliseconds after its first event. */
  maxWaitMs: number;
  /** Drops events that are older than a handled one, and records handled events. */
  order?: EventOrder;
  /** Maximum number of pending and unsettled keys; reading from the source stops there. */
  maxKeys?: number;
  /** Maximum number of keys in one batch. */
  maxBatch?: number;
  clock?: Clock;
  /** Ends the stream. Abort the source with the same signal. */
  signal?: AbortSignal;
}

/**
 * Merges a burst of events of one key into the latest one. A batch contains a key once, and the key is not delivered
 * again before that batch is settled. A batch of the source is done when all its events are done, and released when all
 * are settled and at least one was released.
 *
 * If the stream ends early, pending events are released. An error of the source is thrown after all pending events.
 */
export async function* coalesce(
  source: AsyncIterable<ChangeBatch>,
  options: CoalesceOptions,
): AsyncGenerator<ChangeBatch> {
  const merging = new Merging(options);
  void merging.read(source);
  try {
    while (!options.signal?.aborted) {
      const batch = merging.next();
      if (batch !== undefined) yield batch;
      else if (merging.finished) return merging.end();
      else await merging.wait();
    }
  } finally {
    await merging.giveBack();
  }
}

/** One batch of the source, shared by the keys of its events. */
interface Share {
  readonly batch: ChangeBatch;
  /** Number of unsettled events, plus one for the batch itself while it is read. */
  open: number;
  failed: boolean;
}

interface Pending {
  readonly name: string;
  event: ChangeEvent;
  readonly shares: Share[];
  firstMs: number;
  lastMs: number;
}

class Merging {
  readonly #options: CoalesceOptions;
  readonly #clock: Clock;
  readonly #bell = new Bell();
  /** The pending keys, by their last event and by their first. The head of each map is due next. */
  readonly #byLast = new Map<string, Pending>();
  readonly #byFirst = new Map<string, Pending>();
  /** Delivered keys that are not settled, each with the events that arrived since. */
  readonly #delivered = new Map<string, Pending | undefined>();
  #ended = false;
  #stopped = false;
  #error: unknown;

  constructor(options: CoalesceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Reads the source to its end, and pauses while `maxKeys` are held. */
  async read(source: AsyncIterable<ChangeBatch>): Promise<void> {
    try {
      for await (const batch of source) {
        if (this.#isStopped) {
          await batch.release();
          break;
        }
        await this.#add(batch);
        while (this.#isFull() && !this.#isStopped) await this.#bell.wait(this.#options.signal);
      }
    } catch (error) {
      this.#error = error;
    }
    this.#ended = true;
    this.#bell.ring();
  }

  /** Checked separately, because the reader may hold a batch long after the signal. */
  get #isStopped(): boolean {
    return this.#stopped || this.#options.signal?.aborted === true;
  }

  get finished(): boolean {
    return this.#ended && this.#byLast.size === 0 && ![...this.#delivered.values()].some(Boolean);
  }

  /** @throws the source's error */
  end(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /** The keys that are due, if any. */
  next(): ChangeBatch | undefined {
    const taken: Pending[] = [];
    while (taken.length < (this.#options.maxBatch ?? 1_000)) {
      const due = this.#earliest();
      if (due === undefined || due.atMs > this.#clock.now()) break;
      this.#byLast.delete(due.pending.name);
      this.#byFirst.delete(due.pending.name);
      this.#delivered.set(due.pending.name, undefined);
      taken.push(due.pending);
    }
    return taken.length === 0 ? undefined : this.#batch(taken);
  }

  /** Waits until an event arrives, a batch is settled or a key is due. */
  async wait(): Promise<void> {
    const due = this.#earliest();
    const cancel = due && this.#clock.after(Math.max(0, due.atMs - this.#clock.now()), () => this.#bell.ring());
    await this.#bell.wait(this.#options.signal);
    cancel?.();
  }

  async giveBack(): Promise<void> {
    this.#stopped = true;
    this.#bell.ring();
    const pending = [...this.#byLast.values(), ...[...this.#delivered.values()].filter((one) => one !== undefined)];
    this.#byLast.clear();
    this.#byFirst.clear();
    for (const name of this.#delivered.keys()) this.#delivered.set(name, undefined);
    await this.#settle(pending, false);
  }

  async #add(batch: ChangeBatch): Promise<void> {
    const share: Share = { batch, open: batch.events.length + 1, failed: false };
    for (const event of batch.events) {
      if (this.#options.order?.isOld(event)) share.open--;
      else this.#merge(event, share);
    }
    this.#bell.ring();
    await settleOne(share);
  }

  #merge(event: ChangeEvent, share: Share): void {
    const name = keyOf(event);
    const now = this.#clock.now();
    const known = this.#byLast.get(name) ?? this.#delivered.get(name);
    const pending = known ?? { name, event, shares: [], firstMs: now, lastMs: now };
    const attributes = pending.event.attributes ?? event.attributes;
    pending.event = laterOf(pending.event, event);
    if (attributes) pending.event = { ...pending.event, attributes };
    pending.shares.push(share);
    pending.lastMs = now;
    if (this.#delivered.has(name)) this.#delivered.set(name, pending);
    else this.#queue(pending);
  }

  #queue(pending: Pending): void {
    this.#byLast.delete(pending.name);
    this.#byLast.set(pending.name, pending);
    this.#byFirst.set(pending.name, pending);
  }

  #earliest(): { pending: Pending; atMs: number } | undefined {
    const { settleMs, maxWaitMs } = this.#options;
    const [quiet] = this.#byLast.values();
    const [old] = this.#byFirst.values();
    if (quiet === undefined || old === undefined) return undefined;
    const quietAt = quiet.lastMs + settleMs;
    const oldAt = old.firstMs + maxWaitMs;
    return quietAt <= oldAt ? { pending: quiet, atMs: quietAt } : { pending: old, atMs: oldAt };
  }

  #isFull(): boolean {
    return this.#byLast.size + this.#delivered.size >= (this.#options.maxKeys ?? 100_000);
  }

  #batch(taken: readonly Pending[]): ChangeBatch {
    let settled = false;
    const settle = (handled: boolean) => async () => {
      if (settled) return;
      settled = true;
      if (handled) for (const { event } of taken) this.#options.order?.handled(event);
      const outdated = taken.map(({ name }) => this.#free(name)).filter((one) => one !== undefined);
      this.#bell.ring();
      await this.#settle(taken, handled);
      await this.#settle(outdated, true);
    };
    return { events: taken.map(({ event }) => event), done: settle(true), release: settle(false) };
  }

  /**
   * Queues the events that arrived while the key was delivered, with the current time, so that both maps stay in time
   * order. Returns them instead if the handled event is later.
   */
  #free(name: string): Pending | undefined {
    const next = this.#delivered.get(name);
    this.#delivered.delete(name);
    if (next === undefined || this.#options.order?.isOld(next.event)) return next;
    next.firstMs = next.lastMs = this.#clock.now();
    this.#queue(next);
    return undefined;
  }

  async #settle(settled: readonly Pending[], handled: boolean): Promise<void> {
    const shares = settled.flatMap((pending) => pending.shares);
    if (!handled) for (const share of shares) share.failed = true;
    await Promise.all(shares.map(settleOne));
  }
}

async function settleOne(share: Share): Promise<void> {
  share.open--;
  if (share.open === 0) await (share.failed ? share.batch.release() : share.batch.done());
}
