import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import { ObjectFlow, PartFlow } from '../../../src/engine/tune/flow.js';
import { Loop } from '../../../src/engine/tune/loop.js';
import { Opening } from '../../../src/engine/tune/opening.js';
import { Pilot } from '../../../src/engine/tune/pilot.js';
import { type SlotSettings, START, Tuner } from '../../../src/engine/tune/tune.js';
import { MiB, ROOMY } from './links.js';

const TICK_MS = 25;
const THROTTLED: RunEvent = {
  ...{ type: 'retry', side: 'destination', kind: 'put', attempt: 1, delayMs: 100 },
  ...{ code: 'throttled', message: 'slow down' },
};
const upTo =
  (most: number) =>
  (n: number): number =>
    Math.min(n, most);

/** A server that answers each small object after `latencyMs`, at most `perTick` of them in a tick. */
class Server {
  readonly #latencyMs: number;
  readonly #perTick: number;
  /** Milliseconds that each object in flight has waited. */
  #waited: number[] = [];

  constructor(latencyMs: number, perTick = Number.POSITIVE_INFINITY) {
    this.#latencyMs = latencyMs;
    this.#perTick = perTick;
  }

  /** A tick with `n` in flight. */
  tick(n: number, busy = 0): { ms: number; done: number; areaMs: number; busy: number } {
    while (this.#waited.length < n) this.#waited.push(0);
    const areaMs = this.#waited.length * TICK_MS;
    this.#waited = this.#waited.map((ms) => ms + TICK_MS);
    const ready = this.#waited.filter((ms) => ms >= this.#latencyMs).length;
    const done = Math.min(ready, this.#perTick);
    this.#waited.splice(0, done);
    return { ms: TICK_MS, done, areaMs, busy };
  }
}

/** The settings and when each was set, in milliseconds; and the last verdict. */
function open(
  server: Server,
  { start = 32, mostRate, most = 256 }: { start?: number; mostRate?: number; most?: number },
) {
  const opening = new Opening(start, mostRate);
  const settings = [start];
  const atMs = [0];
  let n = start;
  for (let tick = 1; tick < 1000; tick++) {
    const opened = opening.add(server.tick(n), upTo(most));
    if (!opened) continue;
    if (opened.n !== n) {
      settings.push(opened.n);
      atMs.push(tick * TICK_MS);
    }
    n = opened.n;
    if (opened.verdict !== 'step') return { settings, atMs, verdict: opened.verdict, best: opened.best };
  }
  throw new Error('the opening has no end');
}

describe('with answers of one latency', () => {
  it.each([
    [25, [32, 125], [0, 25]],
    [50, [32, 128, 250], [0, 50, 100]],
    [200, [32, 128, 256], [0, 200, 400]],
    [1000, [32, 128, 256], [0, 1000, 2000]],
  ])('%i ms are filled with what they need for 5,000 objects a second', (latencyMs, settings, atMs) => {
    expect(open(new Server(latencyMs), {})).toMatchObject({ settings, atMs, verdict: 'enough' });
  });

  it('no more is tried than the services document', () => {
    expect(open(new Server(200), { mostRate: 600 }).settings).toEqual([32, 120]);
    expect(open(new Server(50), { mostRate: 600 }).settings).toEqual([32]);
  });

  it('no more is tried than there are connections', () => {
    expect(open(new Server(200), { most: 100 }).settings).toEqual([32, 100]);
  });
});

describe('a line whose rate is its limit', () => {
  it('keeps the setting with which it was full', () => {
    // 32 in flight take 8 ticks: a latency of 200 ms that more requests only make longer.
    expect(open(new Server(25, 4), {})).toMatchObject({
      settings: [32, 128, 32],
      verdict: 'useless',
      best: { n: 32, rate: 160 },
    });
  });

  it('gets what the growth until then points to', () => {
    // At 8 a tick, a latency of 200 ms needs 64: 32 seemed to bring 116 a second, since they began together.
    expect(open(new Server(200, 8), {})).toMatchObject({
      settings: [32, 128, 110],
      verdict: 'useless',
      best: { n: 110, rate: 320 },
    });
  });
});

describe('a step that seemed useless', () => {
  /** Fresh connections answer after 200 ms, and after half a second once they have lost packets; 200 objects a second. */
  function wearing(loop: Loop, seconds: number): number[] {
    const waited: number[] = [];
    const settings: number[] = [];
    let done = 0;
    for (let tick = 1; tick <= seconds * 40; tick++) {
      while (waited.length < loop.n) waited.push(0);
      const areaMs = waited.length * TICK_MS;
      const latencyMs = tick < 40 ? 200 : 500;
      for (let i = 0; i < waited.length; i++) waited[i] = (waited[i] ?? 0) + TICK_MS;
      const ready = Math.min(waited.filter((ms) => ms >= latencyMs).length, 5);
      waited.splice(0, ready);
      done += ready;
      loop.open({ ms: TICK_MS, done: ready, areaMs, busy: 0 });
      if (tick % 40 > 0) continue;
      loop.sample({ done, used: areaMs / TICK_MS }, 1000);
      settings.push(loop.n);
      done = 0;
    }
    return settings;
  }

  it('is taken after all if what it was compared with does not last', () => {
    const settings = wearing(new Loop(32, { least: 4, most: 256, whole: true }), 6);
    expect(settings[5]).toBeGreaterThanOrEqual(100);
  });

  it('is taken within two seconds once the connections of the opening carry far less', () => {
    const loop = new Loop(32, { least: 4, most: 256, whole: true });
    const server = new Server(25, 4);
    while (loop.n === 32) loop.open(server.tick(loop.n));
    while (loop.n === 128) loop.open(server.tick(loop.n));
    loop.endOpening();
    const settings = [160, 50, 50].map((done) => {
      loop.sample({ done, used: 32 }, 1000);
      return loop.n;
    });
    expect(settings).toEqual([32, 32, 128]);
  });

  it('is no reason to try fewer if there may be no more', () => {
    const loop = new Loop(32, { least: 4, most: 256, whole: true });
    const server = new Server(25, 4);
    while (loop.n === 32) loop.open(server.tick(loop.n));
    while (loop.n === 128) loop.open(server.tick(loop.n));
    loop.endOpening();
    loop.limit(32, 1);
    const settings = [160, 136, 136, 136, 136].map((done) => {
      loop.sample({ done, used: 32 }, 1000);
      return loop.n;
    });
    expect(settings).toEqual([32, 32, 32, 32, 32]);
  });

  it('is given up, and nothing larger is tried, if the opening ends before it is certain', () => {
    const loop = new Loop(32, { least: 4, most: 256, whole: true });
    const server = new Server(25, 4);
    while (loop.n === 32) loop.open(server.tick(loop.n));
    while (loop.n === 128) loop.open(server.tick(loop.n));
    loop.endOpening();
    expect({ n: loop.n, rests: loop.resting }).toEqual({ n: 32, rests: true });
  });
});

describe('a process that is the limit', () => {
  it('takes as many as are worth handling in one turn, and no more, whatever the latency suggests', () => {
    const opening = new Opening(32);
    const server = new Server(200);
    let n = 32;
    const settings: number[] = [];
    for (let tick = 0; tick < 100; tick++) {
      const opened = opening.add(server.tick(n, 0.95), upTo(256));
      if (!opened) continue;
      n = opened.n;
      settings.push(n);
    }
    expect(settings).toEqual([64]);
  });

  it('takes no step where nothing more is allowed', () => {
    const opening = new Opening(32);
    const server = new Server(200);
    for (let tick = 0; tick < 100; tick++) expect(opening.add(server.tick(32, 0.95), upTo(32))).toBeUndefined();
  });

  it.each([
    [0.1, 128],
    [0.5, 64],
    [0.75, 43],
  ])('at work for %d of the time, takes a step as far as it can fill it', (busy, n) => {
    const opening = new Opening(32);
    const server = new Server(200);
    let opened: ReturnType<Opening['add']>;
    while (!opened) opened = opening.add(server.tick(32, busy), upTo(256));
    expect(opened).toMatchObject({ verdict: 'step', n });
  });

  it('takes the step later, if the beginning was what kept it at work', () => {
    const opening = new Opening(32);
    const server = new Server(200);
    let n = 32;
    for (let tick = 0; tick < 24; tick++) n = opening.add(server.tick(n, 0.95), upTo(256))?.n ?? n;
    let opened: ReturnType<Opening['add']>;
    for (let tick = 0; tick < 100 && !opened; tick++) opened = opening.add(server.tick(n, 0.2), upTo(512));
    expect(opened).toMatchObject({ verdict: 'step', n: 256 });
  });
});

describe('work that does not fill the setting', () => {
  it('shows nothing', () => {
    const opening = new Opening(32);
    const server = new Server(200);
    for (let tick = 0; tick < 100; tick++) expect(opening.add(server.tick(20), upTo(256))).toBeUndefined();
  });
});

describe('the loop', () => {
  const options = { least: 4, most: 256, whole: true };

  it('halves at once if the server asks to slow down, and opens no further', () => {
    const loop = new Loop(32, options);
    const server = new Server(50);
    while (loop.n === 32) loop.open(server.tick(loop.n));
    expect(loop.n).toBe(128);
    loop.pushBack('the server asked to slow down');
    expect(loop.n).toBe(64);
    expect(loop.opening).toBe(false);
    for (let tick = 0; tick < 100; tick++) loop.open(server.tick(loop.n));
    expect(loop.n).toBe(64);
  });

  it('keeps for the next run what was judged, and nothing else', () => {
    const loop = new Loop(32, options);
    const server = new Server(200);
    while (loop.n === 32) loop.open(server.tick(loop.n));
    expect(loop.best).toBeUndefined();
    while (loop.n === 128) loop.open(server.tick(loop.n));
    expect(loop.best).toEqual({ n: 128, rate: 640 });
  });

  it('does not open a route that is known', () => {
    const loop = new Loop(50, { ...options, known: { linear: false } });
    const server = new Server(200);
    for (let tick = 0; tick < 100; tick++) loop.open(server.tick(loop.n));
    expect({ opening: loop.opening, n: loop.n }).toEqual({ opening: false, n: 50 });
  });

  it('goes on as usual when the opening is over', () => {
    const tuner = new Tuner(ROOMY);
    expect(tuner.opening).toBe(true);
    tuner.endOpening();
    expect(tuner.opening).toBe(false);
    expect(tuner.settings).toEqual(START);
  });
});

describe('the pilot', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(performance, 'eventLoopUtilization').mockReturnValue({ idle: 1, active: 0, utilization: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  interface Flight {
    /** In the order in which they were set. */
    settings: number[];
    partSizes: (number | undefined)[];
  }

  /** Small objects of 100 ms, as many at once as the pilot allows; the server refuses one beyond `most`. */
  async function fly(ms: number, { most = 256, tunesObjects = true, isFar = false } = {}): Promise<Flight> {
    const objectFlow = new ObjectFlow(() => performance.now());
    const settings: number[] = [];
    const partSizes: (number | undefined)[] = [];
    let n: number = START.objects;
    let inFlight = 0;
    const fill = (): void => {
      for (; inFlight < n; inFlight++) {
        const ended = new Promise<void>((done) => setTimeout(done, 100));
        void objectFlow
          .during(() => ended)
          .then(() => {
            inFlight--;
            fill();
          });
      }
    };
    const slots = {
      partFlow: new PartFlow(() => performance.now()),
      objectFlow,
      tunesParts: true,
      tunesObjects,
      left: undefined,
      set: ({ objects, partSize }: SlotSettings) => {
        if (objects !== settings.at(-1)) settings.push(objects);
        if (partSizes.length === 0 || partSize !== partSizes.at(-1)) partSizes.push(partSize);
        n = objects;
        if (n > most) pilot?.hear(THROTTLED);
        fill();
      },
    };
    const manifest = { getFact: () => undefined, setFact: () => undefined };
    const limits = { connections: 256, memory: 2048 * MiB, leastPartSize: 5 * MiB };
    let pilot: Pilot | undefined;
    const line = { senders: 0, leastMs: 200, waitMs: 0, lossy: 0 };
    pilot = new Pilot({ slots, watches: [() => (isFar ? line : undefined)], limits, manifest, emit: () => undefined });
    pilot.start();
    await vi.advanceTimersByTimeAsync(ms);
    pilot.land();
    expect(vi.getTimerCount()).toBe(inFlight);
    return { settings, partSizes };
  }

  it('opens within a second, in two steps', async () => {
    expect(await fly(1000)).toMatchObject({ settings: [32, 128, 256] });
  });

  it('halves within a sample of the opening if a request is refused', async () => {
    expect(await fly(900, { most: 100 })).toMatchObject({ settings: [32, 128, 64] });
  });

  it('opens nothing if the user has fixed the number', async () => {
    expect(await fly(900, { tunesObjects: false })).toMatchObject({ settings: [32] });
  });

  it('starts with small parts if a server is far', async () => {
    expect(await fly(100, { isFar: true })).toMatchObject({ partSizes: [undefined, 5 * MiB] });
  });

  it('leaves the part size open as long as nothing is known', async () => {
    expect(await fly(100)).toMatchObject({ partSizes: [undefined] });
  });
});
