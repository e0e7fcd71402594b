/** Runs over workers that are in this thread, but get nothing that was not cloned. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { RunEvent, Summary } from '../../../src/engine/events.js';
import type { RunOptions } from '../../../src/engine/options.js';
import type { RunPair } from '../../../src/engine/pair.js';
import type { Order, Report } from '../../../src/engine/workers/messages.js';
import { Performer } from '../../../src/engine/workers/performer.js';
import { type Listener, Pool, type Thread } from '../../../src/engine/workers/pool.js';
import { XsyncError } from '../../../src/model/error.js';
import { Findings } from '../../../src/store/wrap/findings.js';
import { bytesOf, contentOf, Pair, side } from '../support.js';

const KIB = 1024;

/** A pair whose runs have workers. */
class WorkersPair extends Pair {
  readonly threads: { orders: Order[]; listener: Listener }[] = [];
  readonly findings = new Findings();
  pool: Pool | undefined;
  /** How a worker starts; it may be told to die. */
  dies = false;

  workers(wanted: number): this {
    const terms = { wanted, connections: 256 };
    this.pool = new Pool(terms, (listener) => this.#start(listener), { source: this.findings });
    return this;
  }

  override open(): RunPair {
    return { ...super.open(), workers: this.pool };
  }

  #start(listener: Listener): Thread {
    const sides = {
      source: { ...side(this.faults.source, '', 'a'), findings: new Findings() },
      dest: side(this.faults.dest, '', 'b'),
    };
    const post = (reports: readonly Report[]): void => {
      void turn().then(() => listener.heard(structuredClone(reports)));
    };
    const performer = new Performer(sides, post);
    const thread = { orders: [] as Order[], listener };
    this.threads.push(thread);
    return {
      post: (orders) => {
        thread.orders.push(...orders);
        void turn().then(() => {
          if (this.dies && orders.some(({ type }) => type === 'copy')) listener.failed(new Error('out of memory'));
          else performer.hear(structuredClone(orders));
        });
      },
      busy: () => 0,
      close: async () => undefined,
    };
  }
}

async function fill(pair: Pair): Promise<void> {
  for (let i = 0; i < 40; i++) await pair.source.put(`small-${i}`, bytesOf(`${i}`, 100 + i));
  for (const name of ['large-a', 'large-b', 'large-c']) await pair.source.put(name, bytesOf(name, 1000 * KIB));
}

const PARTS: Partial<RunOptions> = { partSize: 100 * KIB, largestPart: 100 * KIB };

/** Without what is different at every run. */
function comparable({ events: _, ...summary }: Summary & { events: RunEvent[] }): object {
  return { ...summary, runId: '', startedMs: 0, elapsedMs: 0 };
}

describe('with workers', () => {
  test('objects arrive, and everything is counted as in one thread', async () => {
    const [alone, pair] = [new Pair(), new WorkersPair().workers(2)];
    await Promise.all([fill(alone), fill(pair)]);
    const [one, two] = [await alone.copy(PARTS), await pair.copy(PARTS)];
    expect(comparable(two)).toEqual(comparable(one));
    expect(pair.threads.length).toBe(2);
    for (const { orders } of pair.threads) expect(orders.some(({ type }) => type === 'copy')).toBe(true);
    for (const key of ['small-7', 'large-b']) {
      expect(Buffer.compare(await contentOf(pair.dest, key), await contentOf(pair.source, key))).toBe(0);
    }
    const bytes = (events: RunEvent[]) => events.reduce((n, e) => n + (e.type === 'progress' ? e.bytes : 0), 0);
    expect(bytes(two.events)).toBe(bytes(one.events));
    expect(pair.manifest.get('large-c')?.destEtag).toBeDefined();
  });

  test('a single object starts a single worker', async () => {
    const pair = new WorkersPair().workers(4);
    await pair.source.put('one', bytesOf('one', 10));
    await pair.copy();
    expect(pair.threads.length).toBe(1);
  });

  test('retries and failures of objects are reported', async () => {
    const pair = new WorkersPair().workers(2);
    await fill(pair);
    const busy = new XsyncError('throttled', 'slow down');
    let refusals = 2;
    pair.faults.dest.fail('put', busy, ({ key }) => key === 'small-3' && refusals-- > 0);
    pair.faults.dest.fail('put', new XsyncError('access-denied', 'no'), ({ key }) => key === 'small-4');
    const run = await pair.copy(PARTS);
    expect(run.retries).toBe(2);
    expect(run.events.filter(({ type }) => type === 'retry')).toMatchObject([
      { side: 'destination', key: 'small-3', code: 'throttled', attempt: 1 },
      { side: 'destination', key: 'small-3', code: 'throttled', attempt: 2 },
    ]);
    expect(run.failed.list).toMatchObject([{ key: 'small-4', code: 'access-denied' }]);
    expect(run.copied.objects).toBe(42);
  });

  test('a fault that ends the run keeps its code', async () => {
    const pair = new WorkersPair().workers(2);
    await fill(pair);
    const full = new XsyncError('disk-full', 'no space left', { subject: 'b', remedy: 'Free some.' });
    pair.faults.dest.fail('put', full, ({ key }) => key === 'small-30');
    await expect(pair.copy(PARTS)).rejects.toMatchObject({ code: 'disk-full', subject: 'b', remedy: 'Free some.' });
  });

  test('a worker that dies ends the run with an error that says so', async () => {
    const pair = new WorkersPair().workers(2);
    await fill(pair);
    pair.dies = true;
    await expect(pair.copy(PARTS)).rejects.toMatchObject({
      code: 'internal',
      message: 'a worker thread ended: out of memory',
    });
  });

  test('memory is a limit for all of them', async () => {
    const pair = new WorkersPair().workers(3);
    await fill(pair);
    const run = await pair.copy({ ...PARTS, transfers: 8, partConcurrency: 8, maxMemory: 150 * KIB });
    expect(run.copied.objects).toBe(43);
    expect(run.failed.objects).toBe(0);
  });
});

describe('auto', () => {
  test('starts the first worker when the main thread is busy, and another when all are', () => {
    vi.useFakeTimers();
    try {
      const busy = { main: 0.5, workers: 0.5 };
      let started = 0;
      const start = (): Thread => {
        started++;
        return { post: () => undefined, busy: () => busy.workers, close: async () => undefined };
      };
      const pool = new Pool({ wanted: 'auto', connections: 8 }, start, {}, () => busy.main);
      const run = pool.join({ began: () => undefined, heard: () => undefined, lost: () => undefined });
      const next = (): number => {
        vi.advanceTimersByTime(5000);
        if (pool.active) pool.choose(run).weight++;
        return started;
      };
      expect(next()).toBe(0);
      busy.main = 0.95;
      expect(next()).toBe(1);
      expect(next()).toBe(1);
      busy.workers = 0.95;
      expect(next()).toBe(Math.min(2, pool.most));
      expect(next()).toBe(Math.min(3, pool.most));
    } finally {
      vi.useRealTimers();
    }
  });
});
