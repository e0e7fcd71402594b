/** The tuner against modelled lines, on a simulated clock: how soon it is there, and how much of the line it uses. */
import { describe, expect, it } from 'vitest';
import { affordableConnections, operationsOf } from '../../../src/engine/tune/bounds.js';
import { Loop } from '../../../src/engine/tune/loop.js';
import type { Filling } from '../../../src/engine/tune/room.js';
import { START, Tuner } from '../../../src/engine/tune/tune.js';
import type { Capabilities } from '../../../src/store/port.js';
import {
  bbr,
  capped,
  clean,
  halving,
  type Line,
  type Load,
  lossy,
  Mbit,
  MiB,
  ROOMY,
  Simulation,
  throttling,
} from './links.js';

const LUCKS = [1, 2, 3, 4, 5];
/** Two round trips of 200 ms before a part's bytes move; the sender's kernel takes more than it sends. */
const PARTS: Load = { kind: 'parts', delay: 0.4, buffer: 1.5 * MiB };
/** Where the kernel says what it knows of the line, it also takes less. */
const TOLD: Load = { ...PARTS, buffer: MiB / 8 };
const LOSSY = 200 * Mbit * 0.965;
const CLEAN = 500 * Mbit * 0.965;

describe.each(LUCKS)('on luck %i', (luck) => {
  const on = (line: Line, load = PARTS, options = {}) => new Simulation(line, load, { luck, ...options });

  it('a lossy line is full within 20 s, and stays so', () => {
    const run = on(lossy()).run(180);
    expect(run.rate(15, 20)).toBeGreaterThan(0.85 * LOSSY);
    expect(run.rate(20, 180)).toBeGreaterThan(0.9 * LOSSY);
    expect(run.tuner.settings.partSize).toBe(5 * MiB);
  });

  it('a lossy line is known by its first slow seconds', () => {
    const run = on(lossy()).run(8);
    expect(run.seconds[7]?.settings.parts).toBeGreaterThan(START.parts);
  });

  it('connections that began too fast and lost their first packets are known when they have fallen', () => {
    const each = (_: number, at: number): number => (at < 2 ? 40 : at < 3 ? 16 : 12) * Mbit;
    const run = on({ capacity: () => CLEAN, each }, { ...PARTS, buffer: MiB / 8 }).run(7);
    expect(run.seconds[5]?.settings.parts).toBe(4 * START.parts);
  });

  it('a lossy line that is known to have room is full within 8 s', () => {
    const run = on(lossy(), TOLD, { lossy: true }).run(60);
    expect(run.seconds[3]?.settings.parts).toBe(4 * START.parts);
    expect(run.rate(8, 60)).toBeGreaterThan(0.9 * LOSSY);
  });

  it('a line with room whose first connections began too fast gets as many as it needs', () => {
    const each = (_: number, at: number): number => (at < 1 ? 60 : at < 2 ? 30 : 14) * Mbit;
    const run = on({ capacity: () => CLEAN, each }, { ...TOLD, delay: 0.06 }, { lossy: true }).run(30);
    expect(run.rate(8, 30)).toBeGreaterThan(0.9 * CLEAN);
  });

  it('a line that comes to have room while its setting is held gets twice as many', () => {
    const each = (_: number, at: number): number => (at < 40 ? 4 : 1) * Mbit;
    const known = on({ capacity: () => LOSSY, each }, TOLD, { lossy: true }).run(40);
    expect(known.tuner.resting).toBe(true);
    const { parts } = known.tuner.settings;
    expect(known.run(8).tuner.settings.parts).toBeGreaterThan(1.5 * parts);
  });

  it('a line that drops what is too much, and always seems to have room, is not crowded', () => {
    const limits = { ...ROOMY, connections: 512 };
    const run = on({ ...capped(6 * Mbit, 100 * Mbit), polices: true }, TOLD, { lossy: true, limits }).run(300);
    expect(run.rate(20, 300)).toBeGreaterThan(0.9 * 100 * Mbit);
    const settings = run.seconds.slice(60).map((second) => second.settings.parts);
    expect(settings.reduce((a, b) => a + b, 0) / settings.length).toBeLessThan(80);
  });

  it('a line with room for more connections than there may be keeps all of them', () => {
    const limits = { ...ROOMY, connections: 48 };
    const run = on(lossy(), TOLD, { lossy: true, limits }).run(120);
    const settings = run.seconds.slice(20).map((second) => second.settings.parts);
    expect(Math.min(...settings)).toBeGreaterThan(48 / 1.5);
    expect(settings.reduce((a, b) => a + b, 0) / settings.length).toBeGreaterThan(40);
  });

  it('the rates of a full line waver, and its setting does not wander', () => {
    const run = on(clean(), TOLD, { lossy: true }).run(180);
    expect(run.rate(20, 180)).toBeGreaterThan(0.9 * CLEAN);
    expect(Math.max(...run.seconds.slice(30).map(({ settings }) => settings.parts))).toBeLessThanOrEqual(40);
  });

  it('a line that goes down after its first seconds is no lossy one', () => {
    const each = (_: number, at: number): number => (at < 2 ? 40 * Mbit : 0);
    const run = on({ capacity: () => CLEAN, each }, { ...PARTS, buffer: 0 }).run(7);
    expect(run.seconds[6]?.settings.parts).toBe(START.parts);
  });

  it('a climb has a reason before it ends', () => {
    const why = on(lossy()).run(12).tuner.describe();
    expect(why).toBe('256 parts of 5 MiB in flight (goodput grows with the connections)');
  });

  it('a clean line is full within 10 s, without a crowd of connections', () => {
    const run = on(clean()).run(180);
    expect(run.rate(5, 10)).toBeGreaterThan(0.85 * CLEAN);
    expect(run.rate(20, 180)).toBeGreaterThan(0.9 * CLEAN);
    expect(Math.max(...run.seconds.slice(30).map(({ settings }) => settings.parts))).toBeLessThanOrEqual(32);
    expect(run.tuner.settings.partSize).toBeGreaterThan(5 * MiB);
  });

  it('a BBR sender, which few connections serve best, is not drowned in them', () => {
    const run = on(bbr()).run(180);
    expect(run.rate(0, 180)).toBeGreaterThan(0.85 * 200 * Mbit);
    expect(run.rate(20, 180)).toBeGreaterThan(0.87 * 200 * Mbit);
  });

  it('connections that a service holds to 8 Mbit/s each are added until the line is full, and not beyond', () => {
    const run = on(capped(8 * Mbit, 400 * Mbit)).run(180);
    expect(run.rate(15, 180)).toBeGreaterThan(0.9 * 400 * Mbit);
    expect(run.seconds.at(-1)?.settings.parts).toBeLessThanOrEqual(100);
  });

  it.each([
    ['lossy', lossy(), LOSSY],
    ['clean', clean(), CLEAN],
    ['BBR', bbr(), 200 * Mbit],
  ])('a %s line that loses half for 30 s is filled again within 15 s each way', (_, line, full) => {
    const run = on(halving(line, 60, 90)).run(150);
    expect(run.rate(75, 90)).toBeGreaterThan((0.85 * full) / 2);
    expect(run.rate(105, 150)).toBeGreaterThan(0.85 * full);
  });

  it('a lossy line that loses half is filled again whatever the tuner was trying when it came back', () => {
    for (let from = 57; from <= 63; from++) {
      const run = on(halving(lossy(), from, from + 30)).run(from + 90);
      expect(run.rate(from + 45, from + 90), `from second ${from}`).toBeGreaterThan(0.85 * LOSSY);
    }
  });

  it('a server that refuses more than 50 requests is asked for less, and not again at once', () => {
    const run = on(throttling(capped(8 * Mbit, 4000 * Mbit), 50)).run(110);
    const first = run.seconds.findIndex(({ throttled }) => throttled > 0);
    const before = run.seconds[first]?.settings.parts ?? 0;
    expect(run.seconds[first + 1]?.settings.parts).toBe(before / 2);
    expect(run.seconds.slice(40).filter(({ throttled }) => throttled > 0)).toEqual([]);
    expect(run.rate(60, 110)).toBeGreaterThan(0.6 * 50 * 8 * Mbit);
  });

  it('small objects, which wait for round trips, are multiplied until the server is busy', () => {
    const run = on(capped(20 * Mbit, 4000 * Mbit), { kind: 'objects', delay: 0.2, size: 4096 }).run(40);
    expect(run.seconds[1]?.settings.objects).toBe(256);
    expect(run.seconds[10]?.settings.objects).toBe(256);
  });

  it('small objects on a lossy line fill it within 6 s', () => {
    const run = on(lossy(), { kind: 'objects', delay: 0.4, size: 65_536 }).run(30);
    expect(run.rate(6, 30)).toBeGreaterThan(170 * 65_536);
    expect(run.seconds[6]?.settings.objects).toBe(256);
  });

  it('small objects whose fresh connections promised more than lasts fill the line again within seconds', () => {
    const worn: Line = { ...lossy(), each: (_, at) => (at < 4 ? 2 : 0.75) * Mbit };
    const limits = { ...ROOMY, connections: 512 };
    const run = on(worn, { kind: 'objects', delay: 0.2, size: 65_536 }, { limits }).run(14);
    expect(run.rate(9, 14)).toBeGreaterThan(0.85 * LOSSY);
  });

  it('small objects whose line turns out to have room are multiplied at once', () => {
    const worn: Line = { ...lossy(), each: (_, at) => (at < 4 ? 2 : 0.75) * Mbit };
    const limits = { ...ROOMY, connections: 512 };
    const load: Load = { kind: 'objects', delay: 0.2, size: 65_536 };
    const run = on(worn, load, { limits, lossy: true }).run(14);
    expect(run.rate(7, 14)).toBeGreaterThan(0.85 * LOSSY);
  });

  it('small objects that fill a slow line at once are soon not many more', () => {
    const run = on(capped(20 * Mbit, 20 * Mbit), { kind: 'objects', delay: 0.2, size: 65_536 }).run(40);
    expect(Math.max(...run.seconds.map(({ settings }) => settings.objects))).toBeLessThanOrEqual(128);
    expect(Math.max(...run.seconds.slice(8).map(({ settings }) => settings.objects))).toBeLessThanOrEqual(110);
  });

  it('a server that refuses more than 50 small objects at once gets half as many, and half again', () => {
    const load: Load = { kind: 'objects', delay: 0.2, size: 4096 };
    const run = on(throttling(capped(20 * Mbit, 4000 * Mbit), 50), load).run(40);
    expect(run.seconds.slice(10).filter(({ throttled }) => throttled > 0)).toEqual([]);
    expect(run.seconds.slice(10).every(({ settings }) => settings.objects <= 51)).toBe(true);
  });
});

