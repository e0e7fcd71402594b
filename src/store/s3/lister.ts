/**
 * Listings, whichever version of ListObjects the store has, and whatever its rows lack.
 * Tests: test/store/s3/imperfect.test.ts
 */
import { isXsyncError, XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry, ObjectInfo } from '../../model/object.js';
import { inParallel } from '../../model/parallel.js';
import { UNKNOWN_ETAG } from '../http/rows.js';
import type { CallOptions, ListOptions, ListPage } from '../port.js';
import type { ListedPage, Row, S3Calls } from './calls.js';
import { entryOf, type Listed } from './listing.js';
import type { Quirks } from './quirks.js';

/** Marks a token of ours, which holds a key. A store's own token has no NUL. */
const MARKER = '\0after:';
/** HEADs in flight for the rows of one page. */
const ROWS_ASKED = 16;

type Head = (key: string, options: CallOptions) => Promise<ObjectInfo>;

export class Lister {
  readonly #calls: S3Calls;
  readonly #quirks: Quirks;
  readonly #head: Head;
  readonly #listed: Listed;

  constructor(calls: S3Calls, quirks: Quirks, head: Head, listed: Listed) {
    this.#calls = calls;
    this.#quirks = quirks;
    this.#head = head;
    this.#listed = listed;
  }

  async page(options: ListOptions): Promise<ListPage> {
    const { token, startAfter } = options;
    const own = token?.startsWith(MARKER);
    const after = own ? token?.slice(MARKER.length) : startAfter || undefined;
    const one = () => this.#versionOne(options, after);
    if (own) return this.#whole(await one(), options);
    // A token of version 2 means nothing to version 1.
    if (token !== undefined) return this.#whole(await this.#ask(2, options, token), options);
    const two = () => this.#ask(2, options, undefined, after);
    const page = await this.#quirks.without('list-v1', two, one);
    if (!page.versionOne && !(page.truncated && page.token === undefined)) return this.#whole(page, options);
    const known = this.#quirks.has('list-v1');
    this.#quirks.notice('list-v1');
    // It did not know start-after either.
    return this.#whole(known || after === undefined ? page : await one(), options);
  }

  /** The object's row in a listing; undefined if it is not listed. */
  async row(key: string, { signal, onRequest }: CallOptions): Promise<Row | undefined> {
    const { rows } = await this.#ask(this.#quirks.has('list-v1') ? 1 : 2, {
      prefix: key,
      maxKeys: 1,
      signal,
      onRequest,
    });
    return rows.find((row) => row.key === key);
  }

  async #versionOne(options: ListOptions, after: string | undefined): Promise<ListedPage> {
    const page = await this.#ask(1, options, undefined, after);
    const stuck = page.truncated && after !== undefined && lastOf(page) === after;
    if (!stuck || this.#quirks.has('no-encoding-type')) return page;
    // Huawei's file systems ignore the marker when keys are to be encoded.
    this.#quirks.notice('no-encoding-type');
    return this.#ask(1, options, undefined, after);
  }

  #ask(version: 1 | 2, options: ListOptions, token?: string, after?: string): Promise<ListedPage> {
    const { prefix, delimiter, maxKeys = 1000, signal, onRequest } = options;
    const ask = (encoded: boolean) =>
      this.#calls.list({
        version,
        prefix: prefix || undefined,
        delimiter,
        maxKeys,
        token,
        after,
        encoded,
        signal,
        onRequest,
      });
    if (version === 2) return ask(!this.#quirks.has('no-encoding-type'));
    return this.#quirks.without(
      'no-encoding-type',
      () => ask(true),
      () => ask(false),
    );
  }

  async #whole(page: ListedPage, { signal, onRequest }: ListOptions): Promise<ListPage> {
    const { rows, prefixes, damaged } = page;
    const rest = { prefixes, damaged, nextToken: nextOf(page) };
    if (rows.every(isWhole)) return { entries: rows.map((row) => entryOf(row, this.#listed)), ...rest };
    this.#quirks.notice('short-rows');
    return { entries: await inParallel(rows, ROWS_ASKED, (row) => this.#entry(row, { signal, onRequest })), ...rest };
  }

  async #entry(row: Row, options: CallOptions): Promise<ObjectEntry> {
    if (isWhole(row)) return entryOf(row, this.#listed);
    try {
      const { size, etag, mtimeMs, storageClass } = await this.#head(row.key, options);
      return entryOf({ size, etag, mtimeMs, storageClass, ...defined(row) }, this.#listed);
    } catch (error) {
      if (!isXsyncError(error) || error.class === 'temporary' || isXsyncError(error, 'aborted')) throw error;
      // It is listed all the same, so that it fails alone, by name, when it is read.
      const known = { size: 0, mtimeMs: 0, ...defined(row), etag: UNKNOWN_ETAG };
      return { ...entryOf(known, this.#listed), checksums: undefined };
    }
  }
}

type WholeRow = Row & Required<Pick<Row, 'size' | 'etag' | 'mtimeMs'>>;

function isWhole(row: Row): row is WholeRow {
  return row.size !== undefined && row.etag !== undefined && row.mtimeMs !== undefined;
}

/** Without what is absent, so that it replaces nothing. */
function defined(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as Row & { key: string };
}

/** A page that is not the last must have a continuation. Otherwise the listing would end early. */
function nextOf(page: ListedPage): string | undefined {
  const { truncated, token, rows, prefixes } = page;
  if (truncated === false) return undefined;
  if (token !== undefined) return token;
  const last = lastOf(page);
  if (last !== undefined) return MARKER + last;
  // Nothing says that there is more, and nothing could be asked for.
  if (truncated === undefined && rows.length + prefixes.length === 0) return undefined;
  throw new XsyncError('invalid-response', "the store's response has no continuation token");
}

/** Where the next page begins: after the marker, or after the last key or prefix. */
function lastOf({ nextMarker, rows, prefixes }: ListedPage): string | undefined {
  if (nextMarker) return nextMarker;
  const key = rows.at(-1)?.key;
  const prefix = prefixes.at(-1);
  if (key === undefined || prefix === undefined) return key ?? prefix;
  return compareKeys(key, prefix) < 0 ? prefix : key;
}
