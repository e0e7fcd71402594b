import { describe, expect, test } from 'vitest';
import type { Backup } from '../../../src/engine/pair.js';
import { suffixed } from '../../../src/engine/plan/backup.js';
import { XsyncError } from '../../../src/model/error.js';
import { MemoryStore, type MemoryStoreOptions } from '../../../src/store/memory/store.js';
import { FaultyStore } from '../../support/faults.js';
import { contentOf, listUpsideDown, POLICY, side } from '../support.js';
import { bytesOf, deleteRequests, keysOf, Pair, type SyncOptions, sync, synced, TIMES, told } from '../sync.js';

const KiB = 1024;

function place(options: MemoryStoreOptions = {}): { store: MemoryStore; faults: FaultyStore; backup: Backup } {
  const capabilities = { local: false, keepsMtime: false, ...options.capabilities };
  const store = new MemoryStore({ endpoint: 'c', bucket: 'aside', ...options, capabilities });
  const faults = new FaultyStore(store);
  const backup = { side: side(faults, 'old/', 'memory:aside/old'), suffix: '', keepExtension: false };
  return { store, faults, backup };
}

/** A sync that keeps what it overwrites and deletes beside it, under names of their own. */
function syncBeside(pair: Pair, suffix: string, options: SyncOptions = {}, keepExtension = false) {
  const open = pair.open();
  pair.open = () => open;
  return sync(pair, { ...options, backup: { side: open.dest, suffix, keepExtension } });
}

async function holds(store: MemoryStore, key: string, bytes: Uint8Array): Promise<boolean> {
  return (await keysOf(store)).includes(key) && Buffer.compare(await contentOf(store, key), bytes) === 0;
}

