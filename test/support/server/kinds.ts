import type { Query } from './query.js';

/** The operation of a request, under S3's name for both services. */
export type RequestKind =
  | 'ListBuckets'
  | 'ListObjects'
  | 'ListObjectVersions'
  | 'ListMultipartUploads'
  | 'HeadBucket'
  | 'CreateBucket'
  | 'DeleteBucket'
  | 'GetBucketInfo'
  | 'GetBucketLocation'
  | 'GetBucketVersioning'
  | 'PutBucketVersioning'
  | 'GetBucketAcl'
  | 'GetObjectLockConfiguration'
  | 'PutObjectLockConfiguration'
  | 'DeleteObjects'
  | 'HeadObject'
  | 'GetObject'
  | 'GetObjectMeta'
  | 'PutObject'
  | 'AppendObject'
  | 'CopyObject'
  | 'DeleteObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'ListParts'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'GetObjectTagging'
  | 'PutObjectTagging'
  | 'DeleteObjectTagging'
  | 'GetObjectAcl'
  | 'PutObjectAcl'
  | 'PutObjectRetention'
  | 'PutObjectLegalHold'
  | 'GetSymlink'
  | 'PutSymlink'
  | 'RestoreObject'
  | 'Unknown';

/** Maps sub-resource and method to the kind. The first sub-resource that the query contains decides. */
const BUCKET: readonly [string, Record<string, RequestKind>][] = [
  ['uploads', { GET: 'ListMultipartUploads' }],
  ['versions', { GET: 'ListObjectVersions' }],
  ['location', { GET: 'GetBucketLocation' }],
  ['bucketInfo', { GET: 'GetBucketInfo' }],
  ['versioning', { GET: 'GetBucketVersioning', PUT: 'PutBucketVersioning' }],
  ['acl', { GET: 'GetBucketAcl' }],
  ['object-lock', { GET: 'GetObjectLockConfiguration', PUT: 'PutObjectLockConfiguration' }],
  ['delete', { POST: 'DeleteObjects' }],
];

const OBJECT: readonly [string, Record<string, RequestKind>][] = [
  ['uploads', { POST: 'CreateMultipartUpload' }],
  [
    'uploadId',
    { PUT: 'UploadPart', GET: 'ListParts', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' },
  ],
  ['tagging', { GET: 'GetObjectTagging', PUT: 'PutObjectTagging', DELETE: 'DeleteObjectTagging' }],
  ['acl', { GET: 'GetObjectAcl', PUT: 'PutObjectAcl' }],
  ['retention', { PUT: 'PutObjectRetention' }],
  ['legal-hold', { PUT: 'PutObjectLegalHold' }],
  ['legalHold', { PUT: 'PutObjectLegalHold' }],
  ['symlink', { GET: 'GetSymlink', PUT: 'PutSymlink' }],
  ['append', { POST: 'AppendObject' }],
  ['objectMeta', { HEAD: 'GetObjectMeta', GET: 'GetObjectMeta' }],
  ['restore', { POST: 'RestoreObject' }],
];

/** Sub-resources that no transfer needs. Requests for them are refused, not treated as listings. */
const REFUSED = [
  'policy',
  'lifecycle',
  'cors',
  'website',
  'logging',
  'encryption',
  'replication',
  'attributes',
  'select',
];

const PLAIN_BUCKET: Record<string, RequestKind> = {
  GET: 'ListObjects',
  HEAD: 'HeadBucket',
  PUT: 'CreateBucket',
  DELETE: 'DeleteBucket',
};

const PLAIN_OBJECT: Record<string, RequestKind> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};

export interface Addressed {
  method: string;
  bucket: string;
  key: string;
  query: Query;
  /** The request names a copy source. */
  copies: boolean;
}

export function classify({ method, bucket, key, query, copies }: Addressed): RequestKind {
  if (!bucket) return method === 'GET' ? 'ListBuckets' : 'Unknown';
  if (REFUSED.some((name) => query.has(name))) return 'Unknown';
  const subresource = (key ? OBJECT : BUCKET).find(([name]) => query.has(name));
  const kind = (subresource?.[1] ?? (key ? PLAIN_OBJECT : PLAIN_BUCKET))[method] ?? 'Unknown';
  if (!copies) return kind;
  return kind === 'PutObject' ? 'CopyObject' : kind === 'UploadPart' ? 'UploadPartCopy' : kind;
}
