import { describe, expect, it } from 'vitest';
import { limiter } from '../../../src/engine/flow/queue.js';
import { Slots } from '../../../src/engine/transfer/slots.js';
import { PartFlow } from '../../../src/engine/tune/flow.js';
import { readRoute, writeRoute } from '../../../src/engine/tune/route.js';

const MiB = 1024 * 1024;

/** Tasks that end when told. */
class Tasks {
  readonly begun: string[] = [];
  readonly opened: string[] = [];
  readonly #ends = new Map<string, () => void>();

  of(name: string): () => Promise<void> {
    return () =>
      new Promise((end) => {
        this.begun.push(name);
        this.#ends.set(name, end);
      });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await turns();
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a limit that changes', () => {
  it('lets waiting requests go at once when it rises, in their order', async () => {
    const tasks = new Tasks();
    const limit = limiter(1);
    for (const name of 'abcd') void limit(tasks.of(name));
    await turns();
    expect(tasks.begun).toEqual(['a']);
    limit.concurrency = 3;
    await turns();
    expect(tasks.begun).toEqual(['a', 'b', 'c']);
  });

  it('cuts nothing off when it falls, and starts nothing until there is room', async () => {
    const tasks = new Tasks();
    const limit = limiter(3);
    for (const name of 'abcd') void limit(tasks.of(name));
    await turns();
    limit.concurrency = 1;
    await tasks.end('a');
    await tasks.end('b');
    expect(tasks.begun).toEqual(['a', 'b', 'c']);
    await tasks.end('c');
    expect(tasks.begun).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('lanes', () => {
  /** An object of `parts` parts, each of which waits to be told to end. */
  function object(slots: Slots, tasks: Tasks, key: string, parts: number): (opened?: () => void) => Promise<void> {
    return async (opened) => {
      tasks.opened.push(key);
      const part = slots.ofObject();
      const sent = Array.from({ length: parts }, (_, i) => part(tasks.of(`${key}${i + 1}`)));
      opened?.();
      await Promise.all(sent);
    };
  }

  it('open a large object only when a slot would stay empty, so that few are half done at any time', async () => {
    const slots = new Slots({});
    slots.set({ parts: 3, objects: 8, partSize: undefined });
    const lanes = slots.lanes();
    const tasks = new Tasks();
    for (const key of 'abc') await lanes.push({ size: 16 * MiB, byService: false }, object(slots, tasks, key, 2));
    await turns();
    expect(tasks.begun).toEqual(['a1', 'a2', 'b1']);
    expect(tasks.opened).toEqual(['a', 'b']);
    await tasks.end('a1');
    expect(tasks.begun).toEqual(['a1', 'a2', 'b1', 'b2']);
    await tasks.end('a2');
    expect(tasks.begun).toEqual(['a1', 'a2', 'b1', 'b2', 'c1']);
    slots.set({ parts: 4, objects: 8, partSize: undefined });
    await turns();
    for (const name of ['b1', 'b2', 'c1', 'c2']) await tasks.end(name);
    await lanes.drain();
  });

  it('let small objects pass while large ones wait', async () => {
    const slots = new Slots({});
    slots.set({ parts: 1, objects: 2, partSize: undefined });
    const lanes = slots.lanes();
    const tasks = new Tasks();
    await lanes.push({ size: 16 * MiB, byService: false }, object(slots, tasks, 'big', 2));
    for (const key of 'xyz') await lanes.push({ size: 100, byService: false }, tasks.of(key));
    await turns();
    expect(tasks.begun.sort()).toEqual(['big1', 'x', 'y']);
    for (const name of ['big1', 'big2', 'x', 'y', 'z']) await tasks.end(name);
    await lanes.drain();
  });

  it('go on after an object that fails before it has queued a part', async () => {
    const slots = new Slots({});
    const lanes = slots.lanes();
    const tasks = new Tasks();
    await lanes.push({ size: 16 * MiB, byService: false }, async () => undefined);
    await lanes.push({ size: 16 * MiB, byService: false }, object(slots, tasks, 'b', 1));
    await turns();
    expect(tasks.begun).toEqual(['b1']);
    await tasks.end('b1');
    await lanes.drain();
  });

  it('--transfers and --part-concurrency hold, whatever the tuner says', async () => {
    const slots = new Slots({ transfers: 2, partConcurrency: 1 });
    slots.set({ parts: 100, objects: 100, partSize: undefined });
    expect([slots.tunesParts, slots.tunesObjects]).toEqual([false, false]);
    const lanes = slots.lanes();
    const tasks = new Tasks();
    for (const key of 'abc') await lanes.push({ size: 16 * MiB, byService: false }, object(slots, tasks, key, 2));
    await turns();
    expect(tasks.begun).toEqual(['a1', 'b1']);
    for (const name of ['a1', 'a2', 'b1', 'b2', 'c1', 'c2']) await tasks.end(name);
    await lanes.drain();
  });
});

describe('goodput', () => {
  let now = 0;
  const flow = (): PartFlow => new PartFlow(() => now);

  it('is what arrives at a far destination, not what a near source reads ahead in bursts', () => {
    const parts = flow();
    const moving = parts.begin(8 * MiB);
    moving.read(8 * MiB);
    now += 10;
    moving.turn();
    moving.wrote(1 * MiB);
    now += 990;
    const { done, used } = parts.take(1000);
    expect(done).toBe(1 * MiB);
    expect(used).toBeCloseTo(1);
    moving.end();
    now += 1000;
    expect(parts.take(1000).used).toBe(0);
  });

  it('counts a byte once between two far sides', () => {
    const parts = flow();
    for (let i = 0; i < 4; i++) {
      const moving = parts.begin(8 * MiB);
      moving.read(8 * MiB);
      now += 500;
      moving.turn();
      moving.wrote(8 * MiB);
      now += 500;
      moving.end();
    }
    expect(parts.take(4000)).toEqual({ done: 32 * MiB, used: 1 });
  });
});

describe('what a route settled on', () => {
  const facts = new Map<string, string>();
  const manifest = {
    getFact: (name: string) => facts.get(name),
    setFact: (name: string, value: string) => void facts.set(name, value),
  };
  const noon = new Date('2026-01-01T12:30:00Z');
  const night = new Date('2026-01-02T03:00:00Z');

  it('seeds the next run, by the hour where that is known', () => {
    expect(readRoute(manifest, noon)).toEqual({});
    writeRoute(manifest, noon, { parts: 16, partSize: 8 * MiB, objects: undefined });
    writeRoute(manifest, night, { parts: 200, objects: 64 });
    expect(readRoute(manifest, noon)).toEqual({ parts: 16, partSize: 8 * MiB });
    expect(readRoute(manifest, new Date('2026-01-03T08:00:00Z'))).toMatchObject({ parts: 200, objects: 64 });
  });

  it('is left aside when it is no longer readable', () => {
    for (const text of ['', '{', '[]', '7', '{"last":{"parts":"many","objects":-1,"partSize":0.5}}', '{"last":null}']) {
      facts.set('route-settings', text);
      expect(readRoute(manifest, noon)).toEqual({});
    }
  });
});