describe('what is overwritten or deleted', () => {
  test.each(TIMES)('is kept with its content, headers and metadata, --delete-%s', async (when) => {
    const pair = new Pair();
    const about = { headers: { contentType: 'text/x-odd', cacheControl: 'max-age=5' }, metadata: { owner: 'Zoë' } };
    for (const key of ['updated', 'gone', 'stays']) await pair.source.put(key, bytesOf(key, 10), about);
    await pair.copy();
    await pair.source.put('updated', bytesOf('new', 20));
    await pair.source.delete(['gone']);
    const { store, backup } = place();
    const run = await sync(pair, { deletes: { when }, backup });
    expect(await keysOf(store)).toEqual(['old/gone', 'old/updated']);
    expect(run.backedUp).toEqual({ objects: 2, bytes: 20 });
    expect(told(run, 'backup').sort()).toEqual(['gone', 'updated']);
    for (const key of ['gone', 'updated']) {
      expect(await holds(store, `old/${key}`, bytesOf(key, 10))).toBe(true);
      const kept = await store.head(`old/${key}`);
      expect(kept.headers).toEqual(about.headers);
      expect(kept.metadata.owner).toBe('Zoë');
    }
    expect(await keysOf(pair.dest)).toEqual(['stays', 'updated']);
    expect(await holds(pair.dest, 'updated', bytesOf('new', 20))).toBe(true);
  });

  test.each(TIMES)('is kept with its tags and ACL where the run copies those, --delete-%s', async (when) => {
    const carry = { metadata: true, tags: true, acl: true, fidelity: 'warn' } as const;
    const pair = new Pair();
    const about = { tags: [{ key: 'a', value: '1' }], acl: 'public-read' };
    for (const key of ['updated', 'gone']) await pair.source.put(key, bytesOf(key, 10), about);
    await pair.copy({ carry });
    await pair.source.put('updated', bytesOf('new', 20));
    await pair.source.delete(['gone']);
    await pair.source.put('stays', bytesOf('stays', 10));
    const { store, backup } = place();
    await sync(pair, { deletes: { when }, backup, carry });
    for (const key of ['old/gone', 'old/updated']) {
      expect([await store.getTags(key), await store.getAcl(key)]).toEqual([about.tags, about.acl]);
    }
  });

  test.each([
    ['in parts', {}],
    ['by the service in parts', { endpoint: 'b', capabilities: { maxCopySize: 100 * KiB } }],
  ])('is kept whole when it is large, %s', async (_, options) => {
    const size = 5 * 64 * KiB + 77;
    const pair = new Pair();
    await pair.source.put('large', bytesOf('old', size));
    await pair.source.put('gone', bytesOf('gone', size));
    await pair.copy({ partSize: 64 * KiB });
    await pair.source.put('large', bytesOf('new', size));
    await pair.source.delete(['gone']);
    const { store, backup } = place({ bucket: 'aside', ...options });
    const run = await sync(pair, { backup, partSize: 64 * KiB, deletes: { allowEmptySource: true } });
    expect(run).toMatchObject({ copied: { objects: 1 }, deleted: { objects: 1 }, backedUp: { objects: 2 } });
    expect(await holds(store, 'old/large', bytesOf('old', size))).toBe(true);
    expect(await holds(store, 'old/gone', bytesOf('gone', size))).toBe(true);
    expect((await store.listUploads({})).uploads).toEqual([]);
    expect(pair.manifest.uploads()).toEqual([]);
  });

  test('is copied by the service where it can: no byte comes this way', async () => {
    const pair = await synced(['gone', 'stays'], ['gone']);
    const { store, backup } = place({ endpoint: 'b' });
    const run = await sync(pair, { backup });
    expect(run.traffic.destination.requests).toEqual({ list: 1, head: 2, delete: 1 });
    expect(backup.side.traffic()).toMatchObject({ requests: { copy: 1 }, bytesIn: 0, bytesOut: 0 });
    expect(await keysOf(store)).toEqual(['old/gone']);
  });

  const IN_THE_WAY: [string, string, string, string[]][] = [
    ['a folder', 'a', 'old/a/b', ['old/a/b', 'old/a~2']],
    ['an object', 'a/b/c', 'old/a', ['old/a', 'old/a~2/b/c']],
    ['an object further down', 'a/b/c', 'old/a/b', ['old/a/b', 'old/a/b~2/c']],
  ];
  test.each(IN_THE_WAY)('gets another name where %s is in the way of its backup', async (_, key, older, all) => {
    const pair = await synced([key]);
    const { store, faults, backup } = place();
    await store.put(older, bytesOf('older', 10));
    faults.before('put', async ({ key: name = '' }) => {
      const there = await keysOf(store);
      if (!there.some((other) => other.startsWith(`${name}/`) || name.startsWith(`${other}/`))) return;
      throw new XsyncError('key-not-representable', `${name} cannot be created`, { subject: name });
    });
    await pair.source.put(key, bytesOf('new', 20));
    expect(await sync(pair, { backup })).toMatchObject({ copied: { objects: 1 }, backedUp: { objects: 1 } });
    expect(await keysOf(store)).toEqual(all);
    expect(await holds(store, all[1] ?? '', bytesOf(key, 10))).toBe(true);
    await pair.source.put(key, bytesOf('newer', 30));
    expect(await sync(pair, { backup })).toMatchObject({ copied: { objects: 1 }, backedUp: { objects: 1 } });
    expect(await keysOf(store)).toHaveLength(3);
    expect(await holds(store, older, bytesOf('older', 10))).toBe(true);
  });

  test('is kept by a copy as well', async () => {
    const pair = await synced(['a']);
    await pair.source.put('a', bytesOf('new', 20));
    const { store, backup } = place();
    await pair.copy({ backup });
    expect(await holds(store, 'old/a', bytesOf('a', 10))).toBe(true);
  });

  test('is kept when the destination was not listed, be it known to the manifest or not', async () => {
    const pair = await synced(['known', 'gone'], ['gone']);
    await pair.dest.put('foreign', bytesOf('foreign', 10));
    for (const key of ['known', 'foreign']) await pair.source.put(key, bytesOf(`new ${key}`, 20));
    const { store, backup } = place();
    await sync(pair, { backup, noTraverse: true });
    expect(await keysOf(store)).toEqual(['old/foreign', 'old/gone', 'old/known']);
    expect(await holds(store, 'old/foreign', bytesOf('foreign', 10))).toBe(true);
  });

  test('is kept though the destination lists in another order than it says', async () => {
    const pair = new Pair({ dest: { capabilities: { orderedListing: 'unknown' } } });
    const keys = ['a', 'b', 'c', 'd'];
    for (const key of keys) {
      await pair.source.put(key, bytesOf(`${key} new`, 20));
      await pair.dest.put(key, bytesOf(key, 10));
    }
    listUpsideDown(pair.faults.dest);
    const { store, backup } = place();
    await sync(pair, { backup });
    expect(await keysOf(store)).toEqual(keys.map((key) => `old/${key}`));
  });

  test('is neither copied nor announced as kept in a dry run', async () => {
    const pair = await synced(['a', 'gone'], ['gone']);
    await pair.source.put('a', bytesOf('new', 20));
    const { store, backup } = place();
    const run = await sync(pair, { backup, dryRun: true });
    expect(await keysOf(store)).toEqual([]);
    expect(run.backedUp.objects).toBe(0);
  });
});

