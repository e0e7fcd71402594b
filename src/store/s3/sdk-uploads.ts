/** Multipart uploads through the SDK. */
import { isXsyncError } from '../../model/error.js';
import type {
  CallOptions,
  CopyOptions,
  ObjectStore,
  PartEntry,
  PartOptions,
  PartResult,
  PutOptions,
  UploadPage,
  UploadRef,
  WriteResult,
} from '../port.js';
import { encodeKey } from './encode.js';
import { required, uploadMarkers } from './listing.js';
import type { S3Preset } from './presets.js';
import { readDescribed, readParts, readUploads, readWritten } from './sdk-answers.js';
import type { SdkCall } from './sdk-call.js';
import type { SdkClient } from './sdk-client.js';
import type { Sdk } from './sdk-load.js';
import { attributesOf, bodyOf, quote, sourceOf, withHeaders } from './sdk-requests.js';

export class SdkUploads {
  readonly #client: SdkClient;
  readonly #bucket: string;
  readonly #preset: S3Preset;

  constructor(client: SdkClient, bucket: string, preset: S3Preset) {
    this.#client = client;
    this.#bucket = bucket;
    this.#preset = preset;
  }

  async create(key: string, options: Omit<PutOptions, 'contentMd5' | 'pace'> = {}): Promise<UploadRef> {
    encodeKey(key, this.#preset.nul);
    const input = { Bucket: this.#bucket, Key: key, ...attributesOf(options, this.#preset) };
    const command = (sdk: Sdk) => new sdk.CreateMultipartUploadCommand(input);
    const edit = withHeaders(options.headers);
    const { output } = await this.#client.send({ key, signal: options.signal, edit, command });
    return { key, uploadId: required(output.UploadId, 'UploadId') };
  }

  async part(upload: UploadRef, partNumber: number, body: Uint8Array, options: PartOptions = {}): Promise<PartResult> {
    const { signal, pace } = options;
    const input = { ...this.#upload(upload), PartNumber: partNumber, ...bodyOf(body, options.contentMd5) };
    const command = (sdk: Sdk, call: SdkCall) => new sdk.UploadPartCommand({ ...input, Body: call.upload(body, pace) });
    const edit = withHeaders(undefined);
    const request = { key: upload.key, signal, upload: true, data: true, edit, command };
    const { etag, checksums } = readWritten((await this.#client.send(request)).answer);
    return { etag, checksums };
  }

  async partCopy(
    upload: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: CopyOptions = {},
  ): Promise<PartResult> {
    const CopySourceRange = `bytes=${range.offset}-${range.offset + range.size - 1}`;
    const from = { ...sourceOf(source, sourceKey, options), CopySourceRange };
    const input = { ...this.#upload(upload), PartNumber: partNumber, ...from };
    const command = (sdk: Sdk) => new sdk.UploadPartCopyCommand(input);
    const { output, answer } = await this.#client.send({ key: upload.key, signal: options.signal, command });
    const { etag, checksums } = readDescribed(output.CopyPartResult, answer);
    return { etag, checksums };
  }

  async parts(upload: UploadRef, { signal }: CallOptions = {}): Promise<PartEntry[]> {
    const all: PartEntry[] = [];
    for (let marker: string | undefined; ; ) {
      const input = { ...this.#upload(upload), MaxParts: 1000, PartNumberMarker: marker };
      const command = (sdk: Sdk) => new sdk.ListPartsCommand(input);
      const page = readParts((await this.#client.send({ key: upload.key, signal, upload: true, command })).output);
      all.push(...page.parts);
      marker = page.nextToken;
      if (marker === undefined) return all;
    }
  }

  async complete(
    upload: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    { signal }: CallOptions = {},
  ): Promise<WriteResult> {
    const Parts = parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: quote(etag) }));
    const input = { ...this.#upload(upload), MultipartUpload: { Parts } };
    const command = (sdk: Sdk) => new sdk.CompleteMultipartUploadCommand(input);
    const sent = this.#client.send({ key: upload.key, signal, upload: true, command });
    const { output, answer } = await sent.catch(async (error: unknown) => {
      // RGW also returns this for an upload that no longer exists. Listing its parts shows which case it is.
      if (isXsyncError(error, 'server-error') && /already in progress/.test(error.message)) {
        await this.parts(upload, { signal });
      }
      throw error;
    });
    return readDescribed(output, answer);
  }

  async abort(upload: UploadRef, { signal }: CallOptions = {}): Promise<void> {
    const input = this.#upload(upload);
    const command = (sdk: Sdk) => new sdk.AbortMultipartUploadCommand(input);
    try {
      await this.#client.send({ key: upload.key, signal, upload: true, command });
    } catch (error) {
      if (!isXsyncError(error, 'upload-not-found')) throw error;
    }
  }

  async list({ prefix, token, signal }: CallOptions & { prefix?: string; token?: string }): Promise<UploadPage> {
    const markers = uploadMarkers(token);
    const input = {
      Bucket: this.#bucket,
      EncodingType: this.#preset.quirks.includes('no-encoded-uploads') ? undefined : ('url' as const),
      MaxUploads: 1000,
      Prefix: prefix,
      KeyMarker: markers['key-marker'],
      UploadIdMarker: markers['upload-id-marker'],
    };
    const command = (sdk: Sdk) => new sdk.ListMultipartUploadsCommand(input);
    return readUploads((await this.#client.send({ signal, command })).output);
  }

  #upload({ key, uploadId }: UploadRef): { Bucket: string; Key: string; UploadId: string } {
    encodeKey(key, this.#preset.nul);
    return { Bucket: this.#bucket, Key: key, UploadId: uploadId };
  }
}
