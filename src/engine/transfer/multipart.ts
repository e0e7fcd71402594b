/**
 * One object in parts, from the first part, or where an earlier run stopped, to the completed object. Nothing becomes
 * visible before the whole was compared with the source's checksum.
 * Tests: test/engine/transfer/stragglers.test.ts
 */
import { USUAL_POLICY } from '../../model/carry-policy.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import { writeLater } from './attribute-writes.js';
import { complete, finishedEarlier } from './complete.js';
import { type Means, mustBeWhole } from './means.js';
import { outgoing } from './outgoing.js';
import { bytesOf, PartsInFlight } from './parts-in-flight.js';
import { refreshAttributes } from './refresh.js';
import { SourceProof } from './source-proof.js';
import { type Resumed, resumeUpload } from './uploads.js';
import { contentOf, wholeOf } from './verify.js';

export async function transferParts(means: Means, ticket: CopyTicket): Promise<Copied> {
  const resumed = await resumeUpload(means, ticket);
  const done = resumed && !resumed.gone ? resumed.parts : [];
  const resumedBytes = bytesOf(done);
  const proof = new SourceProof(ticket);
  if (resumed && resumed.parts.length > 0) await resumeProof(means, ticket, proof, resumed);
  means.observe({ type: 'begin', key: ticket.key, size: ticket.source.size, parts: ticket.cut.parts, resumedBytes });
  if (resumed?.gone) {
    const finished = await finishedEarlier(means, ticket, proof, resumed.parts);
    if (finished) return { ...finished, ...(await attributesOf(means, ticket, resumed, finished.destEtag)) };
    await means.checkpoints.endUpload(ticket.key);
  }
  const kept = resumed?.gone ? undefined : resumed;
  const parts = new PartsInFlight(means, ticket, kept ? proof : new SourceProof(ticket), kept, done);
  const proven = await parts.sendAll();
  const answer = await complete(means, ticket, await parts.upload(), parts.rows());
  await means.checkpoints.endUpload(ticket.key);
  const confirmed = (await parts.confirmedBy(answer.etag)) || answer.confirmed;
  const verifiedBy = confirmed ? proven : 'size';
  const { partSize, parts: count } = ticket.cut;
  const { destEtag, fidelity } = parts.carried
    ? { destEtag: answer.etag, ...(await writeLater(means, ticket, parts.carried)) }
    : await attributesOf(means, ticket, kept, answer.etag, parts.info);
  const content = contentOf(means, wholeOf(parts.rows()), partSize);
  return {
    kind: 'copied',
    destEtag,
    destVersion: answer.versionId,
    verifiedBy,
    parts: count,
    ...parts.resumed,
    content,
    fidelity,
  };
}

type Attributed = Pick<Copied, 'destEtag' | 'fidelity'>;

/**
 * An upload of an earlier run has the attributes that it was started with. Compares them with those of the source where
 * they may have changed since, where others may be wanted now, and where what is set after an upload may be missing: one
 * HEAD of each side.
 * @throws source-changed: the destination cannot change them without the bytes
 */
async function attributesOf(
  means: Means,
  ticket: CopyTicket,
  resumed: Resumed | undefined,
  destEtag: string,
  info?: ObjectInfo,
): Promise<Attributed> {
  const { tags, acl, lock, set, storageClass } = ticket.carry ?? USUAL_POLICY;
  const wanted = tags || acl || lock || set !== undefined || storageClass !== undefined;
  const touched = resumed !== undefined && ticket.source.mtimeMs > resumed.createdMs;
  // Sends no request.
  if (!wanted && !touched) return { destEtag, fidelity: info && (await outgoing(means, ticket, info)).fidelity };
  const at = { ...ticket, dest: { ...ticket.dest, replaces: destEtag } };
  const refreshed = await refreshAttributes(means, at, false);
  if (refreshed.kind === 'needs-copy') {
    throw new XsyncError('source-changed', 'its attributes changed after its upload had begun', {
      subject: ticket.key,
    });
  }
  return {
    destEtag,
    ...(refreshed.kind === 'refreshed' && { destEtag: refreshed.destEtag }),
    fidelity: refreshed.fidelity,
  };
}

/** One HEAD of the source if the checkpoint does not say what is needed of its parts, or no part is left to be read. */
async function resumeProof(means: Means, ticket: CopyTicket, proof: SourceProof, resumed: Resumed): Promise<void> {
  const continued = resumed.hashed !== undefined && (await proof.resume(resumed.hashed));
  if (continued && !resumed.gone && resumed.parts.length < ticket.cut.parts) return;
  const info = await means.source.head(ticket.source.key, { signal: means.halt.signal });
  mustBeWhole(ticket, info);
  await proof.learn(info.checksums, async () => ({}));
}
