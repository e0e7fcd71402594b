import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { check, copy, openStore, type RunEvent, type Summary, status, sync, watch } from '../src/index.js';

let home: string;
let pair: { source: string; destination: string; manifest: string };

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'xsync-library-'));
  pair = { source: join(home, 'a'), destination: join(home, 'b'), manifest: join(home, 'pair.db') };
  mkdirSync(pair.source);
  for (const name of ['one', 'two', 'three']) writeFileSync(join(pair.source, name), name);
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

/** What the process would die of. */
async function unhandled(body: () => Promise<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  const theirs = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', (reason) => found.push(reason));
  try {
    await body();
    await new Promise((resolve) => setTimeout(resolve, 20));
    return found;
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of theirs) process.on('unhandledRejection', listener);
  }
}

async function eventsOf<E>(run: AsyncIterable<E>): Promise<E[]> {
  const events: E[] = [];
  for await (const event of run) events.push(event);
  return events;
}

describe('a modest job', () => {
  test('of two places alone is whole: nothing else has to be said', async () => {
    const summary = await copy(pair).summary;
    expect(summary).toMatchObject({ copied: { objects: 3 }, failed: { objects: 0 }, deleted: { objects: 0 } });
    expect(readdirSync(pair.destination).sort()).toEqual(['one', 'three', 'two']);
  });

  test('tells what happens to whoever iterates, and ends with the end', async () => {
    const run = copy(pair);
    const events = await eventsOf(run);
    expect(events[0]).toMatchObject({ type: 'start', source: pair.source });
    expect(events.filter(({ type }) => type === 'copied')).toHaveLength(3);
    expect(events.at(-1)).toMatchObject({ type: 'end', outcome: 'complete', summary: { copied: { objects: 3 } } });
    expect(await run.summary).toMatchObject({ copied: { objects: 3 } });
  });

  test('goes on when the iteration is left', async () => {
    const run = copy(pair);
    for await (const event of run) if (event.type === 'start') break;
    expect((await run.summary).copied.objects).toBe(3);
  });

  test('sync deletes, check compares and repairs, and status tells of them', async () => {
    await copy(pair).summary;
    rmSync(join(pair.source, 'one'));
    expect((await sync({ ...pair, deleteTime: 'before' }).summary).deleted.objects).toBe(1);
    writeFileSync(join(pair.destination, 'two'), 'owt');
    const found = await check({ ...pair, compare: 'download', repair: true }).summary;
    expect(found).toMatchObject({
      match: { objects: 1 },
      differ: { objects: 1 },
      repaired: { copied: { objects: 1 } },
    });
    const [known] = await status({ manifest: pair.manifest });
    expect(known).toMatchObject({ manifest: pair.manifest, status: { known: 2, failed: { objects: 0 } } });
  });

  test('copyto names the object itself', async () => {
    const job = { ...pair, source: join(pair.source, 'one'), destination: join(home, 'c', 'uno'), single: true };
    const events = await eventsOf(copy(job));
    expect(events.find(({ type }) => type === 'copied')).toMatchObject({ key: 'one' });
    expect(readdirSync(join(home, 'c'))).toContain('uno');
  });

  test('openStore gives a store to read and write', async () => {
    const { store, prefix, close } = await openStore(pair.source);
    try {
      await store.put(`${prefix}four`, Buffer.from('four'));
      expect((await store.list({ prefix })).entries.map(({ key }) => key)).toEqual(['four', 'one', 'three', 'two']);
    } finally {
      await close();
    }
  });
});

describe('the signal', () => {
  test('raised before, stops a copy before it copies', async () => {
    const summary = await copy(pair, { signal: AbortSignal.abort() }).summary;
    expect(summary).toMatchObject({ stopped: 'interrupted', copied: { objects: 0 } });
  });

  test('ends a watch, which has copied until then', async () => {
    const stop = new AbortController();
    const run = watch({ ...pair, interval: 100, settle: 0 }, { signal: stop.signal });
    let copied = 0;
    for await (const event of run) {
      if (event.type === 'copied' && ++copied === 3) stop.abort();
    }
    await run.summary;
    expect(readdirSync(pair.destination).sort()).toEqual(['one', 'three', 'two']);
  });
});

