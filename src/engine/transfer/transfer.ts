/**
 * One ticket, one attempt: from the source's bytes to the destination's confirmation.
 * Tests: test/engine/transfer/doubt.test.ts
 */
import { md5 } from '../../hash/index.js';
import { isXsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { WriteResult } from '../../store/port.js';
import { isSmall } from '../flow/lanes.js';
import { byClient } from '../plan/plan.js';
import type { Moving } from '../tune/flow.js';
import { type Means, mustBeWhole, progressOf, Unfinished } from './means.js';
import { transferParts } from './multipart.js';
import { outgoing } from './outgoing.js';
import { writtenAlready } from './overtaken.js';
import { confirmByReading } from './reading-back.js';
import { copyOnServer } from './server-copy.js';
import { proveComposite } from './source-cut.js';
import { unverified, withoutChecksum } from './unverified.js';
import { confirm, contentOf, contradicts, hintAgrees, mustAgree, type Proof, proveWhole } from './verify.js';

/**
 * @throws precondition-failed or source-changed when the source is no longer the version that was planned;
 *   checksum-mismatch when bytes were damaged; Unfinished when the run stopped; whatever the stores throw
 */
export async function transfer(means: Means, ticket: CopyTicket): Promise<Copied> {
  if (!means.unverified) return transferOnce(means, ticket);
  return unverified(await transferOnce(means, withoutChecksum(ticket)));
}

function transferOnce(means: Means, ticket: CopyTicket): Promise<Copied> {
  return ticket.way === 'server' ? transferByService(means, ticket) : transferByClient(means, ticket);
}

/** Reads and writes what the service cannot copy. */
async function transferByService(means: Means, ticket: CopyTicket): Promise<Copied> {
  const { source, dest } = means;
  try {
    if (dest.copyableFrom(source)) return await copyOnServer(means, ticket);
  } catch (error) {
    if (!isXsyncError(error, 'unsupported')) throw error;
  }
  return transferByClient(means, byClient(ticket, dest.capabilities));
}

function transferByClient(means: Means, ticket: CopyTicket): Promise<Copied> {
  return ticket.cut.parts === 1 ? transferWhole(means, ticket) : transferParts(means, ticket);
}

/** One GET, one PUT. A large object uses a part's slot for them. */
async function transferWhole(means: Means, ticket: CopyTicket): Promise<Copied> {
  if (isSmall({ size: ticket.source.size, byService: false })) return getAndPut(means, ticket);
  const sent = means.slots.ofObject()(async () => {
    if (means.halt.stops('parts')) throw new Unfinished();
    const moving = means.slots.partFlow.begin(ticket.source.size);
    try {
      return await getAndPut(means, ticket, moving);
    } finally {
      moving.end();
    }
  });
  means.opened?.();
  return sent;
}

async function getAndPut(means: Means, ticket: CopyTicket, moving?: Moving): Promise<Copied> {
  const { dest, budget, halt, observe } = means;
  const { key } = ticket;
  const { size } = ticket.source;
  const lease = await budget.lease(size);
  try {
    if (halt.stops('parts')) throw new Unfinished();
    observe({ type: 'begin', key, size, parts: 1, resumedBytes: 0 });
    const { info, proof } = await readProven(means, ticket, lease.bytes, moving);
    const answer = await dest
      .put(ticket.dest.key, lease.bytes, {
        ...outgoing(info, dest, ticket.storageClass),
        replaces: ticket.dest.expects,
        contentMd5: proof.contentMd5,
        signal: halt.signal,
        pace: progressOf(means, key, moving),
      })
      .catch((error: unknown) => writtenAlready(means, ticket, error, { ...info, checksums: proof.expected }));
    const confirmed = await confirmWhole(means, ticket, { bytes: lease.bytes, proof, info, answer });
    const verifiedBy = confirmed ? proof.verifiedBy : 'size';
    const content = contentOf(means, proof.expected);
    return { kind: 'copied', destEtag: answer.etag, verifiedBy, parts: 1, resumedParts: 0, resumedBytes: 0, content };
  } finally {
    lease.release();
  }
}

/** Reads the object, a second time if an ETag that promises nothing is not that of the bytes. */
async function readProven(
  means: Means,
  ticket: CopyTicket,
  bytes: Uint8Array,
  moving: Moving | undefined,
): Promise<{ info: ObjectInfo; proof: Proof }> {
  const trust = means.etags.source;
  const info = await readOnce(means, ticket, bytes, moving);
  moving?.turn();
  const proof = await proofOf(means, ticket, bytes, info);
  if (!proof.doubtful || !trust.counts) {
    if (info.checksums.etagHint !== undefined && isByEtag(proof)) trust.agree();
    return { info, proof };
  }
  const before = md5(bytes);
  await readOnce(means, ticket, bytes, undefined);
  const again = await proofOf(means, ticket, bytes, info);
  if (!again.doubtful) trust.agree();
  else {
    mustAgree(ticket.key, 'source', 'md5', before, md5(bytes));
    trust.disown();
  }
  return { info, proof: again };
}

function isByEtag({ verifiedBy }: Proof): boolean {
  return verifiedBy === 'md5' || verifiedBy === 'md5-of-parts';
}

async function readOnce(
  { source, halt }: Means,
  ticket: CopyTicket,
  bytes: Uint8Array,
  moving: Moving | undefined,
): Promise<ObjectInfo> {
  const how = { ifMatch: ticket.source.etag, signal: halt.signal, pace: moving?.read };
  const info = await source.read(ticket.source.key, bytes, how);
  mustBeWhole(ticket, info);
  return info;
}

async function proofOf(means: Means, ticket: CopyTicket, bytes: Uint8Array, info: ObjectInfo): Promise<Proof> {
  const proof = await proveWhole(ticket.key, bytes, info.checksums, means.dest.capabilities);
  if (proof.verifiedBy !== 'computed') return proof;
  const certain = info.checksums.etagHint === undefined;
  const composite = await proveComposite(means, ticket, bytes, certain);
  if (composite === 'agrees') return { ...proof, verifiedBy: 'md5-of-parts' };
  return composite === 'differs' ? { ...proof, doubtful: true } : proof;
}

/** What a put is compared with. */
interface Put {
  bytes: Uint8Array;
  proof: Proof;
  info: ObjectInfo;
  answer: WriteResult;
}

/** @returns whether the destination checked or returned a checksum. @throws checksum-mismatch */
async function confirmWhole(means: Means, ticket: CopyTicket, { bytes, proof, info, answer }: Put): Promise<boolean> {
  const { dest, etags } = means;
  const trust = etags.dest;
  if (hintAgrees(proof.expected, answer)) trust.agree();
  if (confirm(ticket.key, proof.expected, answer)) return true;
  // Not every store obeys Content-MD5, so what was read is compared here too.
  if (info.checksums.md5 !== undefined) mustAgree(ticket.key, 'source', 'md5', info.checksums.md5, md5(bytes));
  if (contradicts(proof.expected, answer) && trust.counts) {
    const range = { offset: 0, etag: answer.etag, md5: proof.expected.md5 ?? '' };
    if (await confirmByReading(means, ticket, range, bytes)) return true;
  }
  return proof.contentMd5 !== undefined && dest.capabilities.checksContentMd5;
}
