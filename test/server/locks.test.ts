/** What the services refuse about locks and versions, so that a client that would fail there fails here. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { type S3Input, s3 } from './wire.js';

const HOUR = 3_600_000;
let server: TestServer;
let versionId = '';

beforeAll(async () => {
  server = await startServer();
  server.core.s3.createBucket('plain');
  server.core.s3.createBucket('versions', { versioning: 'Enabled' });
  server.core.s3.createBucket('locks', { objectLock: true });
});

beforeEach(() => {
  versionId = server.core.s3.put('locks', 'k', 'body').versionId;
});

afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.close();
});

function lock(mode: 'GOVERNANCE' | 'COMPLIANCE', hours = 2): void {
  const version = server.core.s3.bucket('locks').versionsOf('k')[0];
  if (version) version.lock = { mode, untilMs: Date.now() + hours * HOUR };
}

/** With the proof of the body that such calls need. */
async function call(input: S3Input & { body?: string }): Promise<string> {
  const { body = '' } = input;
  const headers = { ...input.headers, 'content-md5': createHash('md5').update(body).digest('base64') };
  const { status, text } = await s3(server, body === '' ? input : { ...input, headers });
  return `${status} ${/<Code>(.*?)</.exec(text)?.[1] ?? ''}`.trim();
}

const retention = (mode: string, hours: number): string =>
  `<Retention><Mode>${mode}</Mode><RetainUntilDate>${new Date(Date.now() + hours * HOUR).toISOString()}</RetainUntilDate></Retention>`;
const HOLD = '<LegalHold><Status>ON</Status></LegalHold>';
const BYPASS = { 'x-amz-bypass-governance-retention': 'true' };

describe('a bucket without a lock configuration', () => {
  it.each(['plain', 'versions'])('refuses retention and legal holds (%s)', async (bucket) => {
    server.core.s3.put(bucket, 'k', 'body');
    const put = (query: Record<string, string>, body: string) =>
      call({ method: 'PUT', path: `/${bucket}/k`, query, body });
    expect(await put({ retention: '' }, retention('GOVERNANCE', 1))).toBe('400 InvalidRequest');
    expect(await put({ 'legal-hold': '' }, HOLD)).toBe('400 InvalidRequest');
    const headers = { 'x-amz-object-lock-legal-hold': 'ON' };
    expect(await call({ method: 'PUT', path: `/${bucket}/k`, headers, body: 'x' })).toBe('400 InvalidRequest');
  });
});

describe('a bucket with a lock configuration', () => {
  const remove = (headers: Record<string, string> = {}) =>
    call({ method: 'DELETE', path: '/locks/k', query: { versionId }, headers });
  const retain = (mode: string, hours: number, headers: Record<string, string> = {}) =>
    call({
      method: 'PUT',
      path: '/locks/k',
      query: { retention: '', versionId },
      headers,
      body: retention(mode, hours),
    });

  it('keeps versions for ever', async () => {
    const body = '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>';
    expect(await call({ method: 'PUT', path: '/locks', query: { versioning: '' }, body })).toBe(
      '409 InvalidBucketState',
    );
    expect(server.core.s3.bucket('locks').versioning).toBe('Enabled');
  });

  it('deletes no version under a retention or a legal hold, but adds a delete marker', async () => {
    lock('GOVERNANCE');
    expect(await remove()).toBe('403 AccessDenied');
    expect(await call({ method: 'DELETE', path: '/locks/k' })).toBe('204');
    expect(await remove(BYPASS)).toBe('204');
  });

  it('deletes nothing in COMPLIANCE mode or under a legal hold, whatever the request asks for', async () => {
    lock('COMPLIANCE');
    expect(await remove(BYPASS)).toBe('403 AccessDenied');
    lock('GOVERNANCE', -1);
    await call({ method: 'PUT', path: '/locks/k', query: { 'legal-hold': '' }, body: HOLD });
    expect(await remove(BYPASS)).toBe('403 AccessDenied');
  });

  it('names each locked version in the answer to DeleteObjects, and deletes the others', async () => {
    lock('COMPLIANCE');
    const free = server.core.s3.put('locks', 'k', 'free').versionId;
    const objects = [versionId, free].map((id) => `<Object><Key>k</Key><VersionId>${id}</VersionId></Object>`);
    const body = `<Delete>${objects.join('')}</Delete>`;
    const md5 = { 'content-md5': createHash('md5').update(body).digest('base64') };
    const { text } = await s3(server, { method: 'POST', path: '/locks', query: { delete: '' }, headers: md5, body });
    expect(text).toContain(`<Error><Key>k</Key><VersionId>${versionId}</VersionId><Code>AccessDenied</Code>`);
    expect(text).toContain(`<Deleted><Key>k</Key><VersionId>${free}</VersionId></Deleted>`);
  });

  it.each([
    ['COMPLIANCE', 'COMPLIANCE', 1, {}, '403 AccessDenied'],
    ['COMPLIANCE', 'COMPLIANCE', 1, BYPASS, '403 AccessDenied'],
    ['COMPLIANCE', 'GOVERNANCE', 3, BYPASS, '403 AccessDenied'],
    ['COMPLIANCE', 'COMPLIANCE', 3, {}, '200'],
    ['GOVERNANCE', 'GOVERNANCE', 1, {}, '403 AccessDenied'],
    ['GOVERNANCE', 'GOVERNANCE', 1, BYPASS, '200'],
    ['GOVERNANCE', 'COMPLIANCE', 3, {}, '200'],
  ] as const)(
    'changes %s for two hours to %s for %d only as the mode allows',
    async (from, to, hours, headers, answer) => {
      lock(from);
      expect(await retain(to, hours, headers)).toBe(answer);
    },
  );
});

