/** `move` by the built program: whenever it is killed, every object is at the source or at the destination. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesOf } from './compare.js';
import { bytesOf } from './fixtures.js';
import { type Bucket, Lab, summaryOf, until } from './harness.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

/** More than one batch of deletes, and one object in parts. */
const OBJECTS = new Map(
  Array.from({ length: 230 }, (_, n) => [`k${String(n).padStart(3, '0')}`, bytesOf(`${n}`, n === 7 ? 700_000 : n)]),
);

function seed(bucket: Bucket): void {
  for (const [key, bytes] of OBJECTS) bucket.put(key, bytes);
}

const holds = (bucket: Bucket, key: string): boolean => bucket.get(key) !== undefined;

function expectNoneLost(source: Bucket, dest: Bucket): void {
  for (const [key, bytes] of OBJECTS) {
    const places = [source, dest].filter((bucket) => holds(bucket, key));
    expect([key, places.some((bucket) => bucket.read(key).equals(bytes))]).toEqual([key, true]);
  }
}

describe('killed with SIGKILL', () => {
  const instants = [
    ...[1, 40, 150, 229].map((count) => ({ kind: 'PutObject' as const, count })),
    ...[1, 60, 180].map((count) => ({ kind: 'HeadObject' as const, count })),
    ...[1, 2, 3].map((count) => ({ kind: 'DeleteObjects' as const, count })),
  ];

  test.each(instants)('after $count $kind, and run again', async ({ kind, count }) => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    seed(source);
    const of = kind === 'PutObject' ? dest : source;
    source.fault({ kind: 'slow', delayMs: 2 });
    dest.fault({ kind: 'slow', delayMs: 2 });
    const args = ['move', source.at(), dest.at(), '--json', '--part-size', '128K', '--transfers', '8'];
    const running = lab.start(args);
    await until(() => of.requests(kind).length >= count, { orElse: running.done });
    running.kill('SIGKILL');
    await running.done;
    expectNoneLost(source, dest);

    lab.reset();
    const again = await lab.run(args);
    expect(again.code, again.stderr).toBe(0);
    expectNoneLost(source, dest);
    expect(source.keys()).toEqual([]);
    expect(dest.keys().sort()).toEqual([...OBJECTS.keys()].sort());
    expect(dest.unfinished()).toEqual([]);
  });
});

test('Ctrl-C leaves what was not proved, and says how much was moved', async () => {
  const [source, dest] = [lab.east.bucket(), lab.west.bucket()];
  seed(source);
  dest.fault({ kind: 'slow', delayMs: 5 });
  const running = lab.start(['move', source.at(), dest.at(), '--json', '--transfers', '4']);
  await until(() => dest.requests('PutObject').length >= 50, { orElse: running.done });
  running.kill('SIGINT');
  const outcome = await running.done;
  expect(outcome.code).toBe(130);
  expectNoneLost(source, dest);
  expect(source.keys().length).toBe(OBJECTS.size - (summaryOf(outcome).moved?.objects ?? 0));
});

test('from disk to disk and back, with the messages of a person’s terminal', async () => {
  const [from, to] = [lab.path(), lab.path()];
  await mkdir(join(from, 'sub'), { recursive: true });
  await writeFile(join(from, 'sub/a'), 'a');
  await writeFile(join(from, 'b'), 'b');
  const moved = await lab.run(['move', from, to, '--delete-empty-src-dirs']);
  expect([moved.code, moved.stderr]).toEqual([0, expect.stringContaining('Moved        2 objects, 2 B')]);
  expect(await filesOf(from)).toEqual([]);
  expect(existsSync(join(from, 'sub'))).toBe(false);
  const back = await lab.run(['moveto', join(to, 'b'), join(from, 'c')]);
  expect(back.code, back.stderr).toBe(0);
  expect(await readFile(join(from, 'c'), 'utf8')).toBe('b');
  expect(existsSync(join(to, 'b'))).toBe(false);
});
