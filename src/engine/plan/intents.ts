/**
 * What a run is about to write, noted in the manifest before it is written. An intent that is left over says that the
 * end of a write is unknown. It never proves whose object stands there: somebody else may have written it since.
 * Tests: test/engine/killed-runs.test.ts
 */
import type { Intent, Manifest } from '../../manifest/port.js';
import type { CopyTicket } from '../../model/ticket.js';

type IntentRows = Pick<Manifest, 'intend' | 'intended' | 'anyIntended'>;

export class Intents {
  readonly #manifest: IntentRows;
  readonly #startedMs: number;
  /** Earlier runs left intents. */
  readonly #left: boolean;
  #waiting: Intent[] = [];
  #writing: Promise<void> | undefined;

  /** @param startedMs of the run; older intents are those of earlier runs */
  constructor(manifest: IntentRows, startedMs: number) {
    this.#manifest = manifest;
    this.#startedMs = startedMs;
    this.#left = manifest.anyIntended();
  }

  /**
   * ETag of what stood at the destination before an earlier run began a write whose end is unknown, empty if there was
   * nothing; undefined if there was no such write.
   */
  unfinished(key: string): string | undefined {
    const intent = this.#left ? this.#manifest.intended(key) : undefined;
    return intent && intent.atMs < this.#startedMs ? intent.destEtag : undefined;
  }

  /**
   * To be awaited before the ticket is performed, so that a run that is killed before it can record the object has noted
   * what it replaced. Objects that begin together share one transaction.
   * @throws faults of the manifest's database
   */
  add({ key, dest }: CopyTicket): Promise<void> {
    this.#waiting.push({ key, destEtag: dest.replaces ?? '', atMs: Date.now() });
    this.#writing ??= new Promise<void>((done, failed) => {
      setImmediate(() => {
        this.#writing = undefined;
        try {
          this.#manifest.intend(this.#waiting.splice(0));
          done();
        } catch (error) {
          failed(error);
        }
      });
    });
    return this.#writing;
  }
}
