import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Changes } from '../../src/engine/watch/watch.js';
import { EventHub } from '../../src/serve/events.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A source that delivers what it is given. */
class Source {
  readonly settled: string[] = [];
  #wake = (): void => {};
  readonly #batches: Changes[] = [];

  give(name: string, events = 1): void {
    this.#batches.push({
      events: Array.from({ length: events }, () => ({ key: name })),
      done: async () => void this.settled.push(name),
      release: async () => void this.settled.push(`again ${name}`),
    });
    this.#wake();
  }

  async *changes(): AsyncGenerator<Changes> {
    for (;;) {
      const next = this.#batches.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function reader(hub: EventHub, settle: (batch: Changes) => Promise<void>) {
  const over = new AbortController();
  const seen: string[] = [];
  const ended = (async () => {
    for await (const batch of hub.read(over.signal)) {
      seen.push(batch.events[0]?.key ?? '');
      await settle(batch);
    }
  })();
  const end = async (): Promise<void> => {
    over.abort();
    await ended;
  };
  return { seen, end };
}

const tick = () => vi.advanceTimersByTimeAsync(0);

test('each rule gets each batch, which is done when all are done with it', async () => {
  const [hub, source] = [new EventHub(), new Source()];
  void hub.follow(source.changes());
  const later: Changes[] = [];
  const a = reader(hub, (batch) => batch.done());
  const b = reader(hub, async (batch) => void later.push(batch));
  await tick();
  source.give('x');
  await tick();
  expect([a.seen, b.seen, source.settled]).toEqual([['x'], ['x'], []]);
  await later[0]?.done();
  expect(source.settled).toEqual(['x']);
  await later[0]?.done();
  expect(source.settled).toEqual(['x']);
});

test('what one could not handle is delivered again to it alone', async () => {
  const [hub, source] = [new EventHub(), new Source()];
  void hub.follow(source.changes());
  let works = false;
  const a = reader(hub, (batch) => batch.done());
  const b = reader(hub, (batch) => (works ? batch.done() : batch.release()));
  await tick();
  source.give('x');
  await vi.advanceTimersByTimeAsync(11_000);
  expect([a.seen, b.seen]).toEqual([['x'], ['x', 'x', 'x']]);
  works = true;
  await vi.advanceTimersByTimeAsync(5000);
  expect([b.seen.length, source.settled]).toEqual([4, ['x']]);
});

test('one that is far behind loses its oldest batches, and holds nothing up', async () => {
  const [hub, source] = [new EventHub(), new Source()];
  void hub.follow(source.changes());
  const a = reader(hub, (batch) => batch.done());
  const stuck = reader(hub, () => new Promise(() => {}));
  await tick();
  for (const name of ['one', 'two', 'three', 'four']) source.give(name, 4000);
  await tick();
  expect(a.seen).toEqual(['one', 'two', 'three', 'four']);
  expect(stuck.seen).toEqual(['one']);
  expect(source.settled).toEqual(['two']);
});

test('without a reader, and when the last one ends, nothing stays open', async () => {
  const [hub, source] = [new EventHub(), new Source()];
  void hub.follow(source.changes());
  source.give('early');
  await tick();
  expect(source.settled).toEqual(['early']);
  const a = reader(hub, (batch) => batch.release());
  await tick();
  source.give('late');
  await tick();
  await a.end();
  expect(source.settled).toEqual(['early', 'late']);
});
