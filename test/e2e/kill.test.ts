/** Killed, interrupted, or started twice: what was acknowledged is not sent again, and nothing is torn or left behind. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../support/server/index.js';
import { expectArrived, expectOnDisk, filesOf } from './compare.js';
import { bytesOf, DESCRIBED, EMPTY, type Fixture, MiB, seed } from './fixtures.js';
import { type Bucket, Lab, type Running, summaryOf, until } from './harness.js';

/** Another seed each time; the title shows it, and the variable repeats it. */
const SEED = Number(process.env.XSYNC_TEST_SEED ?? Date.now() % 1_000_000);
const random = mulberry32(SEED);

const WRITES = ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const;

/** What has become of the request at whose instant the process dies. */
const ENDINGS = ['carried out, its answer lost', 'never carried out', 'answered'] as const;

/** Mixed sizes: `parts` parts of `partSize`, the last one short, among small ones. */
function mixed(partSize: number, parts: readonly number[]): Fixture[] {
  const large = parts.map((n) => ({ key: `large ${n}`, bytes: bytesOf(`large ${n}`, (n - 1) * partSize + 777 * n) }));
  const small = Array.from({ length: 30 }, (_, n) => ({ key: `small ${n}`, bytes: bytesOf(`${n}`, n * 500) }));
  return [...large, ...small, ...EMPTY, DESCRIBED].map((fixture, n) => ({ mtimeS: 1_600_000_000 + n, ...fixture }));
}

const TO_OSS = mixed(128 * 1024, [12, 8, 2, 9]);
const TO_S3 = mixed(5 * MiB, [3, 2]);

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(() => lab.reset());
afterAll(() => lab.close());

