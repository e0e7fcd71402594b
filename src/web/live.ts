/**
 * Server-sent events: each listener gets the parts of its page that have changed since it got them last. Nothing is read
 * while nobody listens. Tests: test/web/live.test.ts
 */
import { createHash } from 'node:crypto';

/** A page as the parts that change. */
export interface Parts {
  /** The element around all of them, for when some came or went. */
  whole: Part;
  parts: readonly Part[];
}

export interface Part {
  /** Of its element. */
  id: string;
  html: string;
}

/** Equal for pages with the same parts, whatever is in them. */
export function shapeOf({ parts }: Parts): string {
  return createHash('sha256')
    .update(JSON.stringify(parts.map(({ id }) => id)))
    .digest('base64url')
    .slice(0, 12);
}

/** Of Node's server, as far as it is used. */
interface Response {
  readonly destroyed: boolean;
  readonly writableNeedDrain: boolean;
  write(text: string): unknown;
  end(): unknown;
  destroy(): unknown;
  on(event: 'close', heard: () => void): unknown;
}

interface Listener {
  response: Response;
  /** Undefined: the page is gone. */
  read(): Promise<Parts | undefined>;
  /** `shapeOf` the page that the listener has. */
  shape: string;
  /** Looks in a row at which it had not read what it was sent. */
  deaf: number;
  /** By ID; undefined before the first event. */
  sent?: ReadonlyMap<string, string>;
}

/** Between two looks at what has changed. */
const EVERY_MS = 2000;
/** Proxies close a connection that is silent. */
const SILENCE_MS = 15_000;
/** Looks after which somebody who reads nothing is left. */
const PATIENCE = 30;
/** Listeners at the same time. */
const MOST = 32;

export class Live {
  readonly #everyMs: number;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #lookedMs = performance.now();

  constructor(everyMs = EVERY_MS) {
    this.#everyMs = everyMs;
  }

  get full(): boolean {
    return this.#listeners.size >= MOST;
  }

  add(response: Response, page: Pick<Listener, 'read' | 'shape'>): void {
    const listener: Listener = { response, deaf: 0, ...page };
    this.#listeners.add(listener);
    response.on('close', () => this.#listeners.delete(listener));
    response.write('retry: 2000\n\n');
    void this.#send(listener);
    this.#timer ??= setTimeout(() => void this.#round(), this.#everyMs).unref();
  }

  /** Ends all of them. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { response } of this.#listeners) response.end();
    this.#listeners.clear();
  }

  async #round(): Promise<void> {
    for (const listener of [...this.#listeners]) await this.#send(listener);
    const silent = performance.now() - this.#lookedMs >= SILENCE_MS;
    if (silent) {
      this.#lookedMs = performance.now();
      for (const { response } of this.#listeners) if (!response.writableNeedDrain) response.write(':\n\n');
    }
    this.#timer = this.#listeners.size === 0 ? undefined : setTimeout(() => void this.#round(), this.#everyMs).unref();
  }

  async #send(listener: Listener): Promise<void> {
    const { response, sent } = listener;
    if (response.destroyed) return;
    // Who reads slowly gets fewer events, not more memory; who reads nothing makes room for others.
    if (response.writableNeedDrain) {
      if (++listener.deaf >= PATIENCE) response.destroy();
      return;
    }
    listener.deaf = 0;
    // Whoever reads the page itself is told what is wrong.
    const page = await listener.read().catch(() => undefined);
    if (!this.#listeners.has(listener)) return;
    if (!page) {
      this.#listeners.delete(listener);
      response.end();
      return;
    }
    const isOther = sent === undefined && shapeOf(page) !== listener.shape;
    const changed = isOther ? [page.whole] : changedParts(page, sent);
    listener.sent = new Map(page.parts.map(({ id, html }) => [id, html]));
    if (changed.length > 0) response.write(`data: ${JSON.stringify(changed)}\n\n`);
  }
}

/** The parts that differ, or the whole when they are not the same ones as before. */
function changedParts({ whole, parts }: Parts, sent: ReadonlyMap<string, string> | undefined): readonly Part[] {
  if (!sent) return parts;
  const ids = [...sent.keys()];
  const isSame = parts.length === ids.length && parts.every(({ id }, index) => id === ids[index]);
  return isSame ? parts.filter(({ id, html }) => sent.get(id) !== html) : [whole];
}
