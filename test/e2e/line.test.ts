/**
 * What goes wrong on the line and at the service, thing by thing, each kind of request hurt once: survived, or
 * reported with its own exit code. Every test ends with the destination compared byte for byte from behind the server.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fault, RequestKind } from '../support/server/index.js';
import { expectArrived } from './compare.js';
import { buckets, expectSurvived, objects, ROUTES } from './faults.js';
import { seed } from './fixtures.js';
import { type Bucket, Lab, summaryOf } from './harness.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

const HOUR = 3_600_000;

/** Once for each kind of request that a copy makes. */
function hurtEachKind(source: Bucket, dest: Bucket, fault: Fault): void {
  const reads: RequestKind[] = ['ListObjects', 'GetObject'];
  const writes: RequestKind[] = [
    'ListObjects',
    'PutObject',
    'CreateMultipartUpload',
    'UploadPart',
    'CompleteMultipartUpload',
  ];
  for (const kind of reads) source.fault(fault, { kind, nth: 1 });
  source.fault(fault, { kind: 'GetObject', key: 'large', nth: 1 });
  for (const kind of writes) dest.fault(fault, { kind, nth: 1 });
}

describe.each(ROUTES)('%s: the line', (_name, { from, to, fixtures, parts }) => {
  test.each([
    ['before a request is read', 'before'],
    ['in the body of a request', 'request'],
    ['after a request took effect', 'after'],
    ['in the body of an answer', 'response'],
  ] as const)('resets %s: every object arrives, once, and no upload is left', async (_when, at) => {
    const { source, dest } = buckets(lab, from, to);
    seed(source, fixtures);
    hurtEachKind(source, dest, { kind: 'reset', at });
    const outcome = await lab.copy(source.at(), dest.at(), ...parts);
    await expectSurvived(lab, outcome, { source, dest, fixtures });
  });

  test.each(['before', 'request', 'after', 'response'] as const)('stalls (%s): --timeout notices', async (at) => {
    const { source, dest } = buckets(lab, from, to);
    seed(source, fixtures);
    hurtEachKind(source, dest, { kind: 'stall', at });
    const outcome = await lab.copy(source.at(), dest.at(), ...parts, '--timeout', '1s');
    await expectSurvived(lab, outcome, { source, dest, fixtures });
    expect(outcome.events.filter(({ event, code }) => event === 'retry' && code === 'timeout')).not.toEqual([]);
  });

  test('is slow but moves: nothing is given up and nothing sent twice', async () => {
    const { source, dest } = buckets(lab, from, to);
    const slow = objects({ slow: 200_000 });
    seed(source, slow);
    source.fault({ kind: 'slow', bytesPerSecond: 100_000 }, { kind: 'GetObject' });
    const outcome = await lab.copy(source.at(), dest.at(), '--timeout', '1s');
    expect(source.counts()).toEqual({ ListObjects: 1, GetObject: 1 });
    expect(dest.counts()).toEqual({ ListObjects: 1, PutObject: 1 });
    await expectSurvived(lab, outcome, { source, dest, fixtures: slow });
  });

  test.each([
    ['closed early', false],
    ['ended early as if it were whole', true],
  ])('brings a body that is %s: it is not taken for the object', async (_how, clean) => {
    const { source, dest } = buckets(lab, from, to);
    seed(source, fixtures);
    for (const key of ['d', 'large']) source.fault({ kind: 'truncate', clean }, { kind: 'GetObject', key, nth: 1 });
    await expectSurvived(lab, await lab.copy(source.at(), dest.at(), ...parts), { source, dest, fixtures });
  });
});

describe.each(ROUTES)('%s: the service', (_name, { from, to, fixtures, parts }) => {
  test.each([
    [500, 'without doing it', false],
    [500, 'having done it', true],
    [503, 'without doing it', false],
    [503, 'having done it', true],
    [429, 'without doing it', false],
    [429, 'having done it', true],
  ])('answers %i to each kind of request, %s: all arrives and no upload is left', async (status, _how, effect) => {
    const { source, dest } = buckets(lab, from, to);
    seed(source, fixtures);
    hurtEachKind(source, dest, { kind: 'status', status, effect });
    await expectSurvived(lab, await lab.copy(source.at(), dest.at(), ...parts), { source, dest, fixtures });
  });

  test('throttles a third of all requests: all arrives', async () => {
    const { source, dest } = buckets(lab, from, to);
    seed(source, fixtures);
    const slowDown: Fault = { kind: 'status', status: 503, code: 'SlowDown' };
    for (const bucket of [source, dest]) bucket.fault(slowDown, { probability: 0.33, seed: 7 });
    const outcome = await lab.copy(source.at(), dest.at(), ...parts);
    expect(summaryOf(outcome).retries).toBeGreaterThan(3);
    await expectSurvived(lab, outcome, { source, dest, fixtures });
  });

  test('fails for good: the run ends with 5, what failed is named, and the next run mends it', async () => {
    const { source, dest } = buckets(lab, from, to);
    seed(source, fixtures);
    dest.fault({ kind: 'status', status: 500 }, { kind: ['PutObject', 'UploadPart'], key: /^(b|large)$/ });
    const outcome = await lab.copy(source.at(), dest.at(), ...parts, '--low-level-retries', '2', '--retries', '1');
    expect(outcome.code).toBe(5);
    const failed = summaryOf(outcome).failed.list;
    expect(failed.map(({ key, code }) => [key, code]).sort()).toEqual([
      ['b', 'server-error'],
      ['large', 'server-error'],
    ]);
    expect(dest.keys().sort()).toEqual(
      fixtures
        .map(({ key }) => key)
        .filter((key) => key !== 'b' && key !== 'large')
        .sort(),
    );
    lab.reset();
    await expectSurvived(lab, await lab.copy(source.at(), dest.at(), ...parts), { source, dest, fixtures });
  });

  test('has a clock an hour ahead or behind: it is corrected and the run carried on', async () => {
    for (const offset of [HOUR, -HOUR]) {
      const { source, dest } = buckets(lab, from, to);
      seed(source, fixtures);
      source.remote.server.clockOffsetMs = offset;
      dest.remote.server.clockOffsetMs = -offset;
      const outcome = await lab.copy(source.at(), dest.at(), ...parts);
      expect(outcome.code).toBe(0);
      expectArrived(dest, fixtures);
      const refusals = [source, dest].map((bucket) => bucket.requests().filter(({ status }) => status === 403).length);
      expect(Math.max(...refusals), 'once learnt, the offset is kept').toBeLessThanOrEqual(2);
      lab.reset();
    }
  });
});

describe('asked for patience', () => {
  test.each([
    ['Retry-After of S3', 'shanghai', 'west', { retryAfter: 2 }],
    ['x-oss-qos-delay-time of OSS', 'east', 'shanghai', { qosDelayMs: 2000 }],
  ] as const)('%s: the request comes back no earlier', async (_name, from, to, asked) => {
    const { source, dest } = buckets(lab, from, to);
    source.put('k', 'v');
    dest.fault({ kind: 'status', status: 503, ...asked }, { kind: 'PutObject', nth: 1 });
    expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
    const [first, second] = dest.requests('PutObject').map(({ atMs }) => atMs);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(2000);
  });
});
