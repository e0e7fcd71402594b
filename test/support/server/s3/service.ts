import { checkKey, httpDate } from '../attributes.js';
import { readBody } from '../body.js';
import { Bucket } from '../bucket.js';
import type { Namespace } from '../core.js';
import { ServiceError } from '../errors.js';
import { type Exchange, locateInPath, type Reply } from '../exchange.js';
import type { RequestKind } from '../kinds.js';
import { MAIN_OWNER } from '../model.js';
import type { Service } from '../serve.js';
import { element, wrap, XML_HEAD } from '../xml.js';
import * as buckets from './buckets.js';
import type { S3Handler, S3Settings } from './call.js';
import { copyObject, uploadPartCopy } from './copies.js';
import * as lists from './lists.js';
import * as multipart from './multipart.js';
import { deleteObject, putObject, readObject, restoreObject } from './objects.js';
import { decodePayload } from './payload.js';
import { verifySigV4 } from './sigv4.js';

const HANDLERS: Partial<Record<RequestKind, S3Handler>> = {
  ListBuckets: buckets.listBuckets,
  ListObjects: lists.listBucket,
  ListObjectVersions: lists.listObjectVersions,
  ListMultipartUploads: lists.listMultipartUploads,
  HeadBucket: buckets.headBucket,
  CreateBucket: buckets.createBucket,
  DeleteBucket: buckets.deleteBucket,
  GetBucketLocation: buckets.getBucketLocation,
  GetBucketVersioning: buckets.getBucketVersioning,
  PutBucketVersioning: buckets.putBucketVersioning,
  GetBucketAcl: buckets.getAcl,
  GetObjectLockConfiguration: buckets.getLockConfiguration,
  PutObjectLockConfiguration: buckets.putLockConfiguration,
  DeleteObjects: buckets.deleteObjects,
  HeadObject: readObject,
  GetObject: readObject,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
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
  RestoreObject: restoreObject,
};

/** Requests that do not require an existing bucket. */
const BUCKETLESS = new Set<RequestKind>(['ListBuckets', 'CreateBucket']);

export function s3Service(settings: S3Settings, namespace: Namespace): Service {
  return {
    protocol: 's3',
    locate: (host, path) => {
      const bucket = VIRTUAL_HOST.exec(host)?.[1];
      return bucket === undefined ? locateInPath(path) : { bucket, key: path.slice(1) };
    },
    async handle(exchange, beforeEffect) {
      const auth = verifySigV4(exchange, settings.credentials, settings.region);
      const handler = HANDLERS[exchange.kind];
      if (!handler) throw new ServiceError('NotImplemented');
      const bucket = reachBucket(exchange, namespace, settings);
      if (exchange.key) checkKey(exchange.key, 's3');
      // S3 accepts a body of unknown length only if the decoded length is declared.
      const chunkedAllowed = exchange.header('x-amz-decoded-content-length') !== undefined;
      const raw = await readBody(exchange, { maxBytes: maxBody(exchange, settings), chunkedAllowed });
      const { bytes, trailers } = decodePayload(exchange, auth, raw);
      await beforeEffect();
      return handler({ exchange, settings, namespace, bucket, body: bytes, trailers });
    },
    refuse,
    common: (exchange) => ({
      'x-amz-request-id': exchange.requestId,
      'x-amz-id-2': 'dGVzdCBzZXJ2ZXI=',
      date: httpDate(exchange.now()),
      server: 'AmazonS3',
    }),
  };
}

const VIRTUAL_HOST = /^(.+)\.(?:localhost|s3[.-].*)$/;

/** aws-chunked bodies contain framing in addition to the object's bytes. */
function maxBody(exchange: Exchange, settings: S3Settings): number {
  const declared = exchange.header('x-amz-decoded-content-length');
  if (declared === undefined) return settings.maxPutSize;
  if (Number(declared) > settings.maxPutSize) throw new ServiceError('EntityTooLarge');
  return Number.POSITIVE_INFINITY;
}

/** @throws NoSuchBucket, AccessDenied, PermanentRedirect */
function reachBucket(exchange: Exchange, namespace: Namespace, settings: S3Settings): Bucket {
  if (BUCKETLESS.has(exchange.kind)) return NO_BUCKET;
  const bucket = namespace.bucket(exchange.bucketName);
  if (bucket.region !== settings.region) {
    throw new ServiceError('PermanentRedirect', {
      elements: { Endpoint: `${bucket.name}.s3.${bucket.region}.amazonaws.com`, Bucket: bucket.name },
      headers: { 'x-amz-bucket-region': bucket.region },
    });
  }
  if (bucket.owner !== MAIN_OWNER) throw new ServiceError('AccessDenied');
  return bucket;
}

/** A placeholder for requests without a bucket; never read. */
const NO_BUCKET = new Bucket('', { protocol: 's3', region: '', now: () => 0 });

function refuse(exchange: Exchange, error: ServiceError): Reply {
  if (exchange.method === 'HEAD' || error.status === 304) return { status: error.status, headers: error.headers };
  const body = `${XML_HEAD}${wrap(
    'Error',
    element('Code', error.code),
    element('Message', error.message),
    ...Object.entries(error.elements).map(([name, text]) => element(name, text)),
    element('RequestId', exchange.requestId),
    element('HostId', 'dGVzdCBzZXJ2ZXI='),
  )}`;
  return { status: error.status, headers: { 'content-type': 'application/xml', ...error.headers }, body };
}
