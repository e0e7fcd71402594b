/** Rules of S3 and OSS buckets, run once and served by the built program. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bucket, Lab, type Remote, type Running, until } from './harness.js';

let lab: Lab;
let file: string;

beforeAll(async () => {
  lab = await Lab.start();
  file = join(lab.directory, 'rules.yaml');
});

afterAll(() => lab.close());

beforeEach(() => lab.reset());

const write = (rules: object): Promise<void> => writeFile(file, JSON.stringify({ rules }));

function three(remote: Remote): [Bucket, Bucket, Bucket] {
  return [remote.bucket(), remote.bucket(), remote.bucket()];
}

test('run: one rule fails, the others are done, and each request is counted once', async () => {
  const source = lab.east.bucket();
  const [one, two] = three(lab.west);
  const overseas = lab.shanghai.bucket();
  source.put('a/1', 'first');
  source.put('b/2', 'second');
  await write({
    both: { source: source.at(), destination: [one.at(), overseas.at()] },
    part: { source: source.at(), destination: two.at(), prefixes: 'b' },
    wrong: { source: source.at(), destination: 'east:there-is-no-such-bucket/', priority: 1 },
  });
  const { code, stderr } = await lab.run(['run', '--rules', file]);
  expect([code, stderr]).toEqual([3, expect.stringContaining('wrong: xsync:')]);
  expect([one.keys(), overseas.keys(), two.keys()]).toEqual([['a/1', 'b/2'], ['a/1', 'b/2'], ['b/2']]);
  expect(one.counts()).toEqual({ ListObjects: 1, PutObject: 2 });
  expect(two.counts()).toEqual({ ListObjects: 1, PutObject: 1 });
  // Three pairs read it: one lists it, and each object is read once.
  expect(source.counts()).toEqual({ ListObjects: 1, GetObject: 2 });
  lab.reset();
  expect(await lab.run(['run', 'both', 'part', '--rules', file])).toMatchObject({ code: 0, stderr: '' });
  expect(source.counts()).toEqual({ ListObjects: 1 });
  expect(one.counts()).toEqual({ ListObjects: 1 });
});

test('run: killed in the middle, three destinations end up the same, and nothing is read again that two of them had', async () => {
  const source = lab.east.bucket();
  const [one] = three(lab.west);
  const overseas = lab.shanghai.bucket();
  const local = join(lab.directory, 'fanned');
  const PART = 5 * 2 ** 20;
  const large = randomBytes(4 * PART);
  source.put('large', large);
  for (let n = 0; n < 20; n++) source.put(`small/${n}`, randomBytes(2000));
  const destination = [one.at(), overseas.at(), `${local}/`];
  await write({ all: { source: source.at(), destination, partSize: '5M', transfers: 2, partConcurrency: 1 } });
  const heal = one.fault({ kind: 'slow', delayMs: 300 }, { kind: 'UploadPart' });
  const killed = lab.start(['run', '--rules', file]);
  const parts = (bucket: Bucket): number =>
    bucket.requests('UploadPart').filter(({ acknowledged }) => acknowledged).length;
  const haveTwo = (): boolean => Math.min(parts(one), parts(overseas)) >= 2 && existsSync(join(local, 'large'));
  await until(haveTwo, { orElse: killed.done });
  killed.kill('SIGKILL');
  await killed.done;
  heal();
  expect((await lab.run(['run', '--rules', file])).code).toBe(0);
  for (const key of source.keys()) {
    const bytes = source.read(key);
    expect(one.read(key).equals(bytes)).toBe(true);
    expect(overseas.read(key).equals(bytes)).toBe(true);
    expect((await readFile(join(local, key))).equals(bytes)).toBe(true);
    // Once, and again what not all of them had noted when it was killed.
    const reads = source.requests('GetObject', key).length;
    expect(reads).toBeLessThanOrEqual(key === 'large' ? 4 + 3 : 2);
  }
  expect([one.unfinished(), overseas.unfinished()]).toEqual([[], []]);
});

describe('serve', () => {
  let serving: Running;

  async function serve(...options: string[]): Promise<void> {
    serving = lab.start(['serve', '--rules', file, '--metrics-addr', ':0', ...options], {
      XSYNC_EVENTS_SECRET: SECRET,
    });
    await until(() => serving.stderr.includes('serving '), { orElse: serving.done });
  }

  async function page(path: string): Promise<string> {
    const url = /metrics at (\S+)\/metrics/.exec(serving.stderr)?.[1];
    return (await fetch(`${url}${path}`)).text();
  }

  const SECRET = 'a-secret-of-enough-characters';

  test('a destination that fails and a change of the rules leave the others alone', async () => {
    const source = lab.east.bucket();
    const [good, bad, later] = three(lab.west);
    source.put('1', 'first');
    const healthy = { source: source.at(), destination: good.at(), interval: '200ms', rpo: '1h' };
    bad.fault({ kind: 'status', status: 503, code: 'SlowDown' });
    await write({
      healthy,
      broken: { source: source.at(), destination: bad.at(), interval: '200ms', lowLevelRetries: 1 },
    });
    const told = join(lab.directory, 'told');
    await serve('--notify', `file:${told}`);
    await until(() => good.keys().length === 1, { orElse: serving.done });
    source.put('2', 'second');
    await until(() => good.keys().length === 2, { orElse: serving.done });
    await until(() => serving.stderr.includes('broken: '), { orElse: serving.done });
    expect(bad.keys()).toEqual([]);

    await write({ healthy, added: { source: source.at(), destination: later.at(), interval: '200ms' } });
    serving.kill('SIGHUP');
    await until(() => serving.stderr.includes('the rules were read again: 1 new, 0 changed, 1 gone, 1 as before'), {
      orElse: serving.done,
    });
    await until(() => later.keys().length === 2, { orElse: serving.done });
    // It was not opened again: then it would have listed its destination.
    expect(good.requests('ListObjects').length).toBe(1);

    await write({ healthy: { ...healthy, mode: 'watch' } });
    serving.kill('SIGHUP');
    await until(() => serving.stderr.includes('the rules stay as they were'), { orElse: serving.done });
    source.put('3', 'third');
    await until(() => good.keys().length === 3 && later.keys().length === 3, { orElse: serving.done });

    const metrics = await page('/metrics');
    expect(metrics).toMatch(/xsync_copied_objects_total\{verified_by="\w+",rule="healthy",[^}]*\} 3/);
    expect(metrics).toMatch(/rule="added"/);
    expect(metrics).not.toMatch(/rule="broken"/);
    expect(JSON.parse(await page('/healthz'))).toMatchObject({
      status: 'ok',
      rules: { healthy: { rpoMs: 3_600_000 } },
    });
    serving.kill('SIGTERM');
    expect(await serving.done).toMatchObject({ code: 0, stderr: expect.stringContaining('ended; everything') });
    const events = (await readFile(told, 'utf8')).trim().split('\n');
    const created = events.map((line) => JSON.parse(line)).filter(({ type }) => type === 'ObjectCreated');
    expect(created.map(({ rule, key }) => `${rule} ${key}`).sort()).toEqual([
      'added 1',
      'added 2',
      'added 3',
      'healthy 1',
      'healthy 2',
      'healthy 3',
    ]);
  });

  test('an event reaches every rule that reads the bucket, whatever their intervals', async () => {
    const [source, other] = three(lab.east);
    const [one, two, last] = three(lab.west);
    const slow = { interval: '1h' };
    await write({
      one: { source: source.at(), destination: [one.at(), two.at()], ...slow },
      three: { source: other.at(), destination: last.at(), ...slow },
    });
    await serve('--events', ':0/changes');
    await until(() => serving.stderr.includes('receiving events at'), { orElse: serving.done });
    await until(() => [one, two, last].every((bucket) => bucket.requests('ListObjects').length === 1), {
      orElse: serving.done,
    });
    lab.reset();
    source.put('new', 'new');
    const url = /receiving events at (\S+)/.exec(serving.stderr)?.[1] ?? '';
    const Records = [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: source.name }, object: { key: 'new' } } }];
    const answer = await fetch(url.replace('[::]', '127.0.0.1'), {
      ...{ method: 'POST', body: JSON.stringify({ Records }) },
      headers: { authorization: `Bearer ${SECRET}` },
    });
    expect(answer.status).toBe(200);
    await until(() => one.keys().length + two.keys().length === 2, { orElse: serving.done });
    expect([one.keys(), two.keys(), last.keys()]).toEqual([['new'], ['new'], []]);
    expect(other.counts()).toEqual({});
    serving.kill('SIGTERM');
    expect((await serving.done).code).toBe(0);
  });
});
