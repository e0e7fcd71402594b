/** Archived objects are left out with a reason, and copied once they can be read. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { statusOf } from '../../../src/engine/record/status.js';
import { runPair } from '../../../src/engine/run.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import type { Restoring } from '../../../src/model/restoring.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { type StoredObject, startServer, type TestServer } from '../../support/server/index.js';
import { endRestore } from '../../support/server/restoring.js';
import { bytesOf, OPTIONS, SYNC_POLICY, side } from '../support.js';

const transport = new HttpTransport({ userAgent: 'xsync-test' });
const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => transport.close());

type Service = 'aws' | 'other' | 'oss';

/** A bucket with an ordinary object and an archived one. */
async function pairOf(service: Service, storageClass: string) {
  const server = await startServer({ oss: { pathStyle: true } });
  servers.push(server);
  const protocol = service === 'oss' ? 'oss' : 's3';
  const core = server.core[protocol];
  core.createBucket('src');
  core.put('src', 'plain', bytesOf('plain', 10));
  const frozen = core.put('src', 'tape', bytesOf('tape', 1000), { storageClass });
  const dest = new MemoryStore({ bucket: 'dst', capabilities: { local: false, keepsMtime: false } });
  const manifest = openManifest(IN_MEMORY, {
    source: { kind: protocol, endpoint: 'e', bucket: 'src', prefix: '' },
    dest: { kind: 'memory', endpoint: 'e', bucket: 'dst', prefix: '' },
  });
  const source = storeOf(server, service);
  const run = async (options: Partial<RunOptions> = {}, single = false) => {
    const events: RunEvent[] = [];
    const before = server.requests.count();
    const prefix = single ? 'tape' : '';
    const sides = { source: side(source, prefix, 't:src'), dest: side(dest, prefix, 't:dst') };
    const pair = { ...sides, manifest, settings: 'first' };
    const all = { ...OPTIONS, ...options };
    const summary = await runPair({ ...pair, single }, all, (event) => events.push(event));
    return { ...summary, events, requests: server.requests.count() - before };
  };
  return { core, frozen, manifest, dest, run };
}

