/** Parts that are read over several connections. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FannedStore } from '../../../src/engine/fan/store.js';
import { MemoryBudget } from '../../../src/engine/flow/budget.js';
import { FairShares } from '../../../src/engine/flow/fair.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { runPair } from '../../../src/engine/run.js';
import type { Means } from '../../../src/engine/transfer/means.js';
import { canReadPiecewise, PartReads } from '../../../src/engine/transfer/part-reads.js';
import { Slots } from '../../../src/engine/transfer/slots.js';
import { Helpers, Span, SpannedRead, SpanSink, spansOf } from '../../../src/engine/transfer/spans.js';
import { ignoringChecksums } from '../../../src/engine/transfer/unverified.js';
import { PartFlow } from '../../../src/engine/tune/flow.js';
import { readRoute, writeRoute } from '../../../src/engine/tune/route.js';
import { Tuner } from '../../../src/engine/tune/tune.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { XsyncError } from '../../../src/model/error.js';
import type { ObjectInfo } from '../../../src/model/object.js';
import type { CopyTicket } from '../../../src/model/ticket.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { createLocalStore } from '../../../src/store/local/store.js';
import type { ObjectStore, PieceSink, ReadOptions } from '../../../src/store/port.js';
import { startServer } from '../../support/server/index.js';
import { putInParts, s3Over } from '../over-http.js';
import { bytesOf, emptyManifest, OPTIONS, Pair, side } from '../support.js';

const MiB = 1024 ** 2;
const SIZE = 8 * MiB;
const BODY = bytesOf('body', SIZE);
const ETAG = 'abc';
const INFO = { key: 'big', size: SIZE, etag: ETAG, checksums: {} } as unknown as ObjectInfo;
const TICKET = { key: 'big', source: { key: 'big', size: SIZE, etag: ETAG } } as unknown as CopyTicket;

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A request that the test answers. */
interface Asked {
  offset: number;
  size: number;
  signal: AbortSignal | undefined;
  /** Sends as many bytes. */
  send(bytes: number): void;
  /** Ends it, as it should or with an error. */
  end(error?: unknown): void;
  ended: boolean;
}

/** A far store whose requests wait for the test. */
class Far {
  readonly asked: Asked[] = [];
  /** What it says of the object. */
  info = INFO;

  get store(): ObjectStore {
    const readPieces = (_: string, sink: PieceSink, options: ReadOptions = {}): Promise<ObjectInfo> =>
      new Promise((resolve, reject) => {
        const { offset = 0, signal, pace } = options;
        let at = offset + sink.taken;
        const fail = (error: unknown): void => {
          request.ended = true;
          reject(error);
        };
        const request: Asked = {
          offset,
          size: sink.byteLength,
          signal,
          ended: false,
          send: (bytes) => {
            for (const until = at + bytes; at < until && !request.ended; ) {
              const room = sink.room?.() ?? new Uint8Array(0);
              // Half of the pieces are in the room, and half have to be copied.
              const piece = BODY.subarray(at, Math.min(at + 64 * 1024, until));
              const given = at % (128 * 1024) === 0 ? room.subarray(0, piece.byteLength) : piece;
              if (given !== piece) given.set(piece.subarray(0, given.byteLength));
              at += given.byteLength;
              void pace?.(given.byteLength);
              const hold = sink.take(given);
              if (!hold) continue;
              request.ended = true;
              hold.then(undefined, fail);
            }
          },
          end: (error) => {
            request.ended = true;
            if (error === undefined) resolve(this.info);
            else fail(error);
          },
        };
        signal?.addEventListener('abort', () => fail(new XsyncError('aborted', 'aborted')));
        this.asked.push(request);
        try {
          sink.begin(this.info);
        } catch (error) {
          fail(error);
        }
      });
    const read = (): Promise<ObjectInfo> => Promise.reject(new Error('reads in pieces only'));
    return { capabilities: { local: false }, readPieces, read } as unknown as ObjectStore;
  }

