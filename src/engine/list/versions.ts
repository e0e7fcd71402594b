/**
 * Every version of every object of a side, a page at a time. Tests: test/engine/list/versions.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import { PageGuard } from '../../model/paging.js';
import type { ObjectCatalog, VersionEntry, VersionListOptions } from '../../store/port.js';
import { type Bounds, below, reaches } from './bounds.js';
import { DamagedRows } from './damaged.js';

export interface VersionsOf {
  store: Pick<ObjectCatalog, 'listVersions' | 'capabilities'>;
  prefix: string;
  /** For messages. */
  text: string;
}

export interface VersionsHow {
  /** Keys with a slash after the prefix are rolled up into `folders`, and mostly not listed. */
  oneLevel?: boolean;
  /** Only these keys, relative to the prefix. */
  bounds?: Bounds;
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
 * Versions with their full keys in the store's order, the newest of a key first. A version that the page before had too is
 * left out: some stores begin a page with what ended the last one.
 * @throws usage: the store keeps no versions; the error of any page: never a partial list
 */
export async function* listVersions(side: VersionsOf, how: VersionsHow): AsyncGenerator<VersionsPage> {
  const { store, prefix, text } = side;
  if (!store.listVersions) throw keepsNone(text);
  const guard = new PageGuard(text);
  const damaged = new DamagedRows(side, how.onDamaged);
  const bounds = below(prefix, how.bounds ?? {});
  let folder: string | undefined;
  let before: ReadonlySet<string> = new Set();
  for (let where: Where | undefined = { startAfter: bounds.after }; where; ) {
    const page = await store.listVersions({ prefix, ...where, signal: how.signal });
    const { nextToken: token } = page;
    const own = damaged.without({ ...page, entries: page.versions, prefixes: [] }).entries;
    const names = page.versions.map(nameOf);
    guard.follow({ first: names[0], last: names.at(-1), token });
    const folders: string[] = [];
    const versions: VersionEntry[] = [];
    for (const version of own) {
      const { key } = version;
      if (before.has(nameOf(version)) || isPast(bounds, key)) continue;
      if (folder !== undefined && key.startsWith(folder)) continue;
      const end = how.oneLevel ? key.indexOf('/', prefix.length) : -1;
      if (end < 0) versions.push(version);
      else {
        folder = key.slice(0, end + 1);
        folders.push(folder);
      }
    }
    before = new Set(names);
    yield { versions, folders };
    const inFolder = folder !== undefined && page.versions.at(-1)?.key.startsWith(folder);
    const skips = inFolder && store.capabilities.orderedListing === 'yes';
    where = token === undefined || isOver(bounds, page.versions.at(-1)) ? undefined : { token };
    if (where && skips) where = { startAfter: folder + LAST };
  }
}

type Where = Pick<VersionListOptions, 'token' | 'startAfter'>;

function isPast({ until }: Bounds, key: string): boolean {
  return until !== undefined && compareKeys(key, until) > 0;
}

/** The versions of the last key inside may go on. */
function isOver(bounds: Bounds, last: VersionEntry | undefined): boolean {
  return last !== undefined && reaches(bounds, last.key) && last.key !== bounds.until;
}

/** The versions of one key, the newest first. `key` is relative to the side's prefix. @throws as `listVersions` */
export async function* versionsOfKey(
  side: VersionsOf,
  key: string,
  how: Pick<VersionsHow, 'signal'>,
): AsyncGenerator<VersionEntry> {
  const whole = side.prefix + key;
  const ordered = side.store.capabilities.orderedListing === 'yes';
  const ignore = (): void => undefined;
  for await (const { versions } of listVersions({ ...side, prefix: whole }, { ...how, onDamaged: ignore })) {
    for (const version of versions) if (version.key === whole) yield version;
    // In order, a key comes before the longer ones that start with it.
    if (ordered && versions.some((version) => version.key !== whole)) return;
  }
}

function nameOf({ key, versionId }: VersionEntry): string {
  return `${key}\0${versionId}`;
}

function keepsNone(text: string): XsyncError {
  return new XsyncError('usage', `${text} keeps no versions`, {
    subject: '--versions',
    remedy: 'Leave out --versions.',
  });
}
