/**
 * What a destination already has of a history: looked at after a crash, a lost answer, or the loss of a manifest, before
 * anything is written. Tests: test/engine/pass/history.test.ts
 */
import { uptime } from 'node:os';
import { isXsyncError } from '../../model/error.js';
import { namesMarker, ORIGIN_METADATA, type UserMetadata, VERSION_METADATA } from '../../model/object.js';
import type { VersionEntry } from '../../store/port.js';
import { headIfThere } from '../decide/inspect.js';
import { versionsOfKey } from '../list/versions.js';
import { originIn } from '../plan/plan.js';
import { HISTORY, readFact, writeFact } from '../record/facts.js';
import type { RunContext } from './context.js';

type Looking = Pick<RunContext, 'pair' | 'halt'>;

/** What was found out about a key. */
interface Settled {
  /**
   * IDs of the delete markers on top of it at the destination, the oldest first, of which nobody knows whose they are:
   * those of the source, if the first versions to carry are such.
   */
  markers: string[];
  /** The manifest knows more of the key than before. */
  learnt: boolean;
}

export class Arrivals {
  readonly #context: Looking;
  /** The manifest knows all of a key's versions that are the source's, or the destination has none of any key. */
  #complete = false;
  /** The same for keys that only the destination has. */
  #both = false;

  constructor(context: Looking) {
    this.#context = context;
  }

  /** One request, until a run over all keys has succeeded. */
  async begin(): Promise<void> {
    const { dest, manifest } = this.#context.pair;
    const known = readFact(manifest, HISTORY);
    const kept = known?.bootMs !== undefined && isThisBoot(known.bootMs);
    this.#complete = known?.complete === true && kept;
    this.#both = known?.both === true && kept;
    if (this.#complete) return;
    const { signal } = this.#context.halt;
    const page = await dest.store.listVersions?.({ prefix: dest.prefix, maxKeys: 1, signal });
    this.#complete = page?.versions.length === 0 && page.nextToken === undefined;
  }

  /** A run over all keys has succeeded. @param both also over those that only the destination has */
  complete(both: boolean): void {
    const { manifest } = this.#context.pair;
    const known = readFact(manifest, HISTORY);
    const kept = known?.complete === true && known.bootMs !== undefined && isThisBoot(known.bootMs);
    if (kept && (this.#both || !both)) return;
    writeFact(manifest, HISTORY, { complete: true, both: both || this.#both, bootMs: bootMs() });
  }

  /** Finds out what an earlier run left open, and what the destination has of a key that the manifest does not know. */
  async settle(key: string): Promise<Settled> {
    const { manifest } = this.#context.pair;
    const open = manifest.unfinishedVersion(key);
    if (open !== undefined) {
      const found = await this.arrived(key, open);
      if (found === undefined) manifest.dropVersion(key, open);
      else manifest.putVersion({ key, source: open, dest: found.versionId, atMs: Date.now() });
      return { markers: [], learnt: true };
    }
    if (this.#complete) return { markers: [], learnt: false };
    return { markers: await this.#adopt(key), learnt: true };
  }

  /**
   * The same for a key that the source does not have. @param listed the destination has it: without a manifest, nothing else
   * is known of it
   */
  async settleGone(key: string, listed: boolean): Promise<void> {
    const { manifest } = this.#context.pair;
    if (manifest.unfinishedVersion(key) !== undefined) await this.settle(key);
    else if (listed && !this.#both && !manifest.hasVersions(key)) await this.#adopt(key);
  }

  /** The newest version at the destination, if it is this one. */
  async arrived(key: string, name: string): Promise<VersionEntry | undefined> {
    const { pair, halt } = this.#context;
    for await (const version of versionsOfKey(pair.dest, key, halt)) {
      const { versionId, deleteMarker = false } = version;
      if (deleteMarker !== namesMarker(name)) return undefined;
      if (deleteMarker) return pair.manifest.hasDestVersion(key, versionId) ? undefined : version;
      return (await this.#nameOf(key, version)) === name ? version : undefined;
    }
    return undefined;
  }

  /** ID of the version that was just written, where the store does not tell: Ceph's copies. One HEAD. */
  async written(key: string, name: string): Promise<string | undefined> {
    const { pair, halt } = this.#context;
    const info = await headIfThere(pair.dest.store, pair.dest.prefix + key, halt.signal);
    return info && this.#nameIn(key, info.metadata) === name ? info.versionId : undefined;
  }

  /** One HEAD for each version, down to the newest one that the manifest knows. */
  async #adopt(key: string): Promise<string[]> {
    const { pair, halt } = this.#context;
    const markers: string[] = [];
    let onTop = true;
    // The times tell the order, and the newest comes first.
    let atMs = Date.now();
    for await (const version of versionsOfKey(pair.dest, key, halt)) {
      const { versionId, deleteMarker } = version;
      if (pair.manifest.hasDestVersion(key, versionId)) break;
      onTop &&= deleteMarker === true;
      if (onTop) markers.unshift(versionId);
      const source = deleteMarker ? undefined : await this.#nameOf(key, version);
      if (source !== undefined) pair.manifest.putVersion({ key, source, dest: versionId, atMs: atMs-- });
    }
    return markers;
  }

  /** Which version of the source it is, as its metadata says. */
  async #nameOf(key: string, { key: whole, versionId }: VersionEntry): Promise<string | undefined> {
    const { store } = this.#context.pair.dest;
    try {
      const { metadata } = await store.head(whole, { versionId, signal: this.#context.halt.signal });
      return this.#nameIn(key, metadata);
    } catch (error) {
      if (isXsyncError(error, 'object-not-found')) return undefined;
      throw error;
    }
  }

  /** A version of another object, which a person or another run has put there, is not one of this key. */
  #nameIn(key: string, metadata: UserMetadata): string | undefined {
    const { store, prefix } = this.#context.pair.source;
    return metadata[ORIGIN_METADATA] === originIn(store, prefix + key) ? metadata[VERSION_METADATA] : undefined;
  }
}

/** The clock may be set while the machine runs. A new boot takes longer than this. */
const CLOCK_MS = 5000;

/** When the machine started, by its clock now, in ms since 1970. */
function bootMs(): number {
  return Date.now() - uptime() * 1000;
}

/** A power loss may take the manifest's last notes with it. A clock that was set since only looks like one. */
function isThisBoot(ms: number): boolean {
  return Math.abs(bootMs() - ms) < CLOCK_MS;
}
