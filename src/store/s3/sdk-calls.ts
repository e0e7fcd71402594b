/** The requests of S3 through the AWS SDK. Tests: test/store/s3-sdk/store.test.ts */
import type { GetObjectCommandOutput, ObjectCannedACL } from '@aws-sdk/client-s3';
import type { ObjectLock, Tags } from '../../model/attributes.js';
import { readVersioning } from '../http/versions.js';
import type * as port from '../port.js';
import type { Addresses } from './address.js';
import { readAcl } from './aspects.js';
import type * as calls from './calls.js';
import type { Condition } from './conditions.js';
import type { S3Config } from './config.js';
import { encodeKey } from './encode.js';
import { readPage } from './listing.js';
import type { S3Preset } from './presets.js';
import { restoreInput } from './restoring.js';
import { readDeleteFailures, readDescribed } from './sdk-answers.js';
import type { SdkCall } from './sdk-call.js';
import type { Editable, SdkClient } from './sdk-client.js';
import type { Sdk } from './sdk-load.js';
import {
  attributesOf,
  bodyOf,
  conditionOf,
  quote,
  sourceOf,
  withHeaders,
  withMd5,
  withoutBody,
  withoutChecksum,
} from './sdk-requests.js';
import { SdkUploads } from './sdk-uploads.js';
import { readVersions } from './versions.js';

export class SdkCalls implements calls.S3Calls {
  readonly #client: SdkClient;
  readonly #uploads: SdkUploads;
  readonly #bucket: string;
  readonly #preset: S3Preset;
  readonly #config: S3Config;

  constructor(client: SdkClient, bucket: string, preset: S3Preset, config: S3Config) {
    this.#client = client;
    this.#bucket = bucket;
    this.#preset = preset;
    this.#config = config;
    this.#uploads = new SdkUploads(client, bucket, preset, config);
  }

  get addresses(): Addresses {
    return this.#client.addresses;
  }

