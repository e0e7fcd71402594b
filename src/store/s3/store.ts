/**
 * An S3 bucket over the lean transport. User metadata is kept within the preset's limit: names are returned in lower
 * case, and non-ASCII values are sent as RFC 2047 encoded words.
 *
 * Calls that send more than one request: all, once, after a wrong clock; `listParts`, which pages; copies with `ifMatch`
 * where the provider ignores it (a HEAD first); `completeUpload` when the response has no ETag (a HEAD) or RGW reports a
 * completed upload as in progress (the parts); `delete` for each key that XML cannot contain.
 */

import { md5 } from '../../hash/index.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { HttpResponse } from '../http/message.js';
import type { HttpTransport } from '../http/transport.js';
import type {
  CallOptions,
  Capabilities,
  CopyOptions,
  DeleteFailure,
  HeadOptions,
  ListOptions,
  ListPage,
  ObjectStore,
  PartEntry,
  PartOptions,
  PartResult,
  PutOptions,
  ReadOptions,
  StoreIdentity,
  UploadPage,
  UploadRef,
  WriteResult,
} from '../port.js';
import type { S3Config } from './config.js';
import { copySource, readCopy } from './copying.js';
import { type CredentialSource, credentialSource } from './credentials.js';
import { deleteBody, readDeleteFailures } from './deleting.js';
import { encodeKey, escapeXml, fitsXml, isKey } from './encode.js';
import { checksumsIn, contentHeadersOut, md5Header, metadataOut, unquote } from './headers.js';
import { capabilitiesOf, firstPartSizeOf, infoOf, totalSize, unlessUnsupported } from './info.js';
import { readPage, required } from './listing.js';
import { presetOf, type S3Preset } from './presets.js';
import { Uploads } from './uploads.js';
import { Wire } from './wire.js';

export interface S3Deps {
  /** Shared by stores; its creator closes it. */
  transport: HttpTransport;
  /** Overrides the config. */
  credentials?: CredentialSource;
  /** The bucket's name in messages; default `bucket NAME`. */
  place?: string;
}

/** Creates a store for one bucket; sends no request. @throws config: see `addressesOf` */
export function createS3Store(config: S3Config, bucket: string, deps: S3Deps): S3Store {
  return new S3Store(config, bucket, deps);
}

export class S3Store implements ObjectStore {
  readonly identity: StoreIdentity;
  readonly capabilities: Capabilities;
  readonly #wire: Wire;
  readonly #uploads: Uploads;
  readonly #preset: S3Preset;
  readonly #storageClass: string | undefined;

