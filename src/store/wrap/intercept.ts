/** The base of the wrappers: a store that passes every request through one function. */

import type { ObjectLock, Tags } from '../../model/attributes.js';
import type * as port from '../port.js';
import type { RequestKind } from '../port.js';

/** One call of the port. */
export interface Call {
  readonly kind: RequestKind;
  /** The object's key, or the first of several; absent for calls about the bucket. */
  readonly key?: string;
  readonly signal?: AbortSignal;
  /** As in CallOptions. */
  readonly once?: true;
  /** Only for calls that carry an object's bytes. */
  readonly direction?: Direction;
  /** The most bytes that it can carry. */
  readonly size?: number;
  /** A repeated call begins where the last one broke. */
  readonly continues?: true;
  /** The caller's pace, if any. */
  readonly pace?: port.Pace;
  /** As in CallOptions. */
  readonly onRequest?: port.CallOptions['onRequest'];
}

/** `down`: from the store to us. */
export type Direction = 'up' | 'down';

/**
 * Wraps a call. `run` makes one call of the inner store with the given `pace` *instead of* the caller's: pass
 * `call.pace`, or a pace that calls it. Calls without a direction ignore it. `onRequest` too takes the place of the
 * caller's, which is passed on if it is absent.
 */
export type Around = <T>(call: Call, run: Run<T>) => Promise<T>;
type Run<T> = (pace: port.Pace | undefined, onRequest?: port.CallOptions['onRequest']) => Promise<T>;

/** A store whose calls go through `around`. Identity and capabilities are those of the inner store. */
export class InterceptedStore implements port.ObjectStore {
  readonly inner: port.ObjectStore;
  readonly #around: Around;

  constructor(inner: port.ObjectStore, around: Around) {
    this.inner = inner;
    this.#around = around;
  }

  get identity(): port.StoreIdentity {
    return this.inner.identity;
  }

  get capabilities(): port.Capabilities {
    return this.inner.capabilities;
  }

  checkKey(key: string): void {
    this.inner.checkKey(key);
  }

  checkBucket(options: port.CallOptions = {}): Promise<void> {
    return this.#call('checkBucket', undefined, options, (own) => this.inner.checkBucket(own));
  }

  createBucket(options: port.CallOptions = {}): Promise<void> {
    return this.#call('createBucket', undefined, options, (own) => this.inner.createBucket(own));
  }

  deleteBucket(options: port.CallOptions = {}): Promise<void> {
    return this.#call('deleteBucket', undefined, options, () => this.inner.deleteBucket(options));
  }

  list(options: port.ListOptions): Promise<port.ListPage> {
    return this.#call('list', undefined, options, (own) => this.inner.list(own));
  }

  get listVersions(): port.ObjectStore['listVersions'] {
    const { inner } = this;
    if (!inner.listVersions) return undefined;
    const list = inner.listVersions.bind(inner);
    return (options) => this.#call('list', undefined, options, list);
  }

  get addDeleteMarker(): port.ObjectStore['addDeleteMarker'] {
    const { inner } = this;
    if (!inner.addDeleteMarker) return undefined;
    const add = inner.addDeleteMarker.bind(inner);
    return (key, options = {}) => this.#call('delete', key, options, (own) => add(key, own));
  }

  get deleteVersion(): port.ObjectStore['deleteVersion'] {
    const { inner } = this;
    if (!inner.deleteVersion) return undefined;
    const remove = inner.deleteVersion.bind(inner);
    return (key, versionId, options = {}) => this.#call('delete', key, options, (own) => remove(key, versionId, own));
  }

  get versioning(): port.ObjectStore['versioning'] {
    const { inner } = this;
    if (!inner.versioning) return undefined;
    const ask = inner.versioning.bind(inner);
    return (options = {}) => this.#call('list', undefined, options, ask);
  }

  restore(key: string, options: port.RestoreOptions): Promise<port.Restored> {
    return this.#call('restore', key, options, (own) => this.inner.restore(key, own));
  }

