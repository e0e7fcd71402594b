/**
 * Allows one run at a time for a pair. The operating system holds the lock, on a SQLite file next to the manifest, so
 * it ends with its process and is never stale. The holder's name is in a JSON file next to it, for messages only.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { isErrno } from '../../model/errno.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { LockHolder, PairLock } from '../port.js';
import { manifestError, withoutLocks } from './errors.js';
import { createPrivateFile } from './file.js';

/**
 * Takes the lock of the manifest `file` for this process.
 * @throws locked: another run has it; the message names the holder
 * @throws not-writable, disk-full; unsupported: the file system has no locks
 */
export function lockPair(file: string, holder: LockHolder): PairLock {
  const lockFile = `${file}.lock`;
  const holderFile = `${file}.lock.json`;
  let db: Database.Database | undefined;
  try {
    createPrivateFile(lockFile);
    db = new Database(lockFile, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
    writeHolder(holderFile, holder);
  } catch (error) {
    db?.close();
    const known = manifestError(error, lockFile);
    if (!isXsyncError(known, 'locked')) throw known;
    const other = readHolder(holderFile);
    const isHeld = (other?.host === hostname() && !isDead(other)) || grantsLocks(file);
    throw isHeld ? lockedBy(file, other, known) : withoutLocks(file, error);
  }
  return new SqliteLock(db, holderFile);
}

/** Whether the file system of `file` grants locks. SQLite calls one that does not "busy" (ENOLCK). */
function grantsLocks(file: string): boolean {
  const probe = `${file}.probe-${process.pid}`;
  let db: Database.Database | undefined;
  try {
    createPrivateFile(probe);
    db = new Database(probe, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    const known = manifestError(error, probe);
    if (isXsyncError(known, 'locked')) return false;
    throw known;
  } finally {
    db?.close();
    rmSync(probe, { force: true });
  }
}

class SqliteLock implements PairLock {
  readonly #db: Database.Database;
  readonly #holderFile: string;

  constructor(db: Database.Database, holderFile: string) {
    this.#db = db;
    this.#holderFile = holderFile;
  }

  /** Keeps the lock file: removing it would let two runs lock two files of the same name. */
  release(): void {
    if (!this.#db.open) return;
    rmSync(this.#holderFile, { force: true });
    this.#db.close();
  }
}

/**
 * The run that uses the manifest `file`; undefined if there is none. Checks the lock only if the recorded holder may be
 * alive: taking it, even for an instant, could make a starting run fail.
 */
export function holderOf(file: string): LockHolder | undefined {
  const holder = readHolder(`${file}.lock.json`);
  if (!holder || isDead(holder)) return undefined;
  let db: Database.Database | undefined;
  try {
    db = new Database(`${file}.lock`, { readonly: true, fileMustExist: true, timeout: 0 });
    // Fails while a process holds the file exclusively.
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return undefined;
  } catch (error) {
    const known = manifestError(error, file);
    if (isXsyncError(known, 'locked')) return holder;
    throw known;
  } finally {
    db?.close();
  }
}

/** Known only for processes of this host. */
function isDead({ pid, host }: LockHolder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
}

/** Writes with a rename, so that readers never see a partial file. */
function writeHolder(file: string, holder: LockHolder): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, JSON.stringify(holder), { mode: 0o600 });
  renameSync(fresh, file);
}

/** Undefined between taking the lock and writing the name, or if the file is damaged. */
function readHolder(file: string): LockHolder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isHolder(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isHolder(value: unknown): value is LockHolder {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, host, sinceMs, command } = value as Partial<Record<keyof LockHolder, unknown>>;
  return typeof pid === 'number' && typeof host === 'string' && Number.isFinite(sinceMs) && typeof command === 'string';
}

function lockedBy(file: string, holder: LockHolder | undefined, cause: unknown): XsyncError {
  const who = holder
    ? `process ${holder.pid} on ${holder.host} (${holder.command}) since ${new Date(holder.sinceMs).toISOString()}`
    : 'another process';
  return new XsyncError('locked', `this pair is in use by ${who}`, {
    subject: file,
    remedy: 'Wait until that run ends, or stop it, which releases the lock.',
    cause,
  });
}
