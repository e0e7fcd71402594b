/** Tests: test/manifest/sqlite/spool.test.ts */

export interface SpoolEntry {
  key: string;
  /** Opaque text. */
  value: string;
}

/** A temporary table on disk, which sorts more entries than fit in memory by the bytes of their keys. */
export interface Spool {
  /** The later one of two entries with the same key stays. */
  add(batch: readonly SpoolEntry[]): void;
  /** @returns where the first entry is in the batch whose key is there already; those before it were added */
  addNew(batch: readonly SpoolEntry[]): number | undefined;
  get(key: string): string | undefined;
  page(after: string | undefined, limit: number): SpoolEntry[];
  dispose(): void;
}
