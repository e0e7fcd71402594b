/** Tests: test/contract/stores.test.ts */
import type { ObjectLock, Tags } from '../../model/attributes.js';
import { isXsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import { readTags } from '../http/attributes.js';
import { HeadExplainer } from '../http/explain.js';
import type { BodySink, HttpResponse } from '../http/message.js';
import { restored } from '../http/restoring.js';
import { readVersioning, versionMarker } from '../http/versions.js';
import type {
  CallOptions,
  CopyOptions,
  DeleteFailure,
  HeadOptions,
  Link,
  LinkOptions,
  ListOptions,
  ListPage,
  ObjectStore,
  PartEntry,
  PartOptions,
  PartResult,
  PieceSink,
  PieceSource,
  PutOptions,
  ReadOptions,
  Restored,
  RestoreOptions,
  SignedUrl,
  SignedUrlOptions,
  StoreIdentity,
  UploadOptions,
  UploadPage,
  UploadRef,
  Versioning,
  VersionListOptions,
  VersionPage,
  WriteResult,
} from '../port.js';
import {
  readAcl,
  readDeleted,
  readInfo,
  readListPage,
  readPart,
  readPartCopy,
  readParts,
  readPut,
  readUploadId,
  readUploads,
  readWhole,
  refuseError,
} from './answers.js';
import { OssClient, type OssRequest, type Transport } from './client.js';
import { identityOf, type OssConfig, resolveOssConfig } from './config.js';
import { sourceOf } from './credentials.js';
import { checkKey, planDelete } from './key.js';
import { OSS_CAPABILITIES, PAGE } from './limits.js';
import { linkHeaders, ownInfo, readLink } from './links.js';
import type { CredentialSource } from './renewal.js';
import {
  checkBatch,
  checkReceived,
  completeBody,
  copyHeaders,
  deleteRequest,
  ifMatch,
  listQuery,
  lockRequest,
  md5Header,
  mustBePartial,
  notCopyable,
  putHeaders,
  rangeHeaders,
  restoreBody,
  sourceHeaders,
  taggingRequest,
  uploadsQuery,
  versionQuery,
  versionsQuery,
} from './requests.js';
import { readVersionPage } from './versions.js';

export interface OssDeps {
  transport: Transport;
  /** The environment for `env_auth`; default: the process's environment. */
  env?: NodeJS.ProcessEnv;
  /** The bucket's name in messages; default `bucket NAME`. */
  place?: string;
  /** Default: what config and environment name. */
  source?: CredentialSource;
}

/** Creates a store for one bucket; sends no request. @throws config: see `resolveOssConfig` */
export function createOssStore(
  config: OssConfig,
  bucket: string,
  { transport, env, place, source }: OssDeps,
): OssStore {
  const settings = resolveOssConfig(config, env);
  const credentials = source ?? sourceOf(settings.recipe, env ?? process.env, async () => transport);
  return new OssStore(new OssClient(settings, bucket, transport, credentials, place));
}

/**
 * A bucket of Alibaba Cloud OSS over the lean transport. Metadata that OSS cannot hold is encoded (metadata.ts).
 * Reads, puts and parts use the data endpoint, which may be accelerated. Everything else uses the control endpoint, also
 * server-side copies, because they carry no object data. A HEAD that is refused without a reason is followed by a GET of
 * one byte. The creator of the transport closes it.
 */
export class OssStore implements ObjectStore {
  readonly identity: StoreIdentity;
  readonly capabilities = OSS_CAPABILITIES;
  private readonly explainer = new HeadExplainer();

  constructor(readonly client: OssClient) {
    this.identity = identityOf(client.settings, client.bucket);
  }

  checkKey(key: string): void {
    checkKey(key);
  }

  /** Lists one key: credentials for copying a bucket allow that, but often not to read the bucket's settings. */
  async checkBucket(options: CallOptions = {}): Promise<void> {
    await this.list({ ...options, maxKeys: 1 });
  }

  async createBucket(options: CallOptions = {}): Promise<void> {
    await this.client.send({ method: 'PUT', body: '', service: true }, options);
  }

  async deleteBucket(options: CallOptions = {}): Promise<void> {
    await this.client.send({ method: 'DELETE', service: true }, options);
  }

  async signedUrl(key: string, options: SignedUrlOptions): Promise<SignedUrl> {
    checkKey(key);
    return this.client.presign(key, options);
  }

  async list(options: ListOptions): Promise<ListPage> {
    const { body } = await this.client.send({ method: 'GET', query: listQuery(options) }, options);
    return readListPage(body);
  }

  async listVersions(options: VersionListOptions): Promise<VersionPage> {
    const query = { versions: '', ...versionsQuery(options) };
    const { body } = await this.client.send({ method: 'GET', query }, options);
    return readVersionPage(body, versionMarker(options));
  }

  async addDeleteMarker(key: string, options: CallOptions = {}): Promise<{ versionId?: string }> {
    checkKey(key);
    return { versionId: (await this.client.send({ method: 'DELETE', key }, options)).headers['x-oss-version-id'] };
  }

  async deleteVersion(key: string, versionId: string, options: CallOptions = {}): Promise<void> {
    checkKey(key);
    await this.client.send({ method: 'DELETE', key, query: { versionId } }, options);
  }

  async versioning(options: CallOptions = {}): Promise<Versioning> {
    const { body } = await this.client.send({ method: 'GET', query: { versioning: '' } }, options);
    return readVersioning(body);
  }

  /** OSS does not report it. Its multipart ETags are opaque, and its CRC-64 covers the whole object. */
  async firstPartSize(): Promise<undefined> {
    return undefined;
  }

  async head(key: string, options: HeadOptions = {}): Promise<ObjectInfo> {
    return ownInfo(this.describe(key, options), () => this.getLink(key, options));
  }

  /** Sends a HEAD for an empty target. A HEAD supports versions like a GET and costs the same. */
  async read(key: string, target: Uint8Array, options: ReadOptions = {}): Promise<ObjectInfo> {
    if (target.byteLength === 0) return this.describe(key, options);
    checkKey(key);
    const answer = await this.get(key, target, options);
    mustBePartial(key, answer.status);
    checkReceived(key, answer.received, target.byteLength);
    return readInfo(key, answer.headers);
  }

  async readPieces(key: string, sink: PieceSink, options: ReadOptions = {}): Promise<ObjectInfo> {
    checkKey(key);
    const begin: BodySink['begin'] = ({ status, headers }) => {
      mustBePartial(key, status);
      sink.begin(readInfo(key, headers));
    };
    const byteLength = sink.byteLength - sink.taken;
    if (byteLength === 0) return this.describe(key, options);
    const target: BodySink = { byteLength, begin, take: (piece) => sink.take(piece), room: () => sink.room?.() };
    const answer = await this.get(key, target, { ...options, offset: (options.offset ?? 0) + sink.taken });
    checkReceived(key, answer.received, byteLength);
    return readInfo(key, answer.headers);
  }

  private get(key: string, target: Uint8Array | BodySink, options: ReadOptions): Promise<HttpResponse> {
    const { offset = 0, pace, versionId } = options;
    const headers = { ...ifMatch(options.ifMatch), ...rangeHeaders(offset, target.byteLength) };
    const request: OssRequest = {
      method: 'GET',
      key,
      query: versionQuery(versionId),
      headers,
      target,
      pace,
      bytes: true,
    };
    return this.client.send(request, options);
  }

  private async describe(
    key: string,
    { versionId, signal, onRequest, ifMatch: etag }: ReadOptions,
  ): Promise<ObjectInfo> {
    checkKey(key);
    const head = async (): Promise<ObjectInfo> => {
      const request: OssRequest = { method: 'HEAD', key, query: versionQuery(versionId), headers: ifMatch(etag) };
      return readInfo(key, (await this.client.send(request, { signal, onRequest })).headers);
    };
    const getByte = () => this.read(key, new Uint8Array(1), { versionId, signal, onRequest, ifMatch: etag });
    return this.explainer.ask(head, getByte);
  }

  async restore(key: string, options: RestoreOptions): Promise<Restored> {
    checkKey(key);
    const { versionId, signal, onRequest } = options;
    const query = { restore: '', ...versionQuery(versionId) };
    const headers = { 'content-type': 'application/xml' };
    const request: OssRequest = { method: 'POST', key, query, headers, body: restoreBody(options) };
    return restored(this.client.send(request, { signal, onRequest }));
  }

  put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<WriteResult> {
    return this.write(key, body, options);
  }

  putPieces(key: string, body: PieceSource, options: PutOptions = {}): Promise<WriteResult> {
    return this.write(key, body, options);
  }

  private async write(key: string, body: Uint8Array | PieceSource, options: PutOptions): Promise<WriteResult> {
    checkKey(key);
    const headers = putHeaders(key, options, this.client.settings.newObjects);
    const request: OssRequest = { method: 'PUT', key, headers, body, pace: options.pace, bytes: true };
    return readPut((await this.client.send(request, options)).headers);
  }

  async copy(source: ObjectStore, sourceKey: string, key: string, options: CopyOptions = {}): Promise<WriteResult> {
    checkKey(sourceKey);
    checkKey(key);
    if (!this.copyableFrom(source)) throw notCopyable(sourceKey);
    const { bucket } = source.identity;
    const headers = copyHeaders(bucket, sourceKey, key, options, this.client.settings.newObjects);
    const answer = await this.client.send({ method: 'PUT', key, headers, body: '', keptOpen: true }, options);
    refuseError(answer.body, this.client.subject(sourceKey));
    return readWhole(answer.body, 'CopyObjectResult', answer.headers);
  }

  copyableFrom(source: ObjectStore): boolean {
    const { kind, endpoint, account } = source.identity;
    return kind === 'oss' && endpoint === this.identity.endpoint && account === this.identity.account;
  }

  async createUpload(key: string, options: UploadOptions = {}): Promise<UploadRef> {
    checkKey(key);
    const headers = putHeaders(key, options, this.client.settings.newObjects);
    const request: OssRequest = {
      method: 'POST',
      key,
      query: { uploads: '', 'encoding-type': 'url' },
      headers,
      body: '',
    };
    const { body } = await this.client.send(request, options);
    return { key, uploadId: readUploadId(body) };
  }

  uploadPart(upload: UploadRef, partNumber: number, body: Uint8Array, options: PartOptions = {}): Promise<PartResult> {
    return this.sendPart(upload, partNumber, body, options);
  }

  uploadPartPieces(
    upload: UploadRef,
    partNumber: number,
    body: PieceSource,
    options: PartOptions = {},
  ): Promise<PartResult> {
    return this.sendPart(upload, partNumber, body, options);
  }

  private async sendPart(
    upload: UploadRef,
    partNumber: number,
    body: Uint8Array | PieceSource,
    options: PartOptions,
  ): Promise<PartResult> {
    checkKey(upload.key);
    const query = { partNumber: String(partNumber), uploadId: upload.uploadId };
    const headers = md5Header(options.contentMd5);
    const request: OssRequest = {
      method: 'PUT',
      key: upload.key,
      query,
      headers,
      body,
      pace: options.pace,
      bytes: true,
    };
    return readPart((await this.client.send(request, options)).headers);
  }

  async uploadPartCopy(
    upload: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: CopyOptions = {},
  ): Promise<PartResult> {
    checkKey(sourceKey);
    if (!this.copyableFrom(source)) throw notCopyable(sourceKey);
    const { key, uploadId } = upload;
    const headers = {
      ...sourceHeaders(source.identity.bucket, sourceKey, options),
      'x-oss-copy-source-range': `bytes=${range.offset}-${range.offset + range.size - 1}`,
    };
    const query = { partNumber: String(partNumber), uploadId };
    const request: OssRequest = { method: 'PUT', key, query, headers, body: '', keptOpen: true };
    const answer = await this.client.send(request, options);
    refuseError(answer.body, this.client.subject(sourceKey));
    return readPartCopy(answer.body, answer.headers);
  }

  async listParts({ key, uploadId }: UploadRef, options: CallOptions = {}): Promise<PartEntry[]> {
    checkKey(key);
    const all: PartEntry[] = [];
    const guard = new PageGuard(`the parts of ${key}`);
    for (let marker: string | undefined = '0'; marker !== undefined; ) {
      const query = { uploadId, 'max-parts': String(PAGE), 'encoding-type': 'url', 'part-number-marker': marker };
      const { body } = await this.client.send({ method: 'GET', key, query }, options);
      const { parts, next } = readParts(body);
      all.push(...parts);
      marker = next;
      guard.follow({ first: parts[0]?.partNumber, last: parts.at(-1)?.partNumber, token: marker });
    }
    return all;
  }

  async completeUpload(
    { key, uploadId }: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: CallOptions = {},
  ): Promise<WriteResult> {
    checkKey(key);
    const headers = { 'content-type': 'application/xml' };
    const request: OssRequest = {
      method: 'POST',
      key,
      query: { uploadId, 'encoding-type': 'url' },
      headers,
      body: completeBody(parts),
      keptOpen: true,
    };
    const answer = await this.client.send(request, options);
    refuseError(answer.body, this.client.subject(key));
    return readWhole(answer.body, 'CompleteMultipartUploadResult', answer.headers);
  }

  async abortUpload({ key, uploadId }: UploadRef, options: CallOptions = {}): Promise<void> {
    checkKey(key);
    try {
      await this.client.send({ method: 'DELETE', key, query: { uploadId } }, options);
    } catch (error) {
      if (!isXsyncError(error, 'upload-not-found')) throw error;
    }
  }

  async listUploads(options: CallOptions & { prefix?: string; token?: string }): Promise<UploadPage> {
    const query = { uploads: '', ...uploadsQuery(options) };
    return readUploads((await this.client.send({ method: 'GET', query }, options)).body);
  }

  async getTags(key: string, { versionId, ...options }: HeadOptions = {}): Promise<Tags> {
    checkKey(key);
    const query = { tagging: '', ...versionQuery(versionId) };
    return readTags((await this.client.send({ method: 'GET', key, query }, options)).body);
  }

  async putTags(key: string, tags: Tags, { versionId, ...options }: HeadOptions = {}): Promise<void> {
    checkKey(key);
    const query = { tagging: '', ...versionQuery(versionId) };
    const request: OssRequest =
      tags.length > 0 ? { method: 'PUT', key, query, ...taggingRequest(tags) } : { method: 'DELETE', key, query };
    await this.client.send(request, options);
  }

  async getAcl(key: string, { versionId, ...options }: HeadOptions = {}): Promise<string> {
    checkKey(key);
    const query = { acl: '', ...versionQuery(versionId) };
    return readAcl((await this.client.send({ method: 'GET', key, query }, options)).body);
  }

  async putAcl(key: string, acl: string, { versionId, ...options }: HeadOptions = {}): Promise<void> {
    checkKey(key);
    const query = { acl: '', ...versionQuery(versionId) };
    await this.client.send({ method: 'PUT', key, query, headers: { 'x-oss-object-acl': acl }, body: '' }, options);
  }

  async putLock(key: string, lock: ObjectLock, { versionId, ...options }: HeadOptions = {}): Promise<void> {
    checkKey(key);
    const { name, ...document } = lockRequest(lock);
    const query = { [name]: '', ...versionQuery(versionId) };
    await this.client.send({ method: 'PUT', key, query, ...document }, options);
  }

  async getLink(key: string, { versionId, ...options }: HeadOptions = {}): Promise<Link> {
    checkKey(key);
    const query = { symlink: '', ...versionQuery(versionId) };
    return readLink(key, (await this.client.send({ method: 'GET', key, query }, options)).headers);
  }

  async putLink(key: string, target: string, options: LinkOptions = {}): Promise<{ versionId?: string }> {
    checkKey(key);
    const headers = linkHeaders(key, target, options);
    const answer = await this.client.send({ method: 'PUT', key, query: { symlink: '' }, headers, body: '' }, options);
    return { versionId: answer.headers['x-oss-version-id'] };
  }

  /** One request, and one more for each key with a control character, which the batch's XML cannot contain. */
  async delete(keys: readonly string[], options: CallOptions = {}): Promise<DeleteFailure[]> {
    checkBatch(keys);
    const { batch, single, refused } = planDelete(keys);
    for (const key of single) await this.client.send({ method: 'DELETE', key }, options);
    if (batch.length === 0) return refused;
    const query = { delete: '', 'encoding-type': 'url' };
    const answer = await this.client.send({ method: 'POST', query, ...deleteRequest(batch) }, options);
    return [...refused, ...readDeleted(answer.body, batch, this.client.subject())];
  }

  async close(): Promise<void> {}
}
