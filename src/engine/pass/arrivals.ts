/**
 * What a destination already has of a history: looked at after a crash, a lost answer, or the loss of a manifest, before
 * anything is written. Tests: test/engine/pass/history.test.ts
 */
import { isXsyncError } from '../../model/error.js';
import { namesMarker, VERSION_METADATA } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import type { VersionEntry } from '../../store/port.js';
import type { RunContext } from './context.js';

type Looking = Pick<RunContext, 'pair' | 'halt'>;

export class Arrivals {
  readonly #context: Looking;
  /** The destination had no version of any key when the run began. */
  #nothing = false;

  constructor(context: Looking) {
    this.#context = context;
  }

  /** One request. */
  async begin(): Promise<void> {
    const { dest } = this.#context.pair;
    const { signal } = this.#context.halt;
    const page = await dest.store.listVersions?.({ prefix: dest.prefix, maxKeys: 1, signal });
    this.#nothing = page?.versions.length === 0 && page.nextToken === undefined;
  }

  /**
   * Finds out what an earlier run left open, and what the destination has of a key that the manifest does not know.
   * @returns the IDs of the delete markers on top of it, the oldest first, of which nobody knows whose they are: those of
   *   the source, if the first versions to carry are such
   */
  async settle(key: string): Promise<string[]> {
    const { manifest } = this.#context.pair;
    const open = manifest.unfinishedVersion(key);
    if (open !== undefined) {
      const dest = await this.arrived(key, open);
      if (dest === undefined) manifest.dropVersion(key, open);
      else manifest.putVersion({ key, source: open, dest, atMs: Date.now() });
    } else if (!this.#nothing && !manifest.hasVersions(key)) return this.#adopt(key);
    return [];
  }

  /** Whether the newest version at the destination is this one. @returns its ID there */
  async arrived(key: string, name: string): Promise<string | undefined> {
    for await (const version of this.#versionsOf(key)) {
      const { versionId, deleteMarker = false } = version;
      if (deleteMarker !== namesMarker(name)) return undefined;
      if (deleteMarker) return this.#context.pair.manifest.hasDestVersion(key, versionId) ? undefined : versionId;
      return (await this.#nameOf(version)) === name ? versionId : undefined;
    }
    return undefined;
  }

  /** One HEAD for each version. */
  async #adopt(key: string): Promise<string[]> {
    const { manifest } = this.#context.pair;
    const markers: string[] = [];
    let onTop = true;
    for await (const version of this.#versionsOf(key)) {
      const { versionId, deleteMarker } = version;
      onTop &&= deleteMarker === true;
      if (onTop) markers.unshift(versionId);
      const source = deleteMarker ? undefined : await this.#nameOf(version);
      if (source !== undefined) manifest.putVersion({ key, source, dest: versionId, atMs: Date.now() });
    }
    return markers;
  }

  /** The newest first. */
  async *#versionsOf(key: string): AsyncGenerator<VersionEntry> {
    const { store, prefix, text } = this.#context.pair.dest;
    const destKey = prefix + key;
    const guard = new PageGuard(text);
    for (let token: string | undefined; ; ) {
      const page = await store.listVersions?.({ prefix: destKey, token, signal: this.#context.halt.signal });
      if (!page) return;
      const [first, last] = [page.versions[0], page.versions.at(-1)].map(
        (one) => one && `${one.key}\0${one.versionId}`,
      );
      guard.follow({ first, last, token: page.nextToken });
      for (const version of page.versions) if (version.key === destKey) yield version;
      token = page.nextToken;
      const passed = store.capabilities.orderedListing === 'yes' && page.versions.some((one) => one.key !== destKey);
      if (token === undefined || passed) return;
    }
  }

  /** Which version of the source it is, as its metadata says. */
  async #nameOf({ key, versionId }: VersionEntry): Promise<string | undefined> {
    const { store } = this.#context.pair.dest;
    try {
      const { metadata } = await store.head(key, { versionId, signal: this.#context.halt.signal });
      return metadata[VERSION_METADATA];
    } catch (error) {
      if (isXsyncError(error, 'object-not-found')) return undefined;
      throw error;
    }
  }
}