describe.each(LUCKS)('on luck %i, a service that takes 600 requests a second', (luck) => {
  const limits = { ...ROOMY, operations: 600 };
  const load: Load = { kind: 'objects', delay: 0.2, size: 4096 };
  const perSecond = ({ rate }: { rate: number }): number => rate / 4096;

  it('is asked for that many small objects, and no more', () => {
    const run = new Simulation(capped(20 * Mbit, 4000 * Mbit), load, { limits, luck }).run(60);
    const late = run.seconds.slice(10);
    expect(run.rate(10, 60) / 4096).toBeGreaterThan(0.8 * 600);
    expect(run.rate(10, 60) / 4096).toBeLessThan(1.1 * 600);
    expect(Math.max(...late.map(perSecond))).toBeLessThan(1.3 * 600);
    expect(new Set(run.seconds.slice(30).map(({ settings }) => settings.objects)).size).toBeLessThan(6);
  });

  it('is left in peace once that is found', () => {
    const run = new Simulation(capped(20 * Mbit, 4000 * Mbit), load, { limits, luck }).run(20);
    let resting = 0;
    for (let second = 0; second < 40; second++) resting += run.run(1).tuner.resting ? 1 : 0;
    expect(resting).toBeGreaterThan(20);
  });

  it('is asked for as much as that again once each answer takes longer', () => {
    const slower: Line = { ...capped(20 * Mbit, 4000 * Mbit), each: (_, at) => (at < 30 ? 20 * Mbit : 0.3 * Mbit) };
    const run = new Simulation(slower, load, { limits, luck }).run(120);
    expect(run.rate(80, 120) / 4096).toBeGreaterThan(0.75 * 600);
  });
});

