/**
 * Copies what changes, forever: one pass after the other, and between them what change events tell. Nothing that can
 * be mended from outside ends it.
 */
import { toXsyncError, type XsyncError } from '../model/error.js';
import { Claims } from './claims.js';
import type { Reporter, RunEvent, Summary } from './events.js';
import type { Backup, RunOptions, RunPair } from './options.js';
import { limiter, Queue } from './queue.js';
import { runPair } from './run.js';
import { Settling } from './settle.js';
import { type Look, Schedule, type ScheduleOptions } from './watch-schedule.js';

/** A pair that can be opened anew, with what its configuration says by then. */
export interface WatchedPair extends RunPair {
  backup?: Backup;
  close(): Promise<void>;
}

/** What a feed of change events delivers; keys are full ones. See src/feed/feed.ts. */
export interface Changes {
  readonly events: readonly { bucket?: string; key: string }[];
  done(): Promise<void>;
  release(): Promise<void>;
}

export interface WatchOptions {
  /** Of each pass; claims and settling are the watch's own. Its `drain` ends the watch. */
  run: RunOptions & { drain: AbortSignal };
  schedule: ScheduleOptions;
  /** The destination is listed too when this has passed since it last was, ms: finds what others did there. */
  driftMs: number;
  /** An object must not have changed for so long, ms. Absent: 5 s for a local source, whose files are seen half-written. */
  settleMs?: number;
  open(): Promise<WatchedPair>;
  changes?: AsyncIterable<Changes>;
}

const LOCAL_SETTLE_MS = 5000;
/** Change events are handled in so many runs at once. */
const EVENT_RUNS = 4;
/** Deletes by events between two looks at everything. */
const EVENT_DELETES = 1000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

export class Watch {
  readonly #options: WatchOptions;
  readonly #report: Reporter;
  readonly #schedule: Schedule;
  readonly #cost = new ListCost();
  readonly #claims = new Claims();
  #settling: Settling | undefined;
  #pair: WatchedPair | undefined;
  /** Woken when the pair is open again. */
  #opened: (() => void)[] = [];
  #users = 0;
  #idle: (() => void)[] = [];
  #everWell = false;
  #trouble: { text: string; sinceMs: number; times: number } | undefined;
  #stale = false;
  #nap = new AbortController();
  #listedDestMs: number | undefined;
  #eventDeletes = 0;

  constructor(options: WatchOptions, report: Reporter) {
    this.#options = options;
    this.#report = report;
    this.#schedule = new Schedule(options.schedule);
  }

  /** The configuration has changed: the pair is opened anew as soon as nothing is in flight. */
  reload(): void {
    this.#stale = true;
    this.#nap.abort();
  }

  /**
   * Until it is drained.
   * @throws what keeps the very first pass from beginning and no waiting will mend
   */
  async run(): Promise<void> {
    const feeding = this.#feed();
    try {
      while (!this.#ended) await this.#once();
    } finally {
      this.#wake();
      await feeding;
      await this.#close();
    }
  }

  get #ended(): boolean {
    return this.#options.run.drain.aborted || this.#options.run.stop.aborted;
  }

  async #once(): Promise<void> {
    try {
      if (!this.#pair) this.#pair = await this.#open();
      const pair = this.#pair;
      this.#wake();
      const look = this.#schedule.next(Date.now());
      await this.#waitFor(look, pair);
      if (this.#ended) return;
      if (this.#stale) {
        await this.#close();
        this.#stale = false;
        return;
      }
      await this.#look(pair, look);
    } catch (error) {
      await this.#suffer(toXsyncError(error));
    }
  }

  async #open(): Promise<WatchedPair> {
    const pair = await this.#options.open();
    const { settleMs = pair.source.store.capabilities.local ? LOCAL_SETTLE_MS : 0 } = this.#options;
    if (settleMs > 0) this.#settling ??= new Settling(settleMs);
    this.#cost.opened();
    return pair;
  }

