import { expect, test } from 'vitest';
import { Crew } from '../../src/cluster/crew.js';
import type { RunEvent } from '../../src/engine/events.js';

function setup() {
  const there = new Map<string, string | null>();
  const events: RunEvent[] = [];
  let nowMs = 0;
  const redis = {
    smembers: async () => [...there.keys()],
    get: async (name: string) => there.get(name.slice(name.lastIndexOf(':') + 1)) ?? null,
    srem: async (_key: string, name: string) => Number(there.delete(name)),
  };
  const crew = new Crew(
    redis as never,
    'redis://h',
    (event) => events.push(event),
    () => nowMs,
  );
  const join = (name: string, more: object = {}) =>
    there.set(name, JSON.stringify({ name, program: '0.1.0', objects: 0, bytes: 0, jobs: 0, ...more }));
  return { crew, events, there, join, at: (ms: number) => (nowMs = ms) };
}

test('workers that are gone, or about to be, do not count', async () => {
  const { crew, there, join } = setup();
  join('a', { room: 7, later: 'more' });
  join('b', { draining: true });
  there.set('gone', null);
  there.set('strange', '{"name":');
  expect(await crew.look()).toEqual({ workers: 1, room: 7 });
  expect([...there.keys()]).toEqual(['a', 'b']);
});

test('when work waits for 10 s and nobody is there, it is said once', async () => {
  const { crew, events, join, at } = setup();
  for (const ms of [0, 5000, 10_000, 11_000]) {
    at(ms);
    await crew.look();
    crew.warn(true);
  }
  expect(events).toMatchObject([{ type: 'notice', level: 'warn', message: expect.stringContaining('no worker') }]);
  join('a');
  await crew.look();
  crew.warn(true);
  expect(events.length).toBe(1);
});

test('the run is refused only when all that are there refuse, for 10 s', async () => {
  const { crew, events, join, at } = setup();
  join('a');
  join('b');
  crew.refused('a', 'no remote');
  crew.refused('a', 'no remote');
  await crew.look();
  crew.refused('b', 'no remote');
  await crew.look();
  expect(crew.refusal).toBeUndefined();
  at(10_000);
  await crew.look();
  expect(crew.refusal).toBe('no remote');
  expect(events.length).toBe(2);
  crew.worked('b', 5);
  await crew.look();
  expect(crew.refusal).toBeUndefined();
});

test('each worker has its sum', async () => {
  const { crew, events, join, at } = setup();
  join('a');
  await crew.look();
  crew.worked('a', 100);
  crew.worked('a', 50);
  at(2000);
  crew.tell(7);
  const workers = [{ name: 'a', objects: 2, bytes: 150, bytesPerSecond: 75 }];
  expect(events).toEqual([{ type: 'fleet', there: 1, waiting: 7, workers }]);
});
