/** Hashes a multipart object's bytes as they pass, and compares them with the source's own checksums. */
import { Md5Stream } from '../../hash/index.js';
import type { PartRow } from '../../manifest/checkpoints.js';
import type { Checksums } from '../../model/checksum.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { Capabilities } from '../../store/port.js';
import { guessSourceCut } from '../plan/cut.js';
import { type PartHashing, partHashing, proveParts, wholeOf } from './verify.js';

/** A place in the order of the parts. */
export interface Turn {
  /** Adds the part's bytes once all parts before it have had their turn. */
  hash(bytes: Uint8Array): Promise<void>;
  /** Lets the next part continue; call it also if the part failed. */
  pass(): void;
}

export class SourceProof {
  readonly #ticket: CopyTicket;
  readonly #resumed: boolean;
  #claimed: Checksums | undefined;
  /** MD5 over the whole, or over the source's parts, in order; only when no part was sent by an earlier run. */
  #inOrder: Md5Stream | undefined;
  #hashedUpTo: Promise<void> = Promise.resolve();

  constructor(ticket: CopyTicket, resumed: boolean) {
    this.#ticket = ticket;
    this.#resumed = resumed;
  }

  get #sourcePartSize(): number | undefined {
    return this.#ticket.source.partSize;
  }

  /** Takes the source's checksums from the first response; later reads are pinned to the same version. */
  learn(claimed: Checksums): void {
    if (this.#claimed) return;
    this.#claimed = claimed;
    if (this.#resumed) return;
    if (claimed.md5 !== undefined) this.#inOrder = new Md5Stream();
    else if (this.#ofParts && !this.#sameCut) this.#inOrder = new Md5Stream(this.#sourcePartSize);
  }

  /** The source has a composite ETag, and its part size is known. */
  get #ofParts(): boolean {
    return this.#claimed?.md5ofParts !== undefined && this.#sourcePartSize !== undefined;
  }

  get #sameCut(): boolean {
    return this.#sourcePartSize === this.#ticket.cut.partSize;
  }

  hashing(dest: Capabilities): PartHashing {
    const { partSize } = this.#ticket.cut;
    const claimed = this.#claimed ?? {};
    const cut = this.#sourcePartSize ?? guessSourceCut(this.#ticket.source.size, claimed.md5ofParts);
    return partHashing(claimed, dest, cut === partSize && claimed.md5ofParts !== undefined);
  }

  /** Call in the order of the parts. */
  takeTurn(): Turn {
    const before = this.#hashedUpTo;
    let pass = (): void => undefined;
    this.#hashedUpTo = new Promise((resolve) => {
      pass = resolve;
    });
    return {
      hash: async (bytes) => {
        if (!this.#inOrder) return;
        await before;
        this.#inOrder.update(bytes);
        pass();
      },
      pass: () => void before.then(pass),
    };
  }

  /**
   * Call once, when every part has been sent.
   * @throws checksum-mismatch
   */
  prove(rows: readonly PartRow[]): VerifiedBy {
    const whole = wholeOf(rows);
    const certain: Checksums = {};
    if (this.#claimed?.md5 !== undefined) certain.md5 = this.#inOrder?.digest();
    else if (this.#ofParts) certain.md5ofParts = this.#sameCut ? whole.md5ofParts : this.#inOrder?.digest();
    return proveParts(this.#ticket.key, this.#claimed ?? {}, whole, certain);
  }
}
