import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { listObjects, listVersions, makeToken, readToken, uploadsAfter, uploadsInOrder } from '../listing.js';
import type { StoredObject } from '../model.js';
import { encodeUri, type Query } from '../query.js';
import { element, wrap } from '../xml.js';
import { type S3Handler, xmlReply } from './call.js';

type Encode = (text: string) => string;

/** `encoding-type=url` as S3 writes it: a space is `+`, `/` and `*` stay. @throws InvalidArgument */
function encoding(query: Query): Encode {
  const type = query.get('encoding-type');
  if (type === undefined) return (text) => text;
  if (type !== 'url')
    throw new ServiceError('InvalidArgument', { message: 'Invalid Encoding Method specified in Request' });
  return (text) => encodeUri(text, true).replaceAll('%20', '+').replaceAll('%2A', '*').replaceAll('~', '%7E');
}

const OWNER = wrap('Owner', element('ID', 'main'), element('DisplayName', 'main'));

/** Shown on request, by `x-amz-optional-object-attributes: RestoreStatus`, of objects that were asked for. */
function restoreStatus({ restored, restoring }: StoredObject): string {
  if (!restored && !restoring) return '';
  return wrap('RestoreStatus', element('IsRestoreInProgress', restoring === true));
}

function objectElement(object: StoredObject, encode: Encode, owner: boolean, version = ''): string {
  const { checksum } = object;
  return [
    element('Key', encode(object.key)),
    version,
    element('LastModified', new Date(object.lastModifiedMs).toISOString()),
    element('ETag', `"${object.etag}"`),
    checksum ? element('ChecksumAlgorithm', checksum.name.toUpperCase()) + element('ChecksumType', checksum.type) : '',
    element('Size', object.bytes.size),
    owner ? OWNER : '',
    element('StorageClass', object.storageClass),
  ].join('');
}

/** A fault can reverse the page. */
function ordered<T>(exchange: Exchange, items: T[]): T[] {
  return exchange.fault('unordered-list') ? [...items].reverse() : items;
}

function prefixElements(prefixes: readonly string[], encode: Encode): string {
  return prefixes.map((prefix) => wrap('CommonPrefixes', element('Prefix', encode(prefix)))).join('');
}

export const listBucket: S3Handler = (call) =>
  call.exchange.query.get('list-type') === '2' ? listV2(call) : listV1(call);

const listV2: S3Handler = ({ exchange, bucket }) => {
  const { query } = exchange;
  const encode = encoding(query);
  const token = query.get('continuation-token');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const startAfter = query.get('start-after');
  const maxKeys = query.integer('max-keys', 1000, 0, 1000);
  const after = token === undefined ? (startAfter ?? '') : readToken(bucket, token);
  const page = listObjects(bucket, { prefix, delimiter, after, maxKeys });
  const owner = query.get('fetch-owner') === 'true';
  const content = [
    element('Name', bucket.name),
    element('Prefix', encode(prefix)),
    element('StartAfter', startAfter === undefined ? undefined : encode(startAfter)),
    element('ContinuationToken', token),
    element('NextContinuationToken', page.next === undefined ? undefined : makeToken(bucket, page.next)),
    element('KeyCount', page.objects.length + page.prefixes.length),
    element('MaxKeys', maxKeys),
    delimiter ? element('Delimiter', encode(delimiter)) : '',
    element('EncodingType', query.get('encoding-type')),
    element('IsTruncated', page.next !== undefined),
    ...ordered(exchange, page.objects).map((object) => {
      const asked = exchange.vendor('optional-object-attributes') === 'RestoreStatus';
      return wrap('Contents', objectElement(object, encode, owner), asked ? restoreStatus(object) : '');
    }),
    prefixElements(page.prefixes, encode),
  ];
  return xmlReply('ListBucketResult', content.join(''));
};

const listV1: S3Handler = ({ exchange, bucket }) => {
  const { query } = exchange;
  const encode = encoding(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const marker = query.get('marker') ?? '';
  const maxKeys = query.integer('max-keys', 1000, 0, 1000);
  const page = listObjects(bucket, { prefix, delimiter, after: marker, maxKeys });
  const content = [
    element('Name', bucket.name),
    element('Prefix', encode(prefix)),
    element('Marker', encode(marker)),
    // S3 returns NextMarker only with a delimiter. Otherwise the last key is the marker.
    element('NextMarker', delimiter && page.next !== undefined ? encode(page.next) : undefined),
    element('MaxKeys', maxKeys),
    delimiter ? element('Delimiter', encode(delimiter)) : '',
    element('EncodingType', query.get('encoding-type')),
    element('IsTruncated', page.next !== undefined),
    ...ordered(exchange, page.objects).map((object) => `<Contents>${objectElement(object, encode, true)}</Contents>`),
    prefixElements(page.prefixes, encode),
  ];
  return xmlReply('ListBucketResult', content.join(''));
};

export const listObjectVersions: S3Handler = ({ exchange, bucket }) => {
  const { query } = exchange;
  const encode = encoding(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = query.get('key-marker') ?? '';
  const afterVersion = query.get('version-id-marker') ?? '';
  const maxKeys = query.integer('max-keys', 1000, 0, 1000);
  const page = listVersions(bucket, { prefix, delimiter, after, afterVersion, maxKeys });
  const content = [
    element('Name', bucket.name),
    element('Prefix', encode(prefix)),
    element('KeyMarker', encode(after)),
    element('VersionIdMarker', afterVersion),
    page.next ? element('NextKeyMarker', encode(page.next.key)) : '',
    page.next?.versionId ? element('NextVersionIdMarker', page.next.versionId) : '',
    element('MaxKeys', maxKeys),
    element('EncodingType', query.get('encoding-type')),
    element('IsTruncated', page.next !== undefined),
    ...page.versions.map(({ object, isLatest }) => versionElement(object, isLatest, encode)),
    prefixElements(page.prefixes, encode),
  ];
  return xmlReply('ListVersionsResult', content.join(''));
};

function versionElement(object: StoredObject, isLatest: boolean, encode: Encode): string {
  const version = element('VersionId', object.versionId) + element('IsLatest', isLatest);
  if (!object.deleteMarker) return wrap('Version', objectElement(object, encode, true, version));
  const modified = element('LastModified', new Date(object.lastModifiedMs).toISOString());
  return wrap('DeleteMarker', element('Key', encode(object.key)), version, modified, OWNER);
}

export const listMultipartUploads: S3Handler = ({ exchange, bucket }) => {
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
    element('KeyMarker', encode(keyMarker)),
    element('UploadIdMarker', idMarker),
    truncated && last ? element('NextKeyMarker', encode(last.key)) + element('NextUploadIdMarker', last.uploadId) : '',
    element('Prefix', encode(prefix)),
    element('EncodingType', query.get('encoding-type')),
    element('MaxUploads', maxUploads),
    element('IsTruncated', truncated),
    ...page.map((upload) =>
      wrap(
        'Upload',
        element('Key', encode(upload.key)),
        element('UploadId', upload.uploadId),
        OWNER,
        element('StorageClass', upload.storageClass),
        element('Initiated', new Date(upload.initiatedMs).toISOString()),
      ),
    ),
  ];
  return xmlReply('ListMultipartUploadsResult', content.join(''));
};
