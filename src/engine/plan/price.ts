/** What requests and bytes cost, at the prices in the remotes' configuration. Pure. */
import type { Cost, Prices } from '../../model/prices.js';
import type { RequestKind } from '../../store/port.js';
import type { Traffic } from '../events.js';

/** What one side charges. */
export interface Priced {
  prices?: Prices;
  /** Bytes go through transfer acceleration. */
  accelerated?: boolean;
}

export interface PricedPair {
  source: Priced;
  dest: Priced;
}

const GB = 2 ** 30;
const CURRENCY = 'USD';

type PricedRequest = 'list' | 'get' | 'put' | 'delete';

/** The price classes of both AWS and Alibaba Cloud. */
const PRICED_AS: Record<RequestKind, PricedRequest> = {
  list: 'list',
  listParts: 'list',
  listUploads: 'list',
  head: 'get',
  read: 'get',
  checkBucket: 'get',
  put: 'put',
  copy: 'put',
  createUpload: 'put',
  uploadPart: 'put',
  uploadPartCopy: 'put',
  completeUpload: 'put',
  createBucket: 'put',
  restore: 'put',
  deleteBucket: 'delete',
  abortUpload: 'delete',
  delete: 'delete',
  getTags: 'get',
  getAcl: 'get',
  putTags: 'put',
  putAcl: 'put',
  putLock: 'put',
  getLink: 'get',
  putLink: 'put',
};

/**
 * What the traffic of both sides costs, one amount per currency, the source's first; undefined if neither side has
 * prices. Bytes into a service are free, apart from acceleration.
 */
export function costOf(
  { source, dest }: PricedPair,
  traffic: { source: Traffic; destination: Traffic },
): Cost[] | undefined {
  const sides = [
    { ...source, ...traffic.source },
    { ...dest, ...traffic.destination },
  ];
  return sumOf(
    sides.map(({ prices, accelerated, requests, bytesIn, bytesOut }) => {
      const acceleration = accelerated ? ((bytesIn + bytesOut) / GB) * (prices?.accelerated ?? 0) : 0;
      const amount = requestsCost(requests, prices) + (bytesIn / GB) * (prices?.egress ?? 0) + acceleration;
      return prices && { currency: prices.currency ?? CURRENCY, amount, acceleration };
    }),
  );
}

/** What the given numbers of list requests on each side cost. */
export function listCostOf(
  { source, dest }: PricedPair,
  { source: onSource, destination }: { source: number; destination: number },
): Cost[] | undefined {
  const none = { bytesIn: 0, bytesOut: 0 };
  return costOf(
    { source, dest },
    {
      source: { ...none, requests: { list: onSource } },
      destination: { ...none, requests: { list: destination } },
    },
  );
}

function requestsCost(requests: Traffic['requests'], prices: Prices | undefined): number {
  const counts = Object.entries(requests) as [RequestKind, number][];
  return counts.reduce((sum, [kind, count]) => sum + (count / 1000) * (prices?.[PRICED_AS[kind]] ?? 0), 0);
}

function sumOf(costs: readonly (Cost | undefined)[]): Cost[] | undefined {
  const sums = new Map<string, Cost>();
  for (const cost of costs) {
    if (!cost) continue;
    const { currency, amount, acceleration } = sums.get(cost.currency) ?? { ...cost, amount: 0, acceleration: 0 };
    sums.set(cost.currency, {
      currency,
      amount: amount + cost.amount,
      acceleration: acceleration + cost.acceleration,
    });
  }
  return sums.size === 0 ? undefined : [...sums.values()];
}
