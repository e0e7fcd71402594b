/** Tests: test/manifest/rows.test.ts */
import type { Database } from 'better-sqlite3';
import type { HashedParts, PartRow, UploadRow } from '../checkpoints.js';
import type {
  DoomedRow,
  FailureRow,
  FailureSum,
  Intent,
  LagRow,
  Manifest,
  ManifestRow,
  RunRow,
  Spool,
  VersionRow,
} from '../port.js';
import { SqliteConflicts } from './conflicts.js';
import { damaged, manifestError } from './errors.js';
import { SqliteSpool } from './spool.js';
import {
  PUT_AT_ONCE,
  prepareStatements,
  type RawRow,
  type RowValues,
  type Statements,
  type StoredFailure,
  type StoredPart,
  type StoredRow,
  type StoredUpload,
} from './statements.js';
import { SqliteTagVerdicts } from './tag-verdicts.js';
import { SqliteTwins } from './twins.js';

/** The fact with the number of rows. */
export const ROWS = 'rows';

/** About eight hours of one pass per minute, at most a few megabytes. */
const KEPT_RUNS = 500;
const KEPT_LAGS_MS = 25 * 3_600_000;

/**
 * The manifest in one SQLite file. A transaction is in the write-ahead log when a call returns, so killing the process
 * loses nothing. A power loss may lose the last transactions but not consistency (`synchronous = NORMAL`). The next run
 * restores them by comparing both sides, because the objects are at the destination.
 *
 * Every call throws XsyncError: `config` (the file is damaged), `disk-full`, `not-writable`.
 */
export class SqliteManifest implements Manifest {
  readonly path: string;
  readonly conflicts: SqliteConflicts;
  readonly tagVerdicts: SqliteTagVerdicts;
  readonly twins: SqliteTwins;
  readonly #db: Database;
  readonly #sql: Statements;
  #spools = 0;
  /** Keys with an unfinished upload, once they are known: most objects have none, and are asked for one by one. */
  #uploading: Set<string> | undefined;

