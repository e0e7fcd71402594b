/**
 * Multipart uploads as folders `.xsync/uploads/<id>/`. `upload.json` describes the object to create; for `data` and the
 * parts' records see parts.ts. Completion renames `data`, so a folder without it is left over from a crash right after
 * completion and counts as gone.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { md5, md5OfMd5s, runningMd5 } from '../../hash/index.js';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type * as port from '../port.js';
import type { Calls } from './calls.js';
import type { Directories } from './directories.js';
import { type Version, writeBody, writePieces } from './files.js';
import { isMarker, OWN_DIRECTORY } from './keys.js';
import type { Path } from './names.js';
import { dataOf, Parts } from './parts.js';
import type { Description, Publisher } from './publish.js';
import type { Syncs } from './syncs.js';
import type { Temporaries } from './temporaries.js';

/** Matches our upload IDs, and nothing that could be a path elsewhere on the disk. */
const UPLOAD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const UPLOADS = `${OWN_DIRECTORY}/uploads`;

interface Intention extends Description {
  key: string;
  initiatedMs: number;
}

interface Upload {
  intention: Intention;
  parts: Parts;
}

export class LocalUploads {
  readonly #own: Directories;
  readonly #publisher: Publisher;
  readonly #temporaries: Temporaries;
  readonly #calls: Calls;
  readonly #syncs: Syncs;
  readonly #open = new Map<string, Promise<Upload>>();

  /** @param own the root, without following links */
  constructor(
    own: Directories,
    options: { publisher: Publisher; temporaries: Temporaries; calls: Calls; syncs: Syncs },
  ) {
    const { publisher, temporaries, calls, syncs } = options;
    this.#calls = calls;
    this.#syncs = syncs;
    this.#temporaries = temporaries;
    this.#own = own;
    this.#publisher = publisher;
  }

