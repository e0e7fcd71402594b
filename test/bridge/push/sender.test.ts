import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcomes } from '../../../src/bridge/push/client.js';
import { Sender, type SenderMeans } from '../../../src/bridge/push/sender.js';
import type { BridgeTicket } from '../../../src/bridge/ticket.js';
import { type Outbox, ticketId } from '../../../src/manifest/queues.js';
import { SqliteOutbox } from '../../../src/manifest/sqlite/outbox.js';
import { XsyncError } from '../../../src/model/error.js';
import { MemoryStore } from '../../../src/store/memory/store.js';

let directory: string;
let outbox: Outbox;
let store: MemoryStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xsync-sender-'));
  outbox = new SqliteOutbox(join(directory, 'outbox'));
  store = new MemoryStore();
});
afterEach(async () => {
  await outbox.close();
  rmSync(directory, { recursive: true });
});

/** A wrapper of the store, as in the program. */
function storeWith(
  own: Pick<Partial<SenderMeans['store']>, 'head'> & Pick<SenderMeans['store'], 'signedUrl'>,
): SenderMeans['store'] {
  return {
    head: (key, options) => store.head(key, options),
    listVersions: (options) => store.listVersions(options),
    getTags: (key, options) => store.getTags(key, options),
    getAcl: (key, options) => store.getAcl(key, options),
    ...{ identity: store.identity, capabilities: store.capabilities },
    ...own,
  };
}

async function note(key: string, etag?: string): Promise<void> {
  const { etag: now } = await store.put(key, Buffer.from(key));
  const since = (await outbox.get(key))?.revision;
  await outbox.note([{ key, action: 'copy', etag: etag ?? now, size: key.length, mtimeMs: 1, since }], 'waiting');
}

type State = Outcomes[number]['state'] | undefined;
/** A state, or one with the code of a fault. */
type Answer = State | `${Outcomes[number]['state']}: ${string}`;

/** Pushes until all is settled. `answer`: the state of a ticket when it is asked about for the nth time. */
async function push(
  answer: (ticket: BridgeTicket, nth: number) => Answer,
  more: Partial<SenderMeans> = {},
  made: (sender: Sender) => void = () => {},
) {
  const sent: BridgeTicket[] = [];
  const asked = new Map<string, number>();
  const troubles: (string | undefined)[] = [];
  const client: SenderMeans['client'] = {
    async send(tickets) {
      sent.push(...tickets);
      return { taken: tickets.length, stale: [], refused: [] };
    },
    async ask(ids) {
      return ids.flatMap((id) => {
        const nth = (asked.get(id) ?? 0) + 1;
        asked.set(id, nth);
        const ticket = sent.findLast((one) => one.id === id);
        const said = ticket && answer(ticket, nth);
        if (said === undefined) return [];
        const [state, code = 'x'] = said.split(': ') as [Outcomes[number]['state'], string?];
        return [{ id, state, ...((state === 'dead' || code !== 'x') && { fault: { code, message: 'y' } }) }];
      });
    },
  };
  const urls = async (key: string) => ({ url: `http://h/${key}?${sent.length}`, expiresMs: 7.5 });
  const means: SenderMeans = {
    ...{ outbox, client, prefix: '', text: 'source', expiresS: 60, attempts: 2, deletes: false, versions: false },
    reading: { tags: false, acl: false },
    ...{ done: () => {}, dead: () => {} },
    store: storeWith({ signedUrl: urls }),
    trouble: (message) => troubles.push(message),
    warn: (message) => troubles.push(message),
    ...more,
  };
  const sender = new Sender(means);
  made(sender);
  await sender.follow(new AbortController().signal, { once: true });
  return { sent, troubles, counts: (await outbox.counts()).objects };
}

it('sends a ticket for each, and waits until it is done', async () => {
  await note('a');
  const { sent, counts } = await push((_, nth) => (nth === 1 ? 'queued' : 'done'));
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ key: 'a', url: 'http://h/a?0', expiresMs: 7, size: 1 });
  expect(counts).toEqual({ known: 0, waiting: 0, sent: 0, done: 1, dead: 0 });
});

it.each([['expired'], [undefined]] as const)('sends the same ticket with a fresh URL when it is %s', async (state) => {
  await note('a');
  const { sent } = await push((_, nth) => (nth === 1 ? state : 'done'));
  expect(sent.map(({ id }) => id)).toEqual([sent[0]?.id, sent[0]?.id]);
  expect(sent.map((ticket) => ticket.action === 'copy' && ticket.url)).toEqual(['http://h/a?0', 'http://h/a?1']);
});

