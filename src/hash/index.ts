/**
 * Hashes of bytes in memory. The only place that imports a hash library. CRC-64 comes from WASM (about 1.9 GB/s; a
 * JavaScript table reaches 0.7), MD5 from OpenSSL through node:crypto (0.9 GB/s).
 */
import { createHash } from 'node:crypto';
import { createCRC64, type IHasher } from 'hash-wasm';

/** Hex MD5. */
export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** MD5 of the concatenated binary MD5s, with `-<count>`: how S3 names a multipart object. */
export function md5OfMd5s(parts: readonly string[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

/** hash-wasm takes the reflected polynomial of CRC-64/XZ, which is what OSS uses. */
const ECMA_REFLECTED = 'c96c5795d7870f42';
let ecma: IHasher | undefined;

/** Loads the WASM module once; must be awaited before `crc64ecma`. */
export async function loadHashes(): Promise<void> {
  ecma ??= await createCRC64(ECMA_REFLECTED);
}

/** CRC-64/XZ as OSS prints it: unsigned decimal. `"123456789"` gives 11051210869376104954, empty gives 0. */
export function crc64ecma(bytes: Uint8Array): string {
  if (!ecma) throw new Error('loadHashes() was not awaited');
  if (bytes.byteLength === 0) return '0';
  ecma.init();
  ecma.update(bytes);
  return BigInt(`0x${ecma.digest('hex')}`).toString();
}

/** MD5 over parts that arrive in order. */
export class Md5Stream {
  readonly #hash = createHash('md5');

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Hex; ends the stream. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
