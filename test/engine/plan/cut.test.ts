import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CutFacts, cutOf, guessSourceCut, MiB, partRange } from '../../../src/engine/plan/cut.js';
import type { Capabilities } from '../../../src/store/port.js';
import { bytesOf, Pair } from '../support.js';

const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

const S3 = { minPartSize: 5 * MiB, maxPartSize: 5 * GiB, maxParts: 10_000, maxPutSize: 5 * GiB } as Capabilities;
const OSS = { minPartSize: 100 * 1024, maxPartSize: 5 * GiB, maxParts: 10_000, maxPutSize: 5 * GiB } as Capabilities;

function cut(size: number, limits: Capabilities, facts: Partial<CutFacts>) {
  return cutOf({ size, limits, byService: false, ...facts });
}

describe('how an object is cut', () => {
  test('up to one part goes in a single request', () => {
    expect(cut(0, S3, {})).toEqual({ partSize: 8 * MiB, parts: 1 });
    expect(cut(8 * MiB, S3, {})).toEqual({ partSize: 8 * MiB, parts: 1 });
    expect(cut(8 * MiB + 1, S3, {})).toEqual({ partSize: 8 * MiB, parts: 2 });
  });

  test("a wanted part size gives way to the store's least", () => {
    expect(cut(20 * MiB, S3, { wanted: MiB })).toEqual({ partSize: 5 * MiB, parts: 4 });
    expect(cut(20 * MiB, OSS, { wanted: MiB })).toEqual({ partSize: MiB, parts: 20 });
  });

  test('the largest objects of S3 and OSS fit into 10,000 parts', () => {
    expect(cut(5 * TiB, S3, {}).parts).toBeLessThanOrEqual(10_000);
    expect(cut(48.8 * TiB, OSS, { wanted: 5 * MiB }).parts).toBeLessThanOrEqual(10_000);
  });

  test("the cut that a source's composite ETag betrays is taken, unless a part size was asked for", () => {
    expect(cut(100 * MiB, S3, { md5ofParts: `${'0'.repeat(32)}-7` }).partSize).toBe(16 * MiB);
    expect(cut(100 * MiB, S3, { md5ofParts: `${'0'.repeat(32)}-7`, wanted: 32 * MiB }).partSize).toBe(32 * MiB);
  });

  test('no part is chosen that is larger than the memory, unless the store needs it', () => {
    expect(cut(100 * MiB, OSS, { most: 2 * MiB })).toEqual({ partSize: 2 * MiB, parts: 50 });
    expect(cut(100 * MiB, OSS, { most: 8 * MiB, tuned: 64 * MiB }).partSize).toBe(8 * MiB);
    expect(cut(100 * MiB, S3, { most: 8 * MiB, md5ofParts: `${'0'.repeat(32)}-7` }).partSize).toBe(8 * MiB);
    expect(cut(100 * MiB, S3, { most: 8 * MiB, md5ofParts: `${'0'.repeat(32)}-7`, source: 16 * MiB })).toEqual({
      partSize: 8 * MiB,
      parts: 13,
    });
    expect(cut(5 * TiB, S3, { most: 8 * MiB }).partSize).toBe(525 * MiB);
  });

  test('the parts cover every byte once, in order, whatever the size and the wish', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 * TiB }),
        fc.option(fc.integer({ min: 1, max: 5 * GiB })),
        (size, wanted) => {
          const { partSize, parts } = cut(size, S3, { wanted: wanted ?? undefined });
          expect(parts).toBeLessThanOrEqual(S3.maxParts);
          if (parts === 1) return;
          const first = partRange(1, partSize, size);
          const last = partRange(parts, partSize, size);
          expect(first).toEqual({ offset: 0, size: partSize });
          expect(last.offset + last.size).toBe(size);
          expect(last.size).toBeGreaterThan(0);
          expect(last.size).toBeLessThanOrEqual(partSize);
        },
      ),
    );
  });
});

describe("guessing a source's part size from its composite ETag", () => {
  test.each([
    ['aws cli, 100 MiB in 13', 100 * MiB, `${'a'.repeat(32)}-13`, 8 * MiB],
    ['5 MiB parts', 23 * MiB + 7, `${'a'.repeat(32)}-5`, 5 * MiB],
    ['no usual size fits', 100 * MiB, `${'a'.repeat(32)}-99`, undefined],
    ['one part', 3 * MiB, `${'a'.repeat(32)}-1`, undefined],
    ['not composite', 3 * MiB, undefined, undefined],
  ])('%s', (_name, size, etag, expected) => {
    expect(guessSourceCut(size, etag)).toBe(expected);
  });
});

test('a part size that the destination does not take is raised, and the person who asked for it is told', async () => {
  const pair = new Pair({ dest: { capabilities: { minPartSize: 2 * MiB } } });
  await pair.source.put('big', bytesOf('big', 5 * MiB));
  const run = await pair.copy({ partSize: MiB });
  expect(run.traffic.destination.requests).toMatchObject({ uploadPart: 3 });
  const notices = run.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
  expect(notices).toEqual([
    `--part-size: memory:dst accepts no parts smaller than ${2 * MiB} bytes; that size is used`,
  ]);
});

test('an object that needs larger parts than the memory holds fails by name, before a byte is read', async () => {
  const pair = new Pair({ dest: { capabilities: { maxParts: 3 } } });
  await pair.source.put('large', bytesOf('large', 10 * MiB));
  await pair.source.put('small', bytesOf('small', 10));
  const run = await pair.copy({ largestPart: 2 * MiB, partSize: MiB });
  expect(run.failed.list).toMatchObject([
    {
      key: 'large',
      class: 'person',
      message: 'it needs parts of 4194304 bytes, which is more than --max-memory',
      remedy: 'Raise --max-memory.',
    },
  ]);
  expect(run).toMatchObject({ copied: { objects: 1 }, traffic: { source: { bytesIn: 10 } } });
});
