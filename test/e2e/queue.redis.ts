/** `--queue` and `xsync worker` over a real Redis server. */
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../../src/cli/exit.js';
import { RedisServer } from '../support/redis.js';
import { bytesOf, MiB } from './fixtures.js';
import { ended, expectSame, Fleet } from './fleet.js';
import { type Bucket, Lab, summaryOf, until } from './harness.js';

let fleet: Fleet;
beforeAll(async () => {
  fleet = new Fleet(...(await Promise.all([Lab.start(), RedisServer.start()])));
});
beforeEach(() => fleet.reset());
afterAll(async () => {
  await fleet.lab.close();
  await fleet.redis.close();
});

describe('a run with workers', () => {
  test('they copy each object once and share the large one, and no secret is in Redis', async () => {
    const { from, to } = fleet.filled(200);
    from.put('large', bytesOf('large', 60 * MiB));
    const client = fleet.redis.client();
    const monitor = await client.monitor();
    const seen: string[] = [];
    monitor.on('monitor', (_time: string, args: string[]) => seen.push(args.join(' ')));
    const workers = [fleet.worker('a'), fleet.worker('b')];
    const outcome = await fleet.copy(from, to, '--part-size', '5M');
    monitor.disconnect();
    client.disconnect();
    expect(outcome.code, outcome.stderr).toBe(0);
    expectSame(from, to);
    expect(to.counts()).toMatchObject({ PutObject: 200, UploadPart: 12, CompleteMultipartUpload: 1 });
    const summary = summaryOf(outcome);
    expect(summary.copied.objects).toBe(201);
    expect(summary.verified).toEqual({ md5: 200, crc64: 1 });
    expect(summary.traffic.source.requests).toMatchObject({ read: 212, head: 1 });
    expect(summary.traffic.destination.requests).toMatchObject({ put: 200, uploadPart: 12 });
    const sums = summary.workers ?? [];
    expect(sums.reduce((sum, { objects }) => sum + objects, 0)).toBe(212);
    expect(sums.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(summary.copied.bytes);
    await ended(...workers);

    const said = seen.join('\n');
    expect(said).toContain('small/199');
    const { s3, oss } = fleet.lab.east.server;
    for (const secret of [s3.secretAccessKey, s3.accessKeyId, oss.accessKeySecret, oss.accessKeyId]) {
      expect(said).not.toContain(secret);
    }
    const again = await fleet.copy(from, to);
    expect(summaryOf(again).skipped.objects).toBe(201);
  });

  test('all workers are busy at once: with parts of one large object, and with few small ones', async () => {
    const [workers, transfers] = [3, 4];
    const shape = ['--transfers', `${transfers}`, '--part-concurrency', '1'];
    const started = ['a', 'b', 'c'].map((name) => fleet.worker(name, shape));
    for (const worker of started) await until(() => worker.stderr.includes('takes jobs'), { orElse: worker.done });
    const { from, to } = fleet.filled(0);
    from.put('large', bytesOf('large', 60 * MiB));
    // Nothing is answered before all are there.
    const parts = barrier(to, 'UploadPart', workers * transfers);
    const large = await fleet.copy(from, to, '--part-size', '5M');
    expect(large.code, large.stderr).toBe(0);
    expect(await parts).toBe(workers * transfers);

    const small = fleet.filled(36);
    const puts = barrier(small.to, 'PutObject', workers * transfers);
    const run = await fleet.copy(small.from, small.to);
    expect(run.code, run.stderr).toBe(0);
    expect(await puts).toBe(workers * transfers);
    expectSame(small.from, small.to);
    await ended(...started);
  });

  test('a coordinator that was killed takes back what the workers did meanwhile', async () => {
    const { from, to } = fleet.filled(300);
    from.put('large', bytesOf('large', 40 * MiB));
    to.fault({ kind: 'slow', delayMs: 20 });
    const one = fleet.worker('one', ['--transfers', '4', '--part-concurrency', '1']);
    const killed = fleet.start('copy', from, to, '--part-size', '5M');
    await until(() => to.requests('PutObject').length >= 60, { orElse: killed.done });
    killed.kill('SIGKILL');
    await killed.done;
    const before = to.requests('PutObject').length;
    await until(() => to.requests('PutObject').length > before, { orElse: one.done });
    const outcome = await fleet.copy(from, to, '--part-size', '5M');
    expect(outcome.code, outcome.stderr).toBe(0);
    expectSame(from, to);
    expect(to.counts()).toMatchObject({ PutObject: 300, UploadPart: 8, CompleteMultipartUpload: 1 });
    await ended(one);
    const client = fleet.redis.client();
    expect((await client.keys('*')).filter((key) => /done|upload|jobs|tickets:[0-9a-f]+-/.test(key))).toEqual([]);
    client.disconnect();
  });

  test('a pair is coordinated by one machine at a time; the same manifest goes on at once', async () => {
    const { from, to } = fleet.filled(20);
    const first = fleet.start('copy', from, to);
    const client = fleet.redis.client();
    onTestFinished(() => client.disconnect());
    while ((await client.llen('{xsync}:tickets:wait')) === 0) await pause(10);
    const elsewhere = ['--manifest', fleet.lab.path('elsewhere.db')];
    const second = await fleet.copy(from, to, ...elsewhere);
    expect(second.code).toBe(EXIT.temporary);
    expect(second.stderr).toContain(`this pair is in use by a run on ${hostname()}, through the same queue`);
    first.kill('SIGKILL');
    await first.done;
    expect((await fleet.copy(from, to, ...elsewhere)).code).toBe(EXIT.temporary);
    const worker = fleet.worker('one');
    const again = await fleet.copy(from, to);
    expect(again.code, again.stderr).toBe(0);
    expect(to.counts().PutObject).toBe(20);
    const { copied, skipped } = summaryOf(again);
    // What was done before the listing is also found to be the same.
    expect(copied.objects).toBeLessThanOrEqual(20);
    expect(copied.objects + skipped.objects).toBeGreaterThanOrEqual(20);
    // Whoever has ended does not hold up anybody.
    const free = await fleet.copy(from, to, ...elsewhere);
    expect(free.code, free.stderr).toBe(0);
    await ended(worker);
  });

  test('jobs that a coordinator left long ago are not done until it comes back', async () => {
    const { from, to } = fleet.filled(30);
    const killed = fleet.start('copy', from, to);
    const client = fleet.redis.client();
    onTestFinished(() => client.disconnect());
    while ((await client.llen('{xsync}:tickets:wait')) === 0) await pause(10);
    killed.kill('SIGKILL');
    await killed.done;
    // As its expiry does.
    await client.del(await client.keys('{xsync}:wanted:*'));
    const late = fleet.worker('late');
    while ((await client.zcard('{xsync}:tickets:completed')) === 0) await pause(10);
    expect(to.keys()).toEqual([]);
    const outcome = await fleet.copy(from, to);
    expect(outcome.code, outcome.stderr).toBe(0);
    expectSame(from, to);
    expect(to.counts().PutObject).toBe(30);
    await ended(late);
  });

  test('the rules of run and serve hand their objects to the workers', async () => {
    const source = fleet.lab.shanghai.bucket();
    const [one, two] = [fleet.lab.east.bucket(), fleet.lab.east.bucket()];
    for (let i = 0; i < 40; i++) source.put(`${i}`, bytesOf(`${i}`, 1000));
    const rules = fleet.lab.path('rules.json');
    await writeFile(
      rules,
      JSON.stringify({ rules: { both: { source: source.at(), destination: [one.at(), two.at()] } } }),
    );
    const worker = fleet.worker('one');
    const shared = ['--rules', rules, '--queue', fleet.redis.url];
    const outcome = await fleet.lab.run(['run', ...shared]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expectSame(source, one);
    expectSame(source, two);
    expect([one.counts().PutObject, two.counts().PutObject]).toEqual([40, 40]);

    const serving = fleet.lab.start(['serve', ...shared]);
    await until(() => serving.stderr.includes('serving '), { orElse: serving.done });
    source.put('later', 'later');
    await until(() => one.keys().includes('later') && two.keys().includes('later'), { orElse: serving.done });
    await ended(serving);
    worker.kill('SIGTERM');
    expect((await worker.done).stderr).toContain('82 objects and parts');
  });

  test('a worker that is stopped gives back what it cannot finish', async () => {
    const { from, to } = fleet.filled(300);
    const slow = to.fault({ kind: 'slow', delayMs: 100 });
    const first = fleet.worker('first', ['--transfers', '2', '--drain-timeout', '1s']);
    const running = fleet.start('copy', from, to);
    await until(() => to.requests('PutObject').length >= 4, { orElse: running.done });
    first.kill('SIGTERM');
    const left = await first.done;
    expect(left.code).toBe(0);
    expect(left.stderr).toMatch(/[1-4] jobs given back/);
    slow();
    const second = fleet.worker('second');
    const outcome = await running.done;
    expect(outcome.code, outcome.stderr).toBe(0);
    expectSame(from, to);
    expect(to.counts().PutObject).toBe(300);
    const names = summaryOf(outcome).workers?.map(({ name }) => name);
    expect(names?.sort()).toEqual(['first', 'second']);
    await ended(second);
  });

  test('a worker without the remote gives its job back to one that has it', async () => {
    const { from, to } = fleet.filled(20);
    const config = fleet.lab.path('config');
    const stranger = fleet.worker('stranger', [], { XDG_CONFIG_HOME: config });
    await until(() => stranger.stderr.includes('takes jobs'));
    const running = fleet.start('copy', from, to);
    await until(() => running.stdout.includes('has given its job back'), { orElse: running.done });
    const one = fleet.worker('one');
    const outcome = await running.done;
    expect(outcome.code, outcome.stderr).toBe(0);
    expectSame(from, to);
    expect(outcome.stdout).toContain('worker stranger has given its job back: there is no remote');
    await ended(stranger, one);
  });

  test('when no worker has the remote, the run ends and says so', async () => {
    const { from, to } = fleet.filled(2);
    const stranger = fleet.worker('stranger', [], { XDG_CONFIG_HOME: fleet.lab.path('config') });
    const outcome = await fleet.copy(from, to);
    expect(outcome.code).toBe(EXIT.fatal);
    expect(outcome.stderr).toContain('no worker can copy this pair: there is no remote');
    expect(to.keys()).toEqual([]);
    await ended(stranger);
  });
});

describe('a server that cannot keep a queue', () => {
  test('one that may evict keys, one that asks for a password, and one that is not there are refused', async () => {
    const { from, to } = fleet.filled(1);
    const evicting = await RedisServer.start('--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru');
    const locked = await RedisServer.start('--requirepass', 'a-test-password');
    onTestFinished(async () => void (await Promise.all([evicting.close(), locked.close()])));
    const run = (url: string) =>
      fleet.lab.run(['copy', from.at(), to.at(), '--queue', url, '--manifest', fleet.lab.path()]);
    const [lossy, denied, wrong, gone] = await Promise.all([
      run(evicting.url),
      run(locked.url),
      run(`redis://:another-password@127.0.0.1:${locked.port}`),
      run('redis://127.0.0.1:1'),
    ]);
    expect(lossy.stderr).toContain('may drop jobs when its memory is full: maxmemory-policy is allkeys-lru');
    expect(denied.stderr).toContain('NOAUTH');
    expect(wrong.stderr).toContain('WRONGPASS');
    expect(wrong.stderr).not.toContain('another-password');
    expect(gone.stderr).toContain('redis://127.0.0.1:1 cannot be used');
    for (const { code } of [lossy, denied, wrong, gone]) expect(code).not.toBe(0);
  });
});

/** Holds requests until so many are there. Resolves with how many were. */
function barrier(bucket: Bucket, kind: 'PutObject' | 'UploadPart', count: number): Promise<number> {
  let there = 0;
  const full = new Promise<number>((resolve) => {
    const arrive = (): void => {
      there++;
      if (there === count) resolve(there);
    };
    bucket.fault(
      {
        kind: 'call',
        run: async () => {
          arrive();
          await full;
        },
      },
      { kind },
    );
  });
  return full;
}
