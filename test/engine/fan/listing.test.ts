/** Pages with a number, which stand for those of a listing. */
import { expect, test } from 'vitest';
import { type Pages, SharedListing } from '../../../src/engine/fan/listing.js';
import { SqliteSpool } from '../../../src/manifest/sqlite/spool.js';

const PAGES = 100;
const ALL = Array.from({ length: PAGES }, (_, index) => index);
const GO_ON = new AbortController().signal;

interface Page {
  n: number;
}

class Numbers implements Pages<Page> {
  readonly fetched: string[] = [];
  written = 0;
  /** Fails at this page. */
  breaks: number | undefined;

  async *fetch(after: string | undefined, signal: AbortSignal): AsyncGenerator<Page> {
    for (let page = after === undefined ? 0 : Number(after) + 1; page < PAGES && !signal.aborted; page++) {
      this.fetched.push(String(page));
      if (page === this.breaks) throw new Error('broken');
      yield { n: page };
    }
  }

  lastKey = ({ n }: Page): string => String(n);
  read = (text: string): Page => ({ n: Number(text) });
  write = ({ n }: Page): string => {
    this.written++;
    return String(n);
  };
}

function listing(awaited = false) {
  return new SharedListing<Page>({ spool: () => new SqliteSpool(''), awaited: () => awaited });
}

async function rest(pages: AsyncIterable<Page>): Promise<number[]> {
  const all: number[] = [];
  for await (const { n } of pages) all.push(n);
  return all;
}

test('each page is fetched once, and whoever is far behind reads it from disk', async () => {
  const shared = listing();
  const pages = new Numbers();
  const slow = shared.read(pages, GO_ON);
  expect((await slow.next()).value).toEqual({ n: 0 });
  expect(await rest(shared.read(pages, GO_ON))).toEqual(ALL);
  expect(pages.written).toBe(PAGES - 32 - 1);
  expect(await rest(slow)).toEqual(ALL.slice(1));
  expect(pages.fetched.length).toBe(PAGES);
  shared.dispose();
});

test('what nobody needs is dropped, and then nobody can begin to read it', async () => {
  const shared = listing();
  const pages = new Numbers();
  await rest(shared.read(pages, GO_ON));
  expect([shared.isWhole, pages.written]).toEqual([false, 0]);
  const awaited = listing(true);
  await rest(awaited.read(pages, GO_ON));
  expect(awaited.isWhole).toBe(true);
  expect(await rest(awaited.read(pages, GO_ON))).toEqual(ALL);
  awaited.dispose();
});

test('the requests of one that has left go on; if they fail then, another one goes on where they stopped', async () => {
  const shared = listing();
  const [first, second] = [new Numbers(), new Numbers()];
  const stop = new AbortController();
  const leaving = shared.read(first, stop.signal);
  const staying = shared.read(second, GO_ON);
  await leaving.next();
  await staying.next();
  stop.abort();
  first.breaks = 10;
  expect(await rest(staying)).toEqual(ALL.slice(1));
  expect(first.fetched.at(-1)).toBe('10');
  expect(second.fetched[0]).toBe('10');
});

test('an error ends it for all that read it', async () => {
  const shared = listing();
  const pages = new Numbers();
  pages.breaks = 1;
  const both = [rest(shared.read(pages, GO_ON)), rest(shared.read(pages, GO_ON))];
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect([shared.isWhole, pages.fetched.length]).toEqual([false, 2]);
});

test('a stop ends the wait for a page', async () => {
  const shared = listing();
  const stop = new AbortController();
  const numbers = new Numbers();
  const never: Pages<Page> = {
    ...numbers,
    lastKey: numbers.lastKey,
    fetch: () => ({ next: () => new Promise<never>(() => {}) }),
  };
  const reading = rest(shared.read(never, stop.signal));
  stop.abort();
  await expect(reading).rejects.toMatchObject({ code: 'aborted' });
});