describe('a write whose answer is lost', () => {
  /** A repeated write to a store that compares versions finds out that the first one succeeded. */
  const BLIND = { writesIfMatch: undefined };
  const V0 = bytesOf('version 0', 10);
  const V1 = bytesOf('version 1', 10);

  /** The put is carried out, and its answer never comes. */
  function loseAnswers(pair: Pair): () => void {
    return pair.faults.dest.around('put', async (_, run) => {
      await run();
      throw new XsyncError('server-error', 'the answer was lost');
    });
  }

  /** `f` was overwritten by version 1 in a run that did not hear of it; version 0 is in the backup. */
  async function lost({ source, dest }: ConstructorParameters<typeof Pair>[0] = {}) {
    const pair = new Pair({ source, dest: { capabilities: { ...BLIND, ...dest?.capabilities } } });
    await pair.source.put('f', V0);
    await pair.source.put('stays', bytesOf('stays', 10));
    await pair.copy();
    await pair.source.put('f', V1);
    const aside = place();
    const mend = loseAnswers(pair);
    const run = await sync(pair, { backup: aside.backup });
    expect(run.failed.objects).toBe(1);
    expect(await holds(pair.dest, 'f', V1)).toBe(true);
    expect(await holds(aside.store, 'old/f', V0)).toBe(true);
    mend();
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { pair, ...aside };
  }

  const OPAQUE = { capabilities: { partEtagIsMd5: false } };

  test.each([
    ['stores with MD5s', {}],
    ['a local source', { source: { capabilities: { local: true, partEtagIsMd5: false } } }],
  ])('does not back up what it wrote itself, %s', async (_, options) => {
    const { pair, store, backup } = await lost(options);
    const run = await sync(pair, { backup, failedBefore: 'try' });
    expect(run.failed.objects).toBe(0);
    expect(await keysOf(store)).toEqual(['old/f']);
    expect(await holds(store, 'old/f', V0)).toBe(true);
    expect(await holds(pair.dest, 'f', V1)).toBe(true);
  });

  test('keeps both where nothing proves what stands there', async () => {
    const { pair, store, backup } = await lost({ source: OPAQUE, dest: OPAQUE });
    await sync(pair, { backup, failedBefore: 'try' });
    expect(await keysOf(store)).toEqual(['old/f', 'old/f~2']);
    expect(await holds(store, 'old/f', V0)).toBe(true);
    expect(await holds(store, 'old/f~2', V1)).toBe(true);
  });

  test("keeps somebody's object that came in between, and the old one", async () => {
    const { pair, store, backup } = await lost();
    await pair.dest.put('f', bytesOf('precious', 12));
    await sync(pair, { backup, failedBefore: 'try' });
    expect(await holds(store, 'old/f', V0)).toBe(true);
    expect(await holds(store, 'old/f~2', bytesOf('precious', 12))).toBe(true);
    expect(await holds(pair.dest, 'f', V1)).toBe(true);
  });

  test('keeps both when the source has a newer version by then', async () => {
    const { pair, store, backup } = await lost();
    await pair.source.put('f', bytesOf('version 2', 11));
    await sync(pair, { backup });
    expect(await holds(store, 'old/f', V0)).toBe(true);
    expect(await holds(store, 'old/f~2', V1)).toBe(true);
    expect(await holds(pair.dest, 'f', bytesOf('version 2', 11))).toBe(true);
  });

  test('keeps both when the source has it no more', async () => {
    const { pair, store, backup } = await lost();
    await pair.source.delete(['f']);
    await sync(pair, { backup, policy: { deleteUnknown: true } });
    expect(await keysOf(pair.dest)).toEqual(['stays']);
    expect(await holds(store, 'old/f', V0)).toBe(true);
    expect(await holds(store, 'old/f~2', V1)).toBe(true);
  });

  test('keeps the old one when the source changes before the next attempt', async () => {
    const pair = new Pair({ dest: { capabilities: BLIND } });
    await pair.source.put('f', V0);
    await pair.copy();
    await pair.source.put('f', V1);
    const { store, backup } = place();
    const mend = loseAnswers(pair);
    pair.faults.source.before('read', async ({ n }) => {
      if (n === 1) return;
      mend();
      await pair.source.put('f', bytesOf('version 2', 11));
    });
    const run = await pair.copy({ backup });
    expect(run).toMatchObject({ copied: { objects: 1 }, restarts: 1 });
    expect(await holds(pair.dest, 'f', bytesOf('version 2', 11))).toBe(true);
    expect(await holds(store, 'old/f', V0)).toBe(true);
  });

  test('of a suffix: no later run deletes the second name', async () => {
    const pair = new Pair({ source: OPAQUE, dest: { capabilities: { ...OPAQUE.capabilities, ...BLIND } } });
    await pair.source.put('f', V0);
    await pair.copy();
    await pair.source.put('f', V1);
    const mend = pair.faults.dest.around('put', async ({ key }, run) => {
      const answer = await run();
      if (key !== 'f') return answer;
      throw new XsyncError('server-error', 'the answer was lost');
    });
    await syncBeside(pair, '.bak');
    mend();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await syncBeside(pair, '.bak', { failedBefore: 'try' });
    await syncBeside(pair, '.bak', { policy: { deleteUnknown: true } });
    expect(await keysOf(pair.dest)).toEqual(['f', 'f.bak', 'f.bak~2']);
    expect(await holds(pair.dest, 'f.bak', V0)).toBe(true);
  });

  test('nor does what is copied again unchanged take the place of the old one', async () => {
    const pair = await synced(['f']);
    await pair.source.put('f', V1);
    const { store, backup } = place();
    for (let i = 0; i < 2; i++) {
      const run = await pair.copy({ backup, policy: { ...POLICY, compare: 'ignore-times' } });
      expect(run.copied.objects).toBe(1);
    }
    expect(await keysOf(store)).toEqual(['old/f']);
    expect(await holds(store, 'old/f', bytesOf('f', 10))).toBe(true);
  });

  test('and without doubt, the next version is backed up under the usual name', async () => {
    const pair = await synced(['f']);
    const { store, backup } = place();
    for (const version of ['one', 'two']) {
      await pair.source.put('f', bytesOf(version, 10));
      await sync(pair, { backup });
    }
    expect(await keysOf(store)).toEqual(['old/f']);
    expect(await holds(store, 'old/f', bytesOf('one', 10))).toBe(true);
  });
});

