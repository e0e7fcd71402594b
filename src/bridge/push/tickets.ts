/** Makes tickets of what waits in the outbox. Tests: test/bridge/push/sender.test.ts */
import { type Outbox, type OutboxRow, ticketId } from '../../manifest/queues.js';
import { XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import { originOf } from '../../model/object.js';
import type { ObjectStore } from '../../store/port.js';
import { provingChecksums } from '../checksums.js';
import { type BridgeTicket, type GivenAttributes, MOST_BYTES, MOST_NEWER } from '../ticket.js';
import { type AttributeStore, infoOf, type Reading, readFurther } from './attributes.js';

export interface TicketSource {
  store: Pick<ObjectStore, 'signedUrl' | 'identity'> & AttributeStore;
  prefix: string;
  outbox: Pick<Outbox, 'versions'>;
  reading: Reading;
  /** Where the other end tells outcomes. */
  callback?: { url: string };
  /** Of the URLs, seconds. */
  expiresS: number;
}

/** Not validated yet. @throws unsupported, and what the store throws */
export async function ticketOf(row: OutboxRow, source: TicketSource): Promise<BridgeTicket> {
  const { store, prefix, expiresS } = source;
  const { key, version, revision, etag, size, mtimeMs, versionId } = row;
  const told = source.callback && { callback: source.callback.url };
  const from = originOf(store.identity, prefix);
  const common = { version: 1 as const, id: ticketId(row), key, revision, source: from, ...told };
  if (row.action === 'delete') return { ...common, action: 'delete' };
  const its = version === undefined ? undefined : await versionIn(row, source);
  if (row.action === 'mark') {
    if (!its) throw new XsyncError('internal', 'a delete marker is no version');
    return { ...common, action: 'mark', ...its, mtimeMs };
  }
  if (!store.signedUrl) throw new XsyncError('unsupported', 'the source has no presigned URLs');
  const { url, expiresMs } = await store.signedUrl(prefix + key, { expiresS, versionId });
  const { checksums = row.checksums, ...attributes } = await attributesOf(row, source);
  const { kind: service } = store.identity;
  return {
    ...{ ...common, action: 'copy', url, expiresMs: Math.floor(expiresMs), etag, size, mtimeMs, service },
    ...its,
    ...(checksums && { checksums }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
}

async function versionIn({ key, revision, versionId = '' }: OutboxRow, { store, prefix, outbox }: TicketSource) {
  const newer = (await outbox.versions?.newerVersions(key, revision, MOST_NEWER)) ?? [];
  return { versionId, origin: originOf(store.identity, prefix + key), newer };
}

/** With the checksums that are told with them. */
async function attributesOf(
  row: OutboxRow,
  source: TicketSource,
): Promise<GivenAttributes & Pick<OutboxRow, 'checksums'>> {
  const { store, prefix, reading } = source;
  const key = prefix + row.key;
  const further = reading.tags || reading.acl ? await readFurther(store, key, reading, row.versionId) : undefined;
  if (!row.refresh) return { ...further };
  const now = await store.head(key);
  const checksums = sameEtag(now.etag, row.etag) ? provingChecksums(now) : undefined;
  return { ...further, ...(checksums && { checksums }), info: infoOf(now) };
}

/** Batches whose bodies are accepted. */
export function* fitting<T extends { ticket: BridgeTicket }>(all: readonly T[]): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const one of all) {
    const size = Buffer.byteLength(JSON.stringify(one.ticket)) + 1;
    if (batch.length > 0 && bytes + size > MOST_BYTES - 1024) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