it.each([
  { what: 'those that were noted', refresh: undefined, etag: undefined, sent: { crc32: 'y/Q5Jg==' } },
  { what: 'of the HEAD that reads attributes', refresh: true as const, etag: undefined, sent: { crc64ecma: '7' } },
  { what: 'none of a HEAD about another version', refresh: true as const, etag: 'old', sent: { crc32: 'y/Q5Jg==' } },
])('a ticket has checksums: $what', async ({ refresh, etag, sent: expected }) => {
  const { etag: now } = await store.put('a', Buffer.from('a'));
  const change = { key: 'a', action: 'copy' as const, etag: etag ?? now, size: 1, mtimeMs: 1, refresh };
  await outbox.note([{ ...change, checksums: { crc32: 'y/Q5Jg==' } }], 'waiting');
  const { sent } = await push(() => 'done', {
    store: storeWith({
      head: async (key) => ({ ...(await store.head(key)), checksums: { crc64ecma: '7' } }),
      signedUrl: async () => ({ url: 'http://h/a', expiresMs: 7 }),
    }),
  });
  expect(sent).toMatchObject([{ key: 'a', checksums: expected }]);
});

it('looks again when the other end found another version', async () => {
  await note('a', 'old');
  const { sent, counts } = await push((ticket) =>
    ticket.action === 'copy' && ticket.etag === 'old' ? 'changed' : 'done',
  );
  expect(sent).toHaveLength(2);
  expect(sent[1]?.revision).toBeGreaterThan(sent[0]?.revision ?? 0);
  expect(counts.done).toBe(1);
});

it.each([
  [true, ['copy', 'delete']],
  [false, ['copy']],
])('an object that is gone by now is deleted there, if deletes are pushed (%s)', async (deletes, actions) => {
  await note('a');
  await store.delete(['a']);
  const { sent } = await push((ticket) => (ticket.action === 'copy' ? 'changed' : 'done'), { deletes });
  expect(sent.map(({ action }) => action)).toEqual(actions);
});

it('keeps what the other end gave up or refused, with the reason', async () => {
  await note('a');
  const { counts } = await push(() => 'dead');
  expect(counts.dead).toBe(1);
  expect(await outbox.dead(undefined, 10)).toMatchObject([{ key: 'a', fault: { code: 'x', message: 'y' } }]);
  await note('b');
  const refusing = {
    send: async ([ticket]: readonly BridgeTicket[]) => {
      const refused = [{ id: ticket?.id ?? '', code: 'untrusted-host', message: 'no' }];
      return { taken: 0, stale: [], refused };
    },
    ask: async () => [],
  };
  await push(() => 'done', { client: refusing });
  expect((await outbox.get('b'))?.fault?.code).toBe('untrusted-host');
});

it('waits as long as the other end asks, and tells once that it is well again', async () => {
  await note('a');
  let calls = 0;
  const busy = new XsyncError('throttled', 'busy', { retryAfterMs: 20 });
  const { troubles } = await push(() => 'done', {
    client: {
      send: async () => {
        if (++calls === 1) throw busy;
        return { taken: 1, stale: [], refused: [] };
      },
      ask: async (ids) => ids.map((id) => ({ id, state: 'done' as const })),
    },
  });
  expect(troubles).toEqual(['busy; retrying', undefined]);
});

it('sends nothing before the time that the other end asked for, whatever is found meanwhile', async () => {
  await note('a');
  const sender: { ring?(): void } = {};
  let [calls, early] = [0, 0];
  let untilMs = 0;
  const client: SenderMeans['client'] = {
    send: async (tickets) => {
      if (++calls === 1) {
        untilMs = Date.now() + 1_500;
        throw new XsyncError('throttled', 'busy', { retryAfterMs: 1_500 });
      }
      if (Date.now() < untilMs) early++;
      return { taken: tickets.length, stale: [], refused: [] };
    },
    ask: async (ids) => ids.map((id) => ({ id, state: 'done' as const })),
  };
  const rings = setInterval(() => sender.ring?.(), 20);
  const { counts } = await push(
    () => 'done',
    { client },
    (made) => {
      sender.ring = () => made.ring();
    },
  );
  clearInterval(rings);
  expect({ calls, early, done: counts.done }).toEqual({ calls: 2, early: 0, done: 1 });
});

