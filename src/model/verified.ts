/**
 * How a copied object was proven, strongest first:
 * - `md5`: the source's own MD5 agrees with the bytes that passed, and the destination checked or answered the same;
 * - `md5-of-parts`: as md5, by the source's multipart ETag, cut at the source's own part boundaries;
 * - `crc64`: the same by CRC-64 (OSS's or S3's);
 * - `computed`: the source vouches for nothing, so what we read was hashed, and the destination confirmed that hash;
 * - `server`: a server-side copy that the service confirmed;
 * - `size`: only the size agrees.
 */
export type VerifiedBy = 'md5' | 'md5-of-parts' | 'crc64' | 'computed' | 'server' | 'size';

export const VERIFIED_BY: readonly VerifiedBy[] = ['md5', 'md5-of-parts', 'crc64', 'computed', 'server', 'size'];
