import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CoalesceOptions, coalesce } from '../../src/feed/coalesce.js';
import type { ChangeBatch, ChangeEvent } from '../../src/feed/feed.js';
import { EventOrder } from '../../src/feed/order.js';
import { created, removed, Sender, settle, TestClock } from './support.js';

interface Reader {
  batches: ChangeBatch[];
  ended: Promise<void>;
}

/** Takes every batch and settles none. */
function read(source: Sender, clock: TestClock, options: Partial<CoalesceOptions> = {}): Reader {
  const batches: ChangeBatch[] = [];
  const run = async () => {
    const stream = coalesce(source.batches(), { settleMs: 100, maxWaitMs: 1_000, clock, ...options });
    for await (const batch of stream) batches.push(batch);
  };
  return { batches, ended: run() };
}

describe('merging bursts of events', () => {
  it('handles an object once that was written five times in a row, as it was at last', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock);
    for (let size = 1; size <= 5; size++) {
      source.send(created('a', { size }));
      await settle();
      await clock.advance(60);
    }
    expect(batches).toEqual([]);
    await clock.advance(40);
    expect(batches.map(({ events }) => events)).toEqual([[created('a', { size: 5 })]]);
    expect(source.done).toEqual([]);
    await batches[0]?.done();
    expect(source.done).toHaveLength(5);
  });

  it('delivers an object that is never quiet after the longest wait', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock);
    for (let ms = 0; ms < 1_000; ms += 50) {
      source.send(created('busy'));
      await settle();
      await clock.advance(50);
    }
    expect(batches).toHaveLength(1);
  });

  it('has a quiet object not wait for a busy one', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock);
    source.send(created('quiet'), created('busy'));
    await settle();
    await clock.advance(60);
    source.send(created('busy'));
    await settle();
    await clock.advance(40);
    expect(batches.map(({ events }) => events.map(({ key }) => key))).toEqual([['quiet']]);
  });

  it('never hands out an object that is still being handled, and hands out what came in the meantime after that', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock);
    source.send(created('a'));
    await settle();
    await clock.advance(100);
    source.send(removed('a'));
    await settle();
    await clock.advance(5_000);
    expect(batches).toHaveLength(1);
    await batches[0]?.done();
    await clock.advance(100);
    expect(batches[1]?.events).toEqual([removed('a')]);
  });

  it('handles an object as it is now when its events come in the wrong order', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock);
    source.send(removed('a', { sequencer: '05' }), created('a', { sequencer: '04' }));
    await settle();
    await clock.advance(100);
    expect(batches[0]?.events).toEqual([removed('a', { sequencer: '05' })]);
  });

  it('counts an object once, however often its batch is settled', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock, { maxBatch: 1 });
    source.send(created('a'), created('b'));
    await settle();
    await clock.advance(100);
    await batches[0]?.done();
    await batches[0]?.done();
    expect(source.done).toEqual([]);
  });

  it('lets a message come again when one of its objects was not handled', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock, { maxBatch: 1 });
    source.send(created('a'), created('b'));
    await settle();
    await clock.advance(100);
    await batches[0]?.done();
    await batches[1]?.release();
    await batches[1]?.done();
    expect(source.done).toEqual([]);
    expect(source.released).toHaveLength(1);
  });

  it('drops what is older than what was handled, and settles its message', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock, { order: new EventOrder() });
    source.send(created('a', { sequencer: '05' }));
    await settle();
    await clock.advance(100);
    source.send(removed('a', { sequencer: '04' }));
    await settle();
    await batches[0]?.done();
    source.send(removed('a', { sequencer: '03' }));
    await settle();
    await clock.advance(5_000);
    expect(batches).toHaveLength(1);
    expect(source.done).toHaveLength(3);
  });

  it('handles again what was given back, although it is not newer', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock, { order: new EventOrder() });
    for (const at of [0, 1]) {
      source.send(created('a', { sequencer: '05' }));
      await settle();
      await clock.advance(100);
      expect(batches).toHaveLength(at + 1);
      await batches[at]?.release();
    }
  });

  it('reads no further while as many objects are pending as memory has room for', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const { batches } = read(source, clock, { maxKeys: 2 });
    for (const key of ['a', 'b', 'c']) source.send(created(key));
    await settle();
    await clock.advance(100);
    expect(batches.flatMap(({ events }) => events.map(({ key }) => key))).toEqual(['a', 'b']);
    await batches[0]?.done();
    await settle();
    await clock.advance(100);
    expect(batches[1]?.events).toEqual([created('c')]);
  });

  it('gives back what is pending when the watch stops', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const stop = new AbortController();
    const { ended } = read(source, clock, { signal: stop.signal });
    source.send(created('a'));
    await settle();
    stop.abort();
    await ended;
    expect(source.released).toHaveLength(1);
  });

  it('leaves the program able to stop while an object is still being handled and memory is full', async () => {
    const [source, clock] = [new Sender(), new TestClock()];
    const stop = new AbortController();
    const options = { settleMs: 0, maxWaitMs: 0, maxKeys: 1, clock, signal: stop.signal };
    const stream = coalesce(source.batches(), options);
    const first = stream.next();
    source.send(created('a'));
    source.send(created('b'));
    await settle();
    await clock.advance(1);
    const { value } = await first;
    stop.abort();
    // Would never come back if the reading of the source went round and round.
    await settle();
    await (value as ChangeBatch).done();
    expect((await stream.next()).done).toBe(true);
    expect([source.done.flat(), source.released.flat()]).toEqual([[created('a')], [created('b')]]);
  });

  it('delivers everything before it says what went wrong with the source', async () => {
    const clock = new TestClock();
    const done: ChangeEvent[] = [];
    async function* failing(): AsyncGenerator<ChangeBatch> {
      yield { events: [created('a')], done: async () => void done.push(created('a')), release: async () => {} };
      throw new Error('the queue is gone');
    }
    const run = (async () => {
      for await (const batch of coalesce(failing(), { settleMs: 100, maxWaitMs: 100, clock })) await batch.done();
    })();
    const failed = expect(run).rejects.toThrow('the queue is gone');
    await settle();
    await clock.advance(100);
    await failed;
    expect(done).toHaveLength(1);
  });
});