it('asks for nothing that it is told, and for what was not told after a while', async () => {
  await note('told');
  await note('lost');
  const asked: string[][] = [];
  let sender: Sender | undefined;
  const client: SenderMeans['client'] = {
    send: async (tickets) => {
      const [ticket] = tickets.filter(({ key }) => key === 'told');
      expect(ticket).toMatchObject({ callback: 'http://push/' });
      // Before the answer to the request with the ticket.
      if (ticket) sender?.hear([{ id: ticket.id, key: 'told', state: 'done' }]);
      return { taken: tickets.length, stale: [], refused: [] };
    },
    ask: async (ids) => {
      asked.push([...ids]);
      return ids.map((id) => ({ id, state: asked.length === 1 ? ('queued' as const) : ('done' as const) }));
    },
  };
  const done: string[] = [];
  const means = {
    client,
    callback: { url: 'http://push/', lostMs: 100 },
    done: ({ key }: { key: string }) => done.push(key),
  };
  const { counts } = await push(
    () => 'done',
    means,
    (made) => {
      sender = made;
    },
  );
  expect(counts).toMatchObject({ done: 2, sent: 0 });
  expect(done).toEqual(['told', 'lost']);
  const { revision = 0 } = (await outbox.get('lost')) ?? {};
  expect(asked).toEqual([[ticketId({ key: 'lost', revision })], [ticketId({ key: 'lost', revision })]]);
});

it('an outcome of an older change, or of an object that is not at the other end, says nothing', async () => {
  await note('a');
  const { revision = 0 } = (await outbox.get('a')) ?? {};
  const client: SenderMeans['client'] = {
    send: async (tickets) => ({ taken: tickets.length, stale: [], refused: [] }),
    ask: async (ids) => ids.map((id) => ({ id, state: 'done' as const })),
  };
  const { counts } = await push(
    () => 'done',
    { client, callback: { url: 'http://push/', lostMs: 1 } },
    (made) => {
      made.hear([
        { id: ticketId({ key: 'a', revision: revision - 1 }), key: 'a', state: 'dead' },
        { id: ticketId({ key: 'a', revision }), key: 'a', state: 'dead' },
        { id: 'r1-unknown', key: 'unknown', state: 'dead' },
      ]);
    },
  );
  expect(counts).toMatchObject({ done: 1, dead: 0 });
});

it('an object that never arrived and is gone is news if the same bytes come back', async () => {
  await note('a');
  const { etag } = await store.head('a');
  await store.delete(['a']);
  await push(() => 'changed');
  expect(await outbox.get('a')).toMatchObject({ action: 'delete', state: 'known', etag });
});

it('deletes nothing that has come back', async () => {
  for (const key of ['back', 'gone']) await note(key);
  await push(() => 'done');
  const rows = await outbox.page(undefined, 10);
  await outbox.note(
    rows.map((row) => ({ ...row, action: 'delete' as const, since: row.revision })),
    'waiting',
  );
  await store.delete(['gone']);
  const { sent } = await push(() => 'done', { deletes: true });
  expect(sent.map(({ action, key }) => `${action} ${key}`)).toEqual(['delete gone', 'copy back']);
});

it.each([
  ['has no URL', { url: new XsyncError('key-not-representable', 'no') }, 'key-not-representable'],
  ['cannot be looked at', { head: new XsyncError('access-denied', 'no') }, 'access-denied'],
  ['makes no valid ticket', { url: `http://h/${'x'.repeat(9000)}` }, 'unsupported'],
])(
  'an object that %s is given up, and holds up no other',
  async (_, { url, head }: { url?: Error | string; head?: Error }, code) => {
    await note('bad');
    await note('good');
    const { counts } = await push((ticket) => (ticket.key === 'bad' ? 'changed' : 'done'), {
      attempts: 1,
      store: storeWith({
        head: async (key) => {
          if (key === 'bad' && head) throw head;
          return store.head(key);
        },
        signedUrl: async (key) => {
          if (key === 'bad' && url instanceof Error) throw url;
          return { url: key === 'bad' && url ? String(url) : `http://h/${key}`, expiresMs: 7 };
        },
      }),
    });
    expect(counts).toMatchObject({ done: 1, dead: 1 });
    expect((await outbox.get('bad'))?.fault?.code).toBe(code);
  },
);

