import { describe, expect, test } from 'vitest';
import { EventQueue, startRun } from '../../src/open/run.js';

interface Event {
  type: string;
  n: number;
}

async function rest(queue: EventQueue<Event>): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const event of queue.read(() => true)) events.push(event);
  return events;
}

describe('a reader that falls behind', () => {
  test('gets everything in order while it keeps within bounds', async () => {
    const queue = new EventQueue<Event>(10);
    const events = ['start', 'progress', 'failed', 'copied', 'end'].map((type, n) => ({ type, n }));
    for (const event of events) queue.push(event);
    expect(await rest(queue)).toEqual(events);
  });

  test('loses progress first, the oldest of it, then what went well, and is told how much', async () => {
    const queue = new EventQueue<Event>(4);
    const types = ['progress', 'failed', 'copied', 'progress', 'copied', 'failed', 'failed', 'end'];
    for (const [n, type] of types.entries()) queue.push({ type, n });
    expect(await rest(queue)).toEqual([
      { type: 'dropped', events: 4 },
      { type: 'failed', n: 1 },
      { type: 'failed', n: 5 },
      { type: 'failed', n: 6 },
      { type: 'end', n: 7 },
    ]);
  });

  test('holds a bounded number of events, whatever they are, and always the end', async () => {
    const queue = new EventQueue<Event>(100);
    for (let n = 0; n < 300_000; n++) queue.push({ type: n % 2 ? 'failed' : 'progress', n });
    queue.push({ type: 'end', n: -1 });
    const events = await rest(queue);
    expect(events).toHaveLength(101);
    expect(events[0]).toEqual({ type: 'dropped', events: 300_001 - 100 });
    expect(events.at(-1)).toEqual({ type: 'end', n: -1 });
  });
});

describe('a run', () => {
  test('that nobody iterates keeps no event', async () => {
    const run = startRun<Event, number>(async (report) => {
      for (let n = 0; n < 1000; n++) report({ type: 'failed', n });
      return 7;
    });
    expect(await run.summary).toBe(7);
    const events: Event[] = [];
    for await (const event of run) if ('n' in event) events.push(event);
    expect(events).toEqual([]);
  });

  test('has as many readers as want to hear it', async () => {
    const run = startRun<Event, void>(async (report) => {
      await Promise.resolve();
      for (let n = 0; n < 3; n++) report({ type: 'copied', n });
    });
    const read = async (): Promise<number> => {
      let count = 0;
      for await (const _ of run) count++;
      return count;
    };
    expect(await Promise.all([read(), read()])).toEqual([3, 3]);
  });
});
