/**
 * Content headers and user metadata, which a file cannot hold. They are kept as JSON under
 * `.xsync/meta/<2 hex>/<sha256 of the key>.json` if they differ from the defaults for the file's name. A record is
 * bound to the size and time of its file, and ignored once the file has changed.
 *
 * Folder markers (`dir/`) have only a record: the record's file holds the marker's time and version.
 * Tests: test/store/local/objects.test.ts
 */
import { hash } from 'node:crypto';
import { readFile, rm, rmdir, stat, unlink } from 'node:fs/promises';
import mime from 'mime';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ContentHeaders, UserMetadata } from '../../model/object.js';
import type { Calls } from './calls.js';
import type { Directories } from './directories.js';
import { type Intent, translate } from './errors.js';
import { mtimeOf, type Version, versionOf, writeBody } from './files.js';
import { directoryOf, isMarker, OWN_DIRECTORY } from './keys.js';
import type { Path } from './names.js';
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

const META = `${OWN_DIRECTORY}/meta`;

export class Sidecars {
  readonly #own: Directories;
  readonly #calls: Calls;
  readonly #syncs: Syncs;
  readonly #temporaries: Temporaries;

  /** @param own the root, without following links */
  constructor(own: Directories, options: { temporaries: Temporaries; calls: Calls; syncs: Syncs }) {
    this.#temporaries = options.temporaries;
    this.#own = own;
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
    if (!(await this.#mayHaveAny('write'))) return false;
    const record = recordOf(key);
    return this.#naming('write', record, async () => {
      if (!(await this.#calls.mayExist(this.#own.pathOf(record)))) return false;
      const removed = await this.#own.toChange(record, (path) =>
        unlessErrno(
          ABSENT,
          unlink(path).then(() => true),
        ),
      );
      if (removed) {
        const kept = ['ENOTEMPTY', 'EEXIST', 'ENOENT'];
        await this.#own.toChange(directoryOf(record), (path) => unlessErrno(kept, rmdir(path)));
      }
      return removed ?? false;
    });
  }

  async recordMarker(key: string, mtimeMs: number | undefined, about: Partial<About>): Promise<Version> {
    const headers = dropAbsent({ ...about.headers });
    return this.#write({ key, size: 0, mtimeNs: '0', headers, metadata: { ...about.metadata } }, mtimeMs);
  }

  /** The version of the marker, if there is one. */
  async markerVersion(key: string): Promise<Version | undefined> {
    const look = (path: Path) => unlessErrno(ABSENT, stat(path, { bigint: true }));
    const found = await this.#naming('read', recordOf(key), () => this.#own.toRead(recordOf(key), look));
    return found && { ...versionOf(found), size: 0 };
  }

  async marker(key: string): Promise<(About & { version: Version }) | undefined> {
    const version = await this.markerVersion(key);
    const sidecar = await this.#read(key);
    return version && sidecar && { ...withType(key, sidecar), version };
  }

  /** Whether there are any records. If not, a walk need not check for markers. */
  async any(): Promise<boolean> {
    return (await this.#own.toRead(META, (path) => unlessErrno(ABSENT, stat(path)))) !== undefined;
  }

  /** Atomic: readers see the old record or the new one. */
  async #write(sidecar: Sidecar, mtimeMs?: number): Promise<Version> {
    const { path: temporary, fd, device, close } = await this.#temporaries.create();
    try {
      const text = Buffer.from(`${JSON.stringify(sidecar)}\n`);
      await writeBody({ calls: this.#calls, fd, position: 0 }, text, {});
      if (mtimeMs !== undefined) await this.#calls.utimes(fd, mtimeOf(mtimeMs));
      await this.#syncs.file(fd, device);
      const version = versionOf(await this.#calls.stat(fd));
      const record = recordOf(sidecar.key);
      await this.#naming('write', record, () => this.#moveIn(temporary, record));
      return { ...version, size: 0 };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await close();
    }
  }

  async #moveIn(temporary: string, record: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#own.toCreate(record, async (path) => this.#calls.rename(temporary, path));
        break;
      } catch (error) {
        // Removing another record also removed the empty directory.
        if (!isErrno(error, 'ENOENT') || attempt === 5) throw error;
      }
    }
    await this.#own.sync(record);
  }

  /** The file of an object has another path, and is not at fault. */
  async #naming<T>(intent: Intent, record: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const fault = translate(error, intent, this.#own.path(record));
      if (!isXsyncError(fault) || fault === error) throw error;
      const { code, subject, class: kind, cause } = fault;
      throw new XsyncError(code, `its headers and metadata: ${fault.message}`, {
        subject,
        class: kind,
        remedy: fault.remedy ?? 'Make it readable for this user.',
        cause,
      });
    }
  }

  /** Most trees have no records: then their paths need not be computed. */
  async #mayHaveAny(intent: Intent): Promise<boolean> {
    return this.#naming(intent, META, async () => this.#calls.mayExist(this.#own.pathOf(META)));
  }

  async #read(key: string): Promise<Sidecar | undefined> {
    if (!(await this.#mayHaveAny('read'))) return undefined;
    const record = recordOf(key);
    const read = (file: Path) => unlessErrno(ABSENT, readFile(file, 'utf8'));
    const text = await this.#naming('read', record, async () => {
      if (!(await this.#calls.mayExist(this.#own.pathOf(record)))) return undefined;
      return this.#own.toRead(record, read);
    });
    if (text === undefined) return undefined;
    const path = this.#own.path(record);
    const parsed = parse(text);
    if (parsed?.key === key) return parsed;
    throw new XsyncError('not-readable', `${path} is not a record of ${key}`, {
      subject: key,
      remedy: `Remove ${path}. Only the headers and metadata of that object are lost.`,
    });
  }
}

/** The record's own key. */
function recordOf(key: string): string {
  const name = hash('sha256', key);
  return `${META}/${name.slice(0, 2)}/${name}.json`;
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
