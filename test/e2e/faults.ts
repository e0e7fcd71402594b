/** What the fault tests share: objects of every kind of transfer, routes, and what "survived" means. */
import { expect } from 'vitest';
import { expectArrived } from './compare.js';
import { bytesOf, type Fixture, MiB } from './fixtures.js';
import { type Bucket, type Lab, type Outcome, summaryOf } from './harness.js';

export const KIB = 1024;

export const SMALL = objects({ a: 1, b: 1000, c: 20_000, d: 70_000, e: 5, f: 300 });
export const MIXED = [...SMALL, ...objects({ large: 3 * 128 * KIB + 17 })];
export const PARTS = ['--part-size', '128K'];

/** Into OSS in parts of 128 KiB, into S3 in parts of 5 MiB, which is its least. */
export const ROUTES = Object.entries({
  'S3 to OSS': { from: 'east', to: 'shanghai', fixtures: MIXED, parts: PARTS },
  'OSS to S3': {
    from: 'shanghai',
    to: 'west',
    fixtures: [...SMALL, ...objects({ large: 5 * MiB + 17 })],
    parts: ['--part-size', '5M'],
  },
} as const);

/** Objects by key and size, each with bytes of its own. */
export function objects(sizes: Record<string, number>): Fixture[] {
  return Object.entries(sizes).map(([key, size], n) => ({ key, bytes: bytesOf(key, size), mtimeS: 1_600_000_000 + n }));
}

export interface Pair {
  source: Bucket;
  dest: Bucket;
}

export function buckets(
  lab: Lab,
  from: 'east' | 'shanghai' = 'east',
  to: 'west' | 'shanghai' | 'east' = 'shanghai',
): Pair {
  return { source: lab[from].bucket(), dest: lab[to].bucket() };
}

/** All arrived, nothing is left over, and a further run finds nothing to do. */
export async function expectSurvived(
  lab: Lab,
  outcome: Outcome,
  { source, dest, fixtures }: Pair & { fixtures: readonly Fixture[] },
): Promise<void> {
  expect(summaryOf(outcome).failed.list).toEqual([]);
  expect(outcome.code).toBe(0);
  expectArrived(dest, fixtures);
  expect(dest.unfinished(), 'uploads left over').toEqual([]);
  lab.reset();
  expect(summaryOf(await lab.copy(source.at(), dest.at())).copied.objects).toBe(0);
  expect(dest.counts()).toEqual({ ListObjects: 1 });
}
