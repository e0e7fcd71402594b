import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CoalesceOptions, coalesce } from '../../../src/feed/coalesce.js';
import type { ChangeBatch, ChangeEvent } from '../../../src/feed/feed.js';
import { EventOrder } from '../../../src/feed/order.js';
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
    keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 }),
    kind: fc.constantFrom('created' as const, 'removed' as const),
  }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constantFrom('done' as const, 'release' as const), which: fc.nat(9) }),
);

describe('whatever happens in whatever order', () => {
  it('no event is lost, none is settled before it was handled, and the latest kind wins', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, ordered) => {
        const [source, clock] = [new Sender(), new TestClock()];
        const { batches, ended } = read(source, clock, {
          maxBatch: 2,
          maxKeys: 3,
          ...(ordered && { order: new EventOrder() }),
        });
        const open: ChangeBatch[] = [];
        const last = new Map<string, ChangeEvent>();
        const handled = new Map<string, ChangeEvent>();
        let taken = 0;
        let sent = 0;
        let count = 0;
        const collect = () => {
          const fresh = batches.slice(taken);
          taken = batches.length;
          for (const { events } of fresh) {
            const keys = events.map(({ key }) => key);
            const busy = open.flatMap((one) => one.events.map(({ key }) => key));
            expect(keys.filter((key) => busy.includes(key))).toEqual([]);
            expect(new Set(keys).size).toBe(keys.length);
          }
          open.push(...fresh);
        };
        const finish = async (batch: ChangeBatch, how: 'done' | 'release') => {
          if (how === 'done') for (const event of batch.events) handled.set(event.key, event);
          await batch[how]();
        };
        for (const one of steps) {
          if (one.do === 'send') {
            const events = one.keys.map((key) => {
              count++;
              return { key, kind: one.kind, sequencer: count.toString(16).padStart(8, '0') };
            });
            for (const event of events) last.set(event.key, event);
            sent++;
            source.send(...events);
            await settle();
          } else if (one.do === 'advance') await clock.advance(one.ms);
          else {
            const [batch] = open.splice(one.which % Math.max(1, open.length), 1);
            if (batch) await finish(batch, one.do);
          }
          collect();
        }
        // What was released comes again, as a feed has it; all the rest is handled.
        source.end();
        let again = 0;
        for (let rounds = 0; source.done.length + source.released.length < sent && rounds < 200; rounds++) {
          await clock.advance(1_000);
          collect();
          for (const batch of open.splice(0)) await finish(batch, 'done');
          await settle();
        }
        again = source.released.length;
        expect(source.done.length + again).toBe(sent);
        await ended;
        const givenBack = new Set(source.released.flat().map(({ key }) => key));
        for (const [key, event] of last) {
          if (!givenBack.has(key)) expect(handled.get(key)).toEqual(event);
        }
        // A message was done only where each of its events, or a later one of its key, was handled.
        for (const event of source.done.flat()) {
          const seen = handled.get(event.key);
          expect(seen && (seen.sequencer ?? '') >= (event.sequencer ?? '')).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
