/**
 * One part of an upload that somebody else has begun and completes. It is fenced by the upload's ID: when the upload is
 * completed or aborted, the destination refuses the part. Tests: test/engine/fleet/executor.test.ts
 */
import { pinned } from '../../store/wrap/pinned.js';
import { partRange } from '../plan/cut.js';
import { type FarPart, type Means, mustBeWhole, type PartSent, Unfinished } from './means.js';
import { confirm, contradicts, hashPartSoon, hintAgrees, type PartHashing } from './verify.js';

/** @throws what reading and writing the part throws; source-changed; checksum-mismatch; Unfinished when stopped */
export function sendLonePart(means: Means, part: FarPart): Promise<PartSent> {
  return means.slots.ofObject()(async () => {
    const { budget, halt, slots } = means;
    const { size } = rangeOf(part);
    const lease = await budget.lease(size);
    const moving = slots.partFlow.begin(size);
    try {
      if (halt.stops('parts')) throw new Unfinished();
      await read(means, part, lease.bytes);
      moving.turn();
      return await write(means, part, lease.bytes);
    } finally {
      moving.end();
      lease.release();
    }
  });
}

function rangeOf({ ticket: { cut, source }, partNumber }: FarPart): { offset: number; size: number } {
  return partRange(partNumber, cut.partSize, source.size);
}

async function read(means: Means, part: FarPart, bytes: Uint8Array): Promise<void> {
  const { halt } = means;
  const { key, etag: ifMatch, versionId } = part.ticket.source;
  const source = versionId === undefined ? means.source : pinned(means.source, versionId);
  const { offset } = rangeOf(part);
  mustBeWhole(part.ticket, await source.read(key, bytes, { offset, ifMatch, signal: halt.signal }));
}

async function write(
  { dest, halt, etags }: Means,
  { ticket, uploadId, partNumber, hashing }: FarPart,
  bytes: Uint8Array,
): Promise<PartSent> {
  const { checksContentMd5, hashesParts = false } = dest.capabilities;
  const hashes = await hashPartSoon(bytes, hereOf(hashing, hashesParts));
  const contentMd5 = checksContentMd5 ? hashes.md5 : undefined;
  const upload = { key: ticket.dest.key, uploadId };
  const answer = await dest.uploadPart(upload, partNumber, bytes, { contentMd5, signal: halt.signal });
  const confirmed = confirm(ticket.key, hashes, answer);
  if (hintAgrees(hashes, answer)) etags.dest.agree();
  const md5 = hashesParts ? answer.checksums.md5 : hashes.md5;
  return {
    row: { partNumber, size: bytes.byteLength, etag: answer.etag, ...hashes, md5 },
    confirmed: confirmed || contentMd5 !== undefined || hashesParts,
    contradicted: !confirmed && contradicts(hashes, answer),
  };
}

/** A store that hashes parts itself returns their MD5s. */
function hereOf({ md5, crc64ecma }: PartHashing, byStore: boolean): PartHashing {
  return { md5: md5 && !byStore, crc64ecma };
}
