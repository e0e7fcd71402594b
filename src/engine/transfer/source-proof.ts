/**
 * Compares a multipart object's bytes with the source's own checksum. A CRC-64 of OSS combines from those of the parts;
 * most others need the bytes in order, and the state of their hash is part of the checkpoint. It covers only parts that
 * the destination acknowledged. Acknowledged parts beyond them are read again, and must have the bytes that were sent.
 * Tests: test/engine/transfer/source-cut.test.ts
 */
import { RUNNING_HASHES, RunningHash, type RunningHashName } from '../../hash/running.js';
import type { HashedParts, PartRow } from '../../manifest/checkpoints.js';
import { type Checksums, compositeEtag } from '../../model/checksum.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { Capabilities } from '../../store/port.js';
import { guessSourceCut } from '../plan/cut.js';
import { mustAgree, type PartHashing, partHashing, provenBy, wholeOf } from './verify.js';

/** A place in the order of the parts. */
export interface Turn {
  /** Adds the part's bytes once all parts before it have had their turn. */
  hash(bytes: Uint8Array): Promise<void>;
  /** Lets the next part continue; call it also if the part failed. */
  pass(): void;
}

/** The source's checksum of the whole object, and what ours is made of. */
interface Reference {
  value: string;
  /** False: the value is an ETag that promises nothing. */
  certain: boolean;
  made:
    | { of: 'parts'; name: 'crc64ecma' | 'md5ofParts' }
    /** With a part size, the MD5 of the parts' MD5s. */
    | { of: 'bytes'; name: RunningHashName; partSize?: number };
}

export class SourceProof {
  readonly #ticket: CopyTicket;
  /** What the checkpoint says of the hash, before the source's checksums are known. */
  #noted: HashedParts | undefined;
  /** The checkpoint was made for another checksum than the source has, so all bytes are needed again. */
  #unfit = false;
  #learning: Promise<void> | undefined;
  #learned = false;
  #claimed: Checksums = {};
  #reference: Reference | undefined;
  #hash: RunningHash | undefined;
  #hashedUpTo: Promise<void> = Promise.resolve();
  /** Every part up to here was acknowledged and is covered by the saved hash. */
  #frontier = 0;
  /** Acknowledged parts beyond the frontier. */
  readonly #acknowledged = new Set<number>();
  /** Parts that a second look has not read yet. */
  #unseen = new Set<number>();
  /** The hash after each part beyond the frontier. */
  readonly #states = new Map<number, string>();

  constructor(ticket: CopyTicket) {
    this.#ticket = ticket;
  }