describe(`killed with SIGKILL at 25 random instants (XSYNC_TEST_SEED=${SEED})`, () => {
  const instants = [...spread(17, 'shanghai'), ...spread(8, 'east')];

  test.each(instants)('to $to, after $share of the writes, the last one $ending', async ({ to, share, ending }) => {
    const fixtures = to === 'east' ? TO_S3 : TO_OSS;
    const [source, dest] = [lab[to === 'east' ? 'shanghai' : 'east'].bucket(), lab[to].bucket()];
    seed(source, fixtures);
    const manifest = lab.path('manifest');
    const args = ['copy', source.at(), dest.at(), '--json', '--manifest', manifest];
    const cut = to === 'east' ? ['--part-size', '5M'] : ['--part-size', '128K'];
    const shape = [...cut, '--transfers', '6', '--part-concurrency', '3'];

    dest.fault({ kind: 'slow', delayMs: 4 });
    await killedAtWrite(dest, Math.ceil(share * writesOf(fixtures, cut)), ending, () => lab.start([...args, ...shape]));
    const known = readManifest(manifest);

    lab.reset();
    const resumed = await lab.run([...args, ...shape]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expectArrived(dest, fixtures);
    expect(dest.unfinished()).toEqual([]);
    const sent = dest.requests('UploadPart').map(({ key, partNumber }) => `${key} ${partNumber}`);
    expect(sent.filter((part) => known.parts.includes(part))).toEqual([]);
    const put = dest.requests('PutObject').map(({ key }) => key);
    expect(put.filter((key) => known.objects.includes(key))).toEqual([]);

    lab.reset();
    const again = await lab.run([...args, ...shape]);
    expect(summaryOf(again)).toMatchObject({ copied: { objects: 0 }, failed: { objects: 0 } });
    expect([source.counts(), dest.counts()]).toEqual([{ ListObjects: 1 }, { ListObjects: 1 }]);
  });

  test.each(spread(6, 'disk'))('to disk, after $share of the reads: no file is torn', async ({ share, ending }) => {
    const source = lab.east.bucket();
    seed(source, TO_OSS);
    const root = lab.path();
    const args = ['copy', source.at(), root, '--json', '--part-size', '128K', '--transfers', '6'];
    source.fault({ kind: 'slow', delayMs: 4 });
    const reads = TO_OSS.reduce((sum, { bytes }) => sum + Math.max(1, Math.ceil(bytes.byteLength / (128 * 1024))), 0);
    await killedAt(source, ['GetObject', 'HeadObject'], Math.ceil(share * reads), ending, () => lab.start(args));
    const bytes = new Map(TO_OSS.map((fixture) => [fixture.key, fixture.bytes]));
    for (const file of existsSync(root) ? await filesOf(root) : []) {
      expect((await readFile(join(root, file))).equals(bytes.get(file) ?? Buffer.from('nothing')), file).toBe(true);
    }

    lab.reset();
    expect((await lab.run(args)).code).toBe(0);
    await expectOnDisk(root, TO_OSS);
    expect(summaryOf(await lab.run(args)).copied.objects).toBe(0);
  });
});

type Ending = (typeof ENDINGS)[number];

/** Instants one in each of `count` equal shares of the run. */
function spread<T extends string>(count: number, to: T): { to: T; share: number; ending: Ending }[] {
  return Array.from({ length: count }, (_, n) => ({
    to,
    share: Math.round(((n + random()) / count) * 1000) / 1000,
    ending: ENDINGS[Math.floor(random() * ENDINGS.length)] ?? 'answered',
  }));
}

function writesOf(fixtures: readonly Fixture[], [, partSize]: string[]): number {
  const size = partSize === '5M' ? 5 * MiB : 128 * 1024;
  const parts = fixtures.map(({ bytes }) => Math.ceil(bytes.byteLength / size));
  return parts.reduce((sum, n) => sum + (n > 1 ? n + 2 : 1), 0);
}

function killedAtWrite(bucket: Bucket, nth: number, ending: Ending, start: () => Running): Promise<void> {
  return killedAt(bucket, WRITES, nth, ending, start);
}

/** Runs until the nth request of these kinds, and kills then; a run that is over before was never in danger. */
async function killedAt(
  bucket: Bucket,
  kinds: readonly (typeof WRITES | readonly ['GetObject', 'HeadObject'])[number][],
  nth: number,
  ending: Ending,
  start: () => Running,
): Promise<void> {
  let running: Running | undefined;
  const die = () => running?.kill('SIGKILL');
  const carriedOut: Fault = { kind: 'call', run: die };
  const hung: Fault = {
    kind: 'call',
    run: () => {
      die();
      return new Promise<void>(() => {});
    },
  };
  if (ending !== 'answered') {
    bucket.fault(ending === 'never carried out' ? hung : carriedOut, { kind: kinds, nth });
  }
  running = start();
  if (ending === 'answered') {
    const answered = () =>
      kinds.reduce((sum, kind) => sum + bucket.requests(kind).filter((r) => r.acknowledged).length, 0);
    await until(() => answered() >= nth, { orElse: running.done });
    die();
  }
  const { signal, stderr } = await running.done;
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
}

/** What a killed run had noted as done. */
function readManifest(file: string): { parts: string[]; objects: string[] } {
  if (!existsSync(file)) return { parts: [], objects: [] };
  const db = new Database(file, { readonly: true });
  try {
    const column = (sql: string) => db.prepare<[], string>(sql).pluck().all();
    return {
      parts: column("SELECT key || ' ' || part_number FROM part JOIN upload USING (key)"),
      objects: column('SELECT key FROM object'),
    };
  } finally {
    db.close();
  }
}

describe('two runs of one pair', () => {
  test('the second is told who has the pair and exits 5; the first goes on, and its end frees the pair', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('k', 'v');
    dest.fault({ kind: 'slow', delayMs: 4000 }, { kind: 'PutObject' });
    const first = lab.start(['copy', source.at(), dest.at()]);
    await until(() => dest.requests('PutObject').length > 0, { orElse: first.done });
    const second = await lab.run(['copy', source.at(), dest.at()]);
    expect(second.code).toBe(5);
    expect(second.stderr).toMatch(new RegExp(`in use by process ${first.pid}\\b`));
    expect((await first.done).code).toBe(0);
    expect(dest.requests('PutObject')).toHaveLength(1);
    expect((await lab.run(['copy', source.at(), dest.at()])).code).toBe(0);
  });
});

