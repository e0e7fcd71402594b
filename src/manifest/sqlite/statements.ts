/** The prepared statements of the manifest. Columns have the port's names. Tests: test/manifest/rows.test.ts */
import type { Database, Statement } from 'better-sqlite3';
import type { VerifiedBy } from '../../model/verified.js';
import type { PartRow, UploadRow } from '../checkpoints.js';
import type { DoomedRow, FailureRow, FailureSum, Intent, LagRow, ManifestRow, RunRow, VersionRow } from '../port.js';

/** SQLite has no booleans. */
export type StoredRow = Omit<ManifestRow, 'ours' | 'apartMs' | 'content' | 'destMtimeMs'> & {
  ours: 0 | 1;
  apartMs: number;
  content: string | null;
  destMtimeMs: number;
};
/** A row as an array in the order of `ROW`: a third cheaper, which matters when a whole manifest is read. */
export type RawRow = [
  key: string,
  size: number,
  sourceEtag: string,
  sourceMtimeMs: number,
  destEtag: string,
  verifiedBy: VerifiedBy,
  ours: 0 | 1,
  atMs: number,
  apartMs: number,
  content: string | null,
  destMtimeMs: number,
];
export type StoredUpload = Omit<UploadRow, 'hashed'> & { hashedUpTo: number; hashState: string | null };
export type StoredFailure = Omit<FailureRow, 'dropped'> & { dropped: 0 | 1 };
export type StoredFailureSum = Omit<FailureSum, 'dropped'> & { dropped: 0 | 1 };
/** SQLite has NULL where the port has an absent field. */
export type StoredPart = Omit<PartRow, 'md5' | 'crc64ecma'> & { md5: string | null; crc64ecma: string | null };

const ROW = `key, size, source_etag AS sourceEtag, source_mtime_ms AS sourceMtimeMs, dest_etag AS destEtag,
  verified_by AS verifiedBy, ours, at_ms AS atMs, apart_ms AS apartMs, content,
  dest_mtime_ms AS destMtimeMs`;
const UPLOAD = `key, upload_id AS uploadId, source_etag AS sourceEtag, size, part_size AS partSize,
  created_ms AS createdMs, hashed_up_to AS hashedUpTo, hash_state AS hashState`;
const FAILURE = `key, size, source_etag AS sourceEtag, source_mtime_ms AS sourceMtimeMs, arrived_ms AS arrivedMs, class, code, message,
  settings, attempts, first_ms AS firstMs, last_ms AS lastMs,
  seen_ms AS seenMs, dropped`;
const DOOMED = 'key, size, dest_etag AS destEtag, found_ms AS foundMs';
const VERSIONS = 'SELECT key, source, dest, at_ms AS atMs FROM version';
const RUN = 'id, command, started_ms AS startedMs, ended_ms AS endedMs, outcome, detail';

const PUT = `INSERT OR REPLACE INTO object (key, size, source_etag, source_mtime_ms, dest_etag, verified_by, ours, at_ms,
  apart_ms, content, dest_mtime_ms) VALUES `;
const ONE_ROW = '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
/** A third cheaper for each row than a statement each. */
export const PUT_AT_ONCE = 50;

export type RowValues = [
  ...[key: string, size: number, sourceEtag: string, sourceMtimeMs: number, destEtag: string, verifiedBy: string],
  ...[ours: 0 | 1, atMs: number, apartMs: number, content: string | null, destMtimeMs: number],
];
type Key = [key: string];
type FailureValues = [
  ...[key: string, size: number, sourceEtag: string, sourceMtimeMs: number, arrivedMs: number],
  ...[class_: string, code: string, message: string, settings: string],
  ...[firstMs: number, lastMs: number, seenMs: number, furtherAttempts: number],
];
/** The key, and the key again or null for the start, because the empty key is a valid key. */
type After = [after: string, after: string | null, limit: number];
const AFTER = 'key >= ? AND key IS NOT ? ORDER BY key LIMIT ?';

