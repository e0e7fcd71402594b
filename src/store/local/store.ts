/**
 * A directory tree as a bucket: keys are paths below the root. Temporary files, uploads, headers and metadata are in
 * `.xsync` at the root, which listings omit. Folders of that name below the root are ordinary ones.
 *
 * - Storage classes are ignored; permissions and owners are the process's (umask), unless `permissions` has them copied.
 * - Links are listed as special entries unless `copyLinks` follows them, like rclone's `--copy-links`. Those that lead
 *   out of the root cannot be read or written as links. Other entries
 *   that are not regular files, and names that are not in the encoding of the tree, are listed as special `other`. Names
 *   without a key, and links that lead nowhere although they are followed, have a fault.
 * - A folder that cannot be read is named in the page (`unlisted`), and the rest is listed.
 * - No versions: a `versionId` is rejected.
 * Tests: test/contract/stores.test.ts
 */
import { type BigIntStats, constants } from 'node:fs';
import { chmod, copyFile, lstat, opendir, readlink, rm, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import pLimit from 'p-limit';
import { md5, type RunningMd5, runningMd5 } from '../../hash/index.js';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import { wholeFileSystem } from '../../native/sync-fs.js';
import type { File } from '../../native/xattr.js';
import { LOCAL_ATTRIBUTES } from '../attributes/limits.js';
import type * as port from '../port.js';
import { throwIfAborted } from '../signal.js';
import { FileAttributes } from './attributes.js';
import { Calls } from './calls.js';
import { kindOf } from './children.js';
import { Directories } from './directories.js';
import { type Intent, translate } from './errors.js';
import {
  CHUNK,
  makeDirectories,
  openToRead,
  readBody,
  type Version,
  versionOf,
  writeBody,
  writePieces,
} from './files.js';
import { directoryOf, isMarker, nameOf, requireKey, whyNot } from './keys.js';
import { makeLink, targetOf } from './links.js';
import { Listing, requireRoot, specialOf } from './listing.js';
import { Names, type Path, unescapeName } from './names.js';
import type { Permissions } from './permissions.js';
import { Publisher } from './publish.js';
import { removeRoot } from './remove-root.js';
import { Sidecars } from './sidecars.js';
import { type SyncCalls, Syncs } from './syncs.js';
import { Temporaries } from './temporaries.js';
import { LocalUploads } from './uploads.js';

const GIB = 2 ** 30;
const MAX_DELETE = 1000;
/** Large bodies that are read at once. If all were, each would be whole only when all are, and the line would wait for that. */
const LARGE_READS = 8;
/** How often a directory may come and go where a file is deleted. */
const ATTEMPTS = 5;

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
  hashesParts: true,
  links: 'files',
  keepsMetadata: true,
  attributes: LOCAL_ATTRIBUTES,
  deletesIfMatch: true,
  writesIfMatch: true,
  copiesWithin: true,
  keepsMtime: true,
  local: true,
  readsAgain: true,
};

export interface LocalStoreOptions {
  /** Absolute path of a directory; as a destination it need not exist yet. */
  root: string;
  /** How names are encoded; UTF-8 when absent. */
  names?: Names;
  /** Follows symbolic links instead of listing them as special entries. */
  copyLinks?: boolean;
  /** False: objects may be lost or empty after a power loss (not after a crash of the process). Default true. */
  sync?: boolean;
  /** Keep metadata in extended attributes where the file system has them. */
  xattrs?: boolean;
  /** Which permissions are metadata; none when absent. */
  permissions?: Permissions;
  /** How files are synced; by the operating system when absent. */
  syncCalls?: Partial<SyncCalls>;
}

export function createLocalStore(options: LocalStoreOptions): port.ObjectStore {
  return new LocalStore(options);
}

export class LocalStore implements port.ObjectStore {
  readonly identity: port.StoreIdentity;
  readonly capabilities = CAPABILITIES;
  readonly getTags = keepsNoAttributes;
  readonly putTags = keepsNoAttributes;
  readonly getAcl = keepsNoAttributes;
  readonly putAcl = keepsNoAttributes;
  readonly putLock = keepsNoAttributes;
  readonly #root: string;
  readonly #followLinks: boolean;
  readonly #calls = new Calls();
  readonly #largeReads = pLimit(LARGE_READS);
  readonly #syncs: Syncs;
  readonly #names: Names;
  readonly #directories: Directories;
  /** For our own files: never through a link. */
  readonly #own: Directories;
  readonly #temporaries: Temporaries;
  readonly #sidecars: Sidecars;
  readonly #publisher: Publisher;
  readonly #uploads: LocalUploads;
  readonly #listing: Listing;
  readonly #files: FileAttributes;

