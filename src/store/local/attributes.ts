/**
 * What a file itself holds of an object's metadata and content headers, if the tree is opened so. Everything else is in a
 * record (sidecars.ts).
 *
 * - With `xattrs`: metadata as `user.NAME` and content headers as `user.content-type` and so on, as rclone does. A file whose
 *   metadata does not fit, or has a name that is a header's, has a record instead.
 * - With `permissions`: the metadata `mode` (octal, with the type of the file), `uid` and `gid` (decimal), which are rclone's names.
 *   s3fs and others write `mode` in decimal, which is understood.
 * Tests: test/store/local/attributes.test.ts
 */
import type { BigIntStats } from 'node:fs';
import * as fs from 'node:fs';
import { isErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { ContentHeaders, UserMetadata } from '../../model/object.js';
import { type ExtendedAttributes, type File, loadXattrs, UNSUPPORTED } from '../../native/xattr.js';
import type { Permissions } from './permissions.js';
import type { About } from './sidecars.js';

const PREFIX = 'user.';
const REGULAR = 0o100000;
const PLAIN_BITS = 0o777;
const ALL_BITS = 0o7777;

const HEADERS: Readonly<Record<string, keyof ContentHeaders>> = {
  'content-type': 'contentType',
  'content-encoding': 'contentEncoding',
  'content-disposition': 'contentDisposition',
  'content-language': 'contentLanguage',
  'cache-control': 'cacheControl',
  expires: 'expires',
};
/** The file system has no room for the attribute, or does not take its name or value. */
const UNFIT: readonly string[] = [...UNSUPPORTED, 'ENOSPC', 'EDQUOT', 'E2BIG', 'ERANGE', 'ENAMETOOLONG', 'EINVAL'];

export class FileAttributes {
  readonly #xattrs: boolean;
  readonly #permissions: Permissions;
  #calls: Promise<ExtendedAttributes | undefined> | undefined;

  constructor({ xattrs = false, permissions = 'none' }: { xattrs?: boolean; permissions?: Permissions }) {
    this.#xattrs = xattrs;
    this.#permissions = permissions;
  }

  /** False: files hold nothing, and nothing is asked of them. */
  get used(): boolean {
    return this.#xattrs || this.#permissions !== 'none';
  }

  /**
   * Gives the file what it can hold, before it is synced.
   * @param implied the content type that its name implies
   * @returns what is left for its record
   * @throws access-denied: the owner cannot be set
   */
  async set(fd: number, about: Partial<About>, implied: string | undefined): Promise<Partial<About>> {
    if (!this.used) return about;
    const metadata = this.#setPermissions(fd, { ...about.metadata });
    if (!this.#xattrs) return { ...about, metadata };
    const { contentType, ...headers } = { ...about.headers };
    const all = namedOf({ ...headers, ...(contentType !== implied && { contentType }) }, metadata);
    if (all?.length === 0) return {};
    return all && (await this.#setAll(fd, all)) ? {} : { ...about, metadata };
  }

  /** @param about what the record says, or the name */
  async addTo(about: About, file: File, { mode, uid, gid }: BigIntStats): Promise<About> {
    const { headers, metadata } = this.#xattrs ? await this.#read(file) : { headers: {}, metadata: {} };
    const owned = this.#permissions === 'owner' || this.#permissions === 'all';
    const bits = this.#permissions === 'all' ? ALL_BITS : PLAIN_BITS;
    return {
      headers: { ...about.headers, ...headers },
      metadata: {
        ...metadata,
        ...about.metadata,
        ...(this.#permissions !== 'none' && { mode: (REGULAR | (Number(mode) & bits)).toString(8) }),
        ...(owned && { uid: String(uid), gid: String(gid) }),
      },
    };
  }

  /** @returns the metadata that the file does not hold */
  #setPermissions(fd: number, { mode, uid, gid, ...rest }: UserMetadata): UserMetadata {
    if (this.#permissions === 'none') return { ...rest, ...present({ mode, uid, gid }) };
    const left: UserMetadata = { ...rest };
    const [user, group] = [idOf(uid), idOf(gid)];
    const bits = modeOf(mode);
    if (this.#permissions === 'mode') Object.assign(left, present({ uid, gid }));
    else if (user !== undefined || group !== undefined) setOwner(fd, user, group);
    // A change of the owner clears some of the bits.
    if (bits !== undefined) fs.fchmodSync(fd, bits & (this.#permissions === 'all' ? ALL_BITS : PLAIN_BITS));
    else Object.assign(left, present({ mode }));
    return left;
  }

  /** @returns false if the file has none of them, because one did not fit */
  async #setAll(fd: number, all: readonly (readonly [name: string, value: string])[]): Promise<boolean> {
    const calls = await this.#load();
    if (!calls) return false;
    const done: string[] = [];
    try {
      for (const [name, value] of all) {
        calls.set(fd, PREFIX + name, Buffer.from(value));
        done.push(PREFIX + name);
      }
      return true;
    } catch (error) {
      if (!isErrno(error, ...UNFIT)) throw error;
      for (const name of done) calls.remove(fd, name);
      return false;
    }
  }

  async #read(file: File): Promise<About> {
    const about: About = { headers: {}, metadata: {} };
    const found = (await this.#load())?.read(file) ?? [];
    for (const [name, value] of found) {
      const text = value.toString('utf8');
      const own = name.slice(PREFIX.length).toLowerCase();
      // What is not text cannot be metadata.
      if (!Buffer.from(text).equals(value) || text.includes('\0')) continue;
      const header = HEADERS[own];
      if (header) about.headers[header] = text;
      else about.metadata[own] = text;
    }
    return about;
  }

  #load(): Promise<ExtendedAttributes | undefined> {
    this.#calls ??= loadXattrs();
    return this.#calls;
  }
}

/** Undefined if a name of the metadata would be read as a header. */
function namedOf(headers: ContentHeaders, metadata: UserMetadata): [string, string][] | undefined {
  if (Object.keys(metadata).some((name) => name in HEADERS || name !== name.toLowerCase())) return undefined;
  const ofHeaders = Object.entries(HEADERS).flatMap(([name, field]): [string, string][] => {
    const value = headers[field];
    return value === undefined ? [] : [[name, value]];
  });
  return [...ofHeaders, ...Object.entries(metadata)];
}

/** @throws access-denied */
function setOwner(fd: number, user: number | undefined, group: number | undefined): void {
  const now = fs.fstatSync(fd);
  const [uid, gid] = [user ?? now.uid, group ?? now.gid];
  if (uid === now.uid && gid === now.gid) return;
  try {
    fs.fchownSync(fd, uid, gid);
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'EINVAL')) throw error;
    throw new XsyncError('access-denied', `its owner cannot be set to user ${uid}, group ${gid}`, {
      class: 'person',
      remedy: 'Run as root, or copy without owners: --local-permissions mode.',
      cause: error,
    });
  }
}

/** Of a regular file: octal as in rclone, `100644`, or decimal as in s3fs, `33188`. */
function modeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^0*10[0-7]{4}$/.test(text) || /^0?[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8) & ALL_BITS;
  const decimal = /^3\d{4}$/.test(text) ? Number(text) : 0;
  return (decimal & ~ALL_BITS) === REGULAR ? decimal & ALL_BITS : undefined;
}

function idOf(text: string | undefined): number | undefined {
  const id = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return id < 2 ** 32 - 1 ? id : undefined;
}

function present(metadata: Record<string, string | undefined>): UserMetadata {
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
