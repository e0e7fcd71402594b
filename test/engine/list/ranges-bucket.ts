/** A bucket of names alone, whose pages come when the test says. */
import { RangeListing, type RangeSettings } from '../../../src/engine/list/ranges.js';
import type { RowsAfter } from '../../../src/engine/list/ranges-hints.js';
import { compareKeys } from '../../../src/model/key.js';
import type { ObjectEntry } from '../../../src/model/object.js';
import { cutPage } from '../../../src/store/memory/listing.js';
import type { ListOptions, ListPage } from '../../../src/store/port.js';

export interface BucketOptions {
  pageSize?: number;
  /** The start-after that the store takes for the one it was given. */
  startAfter?: (key: string, keys: readonly string[]) => string;
  /** Which of the waiting pages comes next; the oldest when absent. */
  pick?: (waiting: number) => number;
}

export interface Outcome {
  keys: string[];
  requests: number;
  /** Of them with a delimiter. */
  probes: number;
  /** Round trips one after another, if all pages in flight come at once. */
  turns: number;
  notices: string[];
}

export class Bucket {
  readonly keys: readonly string[];
  readonly #options: BucketOptions;
  #waiting: (() => void)[] = [];
  requests = 0;
  probes = 0;
  /** Throws instead of the page of this request, from 1. */
  failing = 0;

  constructor(keys: Iterable<string>, options: BucketOptions = {}) {
    this.keys = [...new Set(keys)].sort(compareKeys);
    this.#options = options;
  }

  /** What a manifest with these keys says. */
  rows(): RowsAfter {
    return rowsOf(this.keys);
  }

  list = (options: ListOptions): Promise<ListPage> => {
    const number = ++this.requests;
    if (options.delimiter !== undefined) this.probes++;
    return new Promise((resolve, reject) => {
      this.#waiting.push(() =>
        number === this.failing ? reject(new Error('no answer')) : resolve(this.#page(options)),
      );
    });
  };

  async all(settings: Partial<RangeSettings> = {}, prefix = ''): Promise<Outcome> {
    const outcome: Outcome = { keys: [], requests: 0, probes: 0, turns: 0, notices: [] };
    const onInexact = (why: string): void => void outcome.notices.push(why);
    const listing = new RangeListing(this.list, prefix, { concurrency: 32, onInexact, ...settings });
    let done = false;
    const reading = (async () => {
      for await (const page of listing.pages()) {
        outcome.keys.push(...page.map(({ key }) => key));
      }
    })().finally(() => {
      done = true;
    });
    reading.catch(() => undefined);
    for (await settled(); !done; await settled()) {
      outcome.turns++;
      this.#answer();
    }
    await reading;
    return { ...outcome, requests: this.requests, probes: this.probes };
  }

  /** Takes so many pages and no more; returns how many are fetched all the same. */
  async ahead(pages: number): Promise<number> {
    const listing = new RangeListing(this.list, '', { concurrency: 32, onInexact: () => undefined }).pages();
    for (let i = 0; i < pages; i++) {
      const next = listing.next();
      let taken = false;
      void next.then(() => {
        taken = true;
      });
      for (await settled(); !taken; await settled()) this.#answer();
    }
    const before = this.requests - this.#waiting.length;
    for (await settled(); this.#waiting.length > 0; await settled()) this.#answer();
    return this.requests - before;
  }

  #answer(): void {
    const { pick } = this.#options;
    if (pick) this.#waiting.splice(pick(this.#waiting.length), 1)[0]?.();
    else for (const answer of this.#waiting.splice(0)) answer();
  }

  #page({ prefix = '', delimiter = '', token, startAfter = '' }: ListOptions): ListPage {
    const { pageSize: maxKeys = 1000, startAfter: inexact } = this.#options;
    const after = token ?? (inexact && startAfter !== '' ? inexact(startAfter, this.keys) : startAfter);
    const { keys, prefixes, last } = cutPage(this.keys, { prefix, delimiter, after, maxKeys, order: compareKeys });
    const entries = keys.map((key): ObjectEntry => ({ key, size: 1, etag: key, mtimeMs: 0, checksums: {} }));
    return { entries, prefixes, ...(last === undefined ? {} : { nextToken: last }) };
  }
}

export function rowsOf(sorted: readonly string[]): RowsAfter {
  return (after, rows) => {
    const from = after === undefined ? 0 : sorted.findIndex((key) => compareKeys(key, after) > 0);
    const [last, next] = from < 0 ? [] : sorted.slice(from + rows - 1, from + rows + 1);
    return last === undefined || next === undefined ? undefined : { last, next };
  };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
