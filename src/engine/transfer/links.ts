/** Copies of symbolic links as links. Tests: test/e2e/links.test.ts */
import { XsyncError } from '../../model/error.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore } from '../../store/port.js';
import { targetOfCopy } from '../decide/links.js';
import { writeLater, writeWith } from './attribute-writes.js';
import { type Means, observeBegin } from './means.js';
import { onceOf, outgoing } from './outgoing.js';

/**
 * Reads the link, writes it, and reads it back: the answer to a write tells no version. The link is copied that stands
 * there when it is read, whatever was listed.
 * @throws unsupported-object: it points to what is not copied with it, and the destination cannot say so
 */
export async function copyLink(means: Means, ticket: CopyTicket): Promise<Copied> {
  const { source, dest, halt } = means;
  const { signal } = halt;
  const keys = { key: ticket.key, sourceKey: ticket.source.key, destKey: ticket.dest.key };
  observeBegin(means, ticket);
  const { target: from, info } = await linkAt(source, keys.sourceKey, signal);
  const { target, outside } = targetOfCopy(keys, from);
  if (outside && !bothByKey(source, dest)) throw outsideOfCopy(keys.key, from);
  const planned = await outgoing(means, { ...ticket, link: { outside: outside ? from : undefined } }, info);
  const { replaces, ...once } = { replaces: ticket.dest.expects, ...onceOf(ticket) };
  const { answer, carried } = await writeWith(means, ticket, planned, ({ headers, metadata, tags, acl }) => {
    const { mtimeMs } = planned.put;
    return putLink(dest)(keys.destKey, target, { ...once, headers, metadata, tags, acl, mtimeMs, replaces, signal });
  });
  const { fidelity } = await writeLater(means, ticket, carried);
  const there = await linkAt(dest, keys.destKey, signal);
  if (there.target !== target) {
    const message = `the link at the destination points to ${there.target} instead of ${target}`;
    throw new XsyncError('checksum-mismatch', message, { subject: keys.key });
  }
  const written = { destEtag: there.info.etag, destVersion: answer.versionId };
  return { kind: 'copied', ...written, verifiedBy: 'link', parts: 1, resumedParts: 0, resumedBytes: 0, fidelity };
}

/** Copies a link of the destination aside, before it is changed. It points to the same key there. */
export async function backUpLink({ dest, halt }: Means, aside: ObjectStore, from: string, to: string): Promise<void> {
  const { signal } = halt;
  const { target, info } = await linkAt(dest, from, signal);
  const { headers, metadata, mtimeMs } = info;
  await putLink(aside)(to, target, { headers, metadata, mtimeMs, signal });
}

function linkAt(store: ObjectStore, key: string, signal: AbortSignal) {
  if (store.getLink) return store.getLink(key, { signal });
  throw new XsyncError('unsupported', 'the store has no symbolic links', { subject: key });
}

function putLink({ putLink: put, identity }: ObjectStore): NonNullable<ObjectStore['putLink']> {
  if (put) return put;
  throw new XsyncError('unsupported', 'the store has no symbolic links', { subject: identity.bucket });
}

/** The target of a link is a key, and any key will do. */
function bothByKey(source: ObjectStore, dest: ObjectStore): boolean {
  return source.capabilities.links === 'objects' && dest.capabilities.links === 'objects';
}

function outsideOfCopy(key: string, target: string): XsyncError {
  return new XsyncError('unsupported-object', `a symbolic link to ${target}, which is not copied with it`, {
    subject: key,
    remedy: 'Copy what it points to (--links follow), or exclude it.',
  });
}
