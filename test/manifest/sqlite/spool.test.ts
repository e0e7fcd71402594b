import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Spool } from '../../../src/manifest/port.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
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
});