test('a delete that somebody overtakes makes no backup of their object', async () => {
  const pair = await synced(['gone', 'stays'], ['gone']);
  const { store, backup } = place();
  await store.put('old/gone', bytesOf('older', 10));
  const undo = pair.faults.source.before('head', () => pair.dest.put('gone', bytesOf('precious', 12)));
  const run = await sync(pair, { backup });
  undo();
  expect(run).toMatchObject({ backedUp: { objects: 0 }, kept: { objects: 1 } });
  expect(await holds(store, 'old/gone', bytesOf('older', 10))).toBe(true);
  expect(await holds(pair.dest, 'gone', bytesOf('precious', 12))).toBe(true);
});

describe('when it cannot be kept', () => {
  test.each(TIMES)('nothing is overwritten or deleted, and each is listed as failed, --delete-%s', async (when) => {
    const pair = await synced(['updated', 'gone', 'stays'], ['gone']);
    await pair.source.put('updated', bytesOf('new', 20));
    const { faults, backup } = place();
    faults.fail('put', new XsyncError('access-denied', 'no right to write'));
    const run = await sync(pair, { backup, deletes: { when, ignoreErrors: true } });
    expect(await holds(pair.dest, 'updated', bytesOf('updated', 10))).toBe(true);
    expect(await holds(pair.dest, 'gone', bytesOf('gone', 10))).toBe(true);
    const failures = run.failed.list.map(({ key, code, message }) => ({ key, code, message }));
    const message = expect.stringMatching(/not changed.*not be backed up to memory:aside\/old: no right to write/);
    expect(failures.sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
      { key: 'gone', code: 'access-denied', message },
      { key: 'updated', code: 'access-denied', message },
    ]);
    expect(run.deleted).toMatchObject({ objects: 0, left: 1 });
  });

  test('because its place has no such bucket, the run ends with nothing touched', async () => {
    const pair = await synced(['gone', 'stays'], ['gone']);
    const requests = deleteRequests(pair);
    const { backup } = place({ created: false });
    await expect(sync(pair, { backup })).rejects.toMatchObject({ code: 'bucket-not-found' });
    expect(requests).toEqual([]);
  });

  test('because the run was interrupted half-way, nothing is overwritten or deleted, and the next run does it all', async () => {
    const size = 8 * 64 * KiB;
    const pair = new Pair();
    for (const key of ['large', 'gone', 'stays']) await pair.source.put(key, bytesOf(key, size));
    await pair.copy();
    await pair.source.delete(['gone']);
    const { store, faults, backup } = place();
    const stop = new AbortController();
    const undo = faults.before('uploadPart', () => stop.abort());
    const parts = { partSize: 64 * KiB, partConcurrency: 1, transfers: 1 };
    const run = await sync(pair, { backup, stop: stop.signal, ...parts });
    expect(run).toMatchObject({ stopped: 'interrupted', deleted: { objects: 0 }, failed: { objects: 0 } });
    expect(await holds(pair.dest, 'gone', bytesOf('gone', size))).toBe(true);
    undo();
    expect(await sync(pair, { backup, ...parts })).toMatchObject({ deleted: { objects: 1 }, backedUp: { objects: 1 } });
    expect(await holds(store, 'old/gone', bytesOf('gone', size))).toBe(true);
  });

  test('because its name would be too long, it alone is left', async () => {
    const long = 'x'.repeat(1022);
    const pair = await synced([long, 'gone', 'stays'], [long, 'gone']);
    const run = await sync(pair, { backup: place().backup });
    expect(run.failed.list).toMatchObject([{ key: long, code: 'key-not-representable', operation: 'delete' }]);
    expect(await keysOf(pair.dest)).toEqual(['stays', long]);
  });
});

