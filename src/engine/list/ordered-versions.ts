/**
 * A side's versions one after the other, with keys relative to its prefix, and those of a key together.
 * Tests: test/engine/pass/history.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { VersionEntry } from '../../store/port.js';
import { listVersions, type VersionsHow, type VersionsOf } from './versions.js';

const OUT_OF_ORDER = 'Leave out --versions: the order of versions is not known where a store does not list in order.';

interface OrderedHow extends Omit<VersionsHow, 'oneLevel'> {
  /** Only the key that is the prefix itself. */
  single: boolean;
  /** Called after each page, and at the end. @param objects versions so far, without delete markers */
  listed(objects: number, done: boolean): void;
}

/** @throws invalid-response: the versions of a key are not next to each other, so that their order is not known */
export async function* orderedVersions(side: VersionsOf, how: OrderedHow): AsyncGenerator<VersionEntry> {
  let objects = 0;
  let last: string | undefined;
  for await (const { versions } of listVersions(side, how)) {
    for (const version of versions) {
      const key = version.key.slice(side.prefix.length);
      if (last !== undefined && compareKeys(key, last) < 0) {
        const message = `${side.text} lists the versions of ${JSON.stringify(key)} out of order`;
        throw new XsyncError('invalid-response', message, { subject: side.text, remedy: OUT_OF_ORDER });
      }
      last = key;
      if (!version.deleteMarker) objects++;
      if (!how.single || key === '') yield { ...version, key };
    }
    how.listed(objects, false);
  }
  how.listed(objects, true);
}

/** The newest version of each key. */
export async function* newestOf(versions: AsyncIterable<VersionEntry>): AsyncGenerator<VersionEntry> {
  let last: string | undefined;
  for await (const version of versions) {
    if (version.key !== last) yield version;
    last = version.key;
  }
}
