/** Copy, sync, check and resume have the same result on stores that lack what Amazon's has, over either transport. */
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { runCheck } from '../../src/engine/check/check.js';
import type { RunEvent } from '../../src/engine/events.js';
import type { RunOptions } from '../../src/engine/options.js';
import { runPair } from '../../src/engine/run.js';
import { IN_MEMORY, openManifest } from '../../src/manifest/sqlite/open.js';
import { XsyncError } from '../../src/model/error.js';
import { HttpTransport } from '../../src/store/http/transport.js';
import type { RequestKind } from '../../src/store/port.js';
import { s3ConfigSchema } from '../../src/store/s3/config.js';
import { credentialSource } from '../../src/store/s3/credentials.js';
import { createS3SdkStore } from '../../src/store/s3/sdk.js';
import { createS3Store } from '../../src/store/s3/store.js';
import { Findings } from '../../src/store/wrap/findings.js';
import { FaultyStore } from '../support/faults.js';
import { FLAWS, type Flaw, type FlawName, startServer } from '../support/server/index.js';
import { bytesOf, OPTIONS, side } from './support.js';
import { syncOptions } from './sync.js';

const transport = new HttpTransport({ userAgent: 'xsync-test' });
afterAll(() => transport.close());

const PART = 100 * 1024;
const LARGE = 2 * PART + 7;

const OBJECTS: Record<string, Uint8Array> = {
  'a+b %41/small': bytesOf('small', 100),
  empty: new Uint8Array(),
  large: bytesOf('large', LARGE),
  packed: gzipSync('a text that is packed'),
  '漢字/☂': bytesOf('unicode', 50),
};

