import { randomBytes } from 'node:crypto';
import { Bytes } from './bytes.js';
import { isOpaque } from './encryption.js';
import { ServiceError } from './errors.js';
import { crc, digest } from './hashes.js';
import { KeyIndex } from './keys.js';
import { lockOfNew, mustNotBeLocked } from './locks.js';
import {
  type BucketOptions,
  type DefaultRetention,
  type Encryption,
  type FurtherAttributes,
  MAIN_OWNER,
  type ObjectAttributes,
  type Protocol,
  type PutInput,
  type StoredObject,
  type StoredUpload,
  type Versioning,
} from './model.js';

/** The service's properties that the core needs. */
export interface Surroundings {
  protocol: Protocol;
  region: string;
  now(): number;
}

/** One bucket: objects with their versions, and unfinished uploads. Every call is atomic. */
export class Bucket {
  readonly name: string;
  readonly region: string;
  readonly owner: string;
  readonly createdMs: number;
  versioning: Versioning;
  /** Of objects whose writer names no encryption. */
  encryption: Encryption;
  /** Has an object lock configuration. */
  objectLock: boolean;
  retention: DefaultRetention | undefined;
  readonly ownerEnforced: boolean;
  readonly #around: Surroundings;
  /** Newest version first. */
  readonly #versions = new Map<string, StoredObject[]>();
  readonly #index = new KeyIndex(this.#versions);
  readonly uploads = new Map<string, StoredUpload>();
  /** Completed uploads by ID, and their parts as text. */
  readonly completed = new Map<string, { key: string; chosen: string }>();

  constructor(name: string, around: Surroundings, options: BucketOptions = {}) {
    this.name = name;
    this.#around = around;
    this.region = options.region ?? around.region;
    this.owner = options.owner ?? MAIN_OWNER;
    this.versioning = options.objectLock ? 'Enabled' : options.versioning;
    this.objectLock = options.objectLock === true;
    this.ownerEnforced = options.ownerEnforced === true;
    this.encryption = options.encryption ?? {};
    this.createdMs = around.now();
  }

  get protocol(): Protocol {
    return this.#around.protocol;
  }

  now(): number {
    return this.#around.now();
  }

  /** Keys in byte order, including those whose newest version is a delete marker. */
  keys(): readonly string[] {
    return this.#index.keys();
  }

  get isEmpty(): boolean {
    return this.#versions.size === 0;
  }

  /** Newest first. */
  versionsOf(key: string): readonly StoredObject[] {
    return this.#versions.get(key) ?? [];
  }

  /** The current object; undefined when there is none or the newest version is a delete marker. */
  current(key: string): StoredObject | undefined {
    const top = this.#versions.get(key)?.[0];
    return top?.deleteMarker ? undefined : top;
  }

