import { attributeHeaders, httpDate, readAttributes } from '../attributes.js';
import { Bytes } from '../bytes.js';
import { checkConditions, parseRange } from '../conditions.js';
import { checkCustomerKey, encryptionHeaders } from '../encryption.js';
import { ServiceError } from '../errors.js';
import type { Exchange, Reply } from '../exchange.js';
import { s3Checksum } from '../hashes.js';
import { bypassesGovernance } from '../locks.js';
import { isFrozen, type StoredChecksum, type StoredObject } from '../model.js';
import { askToRestore } from '../restoring.js';
import { type S3Call, type S3Handler, versionHeader } from './call.js';
import { checkContentMd5, checkedChecksum, checksumHeaders } from './checksums.js';

const RESPONSE_OVERRIDES = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
];

/** The body to store, after the checks; applies a `flip-bit` fault. */
export function storedBytes(exchange: Exchange, body: Buffer): Bytes {
  const flip = exchange.fault('flip-bit');
  const bytes = Bytes.of(body);
  return flip?.where === 'stored' ? bytes.withFlippedBit(flip.offset) : bytes;
}

export function isTagOf(ifMatch: string, { etag }: StoredObject): boolean {
  return ifMatch.replaceAll('"', '') === etag;
}

/** If-None-Match: * and If-Match on writes. @throws PreconditionFailed, NoSuchKey, NotImplemented */
export function checkWriteConditions({ exchange, bucket }: S3Call): void {
  const current = bucket.current(exchange.key);
  const ifNoneMatch = exchange.header('if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new ServiceError('NotImplemented', { elements: { Header: 'If-None-Match' } });
  }
  if (ifNoneMatch === '*' && current) {
    throw new ServiceError('PreconditionFailed', { elements: { Condition: 'If-None-Match' } });
  }
  const ifMatch = exchange.header('if-match');
  if (ifMatch === undefined) return;
  if (!current) throw new ServiceError('NoSuchKey', { elements: { Key: exchange.key } });
  if (!isTagOf(ifMatch, current)) {
    throw new ServiceError('PreconditionFailed', { elements: { Condition: 'If-Match' } });
  }
}

export const putObject: S3Handler = (call) => {
  const { exchange, bucket, body, settings } = call;
  checkContentMd5(exchange, body);
  const claimed = checkedChecksum(exchange, call.trailers, body);
  checkWriteConditions(call);
  const bytes = storedBytes(exchange, body);
  const checksum = restated(claimed, bytes, settings.defaultChecksum);
  const object = bucket.put(exchange.key, bytes, {
    ...readAttributes(exchange, bucket),
    ...(checksum ? { checksum } : {}),
  });
  return {
    status: 200,
    headers: {
      etag: `"${object.etag}"`,
      ...encryptionHeaders(object.encryption, 's3'),
      ...versionHeader(bucket, object.versionId),
      ...checksumHeaders(checksum),
    },
  };
};

/** The checksum of the stored data, with the client's algorithm or AWS's default. */
function restated(claimed: StoredChecksum | undefined, bytes: Bytes, byDefault: boolean): StoredChecksum | undefined {
  const name = claimed?.name ?? (byDefault ? 'crc64nvme' : undefined);
  return name && { name, value: s3Checksum(name, bytes.chunks), type: 'FULL_OBJECT' };
}

