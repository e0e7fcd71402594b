import { randomBytes } from 'node:crypto';
import { readAttributes } from '../attributes.js';
import { checkConditions, copyRange } from '../conditions.js';
import { encryptionHeaders, isOpaque } from '../encryption.js';
import { ServiceError } from '../errors.js';
import { isFrozen, MAIN_OWNER, type StoredObject } from '../model.js';
import { decodeComponent } from '../query.js';
import { findUpload, putPart } from '../uploads.js';
import { element } from '../xml.js';
import {
  checkOverwrite,
  etagElement,
  isoSeconds,
  type OssCall,
  type OssHandler,
  versionHeader,
  xmlReply,
} from './call.js';
import { partNumberOf } from './multipart.js';

/** The object in x-oss-copy-source (`/bucket/key`, encoded); checks its conditions. */
function sourceOf({ exchange, namespace }: OssCall): StoredObject {
  const [path = '', query = ''] = (exchange.vendor('copy-source') ?? '').split('?');
  const decoded = decodeComponent(path);
  const slash = decoded.indexOf('/', 1);
  if (!decoded.startsWith('/') || slash < 0) {
    throw new ServiceError('InvalidArgument', {
      message: 'Copy Source must mention the source bucket and key: /sourcebucket/sourcekey',
    });
  }
  const bucket = namespace.bucket(decoded.slice(1, slash));
  if (bucket.owner !== MAIN_OWNER) throw new ServiceError('AccessDenied');
  const object = bucket.find(decoded.slice(slash + 1), /(?:^|&)versionId=([^&]*)/.exec(query)?.[1]);
  checkConditions(exchange, object, true);
  if (isFrozen(object)) throw new ServiceError('InvalidObjectState');
  return object;
}

export const copyObject: OssHandler = (call) => {
  const { exchange, bucket, settings } = call;
  const source = sourceOf(call);
  checkOverwrite(call);
  if (source.bytes.size > settings.maxPutSize)
    throw new ServiceError('InvalidArgument', { message: 'The source is too large.' });
  const asked = readAttributes(exchange, bucket);
  const replace = exchange.vendor('metadata-directive')?.toUpperCase() === 'REPLACE';
  const replaceTags = exchange.vendor('tagging-directive')?.toUpperCase() === 'REPLACE';
  const { partSizes: _sizes, lock: _lock, ...plain } = source;
  const { encryption } = bucket.attributes(asked);
  const etag = isOpaque(encryption) ? randomBytes(16).toString('hex').toUpperCase() : source.etag;
  const copied = bucket.store({
    ...plain,
    key: exchange.key,
    // An appendable object becomes an ordinary one, but its ETag is still not an MD5.
    type: source.type === 'Appendable' ? 'Multipart' : source.type,
    headers: replace ? (asked.headers ?? {}) : source.headers,
    metadata: replace ? (asked.metadata ?? {}) : source.metadata,
    tags: replaceTags ? (asked.tags ?? []) : source.tags,
    storageClass: asked.storageClass ?? 'Standard',
    acl: asked.acl ?? 'default',
    encryption,
    etag,
    ...(asked.lock && { lock: asked.lock }),
    lastModifiedMs: bucket.now(),
  });
  return xmlReply(
    'CopyObjectResult',
    element('LastModified', isoSeconds(copied.lastModifiedMs)) + etagElement(copied.etag),
    {
      ...encryptionHeaders(encryption, 'oss'),
      ...versionHeader(bucket, copied.versionId),
      'x-oss-hash-crc64ecma': copied.crc64ecma,
    },
  );
};

export const uploadPartCopy: OssHandler = (call) => {
  const { exchange, bucket } = call;
  const upload = findUpload(bucket, exchange.key, exchange.query.get('uploadId') ?? '');
  const source = sourceOf(call);
  // EC 0042-00000308.
  if (source.type === 'Symlink') throw new ServiceError('InvalidArgument', { message: 'The source is a symlink.' });
  const bytes = copyRange(exchange.vendor('copy-source-range'), source);
  const part = putPart(bucket, upload, partNumberOf(exchange), bytes);
  return xmlReply(
    'CopyPartResult',
    element('LastModified', isoSeconds(part.lastModifiedMs)) + etagElement(part.etag),
    encryptionHeaders(upload.encryption, 'oss'),
  );
};
