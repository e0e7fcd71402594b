/** Opens a bucket as it stood at a time. Tests: test/cli/past.test.ts */
import { versioningOf } from '../engine/list/versioning.js';
import { XsyncError } from '../model/error.js';
import type { ObjectStore } from '../store/port.js';
import { PastStore } from '../store/wrap/past.js';
import type { SharedStore } from '../store/wrap/share.js';

/** The store, and the view of it for each run, as they stood at `atMs`. */
export function inPast({ store, view }: SharedStore, atMs: number): Pick<SharedStore, 'store' | 'view'> {
  return {
    store: new PastStore(store, atMs),
    view: (onRetry) => {
      const own = view(onRetry);
      return { ...own, store: new PastStore(own.store, atMs) };
    },
  };
}

/**
 * What a person must know before the past of a place is used; absent if the bucket keeps every version.
 * @throws usage: it keeps none
 */
export async function historyOf(store: ObjectStore, text: string): Promise<{ warnings?: string[] }> {
  const versioning = await versioningOf(store);
  if (versioning === 'enabled') return {};
  if (versioning === 'unknown') {
    const message = `${text}: the credentials may not see whether it keeps versions; what it did not keep is missing`;
    return { warnings: [message] };
  }
  if (versioning === 'suspended') {
    const lost = 'of an object that was written several times since then, only the last version is known';
    return { warnings: [`${text}: versioning is suspended; ${lost}`] };
  }
  throw new XsyncError('usage', `${text} keeps no versions, so nothing is known of its past`, {
    subject: '--at',
    remedy: 'Leave out --at.',
  });
}
