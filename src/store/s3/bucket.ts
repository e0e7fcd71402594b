/**
 * An S3 bucket over either transport. User metadata is kept within the preset's limit: names are returned in lower case,
 * and non-ASCII values are sent as RFC 2047 encoded words.
 *
 * Calls that send more than one request: all, once, after a wrong clock; `listParts`, which pages; copies with `ifMatch`
 * where the store ignores it (a HEAD first); `delete` for each key that XML cannot contain; and every call that the store
 * lacks or answers incompletely (quirks.ts).
 * Tests: test/store/s3/store.test.ts
 */
import { md5 } from '../../hash/index.js';
import type { ObjectLock, Tags } from '../../model/attributes.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { bareEtag, sameEtag } from '../../model/etag.js';
import type { ObjectInfo } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import { restored } from '../http/restoring.js';
import { pageAfter, versionMarker } from '../http/versions.js';
import type * as port from '../port.js';
import type { Answer, CopyRequest, S3Calls, Written } from './calls.js';
import { mustBeCompleted } from './completed.js';
import { type Condition, WriteConditions } from './conditions.js';
import type { S3Config } from './config.js';
import { type CustomerKey, isUnsealed, refusePlainHttp } from './customer-key.js';
import { deleteKeys } from './deleting.js';
import { encodeKey } from './encode.js';
import { checksumsIn, type Promised } from './headers.js';
import { capabilitiesOf } from './info.js';
import { Lister } from './lister.js';
import { presetOf, promisedBy, type S3Preset, writtenEtagIsMd5 } from './presets.js';
import { isMissingCall, isRefusedForm, type Quirk, Quirks } from './quirks.js';
import { Reading } from './reading.js';
import { versionEntryOf } from './versions.js';

export interface BucketDeps {
  calls: S3Calls;
  /** Identifies the account. */
  account: string;
  /** Hears of each quirk that is noticed, once. */
  tell?: (message: string) => void;
}

export class S3Bucket implements port.ObjectStore {
  readonly identity: port.StoreIdentity;
  readonly #capabilities: port.Capabilities;
  readonly #calls: S3Calls;
  readonly #preset: S3Preset;
  readonly #quirks: Quirks;
  readonly #reading: Reading;
  readonly #lister: Lister;
  readonly #conditions: WriteConditions;
  readonly #storageClass: string | undefined;
  readonly #listsMd5s: Promised;
  readonly #customerKey: CustomerKey | undefined;

