/**
 * What a run has seen of a store's ETags that look like MD5s and are not promised to be any. Most such stores return MD5s,
 * so an ETag that differs may mean damage: the bytes are read again once. If they are the same again, the ETag is no MD5,
 * and proves nothing. A store of which no ETag ever agreed gets no second look at every object.
 * Tests: test/engine/transfer/etag-hint.test.ts
 */
const AGREED = 0;
const DISOWNED = 1;

export class EtagTrust {
  readonly #seen: Uint8Array;

  /** @param seen two bytes, which may be shared by threads: whether an ETag agreed, and whether one was disowned */
  constructor(seen: Uint8Array = new Uint8Array(2)) {
    this.#seen = seen;
  }

  /** An ETag was the MD5. */
  agree(): void {
    this.#seen[AGREED] = 1;
  }

  /** An ETag was not the MD5 of bytes that were certainly right. */
  disown(): void {
    this.#seen[DISOWNED] = 1;
  }

  /** An ETag was the MD5, and none was seen that was not. */
  get holds(): boolean {
    return this.#seen[AGREED] === 1 && this.#seen[DISOWNED] === 0;
  }

  /** Whether an ETag that differs is a reason to look at the bytes again. */
  get counts(): boolean {
    return this.#seen[AGREED] === 1 || this.#seen[DISOWNED] === 0;
  }
}

/** The trust of both sides, in four bytes that threads share. */
export function trustIn(seen: SharedArrayBuffer): { source: EtagTrust; dest: EtagTrust } {
  return { source: new EtagTrust(new Uint8Array(seen, 0, 2)), dest: new EtagTrust(new Uint8Array(seen, 2, 2)) };
}
