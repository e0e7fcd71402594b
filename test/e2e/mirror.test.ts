/** `xsync mirror` between each two kinds of places: what both sides have, what it costs, prints and survives. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesOf } from './compare.js';
import { expectComplaint } from './complaint.js';
import { bytesOf } from './fixtures.js';
import { type Bucket, Lab, type Outcome, summaryOf, until } from './harness.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

type Kind = 's3' | 'oss' | 'local';
type Texts = Record<string, string>;

/** A side, seen from behind. */
interface Place {
  at: string;
  put(key: string, text: string): Promise<void>;
  remove(key: string): Promise<void>;
  texts(): Promise<Texts>;
  bucket?: Bucket;
}

function placeOf(kind: Kind, side: 'a' | 'b'): Place {
  if (kind === 'local') return folder(lab.path(side));
  return bucketAt(lab[kind === 'oss' ? 'shanghai' : side === 'a' ? 'east' : 'west'].bucket());
}

function bucketAt(bucket: Bucket): Place {
  return {
    at: bucket.at(),
    put: async (key, text) => bucket.put(key, text),
    remove: async (key) => bucket.remove(key),
    texts: async () => Object.fromEntries(bucket.keys().map((key) => [key, bucket.read(key).toString()])),
    bucket,
  };
}

function folder(root: string): Place {
  return {
    at: root,
    put: async (key, text) => {
      await mkdir(dirname(join(root, key)), { recursive: true });
      await writeFile(join(root, key), text);
    },
    remove: (key) => rm(join(root, key)),
    texts: async () => {
      const files = await filesOf(root);
      return Object.fromEntries(
        await Promise.all(files.map(async (key) => [key, await readFile(join(root, key), 'utf8')])),
      );
    },
  };
}

function mirror(a: string, b: string, ...options: string[]): Promise<Outcome> {
  return lab.run(['mirror', a, b, ...options]);
}

async function expectBoth(a: Place, b: Place, texts: Texts): Promise<void> {
  expect(await a.texts()).toEqual(texts);
  expect(await b.texts()).toEqual(texts);
}

const PAIRS: [Kind, Kind][] = (['s3', 'oss', 'local'] as const).flatMap((a) =>
  (['s3', 'oss', 'local'] as const).map((b): [Kind, Kind] => [a, b]),
);

