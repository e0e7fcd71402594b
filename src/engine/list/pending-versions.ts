/**
 * The versions of one key that have to be carried over. They arrive the newest first, and are taken the oldest first, in
 * constant memory: what is too much goes to a sorted table on disk.
 * Tests: test/engine/pass/history.test.ts
 */
import type { Spool } from '../../manifest/port.js';
import { versionName } from '../../model/object.js';
import type { VersionEntry } from '../../store/port.js';

/** Versions in memory; each takes a few hundred bytes. */
const MOST = 250;

/** More digits than a key can have versions. */
const DIGITS = 12;
const LAST = 10 ** DIGITS - 1;

export class PendingVersions {
  readonly #spoolOf: () => Spool;
  #batch: VersionEntry[] = [];
  #spool: Spool | undefined;
  #spooled = 0;
  /** Bytes of the largest one. */
  largest = 0;
  /** Delete markers that the destination has on top, and that may be the first ones to carry. */
  #markers: string[] = [];
  /** The first one to carry. */
  oldest: VersionEntry | undefined;

  /** @param spoolOf makes the table, when it is needed */
  constructor(spoolOf: () => Spool) {
    this.#spoolOf = spoolOf;
  }

  /** @param ids of delete markers that may be the first ones to carry, in order */
  expectMarkers(ids: readonly string[]): void {
    this.#markers = [...ids];
  }

  get count(): number {
    return this.#spooled + this.#batch.length;
  }

  /** Adds a version that is older than those before. It must have no `fault`. */
  add(version: VersionEntry): void {
    if (this.#batch.length === MOST) this.#spill();
    this.#batch.push(version);
    this.oldest = version;
    this.largest = Math.max(this.largest, version.size);
  }

  /** Call it for each version in turn. @returns the ID of the delete marker, if the destination may have it already */
  takeMarker({ deleteMarker }: VersionEntry): string | undefined {
    // On top of a version, the next one is not there yet.
    if (!deleteMarker) this.#markers = [];
    return this.#markers.shift();
  }

  *oldestFirst(): Generator<VersionEntry> {
    yield* [...this.#batch].reverse();
    for (let after: string | undefined; this.#spool; ) {
      const rows = this.#spool.page(after, MOST);
      if (rows.length === 0) return;
      for (const { value } of rows) yield JSON.parse(value) as VersionEntry;
      after = rows.at(-1)?.key;
    }
  }

  dispose(): void {
    this.#spool?.dispose();
    this.#spool = undefined;
  }

  /** The table sorts ascending, and what came last comes first. */
  #spill(): void {
    this.#spool ??= this.#spoolOf();
    const rows = this.#batch.map((version) => ({
      key: String(LAST - this.#spooled++).padStart(DIGITS, '0'),
      value: JSON.stringify(version),
    }));
    this.#spool.add(rows);
    this.#batch = [];
  }
}

/** See `versionName`. */
export function nameOfVersion(version: VersionEntry): string {
  return versionName(version, version.deleteMarker === true);
}