/** A step of the world, in any order. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('send' as const),
    changes: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(99), fc.boolean()), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constantFrom('done' as const, 'release' as const), which: fc.nat(9) }),
);

/** Settles batches as the steps say, and remembers in which order what was handled. */
class World {
  readonly source = new Sender();
  readonly clock = new TestClock();
  readonly sent: ChangeEvent[] = [];
  readonly handled: ChangeEvent[] = [];
  readonly reader: Reader;
  #open: ChangeBatch[] = [];
  #taken = 0;
  #batches = 0;

  constructor(order: EventOrder | undefined) {
    this.reader = read(this.source, this.clock, { maxBatch: 2, maxKeys: 3, order });
  }

  async play(one: Step): Promise<void> {
    if (one.do === 'advance') await this.clock.advance(one.ms);
    else if (one.do === 'send') {
      const events = one.changes.map(([key, at, isNew]): ChangeEvent => {
        return { key, kind: isNew ? 'created' : 'removed', sequencer: at.toString(16).padStart(2, '0') };
      });
      this.sent.push(...events);
      this.#batches++;
      this.source.send(...events);
      await settle();
    } else {
      const [batch] = this.#open.splice(one.which % Math.max(1, this.#open.length), 1);
      if (batch) await this.#finish(batch, one.do);
    }
    this.#collect();
  }

  /** Handles all that is left. */
  async end(): Promise<void> {
    this.source.end();
    for (let rounds = 0; rounds < 100; rounds++) {
      await this.clock.advance(1_000);
      this.#collect();
      for (const batch of this.#open.splice(0)) await this.#finish(batch, 'done');
      if (this.source.done.length + this.source.released.length === this.#batches) return this.reader.ended;
    }
    throw new Error('a batch of the source was never settled');
  }

  #collect(): void {
    for (const batch of this.reader.batches.slice(this.#taken)) {
      const keys = batch.events.map(({ key }) => key);
      const busy = this.#open.flatMap(({ events }) => events.map(({ key }) => key));
      expect(new Set([...busy, ...keys]).size).toBe(busy.length + keys.length);
      this.#open.push(batch);
    }
    this.#taken = this.reader.batches.length;
  }

  async #finish(batch: ChangeBatch, how: 'done' | 'release'): Promise<void> {
    if (how === 'done') this.handled.push(...batch.events);
    await batch[how]();
  }
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const isLate = (event: ChangeEvent, than: ChangeEvent) =>
  event.key === than.key && (event.sequencer ?? '') >= (than.sequencer ?? '');

describe('whatever happens in whatever order', () => {
  const play = async (steps: Step[], order: EventOrder | undefined) => {
    const world = new World(order);
    for (const one of steps) await world.play(one);
    await world.end();
    return world;
  };

  it('no event is lost: each is handled, or a later one of its object is, or it comes again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, ordered) => {
        const { sent, handled, source } = await play(steps, ordered ? new EventOrder() : undefined);
        const again = source.released.flat();
        for (const event of sent) {
          expect(again.includes(event) || handled.some((one) => isLate(one, event))).toBe(true);
        }
        // What was settled as done was not done before it was handled.
        for (const event of source.done.flat()) expect(handled.some((one) => isLate(one, event))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('the latest kind wins: nothing is handled after something later of the same object', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { handled } = await play(steps, new EventOrder());
        for (const [at, event] of handled.entries()) {
          expect(handled.slice(0, at).some((one) => isLate(one, event))).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});
