/** Versions are sent in their order, each once, whatever happens to the two ends: against a model of a history. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lookAtVersions, pollVersions, type Versioned } from '../../../src/bridge/push/versions.js';
import type { OutboxRow } from '../../../src/manifest/queues.js';
import { SqliteOutbox } from '../../../src/manifest/sqlite/outbox.js';
import { SqliteSpool } from '../../../src/manifest/sqlite/spool.js';
import { MemoryStore } from '../../../src/store/memory/store.js';

let directory: string;
let outbox: SqliteOutbox;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-versions-'));
  outbox = new SqliteOutbox(join(directory, 'outbox'));
});
afterEach(async () => {
  await outbox.close();
  rmSync(directory, { recursive: true });
});

const ALL = { backfill: true, first: false };
const DELETES = { ...ALL, deletes: { allowEmpty: true } };

function versioned(store: MemoryStore): Versioned {
  const spool = () => new SqliteSpool('');
  return { store, prefix: '', text: 'source', outbox: outbox.versions, spool, signal: new AbortController().signal };
}

async function write(store: MemoryStore, key: string, body: string): Promise<void> {
  if (body === '-') await store.delete([key]);
  else await store.put(key, Buffer.from(body));
}

/** IDs of a key's versions, the oldest first. */
async function idsOf(store: MemoryStore, key: string): Promise<string[]> {
  const { versions } = await store.listVersions({ prefix: key });
  return versions
    .filter((version) => version.key === key)
    .map(({ versionId }) => versionId)
    .reverse();
}

async function settle(row: OutboxRow | undefined): Promise<void> {
  if (row) await outbox.move([{ ...row, state: 'done' }]);
}

it('remembers the newest versions that have crossed, counts the others, and sends none of them again', async () => {
  let now = 0;
  const store = new MemoryStore({ versioning: 'enabled', clock: () => ++now });
  for (let n = 0; n < 103; n++) await write(store, 'a', String(n));
  await write(store, 'b', 'x');
  await pollVersions(versioned(store), ALL);
  for (let due = await outbox.due(0, 10); due.length > 0; due = await outbox.due(0, 10)) {
    await outbox.move(due.map((row) => ({ ...row, state: 'done' as const })));
  }
  const { versions, bytes } = await outbox.counts();
  expect([versions.done, bytes.done]).toEqual([104, 200]);
  const ids = await idsOf(store, 'a');
  // All that are remembered are deleted for good at the source.
  for (const versionId of ids.slice(3)) await store.deleteVersion('a', versionId);
  expect(await pollVersions(versioned(store), ALL)).toMatchObject({ changed: 0 });
  expect(await lookAtVersions(versioned(store), 'a')).toBe(true);
  expect(await outbox.due(0, 10)).toEqual([]);
  await write(store, 'a', 'new');
  expect(await pollVersions(versioned(store), ALL)).toMatchObject({ changed: 1 });
});

it('each key has one version on its way, the oldest; what is given up holds up its own key, unless it is archived', async () => {
  const store = new MemoryStore({ versioning: 'enabled' });
  for (const body of ['1', '2', '-']) for (const key of ['a', 'b']) await write(store, key, body);
  expect(await pollVersions(versioned(store), ALL)).toEqual({ listed: 2, changed: 6, gone: 0 });
  const [a, b] = await outbox.due(0, 10);
  expect([a?.key, b?.key, (await outbox.due(0, 10)).length]).toEqual(['a', 'b', 2]);
  if (a) await outbox.move([{ ...a, state: 'dead', fault: { code: 'x', message: 'no' } }]);
  if (b) await outbox.move([{ ...b, state: 'dead', fault: { code: 'object-archived', message: 'no' }, passes: true }]);
  expect((await outbox.due(0, 10)).map(({ key }) => key)).toEqual(['b']);
  await settle((await outbox.due(0, 10))[0]);
  // It can only be put on top, and a newer one is there.
  expect(await outbox.replay()).toBe(1);
  const due = await outbox.due(0, 10);
  expect(due.map(({ key, action }) => [key, action])).toEqual([
    ['a', 'copy'],
    ['b', 'mark'],
  ]);
  expect(due[0]?.revision).toBe(a?.revision);
  expect((await outbox.counts()).versions).toEqual({ known: 0, waiting: 4, sent: 0, done: 1, dead: 1 });
});

