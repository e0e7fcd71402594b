import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { lockPair } from '../../../src/manifest/sqlite/lock.js';
import { openManifest } from '../../../src/manifest/sqlite/open.js';
import { readManifest } from '../../../src/manifest/sqlite/reading.js';
import { APPLICATION_ID } from '../../../src/manifest/sqlite/schema.js';
import { rowOf, temporaryFolder } from '../fixtures.js';
import { CHINA_TO_OSS, GLOBAL_TO_OSS } from '../pairs.js';

const ME = { pid: process.pid, host: 'here', sinceMs: 0, command: 'copy' };
const fileOfItsOwn = () => join(temporaryFolder(), 'm.db');

test('looking at a pair that was never copied makes no manifest of it', () => {
  const file = fileOfItsOwn();
  expect(readManifest(file)).toBeUndefined();
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, '');
  expect(readManifest(file)).toBeUndefined();
});

test('a manifest can be looked at while a run is at work on it, and shows what the run has committed', () => {
  const file = fileOfItsOwn();
  const lock = lockPair(file, ME);
  const run = openManifest(file, GLOBAL_TO_OSS);
  run.commit([rowOf('a')]);
  const reader = readManifest(file, GLOBAL_TO_OSS);
  run.commit([rowOf('b')]);
  expect(reader?.page(undefined, 10).map(({ key }) => key)).toEqual(['a', 'b']);
  expect(reader?.pair).toEqual(GLOBAL_TO_OSS);
  reader?.close();
  run.commit([rowOf('c')]);
  run.close();
  lock.release();
});

test('whoever only looks cannot change the manifest, and leaves nothing beside it', () => {
  const file = fileOfItsOwn();
  openManifest(file, GLOBAL_TO_OSS).close();
  const before = readdirSync(join(file, '..'));
  const reader = readManifest(file);
  expect(() => reader?.commit([rowOf('a')])).toThrow(expect.objectContaining({ code: 'not-writable' }));
  reader?.setFact('source-unordered', 'yes');
  expect(reader?.getFact('source-unordered')).toBe('yes');
  reader?.close();
  expect(readdirSync(join(file, '..'))).toEqual(before);
  expect(readManifest(file)?.getFact('source-unordered')).toBeUndefined();
});

test("another pair's manifest is not taken for this one's", () => {
  const file = fileOfItsOwn();
  openManifest(file, GLOBAL_TO_OSS).close();
  expect(() => readManifest(file, CHINA_TO_OSS)).toThrow(/belongs to/);
});

test('a manifest of an older xsync can be looked at, but not changed under a run that is at work on it', () => {
  const file = fileOfItsOwn();
  const old = new Database(file);
  old.exec(readFileSync(new URL('format-1.sql', import.meta.url), 'utf8'));
  old.pragma(`application_id = ${APPLICATION_ID}`);
  old.pragma('user_version = 1');
  old.close();
  const lock = lockPair(file, ME);
  expect(() => readManifest(file)).toThrow(expect.objectContaining({ code: 'locked' }));
  lock.release();
  const reader = readManifest(file);
  expect(reader?.failureCount()).toBeGreaterThanOrEqual(0);
  reader?.close();
  lockPair(file, ME).release();
});