export interface Statements {
  get: Statement<Key, StoredRow>;
  firstPage: Statement<[number], RawRow>;
  pageAfter: Statement<[string, number], RawRow>;
  count: Statement<[], number>;
  has: Statement<Key, 0 | 1>;
  /** How many of PUT_AT_ONCE keys have rows. */
  hasMany: Statement<string[], number>;
  keysAfter: Statement<[after: string, skip: number], string>;
  put: Statement<RowValues>;
  /** The same for the values of PUT_AT_ONCE rows, one after the other. */
  putMany: Statement<unknown[]>;
  forget: Statement<Key>;
  intend: Statement<[key: string, destEtag: string, atMs: number]>;
  intended: Statement<Key, Intent>;
  anyIntended: Statement<[], 0 | 1>;
  unIntend: Statement<Key>;
  clearIntents: Statement<[beforeMs: number]>;
  upload: Statement<Key, StoredUpload>;
  uploads: Statement<[], StoredUpload>;
  uploadKeys: Statement<[], string>;
  putUpload: Statement<[string, string, string, number, number, number]>;
  noteHash: Statement<[upTo: number, state: string, key: string]>;
  dropUpload: Statement<Key>;
  parts: Statement<Key, StoredPart>;
  putPart: Statement<[string, number, number, string, string | null, string | null]>;
  dropPart: Statement<[string, number]>;
  dropParts: Statement<Key>;
  fail: Statement<FailureValues>;
  failure: Statement<Key, StoredFailure>;
  failures: Statement<After, StoredFailure>;
  failureCount: Statement<[], number>;
  failureSums: Statement<[beforeMs: number], StoredFailureSum>;
  oldestFailures: Statement<[limit: number], StoredFailure>;
  anyFailure: Statement<[], 0 | 1>;
  clearFailure: Statement<Key>;
  seeFailure: Statement<[seenMs: number, key: string]>;
  dropFailure: Statement<Key>;
  doom: Statement<[string, number, string, number]>;
  doomed: Statement<After, DoomedRow>;
  doomedCount: Statement<[], number>;
  clearDoomed: Statement<[]>;
  unDoom: Statement<Key>;
  moveRuns: Statement<[{ before: number; after: number }]>;
  putRun: Statement<[string, string, number, number, string, string]>;
  run: Statement<[id: string], RunRow>;
  runs: Statement<[limit: number], RunRow>;
  dropOldRuns: Statement<[keep: number]>;
  addLag: Statement<[number, number, number, number]>;
  lags: Statement<[sinceMs: number, untilMs: number], LagRow>;
  lagCourse: Statement<[{ since: number; until: number; step: number }], LagRow>;
  dropOldLags: Statement<[beforeMs: number, afterMs: number]>;
  putVersion: Statement<[key: string, source: string, dest: string, atMs: number]>;
  destVersion: Statement<[key: string, source: string], string>;
  versionWithDest: Statement<[key: string, dest: string], string>;
  carriedMs: Statement<[key: string, dest: string], number>;
  hasVersions: Statement<Key, 0 | 1>;
  dropVersion: Statement<[key: string, source: string]>;
  firstVersions: Statement<[limit: number], VersionRow>;
  versionsAfter: Statement<[key: string, source: string, limit: number], VersionRow>;
  versionCount: Statement<[], number>;
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
    has: db.prepare<Key, 0 | 1>('SELECT EXISTS (SELECT 1 FROM object WHERE key = ?)').pluck(),
    hasMany: db
      .prepare<string[], number>(`SELECT count(*) FROM object WHERE key IN (${Array(PUT_AT_ONCE).fill('?').join()})`)
      .pluck(),
    keysAfter: db
      .prepare<[string, number], string>('SELECT key FROM object WHERE key > ? ORDER BY key LIMIT 2 OFFSET ?')
      .pluck(),
    put: db.prepare<RowValues>(PUT + ONE_ROW),
    putMany: db.prepare<unknown[]>(PUT + Array(PUT_AT_ONCE).fill(ONE_ROW).join()),
    forget: db.prepare<Key>('DELETE FROM object WHERE key = ?'),
    intend: db.prepare<[string, string, number]>(
      'INSERT INTO intent VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET at_ms = excluded.at_ms',
    ),
    intended: db.prepare<Key, Intent>('SELECT key, dest_etag AS destEtag, at_ms AS atMs FROM intent WHERE key = ?'),
    anyIntended: db.prepare<[], 0 | 1>('SELECT EXISTS (SELECT 1 FROM intent)').pluck(),
    unIntend: db.prepare<Key>('DELETE FROM intent WHERE key = ?'),
    clearIntents: db.prepare<[number]>('DELETE FROM intent WHERE at_ms < ? AND key NOT IN (SELECT key FROM failure)'),

