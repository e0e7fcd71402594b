import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { describePair, pairId } from '../../../src/manifest/pair.js';
import { SqliteManifest } from '../../../src/manifest/sqlite/manifest.js';
import { openManifest, pairOf } from '../../../src/manifest/sqlite/open.js';
import { APPLICATION_ID, MIGRATIONS, migrate } from '../../../src/manifest/sqlite/schema.js';
import { startChild } from '../child.js';
import { rowOf, temporaryFolder } from '../fixtures.js';
import { CHINA_TO_OSS, GLOBAL_TO_OSS } from '../pairs.js';

const open = (file: string) => openManifest(file, GLOBAL_TO_OSS);

/** What `work` throws, for a look at several of its fields. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('the file', () => {
  test('nobody else may read the list of keys', () => {
    const folder = join(temporaryFolder(), 'state', 'xsync');
    const file = join(folder, 'm.db');
    const manifest = open(file);
    manifest.commit([rowOf('k')]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o777).toBe(0o600);
    manifest.close();
  });

  test('a place where no folder can be made is refused at once, not tried for ever', () => {
    expect(thrownBy(() => open('/proc/xsync-test/m.db'))).toMatchObject({ code: 'not-writable' });
  });

  test("looking for the manifests of a place litters nobody's state folder", () => {
    const folder = temporaryFolder();
    const file = join(folder, 'm.db');
    open(file).close();
    const before = readdirSync(folder);
    expect(pairOf(file)).toEqual(GLOBAL_TO_OSS);
    expect(readdirSync(folder)).toEqual(before);
  });

  test('what was committed is there when the next run opens it', () => {
    const file = join(temporaryFolder(), 'm.db');
    const first = open(file);
    first.commit([rowOf('k')]);
    first.close();
    const second = open(file);
    expect(second.get('k')).toEqual(rowOf('k'));
    expect(second.path).toBe(file);
    second.close();
  });

  test('SIGKILL loses no checkpoint that was acknowledged, or finished parts would be sent again', async () => {
    const file = join(temporaryFolder(), 'm.db');
    const child = startChild('checkpoint', file);
    let acknowledged = 0;
    while (acknowledged < 300) acknowledged = Number((await child.lines.next()).value);
    await child.kill();
    const manifest = open(file);
    expect(manifest.upload('big')?.uploadId).toBe('u1');
    const numbers = manifest.parts('big').map((part) => part.partNumber);
    expect(numbers.length).toBeGreaterThanOrEqual(acknowledged);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    manifest.close();
  });
});

describe('a damaged format', () => {
  test.each([
    'DROP TABLE object',
    'DROP TABLE pair',
    'DROP TABLE fact',
    'ALTER TABLE object DROP COLUMN ours',
    'ALTER TABLE object RENAME COLUMN size TO sise',
    'ALTER TABLE upload DROP COLUMN part_size',
    'DROP TABLE intent; CREATE VIEW intent AS SELECT 1 AS key, 2 AS dest_etag, 3 AS at_ms',
    'PRAGMA user_version = 1',
    'PRAGMA user_version = 0',
    'UPDATE object SET key = CAST(key AS BLOB)',
    "CREATE TRIGGER t BEFORE INSERT ON object BEGIN SELECT RAISE(ABORT, 'no'); END",
  ])('is named, with the way to build the manifest again: %s', (sql) => {
    const file = join(temporaryFolder(), 'm.db');
    const made = open(file);
    made.commit([rowOf('k')]);
    made.close();
    const db = new Database(file);
    db.exec(sql);
    db.close();
    const use = () => {
      const manifest = open(file);
      try {
        manifest.page(undefined, 10);
        manifest.commit([rowOf('l')]);
      } finally {
        manifest.close();
      }
    };
    expect(thrownBy(use)).toMatchObject({
      code: 'config',
      message: `the manifest ${file} is damaged or is not a manifest`,
      remedy: expect.stringContaining('xsync manifest rebuild'),
    });
  });
});

describe('refusals', () => {
  test("another pair's manifest is refused with both names, or its rows would hide missing objects", () => {
    const file = join(temporaryFolder(), 'm.db');
    open(file).close();
    const error = thrownBy(() => openManifest(file, CHINA_TO_OSS));
    expect(error).toMatchObject({ code: 'config', subject: file, remedy: expect.any(String) });
    expect(error).toHaveProperty('message', expect.stringContaining(describePair(GLOBAL_TO_OSS)));
    expect(error).toHaveProperty('message', expect.stringContaining(describePair(CHINA_TO_OSS)));
    open(file).close();
  });

  test.each([
    ['that is not a database', (file: string) => writeFileSync(file, 'not a database, '.repeat(300))],
    ['that was cut off', (file: string) => truncateSync(file, 6000)],
    ['whose pages were overwritten', (file: string) => overwritePages(file)],
  ])('a file %s says how to go on', (_, damage) => {
    const file = join(temporaryFolder(), 'm.db');
    const manifest = open(file);
    manifest.commit(Array.from({ length: 2000 }, (_, i) => rowOf(`key-${i}`)));
    manifest.close();
    damage(file);
    const error = thrownBy(() => open(file).page(undefined, 2000));
    expect(error).toMatchObject({ code: 'config', remedy: expect.stringMatching(/xsync manifest rebuild/) });
  });

  test("another program's database is left untouched", () => {
    const file = join(temporaryFolder(), 'm.db');
    const other = new Database(file);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    expect(() => open(file)).toThrow(expect.objectContaining({ code: 'config' }));
    const after = new Database(file);
    expect(after.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['theirs']);
    after.close();
  });

  test("a newer program's manifest is refused, not misread", () => {
    const file = join(temporaryFolder(), 'm.db');
    open(file).close();
    const db = new Database(file);
    db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    expect(() => open(file)).toThrow(/newer xsync/);
  });

  test('a folder that cannot be made is the person’s business, with a class that says so', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(() => open(join(folder, 'file', 'm.db'))).toThrow(
      expect.objectContaining({ code: 'not-writable', class: 'person' }),
    );
    mkdirSync(join(folder, 'm.db'));
    expect(() => open(join(folder, 'm.db'))).toThrow(expect.objectContaining({ code: 'not-writable' }));
  });

  test('a full disk is told as one, and what was committed before stays readable', () => {
    const file = join(temporaryFolder(), 'm.db');
    const db = new Database(file);
    migrate(db);
    // SQLite answers SQLITE_FULL beyond max_page_count exactly as it does when the disk is.
    db.pragma('max_page_count = 20');
    const manifest = new SqliteManifest(db);
    manifest.commit([rowOf('before')]);
    const many = Array.from({ length: 5000 }, (_, i) => rowOf(`key-${i}`));
    expect(() => manifest.commit(many)).toThrow(expect.objectContaining({ code: 'disk-full', class: 'person' }));
    expect(manifest.page(undefined, 10)).toEqual([rowOf('before')]);
    manifest.close();
  });
});

describe('migrations', () => {
  test('a manifest of format 1 keeps its rows, or an upgrade would copy everything again', () => {
    const file = join(temporaryFolder(), 'm.db');
    const db = new Database(file);
    db.exec(readFileSync(new URL('./format-1.sql', import.meta.url), 'utf8'));
    db.close();
    const manifest = open(file);
    expect(manifest.get('k')).toEqual(rowOf('k'));
    expect(manifest.parts('big')).toEqual([{ partNumber: 1, size: 10, etag: 'p1', crc64ecma: '7' }]);
    expect(manifest.upload('big')?.partSize).toBe(10);
    expect(manifest.failures()).toMatchObject([{ key: 'bad', attempts: 3 }]);
    expect(manifest.getFact('ordered')).toBe('no');
    manifest.close();
  });

  test('a manifest of format 2 keeps its rows and its unfinished uploads, whose parts are then compared anew', () => {
    const file = join(temporaryFolder(), 'm.db');
    const db = new Database(file);
    migrate(db, MIGRATIONS.slice(0, 2));
    db.exec(`INSERT INTO object VALUES ('k', 7, 's', 1.5, 'd', 'size', 1, 9);
      INSERT INTO upload VALUES ('big', 'id', 's', 20, 10, 5);
      INSERT INTO part VALUES ('big', 1, 10, 'p1', 'aa', NULL);
      INSERT INTO intent VALUES ('new', '', 3);
      INSERT INTO run VALUES ('r', 'sync', 1, 2, 'complete', '{}');`);
    db.close();
    const manifest = open(file);
    const row = { key: 'k', size: 7, sourceEtag: 's', sourceMtimeMs: 1.5, destEtag: 'd', ours: true, atMs: 9 };
    expect(manifest.get('k')).toEqual({ ...row, verifiedBy: 'size' });
    expect(manifest.page(undefined, 9)).toEqual([{ ...row, verifiedBy: 'size' }]);
    const upload = { key: 'big', uploadId: 'id', sourceEtag: 's', size: 20, partSize: 10, createdMs: 5 };
    expect(manifest.uploads()).toEqual([upload]);
    expect(manifest.parts('big')).toEqual([{ partNumber: 1, size: 10, etag: 'p1', md5: 'aa' }]);
    manifest.noteHash('big', { upTo: 1, state: 'x' });
    expect(manifest.upload('big')).toEqual({ ...upload, hashed: { upTo: 1, state: 'x' } });
    manifest.beginUpload(upload);
    expect(manifest.upload('big')).toEqual(upload);
    expect(manifest.intended('new')?.atMs).toBe(3);
    expect(manifest.runs(1)).toMatchObject([{ id: 'r', startedMs: 1 }]);
    manifest.commit([{ ...row, verifiedBy: 'md5', apartMs: 4.5, content: 'md5:aa' }]);
    expect(manifest.get('k')).toEqual({ ...row, verifiedBy: 'md5', apartMs: 4.5, content: 'md5:aa' });
    manifest.close();
  });

  test('only the missing migrations run, once, and a failing one changes nothing', () => {
    const db = new Database(':memory:');
    const next = [...MIGRATIONS, 'CREATE TABLE second (x)'];
    migrate(db);
    expect(() => migrate(db, [...next, 'no sql'])).toThrow();
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    migrate(db, next);
    migrate(db, next);
    expect(db.pragma('user_version', { simple: true })).toBe(next.length);
    expect(db.pragma('application_id', { simple: true })).toBe(APPLICATION_ID);
    db.close();
  });
});

describe('pair names', () => {
  test('equal bucket names in two partitions have two manifests, as have a prefix and its neighbour', () => {
    const neighbour = { ...GLOBAL_TO_OSS, source: { ...GLOBAL_TO_OSS.source, prefix: 'raw2/' } };
    const reversed = { source: GLOBAL_TO_OSS.dest, dest: GLOBAL_TO_OSS.source };
    const names = [GLOBAL_TO_OSS, CHINA_TO_OSS, neighbour, reversed].map(pairId);
    expect(new Set(names).size).toBe(4);
    expect(pairId(structuredClone(GLOBAL_TO_OSS))).toBe(names[0]);
    expect(names[0]).toMatch(/^photos-photos-cn-[0-9a-f]{16}$/);
  });

  test('a local root makes a name that every file system takes', () => {
    const dest = { kind: 'local', endpoint: 'host', bucket: `/srv/データ dir:${'x'.repeat(100)}/`, prefix: '' };
    const name = pairId({ ...GLOBAL_TO_OSS, dest });
    expect(name).toMatch(/^[A-Za-z0-9._-]{1,80}$/);
    expect(existsSync(name)).toBe(false);
  });
});

/** Overwrites the second half of the file with noise, leaving header and schema alone. */
function overwritePages(file: string): void {
  const bytes = readFileSync(file);
  bytes.fill(0x5a, bytes.length >> 1);
  writeFileSync(file, bytes);
}
