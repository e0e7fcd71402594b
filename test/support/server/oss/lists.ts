import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { listObjects, listVersions, makeToken, readToken, uploadsAfter, uploadsInOrder } from '../listing.js';
import type { StoredObject } from '../model.js';
import type { Query } from '../query.js';
import { element, wrap } from '../xml.js';
import { encoding, etagElement, isoSeconds, type OssHandler, xmlReply } from './call.js';
import { restoreInfo } from './objects.js';

type Encode = (text: string) => string;

const OWNER = wrap('Owner', element('ID', 'main'), element('DisplayName', 'main'));

/** OSS refuses page sizes above 1000 instead of reducing them. @throws InvalidArgument */
function maxKeysOf(query: Query): number {
  const n = query.integer('max-keys', 100, 1, 1_000_000);
  if (n <= 1000) return n;
  throw new ServiceError('InvalidArgument', { elements: { ArgumentName: 'max-keys', ArgumentValue: String(n) } });
}

function objectElement(object: StoredObject, encode: Encode, owner: boolean, version = ''): string {
  return [
    element('Key', encode(object.key)),
    version,
    element('LastModified', isoSeconds(object.lastModifiedMs)),
    etagElement(object.etag),
    element('Type', object.type),
    element('Size', object.bytes.size),
    element('StorageClass', object.storageClass),
    element('RestoreInfo', restoreInfo(object)),
    owner ? OWNER : '',
  ].join('');
}

/** A fault can reverse the page. */
function ordered<T>(exchange: Exchange, items: T[]): T[] {
  return exchange.fault('unordered-list') ? [...items].reverse() : items;
}

function prefixElements(prefixes: readonly string[], encode: Encode): string {
  return prefixes.map((prefix) => wrap('CommonPrefixes', element('Prefix', encode(prefix)))).join('');
}

export const listBucket: OssHandler = (call) =>
  call.exchange.query.get('list-type') === '2' ? listV2(call) : listV1(call);

const listV2: OssHandler = ({ exchange, bucket }) => {
  const { query } = exchange;
  const encode = encoding(query);
  const token = query.get('continuation-token');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const startAfter = query.get('start-after') ?? '';
  const maxKeys = maxKeysOf(query);
  const page = listObjects(bucket, {
    prefix,
    delimiter,
    after: token ? readToken(bucket, token) : startAfter,
    maxKeys,
  });
  const owner = query.get('fetch-owner') === 'true';
  const content = [
    element('Name', bucket.name),
    element('Prefix', encode(prefix)),
    element('StartAfter', encode(startAfter)),
    element('ContinuationToken', token),
    element('MaxKeys', maxKeys),
    element('Delimiter', encode(delimiter)),
    element('EncodingType', query.get('encoding-type')),
    element('IsTruncated', page.next !== undefined),
    element('NextContinuationToken', page.next === undefined ? undefined : encode(makeToken(bucket, page.next))),
    ...ordered(exchange, page.objects).map((object) => `<Contents>${objectElement(object, encode, owner)}</Contents>`),
    prefixElements(page.prefixes, encode),
    element('KeyCount', page.objects.length + page.prefixes.length),
  ];
  return xmlReply('ListBucketResult', content.join(''));
};

const listV1: OssHandler = ({ exchange, bucket }) => {
  const { query } = exchange;
  const encode = encoding(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const marker = query.get('marker') ?? '';
  const maxKeys = maxKeysOf(query);
  const page = listObjects(bucket, { prefix, delimiter, after: marker, maxKeys });
  const content = [
    element('Name', bucket.name),
    element('Prefix', encode(prefix)),
    element('Marker', encode(marker)),
    element('MaxKeys', maxKeys),
    element('Delimiter', encode(delimiter)),
    element('EncodingType', query.get('encoding-type')),
    element('IsTruncated', page.next !== undefined),
    element('NextMarker', page.next === undefined ? undefined : encode(page.next)),
    ...ordered(exchange, page.objects).map((object) => `<Contents>${objectElement(object, encode, true)}</Contents>`),
    prefixElements(page.prefixes, encode),
  ];
  return xmlReply('ListBucketResult', content.join(''));
};

export const listObjectVersions: OssHandler = ({ exchange, bucket }) => {
  const { query } = exchange;
  const encode = encoding(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = query.get('key-marker') ?? '';
  const afterVersion = query.get('version-id-marker') ?? '';
  const maxKeys = maxKeysOf(query);
  const page = listVersions(bucket, { prefix, delimiter, after, afterVersion, maxKeys });
  const content = [
    element('Name', bucket.name),
    element('Prefix', encode(prefix)),
    element('KeyMarker', encode(after)),
    element('VersionIdMarker', afterVersion),
    element('MaxKeys', maxKeys),
    element('Delimiter', encode(delimiter)),
    element('EncodingType', query.get('encoding-type')),
    element('IsTruncated', page.next !== undefined),
    page.next ? element('NextKeyMarker', encode(page.next.key)) : '',
    page.next?.versionId ? element('NextVersionIdMarker', page.next.versionId) : '',
    ...page.versions.map(({ object, isLatest }) => versionElement(object, isLatest, encode)),
    prefixElements(page.prefixes, encode),
  ];
  return xmlReply('ListVersionsResult', content.join(''));
};

function versionElement(object: StoredObject, isLatest: boolean, encode: Encode): string {
  const version = element('VersionId', object.versionId) + element('IsLatest', isLatest);
  if (!object.deleteMarker) return wrap('Version', objectElement(object, encode, true, version));
  const modified = element('LastModified', isoSeconds(object.lastModifiedMs));
  return wrap('DeleteMarker', element('Key', encode(object.key)), version, modified, OWNER);
}

export const listMultipartUploads: OssHandler = ({ exchange, bucket }) => {
  const { query } = exchange;
  const encode = encoding(query);
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const maxUploads = query.integer('max-uploads', 1000, 1, 1000);
  const matching = uploadsInOrder(bucket).filter((upload) => upload.key.startsWith(prefix));
  const rest = uploadsAfter(matching, keyMarker, idMarker);
  const page = rest.slice(0, maxUploads);
  const last = page.at(-1);
  const truncated = rest.length > page.length;
  const content = [
    element('Bucket', bucket.name),
    element('EncodingType', query.get('encoding-type')),
    element('KeyMarker', encode(keyMarker)),
    element('UploadIdMarker', idMarker),
    element('NextKeyMarker', truncated && last ? encode(last.key) : ''),
    element('NextUploadIdMarker', truncated && last ? last.uploadId : ''),
    element('Delimiter', ''),
    element('Prefix', encode(prefix)),
    element('MaxUploads', maxUploads),
    element('IsTruncated', truncated),
    ...page.map((upload) =>
      wrap(
        'Upload',
        element('Key', encode(upload.key)),
        element('UploadId', upload.uploadId),
        element('StorageClass', upload.storageClass),
        element('Initiated', isoSeconds(upload.initiatedMs)),
      ),
    ),
  ];
  return xmlReply('ListMultipartUploadsResult', content.join(''));
};