  constructor(options: LocalStoreOptions) {
    const { root, copyLinks: followLinks = false, sync = true, names = new Names(), syncCalls } = options;
    if (!root.startsWith('/')) throw new XsyncError('config', `${root} is not an absolute path`, { subject: root });
    this.#root = root === '/' ? root : root.replace(/\/+$/, '');
    this.identity = { kind: 'local', endpoint: hostname(), bucket: this.#root, account: 'local' };
    this.#followLinks = followLinks;
    const calls = this.#calls;
    const syncs = new Syncs(sync, { whole: () => wholeFileSystem(this.#root), ...syncCalls });
    this.#syncs = syncs;
    const directories = new Directories(this.#root, { followLinks, syncs, calls, names });
    const own = new Directories(this.#root, { followLinks: false, syncs, calls });
    const temporaries = new Temporaries(own, calls);
    const sidecars = new Sidecars(own, { temporaries, calls, syncs });
    this.#names = names;
    this.#directories = directories;
    this.#own = own;
    this.#temporaries = temporaries;
    this.#sidecars = sidecars;
    this.#files = new FileAttributes(options);
    this.#publisher = new Publisher({
      ...{ directories, names, sidecars, calls, syncs, files: this.#files },
      etagOf: (key) => this.#etagOf(key),
    });
    this.#uploads = new LocalUploads(own, { publisher: this.#publisher, temporaries, calls, syncs });
    this.#listing = new Listing(this.#root, { followLinks, directories, names, sidecars, calls });
  }

  checkKey(key: string): void {
    requireKey(this.#root, key, this.#names);
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

  deleteBucket(options: port.CallOptions = {}): Promise<void> {
    return this.#run('write', options, undefined, () => removeRoot(this.#root));
  }

  list(options: port.ListOptions): Promise<port.ListPage> {
    return this.#run('read', options, undefined, () => this.#listing.page(options));
  }

  async firstPartSize(): Promise<undefined> {
    return undefined;
  }

  async hasFolder(prefix: string): Promise<boolean> {
    return (await this.folder(prefix)) !== undefined;
  }

  folder(prefix: string): Promise<port.FolderInfo | undefined> {
    return this.#run('read', {}, undefined, async () => {
      const directory = prefix.replace(/\/$/, '');
      if (whyNot(this.#root, directory) !== undefined) return undefined;
      const look = this.#followLinks ? stat : lstat;
      const seen = await unlessErrno(
        ABSENT,
        this.#directories.toRead(directory, (path) => look(path)),
      );
      return seen?.isDirectory() ? { mtimeMs: seen.mtimeMs, size: seen.size } : undefined;
    });
  }

  makeFolder(prefix: string): Promise<void> {
    return this.#run('write', {}, prefix, async () => {
      this.checkKey(prefix);
      await this.#directories.make(prefix.replace(/\/$/, ''));
    });
  }

  async restore(key: string): Promise<never> {
    throw new XsyncError('unsupported', 'nothing here is archived', { subject: key });
  }

  head(key: string, options: port.HeadOptions = {}): Promise<ObjectInfo> {
    return this.#run('read', options, key, async () => {
      if (isMarker(key)) return this.#marker(key);
      const look = this.#followLinks ? stat : lstat;
      const seen = this.#directories.toRead(key, (path) => look(path, { bigint: true }));
      const found = await unlessErrno(ABSENT, seen);
      if (!found) return this.#nothingAt(key);
      if (found.isDirectory()) throw objectNotFound(key);
      const kind = kindOf(found);
      const file = kind === 'file' && this.#files.used ? this.#directories.pathOf(key) : undefined;
      const info = await this.#info(key, versionOf(found), file === undefined ? undefined : { file, found });
      return kind === 'file' ? info : { ...info, size: 0, ...specialOf(kind) };
    });
  }

  read(key: string, target: Uint8Array, options: port.ReadOptions = {}): Promise<ObjectInfo> {
    if (target.byteLength <= CHUNK) return this.#read(key, target, options);
    return this.#largeReads(() => this.#read(key, target, options));
  }

  #read(key: string, target: Uint8Array, options: port.ReadOptions): Promise<ObjectInfo> {
    return this.#run('read', options, key, async () => {
      if (isMarker(key)) return requireRead(await this.#marker(key), target, options);
      const opening = async (path: Path) => openToRead(this.#calls, path, this.#followLinks);
      const fd = await this.#directories.toRead(key, opening);
      if (fd === undefined) throw objectNotFound(key);
      try {
        const before = await this.#calls.stat(fd);
        if (before.isDirectory()) throw objectNotFound(key);
        if (!before.isFile()) throw new XsyncError('unsupported-object', `${key} is not a regular file`);
        const info = requireRead(
          await this.#info(key, versionOf(before), { file: fd, found: before }),
          target,
          options,
        );
        const whole = await readBody({ calls: this.#calls, fd }, target, options.offset ?? 0, options);
        const after = versionOf(await this.#calls.stat(fd));
        if (!whole || after.etag !== info.etag) throw changed(key);
        return info;
      } finally {
        await this.#calls.close(fd);
      }
    });
  }

  put(key: string, body: Uint8Array, options: port.PutOptions = {}): Promise<port.WriteResult> {
    return this.#run('write', options, key, async () => {
      if (isMarker(key)) return this.#putMarker(key, body, options);
      return this.#put(key, body, options, (to, hash) => writeBody(to, body, options, hash));
    });
  }

  putPieces(key: string, body: port.PieceSource, options: port.PutOptions = {}): Promise<port.WriteResult> {
    return this.#run('write', options, key, async () => {
      if (isMarker(key)) throw cannotHold(key, 'bytes');
      return this.#put(key, body, options, (to, hash) => writePieces(to, body, options, hash));
    });
  }

  copy(
    source: port.ObjectStore,
    sourceKey: string,
    key: string,
    options: port.CopyOptions = {},
  ): Promise<port.WriteResult> {
    return this.#run('write', options, key, async () => {
      if (source !== this || isMarker(key) || isMarker(sourceKey)) throw noCopies();
      requireKey(this.#root, sourceKey, this.#names);
      const temporary = await this.#temporaries.create();
      try {
        const { headers, metadata } = await this.head(sourceKey);
        await this.#copyInto(temporary.path, sourceKey, options.ifMatch);
        const replaces = options.headers !== undefined || options.metadata !== undefined;
        const about = replaces ? options : { ...options, headers, metadata };
        return resultOf(await this.#publisher.publish(key, temporary, about), undefined);
      } catch (error) {
        await rm(temporary.path, { force: true });
        throw error;
      } finally {
        await temporary.close();
      }
    });
  }

  /** @throws precondition-failed: the file is, or becomes meanwhile, another version */
  async #copyInto(temporary: string, key: string, ifMatch: string | undefined): Promise<void> {
    const etag = await this.#etagOf(key);
    if (etag === undefined) throw objectNotFound(key);
    const { mode } = await stat(temporary);
    // Shares the blocks where the file system can, and takes over the mode.
    await this.#directories.toRead(key, (path) => copyFile(path, temporary, constants.COPYFILE_FICLONE));
    await chmod(temporary, mode);
    if (etag !== (ifMatch ?? etag) || etag !== (await this.#etagOf(key))) throw changed(key);
  }

  copyableFrom(): boolean {
    return false;
  }

  createUpload(key: string, options: port.UploadOptions = {}): Promise<port.UploadRef> {
    return this.#run('write', options, key, () => this.#uploads.create(key, options));
  }

  uploadPart(
    upload: port.UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: port.PartOptions = {},
  ): Promise<port.PartResult> {
    return this.#uploadPart(upload, partNumber, body, options);
  }

  uploadPartPieces(
    upload: port.UploadRef,
    partNumber: number,
    body: port.PieceSource,
    options: port.PartOptions = {},
  ): Promise<port.PartResult> {
    return this.#uploadPart(upload, partNumber, body, options);
  }

  #uploadPart(
    upload: port.UploadRef,
    partNumber: number,
    body: Uint8Array | port.PieceSource,
    options: port.PartOptions,
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
    options: port.CompleteOptions = {},
  ): Promise<port.WriteResult> {
    return this.#run('write', options, upload.key, () => this.#uploads.complete(upload, parts, options));
  }

  abortUpload(upload: port.UploadRef, options: port.CallOptions = {}): Promise<void> {
    return this.#run('write', options, undefined, () => this.#uploads.abort(upload));
  }

  listUploads(options: port.CallOptions & { prefix?: string; token?: string }): Promise<port.UploadPage> {
    return this.#run('read', options, undefined, () => this.#uploads.list(options.prefix ?? ''));
  }

  getLink(key: string, options: port.HeadOptions = {}): Promise<port.Link> {
    return this.#run('read', options, key, async () => {
      const look = async (path: Path) => {
        const found = await lstat(path, { bigint: true });
        return { found, text: found.isSymbolicLink() ? await readlink(path, 'buffer') : undefined };
      };
      const seen = await unlessErrno(ABSENT, this.#directories.toRead(key, look));
      if (!seen) throw objectNotFound(key);
      if (!seen.text) throw new XsyncError('unsupported-object', `${key} is no symbolic link`, { subject: key });
      const target = targetOf(this.#root, key, seen.text, this.#names);
      const info = await this.#info(key, versionOf(seen.found));
      return { target, info: { ...info, size: 0, special: 'symlink' } };
    });
  }

  putLink(key: string, target: string, options: port.LinkOptions = {}): Promise<{ versionId?: string }> {
    return this.#run('write', options, key, async () => {
      if (isMarker(key)) throw cannotHold(key, 'a link');
      const { mtimeMs } = options;
      const how = { root: this.#root, key, target, names: this.#names, mtimeMs };
      await this.#publisher.publishLink(key, options, (path) => makeLink(path, how));
      return {};
    });
  }