  /** The version, or the current one. @throws NoSuchKey, NoSuchVersion, MethodNotAllowed (a delete marker by ID) */
  find(key: string, versionId?: string): StoredObject {
    if (versionId === undefined) {
      const top = this.#versions.get(key)?.[0];
      if (top && !top.deleteMarker) return top;
      throw new ServiceError('NoSuchKey', { elements: { Key: key }, headers: this.#markerHeaders(top) });
    }
    const found = this.versionsOf(key).find((version) => version.versionId === versionId);
    if (!found) throw new ServiceError('NoSuchVersion', { elements: { Key: key, VersionId: versionId } });
    if (found.deleteMarker) throw new ServiceError('MethodNotAllowed', { headers: this.#markerHeaders(found) });
    return found;
  }

  #markerHeaders(marker: StoredObject | undefined): Record<string, string> {
    if (!marker) return {};
    const prefix = this.protocol === 's3' ? 'x-amz' : 'x-oss';
    return { [`${prefix}-delete-marker`]: 'true', [`${prefix}-version-id`]: marker.versionId };
  }

  /** Creates or replaces an object from bytes. */
  put(key: string, bytes: Bytes, input: PutInput = {}): StoredObject {
    const md5 = digest('md5', bytes.chunks).toString('hex');
    const oss = this.protocol === 'oss';
    const attributes = this.attributes(input);
    const opaque = input.via !== undefined || isOpaque(attributes.encryption);
    const etag = opaque ? randomBytes(16).toString('hex') : md5;
    return this.store({
      ...attributes,
      key,
      bytes,
      etag: oss ? etag.toUpperCase() : etag,
      type: 'Normal',
      ...(input.via === undefined ? {} : { via: input.via }),
      ...(oss ? { crc64ecma: crc('crc64ecma', bytes.chunks).toString() } : {}),
      ...(input.checksum ? { checksum: input.checksum } : {}),
      lastModifiedMs: input.mtimeMs ?? this.now(),
    });
  }

  /** What the writer set, and the defaults of the service and of the bucket. */
  attributes(input: ObjectAttributes & FurtherAttributes): Required<ObjectAttributes> & FurtherAttributes {
    const { encryption } = input;
    const asked = encryption?.method !== undefined || encryption?.customerMd5 !== undefined;
    return { ...defaults(input, this.protocol), encryption: asked ? encryption : this.encryption };
  }

  /** Adds a finished object as the newest version of its key. */
  store(object: Omit<StoredObject, 'versionId' | 'deleteMarker' | 'restored'>): StoredObject {
    const lock = lockOfNew(this, object.lock);
    const stored = {
      ...object,
      ...(lock && { lock }),
      versionId: this.#newVersionId(),
      deleteMarker: false,
      restored: false,
    };
    this.#push(stored);
    return stored;
  }

  #newVersionId(): string {
    return this.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null';
  }

  #push(object: StoredObject): void {
    const versions = this.#versions.get(object.key);
    if (!versions) {
      this.#versions.set(object.key, [object]);
      this.#index.add(object.key);
      return;
    }
    const kept = versions.filter((version) => version.versionId !== object.versionId);
    this.#versions.set(object.key, [object, ...kept]);
  }

  /**
   * Deletes the given version or the current object. With versioning, the latter adds a delete marker. A missing key is
   * not an error.
   */
  delete(key: string, versionId?: string, bypasses = false): { deleteMarker?: boolean; versionId?: string } {
    if (versionId !== undefined) return this.#deleteVersion(key, versionId, bypasses);
    if (this.versioning === undefined) {
      if (this.#versions.delete(key)) this.#index.remove();
      return {};
    }
    const marker: StoredObject = {
      ...defaults({}, this.protocol),
      key,
      bytes: new Bytes([]),
      etag: '',
      type: 'Normal',
      lastModifiedMs: this.now(),
      versionId: this.#newVersionId(),
      deleteMarker: true,
      restored: false,
    };
    this.#push(marker);
    return { deleteMarker: true, versionId: marker.versionId };
  }

  #deleteVersion(key: string, versionId: string, bypasses: boolean): { deleteMarker?: boolean; versionId?: string } {
    const versions = this.versionsOf(key);
    const kept = versions.filter((version) => version.versionId !== versionId);
    const gone = versions.find((version) => version.versionId === versionId);
    if (gone) mustNotBeLocked(gone, { protocol: this.protocol, now: this.now(), bypasses });
    if (kept.length > 0) this.#versions.set(key, kept);
    else if (this.#versions.delete(key)) this.#index.remove();
    return { versionId, ...(gone?.deleteMarker ? { deleteMarker: true } : {}) };
  }
}

/** Attributes with the services' defaults. */
export function defaults(
  input: ObjectAttributes & FurtherAttributes,
  protocol: Protocol,
): Required<ObjectAttributes> & FurtherAttributes {
  return {
    ...(input.lock && { lock: input.lock }),
    ...(input.redirect !== undefined && { redirect: input.redirect }),
    headers: input.headers ?? {},
    metadata: input.metadata ?? {},
    storageClass: input.storageClass ?? (protocol === 's3' ? 'STANDARD' : 'Standard'),
    tags: input.tags ?? [],
    acl: input.acl ?? (protocol === 's3' ? 'private' : 'default'),
    encryption: input.encryption ?? {},
  };
}
