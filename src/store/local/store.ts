/**
 * A directory tree as a bucket: keys are paths below the root. Temporary files, uploads, headers and metadata are in
 * `.xsync` at the root, which listings omit.
 *
 * - Storage classes are ignored; permissions and owners are the process's (umask).
 * - Links are listed as special entries unless `copyLinks` follows them, like rclone's `--copy-links`. Other entries
 *   that are not regular files, and names that are not UTF-8, are listed as special `other`.
 * - No versions: a `versionId` is rejected.
 */
import { lstat, rm, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { md5Soon } from '../../hash/index.js';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type * as port from '../port.js';
import { throwIfAborted } from '../signal.js';
import { Calls } from './calls.js';
import { Directories } from './directories.js';
import { type Intent, translate } from './errors.js';
import { makeDirectories, openToRead, readBody, type Version, versionOf, writeBody } from './files.js';
import { directoryOf, isMarker, requireKey, whyNot } from './keys.js';
import { Listing, requireRoot } from './listing.js';
import { Publisher } from './publish.js';
import { Sidecars } from './sidecars.js';
import { Syncs } from './syncs.js';
import { Temporaries } from './temporaries.js';
import { LocalUploads } from './uploads.js';

const GIB = 2 ** 30;
const MAX_DELETE = 1000;

const CAPABILITIES: port.Capabilities = {
  orderedListing: 'yes',
  minPartSize: 1,
  maxPartSize: 2 * GIB,
  maxParts: 100_000,
  maxObjectSize: Number.MAX_SAFE_INTEGER,
  maxPutSize: 2 * GIB,
  maxCopySize: 0,
  answersCrc64ecma: false,
  checksContentMd5: true,
  // An object's ETag identifies the version of its file. Parts' ETags are MD5s, but the capability covers put as well.
  partEtagIsMd5: false,
  keepsMetadata: true,
  keepsMtime: true,
  local: true,
};

export interface LocalStoreOptions {
  /** Absolute path of a directory; as a destination it need not exist yet. */
  root: string;
  /** Follows symbolic links instead of listing them as special entries. */
  copyLinks?: boolean;
  /** False: objects may be lost or empty after a power loss (not after a crash of the process). Default true. */
  sync?: boolean;
}

export function createLocalStore(options: LocalStoreOptions): port.ObjectStore {
  return new LocalStore(options);
}

export class LocalStore implements port.ObjectStore {
  readonly identity: port.StoreIdentity;
  readonly capabilities = CAPABILITIES;
  readonly #root: string;
  readonly #followLinks: boolean;
  readonly #calls = new Calls();
  readonly #directories: Directories;
  readonly #temporaries: Temporaries;
  readonly #sidecars: Sidecars;
  readonly #publisher: Publisher;
  readonly #uploads: LocalUploads;
  readonly #listing: Listing;

  constructor({ root, copyLinks: followLinks = false, sync = true }: LocalStoreOptions) {
    if (!root.startsWith('/')) throw new XsyncError('config', `${root} is not an absolute path`, { subject: root });
    this.#root = root === '/' ? root : root.replace(/\/+$/, '');
    this.identity = { kind: 'local', endpoint: hostname(), bucket: this.#root, account: 'local' };
    this.#followLinks = followLinks;
    const calls = this.#calls;
    const syncs = new Syncs(sync);
    this.#directories = new Directories(this.#root, { followLinks, syncs });
    this.#temporaries = new Temporaries(this.#root, calls);
    this.#sidecars = new Sidecars(this.#root, { temporaries: this.#temporaries, calls, syncs });
    this.#publisher = new Publisher({ directories: this.#directories, sidecars: this.#sidecars, calls, syncs });
    this.#uploads = new LocalUploads(this.#root, { publisher: this.#publisher, temporaries: this.#temporaries, calls });
    this.#listing = new Listing(this.#root, {
      followLinks,
      directories: this.#directories,
      sidecars: this.#sidecars,
    });
  }

  checkKey(key: string): void {
    requireKey(this.#root, key);
  }

  checkBucket(options: port.CallOptions = {}): Promise<void> {
    return this.#run('read', options, undefined, () => requireRoot(this.#root));
  }

  createBucket(options: port.CallOptions = {}): Promise<void> {
    return this.#run('write', options, undefined, async () => {
      await makeDirectories(this.#root);
      await requireRoot(this.#root);
    });
  }

  list(options: port.ListOptions): Promise<port.ListPage> {
    return this.#run('read', options, undefined, () => this.#listing.page(options));
  }

  async firstPartSize(): Promise<undefined> {
    return undefined;
  }

  hasFolder(prefix: string): Promise<boolean> {
    return this.#run('read', {}, undefined, async () => {
      const directory = prefix.replace(/\/$/, '');
      if (whyNot(this.#root, directory) !== undefined || !(await this.#directories.readable(directory))) return false;
      const look = this.#followLinks ? stat : lstat;
      return (await unlessErrno(ABSENT, look(this.#path(directory))))?.isDirectory() ?? false;
    });
  }

  head(key: string, options: port.HeadOptions = {}): Promise<ObjectInfo> {
    return this.#run('read', options, key, async () => {
      if (isMarker(key)) return this.#marker(key);
      await this.#requireReadable(key);
      const found = await (this.#followLinks ? stat : lstat)(this.#path(key), { bigint: true });
      if (found.isDirectory()) throw objectNotFound(key);
      const info = await this.#info(key, versionOf(found));
      return found.isFile() ? info : { ...info, size: 0, special: found.isSymbolicLink() ? 'symlink' : 'other' };
    });
  }

  read(key: string, target: Uint8Array, options: port.ReadOptions = {}): Promise<ObjectInfo> {
    return this.#run('read', options, key, async () => {
      if (isMarker(key)) return requireRead(await this.#marker(key), target, options);
      await this.#requireReadable(key);
      const file = await openToRead(this.#path(key), this.#followLinks);
      try {
        const before = await file.stat({ bigint: true });
        if (before.isDirectory()) throw objectNotFound(key);
        if (!before.isFile()) throw new XsyncError('unsupported-object', `${key} is not a regular file`);
        const info = requireRead(await this.#info(key, versionOf(before)), target, options);
        const whole = await readBody(file, target, options.offset ?? 0, options);
        const after = versionOf(await file.stat({ bigint: true }));
        if (!whole || after.etag !== info.etag) throw changed(key);
        return info;
      } finally {
        await file.close();
      }
    });
  }

  put(key: string, body: Uint8Array, options: port.PutOptions = {}): Promise<port.WriteResult> {
    return this.#run('write', options, key, async () => {
      const sum = options.contentMd5 === undefined ? undefined : await md5Soon(body);
      if (sum !== options.contentMd5?.toLowerCase()) {
        throw new XsyncError('checksum-mismatch', 'the body does not match its Content-MD5', { subject: key });
      }
      const version = isMarker(key) ? await this.#putMarker(key, body, options) : await this.#put(key, body, options);
      return { etag: version.etag, mtimeMs: version.mtimeMs, checksums: sum === undefined ? {} : { md5: sum } };
    });
  }

  async copy(): Promise<port.WriteResult> {
    throw noCopies();
  }

  copyableFrom(): boolean {
    return false;
  }

  createUpload(key: string, options: Omit<port.PutOptions, 'contentMd5' | 'pace'> = {}): Promise<port.UploadRef> {
    return this.#run('write', options, key, () => this.#uploads.create(key, options));
  }

  uploadPart(
    upload: port.UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: port.PartOptions = {},
  ): Promise<port.PartResult> {
    return this.#run('write', options, upload.key, () => {
      if (isMarker(upload.key)) requireEmpty(upload.key, body);
      if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > CAPABILITIES.maxParts) {
        throw new XsyncError('limit', `part numbers go from 1 to ${CAPABILITIES.maxParts}`, { subject: upload.key });
      }
      return this.#uploads.addPart(upload, partNumber, body, options);
    });
  }

  async uploadPartCopy(): Promise<port.PartResult> {
    throw noCopies();
  }

  listParts(upload: port.UploadRef, options: port.CallOptions = {}): Promise<port.PartEntry[]> {
    return this.#run('read', options, upload.key, () => this.#uploads.listParts(upload, options.signal));
  }

  completeUpload(
    upload: port.UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: port.CallOptions & { mtimeMs?: number } = {},
  ): Promise<port.WriteResult> {
    return this.#run('write', options, upload.key, () => this.#uploads.complete(upload, parts, options));
  }

  abortUpload(upload: port.UploadRef, options: port.CallOptions = {}): Promise<void> {
    return this.#run('write', options, undefined, () => this.#uploads.abort(upload));
  }

  listUploads(options: port.CallOptions & { prefix?: string; token?: string }): Promise<port.UploadPage> {
    return this.#run('read', options, undefined, () => this.#uploads.list(options.prefix ?? ''));
  }

  delete(keys: readonly string[], options: port.CallOptions = {}): Promise<port.DeleteFailure[]> {
    return this.#run('write', options, undefined, async () => {
      if (keys.length > MAX_DELETE) throw new XsyncError('limit', `at most ${MAX_DELETE} keys are deleted in one call`);
      const failures: port.DeleteFailure[] = [];
      for (const key of keys) {
        try {
          await this.#run('write', options, key, () => this.#delete(key));
        } catch (error) {
          if (!isXsyncError(error) || error.code === 'aborted') throw error;
          failures.push({ key, error });
        }
      }
      return failures;
    });
  }

  async close(): Promise<void> {
    await this.#temporaries.close();
  }

  /** The checks before every call, and the translation of its errors. */
  async #run<T>(
    intent: Intent,
    options: port.CallOptions & { versionId?: string },
    key: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    throwIfAborted(options.signal);
    if (key !== undefined) requireKey(this.#root, key);
    if (options.versionId !== undefined) throw new XsyncError('unsupported', 'a directory tree has no versions');
    try {
      return await work();
    } catch (error) {
      const translated = translate(error, intent, key === undefined ? this.#root : this.#path(key));
      // If the whole root is missing (an unmounted disk), its objects must not appear to be deleted.
      if (isXsyncError(translated, 'object-not-found')) await requireRoot(this.#root);
      throw translated;
    }
  }

  #path(key: string): string {
    return this.#directories.path(key);
  }

  async #requireReadable(key: string): Promise<void> {
    if (!(await this.#directories.readable(directoryOf(key)))) throw objectNotFound(key);
  }

  async #info(key: string, version: Version): Promise<ObjectInfo> {
    const about = await this.#sidecars.about(key, version);
    const { size, etag, mtimeMs } = version;
    return { key, size, etag, mtimeMs, headers: about.headers, metadata: about.metadata, checksums: {} };
  }

  async #marker(key: string): Promise<ObjectInfo> {
    const directory = key.slice(0, -1);
    const there = (await this.#directories.readable(directory)) && (await lstat(this.#path(directory))).isDirectory();
    const marker = there ? await this.#sidecars.marker(key) : undefined;
    if (!marker) throw objectNotFound(key);
    const { etag, mtimeMs } = marker.version;
    return { key, size: 0, etag, mtimeMs, headers: marker.headers, metadata: marker.metadata, checksums: {} };
  }

  async #put(key: string, body: Uint8Array, options: port.PutOptions): Promise<Version> {
    const temporary = await this.#temporaries.create();
    try {
      await writeBody({ calls: this.#calls, fd: temporary.fd, position: 0 }, body, options);
      return await this.#publisher.publish(key, temporary, options);
    } catch (error) {
      await rm(temporary.path, { force: true });
      throw error;
    } finally {
      await this.#calls.close(temporary.fd);
    }
  }

  async #putMarker(key: string, body: Uint8Array, options: port.PutOptions): Promise<Version> {
    requireEmpty(key, body);
    return this.#publisher.publishMarker(key, options);
  }

  async #delete(key: string): Promise<void> {
    const directory = directoryOf(key);
    if (!(await this.#directories.writable(directory))) return;
    const recorded = await this.#sidecars.remove(key);
    const removed = isMarker(key) ? recorded : await this.#unlink(key);
    if (!removed) return;
    await this.#directories.prune(directory, async (at) => !(await this.#sidecars.markerVersion(`${at}/`)));
  }

  /** A directory of that name is not an object and is kept. @returns whether there was a file */
  async #unlink(key: string): Promise<boolean> {
    const path = this.#path(key);
    try {
      const removed = unlink(path).then(() => true);
      return (await unlessErrno(ABSENT, removed)) ?? false;
    } catch (error) {
      const found = isErrno(error, 'EISDIR', 'EPERM') ? await unlessErrno(ABSENT, lstat(path)) : undefined;
      if (!found?.isDirectory()) throw error;
      return false;
    }
  }
}

/** Checks a read's conditions against the object. @throws precondition-failed, truncated */
function requireRead(info: ObjectInfo, target: Uint8Array, { ifMatch, offset = 0 }: port.ReadOptions): ObjectInfo {
  if (ifMatch !== undefined && ifMatch !== info.etag) throw changed(info.key);
  if (offset + target.byteLength <= info.size) return info;
  throw new XsyncError('truncated', `${info.key} has ${info.size} bytes, fewer than requested`, { subject: info.key });
}

function requireEmpty(key: string, body: Uint8Array): void {
  if (body.byteLength === 0) return;
  throw new XsyncError('key-not-representable', `${JSON.stringify(key)} is a directory here and cannot hold bytes`, {
    subject: key,
  });
}

function objectNotFound(key: string): XsyncError {
  return new XsyncError('object-not-found', `there is no object ${key}`, { subject: key });
}

function changed(key: string): XsyncError {
  return new XsyncError('precondition-failed', `${key} is not the requested version`, { subject: key });
}

function noCopies(): XsyncError {
  return new XsyncError('unsupported', 'a directory tree does not support server-side copies');
}
