/** Which call of the port a request belongs to; S3 and OSS have the same form. Tests: test/engine/imperfect.test.ts */
import type { RequestKind } from '../port.js';

export interface RequestForm {
  method: string;
  /** The request names an object. */
  object: boolean;
  /** Whether the query has a parameter. */
  has(parameter: string): boolean;
  /** The request has a header `x-amz-copy-source` or `x-oss-copy-source`. */
  copies: boolean;
}

export function kindOf(form: RequestForm): RequestKind {
  return form.object ? ofObject(form) : ofBucket(form);
}

function ofBucket({ method, has }: RequestForm): RequestKind {
  if (method === 'PUT') return 'createBucket';
  if (method === 'DELETE') return 'deleteBucket';
  if (method === 'POST') return 'delete';
  return has('uploads') ? 'listUploads' : 'list';
}

function ofObject({ method, has, copies }: RequestForm): RequestKind {
  if (has('tagging')) return method === 'GET' ? 'getTags' : 'putTags';
  if (has('acl')) return method === 'GET' ? 'getAcl' : 'putAcl';
  if (has('symlink')) return method === 'GET' ? 'getLink' : 'putLink';
  if (has('legal-hold') || has('legalHold') || has('retention')) return 'putLock';
  const inUpload = has('uploadId');
  switch (method) {
    case 'HEAD':
      return 'head';
    case 'GET':
      return inUpload ? 'listParts' : 'read';
    case 'POST':
      if (has('restore')) return 'restore';
      return inUpload ? 'completeUpload' : 'createUpload';
    case 'DELETE':
      return inUpload ? 'abortUpload' : 'delete';
    default:
      if (inUpload) return copies ? 'uploadPartCopy' : 'uploadPart';
      return copies ? 'copy' : 'put';
  }
}
