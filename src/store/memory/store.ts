/**
 * A bucket in memory: a complete implementation for tests. Every capability can be set and takes effect: without
 * `partEtagIsMd5` ETags are opaque, without `keepsMetadata` metadata is ignored.
 * Tests: test/contract/stores.test.ts
 */
import { crc64ecma, loadHashes, md5, md5OfMd5s } from '../../hash/index.js';
import type { ObjectLock, Tags } from '../../model/attributes.js';
import type { Checksums } from '../../model/checksum.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { compareKeys, keyBytes } from '../../model/key.js';
import type { ObjectInfo } from '../../model/object.js';
import { MEMORY_ATTRIBUTES } from '../attributes/limits.js';
import type * as port from '../port.js';
import { paceBytes, throwIfAborted } from '../signal.js';
import { cutPage, type KeyOrder } from './listing.js';
import { MemoryUploads, type Upload } from './uploads.js';
import { listed, type StoredObject, Versions } from './versions.js';

const MIB = 2 ** 20;
const PAGE = 1000;

const CAPABILITIES: port.Capabilities = {
  orderedListing: 'yes',
  minPartSize: 1,
  maxPartSize: 5 * 1024 * MIB,
  maxParts: 10_000,
  maxObjectSize: 5 * MIB * MIB,
  maxPutSize: 5 * 1024 * MIB,
  maxCopySize: 5 * 1024 * MIB,
  answersCrc64ecma: false,
  checksContentMd5: true,
  partEtagIsMd5: true,
  keepsMetadata: true,
  attributes: MEMORY_ATTRIBUTES,
  keepsVersions: true,
  links: 'objects',
  deletesIfMatch: true,
  writesIfMatch: true,
  pinsCopies: true,
  keepsMtime: false,
  local: true,
};

export interface MemoryStoreOptions {
  bucket?: string;
  /** Stores in this process with the same endpoint can copy from each other server-side. */
  endpoint?: string;
  capabilities?: Partial<port.Capabilities>;
  /** Lists in descending order and declares the order unknown, as some S3-compatible servers do. */
  unorderedListing?: boolean;
  /** Default: never. */
  versioning?: port.Versioning;
  /** False: the bucket is missing until `createBucket`. */
  created?: boolean;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

export class MemoryStore implements port.ObjectStore {
  readonly identity: port.StoreIdentity;
  readonly capabilities: port.Capabilities;
  readonly #objects: Versions;
  readonly #order: KeyOrder;
  readonly #uploads: MemoryUploads;
  readonly #clock: () => number;
  #created: boolean;
  #versions = 0;

  constructor(options: MemoryStoreOptions = {}) {
    this.identity = {
      kind: 'memory',
      endpoint: options.endpoint ?? 'memory://localhost',
      bucket: options.bucket ?? 'bucket',
      account: 'memory',
    };
    const order = options.unorderedListing ? { orderedListing: 'unknown' as const } : {};
    this.capabilities = { ...CAPABILITIES, ...order, ...options.capabilities };
    this.#order = options.unorderedListing ? (a, b) => compareKeys(b, a) : compareKeys;
    this.#objects = new Versions(options.versioning ?? 'never', this.#order);
    this.#clock = options.clock ?? Date.now;
    this.#uploads = new MemoryUploads(this.capabilities);
    this.#created = options.created ?? true;
  }

  checkKey(key: string): void {
    requireKey(key);
  }

  async checkBucket(options: port.CallOptions = {}): Promise<void> {
    this.#begin(options);
  }

  async createBucket(options: port.CallOptions = {}): Promise<void> {
    throwIfAborted(options.signal);
    this.#created = true;
  }

