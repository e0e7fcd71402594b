/** A watch in both directions: events of both sides, and no loops. */
import { isDeepStrictEqual } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import { type Changes, Watch } from '../../../src/engine/watch/watch.js';
import { MirrorPair, mirrorOptions } from '../mirror.js';
import { OPTIONS } from '../support.js';

/** Poll only at the start, unless a test wants it. */
const SELDOM = { intervalMs: 3_600_000, shortestMs: 3_600_000, longestMs: 3_600_000, fullMs: 3_600_000 };
const OFTEN = { intervalMs: 20, shortestMs: 10, longestMs: 40, fullMs: 200 };

/** The change events of both buckets: each write is told twice, xsync's own as well. */
class Feed {
  readonly #waiting: Changes[] = [];
  #wake = (): void => undefined;
  #ended = false;
  pushed = 0;
  done = 0;

  push(bucket: string, key: string): void {
    this.pushed++;
    const settled = async (): Promise<void> => {
      this.done++;
    };
    this.#waiting.push({
      events: [
        { bucket, key },
        { bucket, key },
      ],
      done: settled,
      release: settled,
    });
    this.#wake();
  }

  readonly open = (signal: AbortSignal): AsyncIterable<Changes> => {
    signal.addEventListener('abort', () => {
      this.#ended = true;
      this.#wake();
    });
    return this.#read();
  };

  async *#read(): AsyncGenerator<Changes> {
    while (!this.#ended || this.#waiting.length > 0) {
      const batch = this.#waiting.shift();
      if (batch) yield batch;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

class Watched {
  readonly pair = new MirrorPair();
  readonly feed = new Feed();
  readonly events: RunEvent[] = [];
  readonly #drain = new AbortController();
  #over: Promise<void> | undefined;

  /** @param told whether events are delivered */
  start(schedule: typeof SELDOM, told = true): this {
    const { pair, feed } = this;
    for (const [faults, bucket] of [
      [pair.faults.source, 'src'],
      [pair.faults.dest, 'dst'],
    ] as const) {
      faults.change('put', (answer, { key = '' }) => {
        if (told) feed.push(bucket, key);
        return answer;
      });
    }
    const run = { ...OPTIONS, ...mirrorOptions({ command: 'watch', failedBefore: 'wait' }), drain: this.#drain.signal };
    const open = async () => ({ ...pair.open(), close: async () => undefined });
    const options = { run, schedule, driftMs: Number.POSITIVE_INFINITY, open, ...(told && { changes: feed.open }) };
    this.#over = new Watch(options, (event) => this.events.push(event)).run();
    this.#over.catch(() => undefined);
    return this;
  }

  /** Of a person. */
  async write(side: 'a' | 'b', key: string, text: string | undefined): Promise<void> {
    await this.pair.write(side, { [key]: text });
    this.feed.push(side === 'a' ? 'src' : 'dst', key);
  }

  get copied(): string[] {
    return this.events.flatMap((event) => (event.type === 'copied' ? [event.key] : []));
  }

  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async areEqual(): Promise<boolean> {
    const { a, b } = await this.pair.sides();
    return isDeepStrictEqual(a, b);
  }

  async end(): Promise<void> {
    this.#drain.abort();
    await this.#over;
  }
}

let watched: Watched | undefined;
afterEach(async () => {
  await watched?.end();
  watched = undefined;
});

test('events of both sides cross without a poll, and the echo of a copy costs a look', async () => {
  watched = new Watched();
  const stays = Object.fromEntries(['1', '2', '3', '4', '5', '6'].map((n) => [`stays ${n}`, n]));
  await watched.pair.a({ ...stays, gone: 'g' });
  watched.start(SELDOM);
  const { pair, feed } = watched;
  await watched.until(() => watched?.events.some(({ type }) => type === 'waiting') === true);
  await watched.until(() => feed.done === feed.pushed);
  const before = watched.copied.length;
  await watched.write('a', 'of a', '1');
  await watched.write('b', 'of b', '2');
  await watched.write('b', 'gone', undefined);
  await watched.until(async () => isDeepStrictEqual((await pair.sides()).a, { 'of a': '1', 'of b': '2', ...stays }));
  await watched.until(async () => (await watched?.areEqual()) === true && feed.done === feed.pushed);
  // Two writes of people, and two echoes of copies, each told twice.
  expect(watched.copied.slice(before).sort()).toEqual(['of a', 'of b']);
  expect(feed.pushed).toBe(before + 5);
});

test('changes of both sides, by polls alone, end the same and stay so', async () => {
  watched = new Watched().start(OFTEN, false);
  const { pair } = watched;
  for (let n = 0; n < 40; n++) {
    await pair.write(n % 2 === 0 ? 'a' : 'b', { [`k${n % 7}`]: n % 5 === 4 ? undefined : `${n}` });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const polls = () => watched?.events.filter(({ type }) => type === 'waiting').length ?? 0;
  const quiet = polls();
  await watched.until(() => polls() >= quiet + 3);
  const { a, b } = await pair.sides();
  expect(a).toEqual(b);
  const copied = watched.copied.length;
  const now = polls();
  await watched.until(() => polls() >= now + 2);
  expect(watched.copied).toHaveLength(copied);
});

test('a storm of changes on both sides, told twice, converges, and no echo is copied', async () => {
  watched = new Watched().start({ ...OFTEN, intervalMs: 100, shortestMs: 100, longestMs: 100 });
  const { feed } = watched;
  let writes = 0;
  for (let n = 0; n < 100; n++) {
    // Each side writes keys of its own: every copy is one of a write.
    const side = n % 2 === 0 ? 'a' : 'b';
    await watched.write(side, `${side}${n % 10}`, `${n}`);
    writes++;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await watched.until(async () => feed.done === feed.pushed && (await watched?.areEqual()) === true);
  expect(watched.copied.length).toBeLessThanOrEqual(writes);
  const conflicts = watched.events.filter(({ type }) => type === 'conflict');
  expect(conflicts).toEqual([]);
});
