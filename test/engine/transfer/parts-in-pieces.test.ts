/** Parts that are written to disk while they arrive, from a store over HTTP with faults. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { runPair } from '../../../src/engine/run.js';
import { Shared } from '../../../src/engine/shared.js';
import { LARGE_PIPE_BYTES } from '../../../src/engine/transfer/pipe.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { createLocalStore } from '../../../src/store/local/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { type Fault, type FaultMatch, startServer, type TestServer } from '../../support/server/index.js';
import { ossOver, putInParts, s3Over } from '../over-http.js';
import { bytesOf, OPTIONS, side } from '../support.js';

const PART = 1024 * 1024;
const PARTS = 9;
const SIZE = (PARTS - 1) * PART + 7;
const BODY = bytesOf('body', SIZE);
/** Two parts at once: those that start before the source has answered are held. */
const AT_ONCE = 2;
const CUT: Partial<RunOptions> = { partSize: PART, partConcurrency: AT_ONCE, transfers: 1 };

let server: TestServer;
let transport: HttpTransport;
let root: string;

beforeEach(async () => {
  server = await startServer({ s3: { defaultChecksum: false } });
  server.core.s3.createBucket('src');
  server.core.oss.createBucket('src');
  transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs: 120_000 });
  root = await mkdtemp(join(tmpdir(), 'xsync-parts-'));
});

afterEach(async () => {
  await transport.close();
  await server.close();
  await rm(root, { recursive: true });
  expect(server.bugs).toEqual([]);
});

/** The object was uploaded in parts of this size. */
function seed(partSize = PART): void {
  putInParts(server, 'src', 'a', BODY, partSize);
}

const s3 = (): ObjectStore => s3Over(transport, server, 'src');
const oss = (): ObjectStore => ossOver(transport, server, 'src');

async function copy(source: ObjectStore, options: Partial<RunOptions> = {}) {
  const manifest = openManifest(IN_MEMORY, {
    source: { kind: 's3', endpoint: 'a', bucket: 'src', prefix: '' },
    dest: { kind: 'local', endpoint: 'b', bucket: root, prefix: '' },
  });
  const dest = createLocalStore({ root, sync: false });
  const pair = {
    source: side(source, '', 'there'),
    dest: side(dest, '', root),
    ...{ manifest, settings: 'first', single: false },
  };
  const all = { ...OPTIONS, ...CUT, ...options };
  const events: RunEvent[] = [];
  const shared = new Shared(pair, all, () => undefined);
  let moved = 0;
  let used = 0;
  const summary = await runPair(
    pair,
    all,
    (event) => {
      events.push(event);
      if (event.type !== 'progress') return;
      moved += event.bytes;
      if (moved > (AT_ONCE + 1) * PART) used = Math.max(used, shared.budget.used);
    },
    shared,
  );
  expect(shared.budget.used).toBe(0);
  await dest.close();
  return { ...summary, events, used };
}

function fault(fault: Fault, match: FaultMatch): void {
  server.faults.add({ match: { kind: 'GetObject', ...match }, fault });
}

const reads = () => server.requests.find('GetObject', { bucket: 'src' });

async function expectWhole(): Promise<void> {
  expect((await readFile(join(root, 'a'))).equals(BODY)).toBe(true);
  expect(await readdir(root)).toEqual(['a']);
}

describe('a part that is written while it arrives', () => {
  test('is proved by the ETag of the source, costs one read, and needs only the memory of a pipe', async () => {
    seed();
    const run = await copy(s3());
    expect(run).toMatchObject({ verified: { 'md5-of-parts': 1 }, failed: { objects: 0 } });
    expect(reads()).toHaveLength(PARTS);
    expect(run.traffic.source.bytesIn).toBe(SIZE);
    expect(run.used).toBe(AT_ONCE * LARGE_PIPE_BYTES);
    await expectWhole();
  });

  test('is read on where the response broke', async () => {
    seed();
    fault({ kind: 'truncate', bytes: 700_000 }, { nth: 5 });
    await copy(s3());
    expect(reads()).toHaveLength(PARTS + 1);
    expect(reads().filter(({ bytesOut }) => bytesOut === PART - 700_000)).toHaveLength(1);
    await expectWhole();
  });

  test('never becomes a file when a bit of it was wrong', async () => {
    seed();
    fault({ kind: 'flip-bit', where: 'response' }, { nth: 6 });
    const run = await copy(s3(), { objectAttempts: 1 });
    expect(run.failed.objects).toBe(1);
    expect(run.events.filter(({ type }) => type === 'failed')).toMatchObject([{ code: 'checksum-mismatch' }]);
    expect(await readdir(root)).not.toContain('a');
  });

  test('is written again from its start when its source has changed', async () => {
    seed();
    const other = bytesOf('other', SIZE);
    fault({ kind: 'change', bytes: other }, { nth: 6 });
    const run = await copy(s3());
    expect(run.copied.objects).toBe(1);
    expect((await readFile(join(root, 'a'))).equals(other)).toBe(true);
  });

  test('is read by a second request when the first one is stuck', async () => {
    seed();
    fault({ kind: 'stall', at: 'response', afterBytes: 1000 }, { nth: 7 });
    const run = await copy(s3());
    expect(run.waste.parts).toBe(1);
    expect(run.verified).toEqual({ 'md5-of-parts': 1 });
    await expectWhole();
  });

  test('is proved by a CRC-64 if the source has one', async () => {
    server.core.oss.put('src', 'a', BODY, {});
    const run = await copy(oss());
    expect(run.verified).toEqual({ crc64: 1 });
    expect(reads()).toHaveLength(PARTS);
    await expectWhole();
  });

  test('is not for a source whose checksum needs the bytes in order', async () => {
    server.core.s3.put('src', 'a', BODY, {});
    const run = await copy(s3());
    expect(run.verified).toEqual({ md5: 1 });
    expect(run.used).toBe(AT_ONCE * PART);
    await expectWhole();
  });
});
