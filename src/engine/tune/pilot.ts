/**
 * Runs the tuner during a run: passes it a sample each second, and its settings to the slots.
 * Tests: test/engine/shared.test.ts
 */
import type { Manifest } from '../../manifest/port.js';
import { toXsyncError } from '../../model/error.js';
import type { LineState, LineWatch } from '../../model/line-state.js';
import { openFilesLimit } from '../../native/proc.js';
import type { Reporter, RunEvent } from '../events.js';
import { MOST_CONNECTIONS, type RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import { affordableConnections, operationsOf } from './bounds.js';
import type { ObjectFlow, PartFlow } from './flow.js';
import { Room } from './room.js';
import { readRoute, writeRoute } from './route.js';
import { type Sample, type SlotSettings, Tuner, type TunerLimits } from './tune.js';

const EVERY_MS = 1000;
/** Until the first sample: the first objects are cut soon after the first answers. */
const FIND_EVERY_MS = 20;
/** The line is looked at more often. */
const LOOK_EVERY_MS = 250;
/** While small objects open, a sample each latency or so is needed. */
const OPENING = { everyMs: 25, longestMs: 10_000 };
/** Shortest time between two reports of the settings. */
const REPORT_EVERY_MS = 60_000;

/** What the tuner measures and sets: see `Slots`. */
export interface TunedSlots {
  readonly partFlow: PartFlow;
  readonly objectFlow: ObjectFlow;
  readonly tunesParts: boolean;
  readonly tunesObjects: boolean;
  readonly left: number | undefined;
  set(settings: SlotSettings): void;
}

interface PilotContext {
  slots: TunedSlots;
  /** For looks at the lines to the stores. */
  watches: readonly LineWatch[];
  limits: TunerLimits;
  manifest: Pick<Manifest, 'getFact' | 'setFact'>;
  emit: Reporter;
}

/**
 * Undefined if there is nothing to tune: everything is fixed, or it is a dry run.
 * @param partMemory bytes that a part in flight takes while memory is short; absent: it is held whole
 */
export function pilotFor(
  pair: RunPair,
  options: RunOptions,
  slots: TunedSlots,
  emit: Reporter,
  partMemory?: number,
): Pilot | undefined {
  if (options.dryRun || !(slots.tunesParts || slots.tunesObjects)) return undefined;
  const limits = {
    connections: affordableConnections(options.maxConnections ?? MOST_CONNECTIONS, openFilesLimit()),
    operations: operationsOf(pair.source.store.capabilities, pair.dest.store.capabilities),
    memory: options.maxMemory,
    partMemory,
    leastPartSize: pair.dest.store.capabilities.minPartSize,
    partSize: options.partSize,
  };
  // Of the sockets of threads and of other machines nothing is known.
  const sides = pair.workers || pair.fleet ? [] : [pair.source, pair.dest];
  const watches = sides.flatMap((side) => side.watchLine?.() ?? []);
  return new Pilot({ slots, watches, limits, manifest: pair.manifest, emit });
}

export class Pilot {
  readonly #context: PilotContext;
  readonly #tuner: Tuner;
  #timer: NodeJS.Timeout | undefined;
  #finder: NodeJS.Timeout | undefined;
  #looker: NodeJS.Timeout | undefined;
  #opener: NodeJS.Timeout | undefined;
  #sampledMs = performance.now();
  #room = new Room();
  #faults = { throttled: 0, broken: 0 };
  #reported: { text: string; atMs: number } | undefined;

  constructor(context: PilotContext) {
    const { limits, manifest } = context;
    this.#context = context;
    this.#tuner = new Tuner(limits, readRoute(manifest, new Date()));
    this.#set();
  }

  /** Starts sampling. */
  start(): void {
    this.#sampledMs = performance.now();
    this.#timer = setInterval(() => this.#sample(), EVERY_MS).unref();
    this.#room = new Room();
    this.#looker = setInterval(() => this.#room.look(this.#lines()), LOOK_EVERY_MS).unref();
    this.#finder = setInterval(() => this.#find(), FIND_EVERY_MS).unref();
    if (this.#context.slots.tunesObjects && this.#tuner.opening) this.#opener = this.#open();
  }

  /** Samples small objects often, until they have found a setting or the time is over. */
  #open(): NodeJS.Timeout {
    const { objectFlow } = this.#context.slots;
    const untilMs = performance.now() + OPENING.longestMs;
    let last = { atMs: performance.now(), ...objectFlow.total, loop: performance.eventLoopUtilization() };
    const look = (): void => {
      // Steps follow each other within a second, so a refusal cannot wait for the next sample.
      if (this.#faults.throttled > 0) this.#sample();
      const now = { atMs: performance.now(), ...objectFlow.total, loop: performance.eventLoopUtilization() };
      this.#tuner.open({
        ms: now.atMs - last.atMs,
        done: now.done - last.done,
        areaMs: now.areaMs - last.areaMs,
        busy: performance.eventLoopUtilization(now.loop, last.loop).utilization,
      });
      last = now;
      if (now.atMs > untilMs) this.#tuner.endOpening();
      if (!this.#tuner.opening) clearInterval(this.#opener);
      this.#set();
    };
    return setInterval(look, OPENING.everyMs).unref();
  }

  /** Counts throttling and broken connections. */
  hear(event: RunEvent): void {
    if (event.type !== 'retry') return;
    if (event.code === 'throttled') this.#faults.throttled++;
    else if (event.code === 'timeout' || event.code === 'network' || event.code === 'unreachable') {
      this.#faults.broken++;
    }
  }

  /** Stops sampling, reports the settings, and saves them for the next run on this route. */
  land(): void {
    clearInterval(this.#timer);
    clearInterval(this.#looker);
    clearInterval(this.#finder);
    clearInterval(this.#opener);
    const { found } = this.#tuner;
    if (found.parts === undefined && found.objects === undefined) return;
    this.#report();
    try {
      writeRoute(this.#context.manifest, new Date(), found);
    } catch (error) {
      const message = `the settings found were not saved for the next run: ${toXsyncError(error).message}`;
      this.#context.emit({ type: 'notice', level: 'warn', message });
    }
  }

  #lines(): LineState[] {
    return this.#context.watches.flatMap((look) => look() ?? []);
  }

  /** Finds out whether a server is far. */
  #find(): void {
    if (this.#lines().length === 0) return;
    clearInterval(this.#finder);
    this.#tuner.startsFar();
    this.#set();
  }

  #sample(): void {
    clearInterval(this.#finder);
    const { slots } = this.#context;
    const now = performance.now();
    const ms = now - this.#sampledMs;
    this.#sampledMs = now;
    const idle = { done: 0, used: 0 };
    const parts = slots.partFlow.take(ms);
    const objects = slots.objectFlow.take(ms);
    const sample: Sample = {
      ms,
      parts: slots.tunesParts ? parts : idle,
      objects: slots.tunesObjects ? objects : idle,
      ...this.#faults,
      left: slots.left,
      filling: this.#room.filling,
    };
    this.#faults = { throttled: 0, broken: 0 };
    this.#tuner.sample(sample);
    this.#set();
    if (this.#tuner.resting && now - (this.#reported?.atMs ?? Number.NEGATIVE_INFINITY) > REPORT_EVERY_MS)
      this.#report();
  }

  #set(): void {
    const { settings, partSize, readSize, lone } = this.#tuner;
    this.#context.slots.set({ ...settings, partSize, readSize, lone });
  }

  #report(): void {
    const text = this.#tuner.describe();
    if (text === '' || text === this.#reported?.text) return;
    this.#reported = { text, atMs: performance.now() };
    this.#context.emit({ type: 'tuned', message: text, ...this.#tuner.settings });
  }
}