  /** @param db opened, migrated and checked by `openManifest` */
  constructor(db: Database) {
    this.path = db.name;
    this.#db = db;
    this.#sql = prepareStatements(db);
    this.conflicts = new SqliteConflicts(db, (work) => this.#run(work));
    this.tagVerdicts = new SqliteTagVerdicts(db, (work) => this.#run(work));
    this.twins = new SqliteTwins(db, (work) => this.#run(work));
  }

  get(key: string): ManifestRow | undefined {
    return this.#run(() => {
      const row = this.#sql.get.get(key);
      return row && toRow(row);
    });
  }

  page(after: string | undefined, limit: number): ManifestRow[] {
    return this.#run(() => {
      const rows = after === undefined ? this.#sql.firstPage.all(limit) : this.#sql.pageAfter.all(after, limit);
      // SQLite lets a TEXT column hold bytes, which sort after every text.
      if (rows.some(([key]) => typeof key !== 'string')) throw damaged(this.path);
      return rows.map(fromRaw);
    });
  }

  /** Reads the whole table of a manifest that an earlier version made, the first time. */
  count(): number {
    const kept = this.#keptCount();
    if (kept !== undefined) return kept;
    const rows = this.#run(() => this.#sql.count.get() ?? 0);
    this.setFact(ROWS, String(rows));
    return rows;
  }

  /** Counting 100 million rows reads 14 GB, so that their number is kept beside them, in the same transactions. */
  #keptCount(): number | undefined {
    const text = this.getFact(ROWS);
    return text ? Number(text) : undefined;
  }

  /** How many of the keys have rows. */
  #known(keys: readonly string[]): number {
    const single = keys.length % PUT_AT_ONCE;
    let known = 0;
    for (const key of keys.slice(0, single)) known += this.#sql.has.get(key) ?? 0;
    for (let i = single; i < keys.length; i += PUT_AT_ONCE) {
      known += this.#sql.hasMany.get(...keys.slice(i, i + PUT_AT_ONCE)) ?? 0;
    }
    return known;
  }

  quantile(after: string | undefined, rows: number): { last: string; next: string } | undefined {
    // Skips the empty key, which a pair of single objects has and no listing can start after.
    const [last, next] = this.#run(() => this.#sql.keysAfter.all(after ?? '', rows - 1));
    return last === undefined || next === undefined ? undefined : { last, next };
  }

  intend(intents: readonly Intent[]): void {
    this.#atomically(() => {
      for (const { key, destEtag, atMs } of intents) this.#sql.intend.run(key, destEtag, atMs);
    });
  }

  intended(key: string): Intent | undefined {
    return this.#run(() => this.#sql.intended.get(key));
  }

  anyIntended(): boolean {
    return this.#run(() => this.#sql.anyIntended.get() === 1);
  }

  clearIntents(beforeMs: number): void {
    this.#run(() => this.#sql.clearIntents.run(beforeMs));
  }

  commit(rows: readonly ManifestRow[]): void {
    const { put, putMany, anyIntended, unIntend, anyFailure, clearFailure } = this.#sql;
    this.#atomically(() => {
      const kept = this.#keptCount();
      if (kept !== undefined) {
        const keys = [...new Set(rows.map(({ key }) => key))];
        const added = keys.length - this.#known(keys);
        if (added > 0) this.#sql.setFact.run(ROWS, String(kept + added));
      }
      const single = rows.length % PUT_AT_ONCE;
      for (const row of rows.slice(0, single)) put.run(...valuesOf(row));
      for (let i = single; i < rows.length; i += PUT_AT_ONCE) {
        putMany.run(...rows.slice(i, i + PUT_AT_ONCE).flatMap(valuesOf));
      }
      // A run that finds a million objects equal has neither.
      if (anyIntended.get() === 1) for (const { key } of rows) unIntend.run(key);
      if (anyFailure.get() === 1) for (const { key } of rows) clearFailure.run(key);
    });
  }

  forget(keys: readonly string[]): void {
    this.#atomically(() => {
      let gone = 0;
      for (const key of keys) {
        gone += this.#sql.forget.run(key).changes;
        this.#sql.unIntend.run(key);
        this.#sql.unDoom.run(key);
      }
      const kept = this.#keptCount();
      if (kept !== undefined && gone > 0) this.#sql.setFact.run(ROWS, String(kept - gone));
    });
  }

  upload(key: string): UploadRow | undefined {
    this.#uploading ??= new Set(this.#run(() => this.#sql.uploadKeys.all()));
    if (!this.#uploading.has(key)) return undefined;
    const stored = this.#run(() => this.#sql.upload.get(key));
    return stored && toUpload(stored);
  }

  uploads(): UploadRow[] {
    return this.#run(() => this.#sql.uploads.all().map(toUpload));
  }

  beginUpload(row: UploadRow): void {
    this.#uploading?.add(row.key);
    this.#atomically(() => {
      this.#sql.dropParts.run(row.key);
      this.#sql.putUpload.run(row.key, row.uploadId, row.sourceEtag, row.size, row.partSize, row.createdMs);
    });
  }

  addPart(key: string, part: PartRow): void {
    const { partNumber, size, etag, md5 = null, crc64ecma = null } = part;
    this.#run(() => this.#sql.putPart.run(key, partNumber, size, etag, md5, crc64ecma));
  }

  noteHash(key: string, { upTo, state }: HashedParts): void {
    this.#run(() => this.#sql.noteHash.run(upTo, state, key));
  }

  parts(key: string): PartRow[] {
    return this.#run(() => this.#sql.parts.all(key).map(toPart));
  }

  dropParts(key: string, partNumbers: readonly number[]): void {
    this.#atomically(() => {
      for (const partNumber of partNumbers) this.#sql.dropPart.run(key, partNumber);
    });
  }

  endUpload(key: string): void {
    this.#atomically(() => {
      this.#sql.dropParts.run(key);
      this.#sql.dropUpload.run(key);
    });
    this.#uploading?.delete(key);
  }

  fail(row: Omit<FailureRow, 'attempts' | 'firstMs' | 'seenMs' | 'dropped'>, again = false): void {
    const { key, size, sourceEtag, sourceMtimeMs, arrivedMs, code, message, settings, lastMs: now } = row;
    this.#run(() =>
      this.#sql.fail.run(
        ...[key, size, sourceEtag, sourceMtimeMs, arrivedMs, row.class, code, message, settings],
        ...[now, now, now, again ? 0 : 1],
      ),
    );
  }

  failure(key: string): FailureRow | undefined {
    const stored = this.#run(() => this.#sql.failure.get(key));
    return stored && toFailure(stored);
  }

  failures(after?: string, limit = 1000): FailureRow[] {
    return this.#run(() => this.#sql.failures.all(after ?? '', after ?? null, limit).map(toFailure));
  }

  failureCount(): number {
    return this.#run(() => this.#sql.failureCount.get() ?? 0);
  }

  failureSums(beforeMs: number): FailureSum[] {
    return this.#run(() => this.#sql.failureSums.all(beforeMs).map((row) => ({ ...row, dropped: row.dropped === 1 })));
  }

  oldestFailures(limit: number): FailureRow[] {
    return this.#run(() => this.#sql.oldestFailures.all(limit).map(toFailure));
  }

  clearFailures(keys: readonly string[]): void {
    this.#atomically(() => {
      for (const key of keys) this.#sql.clearFailure.run(key);
    });
  }

  seeFailure(key: string, seenMs: number): void {
    this.#run(() => this.#sql.seeFailure.run(seenMs, key));
  }

  dropFailures(keys: readonly string[]): void {
    this.#atomically(() => {
      for (const key of keys) this.#sql.dropFailure.run(key);
    });
  }

  doom(rows: readonly DoomedRow[]): void {
    this.#atomically(() => {
      for (const { key, size, destEtag, foundMs } of rows) this.#sql.doom.run(key, size, destEtag, foundMs);
    });
  }

  doomed(after?: string, limit = 1000): DoomedRow[] {
    return this.#run(() => this.#sql.doomed.all(after ?? '', after ?? null, limit));
  }

  doomedCount(): number {
    return this.#run(() => this.#sql.doomedCount.get() ?? 0);
  }

  clearDoomed(keys?: readonly string[]): void {
    this.#atomically(() => {
      if (!keys) this.#sql.clearDoomed.run();
      else for (const key of keys) this.#sql.unDoom.run(key);
    });
  }

  putRun({ id, command, startedMs, endedMs, outcome, detail }: RunRow): void {
    this.#atomically(() => {
      this.#sql.moveRuns.run({ before: startedMs - 1, after: endedMs });
      this.#sql.putRun.run(id, command, startedMs, endedMs, outcome, detail);
      this.#sql.dropOldRuns.run(KEPT_RUNS - 1);
    });
  }

  run(id: string): RunRow | undefined {
    return this.#run(() => this.#sql.run.get(id));
  }

  runs(limit: number): RunRow[] {
    return this.#run(() => this.#sql.runs.all(limit));
  }

  addLags(rows: readonly LagRow[]): void {
    this.#atomically(() => {
      for (const { minuteMs, bin, objects, maxMs } of rows) this.#sql.addLag.run(minuteMs, bin, objects, maxMs);
      const latest = rows.at(-1)?.minuteMs;
      if (latest !== undefined) this.#sql.dropOldLags.run(latest - KEPT_LAGS_MS, latest);
    });
  }

  lags(sinceMs: number, untilMs: number): LagRow[] {
    return this.#run(() => this.#sql.lags.all(sinceMs, untilMs));
  }

  lagCourse(since: number, until: number, step: number): LagRow[] {
    return this.#run(() => this.#sql.lagCourse.all({ since, until, step }));
  }

  putVersion({ key, source, dest, atMs }: VersionRow): void {
    this.#run(() => this.#sql.putVersion.run(key, source, dest, atMs));
  }

  destVersion(key: string, source: string): string | undefined {
    return this.#run(() => this.#sql.destVersion.get(key, source));
  }

  hasDestVersion(key: string, dest: string): boolean {
    return this.#run(() => this.#sql.versionWithDest.get(key, dest)) !== undefined;
  }

  carriedMs(key: string, dest: string): number | undefined {
    return this.#run(() => this.#sql.carriedMs.get(key, dest));
  }

  hasVersions(key: string): boolean {
    return this.#run(() => this.#sql.hasVersions.get(key)) === 1;
  }

  versions(after: Pick<VersionRow, 'key' | 'source'> | undefined, limit: number): VersionRow[] {
    const { firstVersions, versionsAfter } = this.#sql;
    return this.#run(() => (after ? versionsAfter.all(after.key, after.source, limit) : firstVersions.all(limit)));
  }

  /** Reads the whole table. */
  versionCount(): number {
    return this.#run(() => this.#sql.versionCount.get() ?? 0);
  }

  dropVersion(key: string, source: string): void {
    this.#run(() => this.#sql.dropVersion.run(key, source));
  }

  unfinishedVersion(key: string): string | undefined {
    return this.#run(() => this.#sql.versionWithDest.get(key, ''));
  }

  getFact(name: string): string | undefined {
    return this.#run(() => this.#sql.getFact.get(name));
  }

  setFact(name: string, value: string): void {
    this.#run(() => this.#sql.setFact.run(name, value));
  }

  spool(): Spool {
    const file = this.#db.memory ? '' : `${this.path}.spool-${process.pid}-${++this.#spools}`;
    return this.#run(() => new SqliteSpool(file));
  }

  close(): void {
    this.#run(() => this.#db.close());
  }

  #atomically(work: () => void): void {
    this.#run(() => this.#db.transaction(work).immediate());
  }

  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw manifestError(error, this.path);
    }
  }
}