    upload: db.prepare<Key, StoredUpload>(`SELECT ${UPLOAD} FROM upload WHERE key = ?`),
    uploads: db.prepare<[], StoredUpload>(`SELECT ${UPLOAD} FROM upload ORDER BY key`),
    uploadKeys: db.prepare<[], string>('SELECT key FROM upload').pluck(),
    putUpload: db.prepare<[string, string, string, number, number, number]>(
      `INSERT OR REPLACE INTO upload (key, upload_id, source_etag, size, part_size, created_ms)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    noteHash: db.prepare<[number, string, string]>('UPDATE upload SET hashed_up_to = ?, hash_state = ? WHERE key = ?'),
    dropUpload: db.prepare<Key>('DELETE FROM upload WHERE key = ?'),
    parts: db.prepare<Key, StoredPart>(
      'SELECT part_number AS partNumber, size, etag, md5, crc64ecma FROM part WHERE key = ? ORDER BY part_number',
    ),
    putPart: db.prepare<[string, number, number, string, string | null, string | null]>(
      'INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)',
    ),
    dropPart: db.prepare<[string, number]>('DELETE FROM part WHERE key = ? AND part_number = ?'),
    dropParts: db.prepare<Key>('DELETE FROM part WHERE key = ?'),

    fail: db.prepare<FailureValues>(
      `INSERT INTO failure (key, size, source_etag, source_mtime_ms, arrived_ms, class, code, message, settings,
         attempts, first_ms, last_ms, seen_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET size = excluded.size, source_etag = excluded.source_etag,
         source_mtime_ms = CASE
           WHEN source_etag = '' AND source_mtime_ms = 0 THEN excluded.source_mtime_ms
           WHEN excluded.source_etag = '' AND excluded.source_mtime_ms = 0 THEN source_mtime_ms
           ELSE min(source_mtime_ms, excluded.source_mtime_ms) END,
         arrived_ms = min(arrived_ms, excluded.arrived_ms), class = excluded.class, code = excluded.code,
         message = excluded.message, settings = excluded.settings, attempts = attempts + ?,
         last_ms = excluded.last_ms, seen_ms = excluded.seen_ms, dropped = 0`,
    ),
    failure: db.prepare<Key, StoredFailure>(`SELECT ${FAILURE} FROM failure WHERE key = ?`),
    failures: db.prepare<After, StoredFailure>(`SELECT ${FAILURE} FROM failure WHERE ${AFTER}`),
    failureCount: db.prepare<[], number>('SELECT count(*) FROM failure').pluck(),
    failureSums: db.prepare<[number], StoredFailureSum>(
      `SELECT class, dropped, count(*) AS objects, sum(size) AS bytes, sum(arrived_ms < ?) AS behind,
         min(arrived_ms) AS arrivedMs FROM failure GROUP BY class, dropped`,
    ),
    // A version that no pass has seen came last.
    oldestFailures: db.prepare<[number], StoredFailure>(
      `SELECT ${FAILURE} FROM failure WHERE dropped = 0
       ORDER BY arrived_ms, iif(source_etag = '' AND source_mtime_ms = 0, 9007199254740991, source_mtime_ms), key LIMIT ?`,
    ),
    anyFailure: db.prepare<[], 0 | 1>('SELECT EXISTS (SELECT 1 FROM failure)').pluck(),
    clearFailure: db.prepare<Key>('DELETE FROM failure WHERE key = ?'),
    seeFailure: db.prepare<[number, string]>('UPDATE failure SET seen_ms = ? WHERE key = ?'),
    dropFailure: db.prepare<Key>('UPDATE failure SET dropped = 1 WHERE key = ?'),

    doom: db.prepare<[string, number, string, number]>('INSERT OR REPLACE INTO doomed VALUES (?, ?, ?, ?)'),
    doomed: db.prepare<After, DoomedRow>(`SELECT ${DOOMED} FROM doomed WHERE ${AFTER}`),
    doomedCount: db.prepare<[], number>('SELECT count(*) FROM doomed').pluck(),
    clearDoomed: db.prepare<[]>('DELETE FROM doomed'),
    unDoom: db.prepare<Key>('DELETE FROM doomed WHERE key = ?'),

    moveRuns: db.prepare<[{ before: number; after: number }]>(
      'UPDATE run SET started_ms = @before, ended_ms = min(ended_ms, @before) WHERE started_ms > @after',
    ),
    putRun: db.prepare<[string, string, number, number, string, string]>(
      'INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?)',
    ),
    run: db.prepare<[string], RunRow>(`SELECT ${RUN} FROM run WHERE id = ?`),
    runs: db.prepare<[number], RunRow>(`SELECT ${RUN} FROM run ORDER BY started_ms DESC LIMIT ?`),
    dropOldRuns: db.prepare<[number]>(
      'DELETE FROM run WHERE started_ms < (SELECT started_ms FROM run ORDER BY started_ms DESC LIMIT 1 OFFSET ?)',
    ),

    addLag: db.prepare<[number, number, number, number]>(
      `INSERT INTO lag VALUES (?, ?, ?, ?) ON CONFLICT (minute_ms, bin)
       DO UPDATE SET objects = objects + excluded.objects, max_ms = max(max_ms, excluded.max_ms)`,
    ),
    lags: db.prepare<[number, number], LagRow>(
      `SELECT max(minute_ms) AS minuteMs, bin, sum(objects) AS objects, max(max_ms) AS maxMs
       FROM lag WHERE minute_ms BETWEEN ? AND ? GROUP BY bin ORDER BY bin`,
    ),
    lagCourse: db.prepare<[{ since: number; until: number; step: number }], LagRow>(
      `SELECT @since + @step * CAST((minute_ms - @since) / @step AS INTEGER) AS minuteMs, bin, sum(objects) AS objects,
         max(max_ms) AS maxMs
       FROM lag WHERE minute_ms BETWEEN @since AND @until GROUP BY 1, bin ORDER BY 1, bin`,
    ),
    dropOldLags: db.prepare<[number, number]>('DELETE FROM lag WHERE minute_ms < ? OR minute_ms > ?'),

    putVersion: db.prepare<[string, string, string, number]>('INSERT OR REPLACE INTO version VALUES (?, ?, ?, ?)'),
    destVersion: db.prepare<[string, string], string>('SELECT dest FROM version WHERE key = ? AND source = ?').pluck(),
    versionWithDest: db
      .prepare<[string, string], string>('SELECT source FROM version WHERE key = ? AND dest = ? LIMIT 1')
      .pluck(),
    carriedMs: db
      .prepare<[string, string], number>('SELECT at_ms FROM version WHERE key = ? AND dest = ? LIMIT 1')
      .pluck(),
    dropVersion: db.prepare<[string, string]>('DELETE FROM version WHERE key = ? AND source = ?'),
    hasVersions: db.prepare<Key, 0 | 1>('SELECT EXISTS (SELECT 1 FROM version WHERE key = ?)').pluck(),

    firstVersions: db.prepare<[number], VersionRow>(`${VERSIONS} ORDER BY key, source LIMIT ?`),
    versionsAfter: db.prepare<[string, string, number], VersionRow>(
      `${VERSIONS} WHERE (key, source) > (?, ?) ORDER BY key, source LIMIT ?`,
    ),
    versionCount: db.prepare<[], number>('SELECT count(*) FROM version').pluck(),

    getFact: db.prepare<[string], string>('SELECT value FROM fact WHERE name = ?').pluck(),
    setFact: db.prepare<[string, string]>('INSERT OR REPLACE INTO fact VALUES (?, ?)'),
  };
}
