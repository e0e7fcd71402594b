/**
 * One ticket, one attempt: from the source's bytes to the destination's confirmation.
 * Tests: test/engine/transfer/doubt.test.ts
 */
import { md5 } from '../../hash/index.js';
import { compositeEtag } from '../../model/checksum.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { PutOptions, WriteResult } from '../../store/port.js';
import { isSmall } from '../flow/lanes.js';
import { byClient } from '../plan/plan.js';
import type { Moving } from '../tune/flow.js';
import { writeLater, writeWith } from './attribute-writes.js';
import { canPassOn, type Held, passOn } from './in-pieces.js';
import { copyLink } from './links.js';
import { type Means, mustBeWhole, observeBegin, progressOf, Unfinished } from './means.js';
import { transferParts } from './multipart.js';
import { onceOf, outgoing } from './outgoing.js';
import { writtenAlready } from './overtaken.js';
import { confirmByReading } from './reading-back.js';
import { copyOnServer, copyTwin } from './server-copy.js';
import { proveComposite } from './source-cut.js';
import { unverified, withoutChecksum } from './unverified.js';
import {
  confirm,
  contentOf,
  contradicts,
  hintAgrees,
  mustAgree,
  type Proof,
  provenAhead,
  proveWhole,
} from './verify.js';

/**
 * @throws precondition-failed or source-changed when the source is no longer the version that was planned;
 *   checksum-mismatch when bytes were damaged; Unfinished when the run stopped; whatever the stores throw
 */
export function transfer(means: Means, ticket: CopyTicket): Promise<Copied> {
  if (!means.unverified) return transferOnce(means, ticket);
  return transferOnce(means, withoutChecksum(ticket)).then(unverified);
}

function transferOnce(means: Means, ticket: CopyTicket): Promise<Copied> {
  if (ticket.way === 'link') return copyLink(means, ticket);
  if (ticket.dest.twin) return copyTwin(means, ticket, ticket.dest.twin);
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
  return ticket.cut.parts === 1 ? transferWhole(means, ticket) : transferInParts(means, ticket);
}

async function transferInParts(means: Means, ticket: CopyTicket): Promise<Copied> {
  if (means.dest.capabilities.maxParts > 1) {
    try {
      return await transferParts(means, ticket);
    } catch (error) {
      // A store may turn out to have no multipart uploads.
      if (!isXsyncError(error, 'unsupported') || means.dest.capabilities.maxParts > 1) throw error;
      await means.checkpoints.endUpload(ticket.key);
    }
  }
  return transferWhole(means, inOneRequest(means, ticket));
}

/** @throws object-too-large: for a request, or for the memory */
function inOneRequest({ dest, budget }: Means, ticket: CopyTicket): CopyTicket {
  const { size } = ticket.source;
  const { maxPutSize } = dest.capabilities;
  const subject = ticket.dest.key;
  if (size > maxPutSize) {
    const message = `the store has no multipart uploads, and one request takes at most ${maxPutSize} bytes, not ${size}`;
    throw new XsyncError('object-too-large', message, { subject, remedy: 'Use a store with multipart uploads.' });
  }
  if (size > budget.limit) {
    const message = `the store has no multipart uploads, and ${size} bytes do not fit into --max-memory`;
    throw new XsyncError('object-too-large', message, {
      subject,
      remedy: `Set --max-memory to ${mebibytes(size)}M or more.`,
    });
  }
  return byClient(ticket, dest.capabilities);
}

function mebibytes(size: number): number {
  return Math.ceil(size / (1024 * 1024));
}

