import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holderOf, lockPair } from '../../src/manifest/sqlite/lock.js';
import { startChild } from './child.js';
import { temporaryFolder } from './fixtures.js';

const ME = { pid: process.pid, host: hostname(), sinceMs: 1_700_000_000_000, command: 'xsync copy a: b:' };

test('who is at work is told while it lives, and no longer when it was killed', async () => {
  const file = join(temporaryFolder(), 'm.db');
  expect(holderOf(file)).toBeUndefined();
  const child = startChild('hold-lock', file);
  expect((await child.lines.next()).value).toBe('held');
  expect(holderOf(file)).toMatchObject({ pid: child.pid, command: 'xsync sync a: b:' });
  await child.kill();
  expect(existsSync(`${file}.lock.json`)).toBe(true);
  expect(holderOf(file)).toBeUndefined();
});

test('asking takes the pair from nobody', () => {
  const file = join(temporaryFolder(), 'm.db');
  const lock = lockPair(file, ME);
  for (let i = 0; i < 3; i++) expect(holderOf(file)).toEqual(ME);
  expect(() => lockPair(file, ME)).toThrow(/in use by process/);
  lock.release();
  expect(holderOf(file)).toBeUndefined();
});

test('a process id that another program has by now holds nothing', () => {
  const file = join(temporaryFolder(), 'm.db');
  lockPair(file, ME).release();
  writeFileSync(`${file}.lock.json`, JSON.stringify(ME));
  expect(holderOf(file)).toBeUndefined();
  lockPair(file, ME).release();
});

test('a dead process of this host is known to be dead without touching the lock', () => {
  const file = join(temporaryFolder(), 'm.db');
  const lock = lockPair(file, ME);
  const most = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
  writeFileSync(`${file}.lock.json`, JSON.stringify({ ...ME, pid: most + 1 }));
  expect(holderOf(file)).toBeUndefined();
  lock.release();
});
