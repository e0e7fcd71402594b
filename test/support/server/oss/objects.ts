import { attributeHeaders, checkKey, httpDate, readAttributes } from '../attributes.js';
import type { Bucket } from '../bucket.js';
import { Bytes } from '../bytes.js';
import { type ByteRange, checkConditions, parseRange } from '../conditions.js';
import { encryptionHeaders, isOpaque } from '../encryption.js';
import { ServiceError } from '../errors.js';
import type { Exchange, Reply } from '../exchange.js';
import { crc, digest } from '../hashes.js';
import { isFrozen, type ObjectAttributes, type StoredObject } from '../model.js';
import { decodeComponent, encodeUri } from '../query.js';
import { askToRestore } from '../restoring.js';
import { checkContentMd5, checkOverwrite, crcHeader, type OssCall, type OssHandler, versionHeader } from './call.js';

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

/** OSS has no conditional writes: If-* headers on PUT are refused. @throws NotImplemented */
function refuseConditions(exchange: Exchange): void {
  for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    if (exchange.header(name) !== undefined) {
      throw new ServiceError('NotImplemented', { status: 400, elements: { Header: name } });
    }
  }
}

export const putObject: OssHandler = (call) => {
  const { exchange, bucket, body } = call;
  refuseConditions(exchange);
  checkContentMd5(exchange, body);
  checkOverwrite(call);
  const object = bucket.put(exchange.key, storedBytes(exchange, body), readAttributes(exchange, bucket));
  return { status: 200, headers: { ...contentMd5(object), ...writtenHeaders(call, object) } };
};

function writtenHeaders({ bucket }: OssCall, object: StoredObject): Record<string, string | undefined> {
  return {
    etag: `"${object.etag}"`,
    ...encryptionHeaders(object.encryption, 'oss'),
    ...crcHeader(object),
    ...versionHeader(bucket, object.versionId),
  };
}

function contentMd5(object: StoredObject): Record<string, string> {
  if (object.type !== 'Normal' || object.via !== undefined || isOpaque(object.encryption)) return {};
  return { 'content-md5': Buffer.from(object.etag, 'hex').toString('base64') };
}

export const appendObject: OssHandler = (call) => {
  const { exchange, bucket, body } = call;
  const position = exchange.query.integer('position', 0, 0, Number.MAX_SAFE_INTEGER);
  checkContentMd5(exchange, body);
  const old = bucket.current(exchange.key);
  if (old && old.type !== 'Appendable') throw new ServiceError('ObjectNotAppendable');
  const length = old?.bytes.size ?? 0;
  if (position !== length) {
    throw new ServiceError('PositionNotEqualToLength', {
      headers: {
        'x-oss-next-append-position': String(length),
        ...(old?.crc64ecma ? { 'x-oss-hash-crc64ecma': old.crc64ecma } : {}),
      },
    });
  }
  const bytes = new Bytes([...(old?.bytes.chunks ?? []), body]);
  const object = bucket.store({
    ...(old ?? bucket.attributes(readAttributes(exchange, bucket))),
    key: exchange.key,
    bytes,
    // Not an MD5. It is documented only as a value that changes with the content.
    etag: digest('md5', [Buffer.from(`append ${length}`), body])
      .toString('hex')
      .toUpperCase(),
    type: 'Appendable',
    crc64ecma: crc('crc64ecma', bytes.chunks).toString(),
    lastModifiedMs: bucket.now(),
  });
  const next = { 'x-oss-next-append-position': String(bytes.size) };
  return { status: 200, headers: { ...writtenHeaders(call, object), ...next } };
};

/**
 * GET and HEAD differ only in the body. Of a symlink, size, ETag, storage class and Content-MD5 are the target's,
 * Last-Modified is the later one of both, and everything else is the link's ("HeadObject", response headers).
 */
export const readObject: OssHandler = ({ exchange, bucket }) => {
  const named = bucket.find(exchange.key, exchange.query.get('versionId'));
  const object = named.type === 'Symlink' ? targetOf(named, (key) => bucket.current(key)) : named;
  checkConditions(exchange, object);
  if (exchange.kind === 'GetObject' && isFrozen(object)) {
    throw new ServiceError('InvalidObjectState', { elements: { ObjectName: object.key } });
  }
  const range = exchange.method === 'GET' ? ossRange(exchange, object.bytes.size) : undefined;
  const { offset, length } = range ?? { offset: 0, length: object.bytes.size };
  const headers = {
    ...attributeHeaders(named, 'oss'),
    ...overrides(exchange),
    ...objectHeaders(named, object),
    ...versionHeader(bucket, named.versionId),
    'accept-ranges': 'bytes',
    'content-length': String(length),
    'content-range': range ? `bytes ${offset}-${offset + length - 1}/${object.bytes.size}` : undefined,
  };
  const status = range ? 206 : 200;
  if (exchange.method === 'HEAD') return { status, headers };
  return { status, headers, body: range ? object.bytes.slice(offset, length) : object.bytes };
};