  async deleteBucket(options: port.CallOptions = {}): Promise<void> {
    this.#begin(options);
    if (!this.#objects.isEmpty)
      throw new XsyncError('guard', 'the bucket is not empty', { subject: this.identity.bucket });
    this.#created = false;
  }

  async list(options: port.ListOptions): Promise<port.ListPage> {
    this.#begin(options);
    const cut = cutPage(this.#objects.current.view(), {
      prefix: options.prefix ?? '',
      delimiter: options.delimiter ?? '',
      after: options.token ?? options.startAfter ?? '',
      maxKeys: Math.min(options.maxKeys ?? PAGE, PAGE),
      order: this.#order,
    });
    const entries = cut.keys.map((key) => {
      const { versionId: _versionId, ...entry } = listed(this.#find(key).info);
      return structuredClone(entry);
    });
    return { entries, prefixes: cut.prefixes, ...(cut.last === undefined ? {} : { nextToken: cut.last }) };
  }

  async listVersions(options: port.VersionListOptions): Promise<port.VersionPage> {
    this.#begin(options);
    return this.#objects.page({ ...options, maxKeys: Math.min(options.maxKeys ?? PAGE, PAGE) }, this.#order);
  }

  async addDeleteMarker(key: string, options: port.CallOptions = {}): Promise<{ versionId?: string }> {
    this.#begin(options, key);
    return { versionId: this.#objects.delete(key, this.#clock()) };
  }

  async deleteVersion(key: string, versionId: string, options: port.CallOptions = {}): Promise<void> {
    this.#begin(options, key);
    this.#objects.deleteVersion(key, versionId, this.#clock());
  }

  async versioning(options: port.CallOptions = {}): Promise<port.Versioning> {
    this.#begin(options);
    return this.#objects.versioning;
  }

  async firstPartSize(key: string, options: port.PinOptions = {}): Promise<number | undefined> {
    this.#begin(options, key);
    return this.#find(key, options.ifMatch, options.versionId).firstPartSize;
  }

  async restore(key: string): Promise<never> {
    throw new XsyncError('unsupported', 'nothing here is archived', { subject: key });
  }

  async head(key: string, options: port.HeadOptions = {}): Promise<ObjectInfo> {
    this.#begin(options, key);
    return structuredClone(this.#find(key, undefined, options.versionId).info);
  }

  async read(key: string, target: Uint8Array, options: port.ReadOptions = {}): Promise<ObjectInfo> {
    this.#begin(options, key);
    const object = this.#followed(this.#find(key, undefined, options.versionId), options.ifMatch);
    const offset = options.offset ?? 0;
    if (offset + target.byteLength > object.info.size) {
      throw new XsyncError('truncated', `${key} has ${object.info.size} bytes, fewer than requested`, { subject: key });
    }
    target.set(object.body.subarray(offset, offset + target.byteLength));
    await paceBytes(options, target.byteLength);
    return structuredClone(object.info);
  }

  async put(key: string, body: Uint8Array, options: port.PutOptions = {}): Promise<port.WriteResult> {
    this.#begin(options, key);
    requireSize(key, body.byteLength, this.capabilities.maxPutSize);
    const bytes = body.slice();
    await paceBytes(options, bytes.byteLength);
    const sums = await this.#hash(bytes, options.contentMd5, key);
    this.#requireReplaced(key, options.replaces);
    return this.#store(key, bytes, this.#etag(sums.md5), this.#vouched(sums), options);
  }

  async copy(
    source: port.ObjectStore,
    sourceKey: string,
    key: string,
    options: port.CopyOptions = {},
  ): Promise<port.WriteResult> {
    this.#begin(options, key);
    const { body, info, tags, target } = this.#sourceOf(source, sourceKey, options);
    requireSize(sourceKey, info.size, this.capabilities.maxCopySize);
    const sums = await this.#hash(body);
    const { acl, lock, redirect, storageClass } = options;
    const kept = { headers: info.headers, metadata: info.metadata, tags: options.tags ?? tags };
    const attributes = {
      ...{ ...kept, acl, lock, redirect, storageClass },
      ...(options.headers ? { headers: options.headers } : {}),
      ...(options.metadata ? { metadata: options.metadata } : {}),
    };
    if (target !== undefined) return this.#store(key, body, info.etag, {}, attributes, { target });
    return this.#store(key, body, this.#etag(sums.md5), this.#vouched(sums), attributes);
  }

  copyableFrom(source: port.ObjectStore): boolean {
    const same = source instanceof MemoryStore && source.identity.endpoint === this.identity.endpoint;
    return same && this.capabilities.maxCopySize > 0;
  }

  async createUpload(key: string, options: port.UploadOptions = {}): Promise<port.UploadRef> {
    this.#begin(options, key);
    const { signal: _signal, onRequest: _onRequest, ...kept } = options;
    return this.#uploads.create(key, this.#clock(), structuredClone(kept));
  }

  async uploadPart(
    upload: port.UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: port.PartOptions = {},
  ): Promise<port.PartResult> {
    this.#begin(options, upload.key);
    const bytes = body.slice();
    const target = this.#uploads.find(upload);
    await paceBytes(options, bytes.byteLength);
    const sums = await this.#hash(bytes, options.contentMd5, upload.key);
    return this.#addPart(target, partNumber, bytes, sums);
  }

  async uploadPartCopy(
    upload: port.UploadRef,
    partNumber: number,
    source: port.ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: port.CopyOptions = {},
  ): Promise<port.PartResult> {
    this.#begin(options, upload.key);
    const target = this.#uploads.find(upload);
    const { body } = this.#sourceOf(source, sourceKey, options);
    const bytes = body.subarray(range.offset, range.offset + range.size);
    if (bytes.byteLength !== range.size) {
      throw new XsyncError('truncated', `${sourceKey} has fewer bytes than requested`, { subject: sourceKey });
    }
    return this.#addPart(target, partNumber, bytes, await this.#hash(bytes));
  }

  async listParts(upload: port.UploadRef, options: port.CallOptions = {}): Promise<port.PartEntry[]> {
    this.#begin(options);
    return this.#uploads.list(this.#uploads.find(upload));
  }

  async completeUpload(
    upload: port.UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: port.CompleteOptions = {},
  ): Promise<port.WriteResult> {
    this.#begin(options);
    const target = this.#uploads.find(upload);
    const chosen = this.#uploads.choose(target, parts);
    const body = new Uint8Array(Buffer.concat(chosen.map((part) => part.body)));
    requireSize(upload.key, body.byteLength, this.capabilities.maxObjectSize);
    const composite = md5OfMd5s(chosen.map((part) => part.md5));
    const sums: Checksums = { md5ofParts: composite };
    if (this.capabilities.answersCrc64ecma) sums.crc64ecma = (await this.#hash(body)).crc64ecma;
    this.#requireReplaced(upload.key, options.replaces);
    this.#uploads.remove(upload);
    const etag = this.capabilities.partEtagIsMd5 ? composite : this.#etag(composite);
    const mtime = options.mtimeMs === undefined ? {} : { mtimeMs: options.mtimeMs };
    const headers = { ...target.options, ...mtime };
    return this.#store(upload.key, body, etag, this.#vouched(sums), headers, {
      firstPartSize: chosen[0]?.body.byteLength,
    });
  }

  async abortUpload(upload: port.UploadRef, options: port.CallOptions = {}): Promise<void> {
    this.#begin(options);
    this.#uploads.remove(upload);
  }

  async getTags(key: string, options: port.HeadOptions = {}): Promise<Tags> {
    this.#begin(options, key);
    return this.#find(key, undefined, options.versionId).tags ?? [];
  }

  async putTags(key: string, tags: Tags, options: port.HeadOptions = {}): Promise<void> {
    this.#begin(options, key);
    const object = this.#find(key, undefined, options.versionId);
    object.tags = structuredClone(tags);
    Object.assign(object.info, tagCountOf(tags));
  }

  async getAcl(key: string, options: port.HeadOptions = {}): Promise<string> {
    this.#begin(options, key);
    return this.#find(key, undefined, options.versionId).acl ?? 'private';
  }

  async putAcl(key: string, acl: string, options: port.HeadOptions = {}): Promise<void> {
    this.#begin(options, key);
    this.#find(key, undefined, options.versionId).acl = acl;
  }

  async putLock(key: string, lock: ObjectLock, options: port.HeadOptions = {}): Promise<void> {
    this.#begin(options, key);
    const { info } = this.#find(key, undefined, options.versionId);
    info.lock = { ...info.lock, ...lock };
  }

  async getLink(key: string, options: port.HeadOptions = {}): Promise<port.Link> {
    this.#begin(options, key);
    const { info, target } = this.#find(key, undefined, options.versionId);
    if (target === undefined) throw new XsyncError('unsupported-object', `${key} is no link`, { subject: key });
    return { target, info: structuredClone(info) };
  }

  async putLink(key: string, target: string, options: port.LinkOptions = {}): Promise<{ versionId?: string }> {
    this.#begin(options, key);
    requireKey(target);
    const { versionId } = this.#store(key, new Uint8Array(), md5(Buffer.from(target)), {}, options, { target });
    return { versionId };
  }

  async listUploads(options: port.CallOptions & { prefix?: string; token?: string }): Promise<port.UploadPage> {
    this.#begin(options);
    return this.#uploads.page(options.prefix ?? '', options.token, PAGE);
  }

  async delete(keys: readonly string[], options: port.DeleteCallOptions = {}): Promise<port.DeleteFailure[]> {
    this.#begin(options);
    if (keys.length > PAGE) throw new XsyncError('limit', `at most ${PAGE} keys can be deleted in one request`);
    const failures: port.DeleteFailure[] = [];
    for (const key of keys) {
      try {
        requireKey(key);
        if (this.capabilities.deletesIfMatch && this.#objects.get(key)) this.#find(key, options.versions?.get(key));
        this.#objects.delete(key, this.#clock());
      } catch (error) {
        if (!isXsyncError(error)) throw error;
        failures.push({ key, error });
      }
    }
    return failures;
  }

  async close(): Promise<void> {}

  #begin(options: port.CallOptions, key?: string): void {
    throwIfAborted(options.signal);
    if (key !== undefined) requireKey(key);
    if (!this.#created) {
      const { bucket } = this.identity;
      throw new XsyncError('bucket-not-found', `there is no bucket ${bucket} in memory`, { subject: bucket });
    }
  }

  #find(key: string, ifMatch?: string, versionId?: string): StoredObject {
    const object = this.#objects.find(key, versionId);
    if (ifMatch !== undefined && ifMatch !== object.info.etag) {
      throw new XsyncError('precondition-failed', `${key} is not the requested version`, { subject: key });
    }
    return object;
  }

  /** What a read of the object returns: of a link, what it points to. */
  #followed(named: StoredObject, ifMatch: string | undefined): StoredObject {
    const { target, info } = named;
    if (target === undefined) return ifMatch === undefined ? named : this.#find(info.key, ifMatch, info.versionId);
    const found = this.#objects.get(target);
    if (!found || found.target !== undefined) {
      const message = `a symbolic link to ${found ? 'another one' : 'nothing'} (${target})`;
      throw new XsyncError('unsupported-object', message, { subject: info.key });
    }
    const { size, etag, checksums } = this.#find(target, ifMatch).info;
    return { ...found, info: { ...info, size, etag, checksums } };
  }