describe('the open files of this host', () => {
  it('bound nothing where the system does not tell, or has no limit', () => {
    expect(affordableConnections(256, undefined)).toBe(256);
    expect(affordableConnections(256, Number.POSITIVE_INFINITY)).toBe(256);
  });

  it('leave room for two sockets a request, or a run would die of EMFILE', () => {
    expect(affordableConnections(256, 256)).toBe(78);
    expect(affordableConnections(16, 1024)).toBe(16);
    expect(affordableConnections(256, 64)).toBeGreaterThan(0);
  });
});

it('a service that documents no request rate bounds none, and the slower side of two counts', () => {
  const of = (read?: number, write = 0): Capabilities =>
    ({ requestRates: read === undefined ? undefined : { read, write } }) as Capabilities;
  expect(operationsOf(of(), of())).toBeUndefined();
  expect(operationsOf(of(5500, 3500), of(10_000, 10_000))).toBe(5500);
  expect(operationsOf(of(), of(5500, 3500))).toBe(3500);
});

it('a loss of one connection in many is weather, and changes nothing', () => {
  const run = new Simulation({ ...lossy(), broken: (n) => n / 250 }, PARTS).run(60);
  expect(run.rate(20, 60)).toBeGreaterThan(0.85 * LOSSY);
});

it('a line on which a tenth of the connections break at once gets fewer', () => {
  const run = new Simulation({ ...lossy(), broken: (n) => (n > 100 ? n / 20 : 0) }, PARTS).run(60);
  expect(run.seconds.at(-1)?.settings.parts).toBeLessThanOrEqual(102);
});

