/**
 * Bytes that are damaged, sources that move, uploads that get lost: never a wrong object in silence, never a mixture,
 * nothing left over.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectArrived } from './compare.js';
import { buckets, expectSurvived, KIB, MIXED, PARTS, ROUTES, SMALL } from './faults.js';
import { bytesOf, seed } from './fixtures.js';
import { Lab, summaryOf } from './harness.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

describe('bytes are damaged', () => {
  test.each(ROUTES)('%s: a bit turned over in what is read is noticed and read again', async (_name, route) => {
    const { from, to, fixtures, parts } = route;
    const { source, dest } = buckets(lab, from, to);
    seed(source, fixtures);
    for (const key of ['c', 'large']) {
      source.fault({ kind: 'flip-bit', where: 'response' }, { kind: 'GetObject', key, nth: 1 });
    }
    const outcome = await lab.copy(source.at(), dest.at(), ...parts);
    await expectSurvived(lab, outcome, { source, dest, fixtures });
    expect(summaryOf(outcome).verified.computed, 'proven against the source').toBeUndefined();
  });

  test.each(ROUTES)('%s: a bit turned over in what the store keeps is noticed and sent again', async (_name, route) => {
    const { from, to, fixtures, parts } = route;
    const { source, dest } = buckets(lab, from, to);
    seed(source, fixtures);
    dest.fault({ kind: 'flip-bit', where: 'stored' }, { kind: 'PutObject', key: 'c', nth: 1 });
    dest.fault({ kind: 'flip-bit', where: 'stored' }, { kind: 'UploadPart', partNumber: 2, nth: 1 });
    await expectSurvived(lab, await lab.copy(source.at(), dest.at(), ...parts), { source, dest, fixtures });
  });

  test('a store that damages every time is reported, object by object, with exit code 5', async () => {
    const { source, dest } = buckets(lab);
    seed(source, MIXED);
    dest.fault({ kind: 'flip-bit', where: 'stored' }, { kind: ['PutObject', 'UploadPart'], key: /^(c|large)$/ });
    const outcome = await lab.copy(source.at(), dest.at(), ...PARTS);
    expect(outcome.code).toBe(5);
    const failed = summaryOf(outcome).failed.list.map(({ key, code, attempts }) => [key, code, attempts]);
    expect(failed.sort()).toEqual([
      ['c', 'checksum-mismatch', 3],
      ['large', 'checksum-mismatch', 3],
    ]);
    lab.reset();
    await expectSurvived(lab, await lab.copy(source.at(), dest.at(), ...PARTS), { source, dest, fixtures: MIXED });
  });

  test.each(['PutObject', 'UploadPart', 'CompleteMultipartUpload'] as const)(
    'a CRC of %s that disagrees is not believed away: the object is sent again',
    async (kind) => {
      const { source, dest } = buckets(lab);
      seed(source, MIXED);
      dest.fault({ kind: 'wrong-checksum' }, { kind, nth: 1 });
      const outcome = await lab.copy(source.at(), dest.at(), ...PARTS);
      await expectSurvived(lab, outcome, { source, dest, fixtures: MIXED });
    },
  );
});

describe('the source moves', () => {
  test('an object that changes between two of its parts arrives as it is now, without a mixture', async () => {
    const { source, dest } = buckets(lab);
    const [before, now] = [bytesOf('before', 9 * 128 * KIB), bytesOf('now', 9 * 128 * KIB)];
    source.put('large', before);
    source.fault({ kind: 'change', bytes: now }, { kind: 'GetObject', nth: 5 });
    const outcome = await lab.copy(source.at(), dest.at(), ...PARTS, '--part-concurrency', '1');
    expect(outcome.code).toBe(0);
    expect(summaryOf(outcome).restarts).toBe(1);
    expect(dest.read('large').equals(now)).toBe(true);
    expect(dest.unfinished()).toEqual([]);
    const refused = source.requests('GetObject').filter(({ status }) => status === 412);
    expect(refused, 'the read of the changed object, pinned to the old version').toHaveLength(1);
  });

  test('an object that grows after it was listed arrives as it is now', async () => {
    const { source, dest } = buckets(lab);
    source.put('k', 'short');
    source.fault({ kind: 'change', bytes: 'much longer than it was' }, { kind: 'GetObject', nth: 1 });
    const outcome = await lab.copy(source.at(), dest.at());
    expect(outcome.code).toBe(0);
    expect(summaryOf(outcome).restarts).toBe(1);
    expect(dest.read('k').toString()).toBe('much longer than it was');
  });

  test('an object that never rests is reported with exit code 5, and no mixture of it arrives', async () => {
    const { source, dest } = buckets(lab);
    seed(source, MIXED);
    source.fault({ kind: 'change' }, { kind: 'GetObject', key: 'large' });
    const outcome = await lab.copy(source.at(), dest.at(), ...PARTS);
    expect(outcome.code, JSON.stringify(summaryOf(outcome).failed.list)).toBe(5);
    expect(summaryOf(outcome).failed.list.map(({ key }) => key)).toEqual(['large']);
    expectArrived(dest, SMALL);
  });

  test.each(['c', 'large'])(
    'an object that vanishes (%s) is no failure, leaves nothing behind, and the others arrive',
    async (key) => {
      const { source, dest } = buckets(lab);
      seed(source, MIXED);
      source.fault({ kind: 'vanish' }, { kind: 'GetObject', key, nth: key === 'large' ? 3 : 1 });
      const outcome = await lab.copy(source.at(), dest.at(), ...PARTS, '--part-concurrency', '1');
      expect(outcome.code).toBe(0);
      expect(summaryOf(outcome).skipped.byReason).toEqual({ vanished: 1 });
      const others = MIXED.filter((fixture) => fixture.key !== key);
      expectArrived(dest, others);
      expect(dest.unfinished(), 'the upload of what is gone').toEqual([]);
    },
  );
});

describe('an upload', () => {
  const parts = 9;
  const large = bytesOf('upload', (parts - 1) * 128 * KIB + 99);

  test.each([
    ['the connection is reset', { kind: 'reset', at: 'after' }],
    ['a 500 is answered', { kind: 'status', status: 500, effect: true }],
    ['the answer never comes', { kind: 'stall', at: 'after' }],
  ] as const)('was completed but %s: no part is sent again', async (_how, fault) => {
    const { source, dest } = buckets(lab);
    source.put('large', large);
    dest.fault(fault, { kind: 'CompleteMultipartUpload', nth: 1 });
    const outcome = await lab.copy(source.at(), dest.at(), ...PARTS, '--timeout', '1s');
    expect(outcome.code).toBe(0);
    expect(dest.counts()).toMatchObject({ CreateMultipartUpload: 1, UploadPart: parts });
    expect(dest.read('large').equals(large)).toBe(true);
  });

  test.each([
    ['the connection is reset', { kind: 'reset', at: 'after' }],
    ['a 500 is answered', { kind: 'status', status: 500, effect: true }],
  ] as const)("was started but %s: its stray is found and aborted, nobody else's is", async (_how, fault) => {
    const { source, dest } = buckets(lab);
    source.put('large', large);
    source.put('large too', large);
    dest.fault(fault, { kind: 'CreateMultipartUpload', nth: 1 });
    expect((await lab.copy(source.at(), dest.at(), ...PARTS)).code).toBe(0);
    expect(dest.unfinished()).toEqual([]);
    for (const key of ['large', 'large too']) expect(dest.read(key).equals(large)).toBe(true);
    expect(dest.requests('UploadPart')).toHaveLength(2 * parts);
  });

  test('is aborted by somebody else: reported, and the next run begins it anew', async () => {
    const { source, dest } = buckets(lab);
    source.put('large', large);
    const abort = () => {
      dest.remote.store.bucket(dest.name).uploads.clear();
    };
    dest.fault({ kind: 'call', run: abort }, { kind: 'UploadPart', nth: 5 });
    const outcome = await lab.copy(source.at(), dest.at(), ...PARTS, '--part-concurrency', '1');
    if (outcome.code !== 0) {
      expect(summaryOf(outcome).failed.list).toMatchObject([{ key: 'large', code: 'upload-not-found' }]);
      expect((await lab.copy(source.at(), dest.at(), ...PARTS)).code).toBe(0);
    }
    expect(dest.read('large').equals(large)).toBe(true);
    expect(dest.unfinished()).toEqual([]);
  });

  test('has lost a part that was acknowledged: the part is sent again, whatever the checkpoint says', async () => {
    const { source, dest } = buckets(lab);
    source.put('large', large);
    const stop = dest.fault({ kind: 'status', status: 403 }, { kind: 'UploadPart', partNumber: 7 });
    expect((await lab.copy(source.at(), dest.at(), ...PARTS, '--part-concurrency', '1')).code).toBe(6);
    stop();
    for (const upload of dest.uploads()) upload.parts.delete(3);
    lab.reset();
    expect((await lab.copy(source.at(), dest.at(), ...PARTS)).code).toBe(0);
    expect(
      dest
        .requests('UploadPart')
        .map(({ partNumber }) => partNumber)
        .sort(),
    ).toEqual([3, 7, 8, 9]);
    expect(dest.read('large').equals(large)).toBe(true);
  });

  test('loses a part just before it is completed: the object arrives all the same', async () => {
    const { source, dest } = buckets(lab);
    source.put('large', large);
    const lose = () => {
      for (const upload of dest.uploads()) upload.parts.delete(3);
    };
    dest.fault({ kind: 'call', run: lose }, { kind: 'CompleteMultipartUpload', nth: 1 });
    expect((await lab.copy(source.at(), dest.at(), ...PARTS)).code).toBe(0);
    expect(dest.read('large').equals(large)).toBe(true);
    expect(dest.unfinished()).toEqual([]);
  });
});
