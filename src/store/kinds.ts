/**
 * The kinds of requests, one for each method of the port. Requests are priced, counted and retried by kind.
 * Tests: test/store/wrap/intercept.test.ts
 */
export type RequestKind =
  | 'list'
  | 'head'
  | 'read'
  | 'put'
  | 'copy'
  | 'createUpload'
  | 'uploadPart'
  | 'uploadPartCopy'
  | 'listParts'
  | 'completeUpload'
  | 'abortUpload'
  | 'listUploads'
  | 'delete'
  | 'checkBucket'
  | 'createBucket';
