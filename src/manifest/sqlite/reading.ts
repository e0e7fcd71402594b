/** Reads a manifest while a run may use it, and never creates one. */
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import type { PairIdentity } from '../port.js';
import { manifestError } from './errors.js';
import { isAbsentOrEmpty } from './file.js';
import { lockPair } from './lock.js';
import { SqliteManifest } from './manifest.js';
import { mustBelong, readPair } from './owner.js';
import { formatOf, MIGRATIONS, migrate } from './schema.js';

/** Maximum number of lines about damage. */
const MOST_DAMAGE = 10;

/**
 * Every write except of facts throws `not-writable`. Facts are kept in memory, so that code that learns something about
 * its pair can set them.
 */
export class ManifestReader extends SqliteManifest {
  /** Schema version. */
  readonly format: number;
  readonly #db: Database.Database;
  readonly #facts = new Map<string, string>();

  constructor(
    db: Database.Database,
    readonly pair: PairIdentity,
  ) {
    super(db);
    this.#db = db;
    this.format = formatOf(db);
  }

  /** Errors that SQLite finds in the file; empty if it is intact. Reads the whole file. @throws config */
  damage(): string[] {
    try {
      const found = this.#db.pragma(`integrity_check(${MOST_DAMAGE})`) as { integrity_check: string }[];
      return found.map((row) => row.integrity_check).filter((line) => line !== 'ok');
    } catch (error) {
      throw manifestError(error, this.path);
    }
  }

  override getFact(name: string): string | undefined {
    return this.#facts.get(name) ?? super.getFact(name);
  }

  override setFact(name: string, value: string): void {
    this.#facts.set(name, value);
  }
}

/**
 * Opens a manifest without its lock. In WAL mode readers and the run do not block each other. An older format is
 * migrated first, under the lock.
 * @param pair the pair that it must belong to; any pair when absent
 * @returns undefined if there is no manifest, or its first run is just creating it
 * @throws config: the file is damaged, is not a manifest, is another pair's or was written by a newer xsync
 * @throws locked: it has an older format and a run is using it
 */
export function readManifest(file: string, pair?: PairIdentity): ManifestReader | undefined {
  if (isAbsentOrEmpty(file)) return undefined;
  let db: Database.Database | undefined;
  try {
    // Not read-only, because SQLite would then leave its -wal and -shm files behind.
    db = new Database(file, { fileMustExist: true });
    const format = formatOf(db);
    if (format > 0 && format < MIGRATIONS.length) upgrade(db, file);
    const owner = format === 0 ? undefined : readPair(db);
    if (!owner) {
      db.close();
      return undefined;
    }
    if (pair) mustBelong(db, owner, pair);
    db.pragma('query_only = ON');
    return new ManifestReader(db, owner);
  } catch (error) {
    db?.close();
    throw manifestError(error, file);
  }
}

function upgrade(db: Database.Database, file: string): void {
  const holder = { pid: process.pid, host: hostname(), sinceMs: Date.now(), command: 'reading' };
  const lock = lockPair(file, holder);
  try {
    migrate(db);
  } finally {
    lock.release();
  }
}