  constructor(config: S3Config, bucket: string, { transport, credentials = credentialSource(config), place }: S3Deps) {
    this.#preset = presetOf(config);
    this.#storageClass = config.storage_class;
    this.#wire = new Wire(config, bucket, credentials, transport, place);
    this.#uploads = new Uploads(this.#wire, !this.#preset.quirks.includes('no-encoded-uploads'));
    const { endpoint } = this.#wire.addresses;
    this.identity = { kind: 's3', endpoint, bucket, account: credentials.fingerprint };
    this.capabilities = capabilitiesOf(this.#preset);
  }

  checkKey(key: string): void {
    encodeKey(key, this.#preset.nul);
  }

  async checkBucket({ signal }: CallOptions = {}): Promise<void> {
    // Not a HEAD: its error responses have no body, so a wrong key and a missing permission would look the same.
    await this.#wire.send({ method: 'GET', parameters: { 'list-type': 2, 'max-keys': 1 }, signal });
  }

  async createBucket({ signal }: CallOptions = {}): Promise<void> {
    const { region } = this.#wire.addresses;
    const named = this.#preset.locationConstraint && region !== 'us-east-1';
    const body = named
      ? `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${escapeXml(region)}</LocationConstraint></CreateBucketConfiguration>`
      : undefined;
    try {
      await this.#wire.send({ method: 'PUT', body, signal });
    } catch (error) {
      if (!(isXsyncError(error) && error.serviceCode === 'BucketAlreadyOwnedByYou')) throw error;
    }
  }

  async list({ prefix, delimiter, startAfter, token, maxKeys, signal }: ListOptions): Promise<ListPage> {
    const parameters = {
      'list-type': 2,
      'encoding-type': 'url',
      'max-keys': maxKeys ?? 1000,
      prefix: prefix || undefined,
      delimiter,
      'start-after': token === undefined ? startAfter || undefined : undefined,
      'continuation-token': token,
    };
    const { body } = await this.#wire.send({ method: 'GET', parameters, signal });
    return readPage(body);
  }

  async head(key: string, { versionId, signal }: HeadOptions = {}): Promise<ObjectInfo> {
    return this.#head(key, { versionId, signal });
  }

  async firstPartSize(
    key: string,
    { ifMatch, signal }: CallOptions & { ifMatch?: string } = {},
  ): Promise<number | undefined> {
    const headers = this.#readHeaders(ifMatch);
    const parameters = { partNumber: '1' };
    const sent = this.#wire.send({ method: 'HEAD', key, parameters, headers, signal });
    return firstPartSizeOf(await unlessUnsupported(sent));
  }

  async read(key: string, target: Uint8Array, options: ReadOptions = {}): Promise<ObjectInfo> {
    // A range of an empty object fails (416), and a range cannot be empty.
    if (target.byteLength === 0) return this.#head(key, options);
    const { offset = 0, versionId, signal, pace } = options;
    const headers = this.#readHeaders(options.ifMatch);
    headers.range = `bytes=${offset}-${offset + target.byteLength - 1}`;
    const parameters = { versionId };
    const answer = await this.#wire.send({ method: 'GET', key, parameters, headers, target, signal, pace, data: true });
    const size = totalSize(answer, offset);
    if (answer.received < target.byteLength) {
      const message = `${key}: received ${answer.received} of ${target.byteLength} bytes at offset ${offset} (size ${size})`;
      throw new XsyncError('truncated', message, { subject: key, status: answer.status });
    }
    return infoOf(key, size, answer.headers);
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<WriteResult> {
    const { signal, pace, contentMd5 } = options;
    const headers = { ...this.#writeHeaders(options), ...md5Header(contentMd5) };
    return writeResult(await this.#wire.send({ method: 'PUT', key, headers, body, signal, pace, data: true }));
  }

  async copy(source: ObjectStore, sourceKey: string, key: string, options: CopyOptions = {}): Promise<WriteResult> {
    this.#mustCopyFrom(source);
    const { ifMatch, versionId, signal } = options;
    if (ifMatch !== undefined && this.#preset.quirks.includes('no-copy-if-match'))
      await this.#sourceMatches(source, sourceKey, options);
    const headers = { ...this.#writeHeaders(options), ...copySource(source.identity.bucket, sourceKey, options) };
    if (options.headers || options.metadata) headers['x-amz-metadata-directive'] = 'REPLACE';
    else if (source === this && sourceKey === key && versionId === undefined && !headers['x-amz-storage-class']) {
      // S3 refuses to copy an object onto itself without a change. The object already is the result.
      return this.#asWritten(key, options);
    }
    const answer = await this.#wire.send({ method: 'PUT', key, headers, signal, lateError: true });
    return readCopy('CopyObjectResult', answer.body, answer.headers);
  }

  copyableFrom(source: ObjectStore): boolean {
    const { kind, endpoint, account } = source.identity;
    return kind === 's3' && endpoint === this.identity.endpoint && account === this.identity.account;
  }

  async createUpload(key: string, options: Omit<PutOptions, 'contentMd5' | 'pace'> = {}): Promise<UploadRef> {
    return this.#uploads.create(key, this.#writeHeaders(options), options);
  }

  async uploadPart(
    upload: UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: PartOptions = {},
  ): Promise<PartResult> {
    return this.#uploads.part(upload, partNumber, body, options);
  }

  async uploadPartCopy(
    upload: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: CopyOptions = {},
  ): Promise<PartResult> {
    this.#mustCopyFrom(source);
    if (options.ifMatch !== undefined && this.#preset.quirks.includes('no-copy-if-match'))
      await this.#sourceMatches(source, sourceKey, options);
    return this.#uploads.partCopy(upload, partNumber, source, sourceKey, range, options);
  }

  async listParts(upload: UploadRef, options: CallOptions = {}): Promise<PartEntry[]> {
    return this.#uploads.parts(upload, options);
  }

  async completeUpload(
    upload: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: CallOptions = {},
  ): Promise<WriteResult> {
    const result = await this.#uploads.complete(upload, parts, options);
    return result.etag === '' ? this.#asWritten(upload.key, options) : result;
  }

  async abortUpload(upload: UploadRef, options: CallOptions = {}): Promise<void> {
    return this.#uploads.abort(upload, options);
  }

  async listUploads(options: CallOptions & { prefix?: string; token?: string }): Promise<UploadPage> {
    return this.#uploads.list(options);
  }

  async delete(keys: readonly string[], { signal }: CallOptions = {}): Promise<DeleteFailure[]> {
    const failures: DeleteFailure[] = [];
    const batch: string[] = [];
    const single: string[] = [];
    for (const key of keys) {
      // Other keys are deleted one by one below, so that a bad key fails alone.
      (isKey(key, this.#preset.nul) && fitsXml(key) ? batch : single).push(key);
    }
    if (batch.length > 0) {
      const body = deleteBody(batch);
      const headers = { 'content-type': 'application/xml', ...md5Header(md5(Buffer.from(body))) };
      const answer = await this.#wire.send({ method: 'POST', parameters: { delete: '' }, headers, body, signal });
      failures.push(...readDeleteFailures(answer.body));
    }
    for (const key of single) {
      try {
        await this.#wire.send({ method: 'DELETE', key, signal });
      } catch (error) {
        if (isXsyncError(error, 'aborted')) throw error;
        if (!isXsyncError(error, 'object-not-found')) failures.push({ key, error: toXsyncError(error) });
      }
    }
    return failures;
  }

  /** A URL that reads (`GET`) or writes (`PUT`) the object for `expiresS` seconds. S3's limit is 604800. */
  async presign(method: 'GET' | 'PUT', key: string, expiresS: number): Promise<string> {
    return this.#wire.presign(method, key, expiresS);
  }

  /** Does nothing: the transport's creator closes it. */
  async close(): Promise<void> {}

  async #head(key: string, { versionId, ifMatch, signal }: HeadOptions & { ifMatch?: string }): Promise<ObjectInfo> {
    const headers = this.#readHeaders(ifMatch);
    const answer = await this.#wire.send({ method: 'HEAD', key, parameters: { versionId }, headers, signal });
    return infoOf(key, Number(required(answer.headers['content-length'], 'Content-Length')), answer.headers);
  }

  #readHeaders(ifMatch: string | undefined): Record<string, string> {
    const headers: Record<string, string> = {};
    if (ifMatch !== undefined) headers['if-match'] = `"${ifMatch}"`;
    if (this.#preset.checksumMode) headers['x-amz-checksum-mode'] = 'ENABLED';
    return headers;
  }

  #writeHeaders({ headers: content, metadata, storageClass = this.#storageClass }: PutOptions): Record<string, string> {
    const headers: Record<string, string> = {};
    contentHeadersOut(content, headers);
    metadataOut(metadata, this.#preset, headers);
    if (storageClass !== undefined) headers['x-amz-storage-class'] = storageClass;
    return headers;
  }

  #mustCopyFrom(source: ObjectStore): void {
    if (this.copyableFrom(source)) return;
    throw new XsyncError(
      'unsupported',
      `${this.identity.endpoint} cannot copy from ${source.identity.bucket} server-side`,
    );
  }

  /** Replaces `x-amz-copy-source-if-match` where it is ignored. Misses a change between the HEAD and the copy. */
  async #sourceMatches(source: ObjectStore, key: string, { ifMatch, versionId, signal }: CopyOptions): Promise<void> {
    const { etag } = await source.head(key, { versionId, signal });
    if (etag === ifMatch) return;
    throw new XsyncError('precondition-failed', `${key}: the source has changed`, { subject: key });
  }

  async #asWritten(key: string, options: CopyOptions): Promise<WriteResult> {
    const { etag, checksums, versionId, mtimeMs } = await this.#head(key, options);
    return { etag, checksums, versionId, mtimeMs };
  }
}

function writeResult({ headers }: HttpResponse): WriteResult {
  const etag = unquote(required(headers.etag, 'ETag'));
  return { etag, checksums: checksumsIn(headers, etag), versionId: headers['x-amz-version-id'] };
}
