/**
 * Multipart uploads as folders `.xsync/uploads/<id>/`. `upload.json` describes the object to create; for `data` and the
 * parts' records see parts.ts. Completion renames `data`, so a folder without it is left over from a crash right after
 * completion and counts as gone.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { md5OfMd5s, md5Soon } from '../../hash/index.js';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type * as port from '../port.js';
import type { Calls } from './calls.js';
import { makeDirectories, type Version, writeBody } from './files.js';
import { isMarker, OWN_DIRECTORY } from './keys.js';
import { Parts } from './parts.js';
import type { Description, Publisher } from './publish.js';
import type { Temporaries } from './temporaries.js';

/** Matches our upload IDs, and nothing that could be a path elsewhere on the disk. */
const UPLOAD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Intention extends Description {
  key: string;
  initiatedMs: number;
}

interface Upload {
  intention: Intention;
  parts: Parts;
}

export class LocalUploads {
  readonly #directory: string;
  readonly #publisher: Publisher;
  readonly #temporaries: Temporaries;
  readonly #calls: Calls;
  readonly #open = new Map<string, Promise<Upload>>();

  constructor(root: string, options: { publisher: Publisher; temporaries: Temporaries; calls: Calls }) {
    const { publisher, temporaries, calls } = options;
    this.#calls = calls;
    this.#temporaries = temporaries;
    this.#directory = `${root}/${OWN_DIRECTORY}/uploads`;
    this.#publisher = publisher;
  }

  async create(key: string, about: Description): Promise<port.UploadRef> {
    const uploadId = randomUUID();
    const { headers, metadata, mtimeMs } = about;
    const intention: Intention = { key, initiatedMs: Date.now(), headers, metadata, mtimeMs };
    const temporary = await this.#temporaries.createDirectory();
    await writeFile(new Parts(temporary, this.#calls).data, '');
    await writeFile(`${temporary}/upload.json`, JSON.stringify(intention));
    await makeDirectories(this.#directory);
    await rename(temporary, this.#path(uploadId));
    const parts = new Parts(this.#path(uploadId), this.#calls);
    this.#open.set(uploadId, Promise.resolve({ intention, parts }));
    return { key, uploadId };
  }

  async addPart(
    ref: port.UploadRef,
    partNumber: number,
    body: Uint8Array,
    options: port.PartOptions,
  ): Promise<port.PartResult> {
    const { parts } = await this.#find(ref);
    const sum = await md5Soon(body);
    if (options.contentMd5 !== undefined && options.contentMd5.toLowerCase() !== sum) {
      throw new XsyncError('checksum-mismatch', 'the part does not match its Content-MD5', { subject: ref.key });
    }
    const { path, at } = parts.place(partNumber, body.byteLength);
    try {
      const fd = await this.#calls.open(path, at === null ? 'w' : 'r+');
      try {
        await writeBody({ calls: this.#calls, fd, position: at ?? 0 }, body, options);
      } finally {
        await this.#calls.close(fd);
      }
      await parts.add({ partNumber, size: body.byteLength, md5: sum, at });
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw notFound(ref, error);
      throw error;
    }
    return { etag: sum, checksums: { md5: sum } };
  }

  async listParts(ref: port.UploadRef, signal?: AbortSignal): Promise<port.PartEntry[]> {
    const { parts } = await this.#find(ref);
    const held = await parts.verified(signal);
    return held.map((part) => ({ partNumber: part.partNumber, size: part.size, etag: part.md5 }));
  }

  async complete(
    ref: port.UploadRef,
    named: readonly { partNumber: number; etag: string }[],
    options: port.CompleteOptions,
  ): Promise<port.WriteResult> {
    const { intention, parts } = await this.#find(ref);
    const chosen = await parts.choose(named, options.signal);
    const { mtimeMs, replaces } = options;
    const about = { ...intention, ...(mtimeMs === undefined ? {} : { mtimeMs }), replaces };
    const version = isMarker(ref.key)
      ? await this.#publisher.publishMarker(ref.key, about)
      : await this.#publish(ref.key, await parts.assemble(chosen, options.signal), about);
    await this.abort(ref);
    const checksums = { md5ofParts: md5OfMd5s(chosen.map((part) => part.md5)) };
    return { etag: version.etag, mtimeMs: version.mtimeMs, checksums };
  }

  async abort({ key, uploadId }: port.UploadRef): Promise<void> {
    if (!UPLOAD_ID.test(uploadId)) return;
    const found = await this.#intention(uploadId);
    if (found && found.key !== key) return;
    this.#open.delete(uploadId);
    await this.#remove(uploadId);
  }

  async list(prefix: string): Promise<port.UploadPage> {
    const names = (await unlessErrno(ABSENT, readdir(this.#directory))) ?? [];
    const uploads: port.UploadEntry[] = [];
    for (const uploadId of names.filter((name) => UPLOAD_ID.test(name))) {
      const intention = await this.#intention(uploadId);
      if (!intention?.key.startsWith(prefix)) continue;
      uploads.push({ key: intention.key, uploadId, initiatedMs: intention.initiatedMs });
    }
    return { uploads: uploads.sort((a, b) => compareKeys(a.key, b.key) || a.initiatedMs - b.initiatedMs) };
  }

  #path(uploadId: string): string {
    return `${this.#directory}/${uploadId}`;
  }

  async #remove(uploadId: string): Promise<void> {
    await rm(this.#path(uploadId), { recursive: true, force: true, maxRetries: 3 });
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
    const parts = new Parts(this.#path(ref.uploadId), this.#calls);
    await parts.load();
    return { intention, parts };
  }

  /** Undefined if the upload no longer exists. */
  async #intention(uploadId: string): Promise<Intention | undefined> {
    const directory = this.#path(uploadId);
    const text = await unlessErrno(ABSENT, readFile(`${directory}/upload.json`, 'utf8'));
    if (text === undefined || !(await unlessErrno(ABSENT, stat(`${directory}/data`)))) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

function notFound(ref: port.UploadRef, cause?: unknown): XsyncError {
  return new XsyncError('upload-not-found', `there is no upload ${ref.uploadId} of ${ref.key}`, {
    subject: ref.key,
    cause,
  });
}
