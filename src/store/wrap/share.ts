/** Tests: test/engine/shared.test.ts */
import type { ErrorCode } from '../../model/error.js';
import type { ObjectStore, RequestKind } from '../port.js';
import { LONG_MS } from './backoff.js';
import { type Counts, meter, Sum } from './meter.js';
import { type Contact, type RetryOptions, retry } from './retry.js';

/** A request that will be retried. */
export interface RetryNotice {
  kind: RequestKind;
  key?: string;
  /** Number of the failed attempt, from 1. */
  attempt: number;
  delayMs: number;
  code: ErrorCode;
  message: string;
  /** The wait is a long one, and the first of those that overlap: worth telling a person. */
  long?: true;
}

/** One store as one run sees it, with the run's own retries and counts. */
export interface StoreView {
  store: ObjectStore;
  traffic(): Counts;
  /** What other threads report of the calls that they make for this run; absent for a store that they do not use. */
  elsewhere?: Elsewhere;
}

/** The calls of one run that other threads make. */
export interface Elsewhere {
  readonly contact: Contact;
  counted(counts: Counts): void;
  retried(event: RetryNotice): void;
}

/** A store that many runs use at once. */
export interface SharedStore extends StoreView {
  /** `traffic` of a view counts only its own calls; `traffic` of the shared store counts those of all views. */
  view(onRetry: (event: RetryNotice) => void): StoreView;
}

/**
 * Retries, limits and counts the calls of a store, separately for each view.
 * @param limit paces all views together, because they share one line
 */
export function share(
  bare: ObjectStore,
  options: Pick<RetryOptions, 'attempts' | 'sleep'> = {},
  limit: (store: ObjectStore) => ObjectStore = (store) => store,
): SharedStore {
  const total = new Sum();
  const contact = { answered: false };
  const waits = new LongWaits();
  const view = (onRetry?: (event: RetryNotice) => void): StoreView => {
    const metered = meter(bare, total);
    const retried = ({ long: _, ...event }: RetryNotice): void =>
      onRetry?.({ ...event, ...(waits.isNews(event.delayMs) && { long: true }) });
    const store = retry(limit(metered), {
      ...options,
      contact,
      onRetry: ({ error: { code, message }, ...event }) => retried({ ...event, code, message }),
    });
    const counted = (counts: Counts): void => {
      metered.add(counts);
      total.add(counts);
    };
    return { store, traffic: () => metered.counts(), elsewhere: { contact, counted, retried } };
  };
  return { store: view().store, traffic: () => total.counts(), view };
}

/** Of many requests that wait at the same time for the same reason, the first is news. */
class LongWaits {
  #untilMs = 0;

  isNews(delayMs: number): boolean {
    const nowMs = performance.now();
    if (delayMs < LONG_MS || nowMs < this.#untilMs) return false;
    this.#untilMs = nowMs + delayMs;
    return true;
  }
}