function objectHeaders(named: StoredObject, object: StoredObject): Record<string, string | undefined> {
  return {
    etag: `"${object.etag}"`,
    'last-modified': httpDate(Math.max(named.lastModifiedMs, object.lastModifiedMs)),
    'x-oss-object-type': named.type,
    'x-oss-storage-class': object.storageClass,
    'x-oss-symlink-target': named.symlinkTarget === undefined ? undefined : encodeUri(named.symlinkTarget),
    'x-oss-next-append-position': object.type === 'Appendable' ? String(object.bytes.size) : undefined,
    'x-oss-restore': restoreInfo(object),
    ...encryptionHeaders(named.encryption, 'oss'),
    ...contentMd5(object),
    ...crcHeader(named),
  };
}

/** Of an archived object that is readable for a while, in headers and listings. */
export function restoreInfo({ restored, restoring, lastModifiedMs }: StoredObject): string | undefined {
  if (restoring) return 'ongoing-request="true"';
  if (!restored) return undefined;
  return `ongoing-request="false", expiry-date="${httpDate(lastModifiedMs + RESTORED_MS)}"`;
}

const RESTORED_MS = 24 * 3600 * 1000;

function targetOf(link: StoredObject, find: (key: string) => StoredObject | undefined): StoredObject {
  const target = find(link.symlinkTarget ?? '');
  if (!target) throw new ServiceError('SymlinkTargetNotExist');
  if (target.type === 'Symlink') throw new ServiceError('InvalidTargetType');
  return target;
}

/**
 * OSS ignores a range that is not entirely within the object and returns 200 with the whole object, unless
 * `x-oss-range-behavior: standard` requests the behavior of RFC 9110 ("Range download", out-of-range requests).
 */
function ossRange(exchange: Exchange, size: number): ByteRange | undefined {
  const header = exchange.header('range');
  if (exchange.vendor('range-behavior') === 'standard') return parseRange(header, size);
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  const outside =
    first === '' ? Number(last) > size || Number(last) === 0 : Number(first) >= size || Number(last) >= size;
  return outside ? undefined : parseRange(header, size);
}

function overrides(exchange: Exchange): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of RESPONSE_OVERRIDES) {
    const value = exchange.query.get(`response-${name}`);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

export const getObjectMeta: OssHandler = ({ exchange, bucket }) => {
  const object = bucket.find(exchange.key, exchange.query.get('versionId'));
  return {
    status: 200,
    headers: {
      etag: `"${object.etag}"`,
      'last-modified': httpDate(object.lastModifiedMs),
      'content-length': exchange.method === 'HEAD' ? String(object.bytes.size) : '0',
      ...versionHeader(bucket, object.versionId),
      ...crcHeader(object),
    },
  };
};

export const deleteObject: OssHandler = ({ exchange, bucket }): Reply => {
  const result = bucket.delete(exchange.key, exchange.query.get('versionId'));
  return {
    status: 204,
    headers: { 'x-oss-delete-marker': result.deleteMarker ? 'true' : undefined, 'x-oss-version-id': result.versionId },
  };
};

export const restoreObject: OssHandler = ({ exchange, bucket, body }) =>
  askToRestore(
    bucket.find(exchange.key, exchange.query.get('versionId')),
    body.toString(),
    ({ storageClass }, { days = 0, tier }) => {
      const cold = storageClass !== 'Archive';
      if (days < 1 || days > (cold ? 365 : 7)) throw new ServiceError('MalformedXML');
      const known = ['Standard', 'Expedited', ...(storageClass === 'ColdArchive' ? ['Bulk'] : [])];
      if (tier !== undefined && !(cold && known.includes(tier))) throw new ServiceError('MalformedXML');
    },
  );

export const putSymlink: OssHandler = (call) => {
  const { exchange, bucket } = call;
  const target = exchange.vendor('symlink-target');
  if (!target) throw new ServiceError('InvalidArgument', { message: 'x-oss-symlink-target is missing.' });
  checkOverwrite(call);
  const link = storeLink(bucket, exchange.key, checkedTarget(target), readAttributes(exchange, bucket));
  return { status: 200, headers: versionHeader(bucket, link.versionId) };
};

/** Its ETag is not documented; it differs with the target. */
export function storeLink(
  bucket: Bucket,
  key: string,
  symlinkTarget: string,
  attributes: ObjectAttributes = {},
): StoredObject {
  const etag = digest('md5', [Buffer.from(symlinkTarget)]);
  return bucket.store({
    ...bucket.attributes(attributes),
    ...{ key, bytes: new Bytes([]), type: 'Symlink', symlinkTarget, lastModifiedMs: bucket.now() },
    etag: etag.toString('hex').toUpperCase(),
  });
}

/** "The naming conventions are those of objects", and the name is URL-encoded. @throws InvalidObjectName */
function checkedTarget(text: string): string {
  const target = decodeComponent(text);
  checkKey(target, 'oss');
  return target;
}

export const getSymlink: OssHandler = ({ exchange, bucket }) => {
  const link = bucket.find(exchange.key, exchange.query.get('versionId'));
  if (link.type !== 'Symlink') throw new ServiceError('NotSymlink');
  return {
    status: 200,
    headers: {
      etag: `"${link.etag}"`,
      'last-modified': httpDate(link.lastModifiedMs),
      ...attributeHeaders(link, 'oss'),
      ...versionHeader(bucket, link.versionId),
      'x-oss-symlink-target': encodeUri(link.symlinkTarget ?? ''),
    },
  };
};
