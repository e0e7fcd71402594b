import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Spool } from '../../../src/manifest/port.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { SqliteSpool } from '../../../src/manifest/sqlite/spool.js';
import { compareKeys } from '../../../src/model/key.js';
import { AWKWARD_KEYS, temporaryFolder } from '../fixtures.js';
import { GLOBAL_TO_OSS } from '../pairs.js';

/** Every key, a page at a time. */
function everyKey(spool: Spool, pageSize: number): string[] {
  const keys: string[] = [];
  for (;;) {
    const page = spool.page(keys.at(-1), pageSize);
    keys.push(...page.map((entry) => entry.key));
    if (page.length < pageSize) return keys;
  }
}

describe('the spool', () => {
  test('a listing of 100,000 keys that comes out of order is read back in order, complete', () => {
    const folder = temporaryFolder();
    const manifest = openManifest(join(folder, 'm.db'), GLOBAL_TO_OSS);
    const spool = manifest.spool();
    const total = 100_000;
    // A multiplier prime to the total visits every number once, far from in order.
    const keys = Array.from({ length: total }, (_, i) => `dir/${(i * 70_001) % total}`);
    for (let i = 0; i < total; i += 1000) {
      spool.add(keys.slice(i, i + 1000).map((key) => ({ key, value: `v${key}` })));
    }
    expect(everyKey(spool, 1000)).toEqual(keys.sort(compareKeys));
    expect(spool.page('dir/99998', 1)).toEqual([{ key: 'dir/99999', value: 'vdir/99999' }]);
    spool.dispose();
    manifest.close();
    expect(readdirSync(folder)).toEqual(['m.db']);
  });

  test('a killed run leaves no scratch file behind', () => {
    const folder = temporaryFolder();
    const manifest = openManifest(join(folder, 'm.db'), GLOBAL_TO_OSS);
    const spool = manifest.spool();
    spool.add([{ key: 'k', value: 'v' }]);
    expect(readdirSync(folder).filter((name) => name.includes('spool'))).toEqual([]);
    spool.dispose();
    manifest.close();
  });

  test('two spools of one run, source and destination, do not mix, and a repeated key is the later one', () => {
    const manifest = openManifest(IN_MEMORY, GLOBAL_TO_OSS);
    const [a, b] = [manifest.spool(), manifest.spool()];
    a.add(AWKWARD_KEYS.map((key) => ({ key, value: 'a' })));
    b.add([
      { key: 'k', value: '1' },
      { key: 'k', value: '2' },
    ]);
    expect(everyKey(a, 3)).toEqual([...AWKWARD_KEYS].sort(compareKeys));
    expect(b.page(undefined, 10)).toEqual([{ key: 'k', value: '2' }]);
    a.dispose();
    expect(b.page(undefined, 10)).toHaveLength(1);
    b.dispose();
  });

  test('new keys are added up to the first one that is there already', () => {
    const spool = new SqliteSpool('');
    const entries = (...keys: string[]) => keys.map((key) => ({ key, value: `of ${key}` }));
    expect(spool.addNew(entries('a', 'c'))).toBeUndefined();
    expect(spool.addNew([])).toBeUndefined();
    expect(spool.addNew(entries('b', 'c', 'd'))).toBe(1);
    expect([spool.get('b'), spool.get('d')]).toEqual(['of b', undefined]);
    expect(spool.page('a', 10)).toEqual(entries('b', 'c'));
    spool.dispose();
  });

  test.runIf(process.platform === 'linux')('a temporary file has no name, and only its owner can read it', () => {
    const spool = new SqliteSpool('');
    // More than the cache holds.
    const value = 'x'.repeat(100_000);
    for (let n = 0; n < 500; n++) spool.add([{ key: String(n), value }]);
    const open = readdirSync('/proc/self/fd').flatMap((fd) => {
      const file = `/proc/self/fd/${fd}`;
      return existsSync(`/proc/self/fdinfo/${fd}`) && readlinkSync(file).includes('etilqs') ? [file] : [];
    });
    expect(open.map((file) => [readlinkSync(file).endsWith(' (deleted)'), statSync(file).mode & 0o777])).toEqual([
      [true, 0o600],
    ]);
    spool.dispose();
  });
});
