/**
 * Shapes and comparison of checksums. `src/hash` computes them.
 * Tests: test/engine/transfer/doubt.test.ts
 */

/** Full-object checksums that a store returned, or that we computed from the bytes. */
export interface Checksums {
  /** 32 lowercase hex digits. Taken from an ETag only where the store promises that it is an MD5. */
  md5?: string;
  /** SHA-256 and SHA-1 of S3 (`x-amz-checksum-…`), base64. */
  sha256?: string;
  sha1?: string;
  /** CRC-64/XZ of OSS (`x-oss-hash-crc64ecma`), unsigned decimal. */
  crc64ecma?: string;
  /** CRCs of S3 (`x-amz-checksum-…`, FULL_OBJECT), base64 of the big-endian bytes. */
  crc64nvme?: string;
  crc32c?: string;
  crc32?: string;
  /** MD5 of the parts' MD5s as S3 writes it: `<32 hex>-<parts>`. Comparable only if the part boundaries are equal. */
  md5ofParts?: string;
  /**
   * An ETag, in lower case, that has the form of an MD5 (or of an MD5 of parts' MD5s), from a store that does not promise
   * that it is one. An MD5 that agrees with it proves the bytes. One that differs proves nothing.
   */
  etagHint?: string;
}

/** Strongest first. */
const DECISIVE = ['md5', 'sha256', 'sha1', 'crc64nvme', 'crc64ecma', 'crc32c', 'crc32'] as const;

/** `hint-differs`: one is an ETag that looks like an MD5 and promises nothing. */
export type Agreement = boolean | 'hint-differs' | undefined;

/**
 * Whether two objects have equal bytes, by the strongest checksum that both sides have. Undefined if they have none in
 * common; composite MD5s prove equality, but not a difference.
 */
export function sameChecksum(a: Checksums, b: Checksums): Agreement {
  const name = DECISIVE.find((one) => a[one] !== undefined && b[one] !== undefined);
  if (name !== undefined) return a[name] === b[name];
  const other = etagsOf(b);
  if (etagsOf(a).some((one) => other.includes(one))) return true;
  const [x, y] = [a.md5 ?? a.etagHint, b.md5 ?? b.etagHint];
  const comparable = x !== undefined && y !== undefined && !x.includes('-') && !y.includes('-');
  return comparable ? 'hint-differs' : undefined;
}

/** The composite ETag, whether or not its store promises what it is made of. */
export function compositeEtag({ md5ofParts, etagHint }: Checksums): string | undefined {
  return md5ofParts ?? (etagHint?.includes('-') ? etagHint : undefined);
}

function etagsOf({ md5, md5ofParts, etagHint }: Checksums): string[] {
  return [md5, md5ofParts, etagHint].filter((one) => one !== undefined);
}
