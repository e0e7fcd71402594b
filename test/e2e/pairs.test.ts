/** Every pair of places, with thousands of real files, awkward keys and large objects; each byte and header compared. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectArrived, expectOnDisk, writeTree } from './compare.js';
import {
  awkward,
  CARRIED,
  CARRIED_MS,
  DESCRIBED,
  EMPTY,
  type Fixture,
  LARGE,
  LARGE_SIZE,
  realFiles,
  refused,
  seed,
} from './fixtures.js';
import { type Bucket, Lab, type Outcome, summaryOf } from './harness.js';

const PARTS = ['--part-size', '5M', '--transfers', '16'];

let lab: Lab;
let files: Fixture[];

beforeAll(async () => {
  lab = await Lab.start();
  files = realFiles(2000);
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

describe('from bucket to bucket', () => {
  const pairs: [from: 'east' | 'west' | 'shanghai', to: 'east' | 'west' | 'shanghai', how: string][] = [
    ['east', 'shanghai', 'S3 to OSS'],
    ['shanghai', 'east', 'OSS to S3'],
    ['east', 'west', 'S3 to S3 of another endpoint and account'],
    ['east', 'east', 'S3 to the same S3, copied by the service'],
    ['shanghai', 'shanghai', 'OSS to the same OSS, copied by the service'],
  ];

  test.each(pairs)('%s to %s (%s): every object of a bucket arrives whole', async (from, to) => {
    const [source, dest] = [lab[from].bucket(), lab[to].bucket()];
    const kinds = [lab[from].protocol, lab[to].protocol] as const;
    const good = [...files, ...awkward(...kinds), ...EMPTY, DESCRIBED, CARRIED, ...LARGE];
    const bad = refused(...kinds);
    seed(source, [...good, ...bad]);

    const first = await lab.copy(source.at(), dest.at(), ...PARTS);
    expectOutcome(first, { copied: good, failed: bad });
    expectArrived(dest, good);
    expect(dest.unfinished()).toEqual([]);
    expect(dest.counts().HeadObject, 'no HEAD at the destination').toBeUndefined();

    lab.reset();
    const second = await lab.copy(source.at(), dest.at(), ...PARTS);
    expectOutcome(second, { copied: [], failed: bad });
    expectOnlyListed(source, bad);
    expectOnlyListed(dest);
  });
});

describe('from disk to bucket', () => {
  test.each(['east', 'shanghai'] as const)('a folder arrives whole in %s, with times and types by name', async (to) => {
    const dest = lab[to].bucket();
    const others = [...awkward('local', lab[to].protocol), ...LARGE, { key: 'empty', bytes: Buffer.alloc(0) }];
    const plain = [...files, ...others].map(({ key, bytes }, n) => ({ key, bytes, mtimeS: 1_000_000_000 + n }));
    const root = lab.path();
    await writeTree(root, plain);

    const first = await lab.copy(root, dest.at(), ...PARTS);
    expectOutcome(first, { copied: plain, failed: [] });
    expectArrived(dest, plain);
    expect(dest.unfinished()).toEqual([]);
    const json = plain.find(({ key }) => key.endsWith('/package.json'))?.key ?? '';
    const types = [json, 'empty'].map((key) => dest.get(key)?.headers['content-type']);
    expect(types).toEqual(['application/json', 'application/octet-stream']);

    lab.reset();
    const second = await lab.copy(root, dest.at(), ...PARTS);
    expectOutcome(second, { copied: [], failed: [] });
    expectOnlyListed(dest);
  });

  test('what OSS cannot name is reported, and the rest of the folder arrives', async () => {
    const dest = lab.shanghai.bucket();
    const [good, bad] = [awkward('local', 'oss'), refused('local', 'oss')];
    const root = lab.path();
    await writeTree(root, [...good, ...bad]);
    const outcome = await lab.copy(root, dest.at());
    expectOutcome(outcome, { copied: good, failed: bad });
    expectArrived(dest, good);
  });
});

describe('from bucket to disk', () => {
  test.each(['east', 'shanghai'] as const)(
    'a bucket of %s arrives whole on disk, and nothing else does',
    async (from) => {
      const source = lab[from].bucket();
      const kind = lab[from].protocol;
      const good = [...files, ...awkward(kind, 'local'), ...EMPTY, DESCRIBED, CARRIED_MS, ...LARGE];
      // On a disk "prefix" cannot be beside "prefix/child"; which of the two arrives first is left open.
      const bad = refused(kind, 'local').filter(({ key }) => key !== 'prefix');
      seed(source, [...good, ...bad]);
      const root = lab.path();

      const first = await lab.copy(source.at(), root, ...PARTS);
      expectOutcome(first, { copied: good, failed: bad });
      await expectOnDisk(root, good);

      lab.reset();
      const second = await lab.copy(source.at(), root, ...PARTS);
      expectOutcome(second, { copied: [], failed: bad });
      expectOnlyListed(source, bad);
    },
  );

  test('headers and metadata survive a disk in between', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    const fixtures = [DESCRIBED, CARRIED_MS, ...EMPTY];
    seed(source, fixtures);
    const root = lab.path();
    expectOutcome(await lab.copy(source.at(), root), { copied: fixtures, failed: [] });
    expectOutcome(await lab.copy(root, dest.at()), { copied: fixtures, failed: [] });
    expectArrived(dest, fixtures);
  });

  test('of two keys that a disk cannot hold together one arrives and the other is reported', async () => {
    const source = lab.east.bucket();
    source.put('prefix', 'a file');
    source.put('prefix/child', 'in a folder of that name');
    const outcome = await lab.copy(source.at(), lab.path());
    expect(outcome.code).toBe(6);
    expect(summaryOf(outcome)).toMatchObject({
      copied: { objects: 1 },
      failed: { objects: 1, list: [{ code: 'key-not-representable' }] },
    });
  });
});

describe('from prefix to prefix', () => {
  test('keys below a prefix stay as they are, and its neighbours stay where they are', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    const keys = ['/starts with a slash', '\\starts with a backslash', '..', 'a/../b', '', 'plain'];
    for (const key of keys) source.put(`from/a b/${key}`, key);
    for (const key of ['from/a b', 'from/a b.txt', 'from/a c/x', 'from/a']) source.put(key, 'a neighbour');
    const outcome = await lab.copy(source.at('from/a b/'), dest.at('to/+%'));
    expect(summaryOf(outcome).failed.list).toEqual([]);
    expect(outcome.code).toBe(0);
    expect(dest.keys()).toEqual(keys.map((key) => `to/+%/${key}`).sort());
    for (const key of keys) expect(dest.read(`to/+%/${key}`).toString()).toBe(key);
  });
});

describe('one object', () => {
  const awkwardKey = 'a/../b//c?x=1&y#z%20+ 中文😀.bin';

  test.each(['east', 'west', 'shanghai'] as const)('copyto %s gives it another key, byte for byte', async (to) => {
    const [source, dest] = [lab.east.bucket(), lab[to].bucket()];
    seed(source, [{ ...DESCRIBED, key: awkwardKey }]);
    source.put(`${awkwardKey}.longer`, 'a key that the object is a prefix of');
    const outcome = await lab.run(['copyto', source.at(awkwardKey), dest.at('other//name'), '--json']);
    expectOutcome(outcome, { copied: [DESCRIBED], failed: [] });
    expectArrived(dest, [{ ...DESCRIBED, key: 'other//name' }]);
  });

  test('copy puts it into a folder under its own name', async () => {
    const [source, dest] = [lab.shanghai.bucket(), lab.east.bucket()];
    seed(source, [{ ...DESCRIBED, key: awkwardKey }]);
    const outcome = await lab.copy(source.at(awkwardKey), dest.at('into'));
    expectOutcome(outcome, { copied: [DESCRIBED], failed: [] });
    expectArrived(dest, [{ ...DESCRIBED, key: 'into/c?x=1&y#z%20+ 中文😀.bin' }]);
  });

  test('a large one goes in parts, and to disk and back', async () => {
    const [source, dest] = [lab.east.bucket(), lab.west.bucket()];
    const [large] = LARGE;
    if (!large) throw new Error('no large fixture');
    seed(source, [large]);
    const file = `${lab.path()}/nested/renamed.mp4`;
    expect((await lab.run(['copyto', source.at(large.key), file, '--part-size', '5M'])).code).toBe(0);
    expect((await lab.run(['copyto', file, dest.at('back'), '--part-size', '5M'])).code).toBe(0);
    expectArrived(dest, [{ ...large, key: 'back' }]);
    expect(dest.get('back')?.partSizes).toHaveLength(Math.ceil(LARGE_SIZE / (5 * 1024 * 1024)));
  });
});

/** Exit code, counts and the list of failures are what they have to be, and no byte went unchecked. */
function expectOutcome(
  outcome: Outcome,
  { copied, failed }: { copied: readonly Fixture[]; failed: readonly Fixture[] },
) {
  const { failed: failures, ...summary } = summaryOf(outcome);
  const names = failures.list.map(({ key }) => key).sort();
  expect(names).toEqual(failed.map(({ key }) => key).sort());
  expect(failures.list.map(({ code }) => code)).toEqual(failed.map(() => 'key-not-representable'));
  expect(summary.copied.objects).toBe(copied.length);
  expect(summary.copied.bytes).toBe(copied.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  const verified = Object.values(summary.verified).reduce((sum, count) => sum + count, 0);
  expect(verified).toBe(copied.length);
  expect(summary.verified.size, 'verified by size alone').toBeUndefined();
  expect({ code: outcome.code, told: summary.exitCode }).toEqual(
    failed.length > 0 ? { code: 6, told: 6 } : { code: 0, told: 0 },
  );
}

/** Pages of the listing and nothing beside, but for looking again at what had failed. */
function expectOnlyListed(bucket: Bucket, failed: readonly Fixture[] = []): void {
  const pages = Math.max(1, Math.ceil(bucket.keys().length / 1000));
  const { GetObject = 0, ...counts } = bucket.counts();
  expect(counts).toEqual({ ListObjects: pages });
  expect(GetObject).toBeLessThanOrEqual(failed.length);
}
