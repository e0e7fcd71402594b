/** Finds changes by comparing a listing with what is known. Tests: test/bridge/push/poll.test.ts */
import type { Change, Outbox, OutboxRow } from '../../manifest/queues.js';
import { XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import type { ObjectCatalog } from '../../store/port.js';

export interface Polled {
  store: Pick<ObjectCatalog, 'list'>;
  prefix: string;
  text: string;
  outbox: Outbox;
  signal: AbortSignal;
}

export interface PollOptions {
  /** Whether what was there before the bridge is sent, too. */
  backfill: boolean;
  /** Nothing is known yet: what is found was there before the bridge. */
  first: boolean;
  /** Objects that are gone are deleted at the other end. */
  deletes?: { max?: number; allowEmpty: boolean };
}

export interface PollResult {
  listed: number;
  changed: number;
  gone: number;
}

const PAGE = 1000;
/** Without --max-delete: a quarter of the objects, or this many if that is more. */
const DELETES = 1000;

/** @throws guard: more is gone than may be; whatever a listing throws: nothing is deleted then */
export async function poll(polled: Polled, { backfill, first, deletes }: PollOptions): Promise<PollResult> {
  const { outbox } = polled;
  const result: PollResult = { listed: 0, changed: 0, gone: 0 };
  const known = new Rows(outbox, () => {
    result.gone++;
  });
  let present = 0;
  for await (const entries of pages(polled)) {
    const changes: Change[] = [];
    const before: Change[] = [];
    for (const entry of entries) {
      const row = await known.seek(entry.key);
      if (row && isThere(row)) present++;
      if (isNews(entry, row, backfill)) (first && !backfill && !row ? before : changes).push(changeOf(entry, row));
    }
    result.listed += entries.length;
    result.changed += changes.length;
    await outbox.note(before, 'known');
    await outbox.note(changes, 'waiting');
  }
  await known.rest();
  if (deletes && result.gone > 0) {
    const all = { known: present + result.gone, ...deletes };
    refuseDeletes(polled.text, result, all);
    await noteGone(polled, all);
  }
  return result;
}

function isThere(row: OutboxRow): boolean {
  return row.action === 'copy';
}

function isNews(entry: ObjectEntry, row: OutboxRow | undefined, backfill: boolean): boolean {
  // What cannot be read, as an archived object, is given up by the other end, so that somebody learns of it.
  if (entry.special === 'other') return false;
  if (!row || !isThere(row) || !sameEtag(entry.etag, row.etag) || entry.size !== row.size) return true;
  // The other end may not have what was never sent, so that the same bytes, written again, are news.
  return row.state === 'known' && (backfill || entry.mtimeMs !== row.mtimeMs);
}

/** @param row with which the object was compared */
export function changeOf({ key, etag, size, mtimeMs, versionId }: ObjectEntry, row: OutboxRow | undefined): Change {
  return {
    key,
    action: 'copy',
    etag,
    size,
    mtimeMs,
    ...(versionId !== undefined && { versionId }),
    since: row?.revision,
  };
}

/** The object of a row is gone. */
export function goneOf(row: OutboxRow): Change {
  return { ...row, action: 'delete', since: row.revision };
}

type Limits = NonNullable<PollOptions['deletes']> & { known: number };

/** @throws guard */
function refuseDeletes(
  text: string,
  { listed, gone }: Pick<PollResult, 'listed' | 'gone'>,
  { max, allowEmpty, known }: Limits,
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

/** A second listing: what it does not have either is gone. It is guarded as the first one, which may have seen more. */
async function noteGone(polled: Polled, limits: Limits): Promise<void> {
  let [listed, gone] = [0, 0];
  let found: Change[] = [];
  const flush = async (): Promise<void> => {
    await polled.outbox.note(found, 'waiting');
    found = [];
  };
  const known = new Rows(polled.outbox, async (row) => {
    refuseDeletes(polled.text, { listed, gone: ++gone }, limits);
    found.push(goneOf(row));
    if (found.length === PAGE) await flush();
  });
  for await (const entries of pages(polled)) {
    listed += entries.length;
    for (const { key } of entries) await known.seek(key);
  }
  await known.rest();
  await flush();
}

/** In key order, keys relative to the prefix. @throws invalid-response: out of order */
async function* pages({ store, prefix, text, signal }: Polled): AsyncGenerator<ObjectEntry[]> {
  const guard = new PageGuard(text);
  let token: string | undefined;
  let last: string | undefined;
  do {
    const page = await store.list({ prefix, token, signal });
    if (page.unlisted?.length || page.damaged?.length) throw incomplete(text);
    for (const { key } of page.entries) {
      if (last !== undefined && compareKeys(last, key) >= 0) throw unordered(text, key);
      last = key;
    }
    token = page.nextToken;
    guard.follow({ first: page.entries[0]?.key, last: page.entries.at(-1)?.key, token });
    yield page.entries
      .filter(({ key }) => key.length > prefix.length)
      .map((entry) => ({ ...entry, key: entry.key.slice(prefix.length) }));
  } while (token !== undefined);
}

function incomplete(text: string): XsyncError {
  return new XsyncError('invalid-response', `the listing of ${text} is incomplete`, { subject: text });
}

function unordered(text: string, key: string): XsyncError {
  const message = `${text} lists ${JSON.stringify(key)} out of order, which a bridge cannot compare`;
  return new XsyncError('unsupported', message, { subject: text, remedy: 'Send the changes as events (--events).' });
}

/** The known objects, read along with a listing. */
class Rows {
  readonly #outbox: Outbox;
  readonly #gone: (row: OutboxRow) => Promise<void> | void;
  #page: OutboxRow[] = [];
  #at = 0;
  #after: string | undefined;
  #ended = false;

  /** @param gone called for each object that is known, and passed by the listing */
  constructor(outbox: Outbox, gone: (row: OutboxRow) => Promise<void> | void) {
    this.#outbox = outbox;
    this.#gone = gone;
  }

  /** The row of a key. Those before it are passed. */
  async seek(key: string): Promise<OutboxRow | undefined> {
    for (;;) {
      const row = await this.#first();
      const order = row === undefined ? 1 : compareKeys(row.key, key);
      if (row === undefined || order > 0) return undefined;
      this.#at++;
      if (order === 0) return row;
      await this.#pass(row);
    }
  }

  /** The listing has ended. */
  async rest(): Promise<void> {
    for (let row = await this.#first(); row; row = await this.#first()) {
      this.#at++;
      await this.#pass(row);
    }
  }

  async #pass(row: OutboxRow): Promise<void> {
    if (isThere(row)) await this.#gone(row);
  }

  async #first(): Promise<OutboxRow | undefined> {
    if (this.#at >= this.#page.length && !this.#ended) {
      this.#page = await this.#outbox.page(this.#after, PAGE);
      this.#at = 0;
      this.#after = this.#page.at(-1)?.key;
      this.#ended = this.#page.length < PAGE;
    }
    return this.#page[this.#at];
  }
}
