import { checkAcl } from '../attributes.js';
import { deletionsFrom, tagsFrom, versioningFrom } from '../documents.js';
import { ServiceError } from '../errors.js';
import {
  bypassesGovernance,
  lockConfiguration,
  mustKeepVersions,
  setHold,
  setLockConfiguration,
  setRetention,
} from '../locks.js';
import { MAIN_OWNER } from '../model.js';
import { element, parseXml, textOf, wrap } from '../xml.js';
import { type S3Call, type S3Handler, xmlReply } from './call.js';
import { checkContentMd5, checkedChecksum } from './checksums.js';
import { isTagOf } from './objects.js';

/** Requests that change a sub-resource require Content-MD5 or a checksum. */
function checkProof({ exchange, body, trailers }: S3Call): void {
  const md5 = checkContentMd5(exchange, body);
  const checksum = checkedChecksum(exchange, trailers, body);
  if (!md5 && !checksum) {
    throw new ServiceError('InvalidRequest', {
      message: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    });
  }
}

export const listBuckets: S3Handler = ({ namespace }) => {
  const buckets = namespace
    .buckets()
    .map((bucket) =>
      wrap('Bucket', element('Name', bucket.name), element('CreationDate', new Date(bucket.createdMs).toISOString())),
    );
  return xmlReply('ListAllMyBucketsResult', wrap('Buckets', ...buckets));
};

export const headBucket: S3Handler = ({ bucket }) => ({
  status: 200,
  headers: { 'x-amz-bucket-region': bucket.region },
});

export const createBucket: S3Handler = ({ exchange, namespace, settings, body }) => {
  const name = exchange.bucketName;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw new ServiceError('InvalidBucketName');
  const document = body.byteLength > 0 ? parseXml(body.toString(), 'CreateBucketConfiguration') : {};
  const region = textOf(document, 'LocationConstraint') ?? 'us-east-1';
  if (region !== settings.region) throw new ServiceError('IllegalLocationConstraintException');
  // Only us-east-1 returns 200 for a bucket that the account owns already ("CreateBucket", BucketAlreadyOwnedByYou).
  const mine = namespace.hasBucket(name) && namespace.bucket(name).owner === MAIN_OWNER;
  if (!mine || region !== 'us-east-1') namespace.createBucket(name, { region });
  return { status: 200, headers: { location: `/${name}` } };
};

export const deleteBucket: S3Handler = ({ bucket, namespace }) => {
  if (!bucket.isEmpty) throw new ServiceError('BucketNotEmpty');
  namespace.deleteBucket(bucket.name);
  return { status: 204 };
};

export const getBucketLocation: S3Handler = ({ bucket }) =>
  xmlReply('LocationConstraint', bucket.region === 'us-east-1' ? '' : bucket.region);

export const getBucketVersioning: S3Handler = ({ bucket }) =>
  xmlReply('VersioningConfiguration', element('Status', bucket.versioning));

export const putBucketVersioning: S3Handler = (call) => {
  checkProof(call);
  const wanted = versioningFrom(call.body.toString());
  mustKeepVersions(call.bucket, wanted);
  call.bucket.versioning = wanted;
  return { status: 200 };
};

export const getLockConfiguration: S3Handler = ({ bucket }) =>
  xmlReply('ObjectLockConfiguration', lockConfiguration(bucket));

export const putLockConfiguration: S3Handler = (call) => {
  checkProof(call);
  setLockConfiguration(call.bucket, call.body.toString());
  return { status: 200 };
};

export const deleteObjects: S3Handler = (call) => {
  checkProof(call);
  const { objects, quiet } = deletionsFrom(call.body.toString());
  const results = objects.map(({ key, versionId, etag }) => {
    const current = call.bucket.current(key);
    if (etag !== undefined && current && !isTagOf(etag, current)) {
      return wrap('Error', element('Key', key), element('Code', 'PreconditionFailed'), element('Message', 'no match'));
    }
    const result = deleteOrRefuse(call, key, versionId);
    if (result instanceof ServiceError) {
      const named = element('Key', key) + element('VersionId', versionId);
      return wrap('Error', named, element('Code', result.code), element('Message', result.message));
    }
    if (quiet) return '';
    const marker = result.deleteMarker
      ? element('DeleteMarker', true) + element('DeleteMarkerVersionId', result.versionId)
      : '';
    return wrap('Deleted', element('Key', key), element('VersionId', versionId), marker);
  });
  return xmlReply('DeleteResult', results.join(''));
};

/** What a lock refuses is an error of its key. */
function deleteOrRefuse({ exchange, bucket }: Parameters<S3Handler>[0], key: string, versionId?: string) {
  try {
    return bucket.delete(key, versionId, bypassesGovernance(exchange));
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}

export const getTagging: S3Handler = ({ exchange, bucket }) => {
  const { tags } = bucket.find(exchange.key, exchange.query.get('versionId'));
  const elements = tags.map((tag) => wrap('Tag', element('Key', tag.key), element('Value', tag.value)));
  return xmlReply('Tagging', wrap('TagSet', ...elements));
};

export const putTagging: S3Handler = (call) => {
  checkProof(call);
  const { exchange, bucket, body } = call;
  const tags = tagsFrom(body.toString(), 's3');
  bucket.find(exchange.key, exchange.query.get('versionId')).tags = tags;
  return { status: 200 };
};

export const deleteTagging: S3Handler = ({ exchange, bucket }) => {
  bucket.find(exchange.key, exchange.query.get('versionId')).tags = [];
  return { status: 204 };
};

const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

/** The grants of a canned ACL. */
function aclReply(acl: string) {
  const owner = wrap('Owner', element('ID', 'main'));
  const grant = (grantee: string, permission: string) => wrap('Grant', grantee, element('Permission', permission));
  const self = `<Grantee ${XSI} xsi:type="CanonicalUser">${element('ID', 'main')}</Grantee>`;
  const group = (name: string) =>
    `<Grantee ${XSI} xsi:type="Group">${element('URI', `http://acs.amazonaws.com/groups/global/${name}`)}</Grantee>`;
  const grants = [grant(self, 'FULL_CONTROL')];
  if (acl.startsWith('public-read')) grants.push(grant(group('AllUsers'), 'READ'));
  if (acl === 'public-read-write') grants.push(grant(group('AllUsers'), 'WRITE'));
  if (acl === 'authenticated-read') grants.push(grant(group('AuthenticatedUsers'), 'READ'));
  return xmlReply('AccessControlPolicy', owner + wrap('AccessControlList', ...grants));
}

export const getAcl: S3Handler = ({ exchange, bucket }) =>
  aclReply(exchange.key ? bucket.find(exchange.key, exchange.query.get('versionId')).acl : 'private');

export const putAcl: S3Handler = ({ exchange, bucket }) => {
  const acl = exchange.vendor('acl');
  if (acl === undefined) throw new ServiceError('NotImplemented', { message: 'Only canned ACLs are kept.' });
  checkAcl(acl, bucket);
  bucket.find(exchange.key, exchange.query.get('versionId')).acl = acl;
  return { status: 200 };
};

export const putRetention: S3Handler = (call) => {
  checkProof(call);
  const { exchange, bucket, body } = call;
  setRetention(
    bucket,
    bucket.find(exchange.key, exchange.query.get('versionId')),
    body.toString(),
    bypassesGovernance(exchange),
  );
  return { status: 200 };
};

export const putLegalHold: S3Handler = (call) => {
  checkProof(call);
  const { exchange, bucket, body } = call;
  setHold(bucket, bucket.find(exchange.key, exchange.query.get('versionId')), body.toString());
  return { status: 200 };
};