describe('a fault', () => {
  test.each([
    [{ transfers: 0 }, 'transfers'],
    [{ compare: 'times' }, 'compare'],
    [{ bwlimit: { up: -1 } }, 'bwlimit'],
    [{ nonsense: true }, 'nonsense'],
    [{ source: undefined }, 'source'],
    [{ version: 2 }, 'version'],
    [{ deleteUnknown: true }, 'deleteUnknown'],
  ])('in the job names its field: %j', async (wrong, subject) => {
    await expect(copy({ ...pair, ...(wrong as object) }).summary).rejects.toMatchObject({ code: 'usage', subject });
  });

  test('of intervals that contradict each other is told before anything is looked at', async () => {
    const run = watch({ ...pair, interval: 1000, minInterval: 2000 }, { signal: new AbortController().signal });
    await expect(run.summary).rejects.toMatchObject({ code: 'usage', subject: 'minInterval' });
  });

  test('that nothing is at the source is told after the end', async () => {
    const absent = { ...pair, source: join(home, 'none') };
    await expect(copy(absent).summary).rejects.toMatchObject({ code: 'bucket-not-found' });
  });

  test.each(['summary', 'events', 'both'])(
    'is told to whoever asks for %s, and no rejection is left over',
    async (who) => {
      const left = await unhandled(async () => {
        const run = copy({ ...pair, transfers: 0 });
        if (who !== 'summary') await expect(eventsOf(run)).rejects.toMatchObject({ code: 'usage' });
        if (who !== 'events') await expect(run.summary).rejects.toMatchObject({ code: 'usage' });
      });
      expect(left).toEqual([]);
    },
  );
});

test('a run that fails after its iteration was left does not end the process', async () => {
  const left = await unhandled(async () => {
    const run = copy({ ...pair, source: join(home, 'none') });
    for await (const event of run) if (event.type === 'start') break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  });
  expect(left).toEqual([]);
});

/** Compiled, never run. */
export function types(): void {
  expectTypeOf(copy({ source: 'a', destination: 'b' }).summary).resolves.toEqualTypeOf<Summary>();
  expectTypeOf(sync({ source: 'a', destination: 'b', deleteUnknown: true, timeout: 'off' }).summary).resolves.toExtend<{
    copied: object;
  }>();
  expectTypeOf<Extract<RunEvent, { type: 'copied' }>['size']>().toEqualTypeOf<number>();
  copy({ source: 'a', destination: 'b', bwlimit: [{ minute: 480, up: 1_000_000 }], compare: 'checksum' });
  // @ts-expect-error: both places are needed
  copy({ source: 'a' });
  // @ts-expect-error: a copy deletes nothing
  copy({ source: 'a', destination: 'b', deleteUnknown: true });
  // @ts-expect-error: a check overwrites nothing, so that it cannot skip what is newer
  check({ source: 'a', destination: 'b', update: true });
  // @ts-expect-error: a copy does not read every byte of both sides to compare
  copy({ source: 'a', destination: 'b', compare: 'download' });
  // @ts-expect-error: only one way to compare
  copy({ source: 'a', destination: 'b', checksum: true, sizeOnly: true });
  // @ts-expect-error: values are parsed: bytes, not text
  copy({ source: 'a', destination: 'b', partSize: '16M' });
  // @ts-expect-error: a watch that nothing can end
  watch({ source: 'a', destination: 'b' });
  // @ts-expect-error: a watch never ends by itself
  watch({ source: 'a', destination: 'b', maxDuration: 1000 }, { signal: AbortSignal.abort() });
  // @ts-expect-error: only a single object has a name of its own at the destination
  sync({ source: 'a', destination: 'b', single: true });
}
