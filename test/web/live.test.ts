import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Live, type Parts, shapeOf } from '../../src/web/live.js';

class Listener extends EventEmitter {
  destroyed = false;
  writableNeedDrain = false;
  ended = false;
  readonly written: string[] = [];

  write(text: string): boolean {
    this.written.push(text);
    return true;
  }

  end(): this {
    this.ended = true;
    this.emit('close');
    return this;
  }

  destroy(): this {
    this.destroyed = true;
    this.emit('close');
    return this;
  }

  get events(): unknown[] {
    return this.written.filter((text) => text.startsWith('data: ')).map((text) => JSON.parse(text.slice(6)));
  }
}

const page = (...texts: string[]): Parts => ({
  whole: { id: 'main', html: texts.join() },
  parts: texts.map((html) => ({ id: html.slice(0, 1), html })),
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('who listens gets what has changed, and everything when parts came or went', async () => {
  const live = new Live(1);
  let now = page('a1', 'b1');
  let reads = 0;
  const listener = new Listener();
  const read = async () => {
    reads++;
    return now;
  };
  live.add(listener, { read, shape: shapeOf(now) });
  await until(() => listener.events.length === 1);
  expect(listener.events).toEqual([now.parts]);
  await until(() => reads > 3);
  expect(listener.events).toHaveLength(1);
  now = page('a1', 'b2');
  await until(() => listener.events.length === 2);
  expect(listener.events[1]).toEqual([{ id: 'b', html: 'b2' }]);
  now = page('b2', 'c1');
  await until(() => listener.events.length === 3);
  expect(listener.events[2]).toEqual([{ id: 'main', html: 'b2,c1' }]);
  live.close();
  expect(listener.ended).toBe(true);
});

test('whoever has an older page gets all of it', async () => {
  const live = new Live(1);
  const listener = new Listener();
  live.add(listener, { read: async () => page('a', 'b'), shape: shapeOf(page('a')) });
  await until(() => listener.events.length === 1);
  expect(listener.events).toEqual([[{ id: 'main', html: 'a,b' }]]);
  live.close();
});

test('who does not read gets nothing more until it does, and then what has changed since', async () => {
  const live = new Live(1);
  let now = page('a1');
  const [slow, quick] = [new Listener(), new Listener()];
  for (const listener of [slow, quick]) live.add(listener, { read: async () => now, shape: shapeOf(now) });
  await until(() => slow.events.length === 1 && quick.events.length === 1);
  slow.writableNeedDrain = true;
  for (const text of ['a2', 'a3']) {
    now = page(text);
    const before = quick.events.length;
    await until(() => quick.events.length > before);
  }
  expect(slow.events).toHaveLength(1);
  slow.writableNeedDrain = false;
  await until(() => slow.events.length === 2);
  expect(slow.events[1]).toEqual([{ id: 'a', html: 'a3' }]);
  live.close();
});

test('who reads nothing at all makes room for others', async () => {
  const live = new Live(1);
  const listener = new Listener();
  listener.writableNeedDrain = true;
  live.add(listener, { read: async () => page('a'), shape: shapeOf(page('a')) });
  await until(() => listener.destroyed);
  expect(listener.events).toEqual([]);
  live.close();
});

test('a page that is gone, or cannot be made, ends its events; who has left is not read for', async () => {
  const live = new Live(1);
  const [gone, broken, left] = [new Listener(), new Listener(), new Listener()];
  let reads = 0;
  live.add(gone, { read: async () => undefined, shape: '' });
  live.add(broken, { read: () => Promise.reject(new Error('a bug')), shape: '' });
  const read = async () => {
    reads++;
    return page('a');
  };
  live.add(left, { read, shape: '' });
  await until(() => gone.ended && broken.ended && reads > 0);
  left.emit('close');
  const before = reads;
  let others = 0;
  const other = async () => {
    others++;
    return page('a');
  };
  live.add(new Listener(), { read: other, shape: '' });
  await until(() => others > 3);
  // One may have been under way.
  expect(reads - before).toBeLessThanOrEqual(1);
  live.close();
});

test('there is room for so many', () => {
  const live = new Live(1000);
  for (let n = 0; n < 32; n++) {
    expect(live.full).toBe(false);
    live.add(new Listener(), { read: async () => page('a'), shape: '' });
  }
  expect(live.full).toBe(true);
  live.close();
});
