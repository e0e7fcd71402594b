/** The objects of a bucket in memory, with their versions if it keeps any. Tests: test/contract/stores.test.ts */
import type { Tags } from '../../model/attributes.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry, ObjectInfo } from '../../model/object.js';
import type { VersionEntry, Versioning, VersionListOptions, VersionPage } from '../port.js';
import { type KeyOrder, SortedKeys } from './listing.js';

export interface StoredObject {
  info: ObjectInfo;
  body: Uint8Array;
  /** Set for objects uploaded in parts. */
  firstPartSize?: number;
  tags?: Tags;
  acl?: string;
  /** Of a symbolic link, which has no bytes. */
  target?: string;
}

/** A delete marker has no object. */
interface Version {
  versionId: string;
  object?: StoredObject;
  mtimeMs: number;
}

const UNVERSIONED = 'null';

export class Versions {
  readonly versioning: Versioning;
  /** The newest first. */
  readonly #versions = new Map<string, Version[]>();
  /** Keys that have an object now. */
  readonly current: SortedKeys;
  readonly #all: SortedKeys;
  #made = 0;

  constructor(versioning: Versioning, order: KeyOrder) {
    this.versioning = versioning;
    this.current = new SortedKeys(order);
    this.#all = new SortedKeys(order);
  }

  get isEmpty(): boolean {
    return this.#versions.size === 0;
  }

  get(key: string): StoredObject | undefined {
    return this.#versions.get(key)?.[0]?.object;
  }

  /** A version, or the newest one. @throws object-not-found: there is none, or it is a delete marker */
  find(key: string, versionId?: string): StoredObject {
    const versions = this.#versions.get(key) ?? [];
    const version = versionId === undefined ? versions[0] : versions.find((one) => one.versionId === versionId);
    if (version?.object) return version.object;
    throw new XsyncError('object-not-found', `there is no object ${key}`, { subject: key });
  }

  /** @returns the object with the ID of its version, if the bucket keeps versions */
  add(key: string, stored: StoredObject): StoredObject {
    const versionId = this.#newId();
    const object = this.versioning === 'never' ? stored : { ...stored, info: { ...stored.info, versionId } };
    this.#push(key, { versionId, object, mtimeMs: object.info.mtimeMs });
    return object;
  }

  /** Removes the object, or puts a delete marker on top of its versions. @returns the marker's ID */
  delete(key: string, nowMs: number): string | undefined {
    if (this.versioning !== 'never') {
      const versionId = this.#newId();
      this.#push(key, { versionId, mtimeMs: nowMs });
      return versionId;
    }
    if (this.#versions.delete(key)) {
      this.#all.remove(key);
      this.current.remove(key);
    }
    return undefined;
  }

  /** Removes one version for good. @throws access-denied: a lock protects it */
  deleteVersion(key: string, versionId: string, nowMs: number): void {
    const before = this.#versions.get(key);
    const lock = before?.find((version) => version.versionId === versionId)?.object?.info.lock;
    if (lock?.legalHold || (lock?.untilMs ?? 0) > nowMs) {
      throw new XsyncError('access-denied', `version ${versionId} of ${key} is locked`, { subject: key });
    }
    const kept = (before ?? []).filter((version) => version.versionId !== versionId);
    const existed = before?.[0]?.object !== undefined;
    const exists = kept[0]?.object !== undefined;
    if (exists && !existed) this.current.add(key);
    if (!exists && existed) this.current.remove(key);
    if (kept.length > 0) this.#versions.set(key, kept);
    else if (this.#versions.delete(key)) this.#all.remove(key);
  }

  /** `startAfter` or `token` names what the page begins after: a key, or one version of it. */
  page({ prefix = '', startAfter, token, maxKeys = 1000 }: VersionListOptions, order: KeyOrder): VersionPage {
    const [key, versionId]: (string | undefined)[] = token === undefined ? [startAfter] : JSON.parse(token);
    const versions: VersionEntry[] = [];
    let skipping = versionId;
    for (const name of this.#all.view()) {
      if (!name.startsWith(prefix)) continue;
      if (key !== undefined && (order(name, key) < 0 || (name === key && versionId === undefined))) continue;
      for (const [index, version] of (this.#versions.get(name) ?? []).entries()) {
        if (name === key && skipping !== undefined) {
          if (version.versionId === skipping) skipping = undefined;
          continue;
        }
        const last = versions.at(-1);
        if (last && versions.length === maxKeys) {
          return { versions, nextToken: JSON.stringify([last.key, last.versionId]) };
        }
        versions.push(entryOf(name, version, index === 0));
      }
    }
    return { versions };
  }

  #newId(): string {
    return this.versioning === 'enabled' ? `v${++this.#made}` : UNVERSIONED;
  }

  #push(key: string, version: Version): void {
    const before = this.#versions.get(key);
    if (!before) this.#all.add(key);
    const existed = before?.[0]?.object !== undefined;
    const exists = version.object !== undefined;
    if (exists && !existed) this.current.add(key);
    if (!exists && existed) this.current.remove(key);
    const kept = (before ?? []).filter(({ versionId }) => versionId !== version.versionId);
    this.#versions.set(key, [version, ...kept]);
  }
}

/** What a listing shows of an object. */
export function listed(info: ObjectInfo): ObjectEntry {
  const { headers: _headers, metadata: _metadata, tagCount: _tags, lock: _lock, redirect: _redirect, ...entry } = info;
  return entry;
}

function entryOf(key: string, { versionId, object, mtimeMs }: Version, isLatest: boolean): VersionEntry {
  if (!object) return { key, size: 0, etag: '', mtimeMs, versionId, isLatest, deleteMarker: true };
  return { ...structuredClone(listed(object.info)), versionId, isLatest };
}
