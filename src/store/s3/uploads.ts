/** Multipart uploads over the lean transport. Tests: test/store/s3/contract.test.ts */
import { bareEtag } from '../../model/etag.js';
import { readXml } from '../http/xml.js';
import type { CallOptions, ObjectStore, PartOptions, PieceSource, UploadRef } from '../port.js';
import type { Answer, CopyRequest, ListedParts, ListedUploads, S3Calls, Written } from './calls.js';
import { type Condition, conditionHeaders } from './conditions.js';
import { copySource, readCopy, withChecksums } from './copying.js';
import { escapeXml } from './encode.js';
import { md5Header } from './headers.js';
import { readParts, readUploads, required } from './listing.js';
import type { Wire } from './wire.js';

export class Uploads {
  readonly #wire: Wire;
  /** The customer's key, which each part has, too. */
  readonly #sealing: Readonly<Record<string, string>>;

  constructor(wire: Wire, sealing: Readonly<Record<string, string>> = {}) {
    this.#wire = wire;
    this.#sealing = sealing;
  }

  async create(key: string, headers: Record<string, string>, options: CallOptions): Promise<UploadRef> {
    const { signal, onRequest } = options;
    const { body } = await this.#wire.send({
      method: 'POST',
      key,
      parameters: { uploads: '' },
      headers,
      signal,
      onRequest,
    });
    const shape = { root: 'InitiateMultipartUploadResult', fields: ['UploadId'], lists: {} } as const;
    return { key, uploadId: required(readXml(body, shape).fields.UploadId, 'UploadId') };
  }

  async part(
    { key, uploadId }: UploadRef,
    partNumber: number,
    body: Uint8Array | PieceSource,
    { signal, onRequest, pace, contentMd5 }: PartOptions,
  ): Promise<Answer> {
    const parameters = { partNumber, uploadId };
    const headers = { ...md5Header(contentMd5), ...this.#sealing };
    return this.#wire.send({ method: 'PUT', key, parameters, headers, body, signal, onRequest, pace, data: true });
  }

  async partCopy(
    { key, uploadId }: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: CopyRequest,
  ): Promise<Written> {
    const answer = await this.#wire.send({
      method: 'PUT',
      key,
      parameters: { partNumber, uploadId },
      headers: {
        ...this.#sealing,
        ...copySource(source.identity.bucket, sourceKey, options),
        'x-amz-copy-source-range': `bytes=${range.offset}-${range.offset + range.size - 1}`,
      },
      signal: options.signal,
      onRequest: options.onRequest,
      lateError: true,
    });
    return readCopy('CopyPartResult', answer.body, answer.headers);
  }

  async parts({ key, uploadId }: UploadRef, after: number, { signal, onRequest }: CallOptions): Promise<ListedParts> {
    const parameters = { uploadId, 'max-parts': 1000, 'part-number-marker': after || undefined };
    return readParts((await this.#wire.send({ method: 'GET', key, parameters, signal, onRequest })).body);
  }

  async complete(
    { key, uploadId }: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    { signal, onRequest }: CallOptions,
    condition: Condition,
  ): Promise<Written> {
    const list = parts.map(
      ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>"${escapeXml(etag)}"</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list.join('')}</CompleteMultipartUpload>`;
    const headers = { 'content-type': 'application/xml', ...conditionHeaders(condition) };
    const call = {
      method: 'POST',
      key,
      parameters: { uploadId },
      headers,
      body,
      signal,
      onRequest,
      lateError: true,
    } as const;
    const answer = await this.#wire.send(call);
    const { headers: told } = answer;
    if (answer.body.length === 0) return { headers: told };
    const fields = ['ETag', 'ChecksumCRC64NVME', 'ChecksumType'] as const;
    const result = readXml(answer.body, { root: 'CompleteMultipartUploadResult', fields, lists: {} }).fields;
    const etag = result.ETag ? bareEtag(result.ETag) : undefined;
    return { etag, headers: withChecksums(told, result) };
  }

  async abort({ key, uploadId }: UploadRef, { signal, onRequest }: CallOptions): Promise<void> {
    await this.#wire.send({ method: 'DELETE', key, parameters: { uploadId }, signal, onRequest });
  }

  async list({
    prefix,
    after,
    encoded,
    signal,
    onRequest,
  }: Parameters<S3Calls['listUploads']>[0]): Promise<ListedUploads> {
    const parameters = {
      uploads: '',
      prefix,
      'encoding-type': encoded ? 'url' : undefined,
      'max-uploads': 1000,
      'key-marker': after?.key,
      'upload-id-marker': after?.id,
    };
    return readUploads((await this.#wire.send({ method: 'GET', parameters, signal, onRequest })).body);
  }
}
