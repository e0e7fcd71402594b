import type { CallOptions, ObjectStore, RequestKind } from '../../../src/store/port.js';

const upload = { key: 'k', uploadId: 'u' };
const bytes = Buffer.from('12345');

type EveryCall = (store: ObjectStore, source: ObjectStore, options?: CallOptions) => Promise<unknown>;

/** Each method of the port once, by the kind it must be known under. */
export const EVERY_CALL: Record<RequestKind, EveryCall> = {
  list: (store, _, options) => store.list({ prefix: 'p', ...options }),
  head: (store, _, options) => store.head('k', options),
  read: (store, _, options) => store.read('k', new Uint8Array(5), options),
  put: (store, _, options) => store.put('k', bytes, options),
  copy: (store, source, options) => store.copy(source, 'k', 'copy', options),
  createUpload: (store, _, options) => store.createUpload('k', options),
  uploadPart: (store, _, options) => store.uploadPart(upload, 1, bytes, options),
  uploadPartCopy: (store, source, options) =>
    store.uploadPartCopy(upload, 1, source, 'k', { offset: 0, size: 5 }, options),
  listParts: (store, _, options) => store.listParts(upload, options),
  completeUpload: (store, _, options) => store.completeUpload(upload, [{ partNumber: 1, etag: 'e' }], options),
  abortUpload: (store, _, options) => store.abortUpload(upload, options),
  listUploads: (store, _, options) => store.listUploads({ prefix: 'p', ...options }),
  delete: (store, _, options) => store.delete(['k', 'l'], options),
  checkBucket: (store, _, options) => store.checkBucket(options),
  createBucket: (store, _, options) => store.createBucket(options),
  deleteBucket: (store, _, options) => store.deleteBucket(options),
  restore: (store, _, options) => store.restore('k', { tier: 'bulk', days: 1, ...options }),
  getTags: (store, _, options) => store.getTags('k', options),
  putTags: (store, _, options) => store.putTags('k', [], options),
  getAcl: (store, _, options) => store.getAcl('k', options),
  putAcl: (store, _, options) => store.putAcl('k', 'private', options),
  putLock: (store, _, options) => store.putLock('k', { legalHold: true }, options),
  getLink: async (store, _, options) => store.getLink?.('k', options),
  putLink: async (store, _, options) => store.putLink?.('k', 'l', options),
};

export const EVERY_KIND = Object.keys(EVERY_CALL) as RequestKind[];