function storeOf(server: TestServer, service: Service) {
  if (service === 'oss') {
    const { endpoint, region, accessKeyId, accessKeySecret } = server.oss;
    const keys = { access_key_id: accessKeyId, secret_access_key: accessKeySecret };
    const config = ossConfigSchema.parse({ type: 'oss', endpoint, region, ...keys });
    return createOssStore(config, 'src', { transport });
  }
  const { endpoint, region, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server.s3;
  const keys = { endpoint, region, access_key_id, secret_access_key };
  const config = s3ConfigSchema.parse({ type: 's3', provider: service, force_path_style: true, ...keys });
  return createS3Store(config, 'src', { transport });
}

/** Requests to the source of a run that leaves the object out: the listing, a read of the ordinary one, and what it takes. */
describe.each<[Service, string, number]>([
  ['aws', 'GLACIER', 2],
  ['aws', 'DEEP_ARCHIVE', 2],
  ['other', 'GLACIER', 3],
  ['oss', 'Archive', 3],
  ['oss', 'ColdArchive', 2],
  ['oss', 'DeepColdArchive', 2],
])('an archived object (%s, %s)', (service, storageClass, requests) => {
  it('is left out with a reason and does not fail the run; the status knows of it', async () => {
    const { run, manifest } = await pairOf(service, storageClass);
    const first = await run();
    expect(first).toMatchObject({ copied: { objects: 1 }, failed: { objects: 0 }, unfinished: { objects: 0 } });
    expect(first.skipped.byReason).toEqual({ archived: 1 });
    expect(first.requests).toBe(requests);
    expect(statusOf(manifest, Date.now())).toMatchObject({
      history: { objects: 1, ofObjects: 2 },
      failed: { objects: 1, oldest: [{ key: 'tape', code: 'object-archived' }] },
    });
  });

  it('is copied by a later run, once it was restored', async () => {
    const { run, frozen, dest } = await pairOf(service, storageClass);
    await run({ failedBefore: 'wait' });
    frozen.restored = true;
    // Where the listing does not tell, another read does: at once for a copy, after a while for sync and watch.
    const later = await run({ failedBefore: service === 'other' ? 'try' : 'wait' });
    expect(later.copied.objects).toBe(1);
    expect((await dest.head('tape')).size).toBe(1000);
  });

  it('does not keep sync from deleting', async () => {
    const { run, core } = await pairOf(service, storageClass);
    await run({ failedBefore: 'wait' });
    core.delete('src', 'plain');
    const deletes = { when: 'after' as const, ignoreErrors: false, allowEmptySource: false, excluded: false };
    const options = { command: 'sync', policy: SYNC_POLICY, deletes: { ...deletes, max: { objects: 10 } } };
    const later = await run({ ...options, failedBefore: 'wait' });
    expect(later.deleted.objects).toBe(1);
  });

  it('is no change where the destination has it already', async () => {
    const { run, dest, core } = await pairOf(service, storageClass);
    const { lastModifiedMs } = core.get('src', 'tape') as StoredObject;
    await dest.put('tape', bytesOf('tape', 1000), { metadata: { mtime: String(Math.floor(lastModifiedMs / 1000)) } });
    const { skipped } = await run();
    expect(skipped.objects).toBe(1);
    expect(skipped.byReason.archived).toBeUndefined();
  });
});

describe.each<[Service, string, string, number]>([
  ['aws', 'GLACIER', 'bulk', 1],
  ['aws', 'DEEP_ARCHIVE', 'standard', 1],
  ['other', 'GLACIER', 'expedited', 3],
  ['oss', 'Archive', 'bulk', 3],
  ['oss', 'ColdArchive', 'bulk', 1],
  ['oss', 'DeepColdArchive', 'expedited', 1],
  ['aws', 'INTELLIGENT_TIERING', 'standard', 3],
] as const)('--restore (%s, %s, %s)', (service, storageClass, tier, requests) => {
  const restore = { tier, days: 7 } as Restoring;
  const frozenPair = async () => {
    const pair = await pairOf(service, storageClass);
    if (storageClass === 'INTELLIGENT_TIERING') pair.frozen.tier = 'ARCHIVE_ACCESS';
    return pair;
  };

  it('asks once, and a later run copies what became readable', async () => {
    const { run, frozen, manifest, dest } = await frozenPair();
    const first = await run({ restore });
    expect(first).toMatchObject({ failed: { objects: 0 }, skipped: { byReason: { restoring: 1 } } });
    expect(frozen.restoring).toBe(true);
    // Besides the listing and the ordinary object: the request, and where only a read tells, a GET and a HEAD.
    expect(first.requests - 2).toBe(requests);
    expect(manifest.failure('tape')).toMatchObject({ code: 'object-restoring', class: 'temporary' });
    const again = await run({ restore });
    expect(again).toMatchObject({ failed: { objects: 0 }, skipped: { byReason: { restoring: 1 } } });
    endRestore(frozen);
    const last = await run({ restore });
    expect(last.copied.objects).toBe(1);
    expect((await dest.head('tape')).size).toBe(1000);
    expect(manifest.failure('tape')).toBeUndefined();
  });
});

it('a dry run of --restore counts the requests that it would send, and sends none', async () => {
  const { run, frozen } = await pairOf('aws', 'GLACIER');
  const { planned, skipped } = await run({ dryRun: true, restore: { tier: 'bulk', days: 1 } });
  expect(planned?.source).toEqual({ read: 1, restore: 1 });
  expect(skipped.byReason).toEqual({ restoring: 1 });
  expect(frozen.restoring).toBeUndefined();
});

it('a restore that is refused fails the object', async () => {
  const { run } = await pairOf('aws', 'DEEP_ARCHIVE');
  const { failed } = await run({ restore: { tier: 'expedited', days: 1 } });
  expect(failed.list).toMatchObject([{ key: 'tape', code: 'invalid-response' }]);
});

it('OSS: an Archive object that the bucket gives out at once is read', async () => {
  const { run, frozen } = await pairOf('oss', 'Archive');
  Object.assign(frozen, { direct: true });
  expect((await run()).copied.objects).toBe(2);
});

it('S3: an object in an archive tier of INTELLIGENT_TIERING is left out, and asked for again after a while only', async () => {
  const { run, frozen } = await pairOf('aws', 'INTELLIGENT_TIERING');
  Object.assign(frozen, { tier: 'DEEP_ARCHIVE_ACCESS' });
  expect((await run({ failedBefore: 'wait' })).skipped.byReason).toEqual({ archived: 1 });
  const again = await run({ failedBefore: 'wait' });
  expect(again.skipped.byReason).toEqual({ archived: 1, unchanged: 1 });
  expect(again.requests).toBe(1);
});

it('named alone, an archived object fails', async () => {
  const { run } = await pairOf('aws', 'GLACIER');
  const { failed } = await run({}, true);
  expect(failed.list).toMatchObject([{ key: '', code: 'object-archived' }]);
});
