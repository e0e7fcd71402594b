/**
 * Places of the matrix, and how their objects are put there and seen without xsync: by the strict server's own state, and
 * by file calls.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readlinkSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isErrno } from '../../../src/model/errno.js';
import type { ObjectStore } from '../../../src/store/port.js';
import type { PutInput, StoredObject, TestServer } from '../../support/server/index.js';
import { storeLink } from '../../support/server/oss/objects.js';

export type Service = 's3' | 'oss';
export type MatrixKind = Service | 'disk';

/** What a service holds of an object, as text by name. */
export type Raw = Readonly<Record<string, string | undefined>>;

/** What an object of one row is given. */
export interface Given extends PutInput {
  /** It is a symbolic link to this key. */
  linkTo?: string;
  /** OSS: it was made by AppendObject. */
  appendable?: true;
}

/** One place, and how its objects are put there and seen without xsync. */
export interface Site {
  kind: MatrixKind;
  store: ObjectStore;
  put(key: string, input: Given): void | Promise<void>;
  see(key: string): Raw | undefined | Promise<Raw | undefined>;
}

export const MTIME = Date.UTC(2020, 0, 2);

export function bytesAt(key: string): string {
  return `the bytes of ${key}`;
}

/** As the server keeps the bytes of a header. */
export function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** A bucket of the strict server, of which only the server's own state is used. */
export function strictSite(
  kind: Service,
  { store, name }: { store: ObjectStore; name: string },
  server: TestServer,
): Site {
  const namespace = server.core[kind];
  return {
    ...{ kind, store },
    put: (key, { linkTo, appendable, ...input }) => {
      const headers = { 'content-type': 'text/plain', ...input.headers };
      const bucket = namespace.bucket(name);
      if (linkTo !== undefined) storeLink(bucket, key, linkTo, { headers });
      else {
        const {
          versionId: _,
          deleteMarker: _d,
          restored: _r,
          ...object
        } = namespace.put(name, key, bytesAt(key), {
          ...input,
          headers,
        });
        if (appendable) bucket.store({ ...object, type: 'Appendable', etag: 'F'.repeat(32) });
      }
    },
    see: (key) => {
      const object = namespace.get(name, key);
      return object && rawOf(object);
    },
  };
}

function rawOf({ headers, metadata: all, tags: own, lastModifiedMs, checksum, ...object }: StoredObject): Raw {
  const { mtime, ...others } = all;
  const { mode, untilMs, hold } = object.lock ?? {};
  return {
    ...headers,
    time: String(mtime === undefined ? lastModifiedMs : Number(mtime) * 1000),
    metadata: textOf(others),
    tags: JSON.stringify(own),
    acl: object.acl,
    lock: JSON.stringify([mode, untilMs, hold]),
    class: object.storageClass,
    redirect: object.redirect,
    encryption: JSON.stringify(object.encryption),
    link: object.symlinkTarget,
    type: object.type === 'Appendable' ? 'appendable' : 'ordinary',
    checksum: checksum ? `${checksum.name} ${checksum.type} ${checksum.value}` : object.crc64ecma,
  };
}

function textOf(entries: Record<string, string>): string {
  return JSON.stringify(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A folder: the files, and the records beside them for what a file cannot hold. */
export function diskSite({ store, name: root }: { store: ObjectStore; name: string }): Site {
  return {
    ...{ kind: 'disk', store },
    put: (key, { linkTo }) => {
      const path = join(root, key);
      if (linkTo !== undefined) return symlinkSync(linkTo, path);
      writeFileSync(path, bytesAt(key));
      utimesSync(path, MTIME / 1000, MTIME / 1000);
    },
    see: (key) => {
      const path = join(root, key);
      const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (!found) return undefined;
      const { headers, metadata } = recordOf(root, key, found);
      return {
        ...{ 'content-type': headers.contentType, 'content-encoding': headers.contentEncoding },
        ...{ 'content-language': headers.contentLanguage, 'content-disposition': headers.contentDisposition },
        ...{ 'cache-control': headers.cacheControl, expires: headers.expires },
        time: String(found.mtimeNs / 1_000_000n),
        metadata: textOf(Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, utf8(value)]))),
        ...{ tags: '[]', acl: 'private', lock: JSON.stringify([]), encryption: '{}', type: 'ordinary' },
        ...(found.isSymbolicLink() && { link: readlinkSync(path) }),
      };
    },
  };
}

const text = z.record(z.string(), z.string());
const RECORD = z.object({ key: z.string(), size: z.number(), mtimeNs: z.string(), headers: text, metadata: text });

/** Of the record's JSON, if it is about this version of the file. */
function recordOf(
  root: string,
  key: string,
  { size, mtimeNs }: { size: bigint; mtimeNs: bigint },
): { headers: Record<string, string>; metadata: Record<string, string> } {
  const name = createHash('sha256').update(key).digest('hex');
  try {
    const json = readFileSync(join(root, '.xsync/meta', name.slice(0, 2), `${name}.json`), 'utf8');
    const record = RECORD.parse(JSON.parse(json));
    const current = record.key === key && BigInt(record.size) === size && record.mtimeNs === String(mtimeNs);
    if (current) return record;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  return { headers: {}, metadata: {} };
}
