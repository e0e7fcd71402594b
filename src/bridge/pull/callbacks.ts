/**
 * Tells pushing ends what became of their tickets, so that they need not ask. Nothing is repeated: what does not arrive is
 * asked for. Tests: test/bridge/callbacks.test.ts
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toXsyncError } from '../../model/error.js';
import type { HttpTransport } from '../../store/http/transport.js';
import { backoff } from '../pace.js';
import { SignedClient } from '../signed-client.js';
import { CALLBACK_PATH, heardBody, MOST_TICKETS, type Told } from '../ticket.js';

export interface CallbacksMeans {
  /** Leads only to addresses that may be connected to. */
  transport: HttpTransport;
  secret(): string | undefined;
  trouble(message: string): void;
}

/** Outcomes that wait for one URL; beyond it, the oldest are left to be asked for. */
const MOST_WAITING = 10_000;
/** Somebody who is slow holds up nobody else, and for no longer than this. */
const ANSWER_MS = 10_000;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

interface Listener {
  waiting: Told[];
  atWork: boolean;
  failures: number;
}

export class Callbacks {
  readonly #means: CallbacksMeans;
  /** By URL. Whoever is told all that there was to tell is forgotten. */
  readonly #listeners = new Map<string, Listener>();
  readonly #closing = new AbortController();
  /** Nobody waits until somebody who is away comes back. */
  readonly #ending = new AbortController();
  readonly #working = new Set<Promise<void>>();

  constructor(means: CallbacksMeans) {
    this.#means = means;
  }

  /** @param url of the pushing end; trusted */
  tell(url: string, outcome: Told): void {
    const one = this.#listeners.get(url) ?? { waiting: [], atWork: false, failures: 0 };
    this.#listeners.set(url, one);
    one.waiting.push(outcome);
    if (one.waiting.length > MOST_WAITING) one.waiting.shift();
    if (one.atWork) return;
    const working = this.#work(url, one);
    this.#working.add(working);
    void working.then(() => this.#working.delete(working));
  }

  /** Tells what is left, once, and then closes. @param withinMs what has not arrived by then is left to be asked for */
  async finish(withinMs: number): Promise<void> {
    this.#ending.abort();
    const timer = setTimeout(() => this.#closing.abort(), withinMs);
    await Promise.all(this.#working);
    clearTimeout(timer);
    this.close();
  }

  close(): void {
    this.#ending.abort();
    this.#closing.abort();
  }

  async #work(url: string, one: Listener): Promise<void> {
    one.atWork = true;
    while (one.waiting.length > 0 && !this.#closing.signal.aborted) {
      const outcomes = one.waiting.splice(0, MOST_TICKETS);
      const fault = await this.#post(url, outcomes).then(() => undefined, toXsyncError);
      if (!fault) one.failures = 0;
      else if (!this.#closing.signal.aborted) await this.#pause(url, one, fault.message);
      if (fault && this.#ending.signal.aborted) break;
    }
    one.atWork = false;
    this.#listeners.delete(url);
  }

  async #post(url: string, outcomes: readonly Told[]): Promise<void> {
    const { transport, secret } = this.#means;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(ANSWER_MS)]);
    await new SignedClient(transport, url, secret, signal).post(CALLBACK_PATH, { outcomes }, heardBody);
  }

  async #pause(url: string, one: Listener, message: string): Promise<void> {
    if (one.failures === 0) {
      this.#means.trouble(
        `outcomes wait until ${new URL(url).host} asks for them, because its callback failed: ${message}`,
      );
    }
    const ms = backoff(one.failures++, FIRST_MS, LONGEST_MS);
    await sleep(ms, undefined, { signal: this.#ending.signal }).catch(() => {});
  }
}
