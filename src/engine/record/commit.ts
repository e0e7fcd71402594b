/** Gathers manifest rows and writes them in batches: a row a transaction would cost more than a small object's copy. */
import type { Manifest, ManifestRow } from '../../manifest/port.js';

/** Rows a crash may cost at the most; their objects are found equal at the destination by the next run. */
const BATCH_ROWS = 5000;
const BATCH_MS = 200;

export class Committer {
  readonly #manifest: Manifest;
  readonly #onError: (error: unknown) => void;
  #rows: ManifestRow[] = [];
  #gone: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param onError told when a write in the background fails (a full disk) */
  constructor(manifest: Manifest, onError: (error: unknown) => void) {
    this.#manifest = manifest;
    this.#onError = onError;
  }

  /** Only for an object that the destination has confirmed (invariant 1). */
  add(row: ManifestRow): void {
    this.#rows.push(row);
    this.#schedule();
  }

  /** The key is on neither side any more. */
  forget(key: string): void {
    this.#gone.push(key);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#rows.length + this.#gone.length >= BATCH_ROWS) this.#flushQuietly();
    else this.#timer ??= setTimeout(() => this.#flushQuietly(), BATCH_MS).unref();
  }

  /** Writes what is left, at the end of a run. A fault is told to `onError`. */
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

  /** @throws disk-full and other faults of the manifest's database */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#rows.length > 0) this.#manifest.commit(this.#rows);
    if (this.#gone.length > 0) this.#manifest.forget(this.#gone);
    this.#rows = [];
    this.#gone = [];
  }
}
