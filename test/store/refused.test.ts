/** Refusals and answers that nobody foresaw, at both stores of both services. */
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { XsyncError } from '../../src/model/error.js';
import { MAX_BODY } from '../../src/store/http/message.js';
import type { ObjectStore } from '../../src/store/port.js';
import { FOUR, type Reply, type Script, SECRETS, script as start } from './four.js';

const ETAG = '0123456789abcdef0123456789abcdef';
const OBJECT = {
  etag: `"${ETAG}"`,
  'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
  'content-range': 'bytes 0-0/9',
  'x-oss-object-type': 'Multipart',
};

const errorXml = (code: string, message = 'why') => `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;

describe.each(FOUR)('%s', (kind) => {
  let current: Script | undefined;

  async function script(...args: Parameters<typeof start> extends [unknown, ...infer R] ? R : never): Promise<Script> {
    current = await start(kind, ...args);
    return current;
  }

  afterEach(async () => {
    await current?.close();
    current = undefined;
  });

  const fault = async (work: Promise<unknown>): Promise<XsyncError> => {
    const error = await work.catch((caught: unknown) => caught);
    if (!(error instanceof XsyncError)) throw new Error(`no XsyncError: ${inspect(error)}`);
    return error;
  };
  const methods = () => current?.seen.map(({ method }) => method);

  describe('a HEAD that is refused without a reason', () => {
    const ended = kind.startsWith('oss') ? 'SecurityTokenExpired' : 'ExpiredToken';

    it.each([400, 403])('is explained by a GET of one byte (%i)', async (status) => {
      const refuse = (method: string): Reply => ({ status, body: method === 'HEAD' ? '' : errorXml(ended) });
      const { store, seen } = await script(({ method }) => refuse(method));
      expect(await fault(store.head('k'))).toMatchObject({ code: 'expired-credentials', serviceCode: ended });
      expect(methods()).toEqual(['HEAD', 'GET']);
      expect(seen[1]?.headers.range).toBe('bytes=0-0');
    });

    it('is asked about once where a right is missing', async () => {
      const refuse = (method: string): Reply => ({
        status: 403,
        body: method === 'HEAD' ? '' : errorXml('AccessDenied'),
      });
      const { store } = await script(({ method }) => refuse(method));
      for (const key of ['a', 'b', 'c']) {
        expect(await fault(store.head(key))).toMatchObject({ code: 'access-denied', class: 'person', subject: key });
      }
      expect(methods()).toEqual(['HEAD', 'GET', 'HEAD', 'HEAD']);
    });

    it('is answered by the GET where only HEADs are refused', async () => {
      const { store } = await script(({ method }) =>
        method === 'HEAD' ? { status: 405 } : { status: 206, headers: OBJECT, body: 'x' },
      );
      expect(await store.head('k')).toMatchObject({ key: 'k', size: 9, etag: ETAG });
    });

    it('stays as it was where the GET tells no more', async () => {
      const { store } = await script(() => ({ status: 418 }));
      expect(await fault(store.head('k'))).toMatchObject({ code: 'invalid-response', class: 'temporary', status: 418 });
      expect(methods()).toEqual(['HEAD', 'GET']);
    });

    it.each([404, 412, 429, 500, 503])('is not asked about where the status says enough (%i)', async (status) => {
      const { store } = await script(() => ({ status }));
      expect((await fault(store.head('k'))).status).toBe(status);
      expect(methods()).toEqual(['HEAD']);
    });
  });

  it.each([
    [400, 'KMS.ThrottlingException', 'throttled'],
    [400, 'ThrottledException', 'throttled'],
    [400, 'TooManyRequestsException', 'throttled'],
    [403, 'RateExceeded', 'throttled'],
    [400, 'KMS.DisabledException', 'server-error'],
    [400, 'KMS.KMSInvalidStateException', 'server-error'],
    [409, 'SomeConflict', 'server-error'],
    [423, 'Locked', 'server-error'],
    [425, 'TooEarly', 'server-error'],
    [499, 'ClientClosedRequest', 'server-error'],
    [400, 'SomethingNew', 'invalid-response'],
    [403, 'SomethingNew', 'access-denied'],
    [418, 'constructor', 'invalid-response'],
    [418, '__proto__', 'invalid-response'],
    [418, 'toString', 'invalid-response'],
  ])('takes %i %s for temporary', async (status, serviceCode, code) => {
    const { store } = await script(() => ({ status, body: errorXml(serviceCode) }));
    expect(await fault(store.put('k', new Uint8Array(1)))).toMatchObject({ code, class: 'temporary', serviceCode });
  });

  it.each([409, 423, 425, 499])('takes %i without a code for temporary', async (status) => {
    const { store } = await script(() => ({ status }));
    expect(await fault(store.put('k', new Uint8Array(1)))).toMatchObject({ code: 'server-error', class: 'temporary' });
  });

  it('shows no secret of a request that the service repeats', async () => {
    const { store } = await script(({ headers, url }) => {
      const echo = `${url} ${JSON.stringify(headers).replaceAll('"', '')}`;
      const escaped = echo.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      const parts = Object.values(headers)
        .join(' ')
        .split(/[=,: ]+/);
      return {
        status: 403,
        headers: { 'x-amz-request-id': echo.slice(0, 2000), 'x-oss-request-id': echo.slice(0, 2000), 'x-oss-ec': echo },
        body: `<Error><Code>Odd</Code><Message>${escaped}</Message><RequestId>${escaped}</RequestId><EC>${parts.join(' ').replaceAll('&', '')}</EC></Error>`,
      };
    });
    const works = [
      store.list({}),
      store.put('k', new Uint8Array(9)),
      store.read('k', new Uint8Array(9)),
      store.head('k'),
    ];
    for (const error of await Promise.all(works.map(fault))) {
      const shown = inspect(error, { depth: 10, showHidden: true, maxStringLength: null });
      expect(shown).not.toContain(SECRETS.token);
      expect(shown).not.toContain(SECRETS.secret);
      expect(shown).not.toMatch(
        /Signature[=:] ?\w{20}|\b[0-9a-f]{64}\b(?<!e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855)/,
      );
    }
  });

  it('shows the start of a message without end', async () => {
    const { store } = await script(() => ({ status: 400, body: errorXml('Odd', 'long '.repeat(100_000)) }));
    expect((await fault(store.list({}))).message.length).toBeLessThan(1000);
  });

  it('tells a web page from an answer', async () => {
    const page = '<!doctype html><html><head><title>Console</title></head></html>';
    const { store } = await script(() => ({ headers: { 'content-type': 'text/html' }, body: page }));
    const calls = [
      () => store.list({}),
      () => store.checkBucket(),
      () => store.createUpload('k'),
      () => store.delete(['k']),
      () => store.copy(store, 'k', 'l'),
      () => store.put('k', Buffer.from('x')),
    ];
    for (const call of calls) {
      expect(await fault(call())).toMatchObject({
        code: 'invalid-response',
        message: expect.stringContaining('a web page came in place of the response of the store'),
        remedy: expect.stringContaining('endpoint'),
      });
    }
  });

  it.each(['<Other/>', '{}', 'oops', '', '<?xml version="1.0"?><Error><Code>Odd</Code></Error>'])(
    'never takes %j for an empty listing',
    async (body) => {
      const { store } = await script(() => ({ body }));
      const upload = { key: 'k', uploadId: 'u' };
      for (const call of [() => store.list({}), () => store.listUploads({}), () => store.listParts(upload)]) {
        expect((await fault(call())).class).toBe('temporary');
      }
    },
  );

  it('tells a web page from a refusal', async () => {
    const { store } = await script(() => ({ status: 403, body: '\n<html><body>Blocked by policy</body></html>' }));
    expect(await fault(store.list({}))).toMatchObject({
      class: 'temporary',
      message: expect.stringContaining('a web page came in place of the response of the store (HTTP status 403)'),
      remedy: expect.stringContaining('endpoint'),
    });
  });

  it.each([
    ['an ETag', 'ETag', (store: ObjectStore) => store.read('k', new Uint8Array(1), { ifMatch: 'a\u0001b' })],
    [
      'a header',
      'cache-control',
      (store: ObjectStore) => store.put('k', new Uint8Array(1), { headers: { cacheControl: 'a\u007fb' } }),
    ],
    [
      'a line break',
      'content-language',
      (store: ObjectStore) => store.put('k', new Uint8Array(1), { headers: { contentLanguage: 'a\r\nb: c' } }),
    ],
    ['a storage class', 'storage-class', (store: ObjectStore) => store.createUpload('k', { storageClass: 'A\u0000' })],
  ])('fails only the object with a control character: %s', async (_what, name, call) => {
    const { store, seen } = await script(() => ({}));
    expect(await fault(call(store))).toMatchObject({
      code: 'unsupported',
      class: 'permanent',
      message: expect.stringContaining(name),
    });
    expect(seen).toEqual([]);
  });

  it('reads no answer without end', async () => {
    const { store } = await script(() => ({
      raw: (response) => {
        response.writeHead(200);
        const more = Buffer.alloc(1024 * 1024, ' ');
        const pour = () => {
          while (!response.destroyed && response.write(more));
        };
        response.on('drain', pour);
        pour();
      },
    }));
    expect(await fault(store.list({}))).toMatchObject({ code: 'invalid-response' });
    expect(MAX_BODY).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('a redirect', () => {
  let first: Script;
  let second: Script;

  afterEach(async () => {
    await first.close();
    await second.close();
  });

  it('to another port of the same host is signed for it and followed, with the body, once', async () => {
    second = await start('s3', () => ({ headers: OBJECT }));
    const host = new URL(second.store.identity.endpoint).host;
    first = await start('s3', ({ url }) => ({ status: 307, headers: { location: `http://${host}${url}` } }));
    expect(await first.store.put('a b', new Uint8Array(9))).toMatchObject({ etag: ETAG });
    expect(second.seen).toMatchObject([
      { method: 'PUT', url: '/photos/a%20b', headers: { host, 'content-length': '9' } },
    ]);
  });

  it('to another service fails the object, and is temporary', async () => {
    second = await start('s3', () => ({ headers: OBJECT }));
    const { port } = new URL(second.store.identity.endpoint);
    first = await start('s3', ({ url }) => ({ status: 307, headers: { location: `http://localhost:${port}${url}` } }));
    await expect(first.store.put('k', new Uint8Array(9))).rejects.toMatchObject({ code: 'server-error', status: 307 });
    expect(second.seen).toEqual([]);
  });
});
