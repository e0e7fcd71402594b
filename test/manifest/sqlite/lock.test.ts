import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, expect, test, vi } from 'vitest';
import { manifestError } from '../../../src/manifest/sqlite/errors.js';
import { lockPair } from '../../../src/manifest/sqlite/lock.js';
import { startChild } from '../child.js';
import { temporaryFolder } from '../fixtures.js';

const ME = { pid: process.pid, host: 'here', sinceMs: 1_700_000_000_000, command: 'xsync copy a: b:' };

afterEach(() => vi.restoreAllMocks());

test('a second run is refused and told who holds the pair, and a killed holder holds nothing', async () => {
  const file = join(temporaryFolder(), 'm.db');
  const child = startChild('hold-lock', file);
  expect((await child.lines.next()).value).toBe('held');
  const refused = expect.objectContaining({
    code: 'locked',
    message: `this pair is in use by process ${child.pid} on here (xsync sync a: b:) since 2023-11-14T22:13:20.000Z`,
  });
  expect(() => lockPair(file, ME)).toThrow(refused);
  expect(() => lockPair(file, ME)).toThrow(refused);
  await child.kill();
  lockPair(file, ME).release();
});

test('one process cannot take a pair twice, and a refused try does not free the first', () => {
  const file = join(temporaryFolder(), 'm.db');
  const lock = lockPair(file, ME);
  expect(statSync(`${file}.lock`).mode & 0o777).toBe(0o600);
  for (let i = 0; i < 3; i++) expect(() => lockPair(file, ME)).toThrow(expect.objectContaining({ code: 'locked' }));
  lock.release();
  expect(existsSync(`${file}.lock.json`)).toBe(false);
  lockPair(file, ME).release();
});

test('releasing twice does not take the name off the next holder', () => {
  const file = join(temporaryFolder(), 'm.db');
  const first = lockPair(file, ME);
  first.release();
  const next = lockPair(file, { ...ME, command: 'xsync next' });
  first.release();
  expect(() => lockPair(file, ME)).toThrow(/xsync next/);
  next.release();
});

test('other processes stay out after a refused try in the holder, whose locks a careless close would drop', async () => {
  const file = join(temporaryFolder(), 'm.db');
  const lock = lockPair(file, ME);
  expect(() => lockPair(file, ME)).toThrow();
  const child = startChild('try-lock', file);
  expect((await child.lines.next()).value).toBe('locked');
  lock.release();
});

test('an unreadable holder file still refuses, without a name', () => {
  const file = join(temporaryFolder(), 'm.db');
  const lock = lockPair(file, ME);
  for (const text of ['', '{"pid":1}', 'null']) {
    writeFileSync(`${file}.lock.json`, text);
    expect(() => lockPair(file, ME)).toThrow(/in use by another process/);
  }
  lock.release();
});

test('a file system without locks is named: SQLite calls it busy, whoever asks', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'm.db');
  vi.spyOn(Database.prototype, 'exec').mockImplementation(() => {
    throw new Database.SqliteError('database is locked', 'SQLITE_BUSY');
  });
  const refused = expect.objectContaining({
    code: 'unsupported',
    message: expect.stringMatching(/^the file system of .* does not support the locks that a manifest needs$/),
    remedy: expect.stringContaining('XDG_STATE_HOME'),
  });
  expect(() => lockPair(file, ME)).toThrow(refused);
  // The name of a run that was killed, on this host or another.
  for (const host of [hostname(), 'elsewhere']) {
    writeFileSync(`${file}.lock.json`, JSON.stringify({ ...ME, pid: 2 ** 22 + 1, host }));
    expect(() => lockPair(file, ME)).toThrow(refused);
  }
  expect(readdirSync(folder).sort()).toEqual(['m.db.lock', 'm.db.lock.json']);
});

test.each([
  ['SQLITE_IOERR_SHMMAP', 'unsupported', 'does not support the shared memory maps'],
  ['SQLITE_IOERR_SHMOPEN', 'unsupported', 'does not support the shared memory maps'],
  ['SQLITE_IOERR_LOCK', 'unsupported', 'does not support the locks'],
  ['SQLITE_IOERR_RDLOCK', 'unsupported', 'does not support the locks'],
  ['SQLITE_PROTOCOL', 'unsupported', 'does not support the locks'],
  ['SQLITE_IOERR_SHMSIZE', 'disk-full', 'the disk is full'],
  ['SQLITE_IOERR_READ', 'not-readable', 'the disk failed'],
])('%s is %s', (sqlite, code, what) => {
  const file = join(temporaryFolder(), 'm.db');
  const known = manifestError(new Database.SqliteError('disk I/O error', sqlite), file);
  expect(known).toMatchObject({ code, message: expect.stringContaining(what) });
});

test('an SQLite that cannot be loaded is not the fault of the manifest', () => {
  const missing = new Error('Could not locate the bindings file. Tried: x');
  expect(manifestError(missing, '/x/m.db')).toMatchObject({
    code: 'config',
    message: expect.not.stringContaining('/x'),
  });
});