describe('--suffix', () => {
  test.each([false, true])(
    'a backup does not take the name of another object of the pair (extension kept: %s)',
    async (kept) => {
      const other = kept ? 'a.bak.txt' : 'a.txt.bak';
      const pair = await synced(['a.txt', other], []);
      const [old, own] = [await contentOf(pair.dest, 'a.txt'), await contentOf(pair.dest, other)];
      await pair.source.put('a.txt', bytesOf('new', 30));
      await syncBeside(pair, '.bak', {}, kept);
      expect(Buffer.compare(await contentOf(pair.dest, other), own)).toBe(0);
      expect(await holds(pair.dest, `${other}~2`, old)).toBe(true);
      await syncBeside(pair, '.bak', { policy: { deleteUnknown: true } }, kept);
      expect(await holds(pair.dest, `${other}~2`, old)).toBe(true);
    },
  );

  // As rclone 1.75 names them (fs/operations, TestSuffixName): an extension before the last one is that of a media type.
  test.each([
    ['a.txt', 'a.txt-1', 'a-1.txt'],
    ['a.min.js', 'a.min.js-1', 'a.min-1.js'],
    ['report.v1.2.txt', 'report.v1.2.txt-1', 'report.v1.2-1.txt'],
    ['noext', 'noext-1', 'noext-1'],
    ['d.x/file', 'd.x/file-1', 'd.x/file-1'],
    ['a.tar.gz', 'a.tar.gz-1', 'a-1.tar.gz'],
    ['a.badextension.gz', 'a.badextension.gz-1', 'a.badextension-1.gz'],
    ['a.pdf.tar.gz', 'a.pdf.tar.gz-1', 'a-1.pdf.tar.gz'],
    ['a.TXT.GZ', 'a.TXT.GZ-1', 'a-1.TXT.GZ'],
    ['backup.2026-01-02.sql', 'backup.2026-01-02.sql-1', 'backup.2026-01-02-1.sql'],
    ['photo.jpg.d/plain', 'photo.jpg.d/plain-1', 'photo.jpg.d/plain-1'],
    ['d/.bashrc', 'd/.bashrc-1', 'd/-1.bashrc'],
    ['.bashrc', '.bashrc-1', '-1.bashrc'],
    ['ends.', 'ends.-1', 'ends-1.'],
    ['', '-1', '-1'],
  ])('of %j is in the place where rclone has it', (key, plain, kept) => {
    expect(suffixed(key, '-1', false)).toBe(plain);
    expect(suffixed(key, '-1', true)).toBe(kept);
  });

  test.each([false, true])(
    'alone keeps things beside the objects, and no later run deletes them',
    async (keepExtension) => {
      const pair = await synced(['d/updated.txt', 'gone.txt', 'stays'], ['gone.txt']);
      await pair.source.put('d/updated.txt', bytesOf('new', 20));
      const kept = keepExtension ? ['d/updated.bak.txt', 'gone.bak.txt'] : ['d/updated.txt.bak', 'gone.txt.bak'];
      await syncBeside(pair, '.bak', {}, keepExtension);
      expect(await keysOf(pair.dest)).toEqual([...kept, 'd/updated.txt', 'stays'].sort());
      const again = await syncBeside(pair, '.bak', { policy: { deleteUnknown: true } }, keepExtension);
      expect(again).toMatchObject({ deleted: { objects: 0 }, backedUp: { objects: 0 }, kept: { objects: 2 } });
      expect(await keysOf(pair.dest)).toEqual([...kept, 'd/updated.txt', 'stays'].sort());
    },
  );

  test('goes with --backup-dir', async () => {
    const pair = await synced(['a/gone.txt', 'stays'], ['a/gone.txt']);
    const { store, backup } = place();
    await sync(pair, { backup: { ...backup, suffix: '.2026', keepExtension: true } });
    expect(await keysOf(store)).toEqual(['old/a/gone.2026.txt']);
  });
});

