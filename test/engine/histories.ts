/** The histories of a store, for comparisons. */
import type { ObjectStore, VersionEntry } from '../../src/store/port.js';
import { text } from '../contract/context.js';

export async function versionsOf(store: ObjectStore): Promise<VersionEntry[]> {
  const versions: VersionEntry[] = [];
  for (let token: string | undefined; ; ) {
    const page = await store.listVersions?.({ token });
    versions.push(...(page?.versions ?? []));
    token = page?.nextToken;
    if (token === undefined) return versions;
  }
}

/** Every key with its versions, the oldest first; `-` is a delete marker. */
export async function historyOf(store: ObjectStore): Promise<Record<string, string[]>> {
  const history: Record<string, string[]> = {};
  for (const { key, size, versionId, deleteMarker } of await versionsOf(store)) {
    const body = new Uint8Array(size);
    if (!deleteMarker) await store.read(key, body, { versionId });
    history[key] = [deleteMarker ? '-' : text(body), ...(history[key] ?? [])];
  }
  return history;
}