it('what was there before is sent with a later backfill, unless something newer was', async () => {
  const store = new MemoryStore({ versioning: 'enabled' });
  for (const body of ['1', '2']) for (const key of ['a', 'b']) await write(store, key, body);
  await pollVersions(versioned(store), { backfill: false, first: true });
  expect(await outbox.due(0, 10)).toEqual([]);
  await write(store, 'a', '3');
  await lookAtVersions(versioned(store), 'a');
  await settle((await outbox.due(0, 10))[0]);
  await pollVersions(versioned(store), ALL);
  expect((await outbox.due(0, 10)).map(({ key }) => key)).toEqual(['b']);
  expect(await outbox.versions.newerVersions('b', 0, 4)).toHaveLength(2);
});

it('a key without versions is deleted, guarded; an empty list deletes nothing', async () => {
  const store = new MemoryStore({ versioning: 'enabled' });
  for (const key of ['a', 'b']) await write(store, key, '1');
  await pollVersions(versioned(store), ALL);
  const [id = ''] = await idsOf(store, 'a');
  await store.deleteVersion('a', id);
  await expect(pollVersions(versioned(store), { ...ALL, deletes: { allowEmpty: true, max: 0 } })).rejects.toThrow(
    '1 of 2',
  );
  await pollVersions(versioned(store), DELETES);
  expect((await outbox.due(0, 10)).map(({ key, action }) => [key, action])).toEqual([
    ['b', 'copy'],
    ['a', 'delete'],
  ]);
  await expect(
    pollVersions(versioned(new MemoryStore({ versioning: 'enabled' })), { ...ALL, deletes: { allowEmpty: false } }),
  ).rejects.toThrow('has become empty');
});

type Step = ['write', number, string] | ['poll'] | ['look', number] | ['answer', number, number] | ['kill'];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant('write' as const), fc.nat(2), fc.constantFrom('x', 'yy', '-')),
  fc.tuple(fc.constant('poll' as const)),
  fc.tuple(fc.constant('look' as const), fc.nat(2)),
  fc.tuple(fc.constant('answer' as const), fc.nat(5), fc.nat(3)),
  fc.tuple(fc.constant('kill' as const)),
);

it('holds for any history, any order of answers, and kills in between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const file = join(directory, `outbox-${Math.random()}`);
      outbox = new SqliteOutbox(file);
      const store = new MemoryStore({ versioning: 'enabled' });
      const there: Record<string, string[]> = { k0: [], k1: [], k2: [] };
      const answer = async (which: number, how: number): Promise<void> => {
        const due = await outbox.due(Date.now(), 10);
        const row = due[which % Math.max(1, due.length)];
        if (!row) return;
        // Lost on its way back, or its URL has expired: it is sent again.
        const had = there[row.key] ?? [];
        if (!had.includes(row.versionId ?? '')) had.push(row.versionId ?? '');
        await outbox.move([{ ...row, state: how === 0 ? 'waiting' : 'done', attempts: row.attempts + 1 }]);
      };
      for (const [what, first, second] of steps) {
        if (what === 'write') await write(store, `k${first}`, String(second));
        else if (what === 'poll') await pollVersions(versioned(store), ALL);
        else if (what === 'look') await lookAtVersions(versioned(store), `k${first}`);
        else if (what === 'answer') await answer(Number(first), Number(second));
        else {
          await outbox.close();
          outbox = new SqliteOutbox(file);
        }
      }
      await pollVersions(versioned(store), ALL);
      for (let left = 200; !(await outbox.isIdle()) && left > 0; left--) await answer(left, 1);
      for (const key of Object.keys(there)) expect(there[key]).toEqual(await idsOf(store, key));
      await outbox.close();
    }),
    { numRuns: 25 },
  );
  outbox = new SqliteOutbox(join(directory, 'outbox'));
});
