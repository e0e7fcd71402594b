import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type PollOptions, poll } from '../../../src/bridge/push/poll.js';
import type { Outbox } from '../../../src/manifest/queues.js';
import { SqliteOutbox } from '../../../src/manifest/sqlite/outbox.js';
import { XsyncError } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';

let directory: string;
let outbox: Outbox;
let store: MemoryStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-poll-'));
  outbox = new SqliteOutbox(join(directory, 'outbox'));
  store = new MemoryStore();
});
afterEach(async () => {
  await outbox.close();
  rmSync(directory, { recursive: true });
});

const put = (key: string, text = key) => store.put(`p/${key}`, Buffer.from(text));
const look = (options: Partial<PollOptions> = {}) =>
  poll(
    { store, prefix: 'p/', text: 'lab:b/p', outbox, signal: new AbortController().signal },
    { first: false, backfill: false, ...options },
  );
const waiting = async () => (await outbox.due(Date.now(), 100)).map(({ action, key }) => `${action} ${key}`);
const settle = async () => {
  const rows = await outbox.due(Date.now(), 100);
  await outbox.move(rows.map((row) => ({ ...row, state: 'done' })));
};

it('finds what is new or changed, once', async () => {
  await put('a');
  await put('b');
  await store.put('other', Buffer.from('x'));
  expect(await look()).toEqual({ listed: 2, changed: 2, gone: 0 });
  expect(await waiting()).toEqual(['copy a', 'copy b']);
  expect(await look()).toMatchObject({ changed: 0 });
  await settle();
  await put('b', 'new');
  await look();
  expect(await waiting()).toEqual(['copy b']);
});

it('takes note of what was there before', async () => {
  await put('a');
  await look({ first: true });
  expect(await waiting()).toEqual([]);
  await put('b');
  await look();
  expect(await waiting()).toEqual(['copy b']);
});

it('finds what is gone, anywhere in the order, only if it is asked to, and after it came back', async () => {
  for (const key of ['a', 'b', 'c', 'd']) await put(key);
  await look();
  await settle();
  await store.delete(['p/a', 'p/c', 'p/d']);
  expect(await look()).toMatchObject({ gone: 3 });
  expect(await waiting()).toEqual([]);
  await look({ deletes: { allowEmpty: false } });
  expect(await waiting()).toEqual(['delete a', 'delete c', 'delete d']);
  await settle();
  expect(await look({ deletes: { allowEmpty: false } })).toMatchObject({ gone: 0 });
  await put('c');
  await look();
  expect(await waiting()).toEqual(['copy c']);
});

it('deletes nothing if too much is gone, or everything, or the listing fails', async () => {
  for (const key of ['a', 'b', 'c']) await put(key);
  await look();
  await settle();
  await store.delete(['p/a', 'p/b']);
  await expect(look({ deletes: { max: 1, allowEmpty: false } })).rejects.toMatchObject({
    code: 'guard',
    message: '2 of 3 objects are gone from lab:b/p; nothing is deleted at the other end',
  });
  await store.delete(['p/c']);
  await expect(look({ deletes: { allowEmpty: false } })).rejects.toMatchObject({ code: 'guard' });
  const { list } = store;
  store.list = async () => {
    throw new XsyncError('timeout', 'slow');
  };
  await expect(look({ deletes: { allowEmpty: true } })).rejects.toMatchObject({ code: 'timeout' });
  store.list = list;
  expect(await waiting()).toEqual([]);
  await look({ deletes: { allowEmpty: true } });
  expect(await waiting()).toHaveLength(3);
});

it('sends later what was there before, if it is asked to, and what was written again', async () => {
  for (const key of ['a', 'b', 'c']) await put(key);
  await look({ first: true });
  expect((await outbox.counts()).objects).toEqual({ known: 3, waiting: 0, sent: 0, done: 0, dead: 0 });
  const { list } = store;
  store.list = async (options) => {
    const page = await list.call(store, options);
    return {
      ...page,
      entries: page.entries.map((entry) => ({ ...entry, ...(entry.key === 'p/b' && { mtimeMs: 7 }) })),
    };
  };
  await look();
  expect(await waiting()).toEqual(['copy b']);
  await look({ backfill: true });
  expect(await waiting()).toEqual(['copy b', 'copy a', 'copy c']);
  await settle();
  expect(await look({ backfill: true })).toMatchObject({ changed: 0 });
});

it('a first listing, and any other one, leaves alone what events have noted meanwhile', async () => {
  for (const key of ['a', 'b']) await put(key);
  const { page } = outbox;
  outbox.page = async (...given) => {
    const rows = await page.apply(outbox, given);
    await outbox.note([{ key: 'b', action: 'copy', etag: 'of the event', size: 1, mtimeMs: 1 }], 'waiting');
    return rows;
  };
  await look({ first: true });
  expect(await waiting()).toEqual(['copy b']);
  expect(await outbox.get('b')).toMatchObject({ etag: 'of the event' });
  // Killed before it ended, and started again: what has changed since is sent.
  outbox.page = page.bind(outbox);
  await settle();
  await put('a', 'new');
  await look({ first: true });
  expect(await waiting()).toEqual(['copy a', 'copy b']);
});

it('guards the second listing as the first one', async () => {
  for (const key of ['a', 'b', 'c']) await put(key);
  await look();
  await settle();
  await store.delete(['p/a']);
  const { list } = store;
  let calls = 0;
  store.list = async (options) => {
    const page = await list.call(store, options);
    return ++calls === 1 ? page : { ...page, entries: [] };
  };
  await expect(look({ deletes: { allowEmpty: false } })).rejects.toMatchObject({
    code: 'guard',
    message: 'lab:b/p has become empty; nothing is deleted at the other end',
  });
  calls = 0;
  await expect(look({ deletes: { max: 2, allowEmpty: true } })).rejects.toMatchObject({ code: 'guard' });
  expect(await waiting()).toEqual([]);
});

it('sends what is archived, too: the other end tells why it cannot be read', async () => {
  await put('a');
  const { list } = store;
  store.list = async (options) => {
    const page = await list.call(store, options);
    return { ...page, entries: page.entries.map((entry) => ({ ...entry, special: 'archived' as const })) };
  };
  await look();
  expect(await waiting()).toEqual(['copy a']);
});
