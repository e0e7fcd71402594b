/** `--track-renames`, as a person runs it: which bytes are sent, and what is left after a kill. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesOf } from './compare.js';
import { bytesOf, MiB } from './fixtures.js';
import { type Bucket, Lab, summaryOf, until } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** A place, seen from behind. */
interface Place {
  at: string;
  put(key: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  keys(): Promise<string[]>;
  read(key: string): Promise<Buffer>;
  /** Absent for a disk. */
  bucket?: Bucket;
}

function inBucket(bucket: Bucket): Place {
  return {
    at: bucket.at(),
    put: async (key, bytes) => bucket.put(key, bytes),
    rename: async (from, to) => {
      bucket.put(to, bucket.read(from));
      bucket.remove(from);
    },
    keys: async () => bucket.keys(),
    read: async (key) => bucket.read(key),
    bucket,
  };
}

function onDisk(root: string): Place {
  const path = async (key: string) => {
    await mkdir(dirname(join(root, key)), { recursive: true });
    return join(root, key);
  };
  return {
    at: root,
    put: async (key, bytes) => writeFile(await path(key), bytes),
    rename: async (from, to) => rename(await path(from), await path(to)),
    keys: () => filesOf(root),
    read: (key) => readFile(join(root, key)),
  };
}

const PLACES = {
  east: () => inBucket(lab.east.bucket()),
  west: () => inBucket(lab.west.bucket()),
  oss: () => inBucket(lab.shanghai.bucket()),
  disk: () => onDisk(lab.path()),
};
type Name = keyof typeof PLACES;

const PAIRS: [Name, Name][] = [
  ['east', 'west'],
  ['oss', 'oss'],
  ['east', 'oss'],
  ['oss', 'east'],
  ['disk', 'east'],
  ['disk', 'oss'],
  ['east', 'disk'],
  ['disk', 'disk'],
];

const KEYS = ['a', 'b 漢字', 'c/d+e', 'f'];
/** One of them goes in parts. */
const sized = (key: string) => bytesOf(key, key === 'f' ? 12 * MiB : 5000);
const TOTAL = 3 * 5000 + 12 * MiB;

async function synced(from: Name, to: Name, ...options: string[]) {
  const [source, dest] = [PLACES[from](), PLACES[to]()];
  for (const key of KEYS) await source.put(`old/${key}`, sized(key));
  for (let n = 0; n < KEYS.length; n++) await source.put(`stays/${n}`, bytesOf(`stays ${n}`, 10));
  const sync = (...more: string[]) => lab.run(['sync', source.at, dest.at, '--json', ...options, ...more]);
  const first = await sync();
  expect(first.code, first.stderr).toBe(0);
  lab.reset();
  return { source, dest, sync };
}

async function renameAll(source: Place): Promise<void> {
  for (const key of KEYS) await source.rename(`old/${key}`, `new/${key}`);
}

async function expectEqual(source: Place, dest: Place): Promise<void> {
  expect((await dest.keys()).sort()).toEqual((await source.keys()).sort());
  for (const key of await source.keys()) {
    expect((await dest.read(key)).equals(await source.read(key)), key).toBe(true);
  }
}

describe.each(PAIRS)('%s to %s', (from, to) => {
  test('a renamed folder sends no bytes, and the next run finds nothing to do', async () => {
    const { source, dest, sync } = await synced(from, to);
    await renameAll(source);

    const run = await sync('--track-renames');

    expect(run.code, run.stderr).toBe(0);
    const summary = summaryOf(run);
    expect(summary).toMatchObject({
      renamed: { objects: 4, bytes: TOTAL },
      copied: { objects: 4 },
      deleted: { objects: 4 },
    });
    expect(summary.traffic.destination.bytesOut).toBe(0);
    // A file is hashed.
    expect(summary.traffic.source.bytesIn).toBe(from === 'disk' ? TOTAL : 0);
    expect(source.bucket?.requests('GetObject') ?? []).toEqual([]);
    expect(dest.bucket?.requests('PutObject') ?? []).toEqual([]);
    expect(dest.bucket?.requests('CopyObject').length).toBe(dest.bucket && 4);
    await expectEqual(source, dest);
    expect(summaryOf(await sync('--track-renames'))).toMatchObject({ copied: { objects: 0 }, deleted: { objects: 0 } });
  });
});

test('killed in the middle, it goes on with what is left', async () => {
  const { source, dest, sync } = await synced('east', 'oss');
  await renameAll(source);
  const { bucket } = dest;
  bucket?.fault({ kind: 'slow', delayMs: 60_000 }, { kind: 'CopyObject', nth: 3, times: 10 });
  const running = lab.start(['sync', source.at, dest.at, '--json', '--track-renames']);
  const answered = () => bucket?.requests('CopyObject').filter((request) => request.acknowledged).length ?? 0;
  await until(() => answered() >= 2, { orElse: running.done });
  running.kill('SIGKILL');
  expect((await running.done).signal).toBe('SIGKILL');
  expect((await dest.keys()).filter((key) => key.startsWith('old/'))).toHaveLength(4);

  lab.reset();
  const resumed = await sync('--track-renames');

  expect(resumed.code, resumed.stderr).toBe(0);
  expect(summaryOf(resumed).traffic.destination.bytesOut).toBe(0);
  await expectEqual(source, dest);
});

test('an object that a stranger has changed at the destination is sent, and theirs stays', async () => {
  const { source, dest, sync } = await synced('east', 'oss');
  await renameAll(source);
  await dest.put('old/a', bytesOf('stranger', 5000));

  const run = await sync('--track-renames');

  expect(run.code, run.stderr).toBe(0);
  expect(summaryOf(run)).toMatchObject({ renamed: { objects: 3 }, kept: { objects: 1 } });
  expect((await dest.read('new/a')).equals(bytesOf('a', 5000))).toBe(true);
  expect((await dest.read('old/a')).equals(bytesOf('stranger', 5000))).toBe(true);
});

test('swapped names and a name that is used again end right', async () => {
  const { source, dest, sync } = await synced('east', 'west');
  await renameAll(source);
  await source.put('old/a', bytesOf('another', 5000));
  await source.put('stays/0', bytesOf('stays 1', 10));
  await source.put('stays/1', bytesOf('stays 0', 10));

  const run = await sync('--track-renames');

  expect(run.code, run.stderr).toBe(0);
  await expectEqual(source, dest);
});

test('a dry run says from which key, and what each side would be asked', async () => {
  const { source, dest } = await synced('east', 'oss');
  await renameAll(source);

  const { stderr, stdout } = await lab.run(['sync', source.at, dest.at, '--track-renames', '--dry-run', '-v']);

  const text = stdout + stderr;
  expect(text).toMatch(/would copy\s+new\/a\b.*copy at the destination from old\/a/);
  expect(text).toContain('4 objects, 12.0 MiB: would be copied at the destination from other keys');
});

test('--delete-before is refused, and --delete-during comes last', async () => {
  const { source, dest, sync } = await synced('east', 'oss');
  await renameAll(source);
  const refused = await lab.run(['sync', source.at, dest.at, '--track-renames', '--delete-before']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('--delete-before would delete what --track-renames copies');
  expect(summaryOf(await sync('--track-renames', '--delete-during'))).toMatchObject({ renamed: { objects: 4 } });
  await expectEqual(source, dest);
});

test('two threads find renames, too', async () => {
  const { source, dest, sync } = await synced('east', 'oss', '--workers', '2');
  await renameAll(source);
  expect(summaryOf(await sync('--track-renames'))).toMatchObject({ renamed: { objects: 4 } });
  await expectEqual(source, dest);
});

test.each(['a', 'b'] as const)('a mirror copies what was renamed on %s on the other side', async (side) => {
  const [a, b] = [PLACES.east(), PLACES.oss()];
  const names = ['0', '1', '2'];
  for (const name of names) await a.put(`old/${name}`, bytesOf(name, 5000));
  for (let n = 0; n < 5; n++) await a.put(`stays/${n}`, bytesOf(`stays ${n}`, 10));
  const mirror = () => lab.run(['mirror', a.at, b.at, '--json', '--track-renames']);
  expect((await mirror()).code).toBe(0);
  for (const name of names) await (side === 'a' ? a : b).rename(`old/${name}`, `new/${name}`);
  lab.reset();

  const run = await mirror();

  expect(run.code, run.stderr).toBe(0);
  const { renamed, traffic } = summaryOf(run);
  expect(renamed).toEqual({ objects: 3, bytes: 15_000 });
  expect([traffic.source, traffic.destination].map(({ bytesIn, bytesOut }) => bytesIn + bytesOut)).toEqual([0, 0]);
  await expectEqual(a, b);
});
