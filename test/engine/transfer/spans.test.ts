/** Parts that are read over several connections. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/engine/flow/budget.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { runPair } from '../../../src/engine/run.js';
import type { Means } from '../../../src/engine/transfer/means.js';
import { PartReads } from '../../../src/engine/transfer/part-reads.js';
import { Slots } from '../../../src/engine/transfer/slots.js';
import { Helpers, Span, SpannedRead, SpanSink, spansOf } from '../../../src/engine/transfer/spans.js';
import { readRoute, writeRoute } from '../../../src/engine/tune/route.js';
import { Tuner } from '../../../src/engine/tune/tune.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { XsyncError } from '../../../src/model/error.js';
import type { ObjectInfo } from '../../../src/model/object.js';
import type { CopyTicket } from '../../../src/model/ticket.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { createLocalStore } from '../../../src/store/local/store.js';
import type { ObjectStore, PieceSink, ReadOptions } from '../../../src/store/port.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { startServer } from '../../support/server/index.js';
import { bytesOf, OPTIONS, side } from '../support.js';

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
              try {
                sink.take(given);
              } catch (error) {
                fail(error);
              }
            }
          },
          end: (error) => (error === undefined ? resolve(this.info) : fail(error)),
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

  /** Sends what is left of a request. */
  finish(n: number): void {
    const request = this.asked[n];
    request?.send(request.size);
    if (request && !request.ended) request.end();
  }
}

/** A part of 8 MiB that is being read by one request in one of the slots. */
function reading(far: Far, slots: Slots) {
  const means = {
    ...{ source: far.store, slots, budget: new MemoryBudget(64 * MiB), observe: () => undefined },
    halt: { signal: new AbortController().signal },
  } as unknown as Means;
  const reads = new PartReads(means, TICKET, () => false);
  const bytes = new Uint8Array(SIZE);
  const moving = slots.partFlow.begin(SIZE);
  const part = { partNumber: 1, offset: 0, size: SIZE, spans: undefined };
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
    expect(sink.room().byteLength).toBeLessThan(1 * MiB);
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
  await Promise.all([helpers.help(), helpers.help()]);
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
    const { endpoint, region, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server.s3;
    const config = { type: 's3', provider: 'minio', endpoint, region, access_key_id, secret_access_key };
    const source = createS3Store(s3ConfigSchema.parse(config), 'src', { transport });
    const part = 5 * MiB;
    const body = bytesOf('over http', 2 * part + MiB + 7);
    const upload = await source.createUpload('big');
    const parts = [];
    for (let n = 1; n <= 3; n++) {
      const bytes = body.subarray((n - 1) * part, n * part);
      parts.push({ partNumber: n, ...(await source.uploadPart(upload, n, bytes)) });
    }
    await source.completeUpload(upload, parts);
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
