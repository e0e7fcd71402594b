import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../../src/feed/feed.js';
import { Lines, type LinesLimits } from '../../src/feed/lines.js';
import { s3Put } from './bodies.js';
import { created, removed } from './support.js';

async function read(chunks: Iterable<string | Buffer>, limits: Partial<LinesLimits> = {}) {
  const feed = new Lines(Readable.from(chunks, { objectMode: false }), limits);
  const troubles: (string | undefined)[] = [];
  feed.onTrouble = (message) => troubles.push(message);
  const events: ChangeEvent[] = [];
  for await (const batch of feed.batches(new AbortController().signal)) {
    events.push(...batch.events);
    await batch.done();
  }
  return { feed, events, troubles };
}

describe('events from standard input', () => {
  it('are one a line, a key alone or JSON, and end quietly with the input', async () => {
    const lines = ['plain key.txt', '{"key":"b","kind":"removed"}', JSON.stringify(s3Put), '', 'last without newline'];
    const { events, troubles } = await read([lines.join('\n')]);
    expect(events).toMatchObject([
      created('plain key.txt'),
      removed('b'),
      { key: 'HappyFace.jpg' },
      created('last without newline'),
    ]);
    expect(troubles).toEqual([]);
  });

  it('keep every byte of a key, also where a character comes in two pieces', async () => {
    const bytes = Buffer.from('\ufeff 中 \t"x" \n');
    const { events } = await read([...bytes].map((byte) => Buffer.from([byte])));
    expect(events).toEqual([created('\ufeff 中 \t"x" ')]);
  });

  it('are skipped and told with their number where they cannot be read', async () => {
    const { events, troubles, feed } = await read(
      [Buffer.from('a\n{"key":\n\xff\nb\r\n', 'latin1'), 'long long\nc\n'],
      { lineBytes: 8 },
    );
    expect(events).toEqual([created('a'), created('c')]);
    expect(troubles.map((one) => one?.slice(0, 40))).toEqual([
      'standard input: line 2 is not JSON: it e',
      'standard input: line 3 is not UTF-8; ski',
      'standard input: line 4 ends in a carriag',
      'standard input: line 5 is longer than 8 ',
      undefined,
    ]);
    expect(feed.counts).toEqual({ events: 2, ignored: 0, refused: 4 });
  });

  it('all come, however many more there are than memory has room for', async () => {
    const keys = Array.from({ length: 50 }, (_, n) => `k${n}`);
    const { events } = await read([`${keys.join('\n')}\n`], { events: 3 });
    expect(events.map(({ key }) => key)).toEqual(keys);
  });

  it('come again when they were given back, also after the end of the input', async () => {
    const feed = new Lines(Readable.from(['a\n'], { objectMode: false }), { againMs: 1 });
    const seen: string[] = [];
    for await (const batch of feed.batches(new AbortController().signal)) {
      seen.push(...batch.events.map(({ key }) => key));
      await (seen.length < 3 ? batch.release() : batch.done());
    }
    expect(seen).toEqual(['a', 'a', 'a']);
  });

  it('are not read on while too many wait, so that a long list needs no memory', async () => {
    let given = 0;
    const endless = (function* () {
      for (; given < 10_000; given++) yield `${'k'.repeat(1_000)}${given}\n`;
    })();
    const feed = new Lines(Readable.from(endless, { objectMode: false }), { events: 10 });
    const stop = new AbortController();
    const batches = feed.batches(stop.signal);
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(given).toBeLessThan(200);
    stop.abort();
    expect((await batches.next()).done).toBe(true);
  });

  it('let the watch stop while nothing comes', async () => {
    const input = new PassThrough();
    const feed = new Lines(input);
    const stop = new AbortController();
    const first = feed.batches(stop.signal).next();
    stop.abort();
    expect((await first).done).toBe(true);
    expect(input.destroyed).toBe(true);
  });
});
