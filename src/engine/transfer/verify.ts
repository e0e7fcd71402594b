/**
 * Which checks a pair of stores allows, and what they prove. Pure except for the hashing.
 *
 * The reference is the source's own checksum if it has one. If the destination checks the same kind itself (Content-MD5),
 * nothing is hashed here; otherwise the bytes are hashed once while they are in memory.
 */
import { combineCrc64ecma } from '../../hash/combine.js';
import { crc64ecma, md5, md5OfMd5s, md5Soon } from '../../hash/index.js';
import type { PartRow } from '../../manifest/checkpoints.js';
import type { Checksums } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { Capabilities, PartEntry, WriteResult } from '../../store/port.js';

/** What to send with a body, which checksums the response must have, and what that proves. */
export interface Proof {
  contentMd5?: string;
  expected: Checksums;
  verifiedBy: VerifiedBy;
}

/**
 * For an object whose bytes are all in memory.
 * @throws checksum-mismatch when the bytes read do not match the source's checksum
 */
export function proveWhole(key: string, bytes: Uint8Array, claimed: Checksums, dest: Capabilities): Proof {
  if (claimed.md5 !== undefined) {
    if (!dest.checksContentMd5) mustAgree(key, 'source', 'MD5', claimed.md5, md5(bytes));
    return { contentMd5: claimed.md5, expected: pick(claimed), verifiedBy: 'md5' };
  }
  const sum = dest.checksContentMd5 || dest.partEtagIsMd5 ? md5(bytes) : undefined;
  const crc = claimed.crc64ecma === undefined && !dest.answersCrc64ecma ? undefined : crc64ecma(bytes);
  if (claimed.crc64ecma !== undefined && crc !== undefined) {
    mustAgree(key, 'source', 'CRC-64', claimed.crc64ecma, crc);
  }
  return {
    contentMd5: sum,
    expected: { md5: sum, crc64ecma: crc },
    verifiedBy: claimed.crc64ecma === undefined ? 'computed' : 'crc64',
  };
}

function pick({ md5, crc64ecma }: Checksums): Checksums {
  return { md5, crc64ecma };
}

/** Which hashes each part needs. */
export interface PartHashing {
  md5: boolean;
  crc64ecma: boolean;
}

/** @param imitated the parts are cut as the source's multipart ETag suggests, so their MD5s may prove the whole */
export function partHashing(claimed: Checksums, dest: Capabilities, imitated: boolean): PartHashing {
  return {
    md5: imitated || ((dest.checksContentMd5 || dest.partEtagIsMd5) && !dest.answersCrc64ecma),
    crc64ecma: dest.answersCrc64ecma || claimed.crc64ecma !== undefined,
  };
}

export type PartHashes = Pick<PartRow, 'md5' | 'crc64ecma'>;

/** Hashes the part together with others that are ready: several at once cost much less. */
export async function hashPartSoon(bytes: Uint8Array, hashing: PartHashing): Promise<PartHashes> {
  return {
    md5: hashing.md5 ? await md5Soon(bytes) : undefined,
    crc64ecma: hashing.crc64ecma ? crc64ecma(bytes) : undefined,
  };
}

const CONFIRMABLE = { md5: 'MD5', crc64ecma: 'CRC-64', md5ofParts: 'MD5 of parts' } as const;

/**
 * Compares the checksums that the destination returns with what was sent. A checksum that it does not return neither
 * fails nor proves anything.
 * @returns whether any was confirmed
 * @throws checksum-mismatch
 */
export function confirm(key: string, sent: Checksums, { checksums }: Pick<WriteResult, 'checksums'>): boolean {
  let confirmed = false;
  for (const name of ['md5', 'crc64ecma', 'md5ofParts'] as const) {
    const expected = sent[name];
    const got = checksums[name];
    if (expected === undefined || got === undefined) continue;
    mustAgree(key, 'destination', CONFIRMABLE[name], expected, got);
    confirmed = true;
  }
  return confirmed;
}

function mustAgree(key: string, side: string, name: string, expected: string, got: string): void {
  if (expected === got) return;
  throw new XsyncError('checksum-mismatch', `${name} of the ${side} disagrees: expected ${expected}, got ${got}`, {
    subject: key,
    remedy: 'the object is copied again; if the mismatch persists, compare both sides with `xsync lsjson --hash`',
  });
}

/** Whether a listed part is the one about to be sent, by its CRC-64 or by an ETag that is the MD5. */
export function isSamePart(there: PartEntry, size: number, { md5, crc64ecma }: PartHashes): boolean {
  if (there.size !== size) return false;
  if (crc64ecma !== undefined && there.crc64ecma !== undefined) return crc64ecma === there.crc64ecma;
  return md5 !== undefined && there.etag.toLowerCase() === md5;
}

/** The whole object's checksums, as far as the parts (in order) provide them. */
export function wholeOf(parts: readonly PartRow[]): Checksums {
  const md5s = parts.flatMap((part) => part.md5 ?? []);
  const crcs = parts.flatMap((part) => (part.crc64ecma === undefined ? [] : [part]));
  return {
    md5ofParts: md5s.length === parts.length ? md5OfMd5s(md5s) : undefined,
    crc64ecma:
      crcs.length === parts.length
        ? crcs.reduce((crc, part) => combineCrc64ecma(crc, part.crc64ecma ?? '0', part.size), '0')
        : undefined,
  };
}

/**
 * What the parts prove against the source's own checksums.
 * @param whole computed from the MD5s and CRCs of our parts
 * @param certain must agree: MD5 over all bytes, or over the source's own parts
 * @throws checksum-mismatch
 */
export function proveParts(key: string, claimed: Checksums, whole: Checksums, certain: Checksums): VerifiedBy {
  if (claimed.md5 !== undefined && certain.md5 !== undefined) {
    mustAgree(key, 'source', 'MD5', claimed.md5, certain.md5);
    return 'md5';
  }
  if (claimed.md5ofParts !== undefined && certain.md5ofParts !== undefined) {
    mustAgree(key, 'source', 'MD5 of parts', claimed.md5ofParts, certain.md5ofParts);
    return 'md5-of-parts';
  }
  if (claimed.crc64ecma !== undefined && whole.crc64ecma !== undefined) {
    mustAgree(key, 'source', 'CRC-64', claimed.crc64ecma, whole.crc64ecma);
    return 'crc64';
  }
  if (claimed.md5ofParts !== undefined && claimed.md5ofParts === whole.md5ofParts) return 'md5-of-parts';
  return 'computed';
}