async function imperfectPair(flaw: Flaw, over: 'lean' | 'sdk', byService: boolean) {
  const server = await startServer({ flaw, s3: { defaultChecksum: false, minPartSize: PART } });
  const { endpoint, region, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server.s3;
  // Small parts. What the store lacks is for the run to find out.
  const provider = { provider: 'obs', quirks: ['no-copy-if-match'], force_path_style: true };
  const config = s3ConfigSchema.parse({ type: 's3', ...provider, endpoint, region, access_key_id, secret_access_key });
  const findings = new Findings();
  const own = credentialSource(config);
  const open = (bucket: string, fingerprint = own.fingerprint) => {
    const credentials = { fingerprint, get: own.get.bind(own), expire: own.expire.bind(own) };
    const deps = { credentials, tell: (message: string) => findings.add(`${bucket}: ${message}`) };
    return over === 'lean'
      ? createS3Store(config, bucket, { transport, ...deps })
      : createS3SdkStore(config, bucket, deps);
  };
  for (const bucket of ['src', 'dst']) server.core.s3.createBucket(bucket);
  for (const [key, body] of Object.entries(OBJECTS)) {
    server.core.s3.put('src', key, body, key === 'packed' ? { headers: { 'content-encoding': 'gzip' } } : {});
  }
  // Another account: the client copies.
  const dest = new FaultyStore(byService ? open('dst') : open('dst', 'another account'));
  const manifest = openManifest(IN_MEMORY, {
    source: { kind: 's3', endpoint, bucket: 'src', prefix: '' },
    dest: { kind: 's3', endpoint, bucket: 'dst', prefix: '' },
  });
  const pair = {
    source: { ...side(open('src'), '', 't:src'), findings },
    dest: side(dest, '', 't:dst'),
    manifest,
    settings: 'first',
    single: false,
  };
  const notices: string[] = [];
  /** The run counts the requests that the server got. */
  const run = async (options: Partial<RunOptions> = {}) => {
    server.requests.reset();
    const summary = await runPair(pair, { ...OPTIONS, partSize: PART, ...options }, (event: RunEvent) => {
      if (event.type === 'notice' && event.level === 'info') notices.push(event.message);
    });
    const { source, destination } = summary.traffic;
    // The HEAD that takes the place of a copy's condition is counted at the side that copies.
    expect(sumOf([source.requests, destination.requests])).toEqual(sumOf([kindsOf(server.requests.counts())]));
    return summary;
  };
  const check = () => runCheck(pair, { ...OPTIONS, compare: 'download', oneWay: false }, () => undefined);
  const held = () =>
    Object.fromEntries(
      server.core.s3
        .bucket('dst')
        .keys()
        .map((key) => [key, server.core.s3.get('dst', key)?.bytes.buffer()]),
    );
  return { server, pair, dest, notices, run, check, held };
}

const KINDS: Record<string, RequestKind> = {
  ListObjects: 'list',
  HeadObject: 'head',
  GetObject: 'read',
  PutObject: 'put',
  CopyObject: 'copy',
  CreateMultipartUpload: 'createUpload',
  UploadPart: 'uploadPart',
  UploadPartCopy: 'uploadPartCopy',
  ListParts: 'listParts',
  CompleteMultipartUpload: 'completeUpload',
  AbortMultipartUpload: 'abortUpload',
  ListMultipartUploads: 'listUploads',
  DeleteObject: 'delete',
  DeleteObjects: 'delete',
};

function sumOf(counts: readonly Partial<Record<RequestKind, number>>[]): Partial<Record<RequestKind, number>> {
  const sum: Partial<Record<RequestKind, number>> = {};
  for (const [kind, count] of counts.flatMap((each) => Object.entries(each) as [RequestKind, number][])) {
    sum[kind] = (sum[kind] ?? 0) + count;
  }
  return sum;
}

/** The server's counts in the terms of the port. */
function kindsOf(counts: Partial<Record<string, number>>): Partial<Record<RequestKind, number>> {
  const kinds: Partial<Record<RequestKind, number>> = {};
  for (const [name, count = 0] of Object.entries(counts)) {
    const kind = KINDS[name];
    if (kind === undefined) throw new Error(`unexpected ${name}`);
    kinds[kind] = (kinds[kind] ?? 0) + count;
  }
  return kinds;
}

const expected = () => Object.fromEntries(Object.entries(OBJECTS).map(([key, body]) => [key, Buffer.from(body)]));

describe.each(['lean', 'sdk'] as const)('over the %s transport', (over) => {
  it.each(Object.keys(FLAWS) as FlawName[])('a store that %s gets the same result', async (name) => {
    const { server, dest, notices, run, check, held } = await imperfectPair(
      FLAWS[name],
      over,
      /cop(y|ies)/i.test(name),
    );
    try {
      // An interrupted upload, and the same command again.
      const undo = dest.fail('uploadPart', new XsyncError('access-denied', 'interrupted'), ({ part }) => part === 3);
      const undoCopy = dest.fail('copy', new XsyncError('access-denied', 'interrupted'), ({ key }) => key === 'large');
      const undoPut = dest.fail('put', new XsyncError('access-denied', 'interrupted'), ({ key }) => key === 'large');
      expect(await run()).toMatchObject({ failed: { objects: 1 }, copied: { objects: 4 } });
      undo();
      undoPut();
      undoCopy();
      expect(await run()).toMatchObject({ failed: { objects: 0 }, copied: { objects: 1 } });
      expect(held()).toEqual(expected());
      expect(await check()).toMatchObject({ match: { objects: 5 }, differ: { objects: 0 }, errors: { objects: 0 } });
      // Nothing has changed, so nothing is copied.
      expect(await run()).toMatchObject({ copied: { objects: 0 }, failed: { objects: 0 } });

      server.core.s3.delete('src', 'empty');
      server.core.s3.put('src', 'large', bytesOf('other', LARGE));
      expect(await run(syncOptions())).toMatchObject({
        copied: { objects: 1 },
        deleted: { objects: 1 },
        failed: { objects: 0 },
      });
      const { empty: _, ...rest } = expected();
      expect(held()).toEqual({ ...rest, large: Buffer.from(bytesOf('other', LARGE)) });
      expect(new Set(notices).size).toBe(notices.length);
    } finally {
      await server.close();
    }
  });

  it.each([
    ['size', 10],
    ['ETag', LARGE],
  ])('a completion without effect that is answered with nothing is found by the %s', async (_by, older) => {
    let lies = 3;
    const ignores: Flaw['ignores'] = ({ kind }) => kind === 'CompleteMultipartUpload' && lies-- > 0;
    const { server, run, held } = await imperfectPair({ ignores }, over, false);
    try {
      server.core.s3.put('dst', 'large', bytesOf('older', older));
      const policy = { ...OPTIONS.policy, compare: 'ignore-times' as const };
      expect(await run({ policy })).toMatchObject({ failed: { objects: 0 }, copied: { objects: 5 } });
      expect(held()).toEqual(expected());
      expect(lies).toBeLessThan(0);
    } finally {
      await server.close();
    }
  });

  it.each([501, 405, 400])(
    'multipart uploads refused with %i: each large object goes in one request',
    async (status) => {
      const { server, notices, run, held } = await imperfectPair(
        { lacks: ['CreateMultipartUpload'], status },
        over,
        false,
      );
      try {
        server.core.s3.put('src', 'second', bytesOf('second', LARGE));
        expect(await run()).toMatchObject({ failed: { objects: 0 }, copied: { objects: 6 } });
        expect(held().large).toEqual(expected().large);
        expect(server.requests.counts({ bucket: 'dst' }).CreateMultipartUpload).toBeLessThanOrEqual(2);
        expect(notices).toHaveLength(1);
        server.requests.reset();
        server.core.s3.put('src', 'third', bytesOf('third', LARGE));
        expect(await run()).toMatchObject({ copied: { objects: 1 } });
        expect(server.requests.counts({ bucket: 'dst' })).toMatchObject({ PutObject: 1 });
        expect(server.requests.counts({ bucket: 'dst' }).CreateMultipartUpload).toBeUndefined();
        expect(server.requests.counts({ bucket: 'src' })).toMatchObject({ GetObject: 1 });
      } finally {
        await server.close();
      }
    },
  );

  it('and one that does not fit into the memory fails by name', async () => {
    const { server, run } = await imperfectPair({ lacks: ['CreateMultipartUpload'] }, over, false);
    try {
      const summary = await run({ maxMemory: 2 * PART });
      expect(summary).toMatchObject({ failed: { objects: 1, byClass: { permanent: 1 } }, copied: { objects: 4 } });
      expect(summary.failed.list[0]).toMatchObject({
        key: 'large',
        code: 'object-too-large',
        message: `the store has no multipart uploads, and ${LARGE} bytes do not fit into --max-memory`,
        remedy: 'Set --max-memory to 1M or more.',
      });
    } finally {
      await server.close();
    }
  });
});
