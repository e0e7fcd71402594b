import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
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
import { type CredentialSource, chainEndpoint, chainRegion, credentialSource } from './credentials.js';
import { encodeKey, fitsXml, isKey } from './encode.js';
import { capabilitiesOf, firstPartSizeOf, infoOf, totalSize, unlessUnsupported } from './info.js';
import { required } from './listing.js';
import { presetOf, type S3Preset } from './presets.js';
import { readDeleteFailures, readDescribed, readPage, readWritten } from './sdk-answers.js';
import type { SdkCall } from './sdk-call.js';
import { type Editable, SdkClient, type SdkOptions } from './sdk-client.js';
import type { Sdk } from './sdk-load.js';
import { attributesOf, bodyOf, quote, sourceOf, withHeaders, withMd5, withoutBody } from './sdk-requests.js';
import { SdkUploads } from './sdk-uploads.js';

export interface S3SdkDeps extends Partial<SdkOptions> {
  /** Identifies the account when the keys come from the AWS chain; default: the process's environment. */
  env?: NodeJS.ProcessEnv;
  /** Overrides the config. */
  credentials?: CredentialSource;
}

/** Creates a store for one bucket; sends no request. `accelerate: auto` counts as off. @throws config: see `addressesOf` */
export function createS3SdkStore(config: S3Config, bucket: string, deps: S3SdkDeps = {}): S3SdkStore {
  return new S3SdkStore(config, bucket, deps);
}

/**
 * Like `createS3SdkStore`, but first looks up region and endpoint in the AWS chain when the config names none and uses
 * it. `accelerate: auto` is off, and `acceleration` says so.
 * @throws config: see `addressesOf`
 */
export async function openS3SdkStore(
  config: S3Config,
  bucket: string,
  deps: S3SdkDeps = {},
): Promise<{ store: S3SdkStore; acceleration?: string }> {
  const chain = config.access_key_id === undefined;
  const region = config.region ?? (chain ? await chainRegion(config.profile) : undefined);
  const store = createS3SdkStore({ ...config, endpoint: chainEndpoint(config), region }, bucket, deps);
  return config.accelerate === 'auto' ? { store, acceleration: 'off: not measured with the SDK' } : { store };
}

/**
 * A bucket through the AWS SDK: a reference for the lean store, slower and heavier. The SDK builds, signs and sends the
 * requests and parses the XML. Headers, metadata, checksums and errors are read as in the lean store, because the SDK
 * drops or changes some. sdk-client.ts lists the workarounds.
 *
 * Calls that send more than one request: as in the lean store.
 */
export class S3SdkStore implements ObjectStore {
  readonly identity: StoreIdentity;
  readonly capabilities: Capabilities;
  readonly #client: SdkClient;
  readonly #uploads: SdkUploads;
  readonly #bucket: string;
  readonly #preset: S3Preset;
  readonly #storageClass: string | undefined;

