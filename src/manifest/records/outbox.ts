/** The objects of the pushing end, in records. Tests: test/contract/state.test.ts */
import { inParallel } from '../../model/parallel.js';
import type { Change, Move, Outbox, OutboxCounts, OutboxRow, OutboxState } from '../queues.js';
import { AT_ONCE, changeAll, getOne, put } from './change.js';
import { dueIn } from './due.js';
import { onceIn } from './nonces.js';
import { type Draft, type RecordName, type Records, rankOf, type Stored } from './port.js';

const GROUP = 'outbox';
const PAGE = 1000;
/** Rows that are in a queue, which has the name of their state. */
const QUEUES: readonly OutboxState[] = ['waiting', 'sent'];

interface Row extends OutboxRow {
  dueMs: number;
}

export class RecordOutbox implements Outbox {
  readonly #records: Records;
  readonly #next = revisions();

  constructor(records: Records) {
    this.#records = records;
  }

  async get(key: string): Promise<OutboxRow | undefined> {
    const stored = await getOne(this.#records, nameOf(key));
    return stored && rowOf(rowIn(stored));
  }

  async page(after: string | undefined, limit: number): Promise<OutboxRow[]> {
    return (await this.#records.page(GROUP, after, limit)).map((stored) => rowOf(rowIn(stored)));
  }

  async note(changes: readonly Change[], state: 'waiting' | 'known'): Promise<string[]> {
    const left: string[] = [];
    // One after the other those of one key, which would be in each other's way.
    const keys = new Set<string>();
    const first = changes.filter(({ key }) => !keys.has(key) && keys.add(key));
    const noted = first.map(({ since = 0, ...change }) => ({
      name: nameOf(change.key),
      next: (now: Stored | undefined): Draft | undefined => {
        const { revision } = now ? rowIn(now) : { revision: 0 };
        if (revision !== since) {
          left.push(change.key);
          return undefined;
        }
        return draftOf({ ...change, revision: this.#next(revision), state, attempts: 0, dueMs: 0 });
      },
    }));
    await changeAll(this.#records, noted);
    const others = changes.filter((change) => !first.includes(change));
    return others.length === 0 ? left : [...left, ...(await this.note(others, state))];
  }

  async due(nowMs: number, limit: number): Promise<OutboxRow[]> {
    return rowsOf(await dueIn(this.#records, queueOf('waiting'), { nowMs, limit }));
  }

  async sent(limit: number): Promise<OutboxRow[]> {
    return rowsOf(await this.#records.queued(queueOf('sent'), { limit }));
  }

  async nextMs(): Promise<number | undefined> {
    const [first] = await this.#records.queued(queueOf('waiting'), { limit: 1 });
    return first && rowIn(first).dueMs;
  }

  async move(moves: readonly Move[]): Promise<void> {
    const changes = moves.map(({ key, revision, state, attempts, untilMs = 0, fault }) => ({
      name: nameOf(key),
      next: (now: Stored | undefined) => {
        const row = now && rowIn(now);
        return row?.revision === revision ? draftOf({ ...row, state, attempts, fault, dueMs: untilMs }) : undefined;
      },
    }));
    await changeAll(this.#records, changes);
  }

  countSent(): Promise<number> {
    return this.#records.countQueued(queueOf('sent'), Number.POSITIVE_INFINITY);
  }

  async isIdle(): Promise<boolean> {
    const found = await inParallel(QUEUES, AT_ONCE, (state) => this.#records.queued(queueOf(state), { limit: 1 }));
    return found.every(({ length }) => length === 0);
  }

  /** Reads every row. */
  async dead(after: Parameters<Outbox['dead']>[0], limit: number): Promise<OutboxRow[]> {
    const found: OutboxRow[] = [];
    for await (const row of this.#all(after?.key)) {
      if (row.state === 'dead') found.push(rowOf(row));
      if (found.length === limit) break;
    }
    return found;
  }

  async replay(keys?: readonly string[]): Promise<number> {
    let replayed = 0;
    const again = (key: string) => ({
      name: nameOf(key),
      next: (now: Stored | undefined) => {
        const row = now && rowIn(now);
        if (!row || !isReplayed(row)) return undefined;
        replayed++;
        return draftOf({ ...row, state: 'waiting', attempts: 0, dueMs: 0, revision: this.#next(row.revision) });
      },
    });
    for await (const page of keys ? [keys] : this.#replayedKeys()) await changeAll(this.#records, page.map(again));
    return replayed;
  }

  async counts(): Promise<OutboxCounts> {
    const none = { known: 0, waiting: 0, sent: 0, done: 0, dead: 0 };
    const counts: OutboxCounts = { objects: { ...none }, versions: { ...none }, bytes: { ...none } };
    for await (const { state, size } of this.#all()) {
      const told = state === 'behind' ? 'waiting' : state;
      counts.objects[told]++;
      counts.bytes[told] += size;
    }
    return counts;
  }

  async fact(name: string): Promise<string | undefined> {
    return (await getOne(this.#records, factName(name)))?.text;
  }

  setFact(name: string, value: string): Promise<void> {
    return put(this.#records, factName(name), { text: value });
  }

  /** Remembers a nonce until a time. @returns false if it was known */
  once(nonce: string, untilMs: number, nowMs: number): Promise<boolean> {
    return onceIn(this.#records, nonce, untilMs, nowMs);
  }

  close(): Promise<void> {
    return this.#records.close();
  }

  async *#replayedKeys(): AsyncGenerator<string[]> {
    let keys: string[] = [];
    for await (const row of this.#all()) {
      if (isReplayed(row)) keys.push(row.key);
      if (keys.length < PAGE) continue;
      yield keys;
      keys = [];
    }
    yield keys;
  }

  async *#all(after?: string): AsyncGenerator<Row> {
    for (let last = after; ; ) {
      const page = await this.#records.page(GROUP, last, PAGE);
      for (const stored of page) yield rowIn(stored);
      if (page.length < PAGE) return;
      last = page.at(-1)?.name.id;
    }
  }
}

/** New revisions: they follow the clock, in microseconds, as those of every outbox. */
function revisions(): (after: number) => number {
  let last = 0;
  return (after) => {
    last = Math.max(last + 1, after + 1, Date.now() * 1000);
    return last;
  };
}

/** Given up, or waiting after a failure, here or at the other end. */
function isReplayed({ state, fault, dueMs }: Row): boolean {
  return state === 'dead' || (fault !== undefined && (state === 'sent' || (state === 'waiting' && dueMs > 0)));
}

function nameOf(key: string): RecordName {
  return { group: GROUP, id: key };
}

function factName(name: string): RecordName {
  return { group: `fact-${name}`, id: '-' };
}

function queueOf(state: OutboxState): string {
  return `outbox-${state}`;
}

function draftOf(row: Row): Draft {
  const text = JSON.stringify(row);
  if (!QUEUES.includes(row.state)) return { text };
  return { text, place: { queue: queueOf(row.state), rank: rankOf(row.dueMs, row.revision) } };
}

function rowIn({ text }: Stored): Row {
  return JSON.parse(text);
}

function rowsOf(stored: readonly Stored[]): OutboxRow[] {
  return stored.map((one) => rowOf(rowIn(one)));
}

function rowOf({ dueMs: _, ...row }: Row): OutboxRow {
  return row;
}
