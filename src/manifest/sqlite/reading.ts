/** A manifest that is only looked at: while a run is at work on it, and without making one where there is none. */
import { existsSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import type { PairIdentity } from '../port.js';
import { manifestError } from './errors.js';
import { lockPair } from './lock.js';
import { SqliteManifest } from './manifest.js';
import { mustBelong, readPair } from './owner.js';
import { formatOf, MIGRATIONS, migrate } from './schema.js';

/** Lines about damage: the first ones say enough. */
const MOST_DAMAGE = 10;

/**
 * Every write but of facts throws `not-writable`; a fact that is set is remembered as long as this reader lives, so
 * that code that learns something about its pair needs no manifest of its own.
 */
export class ManifestReader extends SqliteManifest {
  /** The version of its schema. */
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

  /** What SQLite finds wrong in the file; nothing when all is well. Reads all of it. @throws config */
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
 * Opens a manifest without its lock. In WAL mode readers and the run do not hold each other up. An older format is
 * brought up to date first, for which the lock is taken and given back.
 * @param pair whose manifest it has to be; any when absent
 * @returns undefined when there is no manifest, or one that its first run is only just creating
 * @throws config when the file is damaged, is no manifest, is another pair's or was written by a newer xsync; locked
 *   when it has an older format and a run is at work on it
 */
export function readManifest(file: string, pair?: PairIdentity): ManifestReader | undefined {
  if (!existsSync(file) || statSync(file).size === 0) return undefined;
  let db: Database.Database | undefined;
  try {
    // Not opened read-only: SQLite would then leave its -wal and -shm files behind.
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
