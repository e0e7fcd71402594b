/**
 * Records in a bucket of S3 or OSS, for clouds without a table. A record is a cell. For each that is in a queue there is an
 * empty object whose name has the rank: a mark. It is written before the record, and removed after the record has moved on,
 * so that whatever is killed leaves a mark too many and never one too few. Tests: test/contract/state.test.ts
 */
import { randomBytes } from 'node:crypto';
import { XsyncError } from '../../model/error.js';
import { inParallel } from '../../model/parallel.js';
import {
  type Draft,
  nameText,
  type QueuePlace,
  type Ranks,
  type RecordName,
  type Records,
  type Stored,
} from '../records/port.js';
import { type Cell, type CellStore, type Cells, ComparedCells, CreatedCells } from './cells.js';

const AT_ONCE = 16;
const PAGE = 1000;
/** Bytes of an object's name. */
const LONGEST = 1024;
/** A mark without its record is one that was left over, and not one whose record is about to be written. */
const LEFT_OVER_MS = 86_400_000;

/** What a cell holds. */
interface Content {
  text: string;
  place?: QueuePlace;
  /** Of the write: the name of its mark. */
  mark: string;
}

export class BucketRecords implements Records {
  readonly #store: CellStore;
  readonly #cells: Cells;
  readonly #prefix: string;
  readonly #close: () => Promise<void>;

  /** @param prefix empty, or ending in a slash; nothing else may be below it. @throws unsupported */
  constructor(store: CellStore, prefix: string, close: () => Promise<void> = async () => {}) {
    this.#store = store;
    this.#cells = cellsOf(store);
    this.#prefix = prefix;
    this.#close = close;
  }

  async get(names: readonly RecordName[]): Promise<Map<string, Stored>> {
    const distinct = [...new Map(names.map((name) => [nameText(name), name])).values()];
    const found = await inParallel(distinct, AT_ONCE, (name) => this.#read(name));
    return new Map(found.flatMap((stored) => (stored ? [[nameText(stored.name), stored] as const] : [])));
  }

  async swap(
    name: RecordName,
    before: Pick<Stored, 'version' | 'place'> | undefined,
    after: Draft,
  ): Promise<Stored | undefined> {
    const { text, place } = after;
    const mark = randomBytes(6).toString('hex');
    if (place) await this.#store.put(this.#markOf(name, place, mark), new Uint8Array());
    const content: Content = { text, mark, ...(place && { place }) };
    const [was, oldMark] = before?.version.split(' ') ?? [];
    const path = this.#pathOf(name);
    const version = (await this.#cells.swap(path, was, JSON.stringify(content))) ?? (await this.#mine(path, mark));
    const useless = version === undefined ? place && this.#markOf(name, place, mark) : undefined;
    const old = before?.place && oldMark !== undefined ? this.#markOf(name, before.place, oldMark) : undefined;
    const gone = version === undefined ? useless : old;
    if (gone !== undefined) await this.#store.delete([gone]);
    return version === undefined ? undefined : { name, text, version: `${version} ${mark}`, ...(place && { place }) };
  }

  /** The version, if the answer to the write was lost. */
  async #mine(path: string, mark: string): Promise<string | undefined> {
    const cell = await this.#cells.read(path);
    return cell && contentOf(cell).mark === mark ? cell.version : undefined;
  }

  async page(group: string, after: string | undefined, limit: number): Promise<Stored[]> {
    const folder = `${this.#prefix}record/${group}/`;
    const last = after === undefined ? undefined : this.#pathOf({ group, id: after });
    const paths = await this.#cells.paths(folder, last, Math.min(limit, PAGE));
    const found = await inParallel(paths, AT_ONCE, (path) =>
      this.#read({ group, id: textOf(path.slice(folder.length)) }),
    );
    return found.flatMap((stored) => (stored ? [stored] : []));
  }

  async queued(queue: string, { limit, ...ranks }: Ranks & { limit: number }): Promise<Stored[]> {
    const found: Stored[] = [];
    for await (const marks of this.#marks(queue, ranks)) {
      const stored = await this.get(marks.map(({ name }) => name));
      const leftOver: string[] = [];
      for (const { key, name, mark, mtimeMs } of marks) {
        const now = stored.get(nameText(name));
        if (now?.version.endsWith(` ${mark}`)) found.push(now);
        else if (mtimeMs < Date.now() - LEFT_OVER_MS) leftOver.push(key);
      }
      if (leftOver.length > 0) await this.#store.delete(leftOver);
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  async countQueued(queue: string, most: number): Promise<number> {
    let count = 0;
    for await (const marks of this.#marks(queue)) {
      count += marks.length;
      if (count >= most) return most;
    }
    return count;
  }

  async remove(names: readonly RecordName[]): Promise<void> {
    await this.#cells.remove(names.map((name) => this.#pathOf(name)));
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #read(name: RecordName): Promise<Stored | undefined> {
    const cell = await this.#cells.read(this.#pathOf(name));
    if (!cell) return undefined;
    const { text, place, mark } = contentOf(cell);
    return { name, text, version: `${cell.version} ${mark}`, ...(place && { place }) };
  }

  /** Pages of marks, in order. */
  async *#marks(
    queue: string,
    { after, upTo }: Ranks = {},
  ): AsyncGenerator<(Mark & { key: string; mtimeMs: number })[]> {
    const folder = `${this.#prefix}queue/${queue}/`;
    // Marks of this very rank come before it.
    const start = after === undefined ? {} : { startAfter: `${folder}${after}0` };
    for (let token: string | undefined; ; ) {
      const from = token === undefined ? start : { token };
      const page = await this.#store.list({ prefix: folder, maxKeys: PAGE, ...from });
      const marks = page.entries.map(({ key, mtimeMs }) => ({ key, mtimeMs, ...markIn(key.slice(folder.length)) }));
      const wanted = marks.filter(({ rank }) => upTo === undefined || rank <= upTo);
      if (wanted.length > 0) yield wanted;
      token = page.nextToken;
      if (token === undefined || wanted.length < marks.length) return;
    }
  }

  #pathOf({ group, id }: RecordName): string {
    return this.#checked(`${this.#prefix}record/${group}/${hexOf(id)}`, id);
  }

  #markOf({ group, id }: RecordName, { queue, rank }: QueuePlace, mark: string): string {
    return this.#checked(`${this.#prefix}queue/${queue}/${rank}/${mark}/${group}/${hexOf(id)}`, id);
  }

  /** @throws limit */
  #checked(name: string, id: string): string {
    // The number of a created cell follows.
    if (name.length <= LONGEST - 16) return name;
    throw new XsyncError('limit', `${JSON.stringify(id)} is too long a key for a state that is in a bucket`, {
      subject: id,
    });
  }
}

interface Mark {
  rank: string;
  mark: string;
  name: RecordName;
}

function markIn(text: string): Mark {
  const [rank = '', mark = '', group = '', id = ''] = text.split('/');
  return { rank, mark, name: { group, id: textOf(id) } };
}

function contentOf({ text }: Cell): Content {
  return JSON.parse(text);
}

/** Keeps the order of the bytes. */
function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}

function textOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString();
}

function cellsOf(store: CellStore): Cells {
  const { writesIfMatch, createsOnly } = store.capabilities;
  if (writesIfMatch) return new ComparedCells(store);
  if (createsOnly) return new CreatedCells(store);
  const { bucket } = store.identity;
  throw new XsyncError('unsupported', `the store of ${bucket} does not compare what a write replaces`, {
    subject: bucket,
    remedy: 'Keep the state in a bucket of AWS S3 or Alibaba OSS, or in a table of DynamoDB.',
  });
}
