/** What the checks of a place are told, and what they say when a right is missing. */
import type { ObjectStore } from '../store/port.js';

export interface PlaceOptions {
  /** Empty, or ending in `/`. */
  prefix: string;
  /** Where the credentials come from, such as `AWS profile "x"`; absent for local disk. */
  credentials?: string;
  /** Put, copy in parts and remove small objects too. */
  write: boolean;
  /** Bytes to move for measuring, each way; 0 for none. */
  probeBytes: number;
  signal?: AbortSignal;
}

/** What has to be granted, as the service calls it. */
export function allow({ identity }: Pick<ObjectStore, 'identity'>, right: keyof typeof RIGHTS): string {
  const [s3, oss] = RIGHTS[right];
  if (identity.kind === 'local') return `Give this user the right to ${right} below ${identity.bucket}.`;
  return `Grant ${identity.kind === 'oss' ? `oss:${oss}` : `s3:${s3}`} on ${identity.bucket} to these credentials.`;
}

const RIGHTS = {
  list: ['ListBucket', 'ListObjects'],
  read: ['GetObject', 'GetObject'],
  write: ['PutObject', 'PutObject'],
  delete: ['DeleteObject', 'DeleteObject'],
  'list parts': ['ListMultipartUploadParts', 'ListParts'],
  'abort uploads': ['AbortMultipartUpload', 'AbortMultipartUpload'],
} as const;
