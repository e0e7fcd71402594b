/** HMAC-SHA256 of request signatures. Tests: test/hash/hmac.test.ts */
import { hash } from 'node:crypto';

const BLOCK = 64;

/** HMAC-SHA256 (RFC 2104) of many texts with one key: two hashes, without an object of `node:crypto` for each text. */
export class HmacSha256 {
  /** The padded key, as latin1. */
  readonly #inner: string;
  /** The padded key, and room for the inner hash. */
  readonly #outer = Buffer.alloc(BLOCK + 32, 0x5c);

  /** @param key at most a block, 64 bytes */
  constructor(key: Buffer) {
    const inner = Buffer.alloc(BLOCK, 0x36);
    for (const [at, byte] of key.entries()) {
      inner.writeUInt8(0x36 ^ byte, at);
      this.#outer.writeUInt8(0x5c ^ byte, at);
    }
    this.#inner = inner.toString('latin1');
  }

  /** Hex. @param text latin1 */
  of(text: string): string {
    this.#outer.write(hash('sha256', Buffer.from(this.#inner + text, 'latin1')), BLOCK, 'hex');
    return hash('sha256', this.#outer);
  }
}