  delete(keys: readonly string[], options: port.DeleteCallOptions = {}): Promise<port.DeleteFailure[]> {
    return this.#run('write', options, undefined, async () => {
      if (keys.length > MAX_DELETE) throw new XsyncError('limit', `at most ${MAX_DELETE} keys are deleted in one call`);
      const failures: port.DeleteFailure[] = [];
      for (const key of keys) {
        try {
          await this.#run('write', options, key, () => this.#delete(key, options));
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
    await this.#syncs.close();
    this.#own.forget();
    this.#directories.forget();
  }

  /** The checks before every call, and the translation of its errors. */
  async #run<T>(
    intent: Intent,
    options: port.CallOptions & { versionId?: string },
    key: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    throwIfAborted(options.signal);
    if (key !== undefined) requireKey(this.#root, key, this.#names);
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

  /** @throws key-not-representable if the key is the escaped name of a file without a key, as listings name it */
  async #nothingAt(key: string): Promise<never> {
    const bytes = unescapeName(nameOf(key));
    if (bytes !== undefined && this.#names.decode(bytes) === undefined) {
      const folder = Buffer.from(this.#directories.pathOf(directoryOf(key)));
      const there = lstat(Buffer.concat([folder, Buffer.from('/'), bytes]));
      const found = await unlessErrno(ABSENT, there);
      if (found) throw this.#names.unnamed(nameOf(key), found.isDirectory());
    }
    throw objectNotFound(key);
  }

  /** @param of absent: something that holds nothing itself */
  async #info(key: string, version: Version, of?: { file: File; found: BigIntStats }): Promise<ObjectInfo> {
    const recorded = await this.#sidecars.about(key, version);
    const about = of && this.#files.used ? await this.#files.addTo(recorded, of.file, of.found) : recorded;
    const { size, etag, mtimeMs } = version;
    return { key, size, etag, mtimeMs, headers: about.headers, metadata: about.metadata, checksums: {} };
  }

  async #marker(key: string): Promise<ObjectInfo> {
    const isThere = await this.#directories.toRead(key, async (path) => (await lstat(path)).isDirectory());
    const marker = isThere ? await this.#sidecars.marker(key) : undefined;
    // A folder that cannot be listed is named like a marker.
    if (!marker && isThere) await (await opendir(this.#directories.pathOf(key))).close();
    if (!marker) return this.#nothingAt(key.slice(0, -1));
    const { etag, mtimeMs } = marker.version;
    return { key, size: 0, etag, mtimeMs, headers: marker.headers, metadata: marker.metadata, checksums: {} };
  }

  async #put(
    key: string,
    { byteLength: size }: { readonly byteLength: number },
    options: port.PutOptions,
    write: (to: { calls: Calls; fd: number; position: number }, hash: RunningMd5 | undefined) => Promise<void>,
  ): Promise<port.WriteResult> {
    const hash = options.contentMd5 === undefined ? undefined : runningMd5(size);
    const temporary = await this.#temporaries.create();
    try {
      await write({ calls: this.#calls, fd: temporary.fd, position: 0 }, hash);
      const sum = hash?.digest();
      requireMd5(key, options, sum);
      return resultOf(await this.#publisher.publish(key, temporary, options), sum);
    } catch (error) {
      await rm(temporary.path, { force: true });
      throw error;
    } finally {
      await temporary.close();
    }
  }

  async #putMarker(key: string, body: Uint8Array, options: port.PutOptions): Promise<port.WriteResult> {
    const sum = options.contentMd5 === undefined ? undefined : md5(body);
    requireMd5(key, options, sum);
    requireEmpty(key, body);
    return resultOf(await this.#publisher.publishMarker(key, options), sum);
  }

  /** @throws precondition-failed */
  async #delete(key: string, { versions, folders, keepFolders }: port.DeleteCallOptions): Promise<void> {
    const etag = versions?.get(key);
    const directory = directoryOf(key);
    const removed = await this.#directories.toChange(key, async (path) => {
      if (etag !== undefined && ((await this.#etagOf(key)) ?? etag) !== etag) throw changed(key);
      const recorded = await this.#sidecars.remove(key);
      return isMarker(key) ? recorded : this.#unlink(path);
    });
    if (keepFolders || !(removed || (folders && isMarker(key)))) return;
    await this.#directories.prune(directory, async (at) => !(await this.#sidecars.markerVersion(`${at}/`)));
  }

  /** Undefined if there is no such object. The last look before a file is removed: the system has no conditional unlink. */
  async #etagOf(key: string): Promise<string | undefined> {
    if (isMarker(key)) return (await this.#sidecars.marker(key))?.version.etag;
    const look = async (path: Path) => (this.#followLinks ? stat(path, { bigint: true }) : this.#calls.lstat(path));
    const found = await unlessErrno(ABSENT, this.#directories.toRead(key, look));
    return found?.isDirectory() ? undefined : found && versionOf(found).etag;
  }

  /** A directory of that name is not an object and is kept. @returns whether there was a file */
  async #unlink(path: Path): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        const removed = unlink(path).then(() => true);
        return (await unlessErrno(ABSENT, removed)) ?? false;
      } catch (error) {
        const found = isErrno(error, 'EISDIR', 'EPERM') ? await unlessErrno(ABSENT, lstat(path)) : undefined;
        if (found?.isDirectory()) return false;
        // Since then, the directory was removed, or a file took its place.
        if (!isErrno(error, 'EISDIR') || attempt === ATTEMPTS) throw error;
      }
    }
  }
}

/** Checks a read's conditions against the object. @throws precondition-failed, truncated */
function requireRead(info: ObjectInfo, target: Uint8Array, { ifMatch, offset = 0 }: port.ReadOptions): ObjectInfo {
  if (ifMatch !== undefined && ifMatch !== info.etag) throw changed(info.key);
  if (offset + target.byteLength <= info.size) return info;
  throw new XsyncError('truncated', `${info.key} has ${info.size} bytes, fewer than requested`, { subject: info.key });
}

/** @throws checksum-mismatch */
function requireMd5(key: string, { contentMd5 }: port.PutOptions, sum: string | undefined): void {
  if (sum === contentMd5?.toLowerCase()) return;
  throw new XsyncError('checksum-mismatch', 'the body does not match its Content-MD5', { subject: key });
}

function resultOf({ etag, mtimeMs }: Version, md5: string | undefined): port.WriteResult {
  return { etag, mtimeMs, checksums: md5 === undefined ? {} : { md5 } };
}

function requireEmpty(key: string, body: { readonly byteLength: number }): void {
  if (body.byteLength > 0) throw cannotHold(key, 'bytes');
}

function cannotHold(key: string, what: string): XsyncError {
  return new XsyncError('key-not-representable', `${JSON.stringify(key)} is a directory here and cannot hold ${what}`, {
    subject: key,
  });
}

function objectNotFound(key: string): XsyncError {
  return new XsyncError('object-not-found', `there is no object ${key}`, { subject: key });
}

function changed(key: string): XsyncError {
  return new XsyncError('precondition-failed', `${key} is not the requested version`, { subject: key });
}

async function keepsNoAttributes(): Promise<never> {
  throw new XsyncError('unsupported', 'a directory tree keeps no tags, ACLs or locks of objects');
}

function noCopies(): XsyncError {
  return new XsyncError('unsupported', 'a directory tree does not support server-side copies');
}
