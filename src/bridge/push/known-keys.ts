/**
 * What a pushing end knows, beside what a listing has; and how much of it may be gone. Tests: test/bridge/push/poll.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';

/** What the pushing end may delete at once. */
export interface DeleteLimits {
  max?: number;
  allowEmpty: boolean;
}

/** Without --max-delete: a quarter of the objects, or this many if that is more. */
const DELETES = 1000;

/** @throws guard */
export function refuseDeletes(
  text: string,
  { listed, gone }: { listed: number; gone: number },
  { max, allowEmpty, known }: DeleteLimits & { known: number },
): void {
  if (listed === 0 && !allowEmpty) {
    throw new XsyncError('guard', `${text} has become empty; nothing is deleted at the other end`, {
      subject: text,
      remedy: 'Check the source. If it is right, add --allow-empty-source.',
    });
  }
  const most = max ?? Math.max(DELETES, Math.floor(known / 4));
  if (gone <= most) return;
  throw new XsyncError(
    'guard',
    `${gone} of ${known} objects are gone from ${text}; nothing is deleted at the other end`,
    {
      subject: text,
      remedy: `Check the source. If it is right, add --max-delete ${gone}.`,
    },
  );
}

/** The known objects, read along with a listing. */
export class KnownKeys<T extends { key: string }> {
  readonly #pageAfter: (key: string | undefined) => Promise<T[]>;
  readonly #gone: (row: T) => Promise<void> | void;
  #page: T[] = [];
  #at = 0;
  #after: string | undefined;
  #ended = false;

  /**
   * @param pageAfter rows in key order; none: there are no more
   * @param gone called for each object that is known, and passed by the listing
   */
  constructor(pageAfter: (key: string | undefined) => Promise<T[]>, gone: (row: T) => Promise<void> | void) {
    this.#pageAfter = pageAfter;
    this.#gone = gone;
  }

  /** The row of a key. Those before it are passed. */
  async seek(key: string): Promise<T | undefined> {
    for (;;) {
      const row = await this.#first();
      const order = row === undefined ? 1 : compareKeys(row.key, key);
      if (row === undefined || order > 0) return undefined;
      this.#at++;
      if (order === 0) return row;
      await this.#gone(row);
    }
  }

  /** The listing has ended. */
  async rest(): Promise<void> {
    for (let row = await this.#first(); row; row = await this.#first()) {
      this.#at++;
      await this.#gone(row);
    }
  }

  async #first(): Promise<T | undefined> {
    if (this.#at >= this.#page.length && !this.#ended) {
      this.#page = await this.#pageAfter(this.#after);
      this.#at = 0;
      this.#after = this.#page.at(-1)?.key;
      this.#ended = this.#page.length === 0;
    }
    return this.#page[this.#at];
  }
}
