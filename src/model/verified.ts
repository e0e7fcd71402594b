/**
 * How a copied object was verified, strongest first:
 * - `md5`: the source's own MD5 matches the bytes that we read, and the destination checked or returned the same MD5;
 * - `md5-of-parts`: like md5, with the source's multipart ETag and the source's own part boundaries;
 * - `crc64`: like md5, with CRC-64 (of OSS or S3);
 * - `computed`: the source has no checksum, so we hashed the bytes we read, and the destination confirmed the hash;
 * - `server`: a server-side copy that the service confirmed;
 * - `size`: only the size was compared.
 */
export type VerifiedBy = 'md5' | 'md5-of-parts' | 'crc64' | 'computed' | 'server' | 'size';

export const VERIFIED_BY: readonly VerifiedBy[] = ['md5', 'md5-of-parts', 'crc64', 'computed', 'server', 'size'];
