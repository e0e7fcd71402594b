/**
 * The bundled zips, each in a process of its own, between two clouds of which each has its own credentials: events at S3,
 * a pushing function in Lambda, a pulling one in Function Compute, and state in DynamoDB here and in a bucket there.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { bundleServerless } from '../../build/serverless.js';
import { eventBridgeEvent, fcHttp, ossEvent, s3Event, sqsEvent } from '../serverless/samples.js';
import { type Dynamo, startDynamo } from '../support/dynamo.js';
import { TIMED_OUT } from '../support/functions/environment.js';
import { LocalFc } from '../support/functions/fc.js';
import { LocalLambda } from '../support/functions/lambda.js';
import { startServer, type TestServer } from '../support/server/index.js';

const MIB = 2 ** 20;
/** The size of the large object: in CI, what needs several calls; 300 by hand. */
const LARGE = Number(process.env.XSYNC_TEST_LARGE_MIB ?? 24) * MIB;
const httpResult = z.object({ statusCode: z.number(), headers: z.record(z.string(), z.string()), body: z.string() });
const workResult = z.object({ done: z.boolean(), waitSeconds: z.number(), settled: z.number() });
/** Of a call of the worker. Nothing starts in the last `MARGIN_S`: as long as a slow machine may need for a part. */
const [CALL_MS, MARGIN_S] = process.env.XSYNC_TEST_LARGE_MIB ? [5_000, 3] : [60_000, 59];
const SECRET = 'a-shared-secret-of-more-than-32-characters';
const [NEAR_SECRET, FAR_SECRET] = ['near-secret-of-the-source', 'far-secret-of-the-destination'];

let folder: string;
let near: TestServer;
let far: TestServer;
let dynamo: Dynamo;
let gate: Server;
let receive: LocalFc | undefined;
const opened: { close(): Promise<void> }[] = [];
let scene = 0;

beforeAll(async () => {
  // No node_modules is above it.
  folder = mkdtempSync(join(tmpdir(), 'xsync-functions-'));
  await bundleServerless(folder);
  near = await startServer({ s3: { accessKeyId: 'AKIANEAR', secretAccessKey: NEAR_SECRET } });
  far = await startServer({ oss: { accessKeyId: 'LTAIFAR', accessKeySecret: 'of-nobody-here' } });
  far.ossSessions.push(role);
  dynamo = await startDynamo();
  await dynamo.createTable();
  far.core.oss.createBucket('state');
  gate = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { url: path = '', headers } = request;
    const sent = { path, body: Buffer.concat(chunks).toString(), authorization: headers.authorization };
    const called = await receive?.invoke(fcHttp(sent));
    const { statusCode, headers: said, body } = httpResult.parse(called?.result);
    response.writeHead(statusCode, said).end(body);
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  scene++;
  near.core.s3.createBucket(bucket());
  far.core.oss.createBucket(bucket());
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  for (const { faults, requests } of [near, far]) {
    faults.clear();
    requests.reset();
  }
});
afterAll(async () => {
  await new Promise((resolve) => gate.close(resolve));
  await Promise.all([near.close(), far.close(), dynamo.close()]);
  rmSync(folder, { recursive: true });
});

/** Its name on both sides. */
const bucket = () => `photos-${scene}`;

/** A zip, unpacked. */
function unpacked(name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  for (const [file, bytes] of Object.entries(unzipSync(readFileSync(`${path}.zip`)))) {
    writeFileSync(join(path, file), bytes);
  }
  return path;
}

function kept<T extends { close(): Promise<void> }>(one: T): T {
  opened.push(one);
  return one;
}

const nearEnv = () => ({
  ...{ XSYNC_CONFIG_NEAR_TYPE: 's3', XSYNC_CONFIG_NEAR_PROVIDER: 'aws', XSYNC_CONFIG_NEAR_ENV_AUTH: 'true' },
  ...{ XSYNC_CONFIG_NEAR_ENDPOINT: near.s3.endpoint, XSYNC_CONFIG_NEAR_FORCE_PATH_STYLE: 'true' },
  ...{ AWS_REGION: near.s3.region, AWS_ACCESS_KEY_ID: 'AKIANEAR', AWS_SECRET_ACCESS_KEY: NEAR_SECRET },
});
const farEnv = () => ({
  ...{
    XSYNC_CONFIG_FAR_TYPE: 'oss',
    XSYNC_CONFIG_FAR_ENDPOINT: far.oss.endpoint,
    XSYNC_CONFIG_FAR_REGION: far.oss.region,
  },
  XSYNC_CONFIG_FAR_ENV_AUTH: 'true',
});
const role = { accessKeyId: 'STS.FAR', accessKeySecret: FAR_SECRET, securityToken: 'far-token' };