describe.each(PAIRS)('%s and %s', (from, to) => {
  test('end the same after changes, deletes and conflicts on both, and cost two listings then', async () => {
    const [a, b] = [placeOf(from, 'a'), placeOf(to, 'b')];
    for (const key of ['1', '2', 'd/3', 'd/4', 'both']) await a.put(key, `0 ${key}`);
    await b.put('own of b', 'b');
    expect((await mirror(a.at, b.at)).code).toBe(0);
    const first = { '1': '0 1', '2': '0 2', 'd/3': '0 d/3', 'd/4': '0 d/4', both: '0 both', 'own of b': 'b' };
    await expectBoth(a, b, first);

    await a.put('1', 'changed on a');
    await b.put('2', 'changed on b');
    await a.remove('d/3');
    await b.remove('d/4');
    await a.put('both', 'a wrote this');
    // Stores tell whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await b.put('both', 'b wrote that');
    const run = await mirror(a.at, b.at, '--json');
    expect(run.code, run.stderr).toBe(0);
    const { 'd/3': _, 'd/4': __, ...kept } = first;
    const changed = {
      '1': 'changed on a',
      '2': 'changed on b',
      both: 'b wrote that',
      'both.conflict1': 'a wrote this',
    };
    await expectBoth(a, b, { ...kept, ...changed });
    expect(summaryOf(run)).toMatchObject({
      copied: { objects: 4 },
      deleted: { objects: 2, left: 0 },
      failed: { objects: 0 },
      unfinished: { objects: 0 },
      mirror: { deleted: { objects: 1 }, conflicts: { objects: 1, kept: 1, open: 0 } },
    });

    // Both ways of naming the pair are the same.
    for (const [x, y] of [
      [a, b],
      [b, a],
    ] as const) {
      lab.reset();
      const again = await mirror(x.at, y.at);
      expect({ code: again.code, stdout: again.stdout, stderr: again.stderr }).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
      for (const { bucket } of [a, b]) if (bucket) expect(bucket.counts()).toEqual({ ListObjects: 1 });
    }
    const listed = await lab.run(['conflicts', b.at, a.at, '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject({ key: 'both', state: 'settled', keptAs: 'both.conflict1' });
  });
});

/** 20 objects on both sides, paired. */
async function twenty(): Promise<[Place & { bucket: Bucket }, Place & { bucket: Bucket }]> {
  const buckets = [lab.east.bucket(), lab.shanghai.bucket()] as const;
  for (let n = 0; n < 20; n++) buckets[0].put(`k/${n}`, `${n}`);
  const [a, b] = buckets.map((bucket) => ({ ...bucketAt(bucket), bucket }));
  if (!a || !b) throw new Error('there are two');
  expect((await mirror(a.at, b.at)).code).toBe(0);
  lab.reset();
  return [a, b];
}

describe('the guards', () => {
  test.each([0, 1] as const)(
    'side %i is suddenly empty: nothing is deleted on the other, and copies are made',
    async (n) => {
      const sides = await twenty();
      const [empty, other] = n === 0 ? sides : [sides[1], sides[0]];
      for (const key of empty.bucket.keys()) await empty.remove(key);
      const outcome = await mirror(sides[0].at, sides[1].at);
      expectComplaint(outcome, 'fatal', `${empty.at} is empty`, '20 objects', `at ${other.at}`, '--allow-empty-side');
      expect(other.bucket.keys()).toHaveLength(20);
      await other.put('new', 'new');
      await mirror(sides[0].at, sides[1].at);
      expect(await empty.texts()).toEqual({ new: 'new' });
      expect((await mirror(sides[0].at, sides[1].at, '--allow-empty-side')).code).toBe(0);
      await expectBoth(empty, other, { new: 'new' });
    },
  );

  test('a side with none of a few known objects, but another one: nothing is deleted on the other', async () => {
    const [a, b] = [placeOf('oss', 'a'), placeOf('local', 'b')];
    for (const key of ['1', '2']) await a.put(key, key);
    await mirror(a.at, b.at);
    for (const key of ['1', '2']) await b.remove(key);
    await b.put('lost+found', 'of another disk');
    expectComplaint(await mirror(a.at, b.at), 'fatal', `2 of 2 objects would be deleted at ${a.at}`, '--max-delete 2');
    expect(await a.texts()).toEqual({ '1': '1', '2': '2', 'lost+found': 'of another disk' });
    expect((await mirror(a.at, b.at, '--max-delete', '2')).code).toBe(0);
    await expectBoth(a, b, { 'lost+found': 'of another disk' });
  });

  test('too many deletes on one side do not stop those of the other', async () => {
    const [a, b] = await twenty();
    for (let n = 0; n < 8; n++) await a.remove(`k/${n}`);
    await b.remove('k/19');
    const outcome = await mirror(a.at, b.at, '--max-delete', '3');
    expectComplaint(outcome, 'fatal', `8 objects would be deleted at ${b.at}`, '--max-delete 8');
    expect(a.bucket.keys()).toHaveLength(11);
    expect(b.bucket.keys()).toHaveLength(19);
    expect((await mirror(a.at, b.at, '--max-delete', '8')).code).toBe(0);
    expect(await a.texts()).toEqual(await b.texts());
    expect(b.bucket.keys()).toHaveLength(11);
  });

  test('a listing that fails deletes and copies nothing', async () => {
    const [a, b] = await twenty();
    await a.remove('k/1');
    b.bucket.fault({ kind: 'status', status: 403 }, { kind: 'ListObjects', times: 1000 });
    expect((await mirror(a.at, b.at)).code).toBe(7);
    expect(b.bucket.keys()).toHaveLength(20);
    expect(a.bucket.keys()).toHaveLength(19);
  });
});

describe('the manifest', () => {
  async function stateFiles(): Promise<string[]> {
    const state = join(lab.directory, 'state/xsync');
    return (await readdir(state)).filter((name) => name.endsWith('.db')).map((name) => join(state, name));
  }

  test('that is lost: nothing is deleted, and different objects are kept on both sides', async () => {
    const [a, b] = [placeOf('s3', 'a'), placeOf('oss', 'b')];
    const file = lab.path('manifest');
    const at = [a.at, b.at, '--manifest', file] as const;
    for (const key of ['1', '2', '3']) await a.put(key, key);
    await mirror(...at);
    await a.remove('1');
    await b.put('2', 'of b');
    await rm(file);
    const told = await mirror(...at, '--dry-run', '--json');
    expect(summaryOf(told).mirror?.conflicts).toEqual({ objects: 1, kept: 1, open: 0 });
    const run = await mirror(...at, '--json');
    expect(run.code, run.stderr).toBe(0);
    expect(summaryOf(run)).toMatchObject({ deleted: { objects: 0 }, mirror: { conflicts: { objects: 1 } } });
    const { '1': one, '3': three, ...two } = await a.texts();
    expect([one, three]).toEqual(['1', '3']);
    expect(Object.values(two).sort()).toEqual(['2', 'of b']);
    expect(await b.texts()).toEqual(await a.texts());
  });

  test('that is damaged is reported, and a mirror without it loses nothing', async () => {
    const [a, b] = await twenty();
    const before = new Set(await stateFiles());
    const file = lab.path('manifest');
    await mirror(a.at, b.at, '--manifest', file);
    await writeFile(file, 'this is not a database, and has more than 16 bytes of it');
    expectComplaint(await mirror(a.at, b.at, '--manifest', file), 'fatal', file);
    await rm(file);
    expect((await mirror(a.at, b.at, '--manifest', file)).code).toBe(0);
    expect(a.bucket.keys()).toHaveLength(20);
    expect(new Set(await stateFiles())).toEqual(before);
  });

  test('of a sync is what the first mirror compares with', async () => {
    const [a, b] = [placeOf('s3', 'a'), placeOf('oss', 'b')];
    for (const key of ['1', '2', '3']) await a.put(key, key);
    expect((await lab.run(['sync', a.at, b.at])).code).toBe(0);
    await b.remove('1');
    await b.put('2', 'of b');
    expect((await mirror(a.at, b.at)).code).toBe(0);
    await expectBoth(a, b, { '2': 'of b', '3': '3' });
  });
});

describe('the manifest of a copy', () => {
  async function copied(): Promise<[Place, Place]> {
    const [a, b] = [placeOf('s3', 'a'), placeOf('oss', 'b')];
    for (const key of ['1', '2', '3', '4', '5']) await a.put(key, key);
    expect((await lab.run(['copy', a.at, b.at])).code).toBe(0);
    await a.remove('1');
    await b.remove('2');
    await b.put('3', 'of b');
    return [a, b];
  }

  test.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('does not delete what the copy kept: mirror %s %s', async (first) => {
    const [a, b] = await copied();
    const sides = first === 'a' ? ([a.at, b.at] as const) : ([b.at, a.at] as const);
    const run = await mirror(...sides, '--json');
    expect(run.code, run.stderr).toBe(0);
    expect(summaryOf(run)).toMatchObject({ copied: { objects: 3 }, mirror: { conflicts: { objects: 0 } } });
    await expectBoth(a, b, { '1': '1', '2': '2', '3': 'of b', '4': '4', '5': '5' });
    // From then on, what is deleted is deleted.
    await a.remove('1');
    await b.remove('5');
    expect((await mirror(...sides)).code).toBe(0);
    await expectBoth(a, b, { '2': '2', '3': 'of b', '4': '4' });
  });

  test('nor in a run that was only planned before', async () => {
    const [a, b] = await copied();
    const told = await mirror(a.at, b.at, '--dry-run', '--json');
    expect(summaryOf(told)).toMatchObject({ copied: { objects: 3 }, deleted: { objects: 0 } });
    expect((await mirror(a.at, b.at)).code).toBe(0);
    await expectBoth(a, b, { '1': '1', '2': '2', '3': 'of b', '4': '4', '5': '5' });
  });
});

describe('killed with SIGKILL', () => {
  test.each([1, 7, 20, 33])(
    'after %i writes: the next run makes both sides equal, and nothing is lost',
    async (writes) => {
      const [a, b] = [placeOf('s3', 'a'), placeOf('oss', 'b')];
      const [east, shanghai] = [a.bucket, b.bucket];
      if (!east || !shanghai) throw new Error('both are buckets');
      for (let n = 0; n < 10; n++) {
        await a.put(`both/${n}`, '0');
        await a.put(`gone/${n}`, `gone ${n}`);
        await a.put(`stays/${n}`, `stays ${n}`);
      }
      expect((await mirror(a.at, b.at)).code).toBe(0);
      for (let n = 0; n < 10; n++) {
        await a.put(`a/${n}`, `a ${n}`);
        await b.put(`b/${n}`, `b ${n}`);
        await a.put(`both/${n}`, `a both ${n}`);
        await b.put(`both/${n}`, `b both ${n}`);
        if (n < 7) await (n % 2 === 0 ? a : b).remove(`gone/${n}`);
      }
      lab.reset();
      for (const bucket of [east, shanghai]) bucket.fault({ kind: 'slow', delayMs: 5 });
      const running = lab.start(['mirror', a.at, b.at, '--transfers', '4']);
      const written = () => [east, shanghai].flatMap((bucket) => bucket.requests('PutObject')).length;
      await until(() => written() >= writes, { orElse: running.done });
      running.kill('SIGKILL');
      await running.done;
      lab.reset();
      for (let run = 0; run < 2; run++) expect((await mirror(a.at, b.at)).code).toBe(0);
      const texts = await a.texts();
      expect(await b.texts()).toEqual(texts);
      const found = new Set(Object.values(texts));
      for (let n = 0; n < 10; n++) {
        for (const text of [`a ${n}`, `b ${n}`, `a both ${n}`, `b both ${n}`, `stays ${n}`])
          expect(found).toContain(text);
        expect(found.has(`gone ${n}`)).toBe(n >= 7);
      }
      expect([...east.unfinished(), ...shanghai.unfinished()]).toEqual([]);
    },
  );

  test('during an upload in parts to a: the next run sends only what is missing, in the right direction', async () => {
    const [east, shanghai] = [lab.east.bucket(), lab.shanghai.bucket()];
    const bytes = bytesOf('large', 21 * 2 ** 20);
    shanghai.put('large', bytes);
    const args = ['mirror', east.at(), shanghai.at(), '--part-size', '5M', '--part-concurrency', '1'];
    east.fault({ kind: 'slow', delayMs: 20 });
    const running = lab.start(args);
    await until(() => east.requests('UploadPart').length >= 3, { orElse: running.done });
    running.kill('SIGKILL');
    await running.done;
    lab.reset();
    expect((await lab.run(args)).code).toBe(0);
    expect(east.requests('UploadPart').length).toBeLessThan(5);
    expect(east.read('large').equals(bytes)).toBe(true);
    expect([...east.unfinished(), ...shanghai.unfinished()]).toEqual([]);
  });
});

test('a loser on disk that cannot be replaced yet is kept once, however many runs try', async () => {
  const [a, b] = [placeOf('local', 'a'), placeOf('oss', 'b')];
  await a.put('k', 'of a');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await b.put('k', 'of b');
  const mend = b.bucket?.fault({ kind: 'status', status: 403 }, { kind: 'GetObject', times: 100 });
  for (let run = 0; run < 3; run++) expect((await mirror(a.at, b.at)).code).toBe(6);
  mend?.();
  expect((await mirror(a.at, b.at)).code).toBe(0);
  await expectBoth(a, b, { k: 'of b', 'k.conflict1': 'of a' });
});

describe('on the command line', () => {
  test('--versions is refused with the reason', async () => {
    const outcome = await mirror('./a', './b', '--versions');
    expectComplaint(outcome, 'usage', 'no common history', 'copy --versions');
  });

  test('a single object is refused', async () => {
    const bucket = lab.east.bucket();
    bucket.put('k', 'k');
    expectComplaint(await mirror(bucket.at('k'), lab.shanghai.bucket().at()), 'usage', 'is a single object');
  });

  test.each(['local', 's3'] as const)('a place and itself, or a part of it, are refused (%s)', async (kind) => {
    const { at, put } = placeOf(kind, 'a');
    await put('k', '1');
    const part = `${at.replace(/\/$/, '')}/part`;
    expectComplaint(await mirror(at, at), 'usage', `source and destination are the same place: ${at}`);
    expectComplaint(await mirror(at, part), 'usage', 'lies inside');
  });

  test('another run of either direction is refused meanwhile', async () => {
    const [a, b] = await twenty();
    await a.put('slow', 'slow');
    b.bucket.fault({ kind: 'slow', delayMs: 3000 }, { kind: 'PutObject' });
    const running = lab.start(['mirror', a.at, b.at]);
    await until(() => a.bucket.requests('GetObject').length > 0, { orElse: running.done });
    for (const args of [
      ['sync', a.at, b.at],
      ['sync', b.at, a.at],
      ['mirror', b.at, a.at],
    ]) {
      expectComplaint(await lab.run(args), 'temporary', 'mirror');
    }
    expect((await running.done).code).toBe(0);
  });

  test('says what it did, and lists conflicts for people', async () => {
    const [a, b] = [placeOf('s3', 'a'), placeOf('oss', 'b')];
    await a.put('k', 'of a');
    await a.put('only a', 'x');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await b.put('k', 'of b!');
    const run = await mirror(a.at, b.at, '-v');
    expect(run.stderr).toContain(
      "conflict k  changed on both sides: a has 4 B, b 5 B; b's keeps the name, a's is kept",
    );
    expect(run.stderr).toContain('Conflicts    1 object: kept on both sides 1 (xsync conflicts lists them)');
    expect(run.stderr).toMatch(/Copied +3 objects, \d+ B: a → b 2 · b → a 1/);
    const { stdout } = await lab.run(['conflicts', a.at, b.at]);
    expect(stdout).toContain("k: settled: b keeps the name, a's object is kept as k.conflict1\n");
  });

  test('a retry, which goes one way, is refused', async () => {
    const [a, b] = await twenty();
    await a.put('k/new', 'new');
    const mend = b.bucket.fault({ kind: 'status', status: 403 }, { kind: 'PutObject', times: 100 });
    expect((await mirror(a.at, b.at)).code).toBe(6);
    mend();
    expectComplaint(await lab.run(['retry', a.at, b.at]), 'usage', 'are a mirror', 'Run xsync mirror');
    expect(b.bucket.keys()).toHaveLength(20);
    expect((await mirror(a.at, b.at)).code).toBe(0);
    expect(b.bucket.keys()).toHaveLength(21);
    expect((await lab.run(['failed', a.at, b.at])).stderr).toContain('Nothing has failed.');
  });

  test('--conflict fail is exit code 6 until it is decided', async () => {
    const [a, b] = [placeOf('s3', 'a'), placeOf('oss', 'b')];
    await a.put('k', '1');
    await b.put('k', '22');
    for (let run = 0; run < 2; run++) expect((await mirror(a.at, b.at, '--conflict', 'fail')).code).toBe(6);
    expect((await lab.run(['conflicts', a.at, b.at, '--open'])).stdout).toContain('k: open');
    expect((await mirror(a.at, b.at, '--conflict', 'larger')).code).toBe(0);
    await expectBoth(a, b, { k: '22' });
    const { stdout, stderr } = await lab.run(['conflicts', a.at, b.at, '--open']);
    expect(stdout).toBe('');
    expect(stderr).toContain('There are no conflicts.');
  });
});

test('a hub and its spokes: what is written anywhere is everywhere after two rounds, and nothing is lost', async () => {
  const [hub, east, west] = [placeOf('oss', 'a'), placeOf('s3', 'a'), placeOf('s3', 'b')];
  const round = async (): Promise<void> => {
    for (const spoke of [east, west]) expect((await mirror(hub.at, spoke.at)).code).toBe(0);
  };
  await east.put('east', 'e');
  await west.put('west', 'w');
  await hub.put('hub', 'h');
  await round();
  await round();
  await expectBoth(east, west, { east: 'e', hub: 'h', west: 'w' });
  await east.put('hub', 'of the east');
  await west.put('hub', 'of the west');
  await east.remove('west');
  await round();
  await round();
  const texts = await hub.texts();
  await expectBoth(east, west, texts);
  expect(Object.keys(texts)).toEqual(['east', 'hub', 'hub.conflict1']);
  expect([texts.hub, texts['hub.conflict1']].sort()).toEqual(['of the east', 'of the west']);
  lab.reset();
  await round();
  expect([hub.bucket?.counts(), east.bucket?.counts(), west.bucket?.counts()]).toEqual([
    ...[{ ListObjects: 2 }, { ListObjects: 1 }, { ListObjects: 1 }],
  ]);
});
