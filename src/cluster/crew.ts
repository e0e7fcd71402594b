/** The workers of a run: who is there, who refuses, and what each has done. */
import type { Reporter } from '../engine/events.js';
import type { CrewSize } from './batch.js';
import type { Client } from './connect.js';
import { keys } from './keys.js';
import { validPresence } from './messages.js';

interface Done {
  objects: number;
  bytes: number;
}

/** How long nobody may be there, or all may refuse, ms. */
const PATIENCE_MS = 10_000;

export class Crew {
  readonly #redis: Pick<Client, 'smembers' | 'get' | 'srem'>;
  readonly #text: string;
  readonly #emit: Reporter;
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #done = new Map<string, Done>();
  readonly #refusing = new Map<string, string>();
  #there: readonly string[] = [];
  #aloneSinceMs: number | undefined;
  #refusedSinceMs: number | undefined;
  #warned = false;

  constructor(redis: Pick<Client, 'smembers' | 'get' | 'srem'>, text: string, emit: Reporter, now = Date.now) {
    this.#redis = redis;
    this.#text = text;
    this.#emit = emit;
    this.#now = now;
    this.#startedMs = now();
  }

  /** Finds out who is there. */
  async look(): Promise<CrewSize> {
    const there: string[] = [];
    let room = 0;
    for (const name of await this.#redis.smembers(keys.workers())) {
      const text = await this.#redis.get(keys.worker(name));
      const presence = text === null ? undefined : validPresence(text);
      if (!presence) await this.#redis.srem(keys.workers(), name);
      else if (!presence.draining) {
        there.push(name);
        room += presence.room;
      }
    }
    this.#there = there;
    const nowMs = this.#now();
    this.#aloneSinceMs = there.length > 0 ? undefined : (this.#aloneSinceMs ?? nowMs);
    const allRefuse = there.length > 0 && there.every((name) => this.#refusing.has(name));
    this.#refusedSinceMs = allRefuse ? (this.#refusedSinceMs ?? nowMs) : undefined;
    return { workers: there.length, room };
  }

  /** Tells once when work waits and nobody comes. */
  warn(waits: boolean): void {
    const alone = waits && this.#isLong(this.#aloneSinceMs);
    if (alone && !this.#warned) {
      const message = `no worker takes jobs from ${this.#text}; start one with "xsync worker --queue"`;
      this.#emit({ type: 'notice', level: 'warn', message });
    }
    this.#warned = alone;
  }

  refused(name: string, reason: string): void {
    if (this.#refusing.get(name) === reason) return;
    this.#refusing.set(name, reason);
    this.#emit({ type: 'notice', level: 'warn', message: `worker ${name} has given its job back: ${reason}` });
  }

  /** Why no worker works, if all that are there refuse. */
  get refusal(): string | undefined {
    return this.#isLong(this.#refusedSinceMs) ? this.#refusing.get(this.#there[0] ?? '') : undefined;
  }

  /** An object or a part was sent. */
  worked(name: string, bytes: number): void {
    this.#refusing.delete(name);
    const done = this.#done.get(name) ?? { objects: 0, bytes: 0 };
    this.#done.set(name, { objects: done.objects + 1, bytes: done.bytes + bytes });
  }

  /** @param waiting jobs that no worker has */
  tell(waiting: number): void {
    const elapsedS = Math.max(1, this.#now() - this.#startedMs) / 1000;
    const workers = [...this.#done].map(([name, { objects, bytes }]) => {
      return { name, objects, bytes, bytesPerSecond: Math.round(bytes / elapsedS) };
    });
    this.#emit({ type: 'fleet', there: this.#there.length, waiting, workers });
  }

  #isLong(sinceMs: number | undefined): boolean {
    return sinceMs !== undefined && this.#now() - sinceMs >= PATIENCE_MS;
  }
}