it('connections that stumble together when they are many are looked at again before they are given up', () => {
  const run = new Simulation(halving(lossy(), 14, 21), PARTS).run(60);
  expect(run.seconds.at(40)?.settings.parts).toBe(256);
});

it('work that does not fill the slots teaches nothing', () => {
  const run = new Simulation(lossy(), { ...PARTS, most: 6 }).run(60);
  expect(run.tuner.settings.parts).toBe(START.parts);
  expect(run.tuner.found).toEqual({});
});

it('parts in flight never hold more memory than is allowed', () => {
  const run = new Simulation(lossy(), PARTS, { limits: { ...ROOMY, memory: 512 * MiB } }).run(60);
  for (const { settings } of run.seconds) expect(settings.parts * settings.partSize).toBeLessThanOrEqual(512 * MiB);
  expect(run.tuner.settings.parts).toBeGreaterThan(80);
});

it('memory does not limit parts that need less of it while they are sent', () => {
  const limits = { ...ROOMY, memory: 512 * MiB, partMemory: MiB / 4 };
  const run = new Simulation(lossy(), PARTS, { limits }).run(60);
  expect(run.rate(20, 60)).toBeGreaterThan(0.9 * LOSSY);
  const few = new Simulation(lossy(), PARTS, { limits: { ...limits, memory: 40 * MiB } }).run(60);
  // Four whole, and as many others as 15 MiB are enough for.
  expect(few.tuner.settings.parts).toBe(4 + 60);
});

