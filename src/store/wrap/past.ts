/**
 * A bucket as it stood at a time: a view that lists, describes and reads, for each key, the version that was current
 * then. A version's time is the one that the store lists. What was deleted for good since then is not in the view.
 * Tests: test/store/wrap/past.test.ts
 */
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import type * as port from '../port.js';
import { AtVersions } from './at-versions.js';

const PAGE = 1000;

/** Where the next page begins: after a key and all its versions, or at a token of the list of versions. */
type Cursor = { after?: string } | { token: string };

/** What a page still has to find out. */
interface Walk {
  /** The key whose version is found already, or that had none. */
  done?: string;
  /** The folder that was listed last. */
  folder?: string;
}

/** Sorts after all keys of a folder, but those that go on with this character. */
const LAST = '\u{10ffff}';

/** Versions by key that are remembered, so that reading an object in pieces looks it up once. */
const REMEMBERED = 1000;

export class PastStore extends AtVersions {
  readonly #atMs: number;
  readonly #listVersions: NonNullable<port.ObjectStore['listVersions']>;
  readonly #found = new Map<string, string>();

  /**
   * @param atMs ms since 1970
   * @throws unsupported: the store keeps no versions
   */
  constructor(inner: port.ObjectStore, atMs: number) {
    super(inner);
    const { listVersions } = inner;
    if (!listVersions) throw new XsyncError('unsupported', `${inner.identity.bucket} keeps no versions`);
    this.#listVersions = listVersions.bind(inner);
    this.#atMs = atMs;
  }

  /** Reads further pages of versions until it has an entry: most versions may be newer, or deleted. */
  override async list(options: port.ListOptions): Promise<port.ListPage> {
    const { prefix, delimiter = '', signal, onRequest } = options;
    const guard = new PageGuard(this.identity.bucket);
    let cursor: Cursor = options.token === undefined ? { after: options.startAfter } : cursorOf(options.token);
    const damaged: string[] = [];
    for (;;) {
      const where = 'token' in cursor ? { token: cursor.token } : { startAfter: cursor.after };
      const page = await this.#listVersions({ prefix, ...where, signal, onRequest });
      damaged.push(...(page.damaged ?? []));
      guard.follow(seen(page));
      const found = this.#select(page, cursor, { prefix: prefix ?? '', delimiter, most: options.maxKeys ?? PAGE });
      const { entries, prefixes, next } = found;
      if (entries.length + prefixes.length > 0 || next === undefined || damaged.length > 0) {
        const nextToken = next && JSON.stringify(next);
        return { entries, prefixes, ...(damaged.length > 0 && { damaged }), ...(nextToken && { nextToken }) };
      }
      cursor = next;
    }
  }

  #select(
    { versions, nextToken }: port.VersionPage,
    cursor: Cursor,
    { prefix, delimiter, most }: { prefix: string; delimiter: string; most: number },
  ): { entries: ObjectEntry[]; prefixes: string[]; next?: Cursor } {
    const entries: ObjectEntry[] = [];
    const prefixes: string[] = [];
    const walk: Walk = { folder: folderDone(cursor, delimiter) };
    let last: string | undefined;
    for (const version of versions) {
      const { key } = version;
      if (key === walk.done || (walk.folder !== undefined && key.startsWith(walk.folder))) continue;
      if (entries.length + prefixes.length === most) return { entries, prefixes, next: { after: last } };
      if (version.mtimeMs > this.#atMs) continue;
      walk.done = key;
      if (version.deleteMarker) continue;
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      if (end < 0) {
        entries.push(entryOf(version));
        last = key;
      } else {
        walk.folder = key.slice(0, end + delimiter.length);
        prefixes.push(walk.folder);
        last = walk.folder + LAST;
      }
    }
    return { entries, prefixes, next: nextToken === undefined ? undefined : this.#after(versions, nextToken, walk) };
  }

  /** What is known of the last key, or of its folder, need not be listed to its end. */
  #after(versions: readonly port.VersionEntry[], token: string, { done, folder }: Walk): Cursor {
    const last = versions.at(-1)?.key;
    if (last === undefined || this.capabilities.orderedListing !== 'yes') return { token };
    if (folder !== undefined && last.startsWith(folder)) return { after: folder + LAST };
    return last === done ? { after: last } : { token };
  }

  /** @throws object-not-found */
  protected async versionAt(key: string, { signal, onRequest }: port.CallOptions): Promise<string> {
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = await this.#find(key, { signal, onRequest });
    if (!found || found.deleteMarker) {
      const message = `${key}: there was no such object at ${new Date(this.#atMs).toISOString()}`;
      throw new XsyncError('object-not-found', message, { subject: key });
    }
    const [oldest] = this.#found.keys();
    if (this.#found.size >= REMEMBERED && oldest !== undefined) this.#found.delete(oldest);
    this.#found.set(key, found.versionId);
    return found.versionId;
  }

  async #find(key: string, call: port.CallOptions): Promise<port.VersionEntry | undefined> {
    const guard = new PageGuard(this.identity.bucket);
    const ordered = this.capabilities.orderedListing === 'yes';
    for (let token: string | undefined; ; ) {
      const page = await this.#listVersions({ prefix: key, token, ...call });
      guard.follow(seen(page));
      const found = page.versions.find((version) => version.key === key && version.mtimeMs <= this.#atMs);
      token = page.nextToken;
      // In order, a key comes before the longer ones that start with it.
      const passed = ordered && page.versions.some((version) => version.key !== key);
      if (found || token === undefined || passed) return found;
    }
  }
}

/** The page, for a guard. */
function seen({ versions, nextToken }: port.VersionPage): Parameters<PageGuard['follow']>[0] {
  const nameOf = (version: port.VersionEntry | undefined) => version && `${version.key}\0${version.versionId}`;
  return { first: nameOf(versions[0]), last: nameOf(versions.at(-1)), token: nextToken };
}

function entryOf({ isLatest: _, ...entry }: port.VersionEntry): ObjectEntry {
  return entry;
}

/** Of a token that `list` returned. */
function cursorOf(token: string): Cursor {
  return JSON.parse(token) as Cursor;
}

function folderDone(cursor: Cursor, delimiter: string): string | undefined {
  if (delimiter === '' || !('after' in cursor) || !cursor.after?.endsWith(LAST)) return undefined;
  const folder = cursor.after.slice(0, -LAST.length);
  return folder.endsWith(delimiter) ? folder : undefined;
}
