/**
 * Inputs for the SDK's commands, and corrections to the requests that it builds.
 * Tests: test/store/s3-sdk/contract.test.ts
 */
import type { ObjectCannedACL, ServerSideEncryption, StorageClass } from '@aws-sdk/client-s3';
import { md5 } from '../../hash/index.js';
import { XsyncError } from '../../model/error.js';
import type { ContentHeaders, UserMetadata } from '../../model/object.js';
import { taggingText } from '../http/attributes.js';
import type { ObjectStore, PutAttributes } from '../port.js';
import type { CopyRequest } from './calls.js';
import type { Condition } from './conditions.js';
import type { S3Config } from './config.js';
import { copySource } from './copying.js';
import { md5Header, metadataOut } from './headers.js';
import type { S3Preset } from './presets.js';
import type { Editable } from './sdk-client.js';

/** The attributes of a new object under the SDK's names. `withHeaders` sets `Expires`. */
export function attributesOf(
  key: string,
  { headers, metadata, storageClass, acl, tags, redirect, lock }: PutAttributes,
  preset: S3Preset,
  config: S3Config,
) {
  return {
    CacheControl: headers?.cacheControl,
    ContentDisposition: headers?.contentDisposition,
    ContentEncoding: headers?.contentEncoding,
    ContentLanguage: headers?.contentLanguage,
    ContentType: headers?.contentType,
    Metadata: metadataOf(key, metadata, preset),
    StorageClass: (storageClass ?? config.storage_class) as StorageClass | undefined,
    ACL: (acl ?? config.acl) as ObjectCannedACL | undefined,
    Tagging: tags && tags.length > 0 ? taggingText(tags) : undefined,
    WebsiteRedirectLocation: redirect,
    ObjectLockMode: lock?.mode,
    ObjectLockRetainUntilDate: lock?.untilMs === undefined ? undefined : new Date(lock.untilMs),
    ObjectLockLegalHoldStatus: lock?.legalHold ? ('ON' as const) : undefined,
    ServerSideEncryption: config.server_side_encryption as ServerSideEncryption | undefined,
    SSEKMSKeyId: config.sse_kms_key_id,
  };
}

const META = 'x-amz-meta-';

function metadataOf(key: string, metadata: UserMetadata | undefined, preset: S3Preset) {
  if (!metadata) return undefined;
  const headers = metadataOut(key, metadata, preset.attributes.metadata);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.slice(META.length), value]));
}

/**
 * Removes the Content-Type that the SDK invents, and sets `Expires` verbatim, which the SDK accepts only as a date.
 * @param sealing the headers of the customer's keys, as customer-key.ts makes them for both transports
 */
export function withHeaders(
  content: ContentHeaders | undefined,
  sealing: Readonly<Record<string, string>> = {},
): (request: Editable) => void {
  return ({ headers }) => {
    Object.assign(headers, sealing);
    if (content?.contentType === undefined) delete headers['content-type'];
    if (content?.expires !== undefined) headers.expires = content.expires;
  };
}

/** The SDK names the region in every CreateBucket, which most providers except AWS refuse. */
export function withoutBody(request: Editable): void {
  request.body = undefined;
  delete request.headers['content-type'];
  delete request.headers['content-length'];
}

/** Without the SDK's own checksum, which not every provider knows. */
export function withoutChecksum({ headers }: Pick<Editable, 'headers'>): void {
  for (const name in headers) {
    if (name.startsWith('x-amz-checksum-') || name === 'x-amz-sdk-checksum-algorithm') delete headers[name];
  }
}

/** Replaces the SDK's CRC32 of a document with Content-MD5, which every provider accepts. */
export function withMd5({ headers, body }: Editable): void {
  if (typeof body !== 'string') throw new XsyncError('internal', 'the SDK built a document in an unknown form');
  withoutChecksum({ headers });
  Object.assign(headers, md5Header(md5(Buffer.from(body))));
}

/** Converts hex to the SDK's form. */
function contentMd5(hex: string | undefined): string | undefined {
  return md5Header(hex)['content-md5'];
}

/** The condition of a write, as input of a command. */
export function conditionOf({ ifMatch, ifNoneMatch }: Condition): { IfMatch?: string; IfNoneMatch?: string } {
  return { IfMatch: quote(ifMatch), IfNoneMatch: ifNoneMatch };
}

export function quote(etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : `"${etag}"`;
}

export function bodyOf(body: Uint8Array, md5: string | undefined) {
  return { ContentLength: body.byteLength, ContentMD5: contentMd5(md5) };
}

export function sourceOf(source: ObjectStore, key: string, options: CopyRequest) {
  const headers = copySource(source.identity.bucket, key, options);
  return { CopySource: headers['x-amz-copy-source'], CopySourceIfMatch: headers['x-amz-copy-source-if-match'] };
}
