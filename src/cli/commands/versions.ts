/** The walk of a listing command over every version. Tests: test/cli/past.test.ts */
import { listVersions } from '../../engine/list/versions.js';
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { OpenSide } from '../../open.js';
import type { VersionEntry } from '../../store/port.js';
import { type Found, incomplete, type WalkOptions } from './reading.js';

/**
 * As `walk`, over every version and delete marker, the newest of a key first.
 * @param atMs only those that were there at this time, ms since 1970
 */
export async function* walkVersions(
  side: OpenSide,
  { oneLevel, filter, atMs }: Pick<WalkOptions, 'oneLevel' | 'filter'> & { atMs?: number },
): AsyncGenerator<Found[], void, void> {
  const missing: XsyncError[] = [];
  const how = { oneLevel, onDamaged: (fault: XsyncError) => void missing.push(fault) };
  const isMeant = (path: string, { size, mtimeMs }: VersionEntry): boolean =>
    (atMs === undefined || mtimeMs <= atMs) && (filter?.test(path, size, mtimeMs).included ?? true);
  let found = false;
  for await (const { versions, folders } of listVersions(side, how)) {
    found ||= versions.length + folders.length > 0;
    const below = versions.map((version) => ({ path: version.key.slice(side.prefix.length), version }));
    const rows = below.filter(({ path, version }) => isMeant(path, version)).map(rowOf);
    const names = folders.map((folder) => folder.slice(side.prefix.length));
    const shown = names.filter((path) => filter?.showsFolder(path) ?? true).map((path) => ({ path }));
    // The sort is stable: versions of one key keep their order.
    yield [...rows, ...shown].sort((a, b) => compareKeys(a.path, b.path));
  }
  const [first] = missing;
  if (first) throw incomplete(first, missing.length);
  if (!found && side.path !== '') yield* ofObject(side, atMs);
}

function rowOf({ path, version }: { path: string; version: VersionEntry }): Found {
  return { path, entry: version, version };
}

/** With nothing below it, the path may be an object itself. */
async function* ofObject(side: OpenSide, atMs = Number.POSITIVE_INFINITY): AsyncGenerator<Found[], void, void> {
  const path = side.path.slice(side.path.lastIndexOf('/') + 1);
  let found = false;
  const raise = (fault: XsyncError): never => {
    throw fault;
  };
  for await (const { versions } of listVersions({ ...side, prefix: side.path }, { onDamaged: raise })) {
    const own = versions.filter(({ key }) => key === side.path);
    found ||= own.length > 0;
    yield own.filter(({ mtimeMs }) => mtimeMs <= atMs).map((version) => rowOf({ path, version }));
    if (own.length < versions.length) break;
  }
  if (found) return;
  throw new XsyncError('bucket-not-found', `there is nothing at ${side.text}`, { subject: side.text });
}
