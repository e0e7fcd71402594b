/** Parts of files that are read a second time while they are sent, to a store over HTTP. */
import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runPair } from '../../../src/engine/run.js';
import { Shared } from '../../../src/engine/shared.js';
import { partMemoryOf } from '../../../src/engine/transfer/part-memory.js';
import { PIPE_BYTES } from '../../../src/engine/transfer/pipe.js';
import { AGAIN_BYTES } from '../../../src/engine/transfer/read-again.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { createLocalStore, LocalStore } from '../../../src/store/local/store.js';
import { ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { startServer, type TestServer } from '../../support/server/index.js';
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

function s3(): ObjectStore {
  const { endpoint, region, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server.s3;
  const config = { type: 's3', provider: 'minio', endpoint, region, access_key_id, secret_access_key };
  return createS3Store(s3ConfigSchema.parse(config), 'dst', { transport });
}

function oss(): ObjectStore {
  const { endpoint, region, accessKeyId: access_key_id, accessKeySecret: secret_access_key } = server.oss;
  const config = { type: 'oss', endpoint, region, access_key_id, secret_access_key };
  return createOssStore(ossConfigSchema.parse(config), 'dst', { transport });
}

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

test('what a part needs while memory is short', () => {
  const disk = createLocalStore({ root });
  expect(partMemoryOf(disk, s3())).toBe(AGAIN_BYTES);
  expect(partMemoryOf(disk, oss())).toBe(AGAIN_BYTES);
  expect(partMemoryOf(s3(), disk)).toBe(PIPE_BYTES);
  expect(partMemoryOf(s3(), oss())).toBeUndefined();
});
