import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockPair } from '../../../src/manifest/sqlite/lock.js';
import { startChild } from '../child.js';
import { temporaryFolder } from '../fixtures.js';

const ME = { pid: process.pid, host: 'here', sinceMs: 1_700_000_000_000, command: 'xsync copy a: b:' };

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
