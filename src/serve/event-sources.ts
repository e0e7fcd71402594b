/**
 * Sources of change events by their text. Each is opened once, whatever the number of rules that hear it, and closed when
 * the last of them ends, so that no queue is emptied for nobody.
 * Tests: test/serve/event-sources.test.ts
 */
import type { Changes } from '../engine/watch/watch.js';
import { EventHub } from './events.js';

export interface EventSource {
  changes(signal: AbortSignal): AsyncIterable<Changes>;
  close(): Promise<void>;
}

/** The part of one rule in a source. */
export interface Hearing {
  /** The changes from now on, until the signal fires. */
  read(signal: AbortSignal): AsyncIterable<Changes>;
  leave(): Promise<void>;
}

export interface EventSourcesMeans {
  /** @throws usage, config */
  open(text: string): Promise<EventSource>;
  /** A source has ended by itself. */
  failed(text: string, error: unknown): void;
}

export class EventSources {
  readonly #means: EventSourcesMeans;
  readonly #shared = new Map<string, Shared>();
  readonly #closing = new Map<string, Promise<void>>();

  constructor(means: EventSourcesMeans) {
    this.#means = means;
  }

  /** @throws as `open`; the next attempt opens it anew */
  async take(text: string): Promise<Hearing> {
    const shared = this.#shared.get(text) ?? new Shared(text, this.#means, this.#closing.get(text));
    this.#shared.set(text, shared);
    shared.listeners++;
    const leave = () => this.#leave(text, shared);
    await shared.opened.catch(async (error) => {
      await leave();
      throw error;
    });
    return { read: (signal) => shared.hub.read(signal), leave };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#shared.values()].map((shared) => shared.close()));
    await Promise.all(this.#closing.values());
  }

  async #leave(text: string, shared: Shared): Promise<void> {
    if (--shared.listeners > 0) return;
    this.#shared.delete(text);
    // Its address may be wanted again at once.
    const closing = shared.close();
    this.#closing.set(text, closing);
    await closing;
    if (this.#closing.get(text) === closing) this.#closing.delete(text);
  }
}

class Shared {
  readonly hub = new EventHub();
  readonly opened: Promise<EventSource>;
  listeners = 0;
  readonly #over = new AbortController();
  #following: Promise<void> | undefined;

  /** @param before what still has to be closed */
  constructor(text: string, { open, failed }: EventSourcesMeans, before: Promise<void> | undefined) {
    this.opened = (async () => {
      await before;
      const source = await open(text);
      this.#following = this.hub
        .follow(source.changes(this.#over.signal))
        .catch((error: unknown) => failed(text, error));
      return source;
    })();
  }

  async close(): Promise<void> {
    this.#over.abort();
    const source = await this.opened.catch(() => undefined);
    await source?.close();
    await this.#following;
  }
}
