/** Every statement of the manifest, prepared once. Columns come out under the port's names. */
import type { Database, Statement } from 'better-sqlite3';
import type { VerifiedBy } from '../../model/verified.js';
import type { FailureRow, ManifestRow, PartRow, UploadRow } from '../port.js';

/** SQLite has no booleans. */
export type StoredRow = Omit<ManifestRow, 'ours'> & { ours: 0 | 1 };
/** The same as an array in the order of `ROW`: a third cheaper, which counts where a whole manifest is read. */
export type RawRow = [
  key: string,
  size: number,
  sourceEtag: string,
  sourceMtimeMs: number,
  destEtag: string,
  verifiedBy: VerifiedBy,
  ours: 0 | 1,
  atMs: number,
];
/** SQLite has NULL where the port has an absent field. */
export type StoredPart = Omit<PartRow, 'md5' | 'crc64ecma'> & { md5: string | null; crc64ecma: string | null };

const ROW = `key, size, source_etag AS sourceEtag, source_mtime_ms AS sourceMtimeMs, dest_etag AS destEtag,
  verified_by AS verifiedBy, ours, at_ms AS atMs`;
const UPLOAD = `key, upload_id AS uploadId, source_etag AS sourceEtag, size, part_size AS partSize,
  created_ms AS createdMs`;
const FAILURE = `key, size, source_etag AS sourceEtag, class, code, message, attempts, first_ms AS firstMs,
  last_ms AS lastMs`;

type Key = [key: string];

export interface Statements {
  get: Statement<Key, StoredRow>;
  firstPage: Statement<[number], RawRow>;
  pageAfter: Statement<[string, number], RawRow>;
  count: Statement<[], number>;
  keysAfter: Statement<[after: string, skip: number], string>;
  put: Statement<[string, number, string, number, string, string, 0 | 1, number]>;
  forget: Statement<Key>;
  upload: Statement<Key, UploadRow>;
  uploads: Statement<[], UploadRow>;
  putUpload: Statement<[string, string, string, number, number, number]>;
  dropUpload: Statement<Key>;
  parts: Statement<Key, StoredPart>;
  putPart: Statement<[string, number, number, string, string | null, string | null]>;
  dropPart: Statement<[string, number]>;
  dropParts: Statement<Key>;
  fail: Statement<[string, number, string, string, string, string, number, number]>;
  failures: Statement<[], FailureRow>;
  failureCount: Statement<[], number>;
  anyFailure: Statement<[], 0 | 1>;
  clearFailure: Statement<Key>;
  getFact: Statement<[string], string>;
  setFact: Statement<[string, string]>;
}

export function prepareStatements(db: Database): Statements {
  return {
    get: db.prepare<Key, StoredRow>(`SELECT ${ROW} FROM object WHERE key = ?`),
    firstPage: db.prepare<[number], RawRow>(`SELECT ${ROW} FROM object ORDER BY key LIMIT ?`).raw(),
    pageAfter: db
      .prepare<[string, number], RawRow>(`SELECT ${ROW} FROM object WHERE key > ? ORDER BY key LIMIT ?`)
      .raw(),
    count: db.prepare<[], number>('SELECT count(*) FROM object').pluck(),
    keysAfter: db
      .prepare<[string, number], string>('SELECT key FROM object WHERE key > ? ORDER BY key LIMIT 2 OFFSET ?')
      .pluck(),
    put: db.prepare<[string, number, string, number, string, string, 0 | 1, number]>(
      'INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    forget: db.prepare<Key>('DELETE FROM object WHERE key = ?'),

    upload: db.prepare<Key, UploadRow>(`SELECT ${UPLOAD} FROM upload WHERE key = ?`),
    uploads: db.prepare<[], UploadRow>(`SELECT ${UPLOAD} FROM upload ORDER BY key`),
    putUpload: db.prepare<[string, string, string, number, number, number]>(
      'INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?, ?)',
    ),
    dropUpload: db.prepare<Key>('DELETE FROM upload WHERE key = ?'),
    parts: db.prepare<Key, StoredPart>(
      'SELECT part_number AS partNumber, size, etag, md5, crc64ecma FROM part WHERE key = ? ORDER BY part_number',
    ),
    putPart: db.prepare<[string, number, number, string, string | null, string | null]>(
      'INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)',
    ),
    dropPart: db.prepare<[string, number]>('DELETE FROM part WHERE key = ? AND part_number = ?'),
    dropParts: db.prepare<Key>('DELETE FROM part WHERE key = ?'),

    fail: db.prepare<[string, number, string, string, string, string, number, number]>(
      `INSERT INTO failure VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
       ON CONFLICT (key) DO UPDATE SET size = excluded.size, source_etag = excluded.source_etag,
         class = excluded.class, code = excluded.code, message = excluded.message,
         attempts = attempts + 1, last_ms = excluded.last_ms`,
    ),
    failures: db.prepare<[], FailureRow>(`SELECT ${FAILURE} FROM failure ORDER BY key`),
    failureCount: db.prepare<[], number>('SELECT count(*) FROM failure').pluck(),
    anyFailure: db.prepare<[], 0 | 1>('SELECT EXISTS (SELECT 1 FROM failure)').pluck(),
    clearFailure: db.prepare<Key>('DELETE FROM failure WHERE key = ?'),

    getFact: db.prepare<[string], string>('SELECT value FROM fact WHERE name = ?').pluck(),
    setFact: db.prepare<[string, string]>('INSERT OR REPLACE INTO fact VALUES (?, ?)'),
  };
}
