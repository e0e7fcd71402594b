import { describe, expect, test } from 'vitest';
import { Network } from '../../src/open/network.js';
import { HttpTransport } from '../../src/store/http/transport.js';
import { MemoryStore } from '../../src/store/memory/store.js';

const LIMITS = { connections: 10, memory: 1000 };

describe('the connections of one process', () => {
  test('pairs with the same settings use one transport, until the last one closes it', async () => {
    const network = new Network(LIMITS);
    let made = 0;
    let closed = 0;
    const make = (): HttpTransport => {
      made++;
      const transport = new HttpTransport({ userAgent: 'test' });
      transport.close = async () => void closed++;
      return transport;
    };
    const [a, b, other] = ['x', 'x', 'y'].map((settings) => network.transport(settings, make));
    expect(a?.transport).toBe(b?.transport);
    expect(other?.transport).not.toBe(a?.transport);
    await a?.close();
    await a?.close();
    expect([made, closed]).toEqual([2, 0]);
    await b?.close();
    expect(closed).toBe(1);
    network.transport('x', make);
    expect(made).toBe(3);
  });

  test('slots and memory are shared, and given back', () => {
    const network = new Network(LIMITS);
    const a = network.share({ maxMemory: 5000 });
    expect(a.memory.most).toBe(1000);
    expect(a.memory.take(900)).toBe(true);
    const b = network.share({ maxMemory: 200 });
    expect(b.memory.most).toBe(200);
    expect(b.memory.take(200)).toBe(false);
    a.memory.give(900);
    expect(b.memory.take(200)).toBe(true);
    for (const member of Object.values(b)) member.leave();
  });
});

test('a rate limit of the process takes the requests of each pair in turn', async () => {
  const network = new Network({ ...LIMITS, requestsPerSecond: 50, burst: 1 });
  const [greedy, modest] = [new MemoryStore({ bucket: 'a' }), new MemoryStore({ bucket: 'b' })].map((store) =>
    network.throttled(store),
  );
  const order: string[] = [];
  const ask = (name: string, store = greedy) => store?.list({}).then(() => order.push(name));
  const all = [...Array.from({ length: 6 }, () => ask('greedy')), ask('modest', modest), ask('modest', modest)];
  await Promise.all(all);
  // In line behind one of the greedy one, not behind all of them.
  expect(order.indexOf('modest')).toBeLessThan(4);
  expect(order.lastIndexOf('modest')).toBeLessThan(6);
});
