/** The kinds of request that a store makes, one for each method of the port. What is priced, counted and retried. */
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
