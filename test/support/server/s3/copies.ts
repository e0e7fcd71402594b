import { readAttributes } from '../attributes.js';
import type { Bytes } from '../bytes.js';
import { checkConditions, copyRange } from '../conditions.js';
import { checkCustomerKey, encryptionHeaders } from '../encryption.js';
import { ServiceError } from '../errors.js';
import { s3Checksum } from '../hashes.js';
import { isFrozen, MAIN_OWNER, type ObjectAttributes, type StoredChecksum, type StoredObject } from '../model.js';
import { decodeComponent } from '../query.js';
import { findUpload, putPart } from '../uploads.js';
import { element } from '../xml.js';
import { type S3Call, type S3Handler, versionHeader, xmlReply } from './call.js';
import { namedAlgorithm } from './checksums.js';
import { partNumberOf } from './multipart.js';

/** The object in x-amz-copy-source; checks its conditions. */
function sourceOf({ exchange, namespace }: S3Call): { object: StoredObject; bucket: string } {
  const [path = '', query = ''] = (exchange.vendor('copy-source') ?? '').split('?');
  const decoded = decodeComponent(path).replace(/^\//, '');
  const slash = decoded.indexOf('/');
  if (slash <= 0) {
    throw new ServiceError('InvalidArgument', {
      message: 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    });
  }
  const bucket = namespace.bucket(decoded.slice(0, slash));
  if (bucket.owner !== MAIN_OWNER) throw new ServiceError('AccessDenied');
  const versionId = /(?:^|&)versionId=([^&]*)/.exec(query)?.[1];
  const object = bucket.find(decoded.slice(slash + 1), versionId);
  checkCustomerKey(exchange, object.encryption, 'copy-source-');
  checkConditions(exchange, object, true);
  if (isFrozen(object)) throw new ServiceError('InvalidObjectState');
  return { object, bucket: bucket.name };
}

export const copyObject: S3Handler = (call) => {
  const { exchange, bucket, settings } = call;
  const source = sourceOf(call);
  const { object } = source;
  if (object.bytes.size > settings.maxPutSize) {
    throw new ServiceError('InvalidRequest', {
      message: `The specified copy source is larger than the maximum allowable size for a copy source: ${settings.maxPutSize}`,
    });
  }
  const replace = exchange.vendor('metadata-directive')?.toUpperCase() === 'REPLACE';
  const itself = source.bucket === bucket.name && object.key === exchange.key;
  const encrypts = exchange.vendor('server-side-encryption') !== undefined;
  if (itself && !replace && !encrypts && exchange.vendor('storage-class') === undefined) {
    throw new ServiceError('InvalidRequest', {
      message:
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    });
  }
  const checksum = copyChecksum(call, object.bytes, object.checksum);
  const copied = bucket.put(exchange.key, object.bytes, {
    ...copyAttributes(call, object, replace),
    ...(checksum ? { checksum } : {}),
  });
  const content = [
    element('LastModified', new Date(copied.lastModifiedMs).toISOString()),
    element('ETag', `"${copied.etag}"`),
    checksum ? element(`Checksum${checksum.name.toUpperCase()}`, checksum.value) : '',
  ];
  return xmlReply('CopyObjectResult', content.join(''), {
    ...encryptionHeaders(copied.encryption, 's3'),
    ...versionHeader(bucket, copied.versionId),
  });
};

/** A copy keeps metadata and tags unless they are replaced. It never keeps the storage class or the ACL. */
function copyAttributes({ exchange, bucket }: S3Call, source: StoredObject, replace: boolean): ObjectAttributes {
  const asked = readAttributes(exchange, bucket);
  const replaceTags = exchange.vendor('tagging-directive')?.toUpperCase() === 'REPLACE';
  return {
    ...asked,
    headers: replace ? (asked.headers ?? {}) : source.headers,
    metadata: replace ? (asked.metadata ?? {}) : source.metadata,
    tags: replaceTags ? (asked.tags ?? []) : source.tags,
  };
}

function copyChecksum(call: S3Call, bytes: Bytes, kept: StoredChecksum | undefined): StoredChecksum | undefined {
  const name = namedAlgorithm(call.exchange) ?? kept?.name ?? (call.settings.defaultChecksum ? 'crc64nvme' : undefined);
  return name && { name, value: s3Checksum(name, bytes.chunks), type: 'FULL_OBJECT' };
}

export const uploadPartCopy: S3Handler = (call) => {
  const { exchange, bucket } = call;
  const upload = findUpload(bucket, exchange.key, exchange.query.get('uploadId') ?? '');
  checkCustomerKey(exchange, upload.encryption);
  const { object } = sourceOf(call);
  const bytes = copyRange(exchange.vendor('copy-source-range'), object);
  const name = upload.checksumName;
  const checksum = name && { name, value: s3Checksum(name, bytes.chunks), type: 'FULL_OBJECT' as const };
  const part = putPart(bucket, upload, partNumberOf(exchange), bytes, checksum);
  return xmlReply(
    'CopyPartResult',
    element('LastModified', new Date(part.lastModifiedMs).toISOString()) + element('ETag', `"${part.etag}"`),
    encryptionHeaders(upload.encryption, 's3'),
  );
};
