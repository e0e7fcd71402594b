/** `xsync check` from end to end: what it finds, what it costs, and that it changes nothing but what --repair may. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf, MiB, seed } from './fixtures.js';
import { type Bucket, Lab, type Outcome, until } from './harness.js';

let lab: Lab;
let source: Bucket;
let dest: Bucket;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => {
  lab.reset();
  source = lab.east.bucket();
  dest = lab.shanghai.bucket();
});
afterAll(() => lab.close());

const READS = ['ListObjects', 'HeadObject', 'GetObject'];

/** A check, after which no server has seen anything but reads. */
async function check(...options: string[]): Promise<Outcome> {
  const outcome = await lab.run(['check', source.at(), dest.at(), ...options]);
  for (const bucket of [source, dest]) {
    expect(
      Object.keys(bucket.counts()).filter((kind) => !READS.includes(kind)),
      'nothing is written',
    ).toEqual([]);
  }
  return outcome;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** `same`, and one key of each kind of difference. */
function differing(): void {
  for (const key of ['same', 'other', 'longer', 'only-source', 'a "b"\nc']) source.put(key, `${key} 1`);
  dest.put('same', 'same 1');
  dest.put('other', 'other 2');
  dest.put('longer', 'longer 1 and more');
  dest.put('only-dest', 'x');
  dest.put('a "b"\nc', 'a "b"\nc 1');
}

describe('what differs', () => {
  test("is named in each list that was asked for, with rclone's symbols, and in the exit code", async () => {
    differing();
    const files = Object.fromEntries(
      ['combined', 'missing-on-src', 'missing-on-dst', 'match', 'differ', 'error'].map((name) => [
        name,
        lab.path(name),
      ]),
    );
    const outcome = await check(...Object.entries(files).flatMap(([name, file]) => [`--${name}`, file]));
    expect(outcome.code).toBe(1);
    const read = (name: string): string => readFileSync(files[name] ?? '', 'utf8');
    expect(read('combined')).toContain('= a "b"\nc\n');
    expect(lines(read('combined').replace('= a "b"\nc\n', ''))).toEqual([
      '* longer',
      '* other',
      '+ only-source',
      '- only-dest',
      '= same',
    ]);
    expect(read('missing-on-src')).toBe('only-dest\n');
    expect(read('missing-on-dst')).toBe('only-source\n');
    expect(lines(read('differ'))).toEqual(['longer', 'other']);
    expect(read('match')).toBe('a "b"\nc\nsame\n');
    expect(read('error')).toBe('');
    expect(outcome.stderr).toMatch(/^4 differences found: /m);
    expect(outcome.stderr).toMatch(/^2 matching files: by checksum 2$/m);
    expect(outcome.stderr).toMatch(/^missing at the destination only-source {2}/m);
  });

  test('is on standard output with "-", where a pipe can take it, and --one-way leaves the rest out', async () => {
    differing();
    const outcome = await check('--one-way', '--missing-on-dst', '-', '--differ', '-', '--missing-on-src', '-');
    expect(lines(outcome.stdout)).toEqual(['longer', 'only-source', 'other']);
    expect(outcome.code).toBe(1);
  });

  test('comes as events for programs', async () => {
    differing();
    const { code, events } = await check('--json');
    const checked = events.filter(({ event }) => event === 'checked').map((event) => ({ ...event, time: undefined }));
    expect(checked).toContainEqual(
      expect.objectContaining({ key: 'other', verdict: 'differ', by: 'checksum', size: 7, level: 'error' }),
    );
    expect(events.at(-1)).toMatchObject({ event: 'end', exitCode: 1, match: { objects: 2 }, unproven: 0 });
    expect(code).toBe(1);
  });
});

test('after a copy the manifest answers: one listing of each side and nothing more, and no difference', async () => {
  for (let i = 0; i < 50; i++) source.put(`k${i}`, `content ${i}`);
  await lab.copy(source.at(), dest.at());
  lab.reset();
  const outcome = await check();
  expect(outcome.code).toBe(0);
  expect(outcome.stderr).toMatch(/^50 matching files: by manifest 50$/m);
  expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 1 }, { ListObjects: 1 }]);
});

test('a multipart object that nobody vouches for is a match by size alone until it is read', async () => {
  const large = { key: 'large', bytes: bytesOf('large', 12 * MiB) };
  seed(source, [{ ...large, partSize: 5 * MiB }]);
  seed(dest, [{ ...large, partSize: 6 * MiB }]);
  const quick = await check();
  expect(quick.code).toBe(0);
  expect(quick.stderr).toMatch(/^1 hashes could not be checked: /m);
  for (const way of ['--download', '--checksum']) {
    const outcome = await check(way);
    expect(outcome.stderr).toMatch(/^1 matching files: by content 1$/m);
    expect(outcome.stderr).not.toMatch(/hashes/);
  }
  const bytes = Buffer.from(large.bytes);
  bytes[9 * MiB] = (bytes[9 * MiB] ?? 0) ^ 1;
  seed(dest, [{ ...large, bytes, partSize: 6 * MiB }]);
  expect((await check('--download', '--differ', '-')).stdout).toBe('large\n');
});

test('an object that changes again and again is an error, and what is temporary may be tried again', async () => {
  for (const bucket of [source, dest]) bucket.put('busy', 'abcdef');
  source.fault({ kind: 'change' }, { kind: 'GetObject' });
  const outcome = await check('--download', '--error', '-');
  expect(outcome.stdout).toBe('busy\n');
  expect(outcome.stderr).toMatch(/^1 errors while checking/m);
  expect(outcome.code).toBe(5);
});

