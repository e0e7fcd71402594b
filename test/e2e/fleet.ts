/** Workers and runs of the built program over a Redis server. */
import { expect } from 'vitest';
import type { RedisServer } from '../support/redis.js';
import { bytesOf } from './fixtures.js';
import type { Bucket, Lab, Outcome, Running } from './harness.js';

export class Fleet {
  readonly lab: Lab;
  readonly redis: RedisServer;
  readonly #workers: Running[] = [];

  constructor(lab: Lab, redis: RedisServer) {
    this.lab = lab;
    this.redis = redis;
  }

  async reset(): Promise<void> {
    for (const running of this.#workers) running.kill('SIGKILL');
    await Promise.all(this.#workers.splice(0).map(({ done }) => done));
    this.lab.reset();
    const client = this.redis.client();
    await client.flushall();
    client.disconnect();
  }

  worker(name: string, options: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Running {
    const running = this.lab.start(['worker', '--queue', this.redis.url, '--name', name, ...options], env);
    this.#workers.push(running);
    return running;
  }

  start(command: string, from: Bucket, to: Bucket, ...options: string[]): Running {
    return this.lab.start([command, from.at(), to.at(), '--json', '--queue', this.redis.url, ...options]);
  }

  copy(from: Bucket, to: Bucket, ...options: string[]): Promise<Outcome> {
    return this.start('copy', from, to, ...options).done;
  }

  /** `small` objects of 1 kB. */
  filled(small: number): { from: Bucket; to: Bucket } {
    const from = this.lab.shanghai.bucket();
    const to = this.lab.east.bucket();
    for (let i = 0; i < small; i++) from.put(`small/${i}`, bytesOf(`${i}`, 1000 + i));
    return { from, to };
  }
}

export async function ended(...workers: Running[]): Promise<void> {
  for (const running of workers) running.kill('SIGTERM');
  for (const running of workers) expect((await running.done).code, running.stderr).toBe(0);
}

export function expectSame(from: Bucket, to: Bucket): void {
  expect(to.keys().sort()).toEqual(from.keys().sort());
  for (const key of from.keys()) expect(to.read(key).equals(from.read(key)), key).toBe(true);
  expect(to.unfinished()).toEqual([]);
}