  /** Sends what is left of all requests, and of those that follow. */
  async finishAll(): Promise<void> {
    for (let n = 0; n < this.asked.length; n++) {
      this.finish(n);
      await turns();
    }
  }

  /** Sends what is left of a request. */
  finish(n: number): void {
    const request = this.asked[n];
    request?.send(request.size);
    if (request && !request.ended) request.end();
  }
}

/** A part of 8 MiB that is being read by one request in one of the slots. */
function reading(far: Far, slots: Slots, unverified = false, spans?: readonly Span[]) {
  const all = {
    ...{ source: far.store, slots, budget: new MemoryBudget(64 * MiB), observe: () => undefined },
    halt: { signal: new AbortController().signal },
  } as unknown as Means;
  const means = unverified ? ignoringChecksums(all) : all;
  const reads = new PartReads(means, TICKET, () => false);
  const bytes = new Uint8Array(SIZE);
  const moving = slots.partFlow.begin(SIZE);
  const part = { partNumber: 1, offset: 0, size: SIZE, spans };
  const done = slots.ofObject()(() => reads.hold(part, { bytes, release: () => undefined }, moving));
  return { bytes, done, moving };
}

function slotsOf(parts: number): Slots {
  const slots = new Slots({}, { source: false, dest: true });
  slots.set({ parts, objects: 1, partSize: undefined });
  return slots;
}

describe('the spans of a part', () => {
  test.each([
    [8 * MiB, 1 * MiB, 8],
    [8 * MiB, 5 * MiB, 2],
    [8 * MiB + 1, 1 * MiB, 9],
    [7, 3, 3],
    [10, 4, 3],
    [1, 5, 1],
  ])('of %i bytes, at most %i each, are %i', (size, most, count) => {
    const spans = spansOf(size, most);
    expect(spans).toHaveLength(count);
    let at = 0;
    for (const span of spans) {
      expect(span.offset).toBe(at);
      expect(span.size).toBeGreaterThan(0);
      expect(span.size).toBeLessThanOrEqual(most);
      at += span.size;
    }
    expect(at).toBe(size);
  });

  test('give their end away while that is worth a request, and never what may be arriving', () => {
    const span = new Span(3 * MiB, 4 * MiB);
    span.arrived = 1 * MiB;
    expect(span.take(1 * MiB)).toMatchObject({ offset: 6 * MiB, size: 1 * MiB });
    expect(span.size).toBe(3 * MiB);
    span.arrived++;
    expect(span.take(1 * MiB)).toBeUndefined();
    const sink = new SpanSink(span, new Uint8Array(4 * MiB), () => undefined);
    sink.taken = span.arrived;
    expect(sink.room()?.byteLength).toBeLessThan(1 * MiB);
    const raced = new Span(0, 8 * MiB);
    raced.fixed = true;
    expect(raced.take(1 * MiB)).toBeUndefined();
  });
});

