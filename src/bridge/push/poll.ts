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
  /** What was there before the bridge is not sent: the first poll only takes note of it. */
  baseline: boolean;
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
export async function poll(polled: Polled, { baseline, deletes }: PollOptions): Promise<PollResult> {
  const { outbox } = polled;
  const known = new Rows(outbox);
  const result: PollResult = { listed: 0, changed: 0, gone: 0 };
  let present = 0;
  for await (const entries of pages(polled)) {
    const changes: Change[] = [];
    for (const entry of entries) {
      const { row, passed } = await known.seek(entry.key);
      result.gone += passed.filter(isThere).length;
      if (row && isThere(row)) present++;
      if (isNews(entry, row)) changes.push(changeOf(entry));
    }
    result.listed += entries.length;
    result.changed += changes.length;
    await outbox.note(changes, baseline ? 'done' : 'waiting');
  }
  result.gone += (await known.rest()).filter(isThere).length;
  if (deletes && result.gone > 0) {
    refuseDeletes(polled.text, { ...result, known: present + result.gone }, deletes);
    await noteGone(polled);
  }
  return result;
}

function isThere(row: OutboxRow): boolean {
  return row.action === 'copy';
}

function isNews(entry: ObjectEntry, row: OutboxRow | undefined): boolean {
  if (entry.special !== undefined && entry.special !== 'appendable') return false;
  return !row || !isThere(row) || !sameEtag(entry.etag, row.etag) || entry.size !== row.size;
}

export function changeOf({ key, etag, size, mtimeMs, versionId }: ObjectEntry): Change {
  return { key, action: 'copy', etag, size, mtimeMs, ...(versionId !== undefined && { versionId }) };
}

/** @throws guard */
function refuseDeletes(
  text: string,
  { listed, gone, known }: PollResult & { known: number },
  { max, allowEmpty }: NonNullable<PollOptions['deletes']>,
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

/** A second listing: what it does not have either is gone. */
async function noteGone(polled: Polled): Promise<void> {
  const known = new Rows(polled.outbox);
  const gone = async (rows: readonly OutboxRow[]): Promise<void> => {
    const changes = rows.filter(isThere).map((row): Change => ({ ...row, action: 'delete' }));
    await polled.outbox.note(changes, 'waiting');
  };
  for await (const entries of pages(polled)) {
    const passed: OutboxRow[] = [];
    for (const { key } of entries) passed.push(...(await known.seek(key)).passed);
    await gone(passed);
  }
  await gone(await known.rest());
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
  #page: OutboxRow[] = [];
  #at = 0;
  #after: string | undefined;
  #ended = false;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** The row of a key, and those before it that were passed. */
  async seek(key: string): Promise<{ row: OutboxRow | undefined; passed: OutboxRow[] }> {
    const passed: OutboxRow[] = [];
    for (;;) {
      const row = await this.#first();
      const order = row === undefined ? 1 : compareKeys(row.key, key);
      if (row === undefined || order > 0) return { row: undefined, passed };
      this.#at++;
      if (order === 0) return { row, passed };
      passed.push(row);
    }
  }

  async rest(): Promise<OutboxRow[]> {
    const rows: OutboxRow[] = [];
    for (let row = await this.#first(); row; row = await this.#first()) {
      rows.push(row);
      this.#at++;
    }
    return rows;
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
