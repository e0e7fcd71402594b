/**
 * Stragglers: a part that is far slower than its siblings is requested a second time, on another connection. The first
 * request to finish wins and the other is aborted. The raced half of the part (its read, or its write) ends only when
 * both requests have ended. The bytes that the loser moved are waste, which is limited by a budget.
 */
import type { Pace } from '../../store/port.js';

/** At least this many siblings, and as many as are in flight, must have finished to compare a part with them. */
const SIBLINGS = 4;
/** Only the latest siblings count, because older ones describe the line as it was. */
const LATEST = 64;
/** At its pace so far, a straggler will have taken this many times as long as its siblings. */
const SLOWER = 2;
/** Its pace counts after this share of the time that they took. */
const KNOWN = 0.5;
/** Least expected gain of a second request. */
const GAIN_MS = 1000;
/** The share of the bytes moved by a run that may be wasted. */
const WASTE = 0.05;
const CHECK_MS = 500;

/** One of the two requests for a half of a part. */
export interface Attempt {
  signal: AbortSignal;
  pace: Pace;
}

export type Request<T> = (attempt: Attempt) => Promise<T>;

/** A half of a part: its read or its write. */
export interface Half<T> {
  /** Bytes. */
  size: number;
  siblings: Siblings;
  /** Aborts both requests. */
  signal: AbortSignal;
  first: Request<T>;
  /** A second request for the same half; undefined if none may be made now. Called when one is wanted. */
  second(): Request<T> | undefined;
  /** Releases the result of a request that finished second. */
  drop?(brought: T): void;
  /** Counts each byte once, whichever request moves it. */
  pace: Pace;
}

export interface RaceResult<T> {
  brought: T;
  /** Only when there was a race; `wasted` bytes. */
  race?: { won: 'first' | 'second'; wasted: number };
}

