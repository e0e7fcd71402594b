/**
 * Shapes and comparison of checksums. `src/hash` computes them.
 */

/** Full-object checksums that a store returned, or that we computed from the bytes. */
export interface Checksums {
  /** 32 lowercase hex digits. Never taken from an ETag that is not an MD5. */
  md5?: string;
  /** CRC-64/XZ of OSS (`x-oss-hash-crc64ecma`), unsigned decimal. */
  crc64ecma?: string;
  /** CRC-64/NVME of S3 (`x-amz-checksum-crc64nvme`, FULL_OBJECT), base64 of 8 big-endian bytes. */
  crc64nvme?: string;
  /** MD5 of the parts' MD5s as S3 writes it: `<32 hex>-<parts>`. Comparable only if the part boundaries are equal. */
  md5ofParts?: string;
}

export type ChecksumName = keyof Checksums;

/** Strongest first: the order in which `commonChecksum` tries them. */
export const CHECKSUM_NAMES: readonly ChecksumName[] = ['md5', 'crc64nvme', 'crc64ecma', 'md5ofParts'];

/** The strongest checksum that both sides have, and whether it is equal; undefined if they have none in common. */
export function commonChecksum(a: Checksums, b: Checksums): { name: ChecksumName; same: boolean } | undefined {
  for (const name of CHECKSUM_NAMES) {
    const x = a[name];
    const y = b[name];
    if (x !== undefined && y !== undefined) return { name, same: x === y };
  }
  return undefined;
}
