/** Prices of a service from the user's configuration: xsync has no built-in prices. Tests: test/model/prices.test.ts */
import { XsyncError } from './error.js';

export interface Prices {
  /** Shown with the amounts; `USD` when absent. */
  currency?: string;
  /** Per 1,000 requests. */
  list?: number;
  /** Per 1,000 requests, including HEADs. */
  get?: number;
  /** Per 1,000 requests, including copies and the creation, parts and completion of uploads. */
  put?: number;
  /** Per 1,000 deletes and aborted uploads. */
  delete?: number;
  /** Per GB (2^30 bytes, as AWS and Alibaba Cloud count) that leaves the service. */
  egress?: number;
  /** Surcharge per GB through transfer acceleration in either direction. */
  accelerated?: number;
}

/** Amounts in one currency. */
export interface Cost {
  currency: string;
  amount: number;
  /** The share of `amount` for transfer acceleration. */
  acceleration: number;
}

/** An amount that a run may cost. */
export interface MaxCost {
  amount: number;
  /** Absent: that of the prices. */
  currency?: string;
}

/** `5USD`, `0.5 CNY`, `20`. @throws usage */
export function parseMaxCost(text: string): MaxCost {
  const [, amount, currency = ''] = /^(\d+(?:\.\d+)?) *([A-Za-z]*)$/.exec(text) ?? [];
  if (amount !== undefined) return { amount: Number(amount), ...(currency !== '' && { currency }) };
  throw new XsyncError('usage', `--max-cost: "${text}" is no amount`, {
    subject: '--max-cost',
    remedy: 'Write a number and a currency, such as 5USD.',
  });
}
