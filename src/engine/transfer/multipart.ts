/**
 * One object in parts, from the first part, or where an earlier run stopped, to the completed object. Nothing becomes
 * visible before the whole was compared with the source's checksum.
 * Tests: test/engine/transfer/stragglers.test.ts
 */
import { USUAL_POLICY } from '../../model/carry-policy.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Carried } from '../fidelity/carry.js';
import { complete, finishedEarlier } from './complete.js';
import { type Means, mustBeWhole } from './means.js';
import { forUpload, outgoing, writeLater } from './outgoing.js';
import { bytesOf, PartsInFlight } from './parts-in-flight.js';
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
    if (finished) return finished;
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
  const carried = parts.carried ?? (await carriedEarlier(means, ticket));
  if (carried) await writeLater(means, ticket, carried);
  const content = contentOf(means, wholeOf(parts.rows()), partSize);
  return {
    kind: 'copied',
    destEtag: answer.etag,
    destVersion: answer.versionId,
    verifiedBy,
    parts: count,
    ...parts.resumed,
    content,
    fidelity: carried?.fidelity,
  };
}

/** What an upload of an earlier run carries, if something may have to be set after it. One HEAD of the source. */
async function carriedEarlier(means: Means, ticket: CopyTicket): Promise<Carried | undefined> {
  const { tags, acl, lock } = ticket.carry ?? USUAL_POLICY;
  if (!tags && !acl && !lock) return undefined;
  const info = await means.source.head(ticket.source.key, { signal: means.halt.signal });
  return forUpload(await outgoing(means, ticket, info), means.dest.capabilities);
}

/** One HEAD of the source if the checkpoint does not say what is needed of its parts, or no part is left to be read. */
async function resumeProof(means: Means, ticket: CopyTicket, proof: SourceProof, resumed: Resumed): Promise<void> {
  const continued = resumed.hashed !== undefined && (await proof.resume(resumed.hashed));
  if (continued && !resumed.gone && resumed.parts.length < ticket.cut.parts) return;
  const info = await means.source.head(ticket.source.key, { signal: means.halt.signal });
  mustBeWhole(ticket, info);
  await proof.learn(info.checksums, async () => ({}));
}