/** GET and HEAD differ only in the body. */
export const readObject: S3Handler = ({ exchange, bucket }) => {
  const object = bucket.find(exchange.key, exchange.query.get('versionId'));
  checkCustomerKey(exchange, object.encryption);
  checkConditions(exchange, object);
  if (exchange.kind === 'GetObject' && isFrozen(object)) {
    throw new ServiceError('InvalidObjectState', { elements: { StorageClass: object.storageClass } });
  }
  const selection = select(exchange, object);
  const { offset, length } = selection.range ?? { offset: 0, length: object.bytes.size };
  const whole = selection.range === undefined;
  const headers: Record<string, string | undefined> = {
    ...attributeHeaders(object, 's3'),
    ...encryptionHeaders(object.encryption, 's3'),
    ...overrides(exchange),
    ...(whole && exchange.vendor('checksum-mode')?.toUpperCase() === 'ENABLED' ? checksumHeaders(object.checksum) : {}),
    ...versionHeader(bucket, object.versionId),
    etag: `"${object.etag}"`,
    'last-modified': httpDate(object.lastModifiedMs),
    'accept-ranges': 'bytes',
    'x-amz-storage-class': object.storageClass === 'STANDARD' ? undefined : object.storageClass,
    'x-amz-mp-parts-count': selection.parts === undefined ? undefined : String(selection.parts),
    'x-amz-restore': restoreInfo(object),
    'x-amz-archive-status': object.tier,
    'content-length': String(length),
    'content-range': whole ? undefined : `bytes ${offset}-${offset + length - 1}/${object.bytes.size}`,
  };
  const status = whole ? 200 : 206;
  if (exchange.method === 'HEAD') return { status, headers };
  return { status, headers, body: whole ? object.bytes : object.bytes.slice(offset, length) };
};

/** Of an object that is being restored, or was; not of one in a tier, which then leaves it. */
function restoreInfo({ restored, restoring, tier }: StoredObject): string | undefined {
  if (restoring) return 'ongoing-request="true"';
  return restored && tier === undefined ? 'ongoing-request="false"' : undefined;
}

interface Selection {
  range?: { offset: number; length: number };
  parts?: number;
}

/** The bytes that Range or partNumber selects. */
function select(exchange: Exchange, object: StoredObject): Selection {
  const range = parseRange(exchange.header('range'), object.bytes.size);
  const text = exchange.query.get('partNumber');
  if (text === undefined) return range ? { range } : {};
  if (exchange.header('range') !== undefined) {
    throw new ServiceError('InvalidRequest', {
      message: 'Cannot specify both Range header and partNumber query parameter',
    });
  }
  const sizes = object.partSizes ?? [object.bytes.size];
  const n = exchange.query.integer('partNumber', 1, 1, 10_000);
  const length = sizes[n - 1];
  if (length === undefined)
    throw new ServiceError('InvalidRange', { message: 'The requested partnumber is not satisfiable' });
  const offset = sizes.slice(0, n - 1).reduce((sum, size) => sum + size, 0);
  return { range: { offset, length }, ...(object.partSizes ? { parts: sizes.length } : {}) };
}

function overrides(exchange: Exchange): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of RESPONSE_OVERRIDES) {
    const value = exchange.query.get(`response-${name}`);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

export const deleteObject: S3Handler = ({ exchange, bucket }): Reply => {
  const ifMatch = exchange.header('if-match');
  const current = bucket.current(exchange.key);
  if (ifMatch !== undefined && current && !isTagOf(ifMatch, current)) {
    throw new ServiceError('PreconditionFailed', { elements: { Condition: 'If-Match' } });
  }
  const result = bucket.delete(exchange.key, exchange.query.get('versionId'), bypassesGovernance(exchange));
  return {
    status: 204,
    headers: {
      'x-amz-delete-marker': result.deleteMarker ? 'true' : undefined,
      'x-amz-version-id': result.versionId,
    },
  };
};

export const restoreObject: S3Handler = ({ exchange, bucket, body }) =>
  askToRestore(
    bucket.find(exchange.key, exchange.query.get('versionId')),
    body.toString(),
    (object, { days, tier }) => {
      const tiering = object.storageClass === 'INTELLIGENT_TIERING';
      if (tiering ? days !== undefined : days === undefined) throw new ServiceError('MalformedXML');
      if (tier === 'Expedited' && object.storageClass === 'DEEP_ARCHIVE') throw new ServiceError('InvalidArgument');
    },
  );
