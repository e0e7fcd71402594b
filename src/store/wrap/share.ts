import type { ErrorCode } from '../../model/error.js';
import type { ObjectStore } from '../port.js';
import type { RequestKind } from './kinds.js';
import { type Counts, meter, Sum } from './meter.js';
import { type RetryOptions, retry } from './retry.js';

/** A request that will be tried again. */
export interface RetryNotice {
  kind: RequestKind;
  key?: string;
  /** Of the attempt that failed, from 1. */
  attempt: number;
  delayMs: number;
  code: ErrorCode;
  message: string;
}

/** One store as one user sees it: what its own calls meet and cost. */
export interface StoreView {
  store: ObjectStore;
  traffic(): Counts;
}

/** A store that many runs use at once. */
export interface SharedStore extends StoreView {
  /** `traffic` of the view counts its own calls alone, that of the shared store those of all views. */
  view(onRetry: (event: RetryNotice) => void): StoreView;
}

/**
 * Retries, limits and counts the calls of a store, for each view by itself.
 * @param limit paces every view: all use the same line
 */
export function share(
  bare: ObjectStore,
  options: Pick<RetryOptions, 'attempts' | 'sleep'> = {},
  limit: (store: ObjectStore) => ObjectStore = (store) => store,
): SharedStore {
  const total = new Sum();
  const heard = { answered: false };
  const view = (onRetry?: (event: RetryNotice) => void): StoreView => {
    const metered = meter(bare, total);
    const store = retry(limit(metered), {
      ...options,
      heard,
      onRetry: ({ error, ...event }) => onRetry?.({ ...event, code: error.code, message: error.message }),
    });
    return { store, traffic: () => metered.counts() };
  };
  return { store: view().store, traffic: () => total.counts(), view };
}
