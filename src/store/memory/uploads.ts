/** The unfinished multipart uploads of a memory store. Tests: test/contract/stores.test.ts */
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { Capabilities, PartEntry, PutOptions, UploadPage, UploadRef } from '../port.js';

export interface Part {
  partNumber: number;
  etag: string;
  md5: string;
  crc64ecma?: string;
  body: Uint8Array;
}

export interface Upload extends UploadRef {
  initiatedMs: number;
  options: PutOptions;
  parts: Map<number, Part>;
}

export class MemoryUploads {
  readonly #uploads = new Map<string, Upload>();
  readonly #limits: Capabilities;
  #count = 0;

  constructor(limits: Capabilities) {
    this.#limits = limits;
  }

  create(key: string, initiatedMs: number, options: PutOptions): UploadRef {
    const uploadId = `upload-${++this.#count}`;
    this.#uploads.set(uploadId, { key, uploadId, initiatedMs, options, parts: new Map() });
    return { key, uploadId };
  }

  /** @throws upload-not-found */
  find(ref: UploadRef): Upload {
    const upload = this.#uploads.get(ref.uploadId);
    if (upload?.key === ref.key) return upload;
    throw new XsyncError('upload-not-found', `there is no upload ${ref.uploadId} of ${ref.key}`, { subject: ref.key });
  }

  addPart(upload: Upload, part: Part): void {
    const { maxParts, maxPartSize } = this.#limits;
    if (!Number.isInteger(part.partNumber) || part.partNumber < 1 || part.partNumber > maxParts) {
      throw new XsyncError('limit', `part numbers go from 1 to ${maxParts}`, { subject: upload.key });
    }
    if (part.body.byteLength > maxPartSize) {
      throw new XsyncError('object-too-large', `a part has at most ${maxPartSize} bytes`, { subject: upload.key });
    }
    upload.parts.set(part.partNumber, part);
  }

  list(upload: Upload): PartEntry[] {
    const parts = [...upload.parts.values()].sort((a, b) => a.partNumber - b.partNumber);
    return parts.map(({ partNumber, etag, body, crc64ecma }) => ({
      partNumber,
      etag,
      size: body.byteLength,
      ...(crc64ecma === undefined ? {} : { crc64ecma }),
    }));
  }

  /** The parts that a completion names, checked as S3 checks them: InvalidPart, InvalidPartOrder, EntityTooSmall. */
  choose(upload: Upload, named: readonly { partNumber: number; etag: string }[]): Part[] {
    const fail = (why: string) => new XsyncError('precondition-failed', why, { subject: upload.key });
    if (named.length === 0) throw fail('an upload cannot be completed without parts');
    return named.map(({ partNumber, etag }, i) => {
      const part = upload.parts.get(partNumber);
      if (part?.etag !== etag) throw fail(`there is no part ${partNumber} with the given ETag`);
      if (partNumber <= (named[i - 1]?.partNumber ?? 0)) throw fail('parts must be named in ascending order');
      if (i < named.length - 1 && part.body.byteLength < this.#limits.minPartSize) {
        throw fail(`part ${partNumber} is smaller than ${this.#limits.minPartSize} bytes`);
      }
      return part;
    });
  }

  remove(ref: UploadRef): void {
    if (this.#uploads.get(ref.uploadId)?.key === ref.key) this.#uploads.delete(ref.uploadId);
  }

  page(prefix: string, token: string | undefined, size: number): UploadPage {
    const after = token === undefined ? undefined : parseToken(token);
    const all = [...this.#uploads.values()].filter(({ key }) => key.startsWith(prefix)).sort(compareUploads);
    const rest = after ? all.filter((upload) => compareUploads(upload, after) > 0) : all;
    const uploads = rest.slice(0, size).map(({ key, uploadId, initiatedMs }) => ({ key, uploadId, initiatedMs }));
    const last = uploads.at(-1);
    if (rest.length <= size || !last) return { uploads };
    return { uploads, nextToken: `${last.uploadId} ${last.key}` };
  }
}

function compareUploads(a: UploadRef, b: UploadRef): number {
  return compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId);
}

function parseToken(token: string): UploadRef {
  const space = token.indexOf(' ');
  return { uploadId: token.slice(0, space), key: token.slice(space + 1) };
}
