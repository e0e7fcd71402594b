/** Finds changes by comparing a listing with what is known. Tests: test/bridge/push/poll.test.ts */
import type { Change, Outbox, OutboxRow } from '../../manifest/queues.js';
import { XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import { compareKeys } from '../../model/key.js';
import { isRewritten, type ObjectEntry, type ObjectInfo } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import type { ObjectCatalog } from '../../store/port.js';
import { provingChecksums } from '../checksums.js';
import { type AttributeStore, digestsOf, type Reading } from './attributes.js';
import { type DeleteLimits, KnownKeys, refuseDeletes } from './known-keys.js';

export interface Polled {
  store: Pick<ObjectCatalog, 'list'> & AttributeStore;
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
  deletes?: DeleteLimits;
  /** The attributes of all objects are read and compared with those that were seen last. */
  compares?: Reading;
}

export interface PollResult {
  listed: number;
  changed: number;
  gone: number;
}

const PAGE = 1000;

function pageOf(outbox: Outbox) {
  return (after: string | undefined): Promise<OutboxRow[]> => outbox.page(after, PAGE);
}

/** @throws guard: more is gone than may be; whatever a listing throws: nothing is deleted then */
export async function poll(polled: Polled, { backfill, first, deletes, compares }: PollOptions): Promise<PollResult> {
  const { outbox } = polled;
  const result: PollResult = { listed: 0, changed: 0, gone: 0 };
  const known = new KnownKeys(pageOf(outbox), (row) => {
    if (isThere(row)) result.gone++;
  });
  let present = 0;
  for await (const entries of pages(polled)) {
    const changes: Change[] = [];
    const before: Change[] = [];
    const keys = entries.map(({ key }) => polled.prefix + key);
    const digests = compares ? await digestsOf(polled.store, keys, compares) : [];
    for (const [index, entry] of entries.entries()) {
      const row = await known.seek(entry.key);
      if (row && isThere(row)) present++;
      const attributes = digests[index];
      const changed = attributes !== undefined && attributes !== row?.attributes;
      if (!changed && !isNews(entry, row, backfill)) continue;
      (first && !backfill && !row ? before : changes).push({ ...changeOf(entry, row), attributes });
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
  if (row.state === 'known') return backfill || entry.mtimeMs !== row.mtimeMs;
  // The same bytes, written again: perhaps with other attributes.
  return isRewritten(entry.mtimeMs, row.mtimeMs);
}

/** @param row with which the object was compared */
function changeOf({ key, etag, size, mtimeMs, versionId }: ObjectEntry, row: OutboxRow | undefined): Change {
  return {
    key,
    action: 'copy',
    etag,
    size,
    mtimeMs,
    ...(versionId !== undefined && { versionId }),
    ...(row &&
      isThere(row) &&
      row.state !== 'known' &&
      sameEtag(etag, row.etag) &&
      size === row.size && { refresh: true }),
    since: row?.revision,
  };
}

/** The same, of an object that was looked at. */
export function changeSeen(info: ObjectInfo, row: OutboxRow | undefined): Change {
  return { ...changeOf(info, row), checksums: provingChecksums(info) };
}

/** The object of a row is gone. */
export function goneOf(row: OutboxRow): Change {
  return {
    ...row,
    action: 'delete',
    checksums: undefined,
    refresh: undefined,
    attributes: undefined,
    since: row.revision,
  };
}

/** A second listing: what it does not have either is gone. It is guarded as the first one, which may have seen more. */
async function noteGone(polled: Polled, limits: DeleteLimits & { known: number }): Promise<void> {
  let [listed, gone] = [0, 0];
  let found: Change[] = [];
  const flush = async (): Promise<void> => {
    await polled.outbox.note(found, 'waiting');
    found = [];
  };
  const known = new KnownKeys(pageOf(polled.outbox), async (row) => {
    if (!isThere(row)) return;
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
