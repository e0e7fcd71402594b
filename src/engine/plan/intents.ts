/** What a run is about to write, noted in the manifest before it is written. */
import type { Intent, Manifest } from '../../manifest/port.js';
import type { CopyTicket } from '../../model/ticket.js';

export class Intents {
  readonly #manifest: Pick<Manifest, 'intend'>;
  #waiting: Intent[] = [];
  #writing: Promise<void> | undefined;

  constructor(manifest: Pick<Manifest, 'intend'>) {
    this.#manifest = manifest;
  }

  /**
   * To be awaited before the ticket is performed: a run that is killed before it can record the object has then noted
   * that it may be xsync's own, and what it replaced. Objects that begin together share one transaction.
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