  async createBucket(named: boolean, { signal, onRequest }: port.CallOptions): Promise<void> {
    const input = { Bucket: this.#bucket };
    const edit = named ? undefined : withoutBody;
    await this.#client.send({ signal, onRequest, edit, command: (sdk) => new sdk.CreateBucketCommand(input) });
  }

  async deleteBucket({ signal, onRequest }: port.CallOptions): Promise<void> {
    const input = { Bucket: this.#bucket };
    await this.#client.send({ signal, onRequest, command: (sdk) => new sdk.DeleteBucketCommand(input) });
  }

  async list(request: calls.ListRequest): Promise<calls.ListedPage> {
    const { version, prefix, delimiter, maxKeys, token, after, encoded, signal, onRequest } = request;
    const common = {
      Bucket: this.#bucket,
      EncodingType: encoded ? ('url' as const) : undefined,
      MaxKeys: maxKeys,
      Prefix: prefix,
      Delimiter: delimiter,
      OptionalObjectAttributes: this.#preset.listsRestores ? ['RestoreStatus' as const] : undefined,
    };
    if (version === 1) {
      const input = { ...common, Marker: after };
      const command = (sdk: Sdk) => new sdk.ListObjectsCommand(input);
      return readPage((await this.#client.send({ signal, onRequest, raw: true, command })).answer.body);
    }
    const input = { ...common, StartAfter: after, ContinuationToken: token };
    const command = (sdk: Sdk) => new sdk.ListObjectsV2Command(input);
    return readPage((await this.#client.send({ signal, onRequest, raw: true, command })).answer.body);
  }

  async listVersions(request: calls.VersionsRequest): Promise<calls.ListedVersions> {
    const { prefix, maxKeys, after, encoded, signal, onRequest } = request;
    const input = {
      Bucket: this.#bucket,
      EncodingType: encoded ? ('url' as const) : undefined,
      MaxKeys: maxKeys,
      Prefix: prefix,
      KeyMarker: after?.key,
      VersionIdMarker: after?.versionId,
    };
    const command = (sdk: Sdk) => new sdk.ListObjectVersionsCommand(input);
    return readVersions((await this.#client.send({ signal, onRequest, raw: true, command })).answer.body);
  }

  async versioning({ signal, onRequest }: port.CallOptions): Promise<port.Versioning> {
    const command = (sdk: Sdk) => new sdk.GetBucketVersioningCommand({ Bucket: this.#bucket });
    return readVersioning((await this.#client.send({ signal, onRequest, raw: true, command })).answer.body);
  }

  async head(key: string, request: calls.ReadRequest): Promise<calls.Answer> {
    const { versionId, ifMatch, partNumber, signal, onRequest } = request;
    const input = { ...this.#object(key), VersionId: versionId, IfMatch: quote(ifMatch), PartNumber: partNumber };
    const command = (sdk: Sdk) => new sdk.HeadObjectCommand(input);
    return (await this.#client.send({ key, signal, onRequest, edit: this.#reads(request), command })).answer;
  }

  async restore(key: string, options: port.RestoreOptions): Promise<calls.Answer> {
    const { versionId, signal, onRequest } = options;
    const input = { ...this.#object(key), VersionId: versionId, RestoreRequest: restoreInput(options) };
    const command = (sdk: Sdk) => new sdk.RestoreObjectCommand(input);
    return (await this.#client.send({ key, signal, onRequest, command })).answer;
  }

  async get(key: string, target: Uint8Array, request: calls.GetRequest): Promise<calls.GetAnswer> {
    const { offset, ranged, versionId, ifMatch, signal, onRequest, pace } = request;
    const Range = ranged ? `bytes=${offset}-${offset + target.byteLength - 1}` : undefined;
    const input = { ...this.#object(key), VersionId: versionId, IfMatch: quote(ifMatch), Range };
    const { answer, received } = await this.#client.send({
      key,
      signal,
      onRequest,
      data: true,
      edit: this.#reads(request),
      command: (sdk: Sdk) => new sdk.GetObjectCommand(input),
      receive: ({ Body }: GetObjectCommandOutput, call: SdkCall) =>
        call.download(target, Body as AsyncIterable<Uint8Array> & typeof Body, pace, offset),
    });
    return { ...answer, received: received?.bytes ?? 0, cut: received?.cut === true };
  }

  async put(key: string, body: Uint8Array, options: port.PutOptions, condition: Condition): Promise<calls.Answer> {
    const { signal, onRequest, pace } = options;
    const attributes = { ...attributesOf(key, options, this.#preset, this.#config), ...conditionOf(condition) };
    const input = { ...this.#object(key), ...attributes, ...bodyOf(body, options.contentMd5) };
    const command = (sdk: Sdk, call: SdkCall) => new sdk.PutObjectCommand({ ...input, Body: call.upload(body, pace) });
    const edit = withHeaders(options.headers, this.#config.customerKey?.own);
    return (await this.#client.send({ key, signal, onRequest, data: true, edit, command })).answer;
  }

  async copy(
    source: port.ObjectStore,
    sourceKey: string,
    key: string,
    { replace, ...options }: calls.CopyRequest & { replace: boolean },
  ): Promise<calls.Written> {
    const MetadataDirective = replace ? ('REPLACE' as const) : undefined;
    const TaggingDirective = options.tags ? ('REPLACE' as const) : undefined;
    const attributes = {
      ...attributesOf(key, options, this.#preset, this.#config),
      ...{ MetadataDirective, TaggingDirective },
    };
    const input = { ...this.#object(key), ...attributes, ...sourceOf(source, sourceKey, options) };
    const command = (sdk: Sdk) => new sdk.CopyObjectCommand(input);
    const edit = withHeaders(options.headers, { ...this.#config.customerKey?.own, ...options.opens?.source });
    const request = {
      key,
      signal: options.signal,
      onRequest: options.onRequest,
      edit,
      command,
      root: 'CopyObjectResult',
    };
    const { output, answer } = await this.#client.send(request);
    return readDescribed(output.CopyObjectResult, answer);
  }

  createUpload(...args: Parameters<calls.S3Calls['createUpload']>): Promise<port.UploadRef> {
    return this.#uploads.create(...args);
  }

  uploadPart(...args: Parameters<calls.S3Calls['uploadPart']>): Promise<calls.Answer> {
    return this.#uploads.part(...args);
  }

  uploadPartCopy(...args: Parameters<calls.S3Calls['uploadPartCopy']>): Promise<calls.Written> {
    return this.#uploads.partCopy(...args);
  }

  listParts(...args: Parameters<calls.S3Calls['listParts']>): Promise<calls.ListedParts> {
    return this.#uploads.parts(...args);
  }

  complete(...args: Parameters<calls.S3Calls['complete']>): Promise<calls.Written> {
    return this.#uploads.complete(...args);
  }

  abort(...args: Parameters<calls.S3Calls['abort']>): Promise<void> {
    return this.#uploads.abort(...args);
  }

  listUploads(...args: Parameters<calls.S3Calls['listUploads']>): Promise<calls.ListedUploads> {
    return this.#uploads.list(...args);
  }

  async getTags(key: string, { versionId, signal, onRequest }: port.HeadOptions): Promise<Tags> {
    const input = { ...this.#object(key), VersionId: versionId };
    const command = (sdk: Sdk) => new sdk.GetObjectTaggingCommand(input);
    // From Ceph, if the object has no tags.
    const call = { root: 'Tagging', mayBeEmpty: true } as const;
    const { output } = await this.#client.send({ key, signal, onRequest, command, ...call });
    return (output.TagSet ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }));
  }

  async putTags(key: string, tags: Tags, { versionId, signal, onRequest }: port.HeadOptions): Promise<void> {
    const object = { ...this.#object(key), VersionId: versionId };
    if (tags.length === 0) {
      const command = (sdk: Sdk) => new sdk.DeleteObjectTaggingCommand(object);
      await this.#client.send({ key, signal, onRequest, command });
      return;
    }
    const input = { ...object, Tagging: { TagSet: tags.map(({ key, value }) => ({ Key: key, Value: value })) } };
    const command = (sdk: Sdk) => new sdk.PutObjectTaggingCommand(input);
    await this.#client.send({ key, signal, onRequest, edit: withMd5, command });
  }

  async getAcl(key: string, { versionId, signal, onRequest }: port.HeadOptions): Promise<string> {
    const input = { ...this.#object(key), VersionId: versionId };
    const command = (sdk: Sdk) => new sdk.GetObjectAclCommand(input);
    return readAcl((await this.#client.send({ key, signal, onRequest, raw: true, command })).answer.body);
  }

  async putAcl(key: string, acl: string, { versionId, signal, onRequest }: port.HeadOptions): Promise<void> {
    const input = { ...this.#object(key), VersionId: versionId, ACL: acl as ObjectCannedACL };
    const command = (sdk: Sdk) => new sdk.PutObjectAclCommand(input);
    await this.#client.send({ key, signal, onRequest, edit: withoutChecksum, command });
  }

  async putLock(key: string, lock: ObjectLock, { versionId, signal, onRequest }: port.HeadOptions): Promise<void> {
    const object = { ...this.#object(key), VersionId: versionId };
    const { mode: Mode, untilMs = 0 } = lock;
    const to = { key, signal, onRequest, edit: withMd5 };
    if (Mode === undefined) {
      const input = { ...object, LegalHold: { Status: 'ON' as const } };
      await this.#client.send({ ...to, command: (sdk: Sdk) => new sdk.PutObjectLegalHoldCommand(input) });
    } else {
      const input = { ...object, Retention: { Mode, RetainUntilDate: new Date(untilMs) } };
      await this.#client.send({ ...to, command: (sdk: Sdk) => new sdk.PutObjectRetentionCommand(input) });
    }
  }

  async deleteMany(
    keys: readonly string[],
    { versions, signal, onRequest }: port.DeleteCallOptions,
  ): Promise<port.DeleteFailure[]> {
    const input = {
      Bucket: this.#bucket,
      Delete: { Objects: keys.map((Key) => ({ Key, ETag: quote(versions?.get(Key)) })), Quiet: true },
    };
    const command = (sdk: Sdk) => new sdk.DeleteObjectsCommand(input);
    const { output } = await this.#client.send({ signal, onRequest, edit: withMd5, command, root: 'DeleteResult' });
    return readDeleteFailures(output);
  }

  async deleteOne(
    key: string,
    { versions, versionId, signal, onRequest }: port.DeleteCallOptions & { versionId?: string },
  ): Promise<calls.Answer> {
    const input = { ...this.#object(key), VersionId: versionId, IfMatch: quote(versions?.get(key)) };
    const command = (sdk: Sdk) => new sdk.DeleteObjectCommand(input);
    return (await this.#client.send({ key, signal, onRequest, command })).answer;
  }

  /** Asks for checksums by the header, because the SDK's setting would also compute a checksum of every body. */
  #reads({ gzip, unsealed }: calls.ReadRequest) {
    return ({ headers }: Editable): void => {
      if (!unsealed) Object.assign(headers, this.#config.customerKey?.own);
      if (this.#preset.checksumMode) headers['x-amz-checksum-mode'] = 'ENABLED';
      if (gzip) headers['accept-encoding'] = 'gzip';
    };
  }

  /** @throws key-not-representable */
  #object(key: string): { Bucket: string; Key: string } {
    encodeKey(key, this.#preset.nul);
    return { Bucket: this.#bucket, Key: key };
  }
}