  /**
   * Continues the hash of an earlier run, which says what is needed of acknowledged parts without a request.
   * @returns whether that is possible; otherwise the source's checksums must be learned before any part is sent
   */
  async resume(noted: HashedParts): Promise<boolean> {
    if (noted.state !== '') this.#hash = await RunningHash.resume(noted.state);
    if (noted.state !== '' && !this.#hash) return false;
    this.#noted = noted;
    this.#frontier = noted.upTo;
    return true;
  }

  /**
   * Takes the source's checksums from its first response; later reads are pinned to the same version.
   * @param ask returns those of a HEAD: a response with some of the bytes may lack them
   */
  learn(claimed: Checksums, ask: () => Promise<Checksums>): Promise<void> {
    this.#learning ??= this.#learn(claimed, ask);
    return this.#learning;
  }

  async #learn(first: Checksums, ask: () => Promise<Checksums>): Promise<void> {
    this.#claimed = Object.keys(first).length === 0 ? await ask() : first;
    this.#reference = referenceOf(this.#ticket, this.#claimed);
    const made = this.#reference?.made;
    if (made?.of !== 'bytes') this.#hash = undefined;
    else if (!this.#noted) this.#hash = await RunningHash.begin(made.name, made.partSize);
    else this.#unfit = this.#hash?.name !== made.name || this.#hash.partSize !== made.partSize;
    this.#learned = true;
  }

  /** The source's checksums are known, and none needs the bytes of all parts in order. */
  get isOfParts(): boolean {
    return this.#learned && !this.#hash && !this.#unfit;
  }

  /** A proof of the same object that needs all of its bytes again. */
  async again(): Promise<SourceProof> {
    const next = new SourceProof(this.#ticket);
    await next.learn(this.#claimed, async () => ({}));
    next.#unseen = new Set(Array.from({ length: this.#ticket.cut.parts }, (_, i) => i + 1));
    return next;
  }

  /** The source's checksum is an ETag that promises nothing. */
  get isHint(): boolean {
    return this.#reference?.certain === false;
  }

  /** An acknowledged part that must be read again, because its bytes are missing in the checksum. */
  needs(row: PartRow): boolean {
    if (this.#unseen.has(row.partNumber)) return true;
    if (this.#hash) return row.partNumber > this.#frontier;
    const made = this.#reference?.made;
    return made?.of === 'parts' && made.name === 'crc64ecma' && row.crc64ecma === undefined;
  }

  hashing(dest: Capabilities): PartHashing {
    const { partSize } = this.#ticket.cut;
    const composite = compositeEtag(this.#claimed);
    const cut = this.#ticket.source.partSize ?? guessSourceCut(this.#ticket.source.size, composite);
    return partHashing(this.#claimed, dest, cut === partSize && composite !== undefined);
  }

  /** Call in the order of the parts. */
  takeTurn(partNumber: number): Turn {
    const before = this.#hashedUpTo;
    let pass = (): void => undefined;
    this.#hashedUpTo = new Promise((resolve) => {
      pass = resolve;
    });
    return {
      hash: async (bytes) => {
        if (!this.#hash) return;
        await before;
        this.#hash.update(bytes);
        this.#states.set(partNumber, this.#hash.save());
        pass();
      },
      pass: () => void before.then(pass),
    };
  }

  /** A part is durable in the checkpoint. @returns the hash to save, if it now covers more parts */
  acknowledge(partNumber: number): HashedParts | undefined {
    this.#unseen.delete(partNumber);
    if (!this.#hash) return this.#noteNone();
    this.#acknowledged.add(partNumber);
    let state: string | undefined;
    while (this.#acknowledged.delete(this.#frontier + 1)) {
      this.#frontier++;
      state = this.#states.get(this.#frontier);
      this.#states.delete(this.#frontier);
    }
    return state === undefined ? undefined : { upTo: this.#frontier, state };
  }

  #noteNone(): HashedParts | undefined {
    if (this.#noted) return undefined;
    this.#noted = { upTo: 0, state: '' };
    return this.#noted;
  }

  /**
   * Call once, when every part has been sent.
   * @returns how the object is proven; `etag-differs`: an ETag differs that promises nothing; `unknown`: all bytes are
   *   needed again
   * @throws checksum-mismatch
   */
  prove(rows: readonly PartRow[]): VerifiedBy | 'etag-differs' | 'unknown' {
    if (this.#unfit) return 'unknown';
    const reference = this.#reference;
    const whole = wholeOf(rows);
    if (!reference) {
      const composite = compositeEtag(this.#claimed);
      return composite !== undefined && composite === whole.md5ofParts ? 'md5-of-parts' : 'computed';
    }
    const { made, value, certain } = reference;
    const name = made.of === 'bytes' && made.partSize !== undefined ? 'md5ofParts' : made.name;
    const got = (made.of === 'parts' ? whole[made.name] : this.#hash?.digest()) ?? 'none';
    if (got !== value && !certain) return 'etag-differs';
    mustAgree(this.#ticket.key, 'source', name, value, got);
    return provenBy(name);
  }
}

/** The strongest checksum that can be compared; undefined if the source has none, or only one of an unknown cut. */
function referenceOf({ source, cut }: CopyTicket, claimed: Checksums): Reference | undefined {
  const { crc64ecma, md5, md5ofParts, etagHint } = claimed;
  if (crc64ecma !== undefined) return { value: crc64ecma, certain: true, made: { of: 'parts', name: 'crc64ecma' } };
  if (md5 !== undefined) return { value: md5, certain: true, made: { of: 'bytes', name: 'md5' } };
  const ofParts = (value: string, certain: boolean): Reference | undefined => {
    if (source.partSize === undefined) return undefined;
    const sameCut = source.partSize === cut.partSize;
    if (sameCut) return { value, certain, made: { of: 'parts', name: 'md5ofParts' } };
    return { value, certain, made: { of: 'bytes', name: 'md5', partSize: source.partSize } };
  };
  const composite = md5ofParts === undefined ? undefined : ofParts(md5ofParts, true);
  if (composite) return composite;
  const name = RUNNING_HASHES.find((one) => claimed[one] !== undefined);
  if (name) return { value: claimed[name] ?? '', certain: true, made: { of: 'bytes', name } };
  if (etagHint === undefined) return undefined;
  if (etagHint.includes('-')) return ofParts(etagHint, false);
  return { value: etagHint, certain: false, made: { of: 'bytes', name: 'md5' } };
}
