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
  /** Of objects in the queue: written with the next intent that is waited for. */
  readonly #ahead = new Map<string, Intent>();
  /** Written, and not begun. */
  readonly #noted = new Set<string>();
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

  /** The object is in the queue. Noting it with others saves it a transaction of its own. */
  foresee(key: string, replaces: string | undefined): void {
    this.#ahead.set(key, intentOf(key, replaces));
  }

  /**
   * To be awaited before the ticket is performed, so that a run that is killed before it can record the object has noted
   * what it replaced. Objects that begin together, and those in the queue, share one transaction.
   * @returns undefined if it was noted while it was in the queue
   * @throws faults of the manifest's database
   */
  add({ key, dest }: CopyTicket): Promise<void> | undefined {
    if (this.#noted.delete(key)) return undefined;
    this.#ahead.delete(key);
    this.#waiting.push(intentOf(key, dest.replaces));
    this.#writing ??= new Promise<void>((done, failed) => {
      setImmediate(() => {
        this.#writing = undefined;
        try {
          this.#write();
          done();
        } catch (error) {
          failed(error);
        }
      });
    });
    return this.#writing;
  }

  #write(): void {
    const begun = this.#waiting.splice(0);
    this.#manifest.intend([...begun, ...this.#ahead.values()]);
    for (const key of this.#ahead.keys()) this.#noted.add(key);
    this.#ahead.clear();
  }
}

function intentOf(key: string, replaces = ''): Intent {
  return { key, destEtag: replaces, atMs: Date.now() };
}
