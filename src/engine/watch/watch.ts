/**
 * Copies changes until stopped: polls repeatedly, and handles change events in between. Faults that can be fixed from
 * outside do not end it.
 */
import type { Manifest } from '../../manifest/port.js';
import { isXsyncError, toXsyncError, type XsyncError } from '../../model/error.js';
import type { CopyPolicy } from '../decide/decide.js';
import { Settling } from '../decide/settling.js';
import type { Reporter, RunEvent, Summary } from '../events.js';
import type { RunOptions } from '../options.js';
import { listCostOf } from '../plan/price.js';
import { runKeys, runPair } from '../run.js';
import { type Share, Shared } from '../shared.js';
import { ChangeRuns, type Changes, type OpenPair, type WatchedPair } from './change-runs.js';
import { ListCost } from './list-cost.js';
import { type Poll, Schedule, type ScheduleOptions } from './schedule.js';
import { SharedPair } from './shared-pair.js';
import { Troubles } from './troubles.js';

export type { Changes, WatchedPair } from './change-runs.js';

export interface WatchOptions {
  /** Options of each run, except `settling`, which the watch sets. `drain` ends the watch. */
  run: RunOptions & { drain: AbortSignal };
  schedule: ScheduleOptions | Timetable;
  /** How often the destination is listed too, ms, to find changes that others made there. */
  driftMs: number;
  /** How long an object must not have changed, ms. Absent: 5 s for a local source, where files may be half-written. */
  settleMs?: number;
  open(): Promise<WatchedPair>;
  /** Change events, until the signal fires. */
  changes?(signal: AbortSignal): AsyncIterable<Changes>;
  /** One of many: no fault ends it, passes begin in turn, and slots and memory are shared. Absent: it is alone. */
  among?: {
    turn<T>(pass: () => Promise<T>): Promise<T>;
    share(options: RunOptions): Share;
  };
}

/** When to poll which keys. */
export type Timetable = Pick<Schedule, 'next' | 'changed' | 'polled' | 'cut'>;

