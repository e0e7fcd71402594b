/**
 * What a run has seen of a store's ETags that look like MD5s and are not promised to be any. Most such stores return MD5s,
 * so an ETag that differs may mean damage: the bytes are read again once. If they are the same again, the ETag is no MD5,
 * and proves nothing. A store of which no ETag ever agreed gets no second look at every object.
 * Tests: test/engine/transfer/etag-hint.test.ts
 */
export class EtagTrust {
  #agreed = false;
  #disowned = false;

  /** An ETag was the MD5. */
  agree(): void {
    this.#agreed = true;
  }

  /** An ETag was not the MD5 of bytes that were certainly right. */
  disown(): void {
    this.#disowned = true;
  }

  /** An ETag was the MD5, and none was seen that was not. */
  get holds(): boolean {
    return this.#agreed && !this.#disowned;
  }

  /** Whether an ETag that differs is a reason to look at the bytes again. */
  get counts(): boolean {
    return this.#agreed || !this.#disowned;
  }
}
