/**
 * Workers, the coordinator and Redis are killed at random instants, and one worker loses its line to Redis: everything
 * arrives, and no acknowledged part is sent again. `XSYNC_CHAOS=full` is the whole of it, for minutes.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Line } from '../support/line.js';
import { RedisServer } from '../support/redis.js';
import { bytesOf, MiB } from './fixtures.js';
import { expectSame, Fleet } from './fleet.js';
import { type Bucket, Lab, type Running } from './harness.js';

const FULL = process.env.XSYNC_CHAOS === 'full';
const SIZE = FULL
  ? { workers: 8, small: 5000, large: 4, parts: 50, kills: 20, coordinators: 3, restarts: 3 }
  : { workers: 3, small: 300, large: 1, parts: 12, kills: 4, coordinators: 1, restarts: 1 };
/** Another seed each time; the title shows it, and the variable repeats it. */
const SEED = Number(process.env.XSYNC_TEST_SEED ?? Date.now() % 1_000_000);
const PART = 5 * MiB;
const SHAPE = ['--transfers', '4', '--part-concurrency', '1'];

let fleet: Fleet;
beforeAll(async () => {
  fleet = new Fleet(...(await Promise.all([Lab.start(), RedisServer.start()])));
});
afterAll(async () => {
  await fleet.lab.close();
  await fleet.redis.close();
});

/** Parts that a worker has acknowledged, as `key part`, and how many had been sent by then. */
interface Snapshot {
  acknowledged: string[];
  sent: number;
}

class Chaos {
  readonly #workers: Running[] = [];
  readonly #snapshots: Snapshot[] = [];
  readonly #line: Line;
  readonly #random = mulberry32(SEED);
  readonly #names = new Map<string, string>();
  #coordinator: Running;
  #count = 0;

  constructor(
    readonly from: Bucket,
    readonly to: Bucket,
    line: Line,
  ) {
    this.#line = line;
    for (const key of from.keys()) {
      const bytes = from.read(key);
      for (let n = 0; bytes.byteLength > PART && n * PART < bytes.byteLength; n++) {
        const md5 = createHash('md5').update(bytes.subarray(n * PART, (n + 1) * PART));
        this.#names.set(md5.digest('hex'), `${key} ${n + 1}`);
      }
    }
    for (let n = 0; n < SIZE.workers; n++) this.#workers.push(this.#worker(n));
    this.#coordinator = this.#coordinate();
  }

  get done(): number {
    return this.to.requests('PutObject').length + this.to.requests('UploadPart').length;
  }

  /** What happens, in a random order. */
  events(): (() => Promise<void>)[] {
    const repeat = (count: number, event: () => Promise<void>) => Array.from({ length: count }, () => event);
    const events = [
      ...repeat(SIZE.kills, () => this.#killWorker()),
      ...repeat(SIZE.coordinators, () => this.#killCoordinator()),
      ...repeat(SIZE.restarts, () => fleet.redis.restart()),
      ...repeat(1, () => this.#line.cut()),
    ];
    return events
      .map((event) => ({ event, at: this.#random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ event }) => event);
  }

  async end(): Promise<void> {
    await this.#line.mend();
    for (;;) {
      const { code, stderr } = await this.#coordinator.done;
      if (code === 0) break;
      throw new Error(`the coordinator ended with ${code}: ${stderr}`);
    }
    for (const running of this.#workers) running.kill('SIGKILL');
    await Promise.all(this.#workers.map(({ done }) => done));
  }

  /** Parts that were sent again although a worker had acknowledged them. */
  get sentAgain(): string[] {
    const sent = this.to.requests('UploadPart').map(({ key, partNumber }) => `${key} ${partNumber}`);
    return this.#snapshots.flatMap(({ acknowledged, sent: before }) => {
      const later = new Set(sent.slice(before));
      return acknowledged.filter((part) => later.has(part));
    });
  }

  #worker(n: number): Running {
    // The first one has a line of its own to Redis.
    const url = n === 0 ? this.#line.endpoint.replace('http', 'redis') : fleet.redis.url;
    return fleet.lab.start(['worker', '--queue', url, '--name', `w${n}-${this.#count++}`, ...SHAPE]);
  }

  #coordinate(): Running {
    return fleet.start('copy', this.from, this.to, '--part-size', '5M');
  }

  async #killWorker(): Promise<void> {
    const n = Math.floor(this.#random() * SIZE.workers);
    await this.#look();
    this.#workers[n]?.kill('SIGKILL');
    await this.#workers[n]?.done;
    this.#workers[n] = this.#worker(n);
  }

  async #killCoordinator(): Promise<void> {
    await this.#look();
    this.#coordinator.kill('SIGKILL');
    await this.#coordinator.done;
    this.#coordinator = this.#coordinate();
  }

  async #look(): Promise<void> {
    const client = fleet.redis.client();
    const acknowledged: string[] = [];
    for (const name of await client.keys('*:done:*')) {
      for (const text of await client.hvals(name)) {
        const etag: string | undefined = JSON.parse(text).sent?.row.etag;
        const part = etag && this.#names.get(etag.replaceAll('"', ''));
        if (part) acknowledged.push(part);
      }
    }
    client.disconnect();
    this.#snapshots.push({ acknowledged, sent: this.to.requests('UploadPart').length });
  }
}

test(`everything arrives (XSYNC_TEST_SEED=${SEED})`, { timeout: FULL ? 3_600_000 : 240_000 }, async () => {
  const { from, to } = fleet.filled(SIZE.small);
  for (let n = 0; n < SIZE.large; n++) from.put(`a-large-${n}`, bytesOf(`large ${n}`, SIZE.parts * PART - 777));
  to.fault({ kind: 'slow', delayMs: 50 });
  const chaos = new Chaos(from, to, await Line.to(fleet.redis.url.replace('redis', 'http')));
  const events = chaos.events();
  const all = SIZE.small + SIZE.large * SIZE.parts;
  for (const [n, event] of events.entries()) {
    const from = Math.floor((all * (n + 0.5)) / (events.length + 1));
    while (chaos.done < from) await new Promise((resolve) => setTimeout(resolve, 10));
    await event();
  }
  await chaos.end();
  expectSame(from, to);
  expect(chaos.sentAgain).toEqual([]);
});

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
