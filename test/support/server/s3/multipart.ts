import { readAttributes } from '../attributes.js';
import { partsFrom } from '../documents.js';
import { checkCustomerKey, encryptionHeaders } from '../encryption.js';
import { ServiceError } from '../errors.js';
import type { Exchange, Reply } from '../exchange.js';
import type { StoredObject, StoredPart } from '../model.js';
import { completeUpload, createUpload, findUpload, partsOf, partsText, putPart } from '../uploads.js';
import { element, wrap } from '../xml.js';
import { type S3Call, type S3Handler, versionHeader, xmlReply } from './call.js';
import { checkContentMd5, checkedChecksum, checksumHeaders, claimedChecksum, namedAlgorithm } from './checksums.js';
import { checkWriteConditions, storedBytes } from './objects.js';

export const createMultipartUpload: S3Handler = ({ exchange, bucket }) => {
  const checksumName = namedAlgorithm(exchange);
  const asked = exchange.vendor('checksum-type');
  const checksumType = asked === 'FULL_OBJECT' || asked === 'COMPOSITE' ? asked : defaultType(checksumName);
  if (checksumType === 'FULL_OBJECT' && checksumName?.startsWith('sha')) {
    throw new ServiceError('InvalidRequest', {
      message: `The FULL_OBJECT checksum type cannot be used with the ${checksumName} checksum algorithm.`,
    });
  }
  const upload = createUpload(bucket, exchange.key, readAttributes(exchange, bucket), {
    ...(checksumName ? { checksumName } : {}),
    ...(checksumType ? { checksumType } : {}),
  });
  return xmlReply(
    'InitiateMultipartUploadResult',
    element('Bucket', bucket.name) + element('Key', exchange.key) + element('UploadId', upload.uploadId),
    {
      ...encryptionHeaders(upload.encryption, 's3'),
      'x-amz-checksum-algorithm': checksumName?.toUpperCase(),
      'x-amz-checksum-type': checksumType,
    },
  );
};

/** AWS's default: COMPOSITE for all algorithms that allow it, FULL_OBJECT for CRC64NVME. */
function defaultType(name: string | undefined): 'FULL_OBJECT' | 'COMPOSITE' | undefined {
  if (name === undefined) return undefined;
  return name === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE';
}

/** @throws InvalidArgument outside 1 to 10,000 */
export function partNumberOf(exchange: Exchange): number {
  const n = Number(exchange.query.get('partNumber'));
  if (Number.isInteger(n) && n >= 1 && n <= 10_000) return n;
  throw new ServiceError('InvalidArgument', {
    message: 'Part number must be an integer between 1 and 10000, inclusive',
    elements: { ArgumentName: 'partNumber', ArgumentValue: exchange.query.get('partNumber') ?? '' },
  });
}

export const uploadPart: S3Handler = ({ exchange, bucket, body, trailers }) => {
  const upload = findUpload(bucket, exchange.key, exchange.query.get('uploadId') ?? '');
  const partNumber = partNumberOf(exchange);
  checkCustomerKey(exchange, upload.encryption);
  checkContentMd5(exchange, body);
  const checksum = checkedChecksum(exchange, trailers, body);
  if (checksum && upload.checksumName && checksum.name !== upload.checksumName) {
    throw new ServiceError('InvalidRequest', {
      message: `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksumName}, actual checksum Type: ${checksum.name}`,
    });
  }
  const part = putPart(bucket, upload, partNumber, storedBytes(exchange, body), checksum);
  const { 'x-amz-checksum-type': _type, ...headers } = checksumHeaders(checksum);
  const encryption = encryptionHeaders(upload.encryption, 's3');
  return { status: 200, headers: { etag: `"${part.etag}"`, ...encryption, ...headers } };
};

export const listParts: S3Handler = ({ exchange, bucket }) => {
  const { query, key } = exchange;
  const upload = findUpload(bucket, key, query.get('uploadId') ?? '');
  const maxParts = query.integer('max-parts', 1000, 1, 1000);
  const marker = query.integer('part-number-marker', 0, 0, 2 ** 31);
  const rest = partsOf(upload).filter((part) => part.partNumber > marker);
  const page = rest.slice(0, maxParts);
  const content = [
    element('Bucket', bucket.name),
    element('Key', key),
    element('UploadId', upload.uploadId),
    element('StorageClass', upload.storageClass),
    element('PartNumberMarker', marker),
    element('NextPartNumberMarker', page.at(-1)?.partNumber ?? 0),
    element('MaxParts', maxParts),
    element('IsTruncated', rest.length > page.length),
    upload.checksumName ? element('ChecksumAlgorithm', upload.checksumName.toUpperCase()) : '',
    upload.checksumType ? element('ChecksumType', upload.checksumType) : '',
    ...page.map(partElement),
  ];
  return xmlReply('ListPartsResult', content.join(''));
};

function partElement(part: StoredPart): string {
  return wrap(
    'Part',
    element('PartNumber', part.partNumber),
    element('LastModified', new Date(part.lastModifiedMs).toISOString()),
    element('ETag', `"${part.etag}"`),
    element('Size', part.bytes.size),
    part.checksum ? element(`Checksum${part.checksum.name.toUpperCase()}`, part.checksum.value) : '',
  );
}

export const completeMultipartUpload: S3Handler = (call) => {
  const { exchange, bucket, body, settings } = call;
  const uploadId = exchange.query.get('uploadId') ?? '';
  const chosen = partsFrom(body.toString());
  const before = completedBefore(call, uploadId, partsText(chosen));
  if (before) return completion(call, before);
  const upload = findUpload(bucket, exchange.key, uploadId);
  checkWriteConditions(call);
  const expected = claimedChecksum(exchange, {});
  const object = completeUpload(bucket, upload, chosen, {
    minPartSize: settings.minPartSize,
    defaultChecksum: settings.defaultChecksum,
    ...(expected ? { expected } : {}),
  });
  return completion(call, object);
};

/** The same completion once more is answered as the first one, while its object is there ("CompleteMultipartUpload"). */
function completedBefore({ exchange, bucket }: S3Call, uploadId: string, chosen: string): StoredObject | undefined {
  const before = bucket.completed.get(uploadId);
  return before?.key === exchange.key && before.chosen === chosen ? bucket.current(exchange.key) : undefined;
}

function completion({ exchange, bucket }: S3Call, object: StoredObject): Reply {
  const { checksum } = object;
  const content = [
    element('Location', `http://${exchange.header('host') ?? ''}${exchange.rawPath}`),
    element('Bucket', bucket.name),
    element('Key', exchange.key),
    element('ETag', `"${object.etag}"`),
    checksum ? element(`Checksum${checksum.name.toUpperCase()}`, checksum.value) : '',
    checksum ? element('ChecksumType', checksum.type) : '',
  ];
  return xmlReply('CompleteMultipartUploadResult', content.join(''), {
    ...completionHeaders(object),
    ...versionHeader(bucket, object.versionId),
  });
}

/** Unlike the other calls, a completion does not name a key of the customer's ("CompleteMultipartUpload"). */
function completionHeaders({ encryption: { customerMd5: _, ...encryption } }: StoredObject): Record<string, string> {
  return encryptionHeaders(encryption, 's3');
}

export const abortMultipartUpload: S3Handler = ({ exchange, bucket }: S3Call) => {
  const upload = findUpload(bucket, exchange.key, exchange.query.get('uploadId') ?? '');
  bucket.uploads.delete(upload.uploadId);
  return { status: 204 };
};
