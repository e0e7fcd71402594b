/**
 * Converts the port's options to headers, queries and bodies, for both OSS stores.
 * Tests: test/contract/stores.test.ts
 */
import { createHash } from 'node:crypto';
import type { ObjectLock, Tags } from '../../model/attributes.js';
import { XsyncError } from '../../model/error.js';
import { taggingBody } from '../http/attributes.js';
import { restoreRequest } from '../http/restoring.js';
import { versionMarker } from '../http/versions.js';
import type { CopyOptions, ListOptions, PutOptions, RestoreOptions, VersionListOptions } from '../port.js';
import { escapeText, escapeXml, type Query } from './encode.js';
import { PAGE } from './limits.js';
import { type NewObjectSettings, objectHeaders } from './metadata.js';

export type Headers = Record<string, string>;

/** @throws limit: for a batch that the service would refuse */
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

/** The query for unfinished uploads after the markers in a token of `uploadsToken`. */
export function uploadsQuery({ prefix, token }: { prefix?: string; token?: string }): Query {
  const query: Query = { 'encoding-type': 'url', 'max-uploads': String(PAGE) };
  if (prefix) query.prefix = prefix;
  if (token === undefined) return query;
  const [key = '', uploadId = '']: string[] = JSON.parse(token);
  query['key-marker'] = key;
  if (uploadId) query['upload-id-marker'] = uploadId;
  return query;
}

/** The query for versions, beside `versions` itself. */
export function versionsQuery(options: VersionListOptions): Query {
  const query: Query = { 'encoding-type': 'url', 'max-keys': String(options.maxKeys ?? PAGE) };
  if (options.prefix) query.prefix = options.prefix;
  const after = versionMarker(options);
  if (after) query['key-marker'] = after.key;
  if (after?.versionId) query['version-id-marker'] = after.versionId;
  return query;
}

export function versionQuery(versionId: string | undefined): Query {
  return versionId === undefined ? {} : { versionId };
}

/** If-Match requires quotes around the ETag (HTTP). */
export function ifMatch(etag: string | undefined): Headers {
  return etag === undefined ? {} : { 'if-match': `"${etag}"` };
}

/**
 * Requests exactly these bytes. Without `x-oss-range-behavior: standard`, OSS returns the whole object instead of 416
 * for a range that does not fit.
 */
export function rangeHeaders(offset: number, size: number): Headers {
  return { range: `bytes=${offset}-${offset + size - 1}`, 'x-oss-range-behavior': 'standard' };
}

/** The Content-MD5 header is base64. */
export function md5Header(contentMd5: string | undefined): Headers {
  return contentMd5 === undefined ? {} : { 'content-md5': Buffer.from(contentMd5, 'hex').toString('base64') };
}

/** @throws unsupported: OSS compares no versions when it writes (https://help.aliyun.com/en/oss/user-guide/0017-00000245) */
export function putHeaders(key: string, options: PutOptions, settings: NewObjectSettings): Headers {
  if (options.strict && options.replaces !== '') {
    throw new XsyncError('unsupported', 'OSS does not compare what it replaces', { subject: key });
  }
  return {
    ...objectHeaders(key, options, settings),
    ...md5Header(options.contentMd5),
    ...(options.strict && { 'x-oss-forbid-overwrite': 'true' }),
  };
}

/** The source of a copy and its condition. */
export function sourceHeaders(bucket: string, key: string, options: CopyOptions): Headers {
  const version = options.versionId === undefined ? '' : `?versionId=${escapeText(options.versionId)}`;
  const headers: Headers = { 'x-oss-copy-source': `/${bucket}/${escapeText(key)}${version}` };
  if (options.ifMatch !== undefined) headers['x-oss-copy-source-if-match'] = `"${options.ifMatch}"`;
  return headers;
}

/** Headers of a copy. The source's headers and metadata are kept unless new ones are given. */
export function copyHeaders(
  bucket: string,
  sourceKey: string,
  key: string,
  options: CopyOptions,
  settings: NewObjectSettings,
): Headers {
  const replaces = options.headers !== undefined || options.metadata !== undefined;
  return {
    ...sourceHeaders(bucket, sourceKey, options),
    ...objectHeaders(key, options, settings),
    'x-oss-metadata-directive': replaces ? 'REPLACE' : 'COPY',
    ...(options.tags && { 'x-oss-tagging-directive': 'Replace' }),
  };
}

/** Body and headers of a batch delete. The verbose response confirms each deletion. */
export function deleteRequest(keys: readonly string[]): { body: string; headers: Headers } {
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join('');
  const body = `<?xml version="1.0" encoding="UTF-8"?><Delete><Quiet>false</Quiet>${objects}</Delete>`;
  return {
    body,
    headers: { 'content-md5': createHash('md5').update(body).digest('base64'), 'content-type': 'application/xml' },
  };
}

/** RestoreObject: only ColdArchive and DeepColdArchive have tiers. */
export function restoreBody({ tier, days, storageClass }: RestoreOptions): string {
  const tiered = /cold/i.test(storageClass ?? '');
  return restoreRequest({ tier: tiered ? tier : undefined, days }, 'JobParameters');
}

/** PutObjectTagging. */
export function taggingRequest(tags: Tags): { body: string; headers: Headers } {
  return document(taggingBody(tags, escapeXml));
}

/** PutObjectRetention or PutObjectLegalHold: its sub-resource, and what is sent. */
export function lockRequest({ mode, untilMs = 0 }: ObjectLock): { name: string; body: string; headers: Headers } {
  if (mode === undefined) return { name: 'legalHold', ...document('<LegalHold><Status>ON</Status></LegalHold>') };
  const until = new Date(untilMs).toISOString();
  const body = `<Retention><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`;
  return { name: 'retention', ...document(body) };
}

function document(body: string): { body: string; headers: Headers } {
  const contentMd5 = createHash('md5').update(body).digest('base64');
  return { body, headers: { 'content-md5': contentMd5, 'content-type': 'application/xml' } };
}

export function completeBody(parts: readonly { partNumber: number; etag: string }[]): string {
  const items = parts.map(
    ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>"${escapeXml(etag)}"</ETag></Part>`,
  );
  return `<CompleteMultipartUpload>${items.join('')}</CompleteMultipartUpload>`;
}

/** @throws truncated: when fewer bytes were received than requested */
export function checkReceived(key: string, received: number, wanted: number): void {
  if (received >= wanted) return;
  throw new XsyncError('truncated', `${key}: received ${received} of ${wanted} bytes`, {
    subject: key,
  });
}

/** @throws invalid-response: the response to a range has another status */
export function mustBePartial(key: string, status: number): void {
  if (status === 206) return;
  throw new XsyncError('invalid-response', `${key}: OSS ignored the range`, { subject: key });
}

export function notCopyable(key: string): XsyncError {
  return new XsyncError('unsupported', `OSS cannot copy ${key} server-side from another endpoint or account`, {
    subject: key,
  });
}
