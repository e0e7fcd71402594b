import type { Readable } from 'node:stream';
import { linesOf } from '../model/lines.js';
import { readBody } from './body.js';
import { type ChangeBatch, type ChangeEvent, type Feed, type FeedCounts, Trouble } from './feed.js';
import { Inbox } from './inbox.js';
import { BodyFault } from './reading.js';

export interface LinesLimits {
  lineBytes: number;
  /** Maximum number of events in memory that are not done; reading stops there. */
  events: number;
  /** Pause before released events are delivered again, in milliseconds. */
  againMs: number;
}

const LIMITS: LinesLimits = { lineBytes: 1024 * 1024, events: 10_000, againMs: 5_000 };

/** Events from standard input, one per line: JSON if the line starts with a brace, otherwise a key. */
export class Lines implements Feed {
  readonly name = 'standard input';
  readonly counts: FeedCounts = { events: 0, ignored: 0, refused: 0 };
  onTrouble?: (message: string | undefined) => void;
  readonly #input: Readable;
  readonly #limits: LinesLimits;
  readonly #inbox: Inbox;
  readonly #trouble = new Trouble((message) => this.onTrouble?.(message));

  constructor(input: Readable, limits: Partial<LinesLimits> = {}) {
    this.#input = input;
    this.#limits = { ...LIMITS, ...limits };
    this.#inbox = new Inbox({ limit: this.#limits.events, againMs: this.#limits.againMs });
  }

  async start(): Promise<string> {
    return 'receiving events from standard input, one per line';
  }

  async *batches(signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    const reading = this.#read(signal);
    try {
      yield* this.#inbox.batches(signal);
    } finally {
      await this.close();
      await reading;
    }
  }

  async close(): Promise<void> {
    this.#inbox.close();
    this.#input.destroy();
  }

  async #read(signal: AbortSignal): Promise<void> {
    let number = 0;
    try {
      for await (const line of linesOf(this.#input, this.#limits.lineBytes)) {
        number++;
        if (!(await this.#inbox.put(this.#eventsOf(line, number), signal))) return;
      }
    } catch (error) {
      // Destroyed by close() is not an error.
      if (!this.#input.destroyed || this.#input.errored) this.#trouble.is(`standard input: ${String(error)}`);
    } finally {
      this.#inbox.end();
    }
  }

  #eventsOf(line: Buffer | undefined, number: number): readonly ChangeEvent[] {
    try {
      if (line === undefined) throw new BodyFault(`is longer than ${this.#limits.lineBytes} bytes`);
      const { events, ignored, notice } = readLine(line);
      this.counts.events += events.length;
      this.counts.ignored += ignored;
      if (notice !== undefined) this.#trouble.is(notice);
      else if (events.length > 0) this.#trouble.over();
      return events;
    } catch (error) {
      if (!(error instanceof BodyFault)) throw error;
      this.counts.refused++;
      this.#trouble.is(`standard input: line ${number} ${error.message}; skipped`);
      return [];
    }
  }
}

function readLine(line: Buffer): ReturnType<typeof readBody> {
  const text = decode(line);
  if (text.startsWith('{')) return readBody(text);
  if (text === '' || text === '\r') return { events: [], ignored: 0 };
  if (text.endsWith('\r')) {
    throw new BodyFault('ends in a carriage return: end lines with only a newline, or write the event as JSON');
  }
  // `created` also stands for changed and removed: the reader checks the key in the store.
  return { events: [{ key: text, kind: 'created' }], ignored: 0 };
}

function decode(line: Buffer): string {
  try {
    // A byte order mark belongs to the key.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    throw new BodyFault('is not UTF-8');
  }
}
