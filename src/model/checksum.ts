/**
 * Checksums as values. Computing them is `src/hash`; here are their shapes, their comparison and how the CRCs of
 * parts combine.
 */

/** Full-object checksums that a store vouches for, or that we computed while the bytes passed. */
export interface Checksums {
  /** 32 lowercase hex digits. Never filled from an ETag that is not an MD5. */
  md5?: string;
  /** CRC-64/XZ of OSS (`x-oss-hash-crc64ecma`), unsigned decimal. */
  crc64ecma?: string;
  /** CRC-64/NVME of S3 (`x-amz-checksum-crc64nvme`, FULL_OBJECT), base64 of 8 big-endian bytes. */
  crc64nvme?: string;
  /** MD5 of the parts' MD5s as S3 writes it: `<32 hex>-<parts>`. Comparable only when the cuts are known to agree. */
  md5ofParts?: string;
}

export type ChecksumName = keyof Checksums;

/** Strongest first; the order in which two sides look for a common language. */
export const CHECKSUM_NAMES: readonly ChecksumName[] = ['md5', 'crc64nvme', 'crc64ecma', 'md5ofParts'];

/** The checksum both sides have, or undefined. `same` says whether it agrees. */
export function commonChecksum(a: Checksums, b: Checksums): { name: ChecksumName; same: boolean } | undefined {
  for (const name of CHECKSUM_NAMES) {
    const x = a[name];
    const y = b[name];
    if (x !== undefined && y !== undefined) return { name, same: x === y };
  }
  return undefined;
}
