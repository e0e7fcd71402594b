/**
 * Gathers manifest rows and writes them in batches: a row a transaction would cost more than a small object's copy.
 * Tests: test/engine/sync-crash.test.ts
 */
import type { Manifest, ManifestRow } from '../../manifest/port.js';

/** A crash loses at most this many rows. The next run finds their objects equal at the destination. */
const BATCH_ROWS = 5000;
const BATCH_MS = 200;

export class Committer {
  readonly #manifest: Manifest;
  readonly #onError: (error: unknown) => void;
  #rows: ManifestRow[] = [];
  readonly #gone = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** @param onError called when a write in the background fails (a full disk) */
  constructor(manifest: Manifest, onError: (error: unknown) => void) {
    this.#manifest = manifest;
    this.#onError = onError;
  }

  /** Only for an object that the destination has confirmed (invariant 1). */
  add(row: ManifestRow): void {
    this.#rows.push(row);
    this.#gone.delete(row.key);
    this.#schedule();
  }

  /** The key no longer exists on either side. */
  forget(key: string): void {
    this.#gone.add(key);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#rows.length + this.#gone.size >= BATCH_ROWS) this.#flushQuietly();
    else this.#timer ??= setTimeout(() => this.#flushQuietly(), BATCH_MS).unref();
  }

  /** Writes the remaining rows at the end of a run. Errors go to `onError`. */
  close(): void {
    this.#flushQuietly();
  }

  #flushQuietly(): void {
    try {
      this.flush();
    } catch (error) {
      this.#onError(error);
    }
  }

  /** @throws disk-full and other errors of the manifest's database */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#rows.length > 0) this.#manifest.commit(this.#rows);
    if (this.#gone.size > 0) this.#manifest.forget([...this.#gone]);
    this.#rows = [];
    this.#gone.clear();
  }
}
