/**
 * Which checks a pair of stores allows, and what they prove. Pure except for the hashing.
 *
 * The reference is the source's own checksum if it has one. If the destination checks the same kind itself (Content-MD5),
 * nothing is hashed here; otherwise the bytes are hashed once while they are in memory.
 * Tests: test/engine/transfer/doubt.test.ts
 */
import { combineCrc64ecma } from '../../hash/combine.js';
import { crc64ecmaSoon, md5OfMd5s, md5Soon } from '../../hash/index.js';
import { digestOf } from '../../hash/running.js';
import type { PartRow } from '../../manifest/checkpoints.js';
import type { Checksums } from '../../model/checksum.js';
import { contentText } from '../../model/content.js';
import { XsyncError } from '../../model/error.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { Capabilities, ObjectStore, PartEntry, WriteResult } from '../../store/port.js';

/** What to send with a body, which checksums the response must have, and what that proves. */
export interface Proof {
  contentMd5?: string;
  expected: Checksums;
  verifiedBy: VerifiedBy;
  /** The source's only checksum is an ETag that promises nothing, and it is not the MD5 of these bytes. */
  doubtful: boolean;
}

/** What a checksum of the source is called, in messages and when it proves an object. */
const NAMES = {
  md5: { text: 'MD5', proves: 'md5' },
  sha256: { text: 'SHA-256', proves: 'sha256' },
  sha1: { text: 'SHA-1', proves: 'sha1' },
  crc64ecma: { text: 'CRC-64', proves: 'crc64' },
  crc64nvme: { text: 'CRC-64/NVME', proves: 'crc64' },
  crc32c: { text: 'CRC-32C', proves: 'crc32' },
  crc32: { text: 'CRC-32', proves: 'crc32' },
  md5ofParts: { text: 'MD5 of parts', proves: 'md5-of-parts' },
} as const satisfies Record<Exclude<keyof Checksums, 'etagHint'>, { text: string; proves: VerifiedBy }>;

export type SourceChecksum = keyof typeof NAMES;

const ALL = Object.keys(NAMES) as SourceChecksum[];

/** How an object is verified by this checksum of its source. */
export function provenBy(name: SourceChecksum): VerifiedBy {
  return NAMES[name].proves;
}

/** Checksums of S3 that are computed here if the source has no MD5, the strongest first. */
const OTHERS = ['sha256', 'sha1', 'crc64nvme', 'crc32c', 'crc32'] as const;

/** Of an object whose source promises an MD5, and whose destination checks it: nothing is hashed here. */
export function provenAhead(claimed: Checksums, dest: Capabilities): Proof | undefined {
  const { md5 } = claimed;
  return md5 !== undefined && dest.checksContentMd5 ? provenByMd5(md5, claimed) : undefined;
}

function provenByMd5(md5: string, { crc64ecma }: Checksums): Proof {
  return { contentMd5: md5, expected: { md5, crc64ecma }, verifiedBy: 'md5', doubtful: false };
}

/**
 * For any object whose bytes are all in memory.
 * @throws checksum-mismatch when the bytes read do not match the source's checksum
 */
export async function proveWhole(
  key: string,
  bytes: Uint8Array,
  claimed: Checksums,
  dest: Capabilities,
): Promise<Proof> {
  const { md5: own, crc64ecma: ownCrc, etagHint: hint } = claimed;
  if (own !== undefined) {
    if (!dest.checksContentMd5) mustAgree(key, 'source', 'md5', own, await md5Soon(bytes));
    return provenByMd5(own, claimed);
  }
  const hinted = hint !== undefined && !hint.includes('-');
  const sum = hinted || dest.checksContentMd5 || dest.partEtagIsMd5 ? await md5Soon(bytes) : undefined;
  const crc = ownCrc === undefined && !dest.answersCrc64ecma ? undefined : await crc64ecmaSoon(bytes);
  const computed: Checksums = { md5: sum, crc64ecma: crc };
  const other = ownCrc === undefined ? OTHERS.find((name) => claimed[name] !== undefined) : 'crc64ecma';
  if (other !== undefined && other !== 'crc64ecma') computed[other] = await digestOf(other, bytes);
  if (other !== undefined) mustAgree(key, 'source', other, claimed[other] ?? '', computed[other] ?? '');
  const verifiedBy = other === undefined ? 'computed' : provenBy(other);
  const agrees = hinted && hint === sum;
  return {
    contentMd5: sum,
    expected: computed,
    verifiedBy: agrees ? 'md5' : verifiedBy,
    doubtful: hinted && !agrees && other === undefined,
  };
}