  #requireReplaced(key: string, etag: string | undefined): void {
    if (!this.capabilities.writesIfMatch || etag === undefined) return;
    if ((this.#objects.get(key)?.info.etag ?? '') === etag) return;
    throw new XsyncError('precondition-failed', `${key} holds another version`, { subject: key });
  }

  #sourceOf(source: port.ObjectStore, key: string, options: port.CopyOptions): StoredObject {
    if (!(source instanceof MemoryStore) || !this.copyableFrom(source)) {
      throw new XsyncError('unsupported', 'the store cannot copy from this source', { subject: key });
    }
    return source.#find(key, this.capabilities.pinsCopies ? options.ifMatch : undefined, options.versionId);
  }

  async #hash(bytes: Uint8Array, expectedMd5?: string, key?: string): Promise<Checksums & { md5: string }> {
    const sums: Checksums & { md5: string } = { md5: md5(bytes) };
    if (this.capabilities.checksContentMd5 && expectedMd5 !== undefined && expectedMd5.toLowerCase() !== sums.md5) {
      throw new XsyncError('checksum-mismatch', 'the body does not match its Content-MD5', { subject: key });
    }
    if (this.capabilities.answersCrc64ecma) {
      await loadHashes();
      sums.crc64ecma = crc64ecma(bytes);
    }
    return sums;
  }

