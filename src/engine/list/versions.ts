/**
 * Every version of every object of a side, a page at a time. Tests: test/engine/list/versions.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { PageGuard } from '../../model/paging.js';
import type { ObjectCatalog, VersionEntry } from '../../store/port.js';
import { DamagedRows } from './damaged.js';

export interface VersionsOf {
  store: ObjectCatalog;
  prefix: string;
  /** For messages. */
  text: string;
}

export interface VersionsHow {
  /** Keys with a slash after the prefix are rolled up into `folders`, and mostly not listed. */
  oneLevel?: boolean;
  signal?: AbortSignal;
  /** Called once for each row that names no version of the side. */
  onDamaged: (fault: XsyncError) => void;
}

export interface VersionsPage {
  versions: VersionEntry[];
  folders: string[];
}

/** Sorts after all keys of a folder, but those that go on with this character. */
const LAST = '\u{10ffff}';

/**
 * Versions with their full keys in the store's order, the newest of a key first.
 * @throws usage: the store keeps no versions; the error of any page: never a partial list
 */
export async function* listVersions(side: VersionsOf, how: VersionsHow): AsyncGenerator<VersionsPage> {
  const { store, prefix, text } = side;
  if (!store.listVersions) throw keepsNone(text);
  const guard = new PageGuard(text);
  const damaged = new DamagedRows(side, how.onDamaged);
  let folder: string | undefined;
  for (let where: { token?: string; startAfter?: string } | undefined = {}; where; ) {
    const page = await store.listVersions({ prefix, ...where, signal: how.signal });
    const { nextToken: token } = page;
    const own = damaged.without({ ...page, entries: page.versions, prefixes: [] }).entries;
    guard.follow({ first: nameOf(page.versions[0]), last: nameOf(page.versions.at(-1)), token });
    const folders: string[] = [];
    const versions: VersionEntry[] = [];
    for (const version of own) {
      const { key } = version;
      if (folder !== undefined && key.startsWith(folder)) continue;
      const end = how.oneLevel ? key.indexOf('/', prefix.length) : -1;
      if (end < 0) versions.push(version);
      else {
        folder = key.slice(0, end + 1);
        folders.push(folder);
      }
    }
    yield { versions, folders };
    const inFolder = folder !== undefined && page.versions.at(-1)?.key.startsWith(folder);
    const skips = inFolder && store.capabilities.orderedListing === 'yes';
    where = token === undefined ? undefined : skips ? { startAfter: folder + LAST } : { token };
  }
}

function nameOf(version: VersionEntry | undefined): string | undefined {
  return version && `${version.key}\0${version.versionId}`;
}

function keepsNone(text: string): XsyncError {
  return new XsyncError('usage', `${text} keeps no versions`, {
    subject: '--versions',
    remedy: 'Leave out --versions.',
  });
}