async function pushing(handler = 'events', more: NodeJS.ProcessEnv = {}): Promise<LocalLambda> {
  const env = {
    ...{ ...nearEnv(), XSYNC_SOURCE: `near:${bucket()}`, XSYNC_BRIDGE_SECRET: SECRET, XSYNC_DELETE: 'true' },
    XSYNC_PULL_URL: `http://127.0.0.1:${(gate.address() as AddressInfo).port}`,
    XSYNC_STATE: `dynamodb://xsync-bridge/${bucket()}?region=us-east-1&endpoint=${dynamo.endpoint}`,
    ...more,
  };
  const options = {
    name: 'push',
    folder: unpacked('lambda-push'),
    handler: `index.${handler}`,
    env,
    timeoutMs: 60_000,
  };
  return kept(await LocalLambda.open(options));
}

/** Both functions of the pulling end. */
function pulling(more: NodeJS.ProcessEnv = {}): { receive: LocalFc; work: LocalFc } {
  const env = {
    ...{ ...farEnv(), XSYNC_DESTINATION: `far:${bucket()}/in`, XSYNC_BRIDGE_SECRET: SECRET, XSYNC_DELETE: 'true' },
    ...{ XSYNC_STATE: `far:state/${bucket()}`, XSYNC_ALLOW_HOST: '127.0.0.1', XSYNC_ALLOW_PRIVATE: '127.0.0.1' },
    ...{ XSYNC_MARGIN_SECONDS: String(MARGIN_S), ...more },
  };
  const common = { folder: unpacked('fc-pull'), env, role };
  receive = kept(new LocalFc({ ...common, name: 'receive', handler: 'index.receive', timeoutMs: 60_000 }));
  const work = kept(new LocalFc({ ...common, name: 'work', handler: 'index.work', timeoutMs: CALL_MS }));
  return { receive, work };
}

/** As a workflow does: a call that the cloud has ended is repeated. @returns the answers */
async function until(work: LocalFc): Promise<z.output<typeof workResult>[]> {
  const answers: z.output<typeof workResult>[] = [];
  do {
    const { result, error } = await work.invoke({});
    if (error !== undefined && !(error === TIMED_OUT && LARGE > 99 * MIB)) throw new Error(`${error}\n${work.log}`);
    const answer = error === undefined ? workResult.parse(result) : { done: false, waitSeconds: 1, settled: 0 };
    answers.push(answer);
    if (answer.waitSeconds > 0) await new Promise((resolve) => setTimeout(resolve, answer.waitSeconds * 1000));
  } while (!answers.at(-1)?.done);
  return answers;
}

const arrived = (): string[] => far.core.oss.list(bucket()).map(({ key }) => key);

test('events of S3, alone, through EventBridge and SQS: objects cross, and what cannot be read is named', async () => {
  const { work } = pulling();
  const push = await pushing();
  near.core.s3.put(bucket(), 'a b/é.jpg', 'one', { metadata: { colour: 'red' } });
  near.core.s3.put(bucket(), 'b', 'two');
  near.core.s3.put(bucket(), 'c', 'three');
  const message = sqsEvent([
    s3Event('a b/é.jpg', { bucket: bucket() }),
    'nonsense',
    eventBridgeEvent('b', 'Object Created', bucket()),
    s3Event('b', { bucket: bucket() }),
  ]);
  expect(await push.invoke(message)).toEqual({
    result: { batchItemFailures: [{ itemIdentifier: message.Records[1]?.messageId }] },
  });
  expect(await push.invoke(s3Event('c', { bucket: bucket() }))).toEqual({ result: { batchItemFailures: [] } });

  expect(await until(work)).toMatchObject([{ done: true, waitSeconds: 0, settled: 3 }]);
  expect(arrived()).toEqual(['in/a b/é.jpg', 'in/b', 'in/c']);
  expect(far.core.oss.get(bucket(), 'in/a b/é.jpg')?.metadata).toMatchObject({ colour: 'red' });
  expect(near.requests.counts()).toEqual({ HeadObject: 3, GetObject: 3 });
  expect((await (await pushing('sweep')).invoke({})).result).toEqual({ done: true });

  near.core.s3.delete(bucket(), 'b');
  await push.invoke(eventBridgeEvent('b', 'Object Deleted', bucket()));
  await until(work);
  expect(arrived()).toEqual(['in/a b/é.jpg', 'in/c']);
});

