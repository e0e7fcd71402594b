/** --create-empty-src-dirs: empty folders of a disk on another place of a disk. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFilter } from '../../../src/engine/filter/filter.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { runPair } from '../../../src/engine/run.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { createLocalStore } from '../../../src/store/local/store.js';
import { OPTIONS, side } from '../../engine/support.js';
import { syncOptions } from '../../engine/sync.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'xsync-folders-'));
  for (const folder of ['empty', 'a/b/c', 'no/x', 'full']) await mkdir(join(home, 'from', folder), { recursive: true });
  await writeFile(join(home, 'from', 'full', 'file'), 'x');
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function run(options: Partial<RunOptions>) {
  const open = (name: string) => side(createLocalStore({ root: join(home, name) }), '', name);
  const place = (bucket: string) => ({ kind: 'local', endpoint: 'host', bucket, prefix: '' });
  const manifest = openManifest(IN_MEMORY, { source: place('from'), dest: place('to') });
  const said: string[] = [];
  const pair = { source: open('from'), dest: open('to'), manifest, settings: '', single: false };
  await runPair(pair, { ...OPTIONS, emptyFolders: true, ...options }, (event) => {
    if (event.type === 'notice') said.push(event.message);
  });
  const folders = existsSync(join(home, 'to')) ? await readdir(join(home, 'to'), { recursive: true }) : [];
  return { said, folders: folders.filter((name) => !name.startsWith('.xsync')).sort() };
}

test('empty folders are created, those that the filter excludes are not', async () => {
  const { folders, said } = await run({ filter: createFilter({ exclude: ['/no/**'] }) });
  expect(folders).toEqual(['a', 'a/b', 'a/b/c', 'empty', 'full', 'full/file']);
  expect(said).toContain('created 4 folders that no object needed');
  expect((await run({ filter: createFilter({ exclude: ['/no/**'] }) })).said).toEqual([]);
});

test('without the option only files and their folders arrive', async () => {
  expect((await run({ emptyFolders: false })).folders).toEqual(['full', 'full/file']);
});

test('a dry run only counts them', async () => {
  const { folders, said } = await run({ dryRun: true });
  expect(folders).toEqual([]);
  expect(said).toContain('would create 7 folders');
});

test('a folder that a sync emptied stays, if the source has it', async () => {
  await run({});
  await writeFile(join(home, 'to', 'empty', 'stray'), 'x');
  const options = syncOptions({ policy: { deleteUnknown: true }, deletes: { max: { objects: 9 } } });
  const { folders } = await run({ ...options });
  expect(folders).toContain('empty');
  expect(folders).not.toContain('empty/stray');
});
