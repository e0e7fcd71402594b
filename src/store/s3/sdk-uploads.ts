/** Multipart uploads through the SDK. Tests: test/store/s3-sdk/contract.test.ts */
import type { CallOptions, ObjectStore, PartOptions, UploadOptions, UploadRef } from '../port.js';
import type { Answer, CopyRequest, ListedParts, ListedUploads, S3Calls, Written } from './calls.js';
import type { Condition } from './conditions.js';
import type { S3Config } from './config.js';
import { encodeKey } from './encode.js';
import { readParts, readUploads, required } from './listing.js';
import type { S3Preset } from './presets.js';
import { readDescribed } from './sdk-answers.js';
import type { SdkCall } from './sdk-call.js';
import type { SdkClient } from './sdk-client.js';
import type { Sdk } from './sdk-load.js';
import { attributesOf, bodyOf, conditionOf, quote, sourceOf, withHeaders } from './sdk-requests.js';

export class SdkUploads {
  readonly #client: SdkClient;
  readonly #bucket: string;
  readonly #preset: S3Preset;
  readonly #config: S3Config;

  constructor(client: SdkClient, bucket: string, preset: S3Preset, config: S3Config) {
    this.#client = client;
    this.#bucket = bucket;
    this.#preset = preset;
    this.#config = config;
  }

  async create(key: string, options: UploadOptions = {}): Promise<UploadRef> {
    encodeKey(key, this.#preset.nul);
    const input = { Bucket: this.#bucket, Key: key, ...attributesOf(key, options, this.#preset, this.#config) };
    const command = (sdk: Sdk) => new sdk.CreateMultipartUploadCommand(input);
    const edit = withHeaders(options.headers, this.#config.customerKey?.own);
    const { output } = await this.#client.send({
      key,
      signal: options.signal,
      onRequest: options.onRequest,
      edit,
      command,
    });
    return { key, uploadId: required(output.UploadId, 'UploadId') };
  }

  async part(upload: UploadRef, partNumber: number, body: Uint8Array, options: PartOptions): Promise<Answer> {
    const { signal, onRequest, pace } = options;
    const input = { ...this.#upload(upload), PartNumber: partNumber, ...bodyOf(body, options.contentMd5) };
    const command = (sdk: Sdk, call: SdkCall) => new sdk.UploadPartCommand({ ...input, Body: call.upload(body, pace) });
    const edit = withHeaders(undefined, this.#config.customerKey?.own);
    const request = { key: upload.key, signal, onRequest, upload: true, data: true, edit, command };
    return (await this.#client.send(request)).answer;
  }

  async partCopy(
    upload: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: CopyRequest,
  ): Promise<Written> {
    const CopySourceRange = `bytes=${range.offset}-${range.offset + range.size - 1}`;
    const from = { ...sourceOf(source, sourceKey, options), CopySourceRange };
    const input = { ...this.#upload(upload), PartNumber: partNumber, ...from };
    const command = (sdk: Sdk) => new sdk.UploadPartCopyCommand(input);
    const { output, answer } = await this.#client.send({
      key: upload.key,
      signal: options.signal,
      onRequest: options.onRequest,
      command,
      edit: withHeaders(undefined, { ...this.#config.customerKey?.own, ...options.opens?.source }),
      root: 'CopyPartResult',
    });
    return readDescribed(output.CopyPartResult, answer);
  }

  async parts(upload: UploadRef, after: number, { signal, onRequest }: CallOptions): Promise<ListedParts> {
    const marker = after === 0 ? undefined : String(after);
    const input = { ...this.#upload(upload), MaxParts: 1000, PartNumberMarker: marker };
    const command = (sdk: Sdk) => new sdk.ListPartsCommand(input);
    const request = { key: upload.key, signal, onRequest, upload: true, raw: true, command };
    return readParts((await this.#client.send(request)).answer.body);
  }

  async complete(
    upload: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    { signal, onRequest }: CallOptions,
    condition: Condition,
  ): Promise<Written> {
    const Parts = parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: quote(etag) }));
    const input = { ...this.#upload(upload), ...conditionOf(condition), MultipartUpload: { Parts } };
    const command = (sdk: Sdk) => new sdk.CompleteMultipartUploadCommand(input);
    const { output, answer } = await this.#client.send({ key: upload.key, signal, onRequest, upload: true, command });
    return readDescribed(output, answer);
  }

  async abort(upload: UploadRef, { signal, onRequest }: CallOptions): Promise<void> {
    const input = this.#upload(upload);
    const command = (sdk: Sdk) => new sdk.AbortMultipartUploadCommand(input);
    await this.#client.send({ key: upload.key, signal, onRequest, upload: true, command });
  }

  async list({
    prefix,
    after,
    encoded,
    signal,
    onRequest,
  }: Parameters<S3Calls['listUploads']>[0]): Promise<ListedUploads> {
    const input = {
      Bucket: this.#bucket,
      EncodingType: encoded ? ('url' as const) : undefined,
      MaxUploads: 1000,
      Prefix: prefix,
      KeyMarker: after?.key,
      UploadIdMarker: after?.id,
    };
    const command = (sdk: Sdk) => new sdk.ListMultipartUploadsCommand(input);
    return readUploads((await this.#client.send({ signal, onRequest, raw: true, command })).answer.body);
  }

  #upload({ key, uploadId }: UploadRef): { Bucket: string; Key: string; UploadId: string } {
    encodeKey(key, this.#preset.nul);
    return { Bucket: this.#bucket, Key: key, UploadId: uploadId };
  }
}