  async hasFolder(prefix: string): Promise<boolean> {
    return (await this.inner.hasFolder?.(prefix)) ?? false;
  }

  async folder(prefix: string): Promise<port.FolderInfo | undefined> {
    return this.inner.folder?.(prefix);
  }

  async makeFolder(prefix: string): Promise<void> {
    await this.inner.makeFolder?.(prefix);
  }

  head(key: string, options: port.HeadOptions = {}): ReturnType<port.ObjectStore['head']> {
    return this.#call('head', key, options, (own) => this.inner.head(key, own));
  }

  firstPartSize(key: string, options: port.PinOptions = {}): Promise<number | undefined> {
    return this.#call('head', key, options, (own) => this.inner.firstPartSize(key, own));
  }

  read(key: string, target: Uint8Array, options: port.ReadOptions = {}): ReturnType<port.ObjectStore['read']> {
    return this.#transfer('read', key, target, options, (paced) => this.inner.read(key, target, paced));
  }

  put(key: string, body: Uint8Array, options: port.PutOptions = {}): Promise<port.WriteResult> {
    return this.#transfer('put', key, body, options, (paced) => this.inner.put(key, body, paced));
  }

  get readPieces(): port.ObjectStore['readPieces'] {
    const read = this.inner.readPieces?.bind(this.inner);
    if (!read) return undefined;
    return (key, sink, options = {}) =>
      this.#transfer('read', key, sink, options, (paced) => read(key, sink, paced), true);
  }

  get putPieces(): port.ObjectStore['putPieces'] {
    const put = this.inner.putPieces?.bind(this.inner);
    if (!put) return undefined;
    return (key, body, options = {}) => this.#transfer('put', key, body, options, (paced) => put(key, body, paced));
  }

  copy(
    source: port.ObjectStore,
    sourceKey: string,
    key: string,
    options: port.CopyOptions = {},
  ): Promise<port.WriteResult> {
    return this.#call('copy', key, options, (own) => this.inner.copy(unwrap(source), sourceKey, key, own));
  }

  copyableFrom(source: port.ObjectStore): boolean {
    return this.inner.copyableFrom(unwrap(source));
  }

  createUpload(key: string, options: Parameters<port.ObjectStore['createUpload']>[1] = {}): Promise<port.UploadRef> {
    return this.#call('createUpload', key, options, (own) => this.inner.createUpload(key, own));
  }

