/** One plan entry, one attempt: from the source's bytes to the destination's confirmation. Needs no listing. */

import type { PlanEntry } from '../plan/plan.js';
import type { Moving } from '../tune/flow.js';
import { mustBeWhole, progressOf, type TransferContext, type TransferResult, Unfinished } from './context.js';
import { transferParts } from './multipart.js';
import { outgoing } from './outgoing.js';
import { copyOnServer } from './server-copy.js';
import { isSmall } from './slots.js';
import { proveComposite } from './source-cut.js';
import { checkpointedCut } from './uploads.js';
import { confirm, proveWhole } from './verify.js';

/**
 * @throws precondition-failed or source-changed when the source is no longer the version that was planned;
 *   checksum-mismatch when bytes were damaged; Unfinished when the run stopped; whatever the stores throw
 */
export function transfer(context: TransferContext, entry: PlanEntry): Promise<TransferResult> {
  if (entry.way === 'server') return copyOnServer(context, entry);
  const cut = checkpointedCut(context, entry);
  return cut.parts === 1 ? transferWhole(context, cut) : transferParts(context, cut);
}

/** One GET, one PUT. A large object takes a part's slot for them. */
async function transferWhole(context: TransferContext, entry: PlanEntry): Promise<TransferResult> {
  if (isSmall(entry)) return getAndPut(context, entry);
  const sent = context.slots.ofObject()(async () => {
    if (context.halt.stops('parts')) throw new Unfinished();
    const moving = context.slots.partFlow.begin(entry.size);
    try {
      return await getAndPut(context, entry, moving);
    } finally {
      moving.end();
    }
  });
  context.opened?.();
  return sent;
}

async function getAndPut(context: TransferContext, entry: PlanEntry, moving?: Moving): Promise<TransferResult> {
  const { source, dest, budget, halt, emit } = context;
  const lease = await budget.lease(entry.size);
  try {
    if (halt.stops('parts')) throw new Unfinished();
    emit({ type: 'begin', key: entry.key, size: entry.size, parts: 1, resumedBytes: 0 });
    const info = await source.read(entry.sourceKey, lease.bytes, {
      ifMatch: entry.sourceEtag,
      signal: halt.signal,
      pace: moving?.read,
    });
    moving?.turn();
    mustBeWhole(entry, info);
    const proof = proveWhole(entry.key, lease.bytes, info.checksums, dest.capabilities);
    const composite = proof.verifiedBy === 'computed' && (await proveComposite(context, entry, lease.bytes));
    const answer = await dest.put(entry.destKey, lease.bytes, {
      ...outgoing(info, dest, context.storageClass),
      contentMd5: proof.contentMd5,
      signal: halt.signal,
      pace: progressOf(context, entry.key, moving),
    });
    const checked = proof.contentMd5 !== undefined && dest.capabilities.checksContentMd5;
    const proven = composite ? 'md5-of-parts' : proof.verifiedBy;
    const verifiedBy = confirm(entry.key, proof.expected, answer) || checked ? proven : 'size';
    return { destEtag: answer.etag, verifiedBy, parts: 1, resumedParts: 0, resumedBytes: 0 };
  } finally {
    lease.release();
  }
}
