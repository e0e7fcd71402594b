import { readAttributes } from '../attributes.js';
import { partsFrom } from '../documents.js';
import { encryptionHeaders, isOpaque } from '../encryption.js';
import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { StoredPart } from '../model.js';
import { completeUpload, createUpload, findUpload, partsOf, putPart } from '../uploads.js';
import { element, wrap } from '../xml.js';
import {
  checkContentMd5,
  checkOverwrite,
  crcHeader,
  encoding,
  etagElement,
  isoSeconds,
  type OssHandler,
  versionHeader,
  xmlReply,
} from './call.js';
import { storedBytes } from './objects.js';

export const createMultipartUpload: OssHandler = (call) => {
  const { exchange, bucket } = call;
  const encode = encoding(exchange.query);
  checkOverwrite(call);
  const upload = createUpload(bucket, exchange.key, readAttributes(exchange, bucket));
  return xmlReply(
    'InitiateMultipartUploadResult',
    element('Bucket', bucket.name) + element('Key', encode(exchange.key)) + element('UploadId', upload.uploadId),
    encryptionHeaders(upload.encryption, 'oss'),
  );
};

/** @throws InvalidArgument outside 1 to 10,000 */
export function partNumberOf(exchange: Exchange): number {
  const n = Number(exchange.query.get('partNumber'));
  if (Number.isInteger(n) && n >= 1 && n <= 10_000) return n;
  throw new ServiceError('InvalidArgument', {
    message: 'Part number must be an integer between 1 and 10000, inclusive',
    elements: { ArgumentName: 'partNumber', ArgumentValue: exchange.query.get('partNumber') ?? '' },
  });
}

export const uploadPart: OssHandler = ({ exchange, bucket, body }) => {
  const upload = findUpload(bucket, exchange.key, exchange.query.get('uploadId') ?? '');
  const partNumber = partNumberOf(exchange);
  checkContentMd5(exchange, body);
  const part = putPart(bucket, upload, partNumber, storedBytes(exchange, body));
  return {
    status: 200,
    headers: {
      etag: `"${part.etag}"`,
      ...(isOpaque(upload.encryption) ? {} : { 'content-md5': Buffer.from(part.etag, 'hex').toString('base64') }),
      ...encryptionHeaders(upload.encryption, 'oss'),
      'x-oss-hash-crc64ecma': part.crc64ecma?.toString(),
    },
  };
};

export const listParts: OssHandler = ({ exchange, bucket }) => {
  const { query, key } = exchange;
  const encode = encoding(query);
  const upload = findUpload(bucket, key, query.get('uploadId') ?? '');
  const maxParts = query.integer('max-parts', 1000, 1, 1000);
  const marker = query.integer('part-number-marker', 0, 0, 2 ** 31);
  const rest = partsOf(upload).filter((part) => part.partNumber > marker);
  const page = rest.slice(0, maxParts);
  const content = [
    element('Bucket', bucket.name),
    element('EncodingType', query.get('encoding-type')),
    element('Key', encode(key)),
    element('UploadId', upload.uploadId),
    element('StorageClass', upload.storageClass),
    element('PartNumberMarker', marker),
    element('NextPartNumberMarker', page.at(-1)?.partNumber ?? 0),
    element('MaxParts', maxParts),
    element('IsTruncated', rest.length > page.length),
    ...page.map(partElement),
  ];
  return xmlReply('ListPartsResult', content.join(''));
};

function partElement(part: StoredPart): string {
  return wrap(
    'Part',
    element('PartNumber', part.partNumber),
    element('LastModified', isoSeconds(part.lastModifiedMs)),
    etagElement(part.etag),
    element('HashCrc64ecma', part.crc64ecma?.toString()),
    element('Size', part.bytes.size),
  );
}

export const completeMultipartUpload: OssHandler = (call) => {
  const { exchange, bucket, body, settings } = call;
  const encode = encoding(exchange.query);
  const upload = findUpload(bucket, exchange.key, exchange.query.get('uploadId') ?? '');
  checkOverwrite(call);
  const all = exchange.vendor('complete-all') === 'yes';
  const chosen = all
    ? partsOf(upload).map(({ partNumber, etag }) => ({ partNumber, etag }))
    : partsFrom(body.toString());
  const object = completeUpload(bucket, upload, chosen, { minPartSize: settings.minPartSize, defaultChecksum: false });
  const content = [
    element('EncodingType', exchange.query.get('encoding-type')),
    element('Location', `http://${bucket.name}.oss-${settings.region}.aliyuncs.com${exchange.rawPath}`),
    element('Bucket', bucket.name),
    element('Key', encode(exchange.key)),
    etagElement(object.etag),
  ];
  return xmlReply('CompleteMultipartUploadResult', content.join(''), {
    ...encryptionHeaders(object.encryption, 'oss'),
    ...crcHeader(object),
    ...versionHeader(bucket, object.versionId),
  });
};

export const abortMultipartUpload: OssHandler = ({ exchange, bucket }) => {
  const upload = findUpload(bucket, exchange.key, exchange.query.get('uploadId') ?? '');
  bucket.uploads.delete(upload.uploadId);
  return { status: 204 };
};