  /** The computed checksums that this store returns. */
  #vouched(sums: Checksums): Checksums {
    if (this.capabilities.partEtagIsMd5) return sums;
    return sums.crc64ecma === undefined ? {} : { crc64ecma: sums.crc64ecma };
  }

  #etag(value: string): string {
    return this.capabilities.partEtagIsMd5 ? value : `version-${++this.#versions}`;
  }

  #addPart(upload: Upload, partNumber: number, bytes: Uint8Array, sums: Checksums & { md5: string }): port.PartResult {
    this.#uploads.find(upload);
    const etag = this.#etag(sums.md5);
    this.#uploads.addPart(upload, { partNumber, etag, body: bytes, md5: sums.md5, crc64ecma: sums.crc64ecma });
    return { etag, checksums: this.#vouched(sums) };
  }

  #store(
    key: string,
    body: Uint8Array,
    etag: string,
    checksums: Checksums,
    options: port.PutOptions,
    { firstPartSize, target }: Pick<StoredObject, 'firstPartSize' | 'target'> = {},
  ): port.WriteResult {
    const mtimeMs = (this.capabilities.keepsMtime ? options.mtimeMs : undefined) ?? this.#clock();
    const info: ObjectInfo = {
      key,
      size: body.byteLength,
      etag,
      mtimeMs,
      checksums,
      headers: { ...options.headers },
      metadata: this.capabilities.keepsMetadata ? { ...options.metadata } : {},
      ...(options.storageClass === undefined ? {} : { storageClass: options.storageClass }),
      ...tagCountOf(options.tags),
      ...(options.lock && { lock: { ...options.lock } }),
      ...(options.redirect !== undefined && { redirect: options.redirect }),
      ...(target !== undefined && { special: 'symlink' as const }),
    };
    const { tags, acl } = options;
    const stored = this.#objects.add(key, { info, body, firstPartSize, target, tags: structuredClone(tags), acl });
    const { versionId } = stored.info;
    return { etag, checksums: { ...checksums }, mtimeMs, ...(versionId !== undefined && { versionId }) };
  }
}

/** As HEADs tell it. */
function tagCountOf(tags: Tags = []): { tagCount?: number } {
  return { tagCount: tags.length || undefined };
}

/** @throws key-not-representable */
function requireKey(key: string): void {
  const bytes = keyBytes(key);
  const reason =
    bytes === 0 ? 'is empty' : bytes > 1024 ? 'exceeds 1024 bytes' : !key.isWellFormed() ? 'is not Unicode' : undefined;
  if (reason) throw new XsyncError('key-not-representable', `the key ${reason}`, { subject: key });
}

function requireSize(key: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new XsyncError('object-too-large', `${key} has ${size} bytes; at most ${limit} are allowed`, { subject: key });
}
