/** Gathers manifest rows and writes them in batches: a row a transaction would cost more than a small object's copy. */
import type { Intent, Manifest, ManifestRow } from '../../manifest/port.js';

/** A crash loses at most this many rows. The next run finds their objects equal at the destination. */
const BATCH_ROWS = 5000;
const BATCH_MS = 200;

export class Committer {
  readonly #manifest: Manifest;
  readonly #onError: (error: unknown) => void;
  #rows: ManifestRow[] = [];
  #gone: string[] = [];
  #intents: Intent[] = [];
  #intending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param onError called when a write in the background fails (a full disk) */
  constructor(manifest: Manifest, onError: (error: unknown) => void) {
    this.#manifest = manifest;
    this.#onError = onError;
  }

  /**
   * Records that xsync is about to write the object. Await it before writing to the destination: if the run is killed
   * before the row is written, the next run knows that the object may be xsync's. Objects that begin together share
   * one transaction.
   * @param destEtag of what the destination has under the key already, empty for nothing
   */
  intend(key: string, destEtag: string): Promise<void> {
    this.#intents.push({ key, destEtag, atMs: Date.now() });
    this.#intending ??= new Promise<void>((done, failed) => {
      setImmediate(() => {
        this.#intending = undefined;
        try {
          this.#manifest.intend(this.#intents.splice(0));
          done();
        } catch (error) {
          failed(error);
        }
      });
    });
    return this.#intending;
  }

  /** Only for an object that the destination has confirmed. */
  add(row: ManifestRow): void {
    this.#rows.push(row);
    this.#schedule();
  }

  /** The key no longer exists on either side. */
  forget(key: string): void {
    this.#gone.push(key);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#rows.length + this.#gone.length >= BATCH_ROWS) this.#flushQuietly();
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
    if (this.#gone.length > 0) this.#manifest.forget(this.#gone);
    this.#rows = [];
    this.#gone = [];
  }
}