const LOCAL_SETTLE_MS = 5000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** Number of reported warnings to remember. */
const WARNINGS = 1000;
/** The longest delay of a timer in Node. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Watch {
  readonly #options: WatchOptions;
  readonly #report: Reporter;
  readonly #schedule: Timetable;
  readonly #troubles: Troubles;
  readonly #events: ChangeRuns;
  readonly #pair = new SharedPair<OpenPair>();
  readonly #cost = new ListCost();
  readonly #over = new AbortController();
  #settling: Settling | undefined;
  readonly #warned = new Set<string>();
  /** An object was copied, or a poll succeeded: later faults no longer end the watch. */
  #everWell = false;
  #stale = false;
  /** When the destination was last listed; monotonic clock, like all times here except reported ones. */
  #listedDestMs: number | undefined;
  #sleep: { untilMs: number; wake(): void } | undefined;

  constructor(options: WatchOptions, report: Reporter) {
    this.#options = options;
    this.#report = report;
    const { schedule } = options;
    this.#schedule = 'next' in schedule ? schedule : new Schedule(schedule);
    this.#troubles = new Troubles(report);
    this.#events = new ChangeRuns(this.#pair, {
      options: (pair) => this.#common(pair),
      signal: this.#over.signal,
      report,
      changed: (key) => this.#schedule.changed(key),
      done: () => this.#troubles.recovered('events', performance.now()),
      failed: (fault) => {
        this.#troubles.failed('events', fault, performance.now());
        this.reload();
      },
    });
  }

  /** Waiting for the next poll, which is not overdue. */
  get rests(): boolean {
    return this.#sleep !== undefined && performance.now() < this.#sleep.untilMs;
  }

  /** The pair, while it is open. */
  get pair(): WatchedPair | undefined {
    return this.#pair.open;
  }

  /** The configuration has changed: opens the pair again as soon as nothing is in flight. */
  reload(): void {
    this.#stale = true;
    this.#sleep?.wake();
  }

  /**
   * Tries objects of the failed list again at once, as `xsync retry` does: nothing is listed and nothing is deleted.
   * Waits until the pair is open.
   * @param batches their keys
   * @returns undefined if the watch has ended
   * @throws a fault that ends the run
   */
  retry(
    batches: (manifest: Manifest) => AsyncIterable<readonly string[]>,
    hear: Reporter,
  ): Promise<Summary | undefined> {
    return this.#pair.use((pair) => {
      const report = (event: RunEvent): void => {
        hear(event);
        this.#report(event);
      };
      return runKeys(pair, batches(pair.manifest), retrying(this.#common(pair)), report, pair.shared);
    });
  }

  /**
   * Runs until drained or stopped. Call once.
   * @throws a fault that prevents the first poll and that waiting cannot fix
   */
  async run(): Promise<void> {
    const { drain, stop } = this.#options.run;
    const end = (): void => {
      this.#over.abort();
      this.#sleep?.wake();
    };
    for (const signal of [drain, stop]) signal.addEventListener('abort', end, { once: true });
    if (drain.aborted || stop.aborted) end();
    const changes = this.#options.changes?.(this.#over.signal);
    const feeding = changes && this.#events.follow(changes);
    try {
      while (!this.#ended) await this.#once();
    } finally {
      end();
      for (const signal of [drain, stop]) signal.removeEventListener('abort', end);
      this.#pair.end();
      await feeding;
      await this.#pair.close();
    }
  }

  get #ended(): boolean {
    return this.#over.signal.aborted;
  }

  async #once(): Promise<void> {
    try {
      const pair = this.#pair.open ?? (await this.#open());
      const poll = this.#schedule.next(performance.now());
      await this.#waitUntilDue(poll, pair);
      if (this.#ended) return;
      if (this.#stale) await this.#pair.close();
      else await this.#poll(pair, poll);
    } catch (error) {
      await this.#pauseAfter(toXsyncError(error));
    }
  }

  async #open(): Promise<OpenPair> {
    // A later change of the configuration requires opening the pair again.
    this.#stale = false;
    const pair = await this.#options.open();
    const read = pair.reverse ? [pair.source, pair.dest] : [pair.source];
    const usual = read.some(({ store }) => store.capabilities.local) ? LOCAL_SETTLE_MS : 0;
    const { settleMs = usual } = this.#options;
    if (settleMs > 0) this.#settling ??= new Settling(settleMs);
    this.#cost.opened();
    const open = { ...pair, shared: new Shared(pair, this.#options.run, this.#report, this.#options.among?.share) };
    this.#pair.opened(open);
    return open;
  }

  async #poll(pair: OpenPair, poll: Poll): Promise<void> {
    const changes = poll.sections
      ? await this.#pollSections(poll, poll.sections, pair)
      : await this.#pollAll(pair, poll);
    if (this.#ended) return;
    this.#everWell = true;
    this.#schedule.polled(poll, changes, performance.now());
    this.#cost.polled(pair, performance.now());
  }

  /** @returns how many objects had changed */
  async #pollAll(pair: OpenPair, { atMs, sinceMs = atMs }: Poll): Promise<number> {
    const { run, driftMs } = this.#options;
    const now = performance.now();
    // A mirror compares both sides each time.
    const isDue = this.#listedDestMs === undefined || now - this.#listedDestMs >= driftMs;
    const listDest = pair.reverse !== undefined || isDue;
    const { changes, refusal } = await this.#run(pair, {
      noTraverse: run.noTraverse || !listDest,
      listedSinceMs: sinceMs,
    });
    if (this.#ended) return changes;
    if (!pair.reverse) this.#schedule.cut(pair.manifest);
    this.#events.polledAll();
    if (listDest) this.#listedDestMs = now;
    if (refusal) this.#troubles.failed('polls', refusal, now);
    else this.#troubles.recovered('polls', performance.now());
    // Refused deletes are not a reason to poll more often.
    return refusal ? 0 : changes;
  }

  /** Does not delete: only a full poll can tell when too much would be deleted. @returns how many objects changed */
  async #pollSections(
    { atMs, sinceMs = atMs }: Poll,
    sections: NonNullable<Poll['sections']>,
    pair: OpenPair,
  ): Promise<number> {
    const policy: CopyPolicy = { ...this.#options.run.policy, mode: 'copy' };
    let sum = 0;
    for (const bounds of sections) {
      if (this.#ended) break;
      const few = { policy, deletes: undefined, noTraverse: true, resume: undefined, bounds, listedSinceMs: sinceMs };
      sum += (await this.#run(pair, few)).changes;
    }
    return sum;
  }

  /** @returns `refusal` if the guards refused the deletes; everything else was done */
  async #run(pair: OpenPair, how: Partial<RunOptions>): Promise<{ changes: number; refusal?: XsyncError }> {
    let changes = 0;
    const report = (event: RunEvent): void => {
      const settling = event.type === 'skip' && event.reason === 'settling';
      if (settling || event.type === 'copied' || event.type === 'deleted') changes++;
      // Both sides work: from now on, wait for faults to pass.
      if (event.type === 'copied') this.#everWell = true;
      if (settling || event.type === 'plan' || event.type === 'doom') this.#schedule.changed(event.key);
      if (!this.#isRepeated(event)) this.#report(event);
    };
    try {
      const options = { ...this.#common(pair), settling: this.#settling, ...how };
      const pass = () => this.#pair.use(() => runPair(pair, options, report, pair.shared));
      await (this.#options.among?.turn(pass) ?? pass());
      return { changes };
    } catch (error) {
      if (!isXsyncError(error, 'guard')) throw error;
      return { changes, refusal: toXsyncError(error) };
    }
  }

  /** A warning about what each poll finds again is reported once. */
  #isRepeated(event: RunEvent): boolean {
    if (event.type !== 'notice' || event.level !== 'warn') return false;
    if (this.#warned.has(event.message)) return true;
    if (this.#warned.size >= WARNINGS) this.#warned.clear();
    this.#warned.add(event.message);
    return false;
  }

  #common({ backup }: WatchedPair): RunOptions {
    return { ...this.#options.run, backup };
  }

  async #waitUntilDue(poll: Poll, pair: WatchedPair): Promise<void> {
    const ms = poll.atMs - performance.now();
    if (ms <= 0) return;
    const { total, perDay } = this.#cost.estimate(poll.atMs);
    this.#report({
      type: 'waiting',
      untilMs: Date.now() + ms,
      listRequests: total.source + total.destination,
      listRequestsPerDay: perDay.source + perDay.destination,
      listCostPerDay: listCostOf(pair, perDay),
    });
    await this.#rest(ms);
  }

  /** Ends early when the watch ends or the pair must be opened again. */
  async #rest(ms: number): Promise<void> {
    const untilMs = performance.now() + ms;
    for (let left = ms; left > 0 && !this.#ended && !this.#stale; left = untilMs - performance.now()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, LONGEST_TIMER_MS));
        const wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.#sleep = { untilMs, wake };
      });
      this.#sleep = undefined;
    }
  }

  /** @throws the fault, if nothing has worked yet and the user must fix something */
  async #pauseAfter(fault: XsyncError): Promise<void> {
    if (this.#ended) return;
    if (!this.#options.among && !this.#everWell && (fault.class !== 'temporary' || fault.code === 'locked'))
      throw fault;
    const times = this.#troubles.failed('polls', fault, performance.now());
    // Opening the pair again may find new credentials, another address or a working connection.
    await this.#pair.close();
    this.#stale = false;
    await this.#rest(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 1)) * (0.5 + Math.random()));
  }
}

/** Goes one way, and deletes on neither side: the next poll does the rest. */
function retrying(options: RunOptions): RunOptions {
  const policy: CopyPolicy = { ...options.policy, mode: 'copy' };
  const without = { deletes: undefined, move: undefined, bounds: undefined, noTraverse: false };
  return { ...options, ...without, command: 'retry', policy, failedBefore: 'try' };
}
