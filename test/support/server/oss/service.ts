import { checkKey, httpDate } from '../attributes.js';
import { readBody } from '../body.js';
import { Bucket } from '../bucket.js';
import type { Namespace } from '../core.js';
import { ServiceError } from '../errors.js';
import type { Exchange, Reply } from '../exchange.js';
import type { RequestKind } from '../kinds.js';
import { MAIN_OWNER } from '../model.js';
import type { Service } from '../serve.js';
import { element, wrap, XML_HEAD } from '../xml.js';
import * as buckets from './buckets.js';
import type { OssHandler, OssSettings } from './call.js';
import { copyObject, uploadPartCopy } from './copies.js';
import { checkHost, ossLocate } from './hosts.js';
import * as lists from './lists.js';
import * as multipart from './multipart.js';
import * as objects from './objects.js';
import { verifyOss } from './verify.js';

const HANDLERS: Partial<Record<RequestKind, OssHandler>> = {
  ListBuckets: buckets.listBuckets,
  ListObjects: lists.listBucket,
  ListObjectVersions: lists.listObjectVersions,
  ListMultipartUploads: lists.listMultipartUploads,
  HeadBucket: buckets.headBucket,
  CreateBucket: buckets.createBucket,
  DeleteBucket: buckets.deleteBucket,
  GetBucketInfo: buckets.getBucketInfo,
  GetBucketLocation: buckets.getBucketLocation,
  GetBucketVersioning: buckets.getBucketVersioning,
  PutBucketVersioning: buckets.putBucketVersioning,
  GetBucketAcl: buckets.getAcl,
  DeleteObjects: buckets.deleteObjects,
  HeadObject: objects.readObject,
  GetObject: objects.readObject,
  GetObjectMeta: objects.getObjectMeta,
  PutObject: objects.putObject,
  AppendObject: objects.appendObject,
  CopyObject: copyObject,
  DeleteObject: objects.deleteObject,
  CreateMultipartUpload: multipart.createMultipartUpload,
  UploadPart: multipart.uploadPart,
  UploadPartCopy: uploadPartCopy,
  ListParts: multipart.listParts,
  CompleteMultipartUpload: multipart.completeMultipartUpload,
  AbortMultipartUpload: multipart.abortMultipartUpload,
  GetObjectTagging: buckets.getTagging,
  PutObjectTagging: buckets.putTagging,
  DeleteObjectTagging: buckets.deleteTagging,
  GetObjectAcl: buckets.getAcl,
  PutObjectAcl: buckets.putAcl,
  PutObjectRetention: buckets.putRetention,
  PutObjectLegalHold: buckets.putLegalHold,
  GetSymlink: objects.getSymlink,
  PutSymlink: objects.putSymlink,
  RestoreObject: objects.restoreObject,
};

/** Requests that do not require an existing bucket. */
const BUCKETLESS = new Set<RequestKind>(['ListBuckets', 'CreateBucket']);

export function ossService(settings: OssSettings, namespace: Namespace): Service {
  return {
    protocol: 'oss',
    locate: ossLocate(settings),
    async handle(exchange, beforeEffect) {
      checkHost(exchange, settings);
      verifyOss(exchange, settings);
      const handler = HANDLERS[exchange.kind];
      if (!handler) throw new ServiceError('MethodNotAllowed');
      const bucket = reachBucket(exchange, namespace, settings);
      if (exchange.key) checkKey(exchange.key, 'oss');
      const body = await readBody(exchange, { maxBytes: settings.maxPutSize, chunkedAllowed: true });
      await beforeEffect();
      return handler({ exchange, settings, namespace, bucket, body });
    },
    refuse,
    common: (exchange) => ({
      'x-oss-request-id': exchange.requestId,
      'x-oss-server-time': '1',
      date: httpDate(exchange.now()),
      server: 'AliyunOSS',
    }),
  };
}

/** @throws NoSuchBucket, AccessDenied (with the correct Endpoint when the region differs) */
function reachBucket(exchange: Exchange, namespace: Namespace, settings: OssSettings): Bucket {
  if (BUCKETLESS.has(exchange.kind)) return NO_BUCKET;
  const bucket = namespace.bucket(exchange.bucketName);
  if (bucket.region !== settings.region) {
    throw new ServiceError('AccessDenied', {
      message:
        'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
      elements: { Bucket: bucket.name, Endpoint: `oss-${bucket.region}.aliyuncs.com`, EC: '0003-00001403' },
    });
  }
  if (bucket.owner !== MAIN_OWNER) {
    throw new ServiceError('AccessDenied', { message: 'The bucket you access does not belong to you.' });
  }
  return bucket;
}

/** A placeholder for requests without a bucket; never read. */
const NO_BUCKET = new Bucket('', { protocol: 'oss', region: '', now: () => 0 });

/** The response to a HEAD has no body, so OSS sends the XML as base64 in a header. */
function refuse(exchange: Exchange, error: ServiceError): Reply {
  const body = `${XML_HEAD}${wrap(
    'Error',
    element('Code', error.code),
    element('Message', error.message),
    element('RequestId', exchange.requestId),
    element('HostId', (exchange.header('host') ?? '').replace(/:\d+$/, '')),
    ...Object.entries(error.elements).map(([name, text]) => element(name, text)),
  )}`;
  if (error.status === 304) return { status: 304, headers: error.headers };
  if (exchange.method === 'HEAD') {
    const headers = { ...error.headers, 'x-oss-err': Buffer.from(body).toString('base64') };
    return { status: error.status, headers };
  }
  return { status: error.status, headers: { 'content-type': 'application/xml', ...error.headers }, body };
}
