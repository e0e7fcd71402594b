/** Which rows of the manifest a comparison believes. */
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunPair } from '../../../src/engine/pair.js';
import { runPair } from '../../../src/engine/run.js';
import { createLocalStore } from '../../../src/store/local/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { bytesOf, contentOf, OPTIONS, Pair, POLICY, side } from '../support.js';

const CHECKSUM = { policy: { ...POLICY, compare: 'checksum' as const } };
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** Two objects of equal size and time, which differ in their bytes. */
async function alike(apartMs = 0): Promise<Pair> {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('one', 100), { metadata: { mtime: '1000' } });
  await pair.dest.put('a', bytesOf('two', 100), { metadata: { mtime: String(1000 + apartMs / 1000) } });
  // Listings of such stores have no checksum that both sides have.
  for (const faults of [pair.faults.source, pair.faults.dest]) {
    faults.change('list', ({ entries, ...page }) => ({
      ...page,
      entries: entries.map(({ checksums: _, ...entry }) => entry),
    }));
  }
  return pair;
}

/** The default comparison of stores without checksums goes by times. */
function withoutChecksums(pair: Pair): () => void {
  const undo = [pair.faults.source, pair.faults.dest].map((faults) =>
    faults.change('head', (info) => ({ ...info, checksums: {} })),
  );
  return () => {
    for (const one of undo) one();
  };
}

describe('what was adopted by size and time', () => {
  test('is not believed by --checksum, and what that proved is', async () => {
    const pair = await alike();
    const undo = withoutChecksums(pair);
    expect((await pair.copy()).skipped.byReason).toEqual({ 'same-time': 1 });
    expect((await pair.copy()).skipped.byReason).toEqual({ unchanged: 1 });
    undo();
    expect((await pair.copy(CHECKSUM)).copied.objects).toBe(1);
    expect(Buffer.compare(await contentOf(pair.dest, 'a'), Buffer.from(bytesOf('one', 100)))).toBe(0);
    const again = await pair.copy(CHECKSUM);
    expect(again.skipped.byReason).toEqual({ unchanged: 1 });
    expect(again.traffic.source.requests).toEqual({ list: 1 });
  });

  test('with --modify-window is not believed without it', async () => {
    const pair = await alike(30_000);
    withoutChecksums(pair);
    const wide = { policy: { ...POLICY, modifyWindowMs: 60_000 } };
    expect((await pair.copy(wide)).skipped.byReason).toEqual({ 'same-time': 1 });
    expect((await pair.copy(wide)).skipped.byReason).toEqual({ unchanged: 1 });
    expect((await pair.copy({ policy: { ...POLICY, modifyWindowMs: 20_000 } })).copied.objects).toBe(1);
    expect((await pair.copy()).skipped.byReason).toEqual({ unchanged: 1 });
  });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'xsync-believed-'));
  folders.push(path);
  return path;
}

/** Other bytes of the same size, under the same time and inode. */
async function rewrite(path: string, bytes: Uint8Array): Promise<void> {
  const at = new Date('2020-01-01T00:00:00Z');
  await writeFile(path, bytes, { flag: 'r+' });
  await utimes(path, at, at);
}

async function fileIn(path: string, bytes: Uint8Array): Promise<string> {
  const file = join(path, 'f');
  await writeFile(file, bytes);
  await rewrite(file, bytes);
  return file;
}

function between(source: ObjectStore, dest: ObjectStore): RunPair {
  const { manifest, ...open } = new Pair().open();
  return { ...open, manifest, source: side(source, '', 'from'), dest: side(dest, '', 'to') };
}

const run = (pair: RunPair, options = {}) =>
  runPair(pair, { ...OPTIONS, partSize: 1024 * 1024, ...options }, () => undefined);

describe('content changed on disk under the same size and time', () => {
  const SIZE = 3 * 1024 * 1024 + 5;

  test.each([
    ['one request, an MD5', 1000, {}, { list: 1 }],
    ['parts, a composite ETag', SIZE, {}, { list: 1 }],
    ['one request, a CRC-64', 1000, { answersCrc64ecma: true, partEtagIsMd5: false }, { list: 1 }],
    ['parts, a CRC-64', SIZE, { answersCrc64ecma: true, partEtagIsMd5: false }, { list: 1 }],
  ])(
    'is found by --checksum, without a request where nothing changed: %s',
    async (_name, size, capabilities, requests) => {
      const path = await folder();
      const remote = new Pair({ dest: { capabilities } }).dest;
      const file = await fileIn(path, bytesOf('one', size));
      const pair = between(createLocalStore({ root: path }), remote);
      expect((await run(pair)).copied.objects).toBe(1);
      expect((await run(pair)).skipped.byReason).toEqual({ unchanged: 1 });
      const still = await run(pair, CHECKSUM);
      expect(still.skipped.byReason).toEqual({ 'same-checksum': 1 });
      expect(still.traffic.destination.requests).toEqual(requests);
      await rewrite(file, bytesOf('two', size));
      expect((await run(pair)).skipped.byReason).toEqual({ unchanged: 1 });
      expect((await run(pair, CHECKSUM)).copied.objects).toBe(1);
      expect(Buffer.compare(await contentOf(remote, 'f'), Buffer.from(bytesOf('two', size)))).toBe(0);
      expect((await run(pair, CHECKSUM)).skipped.byReason).toEqual({ 'same-checksum': 1 });
    },
  );

  test('is found at a local destination as well, and between two folders', async () => {
    const remote = new Pair().source;
    await remote.put('f', bytesOf('one', 1000));
    const path = await folder();
    const down = between(remote, createLocalStore({ root: path }));
    await run(down);
    const { mtime } = await import('node:fs/promises').then(({ stat }) => stat(join(path, 'f')));
    await writeFile(join(path, 'f'), bytesOf('rot', 1000), { flag: 'r+' });
    await utimes(join(path, 'f'), mtime, mtime);
    expect((await run(down, CHECKSUM)).copied.objects).toBe(1);
    expect(Buffer.compare(await readFile(join(path, 'f')), Buffer.from(bytesOf('one', 1000)))).toBe(0);

    const from = await folder();
    const to = await folder();
    const file = await fileIn(from, bytesOf('one', 1000));
    const across = between(createLocalStore({ root: from }), createLocalStore({ root: to }));
    await run(across);
    await rewrite(file, bytesOf('two', 1000));
    expect((await run(across, CHECKSUM)).copied.objects).toBe(1);
    expect(Buffer.compare(await readFile(join(to, 'f')), Buffer.from(bytesOf('two', 1000)))).toBe(0);
  });
});
