/**
 * An S3 bucket over the lean transport. User metadata is kept, within the preset's limit; names come back in lower
 * case, and values beyond ASCII travel as RFC 2047 encoded words.
 *
 * Exceptions to one call, one request: a request refused for a wrong clock is repeated once; `listParts` pages;
 * copies with `ifMatch` ask a HEAD first where the provider ignores the condition; `completeUpload` asks a HEAD where
 * the answer names no ETag (RGW), and for the parts when RGW calls a completed upload still in progress; `delete` sends keys that XML cannot name one by one.
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
import { PRESETS, providerOf, type S3Config, type S3Preset } from './config.js';
import { copySource, readCopy } from './copying.js';
import { type CredentialSource, credentialSource } from './credentials.js';
import { deleteBody, readDeleteFailures } from './deleting.js';
import { encodeKey, escapeXml, fitsXml, isKey } from './encode.js';
import { checksumsIn, contentHeadersOut, md5Header, metadataOut, unquote } from './headers.js';
import { capabilitiesOf, firstPartSizeOf, infoOf, totalSize, unlessUnsupported } from './info.js';
import { readPage, required } from './listing.js';
import { Uploads } from './uploads.js';
import { Wire } from './wire.js';

export interface S3Deps {
  /** Shared by stores; closed by whoever made it. */
  transport: HttpTransport;
  /** Instead of what the config says. */
  credentials?: CredentialSource;
  /** What messages call the bucket; `bucket NAME` when absent. */
  place?: string;
}

/** A store for one bucket. Sends nothing yet. @throws config */
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
    this.#preset = PRESETS[providerOf(config)];
    this.#storageClass = config.storage_class;
    this.#wire = new Wire(config, bucket, credentials, transport, place);
    this.#uploads = new Uploads(this.#wire, this.#preset.encodesUploads);
    const { endpoint } = this.#wire.addresses;
    this.identity = { kind: 's3', endpoint, bucket, account: credentials.fingerprint };
    this.capabilities = capabilitiesOf(this.#preset);
  }

  checkKey(key: string): void {
    encodeKey(key, this.#preset.nul);
  }

  async checkBucket({ signal }: CallOptions = {}): Promise<void> {
    // Not HEAD: its refusals have no body, so that a wrong key and a missing permission would look the same.
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
    // A range of an empty object cannot be had (416), and an empty range cannot be asked for.
    if (target.byteLength === 0) return this.#head(key, options);
    const { offset = 0, versionId, signal, pace } = options;
    const headers = this.#readHeaders(options.ifMatch);
    headers.range = `bytes=${offset}-${offset + target.byteLength - 1}`;
    const parameters = { versionId };
    const answer = await this.#wire.send({ method: 'GET', key, parameters, headers, target, signal, pace, data: true });
    const size = totalSize(answer, offset);
    if (answer.received < target.byteLength) {
      const message = `${key}: ${answer.received} bytes came of ${target.byteLength} from ${offset} on (size ${size})`;
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
    if (ifMatch !== undefined && !this.#preset.copyIfMatch) await this.#sourceMatches(source, sourceKey, options);
    const headers = { ...this.#writeHeaders(options), ...copySource(source.identity.bucket, sourceKey, options) };
    if (options.headers || options.metadata) headers['x-amz-metadata-directive'] = 'REPLACE';
    else if (source === this && sourceKey === key && versionId === undefined && !headers['x-amz-storage-class']) {
      // S3 refuses a copy onto itself that changes nothing; the result is what there is.
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
    if (options.ifMatch !== undefined && !this.#preset.copyIfMatch)
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
      // A key that does not fit fails alone, below.
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

  /** A URL that reads (`GET`) or writes (`PUT`) the object for at most `expiresS` seconds, 604800 being S3's limit. */
  async presign(method: 'GET' | 'PUT', key: string, expiresS: number): Promise<string> {
    return this.#wire.presign(method, key, expiresS);
  }

  /** The transport is its maker's to close, and the store holds nothing else. */
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
    throw new XsyncError('unsupported', `${this.identity.endpoint} cannot read ${source.identity.bucket} by itself`);
  }

  /** Stands in for `x-amz-copy-source-if-match` where it is ignored; a change in between stays unseen. */
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
