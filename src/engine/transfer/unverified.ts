/**
 * --ignore-checksum: what the source and the answers of the destination say of checksums is not heard, so that nothing
 * can disagree, and nothing counts as verified.
 * Tests: test/engine/transfer/unverified.test.ts
 */
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore } from '../../store/port.js';
import { InterceptedStore } from '../../store/wrap/intercept.js';
import type { Means } from './means.js';

/** The same means, without the checksums of both sides. A HEAD of the destination still finds what was written. */
export function ignoringChecksums<M extends Pick<Means, 'source' | 'dest'>>(means: M): M & { unverified: true } {
  const { source, dest } = means;
  return { ...means, source: silent(source), dest: silent(dest, 'head'), unverified: true };
}

function silent(store: ObjectStore, heard?: 'head'): ObjectStore {
  return new InterceptedStore(store, async (call, run) => {
    const answer = await run(call.pace);
    const speaks = typeof answer === 'object' && answer !== null && 'checksums' in answer;
    return speaks && call.kind !== heard ? { ...answer, checksums: {} } : answer;
  });
}

/** The ticket without the source's composite ETag, whose cut stays. */
export function withoutChecksum({ source, ...ticket }: CopyTicket): CopyTicket {
  return { ...ticket, source: { ...source, md5ofParts: undefined } };
}

export function unverified(copied: Copied): Copied {
  return { ...copied, verifiedBy: 'none', content: undefined };
}
