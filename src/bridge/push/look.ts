/** What an event is about. Tests: test/bridge/push/look.test.ts */
import type { Change, Outbox, OutboxRow } from '../../manifest/queues.js';
import { isXsyncError } from '../../model/error.js';
import { isRewritten } from '../../model/object.js';
import type { OpenSide } from '../../open/settings.js';
import { changeSeen, goneOf } from './poll.js';

export interface Looking {
  source: Pick<OpenSide, 'store' | 'prefix'>;
  outbox: Pick<Outbox, 'get' | 'note'>;
  /** An event says that its tags or its ACL have changed, which cross. */
  attributes?: boolean;
  /** Asked for an object that is gone, before it is deleted at the other end. */
  mayDelete(): boolean;
}

/** The key of an event below the source's prefix; undefined if it is about something else. */
export function keyIn(
  { bucket: own, prefix }: Pick<OpenSide, 'bucket' | 'prefix'>,
  { bucket = own, key }: { bucket?: string; key: string },
): string | undefined {
  return bucket === own && key.startsWith(prefix) && key.length > prefix.length ? key.slice(prefix.length) : undefined;
}

/**
 * Notes in the outbox what the source has under a key. An event is a hint: the store knows what there is.
 * @throws what HEAD throws
 */
export async function look(key: string, { source, outbox, attributes = false, mayDelete }: Looking): Promise<void> {
  // Somebody who notes another change meanwhile may have looked earlier.
  for (;;) {
    const row = await outbox.get(key);
    const now = await source.store.head(source.prefix + key).catch((error: unknown) => {
      if (!isXsyncError(error, 'object-not-found')) throw error;
    });
    const change = now ? changeSeen({ ...now, key }, row) : row && goneOf(row);
    // Whoever remembers nothing cannot know that the bytes are the same: the other end compares both.
    if (change && attributes && !row) change.refresh = true;
    if (change === undefined || (isKnown(row, change) && !(attributes && change.refresh))) return;
    if (change.action === 'delete' && !mayDelete()) return;
    if ((await outbox.note([change], 'waiting')).length === 0) return;
  }
}

function isKnown(row: OutboxRow | undefined, { action, etag, mtimeMs }: Change): boolean {
  // What was given up is tried again: it may have been restored, or written again within a second.
  if (row?.action !== action || row.state === 'known' || row.state === 'dead') return false;
  return action === 'delete' || (row.etag === etag && !isRewritten(mtimeMs, row.mtimeMs));
}
