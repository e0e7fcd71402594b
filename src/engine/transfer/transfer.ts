/** One ticket, one attempt: from the source's bytes to the destination's confirmation. */
import { isXsyncError } from '../../model/error.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import { isSmall } from '../flow/lanes.js';
import { byClient } from '../plan/plan.js';
import type { Moving } from '../tune/flow.js';
import { type Means, mustBeWhole, progressOf, Unfinished } from './means.js';
import { transferParts } from './multipart.js';
import { outgoing } from './outgoing.js';
import { copyOnServer } from './server-copy.js';
import { proveComposite } from './source-cut.js';
import { confirm, proveWhole } from './verify.js';

/**
 * @throws precondition-failed or source-changed when the source is no longer the version that was planned;
 *   checksum-mismatch when bytes were damaged; Unfinished when the run stopped; whatever the stores throw
 */
export function transfer(means: Means, ticket: CopyTicket): Promise<Copied> {
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
  const { source, dest, budget, halt, observe } = means;
  const { key } = ticket;
  const { size } = ticket.source;
  const lease = await budget.lease(size);
  try {
    if (halt.stops('parts')) throw new Unfinished();
    observe({ type: 'begin', key, size, parts: 1, resumedBytes: 0 });
    const info = await source.read(ticket.source.key, lease.bytes, {
      ifMatch: ticket.source.etag,
      signal: halt.signal,
      pace: moving?.read,
    });
    moving?.turn();
    mustBeWhole(ticket, info);
    const proof = proveWhole(key, lease.bytes, info.checksums, dest.capabilities);
    const composite = proof.verifiedBy === 'computed' && (await proveComposite(means, ticket, lease.bytes));
    const answer = await dest.put(ticket.dest.key, lease.bytes, {
      ...outgoing(info, dest, ticket.storageClass),
      contentMd5: proof.contentMd5,
      signal: halt.signal,
      pace: progressOf(means, key, moving),
    });
    const checked = proof.contentMd5 !== undefined && dest.capabilities.checksContentMd5;
    const proven = composite ? 'md5-of-parts' : proof.verifiedBy;
    const verifiedBy = confirm(key, proof.expected, answer) || checked ? proven : 'size';
    return { kind: 'copied', destEtag: answer.etag, verifiedBy, parts: 1, resumedParts: 0, resumedBytes: 0 };
  } finally {
    lease.release();
  }
}
