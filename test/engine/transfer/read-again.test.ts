/** Parts of files that are read a second time while they are sent, to a store over HTTP. */
import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryBudget } from '../../../src/engine/flow/budget.js';
import { runPair } from '../../../src/engine/run.js';
import { Shared } from '../../../src/engine/shared.js';
import type { Means } from '../../../src/engine/transfer/means.js';
import { AGAIN_BYTES, canReadAgain, sendReadAgain } from '../../../src/engine/transfer/read-again.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { XsyncError } from '../../../src/model/error.js';
import type { CopyTicket } from '../../../src/model/ticket.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { createLocalStore, LocalStore } from '../../../src/store/local/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { startServer, type TestServer } from '../../support/server/index.js';
import { ossOver, s3Over } from '../over-http.js';
import { bytesOf, OPTIONS, side } from '../support.js';

const MiB = 1024 ** 2;
const PART = 5 * MiB;
const PARTS = 5;
const SIZE = (PARTS - 1) * PART + 7;
const BODY = bytesOf('body', SIZE);
const FILE = 'a';
/** The second part that is held makes memory short. */
const MEMORY = 12 * MiB;

let server: TestServer;
let transport: HttpTransport;
let root: string;

beforeEach(async () => {
  server = await startServer();
  server.core.s3.createBucket('dst');
  server.core.oss.createBucket('dst');
  transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs: 120_000 });
  root = await mkdtemp(join(tmpdir(), 'xsync-again-'));
  await writeFile(join(root, FILE), BODY);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await transport.close();
  await server.close();
  await rm(root, { recursive: true });
  expect(server.bugs).toEqual([]);
});

const s3 = (): ObjectStore => s3Over(transport, server, 'dst');
const oss = (): ObjectStore => ossOver(transport, server, 'dst');

/** The bytes of all reads of the file, and what happens before its first second read. */
function reading(beforeAgain: () => Promise<void> = async () => undefined): { bytes: number; again: number } {
  const seen = { bytes: 0, again: 0 };
  const read = LocalStore.prototype.read;
  vi.spyOn(LocalStore.prototype, 'read').mockImplementation(async function (this: LocalStore, key, target, options) {
    seen.bytes += target.byteLength;
    if (target.byteLength === AGAIN_BYTES && seen.again++ === 0) await beforeAgain();
    return read.call(this, key, target, options);
  });
  return seen;
}

async function copy(dest: ObjectStore, maxMemory: number) {
  const manifest = openManifest(IN_MEMORY, {
    source: { kind: 'local', endpoint: 'a', bucket: root, prefix: '' },
    dest: { kind: 's3', endpoint: 'b', bucket: 'dst', prefix: '' },
  });
  const source = createLocalStore({ root, sync: false });
  const pair = {
    ...{ source: side(source, '', root), dest: side(dest, '', 'there') },
    ...{ manifest, settings: 'first', single: false },
  };
  const options = { ...OPTIONS, partSize: PART, partConcurrency: PARTS, transfers: 1, maxMemory };
  const shared = new Shared(pair, options, () => undefined);
  let used = 0;
  const summary = await runPair(
    pair,
    options,
    () => {
      used = Math.max(used, shared.budget.used);
    },
    shared,
  );
  expect(shared.budget.used).toBe(0);
  await source.close();
  return { ...summary, used };
}

async function bodyOf(dest: ObjectStore): Promise<Buffer> {
  const body = Buffer.alloc(SIZE);
  await dest.read(FILE, body);
  return body;
}

describe.each([
  ['S3', s3],
  ['OSS', oss],
])('a file that goes to %s in parts', (_, open) => {
  test('is read once while memory is plentiful', async () => {
    const seen = reading();
    const run = await copy(open(), 100 * MiB);
    expect([run.copied.objects, seen]).toEqual([1, { bytes: SIZE, again: 0 }]);
  });

  test('is read again while its parts are sent when memory is short, and then holds less', async () => {
    const seen = reading();
    const dest = open();
    const run = await copy(dest, MEMORY);
    expect(run).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 } });
    expect((await bodyOf(dest)).equals(BODY)).toBe(true);
    expect(seen.again).toBeGreaterThan(0);
    expect(seen.bytes).toBeGreaterThan(SIZE);
    expect(run.used).toBeLessThanOrEqual(MEMORY);
  });

  test.each([
    ['its new time shows it', false],
    ['only its checksums show it', true],
  ])('never arrives mixed when it changes between the reads and %s', async (_case, hidden) => {
    const { atime, mtime } = await stat(join(root, FILE));
    await utimes(join(root, FILE), atime, mtime);
    const other = bytesOf('other', SIZE);
    const seen = reading(async () => {
      await writeFile(join(root, FILE), other);
      if (hidden) await utimes(join(root, FILE), atime, mtime);
    });
    const dest = open();
    const run = await copy(dest, MEMORY);
    expect(run).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 } });
    expect((await bodyOf(dest)).equals(other)).toBe(true);
    // What had been sent was refused.
    expect(seen.bytes).toBeGreaterThan(2 * SIZE);
  });
});

test('a failed request gives its memory back only when the file is no longer read into it', async () => {
  const dest = s3();
  let failed = false;
  let endRead: () => void = () => undefined;
  const read = LocalStore.prototype.read;
  vi.spyOn(LocalStore.prototype, 'read').mockImplementation(async function (this: LocalStore, key, target, options) {
    if (target.byteLength === AGAIN_BYTES && !failed) {
      await new Promise<void>((resolve) => {
        endRead = resolve;
      });
    }
    return read.call(this, key, target, options);
  });
  const budget = new MemoryBudget(MEMORY);
  const refused: Partial<ObjectStore> = {
    capabilities: dest.capabilities,
    uploadPartPieces: async (_upload, _number, body) => {
      void Promise.resolve(body.open().next()).catch(() => undefined);
      await new Promise(setImmediate);
      failed = true;
      throw new XsyncError('throttled', 'slow down');
    },
  };
  const source = createLocalStore({ root, sync: false });
  const { etag } = await source.head(FILE);
  const means = { source, dest: refused, budget } as unknown as Means;
  const ticket = { key: FILE, source: { key: FILE, etag, size: SIZE } } as CopyTicket;
  const part = { upload: { key: FILE, uploadId: 'u' }, partNumber: 1, offset: 0, size: PART };
  const sending = sendReadAgain(means, ticket, part, {});
  sending.catch(() => undefined);
  for (let n = 0; n < 10; n++) await new Promise(setImmediate);
  expect([failed, budget.used]).toEqual([true, AGAIN_BYTES]);
  endRead();
  await expect(sending).rejects.toMatchObject({ code: 'throttled' });
  expect(budget.used).toBe(0);
});

test('a part is read again only where that is free, and for a service that checks it', () => {
  const disk = createLocalStore({ root });
  expect(canReadAgain({ source: disk, dest: s3() })).toBe(true);
  expect(canReadAgain({ source: disk, dest: oss() })).toBe(true);
  expect(canReadAgain({ source: disk, dest: disk })).toBe(false);
  expect(canReadAgain({ source: s3(), dest: oss() })).toBe(false);
  expect(canReadAgain({ source: disk, dest: s3(), unverified: true })).toBe(false);
  const unchecked = { checksContentMd5: false, answersCrc64ecma: false };
  const dest = s3();
  const careless = { ...dest.capabilities, ...unchecked };
  const trusting = { capabilities: careless, uploadPartPieces: dest.uploadPartPieces } as ObjectStore;
  expect(canReadAgain({ source: disk, dest: trusting })).toBe(false);
});