/** One GET, one PUT. A large object uses a part's slot for them. */
function transferWhole(means: Means, ticket: CopyTicket): Promise<Copied> {
  if (isSmall({ size: ticket.source.size, byService: false })) return putHeld(means, ticket, undefined, undefined);
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

async function getAndPut(means: Means, ticket: CopyTicket, moving: Moving): Promise<Copied> {
  const passed = canPassOn(means) ? await passOn(means, ticket, moving) : undefined;
  return typeof passed === 'object' && 'kind' in passed ? passed : putHeld(means, ticket, passed, moving);
}

/** @param passed what became of passing it on; absent: not tried */
async function putHeld(
  means: Means,
  ticket: CopyTicket,
  passed: Held | 'again' | undefined,
  moving: Moving | undefined,
): Promise<Copied> {
  const { dest, budget, halt, etags } = means;
  const { key } = ticket;
  const held = passed === 'again' ? undefined : passed;
  const { size } = ticket.source;
  const lease = held?.lease ?? budget.tryLease(size) ?? (await budget.lease(size));
  try {
    if (halt.stops('parts')) throw new Unfinished();
    if (passed === undefined) observeBegin(means, ticket);
    const info = held?.info ?? (await readOnce(means, ticket, lease.bytes, moving));
    mustBeWhole(ticket, info);
    moving?.turn();
    const planning = outgoing(means, ticket, info);
    const planned = planning instanceof Promise ? await planning : planning;
    const proof = provenAhead(info.checksums, dest.capabilities) ?? (await prove(means, ticket, lease.bytes, info));
    const { answer, carried } = await writeWith(means, ticket, planned, (put) => {
      // V8 is slow with a literal that adds so much to what it spreads.
      const options: PutOptions = { ...put };
      options.once = onceOf(ticket).once;
      options.replaces = ticket.dest.expects;
      options.contentMd5 = proof.contentMd5;
      options.signal = halt.signal;
      options.pace = progressOf(means, key, moving);
      return dest
        .put(ticket.dest.key, lease.bytes, options)
        .catch((error: unknown) => writtenAlready(means, ticket, error, { ...info, checksums: proof.expected }));
    });
    if (hintAgrees(proof.expected, answer)) etags.dest.agree();
    const confirmed =
      confirm(key, proof.expected, answer) ||
      (await confirmElse(means, ticket, { bytes: lease.bytes, proof, info, answer }));
    const { fidelity } = carried.later ? await writeLater(means, ticket, carried) : carried;
    const verifiedBy = confirmed ? proof.verifiedBy : 'size';
    return {
      kind: 'copied',
      destEtag: answer.etag,
      destVersion: answer.versionId,
      verifiedBy,
      parts: 1,
      resumedParts: 0,
      resumedBytes: 0,
      content: contentOf(means, proof.expected),
      fidelity,
    };
  } finally {
    lease.release();
  }
}

/** Proves what was read. Reads it a second time if an ETag that promises nothing is not that of the bytes. */
async function prove(means: Means, ticket: CopyTicket, bytes: Uint8Array, info: ObjectInfo): Promise<Proof> {
  const trust = means.etags.source;
  const proof = await proofOf(means, ticket, bytes, info);
  if (!proof.doubtful || !trust.counts) {
    if (info.checksums.etagHint !== undefined && isByEtag(proof)) trust.agree();
    return proof;
  }
  const before = md5(bytes);
  mustBeWhole(ticket, await readOnce(means, ticket, bytes, undefined));
  const again = await proofOf(means, ticket, bytes, info);
  if (!again.doubtful) trust.agree();
  else {
    mustAgree(ticket.key, 'source', 'md5', before, md5(bytes));
    trust.disown();
  }
  return again;
}

function isByEtag({ verifiedBy }: Proof): boolean {
  return verifiedBy === 'md5' || verifiedBy === 'md5-of-parts';
}

function readOnce(
  { source, halt }: Means,
  ticket: CopyTicket,
  bytes: Uint8Array,
  moving: Moving | undefined,
): Promise<ObjectInfo> {
  const how = { ifMatch: ticket.source.etag, signal: halt.signal, pace: moving?.read };
  return source.read(ticket.source.key, bytes, how);
}

async function proofOf(means: Means, ticket: CopyTicket, bytes: Uint8Array, info: ObjectInfo): Promise<Proof> {
  const proof = await proveWhole(ticket.key, bytes, info.checksums, means.dest.capabilities);
  // The listing's ETag of an encrypted object looks like an MD5 of MD5s and is none. The response to the read tells.
  if (proof.verifiedBy !== 'computed' || compositeEtag(info.checksums) === undefined) return proof;
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

/**
 * Of a put whose answer has none of the expected checksums.
 * @returns whether the destination checked one, or has the bytes
 * @throws checksum-mismatch
 */
async function confirmElse(means: Means, ticket: CopyTicket, { bytes, proof, info, answer }: Put): Promise<boolean> {
  const { dest, etags } = means;
  // Not every store obeys Content-MD5, so what was read is compared here too.
  if (info.checksums.md5 !== undefined) mustAgree(ticket.key, 'source', 'md5', info.checksums.md5, md5(bytes));
  if (contradicts(proof.expected, answer) && etags.dest.counts) {
    const range = { offset: 0, etag: answer.etag, md5: proof.expected.md5 ?? '' };
    if (await confirmByReading(means, ticket, range, bytes)) return true;
  }
  return proof.contentMd5 !== undefined && dest.capabilities.checksContentMd5;
}