/** Which hashes each part needs. */
export interface PartHashing {
  md5: boolean;
  crc64ecma: boolean;
}

/** @param imitated the parts are cut as the source's composite ETag suggests, so their MD5s may prove the whole */
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
    crc64ecma: hashing.crc64ecma ? await crc64ecmaSoon(bytes) : undefined,
  };
}

/**
 * Compares the checksums that the destination returns with what was sent. A checksum that it does not return, and an ETag
 * that promises nothing and differs, neither fail nor prove anything.
 * @returns whether any was confirmed
 * @throws checksum-mismatch
 */
export function confirm(key: string, sent: Checksums, answer: Pick<WriteResult, 'checksums'>): boolean {
  const { checksums } = answer;
  let confirmed = hintAgrees(sent, answer);
  for (const name of ALL) {
    const expected = sent[name];
    const got = checksums[name];
    if (expected === undefined || got === undefined) continue;
    mustAgree(key, 'destination', name, expected, got);
    confirmed = true;
  }
  return confirmed;
}

/** The destination returned an ETag that promises nothing, and it is the MD5 that was sent. */
export function hintAgrees(
  sent: Checksums,
  { checksums: { etagHint: hint } }: Pick<WriteResult, 'checksums'>,
): boolean {
  return hint !== undefined && (hint === sent.md5 || hint === sent.md5ofParts);
}

/** The destination returned an ETag that looks like an MD5, and it is not the MD5 that was sent. */
export function contradicts(
  sent: Checksums,
  { checksums: { etagHint: hint } }: Pick<WriteResult, 'checksums'>,
): boolean {
  return hint !== undefined && !hint.includes('-') && sent.md5 !== undefined && hint !== sent.md5;
}

export function mustAgree(key: string, side: string, name: SourceChecksum, expected: string, got: string): void {
  if (expected === got) return;
  const message = `${NAMES[name].text} of the ${side} disagrees: expected ${expected}, got ${got}`;
  throw new XsyncError('checksum-mismatch', message, {
    subject: key,
    remedy: 'the object is copied again; if the mismatch persists, compare both sides with `xsync lsjson --hash`',
  });
}

/** Whether a part that was read again has the bytes that were sent. Unknown counts as no. */
export function isSameBytes(row: PartHashes, again: PartHashes): boolean {
  const names = (['md5', 'crc64ecma'] as const).filter((name) => row[name] !== undefined && again[name] !== undefined);
  return names.length > 0 && names.every((name) => row[name] === again[name]);
}

/** Whether a listed part is the one about to be sent, by its CRC-64 or by an ETag that is the MD5. */
export function isSamePart(there: PartEntry, size: number, { md5, crc64ecma }: PartHashes): boolean {
  if (there.size !== size) return false;
  if (crc64ecma !== undefined && there.crc64ecma !== undefined) return crc64ecma === there.crc64ecma;
  return md5 !== undefined && there.etag.toLowerCase() === md5;
}

/**
 * The checksum of the bytes for the manifest, where a side is on local disk: its file can change unnoticed.
 * @param partSize of the parts in `md5ofParts`
 */
export function contentOf(
  { source, dest }: { source: Pick<ObjectStore, 'capabilities'>; dest: Pick<ObjectStore, 'capabilities'> },
  { md5, crc64ecma, md5ofParts }: Checksums,
  partSize = 0,
): string | undefined {
  if (!source.capabilities.local && !dest.capabilities.local) return undefined;
  if (md5 !== undefined) return contentText({ name: 'md5', value: md5 });
  if (crc64ecma !== undefined) return contentText({ name: 'crc64ecma', value: crc64ecma });
  return md5ofParts && contentText({ name: 'md5ofParts', value: md5ofParts, partSize });
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
