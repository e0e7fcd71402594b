/**
 * Notifications by POST, one event per request. Runs do not wait: events are queued in memory, and when the queue is
 * full, the oldest are dropped. Several requests are sent concurrently, so events may arrive out of order; each may
 * arrive twice, with the same ID.
 */
import { VERSION } from '../version.js';
import { type ReplicationEvent, textOf } from './replication-event.js';
import { signatureOf } from './signature.js';
import type { Target, TargetCounts, Warn } from './target.js';

export interface WebhookOptions {
  url: URL;
  /** Signs the events. */
  secret?: string;
  warn: Warn;
  limits?: Partial<WebhookLimits>;
  now?: () => number;
  random?: () => number;
}

export interface WebhookLimits {
  /** Events in memory. */
  queued: number;
  /** Concurrent requests. */
  inFlight: number;
  /** Per event. With the pauses, about eight minutes. */
  attempts: number;
  /** Before the second attempt, ms; doubles with each attempt. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** From connecting to the response headers, ms. */
  timeoutMs: number;
}

const LIMITS: WebhookLimits = {
  queued: 10_000,
  inFlight: 8,
  attempts: 13,
  firstPauseMs: 500,
  longestPauseMs: 60_000,
  timeoutMs: 10_000,
};
/** Statuses that are retried, besides every 5xx. */
const TEMPORARY = [408, 425, 429];

interface Delivery {
  id: string;
  body: string;
  attempts: number;
}

interface Answer {
  ok: boolean;
  again: boolean;
  why: string;
  /** From Retry-After, ms. */
  pauseMs?: number;
}

export class Webhook implements Target {
  readonly counts: TargetCounts = { kind: 'webhook', delivered: 0, dropped: 0, queued: 0 };
  readonly #options: WebhookOptions;
  readonly #limits: WebhookLimits;
  readonly #now: () => number;
  readonly #queue: Delivery[] = [];
  readonly #idle: (() => void)[] = [];
  readonly #pauses = new Set<() => void>();
  readonly #posts = new Set<AbortController>();
  #inFlight = 0;
  #closing = false;
  /** The time to close is over. */
  #over = false;
  #saidFull = false;
  #lastRefusal = '';
  #lastFault = '';

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#now = options.now ?? Date.now;
  }

  /** Without path and query, which often contain the secret. */
  get name(): string {
    return this.#options.url.origin;
  }

  send(event: ReplicationEvent): void {
    this.#queue.push({ id: event.id, body: textOf(event), attempts: 0 });
    this.counts.queued++;
    if (this.#queue.length > this.#limits.queued) this.#giveUpOldest();
    if (this.#inFlight < this.#limits.inFlight) void this.#work();
  }

  async close(withinMs: number): Promise<void> {
    this.#closing = true;
    for (const wake of this.#pauses) wake();
    if (this.#inFlight > 0) {
      const timer = setTimeout(() => this.#end(), withinMs);
      await new Promise<void>((resolve) => this.#idle.push(resolve));
      clearTimeout(timer);
    }
    const { queued, dropped } = this.counts;
    const lost = queued + dropped;
    if (lost === 0) return;
    const why = this.#lastFault && `: ${this.#lastFault}`;
    this.#options.warn(
      `--notify: ${lost} ${lost === 1 ? 'event was' : 'events were'} not delivered to ${this.name}${why}`,
    );
  }

  #end(): void {
    this.#over = true;
    for (const wake of this.#pauses) wake();
    for (const post of this.#posts) post.abort();
  }

  #giveUpOldest(): void {
    this.#queue.shift();
    this.#drop();
    if (this.#saidFull) return;
    this.#saidFull = true;
    const why = this.#lastFault && ` (${this.#lastFault})`;
    this.#options.warn(
      `--notify: ${this.name} accepts events more slowly than they occur${why}; the oldest events are dropped`,
    );
  }

  #drop(): void {
    this.counts.queued--;
    this.counts.dropped++;
  }

  /** Delivers until nothing is queued. */
  async #work(): Promise<void> {
    this.#inFlight++;
    for (let next = this.#queue.shift(); next && !this.#over; next = this.#queue.shift()) {
      await this.#deliver(next);
    }
    this.#inFlight--;
    if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #deliver(delivery: Delivery): Promise<void> {
    while (!this.#over) {
      delivery.attempts++;
      const answer = await this.#post(delivery);
      if (answer.ok) {
        this.counts.queued--;
        this.counts.delivered++;
        return;
      }
      this.#lastFault = answer.why;
      if (!answer.again) this.#sayRefused(answer.why);
      if (!answer.again || delivery.attempts >= this.#limits.attempts) return this.#drop();
      await this.#pause(delivery.attempts, answer.pauseMs);
    }
  }

  #sayRefused(why: string): void {
    if (why === this.#lastRefusal) return;
    this.#lastRefusal = why;
    this.#options.warn(`--notify: ${this.name} refuses events: ${why}`);
  }

  async #post({ id, body }: Delivery): Promise<Answer> {
    const { url, secret } = this.#options;
    const { timeoutMs } = this.#limits;
    const post = new AbortController();
    const timer = setTimeout(() => post.abort(), timeoutMs);
    this.#posts.add(post);
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        signal: post.signal,
        headers: {
          'content-type': 'application/json',
          'user-agent': `xsync/${VERSION}`,
          'x-xsync-delivery': id,
          ...(secret !== undefined && { 'x-xsync-signature': signatureOf(secret, body, this.#now()) }),
        },
      });
      await response.body?.cancel();
      return this.#answerOf(response);
    } catch (error) {
      const why = post.signal.aborted ? 'it did not respond in time' : reasonOf(error);
      return { ok: false, again: true, why };
    } finally {
      clearTimeout(timer);
      this.#posts.delete(post);
    }
  }

  #answerOf({ status, ok, headers }: Response): Answer {
    // Following it would send the event to a host that the user did not name.
    const redirects = status >= 300 && status < 400;
    const why = `it answered ${status}${redirects ? ', a redirect, which is not followed: use its target instead' : ''}`;
    const retryAfterS = Number(headers.get('retry-after') ?? Number.NaN);
    const pauseMs = retryAfterS >= 0 ? Math.min(this.#limits.longestPauseMs, retryAfterS * 1000) : undefined;
    return { ok, again: status >= 500 || TEMPORARY.includes(status), why, pauseMs };
  }

  /** Doubles with jitter, so that concurrent failures do not retry at the same time. Short while closing. */
  async #pause(attempts: number, askedMs = 0): Promise<void> {
    const { firstPauseMs, longestPauseMs } = this.#limits;
    const { random = Math.random } = this.#options;
    const most = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempts - 1));
    const ms = this.#closing ? Math.min(most, firstPauseMs) : Math.max(askedMs, most * (0.5 + random() / 2));
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#pauses.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#pauses.add(wake);
    });
  }
}

/** The error of `fetch` has the reason as its cause. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as { cause?: unknown };
  return cause instanceof Error && cause.message ? cause.message : String(cause);
}