it('connections below 256 KiB/s get parts of 1 MiB where the destination accepts them', () => {
  const small = new Simulation(lossy(), PARTS, { limits: { ...ROOMY, leastPartSize: 1 } }).run(30);
  expect(small.tuner.settings.partSize).toBe(MiB);
  const short = { ...ROOMY, leastPartSize: 1, memory: 256 * MiB };
  const quick = new Simulation(capped(16 * Mbit, 4000 * Mbit), PARTS, { limits: short }).run(60);
  expect(quick.tuner.settings.partSize).toBe(5 * MiB);
});

it('a destination that takes no small parts gets none', () => {
  const run = new Simulation(lossy(), PARTS, { limits: { ...ROOMY, leastPartSize: 16 * MiB } }).run(30);
  for (const { settings } of run.seconds) expect(settings.partSize).toBe(16 * MiB);
});

describe('a first rate that was still falling', () => {
  /** @param rates MiB/s, second by second */
  function after(...rates: number[]): Loop {
    const loop = new Loop(8, { least: 2, most: 512, whole: false });
    loop.limit(512, 8 * MiB);
    for (const rate of rates) loop.sample({ done: rate * MiB, used: loop.n }, 1000);
    return loop;
  }
  const START_TOO_FAST = [27, 43, 20, 15];

  it('does not end the climb', () => {
    // Each connection carries 1.1 MiB/s in the end, and not 1.9.
    const climbing = after(...START_TOO_FAST, ...Array<number>(8).fill(36));
    expect([after(...START_TOO_FAST).n, climbing.n]).toEqual([32, 128]);
  });

  it('does not make parts look quick', () => {
    // At 19 MiB/s eight parts of 8 MiB would take 3.4 s.
    expect(after(28, 41, 27, 19).n).toBe(32);
  });

  it('is not expected to fall once more', () => {
    const rates = [...START_TOO_FAST, ...Array<number>(8).fill(36)];
    // Less than proportional to 36 MiB/s, which was steady.
    expect(after(...rates, ...Array<number>(8).fill(80)).n).toBeLessThan(128);
  });
});

describe('a line that is known to be lossy', () => {
  /** @param rates MiB/s, second by second, and what is known of the line */
  function after(...rates: [number, Filling?][]): Loop {
    const loop = new Loop(8, { least: 2, most: 512, whole: false });
    loop.limit(512, 5 * MiB);
    for (const [rate, filling] of rates) loop.sample({ done: rate * MiB, used: loop.n }, 1000, filling);
    return loop;
  }
  const seconds = (count: number, rate: number, filling?: Filling): [number, Filling?][] =>
    Array<[number, Filling?]>(count).fill([rate, filling]);

  it('needs no steady rate for the first step, only one that no longer grows', () => {
    expect(after([10, 'lossy'], [20, 'lossy']).n).toBe(8);
    expect(after([10, 'lossy'], [20, 'lossy'], [21, 'lossy']).n).toBe(32);
    expect(after([10], [20], [21]).n).toBe(8);
  });

  it('may have begun too fast: its first rate may fall by half', () => {
    const climbing: [number, Filling?][] = [...seconds(2, 40, 'lossy'), ...seconds(6, 60)];
    expect(after(...climbing).n).toBe(32);
    expect(after(...climbing, [60]).n).toBe(128);
    expect(after(...climbing, [45]).n).toBe(24);
  });

  it('needs a second of growth for the next step', () => {
    expect(after(...seconds(2, 10, 'lossy'), ...seconds(2, 40, 'lossy')).n).toBe(128);
    expect(after(...seconds(2, 10, 'lossy'), ...seconds(2, 40)).n).toBe(32);
  });

  it('gets no more before it is measured while it is full', () => {
    expect(after(...seconds(2, 10, 'lossy'), ...seconds(3, 80)).n).toBe(128);
    expect(after(...seconds(2, 10, 'lossy'), ...seconds(3, 80, 'full')).n).toBe(32);
    expect(after(...seconds(2, 10, 'lossy'), ...seconds(7, 80, 'full')).n).toBe(128);
  });

  it('is not taken for one that has dipped', () => {
    expect(after([10, 'lossy'], [0.5, 'lossy']).n).toBe(8);
  });
});

