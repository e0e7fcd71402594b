/**
 * Types for the parts of ali-oss and urllib that are used here. The published types are incomplete.
 * Tests: test/store/oss/cname.test.ts
 */
import type http from 'node:http';
import type { Readable } from 'node:stream';

export interface UrllibParams {
  method: string;
  headers: Record<string, string>;
  customResponse?: boolean;
  timeout?: number | [connectMs: number, responseMs: number];
  beforeRequest?: (options: http.RequestOptions) => void;
  ctx: number;
}

export interface UrllibResult {
  status: number;
  headers: Record<string, string>;
  data?: Buffer;
  /** The stream, if `customResponse` is set. */
  res: Readable;
}

export interface Urllib {
  request(url: string, params: UrllibParams): Promise<UrllibResult>;
}

/** Passed to urllib unchanged. Do not use for two calls. */
export interface AliCallOptions {
  ctx: number;
  headers?: Record<string, string>;
  subres?: Record<string, string>;
  /** Overrides the Content-Type that ali-oss derives from the key. */
  mime?: string;
  contentLength?: number;
}

export interface AliRequest {
  method: string;
  bucket: string;
  object?: string;
  subres?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  content?: Buffer;
  mime?: string;
  successStatuses: number[];
  ctx: number;
}

export interface AliOss {
  urllib: Urllib;
  options: { amendTimeSkewed?: number };
  /** The SDK's general request below its methods: signs, sends, and checks the status. */
  request(params: AliRequest): Promise<UrllibResult>;
  putBucket(name: string, options: AliCallOptions): Promise<unknown>;
  delete(name: string, options: AliCallOptions): Promise<unknown>;
  head(name: string, options: AliCallOptions): Promise<unknown>;
  getStream(name: string, options: AliCallOptions): Promise<{ stream: Readable }>;
  put(name: string, body: Buffer, options: AliCallOptions): Promise<unknown>;
  putStream(name: string, body: Readable, options: AliCallOptions): Promise<unknown>;
  uploadPart(
    name: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    start: number,
    end: number,
    options: AliCallOptions,
  ): Promise<unknown>;
  uploadPartCopy(
    name: string,
    uploadId: string,
    partNumber: number,
    range: string,
    source: { sourceKey: string; sourceBucketName: string },
    options: AliCallOptions & { versionId?: string },
  ): Promise<unknown>;
  abortMultipartUpload(name: string, uploadId: string, options: AliCallOptions): Promise<unknown>;
}

export type AliOssConstructor = new (options: Record<string, unknown>) => AliOss;