describe('PutObjectLockConfiguration', () => {
  const query = { 'object-lock': '' };
  const rule = (period: string, mode = 'COMPLIANCE') =>
    `<Rule><DefaultRetention><Mode>${mode}</Mode>${period}</DefaultRetention></Rule>`;
  const configure = (bucket: string, inner: string) =>
    call({
      ...{ method: 'PUT', path: `/${bucket}`, query },
      body: `<ObjectLockConfiguration>${inner}</ObjectLockConfiguration>`,
    });
  const ENABLED = '<ObjectLockEnabled>Enabled</ObjectLockEnabled>';
  const read = (bucket: string) => s3(server, { method: 'GET', path: `/${bucket}`, query });

  it('lets an existing bucket lock versions, if it keeps them', async () => {
    server.core.s3.createBucket('existing');
    expect(await configure('existing', ENABLED)).toBe('409 InvalidBucketState');
    server.core.s3.bucket('existing').versioning = 'Enabled';
    expect((await read('existing')).text).toContain('ObjectLockConfigurationNotFoundError');
    expect(await configure('existing', ENABLED)).toBe('200');
    expect((await read('existing')).text).toContain(ENABLED);
    const headers = { 'x-amz-object-lock-legal-hold': 'ON' };
    expect(await call({ method: 'PUT', path: '/existing/k', headers, body: 'x' })).toBe('200');
  });

  it.each([
    ['no proof of the body', undefined, '400 InvalidRequest'],
    ['no state', '', '400 MalformedXML'],
    ['no period', ENABLED + rule(''), '400 MalformedXML'],
    ['two periods', ENABLED + rule('<Days>1</Days><Years>1</Years>'), '400 MalformedXML'],
    ['an unknown mode', ENABLED + rule('<Days>1</Days>', 'EVER'), '400 MalformedXML'],
    ['a period of nothing', ENABLED + rule('<Days>0</Days>'), '400 InvalidArgument'],
  ])('is refused with %s', async (_, inner, answer) => {
    if (inner !== undefined) expect(await configure('locks', inner)).toBe(answer);
    else
      expect((await s3(server, { method: 'PUT', path: '/locks', query, body: ENABLED })).text).toContain(
        'InvalidRequest',
      );
  });

  it('gives new versions the default retention, which wants a proof of their bytes', async () => {
    server.core.s3.createBucket('default', { objectLock: true });
    expect(await configure('default', ENABLED + rule('<Days>2</Days>'))).toBe('200');
    expect((await read('default')).text).toContain('<Mode>COMPLIANCE</Mode><Days>2</Days>');
    const bare = await s3(server, { method: 'PUT', path: '/default/k', body: 'x' });
    expect(bare.text).toContain('InvalidRequest');
    const before = Date.now();
    expect(await call({ method: 'PUT', path: '/default/k', body: 'x' })).toBe('200');
    const { mode, untilMs = 0 } = server.core.s3.get('default', 'k')?.lock ?? {};
    expect([mode, untilMs >= before + 48 * HOUR]).toEqual(['COMPLIANCE', true]);
  });
});
