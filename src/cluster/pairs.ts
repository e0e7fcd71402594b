/** The pairs that a worker has open. */
import { EtagTrust } from '../engine/transfer/etag-trust.js';
import type { FarSides, OpenSides } from './job-run.js';
import type { Terms } from './messages.js';

/** A pair that nobody has used for so long is closed, ms. */
const IDLE_MS = 300_000;

interface Entry {
  opening: Promise<OpenSides>;
  users: number;
  timer?: NodeJS.Timeout;
}

export class Pairs {
  readonly #open: (terms: Terms) => Promise<FarSides>;
  readonly #entries = new Map<string, Entry>();

  /** @param open opens both sides, by the worker's own config */
  constructor(open: (terms: Terms) => Promise<FarSides>) {
    this.#open = open;
  }

  /** `release` must follow. @throws what opening throws */
  open(terms: Terms): Promise<OpenSides> {
    const name = JSON.stringify(terms);
    const entry = this.#entries.get(name) ?? { opening: this.#opened(terms), users: 0 };
    this.#entries.set(name, entry);
    clearTimeout(entry.timer);
    entry.users++;
    // The next job tries again.
    entry.opening.catch(() => this.#entries.get(name) === entry && this.#entries.delete(name));
    return entry.opening;
  }

  async #opened(terms: Terms): Promise<OpenSides> {
    const etags = { source: new EtagTrust(), dest: new EtagTrust() };
    return { ...(await this.#open(terms)), etags, refusals: new Map() };
  }

  release(terms: Terms): void {
    const name = JSON.stringify(terms);
    const entry = this.#entries.get(name);
    if (!entry || --entry.users > 0) return;
    entry.timer = setTimeout(() => void this.#drop(name), IDLE_MS).unref();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((name) => this.#drop(name)));
  }

  async #drop(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    clearTimeout(entry?.timer);
    await (await entry?.opening)?.close();
  }
}