describe('a place that overlaps a side', () => {
  test.each([
    ['dst', 'b', '', 'the destination itself'],
    ['dst', 'b', 'to/old/', 'a folder of the destination'],
    ['dst', 'b', 'to/', 'the destination by another name'],
    ['src', 'a', '', 'the source, around it'],
    ['src', 'a', 'from/x/', 'a folder of the source'],
  ])('is refused before anything is done: %s %s %j, %s', async (bucket, endpoint, prefix) => {
    const pair = new Pair();
    pair.prefixes = { source: 'from/', dest: 'to/' };
    await pair.source.put('from/a', bytesOf('a', 10));
    const { backup } = place({ bucket, endpoint });
    const side = { ...backup.side, prefix };
    await expect(sync(pair, { backup: { ...backup, side } })).rejects.toMatchObject({ code: 'usage' });
    expect(await keysOf(pair.dest)).toEqual([]);
  });

  test.each(['top/', 'to-old/', 'elsewhere/'])('is not one beside it: %s', async (prefix) => {
    const pair = new Pair();
    pair.prefixes = { source: '', dest: 'to/' };
    await synced(['a', 'gone'], ['gone'], pair);
    const kept = side(pair.dest, prefix, 'memory:dst');
    await sync(pair, { backup: { side: kept, suffix: '', keepExtension: false } });
    expect(await keysOf(pair.dest)).toEqual([`${prefix}gone`, 'to/a'].sort());
  });
});

describe('an object alone', () => {
  async function updated(): Promise<Pair> {
    const pair = new Pair();
    pair.prefixes = { source: 'from/pho', dest: 'to/pho' };
    const open = pair.open.bind(pair);
    pair.open = () => ({ ...open(), single: true });
    await pair.source.put('from/pho', bytesOf('old', 10));
    await pair.copy();
    await pair.source.put('from/pho', bytesOf('new', 20));
    return pair;
  }

  test('is kept under its name', async () => {
    const pair = await updated();
    const { store, backup } = place();
    await sync(pair, { backup: { ...backup, suffix: '.1' } });
    expect(await keysOf(store)).toEqual(['old/pho.1']);
    expect(await holds(store, 'old/pho.1', bytesOf('old', 10))).toBe(true);
  });

  test('is kept beside itself', async () => {
    const pair = await updated();
    await syncBeside(pair, '.1');
    expect(await keysOf(pair.dest)).toEqual(['to/pho', 'to/pho.1']);
    expect(await holds(pair.dest, 'to/pho.1', bytesOf('old', 10))).toBe(true);
  });

  test('may be kept in its own folder under another name, and not under its own', async () => {
    const pair = await updated();
    const kept = side(pair.dest, 'to/', 'memory:dst');
    await expect(sync(pair, { backup: { side: kept, suffix: '', keepExtension: false } })).rejects.toMatchObject({
      code: 'usage',
    });
    await sync(pair, { backup: { side: kept, suffix: '.1', keepExtension: false } });
    expect(await keysOf(pair.dest)).toEqual(['to/pho', 'to/pho.1']);
  });
});