  async #look(pair: WatchedPair, look: Look): Promise<void> {
    const { run, driftMs } = this.#options;
    const full = look.ranges === undefined;
    const now = Date.now();
    const listDest = full && (this.#listedDestMs === undefined || now - this.#listedDestMs >= driftMs);
    let changes = 0;
    const common = { ...this.#common(pair), settling: this.#settling };
    if (full) {
      changes = await this.#run(pair, { ...common, noTraverse: run.noTraverse || !listDest });
      if (this.#ended) return;
      this.#schedule.cut(pair.manifest);
      this.#eventDeletes = 0;
      if (listDest) this.#listedDestMs = now;
    }
    for (const bounds of look.ranges ?? []) {
      if (this.#ended) return;
      // What is gone is found gone by the looks at everything, which see when too much is.
      const { deletes: _, ...copying } = common;
      const policy = { ...run.policy, mode: 'copy' as const };
      changes += await this.#run(pair, { ...copying, policy, noTraverse: true, resume: undefined, bounds });
    }
    this.#cost.add(pair);
    this.#schedule.looked(look, changes, Date.now());
    this.#recovered();
  }

  /** How many objects were found to have changed. */
  async #run(pair: WatchedPair, options: RunOptions): Promise<number> {
    let changes = 0;
    const report = (event: RunEvent): void => {
      const settling = event.type === 'skip' && event.reason === 'settling';
      if (event.type === 'plan' || event.type === 'doom' || settling) {
        changes++;
        this.#schedule.changed(event.key);
      }
      this.#report(event);
    };
    await this.#using(() => runPair(pair, options, report));
    return changes;
  }

  async #waitFor(look: Look, pair: WatchedPair): Promise<void> {
    const ms = look.atMs - Date.now();
    if (ms <= 0) return;
    this.#report({ type: 'waiting', untilMs: look.atMs, ...this.#cost.told(pair) });
    await this.#sleep(ms);
  }

  async #sleep(ms: number): Promise<void> {
    const { drain, stop } = this.#options.run;
    this.#nap = new AbortController();
    if (this.#stale) return;
    const signal = AbortSignal.any([drain, stop, this.#nap.signal]);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) wake();
      else signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** @throws the fault, when this is the beginning and somebody must put something right */
  async #suffer(fault: XsyncError): Promise<void> {
    if (this.#ended) return;
    if (!this.#everWell && (fault.class !== 'temporary' || fault.code === 'locked')) throw fault;
    const { code, message, remedy } = fault;
    const text = `${code} ${message}`;
    const times = (this.#trouble?.times ?? 0) + 1;
    if (this.#trouble?.text !== text) this.#report({ type: 'trouble', code, message, remedy });
    this.#trouble = { text, sinceMs: this.#trouble?.sinceMs ?? Date.now(), times };
    if (code === 'guard') {
      // All but the deletes was done. The next look asks again.
      this.#schedule.looked({ atMs: Date.now() }, 0, Date.now());
      return;
    }
    // Other credentials, another address, a fresh connection: what is opened anew may find them.
    await this.#close();
    await this.#sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 1)) * (0.5 + Math.random()));
  }

  #recovered(): void {
    this.#everWell = true;
    if (!this.#trouble) return;
    this.#report({ type: 'well', afterMs: Date.now() - this.#trouble.sinceMs });
    this.#trouble = undefined;
  }

  async #feed(): Promise<void> {
    const { changes } = this.#options;
    if (!changes) return;
    const queue = new Queue(limiter(EVENT_RUNS));
    try {
      for await (const batch of changes) await queue.push(() => this.#handle(batch));
    } catch (error) {
      const message = `change events have ended, and polling goes on: ${toXsyncError(error).message}`;
      this.#report({ type: 'notice', level: 'warn', message });
    }
    await queue.drain();
  }

  async #handle(batch: Changes): Promise<void> {
    const pair = await this.#ready();
    if (!pair || this.#ended) return batch.release();
    const only = keysOf(batch, pair);
    if (only.length === 0) return batch.done();
    try {
      const summary = await this.#using(() => runPair(pair, this.#eventOptions(pair, only), this.#report));
      this.#eventDeletes += summary.deleted.objects;
      for (const key of only) this.#schedule.changed(key);
      await (isDone(summary) ? batch.done() : batch.release());
    } catch (error) {
      const fault = toXsyncError(error);
      if (fault.code !== 'guard') {
        await batch.release();
        return;
      }
      // Too much at once: left to the next look at everything, which asks the guards again and says so.
      await batch.done();
    }
  }

  #common({ backup }: WatchedPair): RunOptions {
    return { ...this.#options.run, claims: this.#claims, backup };
  }

  #eventOptions(pair: WatchedPair, only: readonly string[]): RunOptions {
    const run = this.#common(pair);
    const objects = Math.max(0, EVENT_DELETES - this.#eventDeletes);
    const deletes = run.deletes && { ...run.deletes, when: 'after' as const, max: { objects } };
    return { ...run, only, deletes, noTraverse: false, resume: undefined, failedBefore: 'try' };
  }

  /** The open pair, as soon as there is one; undefined when the watch has ended. */
  async #ready(): Promise<WatchedPair | undefined> {
    while (!this.#pair && !this.#ended) await new Promise<void>((resolve) => this.#opened.push(resolve));
    return this.#pair;
  }

  #wake(): void {
    for (const resolve of this.#opened.splice(0)) resolve();
  }

  async #using<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      this.#users--;
      if (this.#users === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #close(): Promise<void> {
    const pair = this.#pair;
    if (!pair) return;
    this.#cost.add(pair);
    this.#pair = undefined;
    while (this.#users > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await pair.close();
  }
}

function isDone({ stopped }: Summary): boolean {
  return stopped === undefined;
}

/** Of the pair, and relative to it. */
function keysOf({ events }: Changes, { source }: RunPair): string[] {
  const { bucket: own } = source.store.identity;
  const keys = events.flatMap(({ bucket, key }) => {
    if ((bucket !== undefined && bucket !== own) || !key.startsWith(source.prefix)) return [];
    return [key.slice(source.prefix.length)];
  });
  return [...new Set(keys)];
}

/** What listing costs: the requests of the last hour say how many a day will bring. */
class ListCost {
  readonly #sums: { atMs: number; requests: number }[] = [{ atMs: Date.now(), requests: 0 }];
  #before = 0;
  #counted = 0;

  /** The counts of a pair begin at nothing. */
  opened(): void {
    this.#before += this.#counted;
    this.#counted = 0;
  }

  add({ source, dest }: RunPair): void {
    this.#counted = (source.traffic().requests.list ?? 0) + (dest.traffic().requests.list ?? 0);
    const now = Date.now();
    this.#sums.push({ atMs: now, requests: this.#before + this.#counted });
    while (this.#sums.length > 2 && (this.#sums[1]?.atMs ?? now) < now - DAY_MS / 24) this.#sums.shift();
  }

  told(pair: RunPair): { listRequests: number; listRequestsPerDay: number } {
    this.add(pair);
    const first = this.#sums[0];
    const last = this.#sums.at(-1);
    if (!first || !last) return { listRequests: 0, listRequestsPerDay: 0 };
    const ms = Math.max(1000, last.atMs - first.atMs);
    const perDay = ((last.requests - first.requests) * DAY_MS) / ms;
    return { listRequests: last.requests, listRequestsPerDay: Math.round(perDay) };
  }
}
