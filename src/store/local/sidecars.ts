/**
 * Content headers and user metadata, which a file cannot hold. They are kept as JSON under
 * `.xsync/meta/<2 hex>/<sha256 of the key>.json` if they differ from the defaults for the file's name. A record is
 * bound to the size and time of its file, and ignored once the file has changed.
 *
 * Folder markers (`dir/`) have only a record: the record's file holds the marker's time and version.
 */
import { createHash } from 'node:crypto';
import { readFile, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import mime from 'mime';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { ContentHeaders, UserMetadata } from '../../model/object.js';
import type { Calls } from './calls.js';
import { makeDirectories, mtimeOf, type Version, versionOf, writeBody } from './files.js';
import { isMarker, OWN_DIRECTORY } from './keys.js';
import type { Syncs } from './syncs.js';
import type { Temporaries } from './temporaries.js';

export interface About {
  headers: ContentHeaders;
  metadata: UserMetadata;
}

interface Sidecar extends About {
  key: string;
  size: number;
  /** Decimal, because JSON has no 64-bit integers. */
  mtimeNs: string;
}

/** The defaults of a file without a record: a content type guessed from the name. */
export function guessAbout(key: string): About {
  return { headers: { contentType: mime.getType(key) ?? 'application/octet-stream' }, metadata: {} };
}

export class Sidecars {
  readonly #meta: string;
  readonly #calls: Calls;
  readonly #syncs: Syncs;
  readonly #temporaries: Temporaries;

  constructor(root: string, options: { temporaries: Temporaries; calls: Calls; syncs: Syncs }) {
    this.#temporaries = options.temporaries;
    this.#meta = `${root}/${OWN_DIRECTORY}/meta`;
    this.#calls = options.calls;
    this.#syncs = options.syncs;
  }

  /** Writes a record for this version of the file if it differs from the defaults, otherwise removes the old record. */
  async record(key: string, version: Version, about: Partial<About>): Promise<void> {
    const headers = dropAbsent({ ...about.headers });
    const metadata = { ...about.metadata };
    const { contentType, ...others } = headers;
    const typeIsPlain = contentType === undefined || contentType === guessAbout(key).headers.contentType;
    if (typeIsPlain && Object.keys(others).length === 0 && Object.keys(metadata).length === 0) {
      await this.remove(key);
      return;
    }
    await this.#write({ key, size: version.size, mtimeNs: String(version.mtimeNs), headers, metadata });
  }

  /** The headers and metadata of this version of the file. */
  async about(key: string, version: Version): Promise<About> {
    const sidecar = await this.#read(key);
    if (!sidecar) return guessAbout(key);
    if (sidecar.size !== version.size || sidecar.mtimeNs !== String(version.mtimeNs)) return guessAbout(key);
    return withType(key, sidecar);
  }

  /** @returns whether there was a record */
  async remove(key: string): Promise<boolean> {
    const path = this.#path(key);
    if (!(await this.#calls.mayExist(path))) return false;
    const removed = await unlessErrno(
      ABSENT,
      unlink(path).then(() => true),
    );
    if (removed) await unlessErrno(['ENOTEMPTY', 'EEXIST', 'ENOENT'], rmdir(dirname(path)));
    return removed ?? false;
  }

  async recordMarker(key: string, mtimeMs: number | undefined, about: Partial<About>): Promise<Version> {
    const headers = dropAbsent({ ...about.headers });
    return this.#write({ key, size: 0, mtimeNs: '0', headers, metadata: { ...about.metadata } }, mtimeMs);
  }

  /** The version of the marker, if there is one. */
  async markerVersion(key: string): Promise<Version | undefined> {
    const found = await unlessErrno(ABSENT, stat(this.#path(key), { bigint: true }));
    return found && { ...versionOf(found), size: 0 };
  }

  async marker(key: string): Promise<(About & { version: Version }) | undefined> {
    const version = await this.markerVersion(key);
    const sidecar = await this.#read(key);
    return version && sidecar && { ...withType(key, sidecar), version };
  }

  /** Whether there are any records. If not, a walk need not check for markers. */
  async any(): Promise<boolean> {
    return (await unlessErrno(ABSENT, stat(this.#meta))) !== undefined;
  }

  #path(key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    return `${this.#meta}/${name.slice(0, 2)}/${name}.json`;
  }

  /** Atomic: readers see the old record or the new one. */
  async #write(sidecar: Sidecar, mtimeMs?: number): Promise<Version> {
    const path = this.#path(sidecar.key);
    const { path: temporary, fd } = await this.#temporaries.create();
    try {
      let version: Version;
      try {
        const text = Buffer.from(`${JSON.stringify(sidecar)}\n`);
        await writeBody({ calls: this.#calls, fd, position: 0 }, text, {});
        if (mtimeMs !== undefined) await this.#calls.utimes(fd, mtimeOf(mtimeMs));
        await this.#syncs.file(fd);
        version = versionOf(await this.#calls.stat(fd));
      } finally {
        await this.#calls.close(fd);
      }
      await this.#moveIn(temporary, path);
      return { ...version, size: 0 };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #moveIn(temporary: string, path: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await makeDirectories(dirname(path));
      try {
        await this.#calls.rename(temporary, path);
        break;
      } catch (error) {
        // Removing another record also removed the empty directory.
        if (!isErrno(error, 'ENOENT') || attempt === 5) throw error;
      }
    }
    await unlessErrno(ABSENT, this.#syncs.directory(dirname(path)));
  }

  async #read(key: string): Promise<Sidecar | undefined> {
    const path = this.#path(key);
    const text = await unlessErrno(ABSENT, readFile(path, 'utf8'));
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if (parsed?.key === key) return parsed;
    throw new XsyncError('not-readable', `${path} is not a record of ${key}`, {
      subject: key,
      remedy: `Remove ${path}. Only the headers and metadata of that object are lost.`,
    });
  }
}

function withType(key: string, { headers, metadata }: About): About {
  if (headers.contentType !== undefined || isMarker(key)) return { headers, metadata };
  return { headers: { ...guessAbout(key).headers, ...headers }, metadata };
}

function dropAbsent(headers: ContentHeaders): ContentHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

function parse(text: string): Sidecar | undefined {
  try {
    const { key, size, mtimeNs, headers, metadata }: Partial<Sidecar> = JSON.parse(text);
    if (key === undefined || size === undefined || mtimeNs === undefined) return undefined;
    return { key, size, mtimeNs, headers: headers ?? {}, metadata: metadata ?? {} };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