describe('part sizes of a run to a far server', () => {
  it('are small until the line is measured', () => {
    const tuner = new Tuner({ ...ROOMY, leastPartSize: 1 });
    expect(tuner.partSize).toBeUndefined();
    tuner.startsFar();
    expect(tuner.partSize).toBe(5 * MiB);
  });

  it('are never less than the destination accepts', () => {
    const tuner = new Tuner({ ...ROOMY, leastPartSize: 6 * MiB });
    tuner.startsFar();
    expect(tuner.partSize).toBe(6 * MiB);
  });

  it('are those of the user, or of an earlier run, if there are any', () => {
    const fixed = new Tuner({ ...ROOMY, partSize: 12 * MiB });
    fixed.startsFar();
    expect(fixed.partSize).toBeUndefined();
    const known = new Tuner(ROOMY, { partSize: 16 * MiB, parts: 12 });
    known.startsFar();
    expect(known.partSize).toBe(16 * MiB);
  });
});

it('a route starts with what it ended with, and fills the line at once', () => {
  const first = new Simulation(lossy(), PARTS).run(60);
  const { parts, lone } = first.tuner.found;
  const second = new Simulation(lossy(), PARTS, { seed: first.tuner.found }).run(30);
  expect({ parts, lone, begins: second.seconds[0]?.settings.parts }).toEqual({ parts: 256, lone: true, begins: 256 });
  expect(second.rate(2, 5)).toBeGreaterThan(0.85 * LOSSY);
  expect(second.rate(10, 15)).toBeGreaterThan(0.85 * LOSSY);
  expect(second.tuner.lone?.n).toBe(256);
});

it('a route that carries more than last time gets more', () => {
  const first = new Simulation(capped(8 * Mbit, 100 * Mbit), PARTS).run(60);
  const second = new Simulation(capped(8 * Mbit, 400 * Mbit), PARTS, { seed: first.tuner.found }).run(90);
  expect(first.tuner.settings.parts).toBeLessThan(30);
  expect(second.rate(60, 90)).toBeGreaterThan(0.85 * 400 * Mbit);
});

it('a route that refuses what it took last time gets half at once', () => {
  const seed = { objects: 200 };
  const refusing = throttling(capped(20 * Mbit, 4000 * Mbit), 150);
  const run = new Simulation(refusing, { kind: 'objects', delay: 0.2, size: 4096 }, { seed }).run(20);
  expect(run.seconds.slice(0, 2).map(({ settings }) => settings.objects)).toEqual([200, 100]);
});

it('parts and small objects together stay within the connections', () => {
  const tuner = new Tuner({ ...ROOMY, connections: 64 });
  for (let second = 0; second < 60; second++) {
    const { parts, objects } = tuner.settings;
    if (second > 0) expect(parts + objects).toBeLessThanOrEqual(64);
    const grows = (n: number): { done: number; used: number } => ({ done: n * MiB, used: n });
    tuner.sample({ ms: 1000, parts: grows(parts), objects: grows(objects), throttled: 0, broken: 0 });
  }
  expect(tuner.settings.parts).toBeGreaterThan(20);
  expect(tuner.settings.objects).toBeGreaterThan(20);
});

it.each([
  ['lossy', lossy(), LOSSY],
  ['clean', clean(), CLEAN],
])('a %s line that is down for 15 s teaches nothing, and is full again at once', (_, line, full) => {
  const down: Line = { ...line, capacity: (n, at) => (at >= 60 && at < 75 ? 1 : line.capacity(n, at)) };
  const run = new Simulation(down, PARTS).run(110);
  const tried = run.seconds.slice(61, 75).map(({ settings }) => settings.parts);
  expect(Math.max(...tried) - Math.min(...tried)).toBe(0);
  expect(run.rate(80, 110)).toBeGreaterThan(0.85 * full);
});
