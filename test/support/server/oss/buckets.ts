import { deletionsFrom, tagsFrom, versioningFrom } from '../documents.js';
import { ServiceError } from '../errors.js';
import { mustKeepVersions, setHold, setRetention } from '../locks.js';
import { MAIN_OWNER } from '../model.js';
import { element, parseXml, textOf, wrap } from '../xml.js';
import { checkContentMd5, encoding, isoSeconds, type OssHandler, versionHeader, xmlReply } from './call.js';

const OWNER = wrap('Owner', element('ID', 'main'), element('DisplayName', 'main'));

export const listBuckets: OssHandler = ({ namespace }) => {
  const buckets = namespace
    .buckets()
    .map((bucket) =>
      wrap(
        'Bucket',
        element('CreationDate', isoSeconds(bucket.createdMs)),
        element('ExtranetEndpoint', `oss-${bucket.region}.aliyuncs.com`),
        element('IntranetEndpoint', `oss-${bucket.region}-internal.aliyuncs.com`),
        element('Location', `oss-${bucket.region}`),
        element('Name', bucket.name),
        element('StorageClass', 'Standard'),
      ),
    );
  return xmlReply('ListAllMyBucketsResult', OWNER + wrap('Buckets', ...buckets));
};

export const headBucket: OssHandler = ({ bucket }) => ({
  status: 200,
  headers: { 'x-oss-bucket-region': `oss-${bucket.region}` },
});

export const createBucket: OssHandler = ({ exchange, namespace, settings, body }) => {
  const name = exchange.bucketName;
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)) throw new ServiceError('InvalidBucketName');
  if (body.byteLength > 0) textOf(parseXml(body.toString(), 'CreateBucketConfiguration'), 'StorageClass');
  const mine = namespace.hasBucket(name) && namespace.bucket(name).owner === MAIN_OWNER;
  // Creating a bucket that the account owns already returns 200 if nothing changes ("PutBucket").
  if (!mine) namespace.createBucket(name, { region: settings.region });
  return { status: 200, headers: { location: `/${name}` } };
};

export const deleteBucket: OssHandler = ({ bucket, namespace }) => {
  if (!bucket.isEmpty) throw new ServiceError('BucketNotEmpty');
  namespace.deleteBucket(bucket.name);
  return { status: 204 };
};

export const getBucketInfo: OssHandler = ({ bucket }) =>
  xmlReply(
    'BucketInfo',
    wrap(
      'Bucket',
      element('CreationDate', isoSeconds(bucket.createdMs)),
      element('ExtranetEndpoint', `oss-${bucket.region}.aliyuncs.com`),
      element('IntranetEndpoint', `oss-${bucket.region}-internal.aliyuncs.com`),
      element('Location', `oss-${bucket.region}`),
      element('Name', bucket.name),
      element('StorageClass', 'Standard'),
      element('Versioning', bucket.versioning),
      element('TransferAcceleration', 'Disabled'),
      OWNER,
      wrap('AccessControlList', element('Grant', 'private')),
    ),
  );

export const getBucketLocation: OssHandler = ({ bucket }) => xmlReply('LocationConstraint', `oss-${bucket.region}`);

export const getBucketVersioning: OssHandler = ({ bucket }) =>
  xmlReply('VersioningConfiguration', element('Status', bucket.versioning));

export const putBucketVersioning: OssHandler = ({ bucket, body }) => {
  const wanted = versioningFrom(body.toString());
  mustKeepVersions(bucket, wanted);
  bucket.versioning = wanted;
  return { status: 200 };
};

export const deleteObjects: OssHandler = ({ exchange, bucket, body }) => {
  if (!checkContentMd5(exchange, body)) {
    throw new ServiceError('MissingArgument', {
      status: 400,
      message: 'Missing Some Required Arguments.',
      elements: { EC: '0016-00000606', ArgumentName: 'Content-MD5' },
    });
  }
  const encode = encoding(exchange.query);
  const { objects, quiet } = deletionsFrom(body.toString());
  const results = objects.map(({ key, versionId }) => {
    const result = bucket.delete(key, versionId);
    if (quiet) return '';
    const marker = result.deleteMarker
      ? element('DeleteMarker', true) + element('DeleteMarkerVersionId', result.versionId)
      : '';
    return wrap('Deleted', element('Key', encode(key)), element('VersionId', versionId), marker);
  });
  return xmlReply('DeleteResult', element('EncodingType', exchange.query.get('encoding-type')) + results.join(''));
};

export const getTagging: OssHandler = ({ exchange, bucket }) => {
  const { tags, versionId } = bucket.find(exchange.key, exchange.query.get('versionId'));
  const elements = tags.map((tag) => wrap('Tag', element('Key', tag.key), element('Value', tag.value)));
  return xmlReply('Tagging', wrap('TagSet', ...elements), versionHeader(bucket, versionId));
};

export const putTagging: OssHandler = ({ exchange, bucket, body }) => {
  bucket.find(exchange.key, exchange.query.get('versionId')).tags = tagsFrom(body.toString(), 'oss');
  return { status: 200 };
};

export const deleteTagging: OssHandler = ({ exchange, bucket }) => {
  bucket.find(exchange.key, exchange.query.get('versionId')).tags = [];
  return { status: 204 };
};

export const getAcl: OssHandler = ({ exchange, bucket }) => {
  const acl = exchange.key ? bucket.find(exchange.key, exchange.query.get('versionId')).acl : 'private';
  return xmlReply('AccessControlPolicy', OWNER + wrap('AccessControlList', element('Grant', acl)));
};

export const putAcl: OssHandler = ({ exchange, bucket }) => {
  const acl = exchange.vendor('object-acl') ?? '';
  if (!['default', 'private', 'public-read', 'public-read-write'].includes(acl))
    throw new ServiceError('InvalidArgument');
  bucket.find(exchange.key, exchange.query.get('versionId')).acl = acl;
  return { status: 200 };
};

export const putRetention: OssHandler = ({ exchange, bucket, body }) => {
  setRetention(bucket, bucket.find(exchange.key, exchange.query.get('versionId')), body.toString());
  return { status: 200 };
};

export const putLegalHold: OssHandler = ({ exchange, bucket, body }) => {
  setHold(bucket, bucket.find(exchange.key, exchange.query.get('versionId')), body.toString());
  return { status: 200 };
};
