/** Tests: test/contract/stores.test.ts */
import type { ObjectLock, Tags } from '../../model/attributes.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import { readTags } from '../http/attributes.js';
import { HeadExplainer } from '../http/explain.js';
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
  PutOptions,
  ReadOptions,
  Restored,
  RestoreOptions,
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
  type PartsPage,
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
import { identityOf, type OssConfig, resolveOssConfig } from './config.js';
import { sourceOf } from './credentials.js';
import { checkKey, planDelete } from './key.js';
import { OSS_CAPABILITIES, PAGE } from './limits.js';
import { linkHeaders, ownInfo, readLink } from './links.js';
import type { Means } from './provider-http.js';
import {
  checkBatch,
  checkReceived,
  completeBody,
  copyHeaders,
  deleteRequest,
  type Headers,
  ifMatch,
  listQuery,
  lockRequest,
  md5Header,
  notCopyable,
  putHeaders,
  rangeHeaders,
  restoreBody,
  sourceHeaders,
  taggingRequest,
  uploadsQuery,
  versionsQuery,
} from './requests.js';
import { type SdkAnswer, SdkClient, type SdkOptions, type SdkRun } from './sdk-client.js';
import { fill, pieces } from './sdk-streams.js';
import { readVersionPage } from './versions.js';

export interface OssSdkDeps extends Partial<SdkOptions>, Partial<Means> {
  /** The environment for `env_auth`; default: the process's environment. */
  env?: NodeJS.ProcessEnv;
}

/**
 * Creates a store for one bucket; sends no request.
 * @param deps `http` is only for credentials that must be fetched
 * @throws config: see `resolveOssConfig`
 */
export function createOssSdkStore(config: OssConfig, bucket: string, deps: OssSdkDeps = {}): OssSdkStore {
  const { connectTimeoutMs = 15_000, idleTimeoutMs = 60_000, env = process.env, agents, http = noTransport } = deps;
  const settings = resolveOssConfig(config, env);
  let transport: ReturnType<Means['http']> | undefined;
  const source = sourceOf(settings.recipe, env, () => {
    transport ??= http();
    return transport;
  });
  const options = { connectTimeoutMs, idleTimeoutMs, agents };
  return new OssSdkStore(new SdkClient(settings, bucket, source, options));
}

async function noTransport(): Promise<never> {
  throw new XsyncError('internal', 'the store was given no transport to fetch credentials with');
}

/** ali-oss sends no Content-Type for this value, and does not derive one from the key. */
const NO_MIME = 'none';

/**
 * A bucket through ali-oss: a reference for the lean store, slower and with more memory. Where a method of ali-oss has a
 * bug, its general request is used: `copy` sends each header twice, `deleteMulti` drops the failures, the listings read
 * any document as a listing and fail for one damaged row, and starting and completing an upload cannot parse keys with
 * control characters. sdk-client.ts lists the other workarounds.
 */
export class OssSdkStore implements ObjectStore {
  readonly identity: StoreIdentity;
  readonly capabilities = OSS_CAPABILITIES;
  readonly #explainer = new HeadExplainer();

  constructor(private readonly client: SdkClient) {
    this.identity = identityOf(client.settings, client.bucket);
  }

  checkKey(key: string): void {
    checkKey(key);
  }

  async checkBucket(options: CallOptions = {}): Promise<void> {
    await this.list({ ...options, maxKeys: 1 });
  }

  async createBucket(options: CallOptions = {}): Promise<void> {
    const { bucket, settings } = this.client;
    await this.#call(settings.service, undefined, options, (oss, ctx) => oss.putBucket(bucket, { ctx }));
  }