  uploadPart(
    upload: port.UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: port.PartOptions = {},
  ): Promise<port.PartResult> {
    return this.#transfer('uploadPart', upload.key, body, options, (paced) =>
      this.inner.uploadPart(upload, partNumber, body, paced),
    );
  }

  get uploadPartPieces(): port.ObjectStore['uploadPartPieces'] {
    const send = this.inner.uploadPartPieces?.bind(this.inner);
    if (!send) return undefined;
    return (upload, partNumber, body, options = {}) =>
      this.#transfer('uploadPart', upload.key, body, options, (paced) => send(upload, partNumber, body, paced));
  }

  uploadPartCopy(
    upload: port.UploadRef,
    partNumber: number,
    source: port.ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: port.CopyOptions = {},
  ): Promise<port.PartResult> {
    return this.#call('uploadPartCopy', upload.key, options, (own) =>
      this.inner.uploadPartCopy(upload, partNumber, unwrap(source), sourceKey, range, own),
    );
  }

  listParts(upload: port.UploadRef, options: port.CallOptions = {}): Promise<port.PartEntry[]> {
    return this.#call('listParts', upload.key, options, (own) => this.inner.listParts(upload, own));
  }

  completeUpload(
    upload: port.UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: Parameters<port.ObjectStore['completeUpload']>[2] = {},
  ): Promise<port.WriteResult> {
    return this.#call('completeUpload', upload.key, options, (own) => this.inner.completeUpload(upload, parts, own));
  }

  abortUpload(upload: port.UploadRef, options: port.CallOptions = {}): Promise<void> {
    return this.#call('abortUpload', upload.key, options, (own) => this.inner.abortUpload(upload, own));
  }

  getTags(key: string, options: port.HeadOptions = {}): Promise<Tags> {
    return this.#call('getTags', key, options, (own) => this.inner.getTags(key, own));
  }

  putTags(key: string, tags: Tags, options: port.HeadOptions = {}): Promise<void> {
    return this.#call('putTags', key, options, (own) => this.inner.putTags(key, tags, own));
  }

  getAcl(key: string, options: port.HeadOptions = {}): Promise<string> {
    return this.#call('getAcl', key, options, (own) => this.inner.getAcl(key, own));
  }

  putAcl(key: string, acl: string, options: port.HeadOptions = {}): Promise<void> {
    return this.#call('putAcl', key, options, (own) => this.inner.putAcl(key, acl, own));
  }

  putLock(key: string, lock: ObjectLock, options: port.HeadOptions = {}): Promise<void> {
    return this.#call('putLock', key, options, (own) => this.inner.putLock(key, lock, own));
  }

  get getLink(): port.ObjectStore['getLink'] {
    const get = this.inner.getLink?.bind(this.inner);
    return get && ((key, options = {}) => this.#call('getLink', key, options, (own) => get(key, own)));
  }

  get putLink(): port.ObjectStore['putLink'] {
    const put = this.inner.putLink?.bind(this.inner);
    return put && ((key, target, options = {}) => this.#call('putLink', key, options, (own) => put(key, target, own)));
  }

  listUploads(options: Parameters<port.ObjectStore['listUploads']>[0]): Promise<port.UploadPage> {
    return this.#call('listUploads', undefined, options, (own) => this.inner.listUploads(own));
  }

  delete(keys: readonly string[], options: port.DeleteCallOptions = {}): Promise<port.DeleteFailure[]> {
    return this.#call('delete', keys[0], options, (own) => this.inner.delete(keys, own));
  }

  /** Costs no request. */
  get originOf(): port.ObjectStore['originOf'] {
    return this.inner.originOf?.bind(this.inner);
  }

  get signedUrl(): port.ObjectStore['signedUrl'] {
    return this.inner.signedUrl?.bind(this.inner);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  #call<T, O extends port.CallOptions>(
    kind: RequestKind,
    key: string | undefined,
    options: O,
    run: (own: O) => Promise<T>,
  ): Promise<T> {
    const { signal, once, onRequest } = options;
    return this.#around({ kind, key, signal, once, onRequest }, (_pace, counts = onRequest) =>
      run({ ...options, onRequest: counts }),
    );
  }

  #transfer<T, O extends port.TransferOptions>(
    kind: 'read' | 'put' | 'uploadPart',
    key: string,
    { byteLength: size }: { readonly byteLength: number },
    options: O,
    run: (paced: O) => Promise<T>,
    continues?: true,
  ): Promise<T> {
    const { signal, once, pace, onRequest } = options;
    const direction = kind === 'read' ? 'down' : 'up';
    const call: Call = { kind, key, signal, once, pace, direction, size, onRequest, continues };
    return this.#around(call, (own, counts = onRequest) => run(changed(options, own, counts)));
  }
}

/** The innermost store: adapters recognize each other's stores only without wrappers. */
export function unwrap(store: port.ObjectStore): port.ObjectStore {
  let bare = store;
  while (bare instanceof InterceptedStore) bare = bare.inner;
  return bare;
}

/** V8 is slow with a literal that names a property again which it has spread. */
function changed<O extends port.TransferOptions>(
  options: O,
  pace: port.Pace | undefined,
  onRequest: port.CallOptions['onRequest'],
): O {
  const own: port.TransferOptions = { ...options };
  own.pace = pace;
  own.onRequest = onRequest;
  return own as O;
}
