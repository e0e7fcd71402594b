import type { Bucket } from './bucket.js';
import { Bytes } from './bytes.js';
import { findUpload, putPart } from './uploads.js';

/** Puts objects and parts into a bucket without requests. */
export function planterOf(bucket: Bucket) {
  return {
    object: (key: string, body: Uint8Array): void => void bucket.put(key, Bytes.of(body)),
    part: ({ key, uploadId }: { key: string; uploadId: string }, partNumber: number, body: Uint8Array): void =>
      void putPart(bucket, findUpload(bucket, key, uploadId), partNumber, Bytes.of(body)),
  };
}
