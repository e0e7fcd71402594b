/** `--queue` and `xsync worker` over a real Redis server. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf, MiB } from '../e2e/fixtures.js';
import { type Bucket, Lab, type Running, summaryOf, until } from '../e2e/harness.js';
import { RedisServer } from '../support/redis.js';

let lab: Lab;
let redis: RedisServer;
beforeAll(async () => {
  [lab, redis] = await Promise.all([Lab.start(), RedisServer.start()]);
});
beforeEach(async () => {
  lab.reset();
  const client = redis.client();
  await client.flushall();
  client.disconnect();
});
afterAll(async () => {
  await lab.close();
  await redis.close();
});

function worker(name: string, ...options: string[]): Running {
  return lab.start(['worker', '--queue', redis.url, '--name', name, ...options]);
}

async function ended(...workers: Running[]): Promise<void> {
  for (const running of workers) running.kill('SIGTERM');
  for (const running of workers) expect((await running.done).code, running.stderr).toBe(0);
}

function filled(small: number): { from: Bucket; to: Bucket } {
  const from = lab.shanghai.bucket();
  const to = lab.east.bucket();
  for (let i = 0; i < small; i++) from.put(`small/${i}`, bytesOf(`${i}`, 1000 + i));
  return { from, to };
}

function expectSame(from: Bucket, to: Bucket): void {
  expect(to.keys().sort()).toEqual(from.keys().sort());
  for (const key of from.keys()) expect(to.read(key).equals(from.read(key)), key).toBe(true);
}

describe('a run with workers', () => {
  test('they copy all objects, each once, and share the large one', async () => {
    const { from, to } = filled(200);
    from.put('large', bytesOf('large', 60 * MiB));
    const workers = [worker('a'), worker('b')];
    const outcome = await lab.copy(from.at(), to.at(), '--queue', redis.url, '--part-size', '5M');
    expect(outcome.code, outcome.stderr).toBe(0);
    expectSame(from, to);
    expect(to.counts()).toMatchObject({ PutObject: 200, UploadPart: 12, CompleteMultipartUpload: 1 });
    const summary = summaryOf(outcome);
    expect(summary.copied.objects).toBe(201);
    expect(summary.traffic.destination.requests).toMatchObject({ put: 200, uploadPart: 12 });
    await ended(...workers);
  });
});