  /** @throws config: the customer's key would be sent without encryption */
  constructor(config: S3Config, bucket: string, { calls, account, tell }: BucketDeps) {
    this.#calls = calls;
    this.#preset = presetOf(config);
    this.#storageClass = config.storage_class;
    this.#customerKey = config.customerKey;
    if (this.#customerKey) refusePlainHttp(calls.addresses);
    this.#conditions = new WriteConditions(this.#preset.writeIfMatch);
    // A listing does not show what is encrypted, so that only the user can promise anything of its ETags.
    this.#listsMd5s = config.customerKey ? 'never' : config.etag_is_md5 === true;
    const listed = { promised: this.#listsMd5s, restores: this.#preset.listsRestores };
    this.#quirks = new Quirks(this.#preset.quirks, tell);
    this.#reading = new Reading(calls, this.#quirks, (key, how) => this.#lister.row(key, how), this.#preset);
    this.#lister = new Lister(calls, this.#quirks, (key, how) => this.#reading.head(key, how), listed);
    this.identity = { kind: 's3', endpoint: calls.addresses.endpoint, bucket, account };
    this.#capabilities = capabilitiesOf(this.#preset, config);
  }

  get capabilities(): port.Capabilities {
    if (!this.#quirks.has('no-multipart')) return this.#capabilities;
    const { maxPutSize } = this.#capabilities;
    return { ...this.#capabilities, maxParts: 1, maxPartSize: maxPutSize, maxObjectSize: maxPutSize };
  }

  checkKey(key: string): void {
    encodeKey(key, this.#preset.nul);
  }

  async checkBucket(options: port.CallOptions = {}): Promise<void> {
    // Not a HEAD: its error responses have no body, so a wrong key and a missing permission would look the same.
    await this.list({ ...options, maxKeys: 1 });
  }

  async createBucket(options: port.CallOptions = {}): Promise<void> {
    try {
      await this.#calls.createBucket(this.#preset.locationConstraint, options);
    } catch (error) {
      if (!(isXsyncError(error) && error.serviceCode === 'BucketAlreadyOwnedByYou')) throw error;
    }
  }

  async deleteBucket(options: port.CallOptions = {}): Promise<void> {
    await this.#calls.deleteBucket(options);
  }

  list(options: port.ListOptions): Promise<port.ListPage> {
    return this.#lister.page(options);
  }

  async listVersions(options: port.VersionListOptions): Promise<port.VersionPage> {
    const { prefix, maxKeys = 1000, signal, onRequest } = options;
    const encoded = !this.#quirks.has('no-encoding-type');
    const after = versionMarker(options);
    const request = { prefix: prefix || undefined, maxKeys, after, encoded, signal, onRequest };
    const ask = () => this.#calls.listVersions(request);
    const { rows, damaged, next } = await this.#orLacking('no-list-versions', 'ListObjectVersions', ask);
    return pageAfter(after, { versions: rows.map((row) => versionEntryOf(row, this.#listsMd5s)), damaged }, next);
  }

  async addDeleteMarker(key: string, options: port.CallOptions = {}): Promise<{ versionId?: string }> {
    this.checkKey(key);
    return { versionId: (await this.#calls.deleteOne(key, options)).headers['x-amz-version-id'] };
  }

  async deleteVersion(key: string, versionId: string, options: port.CallOptions = {}): Promise<void> {
    this.checkKey(key);
    try {
      await this.#calls.deleteOne(key, { ...options, versionId });
    } catch (error) {
      if (!isXsyncError(error, 'object-not-found')) throw error;
    }
  }

  async versioning(options: port.CallOptions = {}): Promise<port.Versioning> {
    try {
      return await this.#calls.versioning(options);
    } catch (error) {
      if (!isMissingCall(error)) throw error;
      return 'never';
    }
  }

  async head(key: string, options: port.HeadOptions = {}): Promise<ObjectInfo> {
    this.checkKey(key);
    return this.#reading.head(key, options);
  }

  async firstPartSize(key: string, options: port.PinOptions = {}): Promise<number | undefined> {
    return this.#reading.firstPartSize(key, options);
  }

  restore(key: string, options: port.RestoreOptions): Promise<port.Restored> {
    this.checkKey(key);
    return restored(this.#calls.restore(key, options));
  }

  async read(key: string, target: Uint8Array, options: port.ReadOptions = {}): Promise<ObjectInfo> {
    this.checkKey(key);
    return this.#reading.read(key, target, options);
  }

  get readPieces(): port.ObjectStore['readPieces'] {
    const get = this.#calls.inPieces?.get.bind(this.#calls.inPieces);
    if (!get || !this.#reading.describesFirst) return undefined;
    return async (key, sink, options = {}) => {
      this.checkKey(key);
      return this.#reading.readPieces(get, key, sink, options);
    };
  }

  put(key: string, body: Uint8Array, options: port.PutOptions = {}): Promise<port.WriteResult> {
    return this.#put((condition) => this.#calls.put(key, body, options, condition), key, body.byteLength, options);
  }

  get putPieces(): port.ObjectStore['putPieces'] {
    const { inPieces } = this.#calls;
    return (
      inPieces &&
      ((key, body, options = {}) =>
        this.#put((condition) => inPieces.put(key, body, options, condition), key, body.byteLength, options))
    );
  }

  async #put(
    send: (condition: Condition) => Promise<Answer>,
    key: string,
    size: number,
    options: port.PutOptions,
  ): Promise<port.WriteResult> {
    const answer = await this.#conditions.write(options, send);
    const { etag } = answer.headers;
    if (etag) return writtenBy(answer.headers, bareEtag(etag), writtenEtagIsMd5(this.#preset));
    this.#quirks.notice('no-put-etag');
    return this.#asWritten(key, size, options);
  }

  async copy(
    source: port.ObjectStore,
    sourceKey: string,
    key: string,
    options: port.CopyOptions = {},
  ): Promise<port.WriteResult> {
    await this.#readySource(source, sourceKey, options);
    const { versionId, signal, onRequest } = options;
    const replace = options.headers !== undefined || options.metadata !== undefined;
    const storageClass = options.storageClass ?? this.#storageClass;
    if (!replace && source === this && sourceKey === key && versionId === undefined && !storageClass) {
      // S3 refuses to copy an object onto itself without a change. The object already is the result.
      return this.#asWritten(key, undefined, { signal, onRequest, ifMatch: options.ifMatch });
    }
    const copied = await this.#copying('no-copy-object', () =>
      this.#opening(source, options, (request) => this.#calls.copy(source, sourceKey, key, { ...request, replace })),
    );
    return this.#written(key, copied, { signal, onRequest });
  }

  copyableFrom(source: port.ObjectStore): boolean {
    const { kind, endpoint, account } = source.identity;
    if (kind !== 's3' || endpoint !== this.identity.endpoint || account !== this.identity.account) return false;
    return !this.#quirks.has('no-copy-object');
  }

  async createUpload(key: string, options: Omit<port.PutOptions, 'contentMd5' | 'pace'> = {}): Promise<port.UploadRef> {
    return this.#orLacking('no-multipart', 'CreateMultipartUpload', () => this.#calls.createUpload(key, options));
  }

  async uploadPart(
    upload: port.UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: port.PartOptions = {},
  ): Promise<port.PartResult> {
    const answer = await this.#calls.uploadPart(upload, partNumber, body, options);
    return this.#sentPart(answer, upload, partNumber, { ...options, md5Of: () => options.contentMd5 ?? md5(body) });
  }

  get uploadPartPieces(): port.ObjectStore['uploadPartPieces'] {
    const { inPieces } = this.#calls;
    return (
      inPieces &&
      (async (upload, partNumber, body, options = {}) => {
        const answer = await inPieces.uploadPart(upload, partNumber, body, options);
        return this.#sentPart(answer, upload, partNumber, { ...options, md5Of: () => options.contentMd5 });
      })
    );
  }

  /** @param options.md5Of that of the body, if it is known; for a store that tells nothing of its parts */
  async #sentPart(
    { headers }: Answer,
    upload: port.UploadRef,
    partNumber: number,
    options: port.CallOptions & { md5Of(): string | undefined },
  ): Promise<port.PartResult> {
    if (headers.etag) return this.#part(headers, bareEtag(headers.etag));
    this.#quirks.notice('no-put-etag');
    return { etag: await this.#partEtag(upload, partNumber, options), checksums: {} };
  }

  async uploadPartCopy(
    upload: port.UploadRef,
    partNumber: number,
    source: port.ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: port.CopyOptions = {},
  ): Promise<port.PartResult> {
    await this.#readySource(source, sourceKey, options);
    if (this.#quirks.has('no-part-copy')) throw lacking('UploadPartCopy');
    const { etag, headers } = await this.#copying('no-part-copy', () =>
      this.#opening(source, options, (request) =>
        this.#calls.uploadPartCopy(upload, partNumber, source, sourceKey, range, request),
      ),
    );
    return this.#part(headers, etag ?? (await this.#listedEtag(upload, partNumber, options)));
  }

  async listParts(upload: port.UploadRef, options: port.CallOptions = {}): Promise<port.PartEntry[]> {
    return this.#orLacking('no-list-parts', 'ListParts', async () => {
      const all: port.PartEntry[] = [];
      const guard = new PageGuard(`the parts of ${upload.key}`);
      for (let after = 0; ; ) {
        const { parts, next } = await this.#calls.listParts(upload, after, options);
        all.push(...parts);
        const token = next?.toString();
        guard.follow({ first: parts[0]?.partNumber, last: parts.at(-1)?.partNumber, token });
        if (next === undefined) return all;
        after = next;
      }
    });
  }

  async completeUpload(
    upload: port.UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: port.CompleteOptions = {},
  ): Promise<port.WriteResult> {
    const completing = this.#conditions.write(options, (condition) =>
      this.#calls.complete(upload, parts, options, condition),
    );
    const completed = await completing.catch(async (error: unknown) => {
      // RGW also returns this for an upload that no longer exists. Listing its parts shows which case it is.
      if (isXsyncError(error, 'server-error') && /already in progress/.test(error.message)) {
        await this.listParts(upload, options);
      }
      throw error;
    });
    const { signal, onRequest } = options;
    if (completed.etag) return this.#written(upload.key, completed, { signal, onRequest });
    const info = await this.#reading.head(upload.key, { signal, onRequest });
    mustBeCompleted(info, parts, options);
    return resultOf(info);
  }

  async abortUpload(upload: port.UploadRef, options: port.CallOptions = {}): Promise<void> {
    try {
      await this.#calls.abort(upload, options);
    } catch (error) {
      if (!isXsyncError(error, 'upload-not-found')) throw error;
    }
  }

  getTags(key: string, options: port.HeadOptions = {}): Promise<Tags> {
    return this.#calls.getTags(key, options);
  }

  putTags(key: string, tags: Tags, options: port.HeadOptions = {}): Promise<void> {
    return this.#calls.putTags(key, tags, options);
  }

  getAcl(key: string, options: port.HeadOptions = {}): Promise<string> {
    return this.#calls.getAcl(key, options);
  }

  putAcl(key: string, acl: string, options: port.HeadOptions = {}): Promise<void> {
    return this.#calls.putAcl(key, acl, options);
  }

  putLock(key: string, lock: ObjectLock, options: port.HeadOptions = {}): Promise<void> {
    return this.#calls.putLock(key, lock, options);
  }

  /** The token holds both markers. */
  async listUploads({
    token,
    ...options
  }: port.CallOptions & { prefix?: string; token?: string }): Promise<port.UploadPage> {
    const after = token === undefined ? undefined : uploadMarker(token);
    const ask = (encoded: boolean) => this.#calls.listUploads({ ...options, after, encoded });
    const { uploads, damaged, truncated, next } = await this.#orLacking('no-list-uploads', 'ListMultipartUploads', () =>
      this.#quirks.without(
        'no-encoded-uploads',
        () => ask(true),
        () => ask(false),
      ),
    );
    if (!truncated) return { uploads, damaged };
    const last = uploads.at(-1);
    const following = next ?? (last && { key: last.key, id: last.uploadId });
    if (!following) throw new XsyncError('invalid-response', "the store's response has no upload marker");
    return { uploads, damaged, nextToken: JSON.stringify([following.key, following.id]) };
  }

  async delete(keys: readonly string[], options: port.DeleteCallOptions = {}): Promise<port.DeleteFailure[]> {
    const { deleteIfMatch, nul } = this.#preset;
    const { signal, onRequest, versions } = options;
    return deleteKeys(this.#calls, this.#quirks, keys, nul, {
      signal,
      onRequest,
      versions: deleteIfMatch ? versions : undefined,
    });
  }

  /** Does nothing: the transport's creator closes it. */
  async close(): Promise<void> {}

  /** @throws unsupported; precondition-failed: from the HEAD that replaces a condition which the store ignores */
  async #readySource(source: port.ObjectStore, key: string, options: port.CopyOptions): Promise<void> {
    if (!this.copyableFrom(source)) {
      const message = `${this.identity.endpoint} cannot copy from ${source.identity.bucket} server-side`;
      throw new XsyncError('unsupported', message);
    }
    const { ifMatch, versionId, signal, onRequest } = options;
    if (ifMatch === undefined || !this.#quirks.has('no-copy-if-match')) return;
    const { etag } = await source.head(key, { versionId, signal, onRequest });
    // Misses a change between the HEAD and the copy.
    if (!sameEtag(etag, ifMatch)) {
      throw new XsyncError('precondition-failed', `${key}: the source has changed`, { subject: key });
    }
  }

  /** Copies with the key of the source's remote; without it if the object was written without a key. */
  #opening<T>(
    source: port.ObjectStore,
    options: port.CopyOptions,
    copy: (request: CopyRequest) => Promise<T>,
  ): Promise<T> {
    const opens = source instanceof S3Bucket ? source.#customerKey : undefined;
    if (!opens) return copy(options);
    return copy({ ...options, opens }).catch((error: unknown) => {
      if (!isUnsealed(error)) throw error;
      return copy(options);
    });
  }

  /** @throws unsupported: the store does not copy */
  async #copying<T>(quirk: Quirk, copy: () => Promise<T>): Promise<T> {
    try {
      return await copy();
    } catch (error) {
      if (!isRefusedForm(error)) throw error;
      // A 400 may concern this object alone.
      if (isMissingCall(error)) this.#quirks.notice(quirk);
      throw lacking(quirk === 'no-copy-object' ? 'CopyObject' : 'UploadPartCopy', error);
    }
  }

  /** @throws unsupported: the store does not have the call */
  async #orLacking<T>(quirk: Quirk, name: string, call: () => Promise<T>): Promise<T> {
    if (this.#quirks.has(quirk)) throw lacking(name);
    try {
      return await call();
    } catch (error) {
      if (!isMissingCall(error)) throw error;
      this.#quirks.notice(quirk);
      throw lacking(name, error);
    }
  }

  /** An uploaded or copied part. */
  #part(headers: Record<string, string>, etag: string): port.PartResult {
    return { etag, checksums: checksumsIn(headers, etag, writtenEtagIsMd5(this.#preset)) };
  }

  /** A copy or a completed upload. */
  async #written(
    key: string,
    { etag, headers, mtimeMs }: Written,
    options: port.CallOptions,
  ): Promise<port.WriteResult> {
    if (!etag) return this.#asWritten(key, undefined, options);
    return { ...writtenBy(headers, etag, promisedBy(this.#preset)), mtimeMs };
  }

  /** What a HEAD tells of an object that was just written. @throws checksum-mismatch: it has another size */
  async #asWritten(
    key: string,
    size: number | undefined,
    { signal, onRequest, ifMatch }: port.CallOptions & { ifMatch?: string },
  ): Promise<port.WriteResult> {
    const info = await this.#reading.head(key, { signal, onRequest, ifMatch });
    if (size !== undefined && info.size !== size) {
      const message = `${key}: the store holds ${info.size} bytes instead of ${size}`;
      throw new XsyncError('checksum-mismatch', message, { subject: key });
    }
    return resultOf(info);
  }

  /** Where a store has no ListParts either, its ETags of parts can only be MD5s, as at Amazon. */
  async #partEtag(
    upload: port.UploadRef,
    partNumber: number,
    options: port.CallOptions & { md5Of(): string | undefined },
  ): Promise<string> {
    try {
      return await this.#listedEtag(upload, partNumber, options);
    } catch (error) {
      const md5 = isXsyncError(error, 'unsupported') ? options.md5Of() : undefined;
      if (md5 === undefined) throw error;
      return md5;
    }
  }

  async #listedEtag(
    upload: port.UploadRef,
    partNumber: number,
    { signal, onRequest }: port.CallOptions,
  ): Promise<string> {
    const page = await this.#orLacking('no-list-parts', 'ListParts', () =>
      this.#calls.listParts(upload, partNumber - 1, { signal, onRequest }),
    );
    const part = page.parts.find((each) => each.partNumber === partNumber);
    if (part) return part.etag;
    throw new XsyncError('invalid-response', `${upload.key}: the store does not list part ${partNumber}`, {
      subject: upload.key,
    });
  }
}

function resultOf({ etag, checksums, versionId, mtimeMs }: ObjectInfo): port.WriteResult {
  return { etag, checksums, versionId, mtimeMs };
}

/** @param promised as in `checksumsOfEtag` */
function writtenBy(headers: Record<string, string>, etag: string, promised: Promised): port.WriteResult {
  return { etag, checksums: checksumsIn(headers, etag, promised), versionId: headers['x-amz-version-id'] };
}

function uploadMarker(token: string): { key: string; id: string } {
  const [key, id] = JSON.parse(token) as [string, string];
  return { key, id };
}

function lacking(call: string, cause?: unknown): XsyncError {
  return new XsyncError('unsupported', `the store has no ${call}`, { cause });
}
