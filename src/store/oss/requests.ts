/** The port's options as headers, queries and bodies: what both OSS stores send alike. */
import { createHash } from 'node:crypto';
import { XsyncError } from '../../model/error.js';
import type { CopyOptions, ListOptions, PutOptions } from '../port.js';
import { escapeText, escapeXml, type Query } from './encode.js';
import { PAGE } from './limits.js';
import { objectHeaders } from './metadata.js';

export type Headers = Record<string, string>;

/** Refuses, before anything is sent, a batch that the service would. */
export function checkBatch(keys: readonly string[]): void {
  if (keys.length > PAGE) throw new XsyncError('limit', `at most ${PAGE} keys can be deleted in one request`);
}

export function listQuery(options: ListOptions): Query {
  const query: Query = {
    'list-type': '2',
    'encoding-type': 'url',
    'max-keys': String(options.maxKeys ?? PAGE),
  };
  if (options.prefix) query.prefix = options.prefix;
  if (options.delimiter) query.delimiter = options.delimiter;
  if (options.token !== undefined) query['continuation-token'] = options.token;
  else if (options.startAfter) query['start-after'] = options.startAfter;
  return query;
}

/** Unfinished uploads after the markers in a token of ours. */
export function uploadsQuery({ prefix, token }: { prefix?: string; token?: string }): Query {
  const query: Query = { 'encoding-type': 'url', 'max-uploads': String(PAGE) };
  if (prefix) query.prefix = prefix;
  if (token === undefined) return query;
  const [key = '', uploadId = '']: string[] = JSON.parse(token);
  query['key-marker'] = key;
  if (uploadId) query['upload-id-marker'] = uploadId;
  return query;
}

export function versionQuery(versionId: string | undefined): Query {
  return versionId === undefined ? {} : { versionId };
}

/** If-Match takes the ETag quoted, as HTTP writes it. */
export function ifMatch(etag: string | undefined): Headers {
  return etag === undefined ? {} : { 'if-match': `"${etag}"` };
}

/**
 * Exactly these bytes. Without `x-oss-range-behavior: standard`, OSS answers a range that does not fit with the whole
 * object instead of 416.
 */
export function rangeHeaders(offset: number, size: number): Headers {
  return { range: `bytes=${offset}-${offset + size - 1}`, 'x-oss-range-behavior': 'standard' };
}

/** Content-MD5 is base64 on the wire. */
export function md5Header(contentMd5: string | undefined): Headers {
  return contentMd5 === undefined ? {} : { 'content-md5': Buffer.from(contentMd5, 'hex').toString('base64') };
}

export function putHeaders(key: string, options: PutOptions, storageClass: string | undefined): Headers {
  return { ...objectHeaders(key, options, storageClass), ...md5Header(options.contentMd5) };
}

/** The source of a copy, and the condition on it. */
export function sourceHeaders(bucket: string, key: string, options: CopyOptions): Headers {
  const version = options.versionId === undefined ? '' : `?versionId=${escapeText(options.versionId)}`;
  const headers: Headers = { 'x-oss-copy-source': `/${bucket}/${escapeText(key)}${version}` };
  if (options.ifMatch !== undefined) headers['x-oss-copy-source-if-match'] = `"${options.ifMatch}"`;
  return headers;
}

/** Headers of a copy: the source's own are kept unless new headers or metadata are given. */
export function copyHeaders(
  bucket: string,
  sourceKey: string,
  key: string,
  options: CopyOptions,
  storageClass: string | undefined,
): Headers {
  const replaces = options.headers !== undefined || options.metadata !== undefined;
  return {
    ...sourceHeaders(bucket, sourceKey, options),
    ...objectHeaders(key, options, storageClass),
    'x-oss-metadata-directive': replaces ? 'REPLACE' : 'COPY',
  };
}

/** Body and headers of a batch delete. The verbose answer is asked for, so that each deletion is confirmed. */
export function deleteRequest(keys: readonly string[]): { body: string; headers: Headers } {
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join('');
  const body = `<?xml version="1.0" encoding="UTF-8"?><Delete><Quiet>false</Quiet>${objects}</Delete>`;
  return {
    body,
    headers: { 'content-md5': createHash('md5').update(body).digest('base64'), 'content-type': 'application/xml' },
  };
}

export function completeBody(parts: readonly { partNumber: number; etag: string }[]): string {
  const items = parts.map(
    ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>"${escapeXml(etag)}"</ETag></Part>`,
  );
  return `<CompleteMultipartUpload>${items.join('')}</CompleteMultipartUpload>`;
}

/** @throws truncated when fewer bytes came than were asked for */
export function checkReceived(key: string, received: number, wanted: number): void {
  if (received >= wanted) return;
  throw new XsyncError('truncated', `${key}: ${received} bytes came of ${wanted} that were asked for`, {
    subject: key,
  });
}

export function notCopyable(key: string): XsyncError {
  return new XsyncError('unsupported', `OSS cannot copy ${key} by itself: it is in another place or account`, {
    subject: key,
  });
}