  constructor(config: S3Config, bucket: string, deps: S3SdkDeps) {
    const { connectTimeoutMs = 15_000, idleTimeoutMs = 60_000, env } = deps;
    const credentials = deps.credentials ?? credentialSource(config, env);
    this.#client = new SdkClient(config, bucket, credentials, { connectTimeoutMs, idleTimeoutMs });
    this.#bucket = bucket;
    this.#preset = presetOf(config);
    this.#uploads = new SdkUploads(this.#client, bucket, this.#preset);
    this.#storageClass = config.storage_class;
    const { endpoint } = this.#client.addresses;
    this.identity = { kind: 's3', endpoint, bucket, account: credentials.fingerprint };
    this.capabilities = capabilitiesOf(this.#preset);
  }

  checkKey(key: string): void {
    encodeKey(key, this.#preset.nul);
  }

  async checkBucket(options: CallOptions = {}): Promise<void> {
    await this.list({ ...options, maxKeys: 1 });
  }

  async createBucket({ signal }: CallOptions = {}): Promise<void> {
    const Bucket = this.#bucket;
    const edit = this.#preset.locationConstraint ? undefined : withoutBody;
    try {
      await this.#client.send({ signal, edit, command: (sdk) => new sdk.CreateBucketCommand({ Bucket }) });
    } catch (error) {
      if (!(isXsyncError(error) && error.serviceCode === 'BucketAlreadyOwnedByYou')) throw error;
    }
  }

  async list({ prefix, delimiter, startAfter, token, maxKeys, signal }: ListOptions): Promise<ListPage> {
    const input = {
      Bucket: this.#bucket,
      EncodingType: 'url',
      MaxKeys: maxKeys ?? 1000,
      Prefix: prefix || undefined,
      Delimiter: delimiter,
      StartAfter: token === undefined ? startAfter || undefined : undefined,
      ContinuationToken: token,
    } as const;
    const command = (sdk: Sdk) => new sdk.ListObjectsV2Command(input);
    return readPage((await this.#client.send({ signal, command })).output);
  }

  async head(key: string, options: HeadOptions = {}): Promise<ObjectInfo> {
    return this.#head(key, options);
  }

  async firstPartSize(
    key: string,
    { ifMatch, signal }: CallOptions & { ifMatch?: string } = {},
  ): Promise<number | undefined> {
    const input = { ...this.#object(key), IfMatch: quote(ifMatch), PartNumber: 1 };
    const command = (sdk: Sdk) => new sdk.HeadObjectCommand(input);
    const sent = this.#client.send({ key, signal, edit: this.#asksChecksums, command });
    return firstPartSizeOf((await unlessUnsupported(sent))?.answer);
  }

  async read(key: string, target: Uint8Array, options: ReadOptions = {}): Promise<ObjectInfo> {
    // A range of an empty object fails (416), and a range cannot be empty.
    if (target.byteLength === 0) return this.#head(key, options);
    const { offset = 0, versionId, ifMatch, signal, pace } = options;
    const Range = `bytes=${offset}-${offset + target.byteLength - 1}`;
    const input = { ...this.#object(key), VersionId: versionId, IfMatch: quote(ifMatch), Range };
    const { answer, received = 0 } = await this.#client.send({
      key,
      signal,
      data: true,
      edit: this.#asksChecksums,
      command: (sdk) => new sdk.GetObjectCommand(input),
      receive: ({ Body }, call) => call.download(target, Body as AsyncIterable<Uint8Array> & typeof Body, pace),
    });
    const size = totalSize({ ...answer, received }, offset);
    if (received < target.byteLength) {
      const message = `${key}: received ${received} of ${target.byteLength} bytes at offset ${offset} (size ${size})`;
      throw new XsyncError('truncated', message, { subject: key, status: answer.status });
    }
    return infoOf(key, size, answer.headers);
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<WriteResult> {
    const { signal, pace } = options;
    const input = { ...this.#object(key), ...this.#attributes(options), ...bodyOf(body, options.contentMd5) };
    const command = (sdk: Sdk, call: SdkCall) => new sdk.PutObjectCommand({ ...input, Body: call.upload(body, pace) });
    const edit = withHeaders(options.headers);
    return readWritten((await this.#client.send({ key, signal, data: true, edit, command })).answer);
  }

  async copy(source: ObjectStore, sourceKey: string, key: string, options: CopyOptions = {}): Promise<WriteResult> {
    await this.#readySource(source, sourceKey, options);
    const attributes = this.#attributes(options);
    const replaces = options.headers !== undefined || options.metadata !== undefined;
    if (!replaces && source === this && sourceKey === key && !options.versionId && !attributes.StorageClass) {
      // S3 refuses to copy an object onto itself without a change. The object already is the result.
      return this.#asWritten(key, options);
    }
    const MetadataDirective = replaces ? ('REPLACE' as const) : undefined;
    const input = { ...this.#object(key), ...attributes, ...sourceOf(source, sourceKey, options), MetadataDirective };
    const command = (sdk: Sdk) => new sdk.CopyObjectCommand(input);
    const edit = withHeaders(options.headers);
    const { output, answer } = await this.#client.send({ key, signal: options.signal, edit, command });
    return readDescribed(output.CopyObjectResult, answer);
  }

  copyableFrom(source: ObjectStore): boolean {
    const { kind, endpoint, account } = source.identity;
    return kind === 's3' && endpoint === this.identity.endpoint && account === this.identity.account;
  }

  async createUpload(key: string, options: Omit<PutOptions, 'contentMd5' | 'pace'> = {}): Promise<UploadRef> {
    return this.#uploads.create(key, this.#withClass(options));
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
    await this.#readySource(source, sourceKey, options);
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
    // Other keys are deleted one by one below, so that a bad key fails alone.
    const inBatch = (key: string) => isKey(key, this.#preset.nul) && fitsXml(key);
    const Objects = keys.filter(inBatch).map((Key) => ({ Key }));
    const failures: DeleteFailure[] = [];
    if (Objects.length > 0) {
      const input = { Bucket: this.#bucket, Delete: { Objects, Quiet: true } };
      const command = (sdk: Sdk) => new sdk.DeleteObjectsCommand(input);
      failures.push(...readDeleteFailures((await this.#client.send({ signal, edit: withMd5, command })).output));
    }
    for (const key of keys.filter((each) => !inBatch(each))) {
      try {
        const input = this.#object(key);
        await this.#client.send({ key, signal, command: (sdk) => new sdk.DeleteObjectCommand(input) });
      } catch (error) {
        if (isXsyncError(error, 'aborted')) throw error;
        if (!isXsyncError(error, 'object-not-found')) failures.push({ key, error: toXsyncError(error) });
      }
    }
    return failures;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async #head(key: string, { versionId, ifMatch, signal }: HeadOptions & { ifMatch?: string }): Promise<ObjectInfo> {
    const input = { ...this.#object(key), VersionId: versionId, IfMatch: quote(ifMatch) };
    const command = (sdk: Sdk) => new sdk.HeadObjectCommand(input);
    const { headers } = (await this.#client.send({ key, signal, edit: this.#asksChecksums, command })).answer;
    return infoOf(key, Number(required(headers['content-length'], 'Content-Length')), headers);
  }

  /** Sets the header itself, because the SDK's setting would also compute a checksum of every body. */
  readonly #asksChecksums = ({ headers }: Editable): void => {
    if (this.#preset.checksumMode) headers['x-amz-checksum-mode'] = 'ENABLED';
  };

  /** @throws key-not-representable */
  #object(key: string): { Bucket: string; Key: string } {
    encodeKey(key, this.#preset.nul);
    return { Bucket: this.#bucket, Key: key };
  }

  #attributes(options: PutOptions) {
    return attributesOf(this.#withClass(options), this.#preset);
  }

  #withClass<O extends PutOptions>(options: O): O {
    return { ...options, storageClass: options.storageClass ?? this.#storageClass };
  }

  /** @throws unsupported; precondition-failed: from the HEAD that replaces a condition which the provider ignores */
  async #readySource(source: ObjectStore, key: string, { ifMatch, versionId, signal }: CopyOptions): Promise<void> {
    if (!this.copyableFrom(source)) {
      throw new XsyncError(
        'unsupported',
        `${this.identity.endpoint} cannot copy from ${source.identity.bucket} server-side`,
      );
    }
    if (ifMatch === undefined || !this.#preset.quirks.includes('no-copy-if-match')) return;
    const { etag } = await source.head(key, { versionId, signal });
    if (etag === ifMatch) return;
    throw new XsyncError('precondition-failed', `${key}: the source has changed`, { subject: key });
  }

  async #asWritten(key: string, options: CopyOptions): Promise<WriteResult> {
    const { etag, checksums, versionId, mtimeMs } = await this.#head(key, options);
    return { etag, checksums, versionId, mtimeMs };
  }
}