it('an object that must not be read waits, and tells so once, until the right is given', async () => {
  for (const key of ['a', 'b', 'c']) await note(key);
  const denied = new XsyncError('access-denied', 'no right');
  let revoked = true;
  const troubles: unknown[] = [];
  const { sent, counts } = await push(() => 'done', {
    store: storeWith({
      head: store.head,
      signedUrl: async (key) => {
        if (revoked && key !== 'c') throw denied;
        return { url: `http://h/${key}`, expiresMs: 7 };
      },
    }),
    trouble: (message, fault) => {
      troubles.push(message ?? 'well', fault?.class);
      revoked = false;
    },
  });
  expect(troubles).toEqual(['no right; its ticket waits, and is tried again', 'person', 'well', undefined]);
  expect([sent.map(({ key }) => key).sort(), sent[0]?.key, counts.done]).toEqual([['a', 'b', 'c'], 'c', 3]);
});

it('a fault of the store counts for no object', async () => {
  await note('a');
  let calls = 0;
  const signedUrl = async () => {
    if (++calls === 1) throw new XsyncError('bad-credentials', 'who?');
    return { url: 'http://h/a', expiresMs: 7 };
  };
  const { troubles, counts } = await push(() => 'done', { store: storeWith({ signedUrl }) });
  expect(counts.done).toBe(1);
  expect(troubles).toEqual(['who?; retrying', undefined]);
});

it('a ticket that is older than what the other end knows is given up, with the reason', async () => {
  await note('a');
  await note('known');
  const known = (ids: readonly string[]) => ids.slice(1).map((id) => ({ id, state: 'done' as const }));
  await push(() => 'done', {
    client: {
      send: async (tickets) => ({ taken: 0, stale: tickets.map(({ id }) => id), refused: [] }),
      ask: async (ids) => (ids.length === 2 ? known(ids) : ids.map((id) => ({ id, state: 'done' as const }))),
    },
  });
  expect(await outbox.get('a')).toMatchObject({ state: 'dead', fault: { code: 'stale' } });
  expect(await outbox.get('known')).toMatchObject({ state: 'done' });
});

it('a ticket whose URLs serve until they end is renewed as often as it takes, without a pause', async () => {
  await note('a');
  const { sent, troubles } = await push((_, nth) => (nth < 12 ? 'expired: expired-url' : 'done'));
  expect(sent).toHaveLength(12);
  expect(troubles).toEqual([]);
});

it('tells when URLs end again and again before an object has crossed', async () => {
  await note('a');
  const { sent, troubles } = await push((_, nth) => (nth < 6 ? 'expired' : 'done'));
  expect(sent).toHaveLength(6);
  expect(troubles).toEqual([
    'the other end could not read "a" before its URL expired, 5 times; check the clocks, or use a longer --expire',
  ]);
});

describe('a URL that the source refuses, because keys were replaced', () => {
  it('is replaced by a fresh one, after a request of our own', async () => {
    await note('a');
    let heads = 0;
    const head = (key: string) => {
      heads++;
      return store.head(key);
    };
    const { sent, counts } = await push((_, nth) => (nth === 1 ? 'expired: refused-url' : 'done'), {
      store: storeWith({ head, signedUrl: async () => ({ url: `http://h/${heads}`, expiresMs: 7 }) }),
    });
    expect(sent.map((ticket) => ticket.action === 'copy' && ticket.url)).toEqual(['http://h/0', 'http://h/1']);
    expect(counts.done).toBe(1);
  });

  it('is given up after as many attempts in a row as any other', async () => {
    await note('a');
    const states = ['expired', 'expired', 'queued', 'expired: refused-url', 'queued', 'expired: refused-url'] as const;
    const { sent, counts } = await push((_, nth) => states[nth - 1]);
    expect(sent).toHaveLength(4);
    expect(counts.dead).toBe(1);
    expect((await outbox.get('a'))?.fault?.code).toBe('refused-url');
  });
});

it('is well again once the object is gone whose ticket waited for a person', async () => {
  await note('a');
  const signedUrl = async (): Promise<never> => {
    // A listing notes it meanwhile.
    const since = (await outbox.get('a'))?.revision;
    await outbox.note([{ key: 'a', action: 'delete', etag: '', size: 0, mtimeMs: 0, since }], 'known');
    throw new XsyncError('access-denied', 'must not read it');
  };
  const { troubles, sent } = await push(() => 'done', { store: storeWith({ signedUrl }) });
  expect(sent).toEqual([]);
  expect(troubles).toEqual([expect.stringContaining('must not read it'), undefined]);
});
