/**
 * Hashes of bytes in memory. The only module that imports a hash library. CRC-64 uses WASM (about 1.9 GB/s; a
 * JavaScript table reaches 0.7 GB/s). MD5 uses OpenSSL through node:crypto (0.75 GB/s), which no library beats for one
 * body; several bodies at once reach 3 GB/s (md5-together.ts).
 * Tests: test/hash/md5.test.ts, test/hash/combine.test.ts
 */
import { createHash, hash } from 'node:crypto';
import type { IHasher } from 'hash-wasm';
import { runningMd5, SMALLEST } from './md5-together.js';

export { type RunningMd5, runningMd5 } from './md5-together.js';

/** Hex MD5. */
export function md5(bytes: Uint8Array): string {
  return hash('md5', bytes);
}

/** Bytes that are hashed before others have their turn. */
const STEP = 128 * 1024;

/** Hex MD5, computed together with others that are requested meanwhile. The bytes must not change until it resolves. */
export async function md5Soon(bytes: Uint8Array): Promise<string> {
  if (bytes.byteLength < SMALLEST) return md5(bytes);
  const hash = runningMd5(bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += STEP) await hash.update(bytes.subarray(at, at + STEP));
  return hash.digest();
}

/** MD5 of the concatenated binary MD5s, with `-<count>`: S3's ETag of a multipart object. */
export function md5OfMd5s(parts: readonly string[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

/** hash-wasm takes the reflected polynomial of CRC-64/XZ, which is what OSS uses. */
const ECMA_REFLECTED = 'c96c5795d7870f42';
let ecma: IHasher | undefined;

/** Loads the WASM module once; must be awaited before `crc64ecma`. Most runs do not need it, and loading takes 30 ms. */
export async function loadHashes(): Promise<void> {
  if (ecma) return;
  const { createCRC64 } = await import('hash-wasm');
  ecma = await createCRC64(ECMA_REFLECTED);
}

/** CRC-64/XZ as OSS prints it: unsigned decimal. `"123456789"` gives 11051210869376104954, empty gives 0. */
export function crc64ecma(bytes: Uint8Array): string {
  if (!ecma) throw new Error('loadHashes() was not awaited');
  if (bytes.byteLength === 0) return '0';
  ecma.init();
  ecma.update(bytes);
  return BigInt(`0x${ecma.digest('hex')}`).toString();
}

/** As `crc64ecma`, once the module is loaded. */
export async function crc64ecmaSoon(bytes: Uint8Array): Promise<string> {
  await loadHashes();
  return crc64ecma(bytes);
}

/** CRC-64/XZ over bytes that arrive in order, as `crc64ecma` prints it. */
export class Crc64Stream {
  #state: Uint8Array | undefined;

  update(bytes: Uint8Array): void {
    if (!ecma) throw new Error('loadHashes() was not awaited');
    const hasher = this.#state ? ecma.load(this.#state) : ecma.init();
    this.#state = hasher.update(bytes).save();
  }

  digest(): string {
    if (!ecma || !this.#state) return '0';
    return BigInt(`0x${ecma.load(this.#state).digest('hex')}`).toString();
  }
}

/** MD5 over bytes that arrive in order; with a part size, the composite MD5 of S3 for parts of that size. */
export class Md5Stream {
  readonly #partSize: number;
  readonly #parts: string[] = [];
  #hash = createHash('md5');
  /** Bytes in the current part. */
  #filled = 0;

  constructor(partSize?: number) {
    this.#partSize = partSize ?? Number.POSITIVE_INFINITY;
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#filled === this.#partSize) this.#endPart();
      const piece = bytes.subarray(at, at + this.#partSize - this.#filled);
      this.#hash.update(piece);
      this.#filled += piece.byteLength;
      at += piece.byteLength;
    }
  }

  #endPart(): void {
    this.#parts.push(this.#hash.digest('hex'));
    this.#hash = createHash('md5');
    this.#filled = 0;
  }

  /** Hex, or `<hex>-<parts>` with a part size; ends the stream. */
  digest(): string {
    const last = this.#hash.digest('hex');
    return this.#partSize === Number.POSITIVE_INFINITY ? last : md5OfMd5s([...this.#parts, last]);
  }
}