  async create(key: string, about: Description): Promise<port.UploadRef> {
    if (!isMarker(key)) await this.#publisher.refuseBlocked(key);
    const uploadId = randomUUID();
    const { headers, metadata, mtimeMs } = about;
    const intention: Intention = { key, initiatedMs: Date.now(), headers, metadata, mtimeMs };
    await this.#temporaries.withDirectory(async (temporary) => {
      await writeFile(dataOf(temporary), '');
      await writeFile(`${temporary}/upload.json`, JSON.stringify(intention));
      await this.#own.toCreate(folderOf(uploadId), (path) => rename(temporary, path));
    });
    this.#open.set(uploadId, Promise.resolve({ intention, parts: new Parts(this.#calls) }));
    return { key, uploadId };
  }

  async addPart(
    ref: port.UploadRef,
    partNumber: number,
    body: Uint8Array | port.PieceSource,
    options: port.PartOptions,
  ): Promise<port.PartResult> {
    const { parts } = await this.#find(ref);
    const { byteLength: size } = body;
    // A part that is refused leaves the one of that number as it was.
    const known = body instanceof Uint8Array && options.contentMd5 !== undefined ? md5(body) : undefined;
    if (known !== undefined) requireSum(ref, known, options);
    const hash = known === undefined ? runningMd5(size) : undefined;
    const sum = await this.#inside(ref, async (folder) => {
      const { path, at } = parts.place(folder, partNumber, size);
      const fd = await this.#calls.open(path, at === null ? 'w' : 'r+');
      try {
        const to = { calls: this.#calls, fd, position: at ?? 0 };
        if (body instanceof Uint8Array) await writeBody(to, body, options, hash);
        else await writePieces(to, body, options, hash);
        await this.#syncs.ahead(fd, size);
      } finally {
        await this.#calls.close(fd);
      }
      const written = known ?? hash?.digest() ?? '';
      requireSum(ref, written, options);
      await parts.add(folder, { partNumber, size, md5: written, at });
      return written;
    });
    return { etag: sum, checksums: { md5: sum } };
  }

  async listParts(ref: port.UploadRef, signal?: AbortSignal): Promise<port.PartEntry[]> {
    const { parts } = await this.#find(ref);
    const held = await this.#inside(ref, (folder) => parts.verified(folder, signal));
    return held.map((part) => ({ partNumber: part.partNumber, size: part.size, etag: part.md5 }));
  }

  async complete(
    ref: port.UploadRef,
    named: readonly { partNumber: number; etag: string }[],
    options: port.CompleteOptions,
  ): Promise<port.WriteResult> {
    const { intention, parts } = await this.#find(ref);
    const { mtimeMs, replaces } = options;
    const about = { ...intention, ...(mtimeMs === undefined ? {} : { mtimeMs }), replaces };
    const { version, md5s } = await this.#inside(ref, async (folder) => {
      const chosen = await parts.choose(folder, named, options.signal);
      const version = isMarker(ref.key)
        ? await this.#publisher.publishMarker(ref.key, about)
        : await this.#publish(ref.key, await parts.assemble(folder, chosen, options.signal), about);
      return { version, md5s: chosen.map((part) => part.md5) };
    });
    await this.abort(ref);
    return { etag: version.etag, mtimeMs: version.mtimeMs, checksums: { md5ofParts: md5OfMd5s(md5s) } };
  }

  async abort({ key, uploadId }: port.UploadRef): Promise<void> {
    if (!UPLOAD_ID.test(uploadId)) return;
    const found = await this.#intention(uploadId);
    if (found && found.key !== key) return;
    this.#open.delete(uploadId);
    await this.#remove(uploadId);
  }

  async list(prefix: string): Promise<port.UploadPage> {
    const names = (await this.#own.toRead(UPLOADS, (path) => unlessErrno(ABSENT, readdir(path)))) ?? [];
    const uploads: port.UploadEntry[] = [];
    for (const uploadId of names.filter((name) => UPLOAD_ID.test(name))) {
      const intention = await this.#intention(uploadId);
      if (!intention?.key.startsWith(prefix)) continue;
      uploads.push({ key: intention.key, uploadId, initiatedMs: intention.initiatedMs });
    }
    return { uploads: uploads.sort((a, b) => compareKeys(a.key, b.key) || a.initiatedMs - b.initiatedMs) };
  }

  /** @throws upload-not-found, also when it is removed meanwhile */
  async #inside<T>(ref: port.UploadRef, work: (folder: string) => Promise<T>): Promise<T> {
    let done: { value: T } | undefined;
    try {
      done = await this.#own.inside(folderOf(ref.uploadId), async (folder) => ({
        value: await work(folder.toString()),
      }));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw notFound(ref, error);
      throw error;
    }
    if (!done) throw notFound(ref);
    return done.value;
  }

  async #remove(uploadId: string): Promise<void> {
    const how = { recursive: true, force: true, maxRetries: 3 };
    await this.#own.toChange(folderOf(uploadId), (path) => rm(path, how));
  }

  async #publish(key: string, path: string, about: Description): Promise<Version> {
    const fd = await this.#calls.open(path, 'r+');
    try {
      return await this.#publisher.publish(key, { path, fd }, about);
    } finally {
      await this.#calls.close(fd);
    }
  }

  /** @throws upload-not-found */
  async #find(ref: port.UploadRef): Promise<Upload> {
    if (!UPLOAD_ID.test(ref.uploadId)) throw notFound(ref);
    const opening = this.#open.get(ref.uploadId) ?? this.#load(ref);
    this.#open.set(ref.uploadId, opening);
    try {
      const upload = await opening;
      if (upload.intention.key !== ref.key) throw notFound(ref);
      return upload;
    } catch (error) {
      if (this.#open.get(ref.uploadId) === opening) this.#open.delete(ref.uploadId);
      throw error;
    }
  }

  async #load(ref: port.UploadRef): Promise<Upload> {
    const intention = await this.#intention(ref.uploadId);
    if (!intention) {
      await this.#remove(ref.uploadId);
      throw notFound(ref);
    }
    const parts = new Parts(this.#calls);
    await this.#inside(ref, (folder) => parts.load(folder));
    return { intention, parts };
  }

  /** Undefined if the upload no longer exists. */
  async #intention(uploadId: string): Promise<Intention | undefined> {
    const folder = folderOf(uploadId);
    const read = (path: Path) => unlessErrno(ABSENT, readFile(path, 'utf8'));
    const text = await this.#own.toRead(`${folder}/upload.json`, read);
    const data = text && (await this.#own.toRead(dataOf(folder), (path) => unlessErrno(ABSENT, stat(path))));
    if (text === undefined || !data) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

/** The key of an upload's folder. */
function folderOf(uploadId: string): string {
  return `${UPLOADS}/${uploadId}`;
}

/** @throws checksum-mismatch */
function requireSum({ key }: port.UploadRef, sum: string, { contentMd5 }: port.PartOptions): void {
  if (contentMd5 === undefined || contentMd5.toLowerCase() === sum) return;
  throw new XsyncError('checksum-mismatch', 'the part does not match its Content-MD5', { subject: key });
}

function notFound(ref: port.UploadRef, cause?: unknown): XsyncError {
  return new XsyncError('upload-not-found', `there is no upload ${ref.uploadId} of ${ref.key}`, {
    subject: ref.key,
    cause,
  });
}