describe('interrupted', () => {
  const PART = 128 * 1024;
  const LARGE = bytesOf('interrupted', 30 * PART);

  /** A copy of one large object, one part at a time, that is under way. */
  async function underWay(fault: Fault) {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    source.put('large', LARGE);
    dest.fault(fault, { kind: 'UploadPart', nth: 4, times: 100 });
    const args = ['copy', source.at(), dest.at(), '--part-size', '128K', '--part-concurrency', '1'];
    const running = lab.start(args);
    await until(() => dest.requests('UploadPart').length >= 4, { orElse: running.done });
    return { source, dest, args, running };
  }

  async function expectResumed({ source, dest, args }: Awaited<ReturnType<typeof underWay>>, parts: number) {
    lab.reset();
    expect((await lab.run(args)).code).toBe(0);
    expect(dest.read('large').equals(LARGE)).toBe(true);
    expect(dest.unfinished()).toEqual([]);
    expect(dest.requests('UploadPart').length).toBeLessThanOrEqual(parts);
    expect(source.requests('GetObject').length).toBeLessThanOrEqual(parts);
  }

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s lets a part in flight arrive, says how to resume, exits 130',
    async (signal) => {
      const run = await underWay({ kind: 'slow', delayMs: 300 });
      run.running.kill(signal);
      const { code, stderr } = await run.running.done;
      expect(code).toBe(130);
      expect(stderr).toMatch(/Interrupted/);
      expect(stderr).toMatch(/run the same command again/);
      await expectResumed(run, 26);
    },
  );

  test('what hangs is left after the grace period, and what had arrived is kept', async () => {
    const run = await underWay({ kind: 'stall', at: 'before' });
    run.running.kill('SIGINT');
    const { code, stderr } = await run.running.done;
    expect(code).toBe(130);
    expect(stderr).toMatch(/run the same command again/);
    await expectResumed(run, 27);
  });

  test('a second Ctrl-C leaves at once, and costs no more than a kill', async () => {
    const run = await underWay({ kind: 'stall', at: 'before' });
    run.running.kill('SIGINT');
    await until(() => run.running.stderr.includes('stopping'), { orElse: run.running.done });
    run.running.kill('SIGINT');
    expect((await run.running.done).code).toBe(130);
    await expectResumed(run, 27);
  });
});

describe('bytes that were damaged before the kill', () => {
  const DAMAGED = bytesOf('damaged', MiB - 5);
  const SHAPE = ['--part-size', '128K', '--part-concurrency', '1'];

  /** Kills a run whose second part was damaged on its way from the source, while it waits for the fifth. */
  async function killedAfterDamage(source: Bucket, to: string): Promise<string[]> {
    source.put('large', DAMAGED);
    source.fault({ kind: 'flip-bit', where: 'response' }, { kind: 'GetObject', nth: 2 });
    source.fault({ kind: 'stall', at: 'before' }, { kind: 'GetObject', nth: 5, times: 100 });
    const args = ['copy', source.at(), to, ...SHAPE];
    const running = lab.start(args);
    await until(() => source.requests('GetObject').length >= 5, { orElse: running.done });
    running.kill('SIGKILL');
    await running.done;
    lab.reset();
    return args;
  }

  test('are found by the run that resumes the upload', async () => {
    const [source, dest] = [lab.east.bucket(), lab.shanghai.bucket()];
    const resumed = await lab.run(await killedAfterDamage(source, dest.at()));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(dest.read('large').equals(DAMAGED)).toBe(true);
    expect(dest.unfinished()).toEqual([]);
  });

  test.each(['east', 'shanghai'] as const)('are found on local disk as well, from %s', async (from) => {
    const folder = lab.path('damaged');
    const resumed = await lab.run(await killedAfterDamage(lab[from].bucket(), folder));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect((await readFile(join(folder, 'large'))).equals(DAMAGED)).toBe(true);
  });
});

/** Uniform in [0, 1), the same for the same seed. */
function mulberry32(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
