/**
 * How a copied object was verified, strongest first:
 * - `md5`: the source's own MD5 matches the bytes that we read, and the destination checked or returned the same MD5;
 * - `sha256`, `sha1`: like md5, with a SHA of S3; the destination confirmed another checksum of the same bytes;
 * - `md5-of-parts`: like md5, with the source's multipart ETag and the source's own part boundaries;
 * - `crc64`: like md5, with CRC-64 (of OSS or S3);
 * - `crc32`: like md5, with CRC-32 or CRC-32C (of S3);
 * - `computed`: the source has no checksum, so we hashed the bytes we read, and the destination confirmed the hash;
 * - `server`: a server-side copy that the service confirmed;
 * - `link`: a symbolic link that was read back points to the same object;
 * - `size`: only the size was compared;
 * - `none`: checksums were ignored, so nothing was verified.
 * Tests: test/engine/transfer/doubt.test.ts
 */
export const VERIFIED_BY = [
  'md5',
  'sha256',
  'sha1',
  'md5-of-parts',
  'crc64',
  'crc32',
  'computed',
  'server',
  'link',
  'size',
  'none',
] as const;

/** A checksum, the service or the target of a link proved the object. */
export function isProof(verifiedBy: VerifiedBy): boolean {
  return verifiedBy !== 'size' && verifiedBy !== 'none';
}

export type VerifiedBy = (typeof VERIFIED_BY)[number];