  async deleteBucket(options: CallOptions = {}): Promise<void> {
    const { bucket, settings } = this.client;
    await this.#call(settings.service, undefined, options, (oss, ctx) =>
      oss.request({ method: 'DELETE', bucket, successStatuses: [204], ctx }),
    );
  }

  async list(options: ListOptions): Promise<ListPage> {
    const { bucket } = this.client;
    const { answer } = await this.#control(undefined, options, (oss, ctx) =>
      oss.request({ method: 'GET', bucket, query: listQuery(options), successStatuses: [200], ctx }),
    );
    return readListPage(answer.body);
  }

  async listVersions(options: VersionListOptions): Promise<VersionPage> {
    const body = await this.#ofBucket({ versions: '' }, versionsQuery(options), options);
    return readVersionPage(body, versionMarker(options));
  }

  async addDeleteMarker(key: string, options: CallOptions = {}): Promise<{ versionId?: string }> {
    checkKey(key);
    const { answer } = await this.#control(key, options, (oss, ctx) => oss.delete(key, { ctx }));
    return { versionId: answer.headers['x-oss-version-id'] };
  }

  async deleteVersion(key: string, versionId: string, options: CallOptions = {}): Promise<void> {
    checkKey(key);
    const { bucket } = this.client;
    const request = { method: 'DELETE', bucket, object: key, subres: { versionId }, successStatuses: [204] };
    await this.#control(key, options, (oss, ctx) => oss.request({ ...request, ctx }));
  }

  async versioning(options: CallOptions = {}): Promise<Versioning> {
    return readVersioning(await this.#ofBucket({ versioning: '' }, {}, options));
  }

  async #ofBucket(subres: Headers, query: Headers, options: CallOptions): Promise<Buffer> {
    const { bucket } = this.client;
    const { answer } = await this.#control(undefined, options, (oss, ctx) =>
      oss.request({ method: 'GET', bucket, subres, query, successStatuses: [200], ctx }),
    );
    return answer.body;
  }

  /** OSS does not report it. Its multipart ETags are opaque, and its CRC-64 covers the whole object. */
  async firstPartSize(): Promise<undefined> {
    return undefined;
  }

  async head(key: string, options: HeadOptions = {}): Promise<ObjectInfo> {
    return ownInfo(this.#describe(key, options), () => this.getLink(key, options));
  }

  async read(key: string, target: Uint8Array, options: ReadOptions = {}): Promise<ObjectInfo> {
    if (target.byteLength === 0) return this.#describe(key, options);
    checkKey(key);
    const { offset = 0, pace, versionId } = options;
    const headers = { ...ifMatch(options.ifMatch), ...rangeHeaders(offset, target.byteLength) };
    const subres = versionId === undefined ? undefined : { versionId };
    const { answer, value: received } = await this.#data(key, options, async (oss, ctx, call) => {
      const { stream } = await oss.getStream(key, { ctx, headers, subres });
      return fill(target, stream, call, pace);
    });
    checkReceived(key, received, target.byteLength);
    return readInfo(key, answer.headers);
  }

  async #describe(key: string, { versionId, signal, onRequest, ifMatch: etag }: ReadOptions): Promise<ObjectInfo> {
    checkKey(key);
    const subres = versionId === undefined ? undefined : { versionId };
    const head = async (): Promise<ObjectInfo> => {
      const headers = ifMatch(etag);
      const { answer } = await this.#control(key, { signal, onRequest }, (oss, ctx) =>
        oss.head(key, { ctx, headers, subres }),
      );
      return readInfo(key, answer.headers);
    };
    const getByte = () => this.read(key, new Uint8Array(1), { versionId, signal, onRequest, ifMatch: etag });
    return this.#explainer.ask(head, getByte);
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<WriteResult> {
    checkKey(key);
    const headers = putHeaders(key, options, this.client.settings.newObjects);
    const { answer } = await this.#data(key, options, (oss, ctx, call) => {
      const sent = { ctx, headers: { ...headers }, mime: NO_MIME };
      // An empty stream would be sent chunked.
      if (body.byteLength === 0) return oss.put(key, Buffer.alloc(0), sent);
      return oss.putStream(key, pieces(body, call, options.pace), { ...sent, contentLength: body.byteLength });
    });
    return readPut(answer.headers);
  }

  async copy(source: ObjectStore, sourceKey: string, key: string, options: CopyOptions = {}): Promise<WriteResult> {
    checkKey(sourceKey);
    checkKey(key);
    if (!this.copyableFrom(source)) throw notCopyable(sourceKey);
    const { bucket, settings } = this.client;
    const headers = copyHeaders(source.identity.bucket, sourceKey, key, options, settings.newObjects);
    const { answer } = await this.#control(key, options, (oss, ctx) =>
      oss.request({ method: 'PUT', bucket, object: key, headers: { ...headers }, successStatuses: [200], ctx }),
    );
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
    const { answer } = await this.#post(key, { uploads: '' }, options, { headers });
    return { key, uploadId: readUploadId(answer.body) };
  }

  async uploadPart(
    { key, uploadId }: UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: PartOptions = {},
  ): Promise<PartResult> {
    checkKey(key);
    const size = body.byteLength;
    const { answer } = await this.#data(key, options, (oss, ctx, call) => {
      const sent = { ctx, headers: md5Header(options.contentMd5), mime: NO_MIME };
      return oss.uploadPart(key, uploadId, partNumber, pieces(body, call, options.pace), 0, size, sent);
    });
    return readPart(answer.headers);
  }

  async uploadPartCopy(
    { key, uploadId }: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: CopyOptions = {},
  ): Promise<PartResult> {
    checkKey(sourceKey);
    if (!this.copyableFrom(source)) throw notCopyable(sourceKey);
    const sourceBucketName = source.identity.bucket;
    const bytes = `${range.offset}-${range.offset + range.size - 1}`;
    const { versionId } = options;
    const { answer } = await this.#control(key, options, (oss, ctx) => {
      const headers = sourceHeaders(sourceBucketName, sourceKey, options);
      return oss.uploadPartCopy(
        key,
        uploadId,
        partNumber,
        bytes,
        { sourceKey, sourceBucketName },
        { ctx, headers, versionId },
      );
    });
    refuseError(answer.body, this.client.subject(sourceKey));
    return readPartCopy(answer.body, answer.headers);
  }

  async restore(key: string, options: RestoreOptions): Promise<Restored> {
    checkKey(key);
    const { bucket } = this.client;
    const { versionId } = options;
    const subres: Record<string, string> = { restore: '', ...(versionId !== undefined && { versionId }) };
    const asking = this.#control(key, options, (oss, ctx) =>
      oss.request({
        ...{ method: 'POST', bucket, object: key, subres, ctx },
        content: Buffer.from(restoreBody(options)),
        mime: 'xml',
        successStatuses: [200, 202],
      }),
    );
    return restored(asking.then(({ answer }) => answer));
  }

  async listParts({ key, uploadId }: UploadRef, options: CallOptions = {}): Promise<PartEntry[]> {
    checkKey(key);
    const all: PartEntry[] = [];
    const guard = new PageGuard(`the parts of ${key}`);
    let marker: string | undefined = '0';
    while (marker !== undefined) {
      const { parts, next }: PartsPage = readParts(await this.#partsAfter(key, uploadId, marker, options));
      all.push(...parts);
      marker = next;
      guard.follow({ first: parts[0]?.partNumber, last: parts.at(-1)?.partNumber, token: marker });
    }
    return all;
  }

  async #partsAfter(key: string, uploadId: string, marker: string, options: CallOptions): Promise<Buffer> {
    const { bucket } = this.client;
    const query = { 'max-parts': String(PAGE), 'part-number-marker': marker };
    const { answer } = await this.#control(key, options, (oss, ctx) =>
      oss.request({ method: 'GET', bucket, object: key, subres: { uploadId }, query, successStatuses: [200], ctx }),
    );
    return answer.body;
  }

  async completeUpload(
    { key, uploadId }: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: CallOptions = {},
  ): Promise<WriteResult> {
    checkKey(key);
    const content = Buffer.from(completeBody(parts));
    const { answer } = await this.#post(key, { uploadId }, options, { content });
    refuseError(answer.body, this.client.subject(key));
    return readWhole(answer.body, 'CompleteMultipartUploadResult', answer.headers);
  }

  /** For calls whose response repeats the key. Requests it URL-encoded, because XML cannot contain every key. */
  #post(key: string, subres: Headers, options: CallOptions, sent: { headers?: Headers; content?: Buffer }) {
    const query = { 'encoding-type': 'url' };
    return this.#control(key, options, (oss, ctx) => {
      const { bucket } = this.client;
      const headers = { ...sent.headers };
      const request = {
        method: 'POST',
        bucket,
        object: key,
        subres,
        query,
        mime: NO_MIME,
        successStatuses: [200],
        ctx,
      };
      return oss.request({ ...request, headers, content: sent.content });
    });
  }

  async abortUpload({ key, uploadId }: UploadRef, options: CallOptions = {}): Promise<void> {
    checkKey(key);
    try {
      await this.#control(key, options, (oss, ctx) => oss.abortMultipartUpload(key, uploadId, { ctx }));
    } catch (error) {
      if (!isXsyncError(error, 'upload-not-found')) throw error;
    }
  }

  async listUploads(options: CallOptions & { prefix?: string; token?: string }): Promise<UploadPage> {
    return readUploads(await this.#ofBucket({ uploads: '' }, uploadsQuery(options), options));
  }

  async getTags(key: string, options: HeadOptions = {}): Promise<Tags> {
    return readTags((await this.#about('GET', key, 'tagging', options)).body);
  }

  async putTags(key: string, tags: Tags, options: HeadOptions = {}): Promise<void> {
    if (tags.length === 0) await this.#about('DELETE', key, 'tagging', options);
    else await this.#about('PUT', key, 'tagging', options, taggingRequest(tags));
  }

  async getAcl(key: string, options: HeadOptions = {}): Promise<string> {
    return readAcl((await this.#about('GET', key, 'acl', options)).body);
  }

  async putAcl(key: string, acl: string, options: HeadOptions = {}): Promise<void> {
    await this.#about('PUT', key, 'acl', options, { headers: { 'x-oss-object-acl': acl } });
  }

  async putLock(key: string, lock: ObjectLock, options: HeadOptions = {}): Promise<void> {
    const { name, ...document } = lockRequest(lock);
    await this.#about('PUT', key, name, options, document);
  }

  async getLink(key: string, options: HeadOptions = {}): Promise<Link> {
    return readLink(key, (await this.#about('GET', key, 'symlink', options)).headers);
  }

  async putLink(key: string, target: string, options: LinkOptions = {}): Promise<{ versionId?: string }> {
    const headers = linkHeaders(key, target, options);
    const answer = await this.#about('PUT', key, 'symlink', options, { headers });
    return { versionId: answer.headers['x-oss-version-id'] };
  }

  /** A request for a sub-resource of an object. */
  async #about(
    method: string,
    key: string,
    name: string,
    { versionId, ...options }: HeadOptions,
    { headers, body }: { headers?: Headers; body?: string } = {},
  ): Promise<SdkAnswer> {
    checkKey(key);
    const { bucket } = this.client;
    const subres = { [name]: '', ...(versionId !== undefined && { versionId }) };
    const content = body === undefined ? undefined : Buffer.from(body);
    const { answer } = await this.#control(key, options, (oss, ctx) => {
      const request = { method, bucket, object: key, subres, mime: NO_MIME, successStatuses: [200, 204], ctx };
      return oss.request({ ...request, headers: { ...headers }, content });
    });
    return answer;
  }

  async delete(keys: readonly string[], options: CallOptions = {}): Promise<DeleteFailure[]> {
    checkBatch(keys);
    const { batch, single, refused } = planDelete(keys);
    for (const key of single) await this.#control(key, options, (oss, ctx) => oss.delete(key, { ctx }));
    if (batch.length === 0) return refused;
    const { bucket } = this.client;
    const content = Buffer.from(deleteRequest(batch).body);
    const subres = { delete: '' };
    const query = { 'encoding-type': 'url' };
    const { answer } = await this.#control(undefined, options, (oss, ctx) =>
      oss.request({ method: 'POST', bucket, subres, query, content, successStatuses: [200], ctx }),
    );
    return [...refused, ...readDeleted(answer.body, batch, this.client.subject())];
  }

  async close(): Promise<void> {
    this.client.close();
  }

  #control<T>(key: string | undefined, options: CallOptions, run: SdkRun<T>) {
    return this.#call(this.client.settings.endpoints.control, key, options, run);
  }

  #data<T>(key: string, options: CallOptions, run: SdkRun<T>) {
    return this.#call(this.client.settings.endpoints.data, key, options, run);
  }

  #call<T>(
    origin: string,
    key: string | undefined,
    options: CallOptions,
    run: SdkRun<T>,
  ): Promise<{ value: T; answer: SdkAnswer }> {
    return this.client.call(origin, this.client.subject(key), options, run);
  }
}
