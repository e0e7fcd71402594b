/**
 * The hashes of the two services. Independent of `src/hash`, so that its bugs are found. Each WASM module is created
 * once. Every digest is computed in one synchronous pass, so the shared state is never interleaved.
 */
import { createHash } from 'node:crypto';
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm';

/** S3's additional checksums, under their names in `x-amz-checksum-<name>`. */
export const S3_CHECKSUMS = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type S3Checksum = (typeof S3_CHECKSUMS)[number];

type Crc = 'crc32' | 'crc32c' | 'crc64nvme' | 'crc64ecma';

/** Reflected polynomials of zlib, Castagnoli, NVMe and CRC-64/XZ. */
const POLYNOMIALS: Record<Crc, bigint> = {
  crc32: 0xedb88320n,
  crc32c: 0x82f63b78n,
  crc64nvme: 0x9a6c9329ac4bc9b5n,
  crc64ecma: 0xc96c5795d7870f42n,
};

const WIDTHS: Record<Crc, number> = { crc32: 32, crc32c: 32, crc64nvme: 64, crc64ecma: 64 };

const hashers = new Map<Crc, IHasher>();

/** Loads the WASM modules. `startServer` awaits it. */
export async function loadServerHashes(): Promise<void> {
  if (hashers.size > 0) return;
  const made = await Promise.all([
    createCRC32(Number(POLYNOMIALS.crc32)),
    createCRC32(Number(POLYNOMIALS.crc32c)),
    createCRC64(POLYNOMIALS.crc64nvme.toString(16)),
    createCRC64(POLYNOMIALS.crc64ecma.toString(16)),
  ]);
  for (const [i, name] of (['crc32', 'crc32c', 'crc64nvme', 'crc64ecma'] as const).entries()) {
    const hasher = made[i];
    if (hasher) hashers.set(name, hasher);
  }
}

/** A CRC over the chunks as an unsigned integer. */
export function crc(name: Crc, chunks: readonly Uint8Array[]): bigint {
  const hasher = hashers.get(name);
  if (!hasher) throw new Error('loadServerHashes() was not awaited');
  if (chunks.every((chunk) => chunk.byteLength === 0)) return 0n;
  hasher.init();
  for (const chunk of chunks) hasher.update(chunk);
  return BigInt(`0x${hasher.digest('hex')}`);
}

/** Digest of a node:crypto hash over the chunks. */
export function digest(algorithm: 'md5' | 'sha1' | 'sha256', chunks: readonly Uint8Array[]): Buffer {
  const hash = createHash(algorithm);
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest();
}

/** The value of `x-amz-checksum-<name>`: base64 of the big-endian bytes. */
export function s3Checksum(name: S3Checksum, chunks: readonly Uint8Array[]): string {
  if (name === 'sha1' || name === 'sha256') return digest(name, chunks).toString('base64');
  return crcToBase64(name, crc(name, chunks));
}

/** Base64 of the big-endian bytes of a CRC. */
export function crcToBase64(name: Crc, value: bigint): string {
  return Buffer.from(value.toString(16).padStart(WIDTHS[name] / 4, '0'), 'hex').toString('base64');
}

/** The inverse of `crcToBase64`. */
export function crcFromBase64(text: string): bigint {
  return BigInt(`0x${Buffer.from(text, 'base64').toString('hex') || '0'}`);
}

/** Product of two polynomials modulo the CRC's, all reflected: the highest bit is x^0. */
function multiply(name: Crc, a: bigint, b: bigint): bigint {
  const polynomial = POLYNOMIALS[name];
  let product = 0n;
  let shifted = b;
  for (let mask = 1n << BigInt(WIDTHS[name] - 1); mask > 0n; mask >>= 1n) {
    if (a & mask) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}

/** x^(8·bytes), cached because parts have few sizes. */
const powers = new Map<string, bigint>();

function powerOfBytes(name: Crc, bytes: number): bigint {
  const cached = powers.get(`${name}/${bytes}`);
  if (cached !== undefined) return cached;
  const one = 1n << BigInt(WIDTHS[name] - 1);
  let result = one;
  let square = one >> 8n;
  for (let n = BigInt(bytes); n > 0n; n >>= 1n) {
    if (n & 1n) result = multiply(name, result, square);
    square = multiply(name, square, square);
  }
  powers.set(`${name}/${bytes}`, result);
  return result;
}

/** CRC of a‖b from the CRCs of both and the length of b, like zlib's crc32_combine. */
export function combineCrc(name: Crc, a: bigint, b: bigint, bytesOfB: number): bigint {
  return multiply(name, powerOfBytes(name, bytesOfB), a) ^ b;
}