function toRow({ ours, apartMs, content, destMtimeMs, ...row }: StoredRow): ManifestRow {
  return {
    ...{ ...row, ours: ours === 1 },
    ...(apartMs > 0 && { apartMs }),
    ...(content !== null && { content }),
    ...(destMtimeMs > 0 && { destMtimeMs }),
  };
}

function valuesOf(row: ManifestRow): RowValues {
  const { key, size, sourceEtag, sourceMtimeMs, destEtag, verifiedBy, ours, atMs } = row;
  const { apartMs = 0, content = null, destMtimeMs = 0 } = row;
  return [
    key,
    size,
    sourceEtag,
    sourceMtimeMs,
    destEtag,
    verifiedBy,
    ours ? 1 : 0,
    atMs,
    apartMs,
    content,
    destMtimeMs,
  ];
}

function fromRaw(raw: RawRow): ManifestRow {
  const [key, size, sourceEtag, sourceMtimeMs, destEtag, verifiedBy, ours, atMs, apartMs, content, destMtimeMs] = raw;
  const row: ManifestRow = { key, size, sourceEtag, sourceMtimeMs, destEtag, verifiedBy, ours: ours === 1, atMs };
  if (apartMs > 0) row.apartMs = apartMs;
  if (content !== null) row.content = content;
  if (destMtimeMs > 0) row.destMtimeMs = destMtimeMs;
  return row;
}

function toUpload({ hashedUpTo, hashState, ...row }: StoredUpload): UploadRow {
  return hashState === null ? row : { ...row, hashed: { upTo: hashedUpTo, state: hashState } };
}

function toFailure({ dropped, ...row }: StoredFailure): FailureRow {
  return { ...row, dropped: dropped === 1 };
}

function toPart({ md5, crc64ecma, ...part }: StoredPart): PartRow {
  const row: PartRow = part;
  if (md5 !== null) row.md5 = md5;
  if (crc64ecma !== null) row.crc64ecma = crc64ecma;
  return row;
}