/** Runs halves of parts, checks them periodically for stragglers, and limits the bytes that a run wastes. */
export class Races {
  readonly now: () => number;
  readonly #watched = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #moved = 0;
  #spent = 0;
  /** Second requests in flight. */
  #running = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  get running(): number {
    return this.#running;
  }

  /** A part of this many bytes has arrived. */
  add(bytes: number): void {
    this.#moved += bytes;
  }

  /** Runs a half of a part, with a second request if it is a straggler. @throws the error if no request succeeded */
  async run<T>(half: Half<T>): Promise<RaceResult<T>> {
    const contest = new Contest(half, this);
    const check = (): void => contest.check();
    this.#watched.add(check);
    this.#timer ??= setInterval(() => this.#checkAll(), CHECK_MS).unref();
    try {
      return await contest.run();
    } finally {
      this.#watched.delete(check);
      if (this.#watched.size === 0) this.#rest();
    }
  }

  /**
   * Reserves the bytes that a race over a part of `size` may waste, until `close`; undefined if the budget is too small.
   * @param moved bytes of the first request, wasted if the second wins
   */
  stake(size: number, moved: number): number | undefined {
    const left = (this.#moved + size) * WASTE - this.#spent;
    const stake = Math.min(size, Math.floor(left));
    if (stake <= 0 || moved > stake) return undefined;
    this.#spent += stake;
    this.#running++;
    return stake;
  }

  close(stake: number, wasted: number): void {
    this.#spent += wasted - stake;
    this.#running--;
  }

  #checkAll(): void {
    for (const check of this.#watched) check();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** How long the same half took for the object's other parts. */
export class Siblings {
  readonly #took: number[] = [];
  #finished = 0;
  #running = 0;

  begin(): void {
    this.#running++;
  }

  /** @param ms absent if it failed: failures are not counted */
  end(ms?: number): void {
    this.#running--;
    if (ms === undefined) return;
    this.#took[this.#finished++ % LATEST] = ms;
  }

  /** Undefined while too few have finished, because the fast ones finish first. */
  get medianMs(): number | undefined {
    if (this.#finished < Math.max(SIBLINGS, Math.min(this.#running, LATEST))) return undefined;
    return [...this.#took].sort((a, b) => a - b)[this.#took.length >> 1];
  }
}

/** A request in flight. */
class Runner {
  readonly abort = new AbortController();
  readonly won: 'first' | 'second';
  moved = 0;
  movedMs: number;
  running = true;

  constructor(won: 'first' | 'second', nowMs: number) {
    this.won = won;
    this.movedMs = nowMs;
  }
}

class Contest<T> {
  readonly #half: Half<T>;
  readonly #races: Races;
  readonly #startedMs: number;
  readonly #runners: Runner[] = [];
  #seen = 0;
  /** Bytes; undefined until there is a race. */
  #stake: number | undefined;
  #winner: { runner: Runner; brought: T } | undefined;
  #fault: { error: unknown } | undefined;
  #resolve: (result: RaceResult<T>) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(half: Half<T>, races: Races) {
    this.#half = half;
    this.#races = races;
    this.#startedMs = races.now();
  }

  async run(): Promise<RaceResult<T>> {
    const { signal, siblings, first } = this.#half;
    const abort = (): void => this.#abortAll();
    signal.addEventListener('abort', abort);
    siblings.begin();
    let tookMs: number | undefined;
    try {
      const finished = new Promise<RaceResult<T>>((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      });
      this.#start('first', first);
      const result = await finished;
      tookMs = this.#races.now() - this.#startedMs;
      return result;
    } finally {
      siblings.end(tookMs);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Starts the second request if the first has fallen behind and there is anything to gain. */
  check(): void {
    const [first] = this.#runners;
    if (this.#runners.length > 1 || !first?.running || !this.#isBehind(first)) return;
    const { size } = this.#half;
    const stake = this.#races.stake(size, first.moved);
    if (stake === undefined) return;
    const second = this.#half.second();
    if (second) {
      this.#stake = stake;
      this.#start('second', second);
    } else {
      this.#races.close(stake, 0);
    }
  }

  /** Expects a request that has stalled for a while to stall for as long again. */
  #isBehind({ moved, movedMs }: Runner): boolean {
    const { medianMs } = this.#half.siblings;
    if (medianMs === undefined) return false;
    const now = this.#races.now();
    const tookMs = now - this.#startedMs;
    if (tookMs < KNOWN * medianMs) return false;
    const leftMs = moved === 0 ? tookMs : (tookMs * (this.#half.size - moved)) / moved;
    if (tookMs + leftMs < SLOWER * medianMs) return false;
    return Math.max(leftMs, now - movedMs) - medianMs > GAIN_MS;
  }

  #start(won: Runner['won'], request: Request<T>): void {
    const runner = new Runner(won, this.#races.now());
    this.#runners.push(runner);
    if (this.#half.signal.aborted) runner.abort.abort();
    request({ signal: runner.abort.signal, pace: (bytes) => this.#moved(runner, bytes) }).then(
      (brought) => this.#arrived(runner, brought),
      (error: unknown) => this.#failed(runner, error),
    );
  }

  #moved(runner: Runner, bytes: number): ReturnType<Pace> {
    runner.moved += bytes;
    runner.movedMs = this.#races.now();
    if (this.#stake !== undefined && runner.moved > this.#stake) this.#decide(runner);
    const fresh = runner.moved - this.#seen;
    if (fresh <= 0) return undefined;
    this.#seen = runner.moved;
    return this.#half.pace(fresh);
  }

  /** The leader has moved more than may be wasted, so it must win: aborts the other. */
  #decide(leader: Runner): void {
    for (const runner of this.#runners) if (runner !== leader && runner.running) runner.abort.abort();
  }

  #arrived(runner: Runner, brought: T): void {
    runner.running = false;
    if (this.#winner) this.#half.drop?.(brought);
    else {
      this.#winner = { runner, brought };
      this.#abortAll();
    }
    this.#finish();
  }

  /** Of two faults, keeps that of the request that was not aborted. */
  #failed(runner: Runner, error: unknown): void {
    runner.running = false;
    if (!this.#fault || !runner.abort.signal.aborted) this.#fault = { error };
    this.#finish();
  }

  #abortAll(): void {
    for (const { running, abort } of this.#runners) if (running) abort.abort();
  }

  #finish(): void {
    if (this.#runners.some(({ running }) => running)) return;
    const winner = this.#winner;
    const loser = this.#runners.find((runner) => runner !== winner?.runner);
    const wasted = loser?.moved ?? 0;
    if (this.#stake !== undefined) this.#races.close(this.#stake, wasted);
    if (!winner) this.#reject(this.#fault?.error);
    else if (this.#stake === undefined) this.#resolve({ brought: winner.brought });
    else this.#resolve({ brought: winner.brought, race: { won: winner.runner.won, wasted } });
  }
}
