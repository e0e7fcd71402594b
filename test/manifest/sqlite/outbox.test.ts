import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outbox } from '../../../src/manifest/queues.js';
import { SqliteOutbox } from '../../../src/manifest/sqlite/outbox.js';
import { openQueueFile } from '../../../src/manifest/sqlite/queue-file.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-outbox-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the objects of the pushing end', () => {
  const open = (): Outbox => new SqliteOutbox(join(directory, 'outbox'));
  const change = (key: string, etag = 'e') => ({ key, action: 'copy' as const, etag, size: 1, mtimeMs: 2 });

  it('wait with growing revisions, also after a restart and with a clock that goes back', async () => {
    let outbox = open();
    await outbox.note([change('b'), change('a')], 'waiting');
    const before = await outbox.due(0, 10);
    expect(before.map(({ key }) => key)).toEqual(['b', 'a']);
    await outbox.close();
    outbox = open();
    await outbox.note([{ ...change('b', 'e2'), versionId: 'v', since: before[0]?.revision }], 'waiting');
    const row = await outbox.get('b');
    expect(row).toMatchObject({ etag: 'e2', versionId: 'v', state: 'waiting', attempts: 0 });
    expect(row?.revision).toBeGreaterThan(before[1]?.revision ?? 0);
    expect((await outbox.page('a', 10)).map(({ key }) => key)).toEqual(['b']);
    await outbox.close();
  });

  it('are not moved on by the answer to an older change', async () => {
    const outbox = open();
    await outbox.note([change('a')], 'waiting');
    const [old] = await outbox.due(0, 1);
    await outbox.note([{ ...change('a', 'e2'), since: old?.revision }], 'waiting');
    // Nor is an older change noted over a newer one.
    expect(
      await outbox.note([{ ...change('a', 'e3'), since: old?.revision }, change('a'), change('b')], 'waiting'),
    ).toEqual(['a', 'a']);
    if (old) await outbox.move([{ ...old, state: 'done' }]);
    expect(await outbox.get('a')).toMatchObject({ etag: 'e2', state: 'waiting' });
    await outbox.close();
  });

  it('remember facts', async () => {
    const outbox = open();
    expect(await outbox.fact('x')).toBeUndefined();
    await outbox.setFact('x', '1');
    expect(await outbox.fact('x')).toBe('1');
    await outbox.close();
  });
});

it('a file of before is read, and keeps checksums from now on', async () => {
  const file = join(directory, 'outbox');
  const before = openQueueFile(file, BEFORE);
  before.exec(
    `INSERT INTO object (key, action, etag, size, mtime_ms, revision, state) VALUES ('a', 'copy', 'e', 1, 2, 3, 'waiting')`,
  );
  before.close();
  const outbox = new SqliteOutbox(file);
  const row = { key: 'a', action: 'copy', etag: 'e', size: 1, mtimeMs: 2, revision: 3, state: 'waiting', attempts: 0 };
  expect(await outbox.get('a')).toEqual(row);
  const change = { key: 'a', action: 'copy' as const, etag: 'e2', size: 1, mtimeMs: 2 };
  await outbox.note([{ ...change, checksums: { crc64ecma: '7' }, since: 3 }], 'waiting');
  expect((await outbox.get('a'))?.checksums).toEqual({ crc64ecma: '7' });
  await outbox.close();
  const again = new SqliteOutbox(file);
  const found = await again.get('a');
  expect(found?.checksums).toEqual({ crc64ecma: '7' });
  // They are those of the bytes that were noted with them.
  await again.note([{ ...change, etag: 'e3', since: found?.revision }], 'waiting');
  expect((await again.get('a'))?.checksums).toBeUndefined();
  await again.close();
});

/** The table of a file without checksums. */
const BEFORE = `
  CREATE TABLE object (
    key TEXT NOT NULL COLLATE BINARY, version TEXT NOT NULL DEFAULT '', action TEXT NOT NULL, etag TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ms REAL NOT NULL, version_id TEXT, refresh INTEGER NOT NULL DEFAULT 0, attributes TEXT,
    revision INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL DEFAULT 0,
    code TEXT, message TEXT, PRIMARY KEY (key, version)
  ) WITHOUT ROWID`;