describe('a part that one request reads when its connection turns out to be slow', () => {
  test('is divided among slots that become free: each byte arrives once, and the first request ends early', async () => {
    const far = new Far();
    const slots = slotsOf(1);
    const { bytes, done, moving } = reading(far, slots);
    await turns();
    expect(far.asked).toMatchObject([{ offset: 0, size: SIZE }]);
    far.asked[0]?.send(2 * MiB);
    slots.set({ parts: 4, objects: 1, partSize: 5 * MiB, readSize: 1 * MiB });
    await turns();
    expect(far.asked.slice(1)).toMatchObject([
      { offset: 7 * MiB, size: MiB },
      { offset: 6 * MiB, size: MiB },
      { offset: 5 * MiB, size: MiB },
    ]);
    expect(slots.partFlow.moving).toHaveLength(4);
    for (const n of [1, 2, 3]) far.finish(n);
    await turns();
    // What the first one still reads is not worth dividing further than this.
    expect(far.asked.slice(4)).toMatchObject([
      { offset: 4 * MiB, size: MiB },
      { offset: 3 * MiB, size: MiB },
    ]);
    far.asked[0]?.send(SIZE);
    expect(far.asked[0]?.ended).toBe(true);
    far.finish(4);
    far.finish(5);
    expect(await done).toMatchObject({ info: { etag: ETAG } });
    expect(Buffer.compare(bytes, BODY)).toBe(0);
    await turns();
    moving.end();
    expect(slots.partFlow.moving).toEqual([]);
    expect(slots.spare).toBe(4);
  });

  test('fails as a whole, with the error of the request that failed, when nobody writes into its memory any more', async () => {
    const far = new Far();
    const slots = slotsOf(1);
    const { done } = reading(far, slots);
    await turns();
    slots.set({ parts: 3, objects: 1, partSize: 5 * MiB, readSize: 1 * MiB });
    await turns();
    far.asked[2]?.end(new XsyncError('access-denied', 'not this'));
    await expect(done).rejects.toMatchObject({ code: 'access-denied' });
    expect(far.asked.map(({ ended }) => ended)).toEqual([true, true, true]);
    await turns();
    expect(far.asked).toHaveLength(3);
    expect(slots.spare).toBe(3);
  });

  test('gives slots back after each request, so that a lower setting holds at once', async () => {
    const far = new Far();
    const slots = slotsOf(1);
    const { done } = reading(far, slots);
    await turns();
    slots.set({ parts: 8, objects: 1, partSize: 5 * MiB, readSize: 512 * 1024 });
    await turns();
    expect(far.asked).toHaveLength(8);
    slots.set({ parts: 3, objects: 1, partSize: 5 * MiB, readSize: 512 * 1024 });
    for (const n of [1, 2, 3, 4, 5]) far.finish(n);
    await turns();
    expect(far.asked.filter(({ ended }) => !ended).length).toBe(3);
    expect(far.asked).toHaveLength(8);
    await far.finishAll();
    await done;
  });

  test('is helped by slots that were granted to other parts, in their order, and only as many as the setting allows', async () => {
    const far = new Far();
    const slots = slotsOf(1);
    const { done } = reading(far, slots);
    await turns();
    const begun: number[] = [];
    const others = Array.from({ length: 6 }, (_, n) => slots.ofObject()(async () => void begun.push(n)));
    slots.set({ parts: 5, objects: 1, partSize: 5 * MiB, readSize: 512 * 1024 });
    await turns();
    expect([far.asked.length, begun]).toEqual([5, []]);
    slots.set({ parts: 2, objects: 1, partSize: 5 * MiB, readSize: 512 * 1024 });
    for (const n of [1, 2, 3]) far.finish(n);
    await turns();
    expect([far.asked.filter(({ ended }) => !ended).length, begun]).toEqual([2, []]);
    await far.finishAll();
    await done;
    await Promise.all(others);
    expect([...begun].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('hears nothing of checksums that are ignored, also where its first request ends early', async () => {
    const far = new Far();
    far.info = { ...INFO, checksums: { md5: 'wrong' } };
    const slots = slotsOf(1);
    const { done } = reading(far, slots, true);
    await turns();
    slots.set({ parts: 2, objects: 1, partSize: 5 * MiB, readSize: 1 * MiB });
    await turns();
    far.asked[0]?.send(SIZE);
    await far.finishAll();
    expect((await done).info.checksums).toEqual({});
  });

  test('in many spans prints no warning of Node', async () => {
    const far = new Far();
    const warnings: string[] = [];
    const hear = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', hear);
    const slots = slotsOf(16);
    slots.set({ parts: 16, objects: 1, partSize: 5 * MiB, readSize: 512 * 1024 });
    const { done } = reading(far, slots, false, spansOf(SIZE, 512 * 1024));
    await turns();
    expect(far.asked).toHaveLength(16);
    for (let n = 0; n < 16; n++) far.finish(n);
    await done;
    await turns();
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  });

  test('leaves nothing to be done when a helper waits for its share of the process', async () => {
    const shares = new FairShares(2);
    const [own, other] = [shares.join(), shares.join()];
    other.take(1);
    const slots = new Slots({}, { source: false, dest: true }, undefined, { parts: own });
    await slots.lanes().drain();
    reading(new Far(), slots);
    await turns();
    slots.set({ parts: 8, objects: 1, partSize: 8 * MiB, readSize: 1 * MiB });
    await turns();
    expect(slots.left).toBe(0);
  });

  test('is refused when the source sends another object', async () => {
    const far = new Far();
    far.info = { ...INFO, etag: 'other' };
    const { done } = reading(far, slotsOf(1));
    await expect(done).rejects.toMatchObject({ code: 'source-changed' });
  });

  test('is not divided if the user fixed the parts of an object', async () => {
    const far = new Far();
    const slots = new Slots({ partConcurrency: 4 }, { source: false, dest: true });
    reading(far, slots);
    slots.set({ parts: 4, objects: 1, partSize: 5 * MiB, readSize: 1 * MiB });
    await turns();
    expect(far.asked).toHaveLength(1);
  });

  test('is not divided if its time goes into its write', async () => {
    const far = new Far();
    const slots = new Slots({}, { source: false, dest: false });
    reading(far, slots);
    slots.set({ parts: 4, objects: 1, partSize: 5 * MiB, readSize: 1 * MiB });
    await turns();
    expect(far.asked).toHaveLength(1);
  });
});

test('help goes to the oldest part first', async () => {
  const helpers = new Helpers();
  const read: string[] = [];
  const work = (name: string, spans: number): SpannedRead =>
    new SpannedRead({
      spans: spansOf(spans, 1),
      read: async ({ offset }) => {
        read.push(`${name}${offset}`);
        await turns();
        return INFO;
      },
      readSize: () => 1,
      moving: new Slots({}).partFlow.begin(1),
    });
  helpers.add(work('a', 2));
  helpers.add(work('b', 3));
  for (let request = helpers.help(); request; request = helpers.help()) await request;
  expect(read).toEqual(['a0', 'a1', 'b0', 'b1', 'b2']);
});

describe('the tuner', () => {
  const limits = { connections: 64, memory: 512 * MiB, leastPartSize: 5 * MiB };
  /** Each connection carries the same. */
  function after(each: number, more = {}): Tuner {
    const tuner = new Tuner({ ...limits, ...more });
    for (let second = 0; second < 60; second++) {
      const used = tuner.settings.parts;
      tuner.sample({
        ...{ ms: 1000, parts: { done: each * used, used }, objects: { done: 0, used: 0 } },
        ...{ throttled: 0, broken: 0 },
      });
    }
    return tuner;
  }

  test('divides reads as slow connections need it, also below the smallest part that the destination accepts', () => {
    const slow = after(100 * 1024);
    expect([slow.partSize, slow.readSize, slow.found.readSize]).toEqual([5 * MiB, 1 * MiB, 1 * MiB]);
    expect(new Tuner(limits, slow.found).readSize).toBe(1 * MiB);
    expect(after(2 * MiB).readSize).toBeUndefined();
  });

  test('forgets for a route what it no longer needs', () => {
    const manifest = emptyManifest();
    writeRoute(manifest, new Date(), after(100 * 1024).found);
    expect(readRoute(manifest, new Date()).readSize).toBe(1 * MiB);
    writeRoute(manifest, new Date(), { objects: 100 });
    expect(readRoute(manifest, new Date()).readSize).toBe(1 * MiB);
    writeRoute(manifest, new Date(), after(20 * MiB).found);
    expect(readRoute(manifest, new Date()).readSize).toBeUndefined();
  });

  test('sees slots that wait for memory, and finds how many are of use', () => {
    let now = 0;
    const flow = new PartFlow(() => now);
    flow.begin(MiB);
    const ends = [flow.wait(), flow.wait()];
    now += 1000;
    expect(flow.take(1000).used).toBe(3);
    for (const end of ends) end();
    now += 1000;
    expect(flow.take(1000).used).toBe(1);
    const tuner = new Tuner({ ...limits, connections: 512, partMemory: 768 * 1024 });
    for (let second = 0; second < 300; second++) {
      const used = tuner.settings.parts;
      const done = Math.min(used, 102) * 100 * 1024;
      const none = { objects: { done: 0, used: 0 }, throttled: 0, broken: 0 };
      tuner.sample({ ms: 1000, parts: { done, used }, ...none });
    }
    expect(tuner.found.parts).toBeGreaterThanOrEqual(90);
    expect(tuner.found.parts).toBeLessThanOrEqual(200);
  });

  test('leaves the size of requests to a user who set it', () => {
    expect(after(100 * 1024, { partSize: 16 * MiB }).readSize).toBeUndefined();
    expect(new Tuner({ ...limits, partSize: 16 * MiB }, { readSize: 1 * MiB }).readSize).toBeUndefined();
  });
});

test('over HTTP, an object of few parts is read by many requests, each byte once, and proved by its ETag', async () => {
  const server = await startServer();
  server.core.s3.createBucket('src');
  const transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs: 120_000 });
  const root = await mkdtemp(join(tmpdir(), 'xsync-spans-'));
  try {
    const body = bytesOf('over http', 2 * 5 * MiB + MiB + 7);
    putInParts(server, 'src', 'big', body, 5 * MiB);
    const source = s3Over(transport, server, 'src');
    const manifest = openManifest(IN_MEMORY, {
      source: { kind: 's3', endpoint: 'a', bucket: 'src', prefix: '' },
      dest: { kind: 'local', endpoint: 'b', bucket: root, prefix: '' },
    });
    writeRoute(manifest, new Date(), { parts: 8, partSize: MiB, readSize: MiB });
    expect(readRoute(manifest, new Date()).readSize).toBe(MiB);
    const pair = {
      ...{ source: side(source, '', 'there'), dest: side(createLocalStore({ root, sync: false }), '', root) },
      ...{ manifest, settings: 'first', single: false },
    };
    const options: RunOptions = { ...OPTIONS, transfers: undefined, partConcurrency: undefined };
    const verified: (string | undefined)[] = [];
    const summary = await runPair(pair, options, (event) => {
      if (event.type === 'copied') verified.push(event.verifiedBy);
    });
    expect(summary.failed.objects).toBe(0);
    expect(verified).toEqual(['md5-of-parts']);
    expect(Buffer.compare(await readFile(join(root, 'big')), body)).toBe(0);
    // 5 for each part, and 2 for the last one.
    const reads = server.requests.find('GetObject');
    expect(reads).toHaveLength(12);
    expect(reads.reduce((sum, { bytesOut }) => sum + bytesOut, 0)).toBe(body.byteLength);
  } finally {
    await transport.close();
    await server.close();
    await rm(root, { recursive: true });
  }
  expect(server.bugs).toEqual([]);
});

test('what several pairs want is not divided, also by the first of them', () => {
  const { store } = new Far();
  expect(canReadPiecewise(store)).toBe(true);
  const fanned = new FannedStore(store, { isAlone: true } as never, {} as never);
  expect(fanned.readPieces).toBeDefined();
  expect(canReadPiecewise(fanned)).toBe(false);
});

test('a source that reads into memory only is asked for whole parts, as all pairs that share it ask', async () => {
  const pair = new Pair({ dest: { capabilities: { local: true } } });
  await pair.source.put('big', bytesOf('big', 9 * MiB));
  writeRoute(pair.manifest, new Date(), { parts: 8, partSize: 5 * MiB, readSize: MiB });
  const sizes: number[] = [];
  pair.faults.source.around('read', (call, run) => {
    sizes.push(call.bytes.byteLength);
    return run();
  });
  await pair.copy({ transfers: undefined, partConcurrency: undefined, partSize: undefined });
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(9 * MiB);
  expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(5 * MiB);
});
