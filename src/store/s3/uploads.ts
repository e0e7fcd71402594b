/** Multipart uploads of the lean store. */
import { isXsyncError } from '../../model/error.js';
import { PageGuard } from '../../model/paging.js';
import { readXml } from '../http/xml.js';
import type {
  CallOptions,
  CopyOptions,
  ObjectStore,
  PartEntry,
  PartOptions,
  PartResult,
  UploadPage,
  UploadRef,
  WriteResult,
} from '../port.js';
import { type S3Preset, writtenEtagIsMd5 } from './config.js';
import { bodyChecksums, copySource, readCopy } from './copying.js';
import { escapeXml } from './encode.js';
import { checksumsIn, md5Header, unquote } from './headers.js';
import { readParts, readUploads, required, uploadMarkers } from './listing.js';
import type { Wire } from './wire.js';

export class Uploads {
  readonly #wire: Wire;
  readonly #preset: S3Preset;

  constructor(wire: Wire, preset: S3Preset) {
    this.#wire = wire;
    this.#preset = preset;
  }

  async create(key: string, headers: Record<string, string>, options: CallOptions): Promise<UploadRef> {
    const { signal } = options;
    const { body } = await this.#wire.send({ method: 'POST', key, parameters: { uploads: '' }, headers, signal });
    const shape = { root: 'InitiateMultipartUploadResult', fields: ['UploadId'], lists: {} } as const;
    return { key, uploadId: required(readXml(body, shape).fields.UploadId, 'UploadId') };
  }

  async part(
    { key, uploadId }: UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: PartOptions,
  ): Promise<PartResult> {
    const { signal, pace } = options;
    const { headers } = await this.#wire.send({
      method: 'PUT',
      key,
      parameters: { partNumber, uploadId },
      headers: md5Header(options.contentMd5),
      body,
      signal,
      pace,
      data: true,
    });
    const etag = unquote(required(headers.etag, 'ETag'));
    return { etag, checksums: checksumsIn(headers, etag, writtenEtagIsMd5(this.#preset)) };
  }

  async partCopy(
    { key, uploadId }: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: CopyOptions,
  ): Promise<PartResult> {
    const answer = await this.#wire.send({
      method: 'PUT',
      key,
      parameters: { partNumber, uploadId },
      headers: {
        ...copySource(source.identity.bucket, sourceKey, options),
        'x-amz-copy-source-range': `bytes=${range.offset}-${range.offset + range.size - 1}`,
      },
      signal: options.signal,
      lateError: true,
    });
    const { etag, checksums } = readCopy('CopyPartResult', answer.body, answer.headers, writtenEtagIsMd5(this.#preset));
    return { etag, checksums };
  }

  async parts({ key, uploadId }: UploadRef, { signal }: CallOptions): Promise<PartEntry[]> {
    const all: PartEntry[] = [];
    const guard = new PageGuard(`the parts of ${key}`);
    for (let marker: string | undefined; ; ) {
      const parameters = { uploadId, 'max-parts': 1000, 'part-number-marker': marker };
      const page = readParts((await this.#wire.send({ method: 'GET', key, parameters, signal })).body);
      all.push(...page.parts);
      marker = page.nextToken;
      guard.follow({ first: page.parts[0]?.partNumber, last: page.parts.at(-1)?.partNumber, token: marker });
      if (marker === undefined) return all;
    }
  }

  async complete(
    { key, uploadId }: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    { signal }: CallOptions,
    condition: Record<string, string>,
  ): Promise<WriteResult> {
    const list = parts.map(
      ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>"${escapeXml(etag)}"</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list.join('')}</CompleteMultipartUpload>`;
    const headers = { 'content-type': 'application/xml', ...condition };
    const call = { method: 'POST', key, parameters: { uploadId }, headers, body, signal, lateError: true } as const;
    const answer = await this.#wire.send(call).catch(async (error: unknown) => {
      // RGW also returns this for an upload that no longer exists. Listing its parts shows which case it is.
      if (isXsyncError(error, 'server-error') && /already in progress/.test(error.message)) {
        await this.parts({ key, uploadId }, { signal });
      }
      throw error;
    });
    const fields = ['ETag', 'ChecksumCRC64NVME', 'ChecksumType'] as const;
    const result = readXml(answer.body, { root: 'CompleteMultipartUploadResult', fields, lists: {} }).fields;
    const etag = unquote(required(result.ETag, 'ETag'));
    const checksums = bodyChecksums(result, answer.headers, etag, this.#preset.etagIsMd5);
    return { etag, checksums, versionId: answer.headers['x-amz-version-id'] };
  }

  async abort({ key, uploadId }: UploadRef, { signal }: CallOptions): Promise<void> {
    try {
      await this.#wire.send({ method: 'DELETE', key, parameters: { uploadId }, signal });
    } catch (error) {
      if (!isXsyncError(error, 'upload-not-found')) throw error;
    }
  }

  async list({ prefix, token, signal }: CallOptions & { prefix?: string; token?: string }): Promise<UploadPage> {
    const encoding = this.#preset.encodesUploads ? 'url' : undefined;
    const parameters = { uploads: '', prefix, 'encoding-type': encoding, 'max-uploads': 1000, ...uploadMarkers(token) };
    return readUploads((await this.#wire.send({ method: 'GET', parameters, signal })).body);
  }
}