test('files on disk are hashed, and only what the listing calls different is asked for again', async () => {
  const folder = lab.path();
  source.put('a', 'the same');
  source.put('b', 'the same');
  await lab.copy(source.at(), folder);
  lab.reset();
  source.put('b', 'not the same');
  source.put('c', 'new');
  const outcome = await lab.run(['check', folder, source.at(), '--combined', '-']);
  expect(lines(outcome.stdout)).toEqual(['* b', '- c', '= a']);
  expect(source.counts()).toEqual({ ListObjects: 1 });
});

describe('beside a run', () => {
  test('a check works while a copy holds the pair, and the copy goes on', async () => {
    source.put('done', 'x');
    source.put('slow', 'y');
    const release = dest.fault({ kind: 'slow', delayMs: 60_000 }, { kind: 'PutObject', key: 'slow' });
    const copy = lab.start(['copy', source.at(), dest.at(), '--json']);
    await until(() => dest.requests('PutObject', 'slow').length > 0 && dest.keys().includes('done'), {
      orElse: copy.done,
    });
    const outcome = await lab.run(['check', source.at(), dest.at(), '--combined', '-']);
    expect(lines(outcome.stdout)).toEqual(['+ slow', '= done']);
    release();
    copy.kill('SIGKILL');
    await copy.done;
    expect((await lab.copy(source.at(), dest.at())).code).toBe(0);
  });

  test('a pair that was never copied gets no manifest by being checked', async () => {
    const before = manifests();
    source.put('a', 'x');
    dest.put('a', 'x');
    expect((await check()).code).toBe(0);
    expect(manifests()).toEqual(before);
  });
});

function manifests(): string[] {
  const folder = join(lab.directory, 'state/xsync');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

describe('--repair', () => {
  test('leaves both sides equal, copies no more than that, and says 0', async () => {
    for (let i = 0; i < 20; i++) source.put(`k${i}`, `content ${i}`);
    await lab.copy(source.at(), dest.at());
    dest.put('k3', 'content x');
    dest.remote.store.delete(dest.name, 'k4');
    lab.reset();
    const outcome = await lab.run(['check', source.at(), dest.at(), '--repair']);
    expect(outcome.stderr).toMatch(/^Repaired 2 objects, 18 B$/m);
    expect(outcome.code).toBe(0);
    expect(dest.counts().PutObject).toBe(2);
    expect(outcome.stderr).toMatch(/^Requests: source .*2 read|^Requests: source .*read 2/m);
    expect(outcome.stderr).toMatch(/^Requests: .*destination .*put 2/m);
    expect(dest.read('k3').toString()).toBe('content 3');
    expect((await lab.run(['check', source.at(), dest.at(), '--download'])).code).toBe(0);
  });

  test('deletes nothing: what the source does not have stays a difference', async () => {
    source.put('a', 'x');
    dest.put('extra', 'y');
    const outcome = await lab.run(['check', source.at(), dest.at(), '--repair']);
    expect(outcome.code).toBe(1);
    expect(dest.keys().sort()).toEqual(['a', 'extra']);
    expect((await lab.run(['check', source.at(), dest.at(), '--repair', '--one-way'])).code).toBe(0);
  });

  test('copies with the attributes that it was asked for, and tells what is lost', async () => {
    const tags = [{ key: 'a', value: '1' }];
    source.put('a', 'x', { tags, metadata: { m: '1' } });
    source.put('b', 'y', { tags });
    const outcome = await lab.run(['check', source.at(), dest.at(), '--repair', '--tags', '--metadata-set', 'n=2']);
    expect(outcome.code).toBe(0);
    expect(dest.remote.store.get(dest.name, 'a')).toMatchObject({ tags, metadata: { m: '1', n: '2' } });
    dest.put('b', 'z');
    const without = await lab.run(['check', source.at(), dest.at(), '--repair']);
    expect(without.stderr).toMatch(/^Attributes lost: 1 object: tags 1$/m);
    expect(without.stderr).toMatch(/^ {2}b: tags: not requested; --tags copies them$/m);
  });

  test('what cannot be repaired is said', async () => {
    source.put('a', 'x');
    dest.fault({ kind: 'status', status: 403, code: 'AccessDenied' }, { kind: 'PutObject' });
    const outcome = await lab.run(['check', source.at(), dest.at(), '--repair']);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^Repaired 0 objects, 0 B \(failed 1\)$/m);
  });
});

describe('mistakes', () => {
  test.each([
    [['--download', '--size-only'], 2, /contradict/],
    [['--json', '--combined', '-'], 2, /standard output/],
    [['--combined', '/nowhere/at/all'], 7, /cannot be written/],
  ])('%j is refused with %i', async (options, code, text) => {
    source.put('a', 'x');
    const outcome = await check(...options);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(text);
  });

  test('a source that does not exist is no reason to call everything different', async () => {
    dest.put('a', 'x');
    const outcome = await lab.run(['check', source.at('nope'), dest.at()]);
    expect(outcome.code).toBe(3);
    const missing = await lab.run(['check', 'east:no-such-bucket', dest.at()]);
    expect(missing.code).toBe(3);
    expect(missing.stderr).toMatch(/Check the path\./);
  });
});
