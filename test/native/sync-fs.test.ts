import { mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadLibc } from '../../src/native/libc.js';
import { reportsErrors, wholeFileSystem } from '../../src/native/sync-fs.js';

const EXT4 = 0xef53;
const linux = process.platform === 'linux';

describe('the file system as a whole', () => {
  it.runIf(linux)('is synced where its kind is known, and named by its device', async () => {
    const directory = mkdtempSync(join(process.cwd(), '.sync-fs-'));
    try {
      const fit = statfsSync(directory).type === EXT4;
      const whole = await wholeFileSystem(directory);
      expect(whole?.device).toBe(fit ? statSync(directory).dev : undefined);
      await whole?.sync();
      await whole?.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is nothing that /proc or a missing folder has', async () => {
    expect(await wholeFileSystem('/proc')).toBeUndefined();
    expect(await wholeFileSystem('/nowhere/at/all')).toBeUndefined();
  });

  it('is used only where the kernel tells of bytes that were lost', () => {
    const told = ['4.19.0-27-amd64', '5.7.19', '5.8.0', '5.15.0-1051-aws', '6.1', '10.0'].map(reportsErrors);
    expect(told).toEqual([false, false, true, true, true, true]);
  });

  it.runIf(linux)('is synced in the thread pool, by a call that returns what the C library returned', async () => {
    const syncfs = (await loadLibc()).inPool('int syncfs(int fd)');
    expect(await syncfs(-1)).toBe(-1);
  });
});
