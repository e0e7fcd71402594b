import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { createLocalStore, type LocalStoreOptions } from '../../../src/store/local/store.js';
import type { ObjectStore } from '../../../src/store/port.js';

export interface Fixture {
  /** An empty directory, removed after the test. */
  base: string;
  /** `base/root`, not made yet. */
  root: string;
  open: (options?: Partial<LocalStoreOptions>) => ObjectStore;
  /** Writes a file below the root as another program would. */
  write: (path: string, content: string | Uint8Array) => Promise<void>;
  /** Every path below the root, `.xsync` included, sorted. */
  tree: () => Promise<string[]>;
}

export function useFixture(): Fixture {
  const fixture: Fixture = {
    base: '',
    root: '',
    open: (options = {}) => createLocalStore({ root: fixture.root, ...options }),
    write: async (path, content) => {
      await mkdir(dirname(join(fixture.root, path)), { recursive: true });
      await writeFile(join(fixture.root, path), content);
    },
    tree: async () => (await readdir(fixture.root, { recursive: true })).sort(),
  };
  beforeEach(async () => {
    fixture.base = await mkdtemp(join(tmpdir(), 'xsync-local-'));
    fixture.root = join(fixture.base, 'root');
  });
  afterEach(() => rm(fixture.base, { recursive: true, force: true }));
  return fixture;
}