test('while the other end does not take tickets, events fail and come again', async () => {
  const { receive: end, work } = pulling({ XSYNC_BRIDGE_SECRET: 'another-secret-of-more-than-32-characters' });
  const push = await pushing();
  near.core.s3.put(bucket(), 'a', 'one');
  expect((await push.invoke(s3Event('a', { bucket: bucket() }))).error).toContain('the signature is wrong');
  const message = sqsEvent([s3Event('a', { bucket: bucket() })]);
  expect((await push.invoke(message)).result).toEqual({
    batchItemFailures: [{ itemIdentifier: message.Records[0]?.messageId }],
  });
  expect(end.log).toContain('the signature is wrong');
  expect(await until(work)).toMatchObject([{ settled: 0 }]);
});

test('a large object crosses in many calls, and no part is read or sent twice', async () => {
  const { work } = pulling({
    XSYNC_JOB: JSON.stringify({ partSize: 5 * MIB, partConcurrency: LARGE > 99 * MIB ? 4 : 1 }),
  });
  const push = await pushing();
  const bytes = randomBytes(LARGE);
  near.core.s3.put(bucket(), 'big', bytes);
  if (LARGE < 99 * MIB) far.faults.add({ match: { kind: 'UploadPart' }, fault: { kind: 'slow', delayMs: 700 } });
  await push.invoke(s3Event('big', { bucket: bucket() }));
  const answers = await until(work);

  if (LARGE > 99 * MIB) {
    const ended = answers.filter(({ waitSeconds }) => waitSeconds > 0).length;
    console.log(`${LARGE / MIB} MiB: ${answers.length} calls of ${CALL_MS} ms, ${ended} of them ended or waiting`);
    console.log(far.requests.counts({ bucket: bucket() }), near.requests.counts());
  }
  const parts = Math.ceil(LARGE / (5 * MIB));
  expect(answers.length).toBeGreaterThanOrEqual(3);
  expect(answers.slice(0, -1).every(({ done, waitSeconds }) => !done && waitSeconds === 0)).toBe(true);
  expect(far.requests.counts({ bucket: bucket() })).toMatchObject({
    ...{ CreateMultipartUpload: 1, UploadPart: parts, CompleteMultipartUpload: 1 },
  });
  const reads = near.requests.find('GetObject');
  // By hand, with calls of 5 s on a busy machine, requests may be cut at the end of a call: they had not arrived.
  if (LARGE < 99 * MIB) {
    expect(reads.length).toBe(parts);
    expect(reads.reduce((sum, { bytesOut }) => sum + bytesOut, 0)).toBe(LARGE);
  }
  expect(far.core.oss.read(bucket(), 'in/big').equals(bytes)).toBe(true);
});

test('one function with both credentials: events of OSS, and it calls itself to go on', async () => {
  const calls: string[] = [];
  const api = createServer((request, response) => {
    calls.push(`${request.method} ${request.url} ${request.headers['x-fc-invocation-type']}`);
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const env = {
    ...{ ...nearEnv(), ...farEnv(), XSYNC_SOURCE: `far:${bucket()}`, XSYNC_DESTINATION: `near:${bucket()}/out` },
    ...{ XSYNC_STATE: `far:state/${bucket()}`, XSYNC_WORKER: 'copy', XSYNC_MARGIN_SECONDS: '59' },
    XSYNC_JOB: JSON.stringify({ partSize: 5 * MIB, partConcurrency: 1 }),
    XSYNC_FC_ENDPOINT: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
  };
  const bytes = randomBytes(17 * MIB);
  far.core.oss.put(bucket(), 'small', 'small');
  far.core.oss.put(bucket(), 'big', bytes);
  near.faults.add({ match: { kind: 'UploadPart' }, fault: { kind: 'slow', delayMs: 700 } });
  const options = { name: 'copy', folder: unpacked('fc-copy'), env, role, timeoutMs: 60_000 };
  const copy = kept(new LocalFc({ ...options, handler: 'index.events' }));
  const work = kept(new LocalFc({ ...options, handler: 'index.work' }));
  expect((await copy.invoke(ossEvent('small', { bucket: bucket() }))).result).toMatchObject({
    done: true,
    settled: 1,
  });
  const first = await copy.invoke(ossEvent('big', { bucket: bucket(), name: 'ObjectCreated:CompleteMultipartUpload' }));
  expect(first.result).toMatchObject({ done: false, waitSeconds: 0 });
  expect(calls).toEqual(['POST /2023-03-30/functions/copy/invocations Async']);
  await until(work);
  expect(near.core.s3.read(bucket(), 'out/big').equals(bytes)).toBe(true);
  expect(near.requests.count('UploadPart')).toBe(4);
  await new Promise((resolve) => api.close(resolve));
});

test('what is not configured is told when the function starts', async () => {
  const lambda = await pushing('events', { XSYNC_SOURCE: '', XSYNC_PULL_URL: 'here' });
  const { error } = await lambda.invoke({});
  expect(error).toBe('XSYNC_SOURCE is not set\nXSYNC_PULL_URL: Invalid URL');
});
