import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { SqliteSpool } from '../../../src/manifest/sqlite/spool.js';
import { addressGuard } from '../../../src/store/http/address-guard.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { urlsBackend } from '../../../src/store/urls/backend.js';
import { SpooledLines } from '../../../src/store/urls/lines.js';
import { sortUrls } from '../../../src/store/urls/list.js';
import { UrlRequests } from '../../../src/store/urls/requests.js';
import { UrlStore } from '../../../src/store/urls/store.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: Answer): Promise<{ origin: string; asked: string[] }> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const { range = '-', 'if-match': pin = '-' } = request.headers;
    asked.push(`${request.url} ${range} ${pin}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => void server.close(resolve).closeAllConnections()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { origin: `http://127.0.0.1:${address.port}`, asked };
}

async function open(list: string, allowHost: string[] = []): Promise<UrlStore> {
  const transport = new HttpTransport({ userAgent: 'test', guard: addressGuard(['127.0.0.1']) });
  closing.push(() => transport.close());
  const identity = { kind: 'urls', endpoint: 'urls', bucket: 'urls', account: '' };
  const spool = new SqliteSpool('');
  await sortUrls(Readable.from([list]), 'list', spool);
  const lines = new SpooledLines(spool, new SqliteSpool(''));
  const store = new UrlStore(identity, lines, new UrlRequests(transport, ['127.0.0.1', ...allowHost]));
  closing.push(() => store.close());
  return store;
}

/** Serves ranges of `body`. */
function object(body: string, headers: Record<string, string> = { etag: '"v1"' }): Answer {
  return (request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (first === undefined) return void response.writeHead(200, headers).end(body);
    if (Number(first) >= body.length) return void response.writeHead(416).end();
    const part = body.slice(Number(first), Number(last) + 1);
    const end = Number(first) + part.length - 1;
    const range = `bytes ${first}-${end}/${body.length}`;
    response.writeHead(206, { ...headers, 'content-range': range }).end(part);
  };
}

const read = async (store: UrlStore, key: string, length: number, options = {}) => {
  const target = Buffer.alloc(length);
  const info = await store.read(key, target, options);
  return { text: target.toString(), info };
};

describe('what is asked of a server', () => {
  it('is one byte of each object of which the list does not tell size and version', async () => {
    const { origin, asked } = await serve(object('hello'));
    const known = `{"url":"${origin}/c","key":"c","size":5,"etag":"v1"}`;
    const summed = `${origin}/d\td\t5\t5d41402abc4b2a76b9719d911017c592`;
    const store = await open(`${origin}/b\tb\n${origin}/a\ta\t5\n${known}\n${summed}`);
    const { entries } = await store.list({});
    expect(entries.map(({ key, size, etag }) => ({ key, size, etag }))).toEqual([
      { key: 'a', size: 5, etag: 'v1' },
      { key: 'b', size: 5, etag: 'v1' },
      { key: 'c', size: 5, etag: 'v1' },
      { key: 'd', size: 5, etag: 'md5-5d41402abc4b2a76b9719d911017c592' },
    ]);
    expect(asked.sort()).toEqual(['/a bytes=0-0 -', '/b bytes=0-0 -']);
  });

  it('is the version that was seen first, part by part', async () => {
    const { origin, asked } = await serve(object('hello'));
    const store = await open(`${origin}/a?sig=1#x\ta`);
    await store.list({});
    expect((await read(store, 'a', 3, { offset: 2, ifMatch: 'v1' })).text).toBe('llo');
    expect((await read(store, 'a', 5, { ifMatch: 'v1' })).text).toBe('hello');
    expect(asked).toEqual(['/a?sig=1 bytes=0-0 -', '/a?sig=1 bytes=2-4 "v1"', '/a?sig=1 - "v1"']);
  });

  it('is the path as it was signed', async () => {
    const { origin, asked } = await serve(object('hello'));
    await (await open(`${origin}/a/../b//%2e%41é\ta`)).list({});
    expect(asked).toEqual(['/a/../b//%2e%41%C3%A9 bytes=0-0 -']);
  });

  it('is the whole of an object whose server knows no ranges, of which the part is kept', async () => {
    const { origin } = await serve((_, response) => void response.setHeader('etag', '"v1"').end('hello'));
    expect((await read(await open(`${origin}/a\ta`), 'a', 2, { offset: 1 })).text).toBe('el');
    const chunked = await serve((_, response) => void response.writeHead(200, { etag: '"v1"' }).end('hello'));
    expect((await read(await open(`${chunked.origin}/a\ta\t5`), 'a', 2, { offset: 1 })).text).toBe('el');
  });

  it('is nothing of a URL that has said that it ended', async () => {
    const { origin, asked } = await serve(object('hello'));
    const store = await open(`${origin}/a?X-Amz-Date=20200102T030405Z&X-Amz-Expires=60\ta`);
    expect((await store.list({})).entries[0]?.fault).toMatchObject({ code: 'expired-url', class: 'permanent' });
    expect(asked).toEqual([]);
  });
});

describe('what a response says', () => {
  it('is checksums, times and metadata of every service', async () => {
    const { origin } = await serve(
      object('hello', {
        etag: '"5d41402abc4b2a76b9719d911017c592"',
        'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
        'content-type': 'text/x',
        'x-goog-hash': 'crc32c=AAAAAA==,md5=XUFAKrxLKna5cZ2REBfFkg==',
        'x-oss-hash-crc64ecma': '1',
        'x-amz-meta-a': '1',
        'x-oss-meta-b': '2',
        'x-ms-meta-c': '3',
      }),
    );
    expect(await (await open(`${origin}/a\ta`)).head('a')).toEqual({
      key: 'a',
      size: 5,
      etag: '5d41402abc4b2a76b9719d911017c592',
      mtimeMs: Date.UTC(2026, 0, 2, 3, 4, 5),
      headers: { contentType: 'text/x' },
      metadata: { a: '1', b: '2', c: '3' },
      checksums: {
        md5: '5d41402abc4b2a76b9719d911017c592',
        etagHint: '5d41402abc4b2a76b9719d911017c592',
        crc64ecma: '1',
      },
    });
  });

  it('of a part says nothing of the MD5 of the whole', async () => {
    const { origin } = await serve(object('hello', { etag: '"v1"', 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' }));
    const store = await open(`${origin}/a\ta`);
    expect((await store.head('a')).checksums).toEqual({});
    expect((await read(store, 'a', 5)).info.checksums).toEqual({ md5: '5d41402abc4b2a76b9719d911017c592' });
  });

  it('is another version than the first, and no bytes mix', async () => {
    let etag = '"v1"';
    const { origin } = await serve((request, response) => object('hello', { etag })(request, response));
    const store = await open(`${origin}/a\ta`);
    await store.head('a');
    etag = '"v2"';
    await expect(read(store, 'a', 2, { offset: 1 })).rejects.toMatchObject({ code: 'precondition-failed' });
  });

  it('pins by time without an ETag, and refuses parts without either', async () => {
    const modified = 'Fri, 02 Jan 2026 03:04:05 GMT';
    const timed = await serve((request, response) => {
      response.setHeader('x-pin', request.headers['if-unmodified-since'] ?? '');
      object('hello', { 'last-modified': modified })(request, response);
    });
    const store = await open(`${timed.origin}/a\ta`);
    expect((await store.head('a')).etag).toBe(`time-${Date.UTC(2026, 0, 2, 3, 4, 5)}-5`);
    const bare = await serve(object('hello', {}));
    const loose = await open(`${bare.origin}/a\ta`);
    await loose.list({});
    await expect(read(loose, 'a', 2, { offset: 1 })).rejects.toMatchObject({ code: 'unsupported' });
    expect((await read(loose, 'a', 5)).text).toBe('hello');
  });

  it('has another size than the list', async () => {
    const { origin } = await serve(object('hello'));
    const { entries } = await (await open(`${origin}/a\ta\t4`)).list({});
    expect(entries[0]?.fault?.message).toBe('a: the list says 4 bytes, the server 5');
  });

  it('is that there are no bytes', async () => {
    const { origin } = await serve(object(''));
    const store = await open(`${origin}/a\ta`);
    expect((await store.list({})).entries[0]).toMatchObject({ size: 0, etag: 'v1' });
  });
});

describe('a refusal', () => {
  const refusing = (status: number, body = '', headers = {}): Answer => {
    return (_, response) => void response.writeHead(status, headers).end(body);
  };

  it.each([
    [403, '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>', 'expired-url'],
    [403, '<Error><Code>SignatureDoesNotMatch</Code></Error>', 'access-denied'],
    [403, '<Error><Code>InvalidObjectState</Code></Error>', 'object-archived'],
    [400, '<Error><Code>InvalidToken</Code></Error>', 'access-denied'],
    [404, '', 'object-not-found'],
    [412, '', 'precondition-failed'],
  ])('%i %s is %s, and concerns one object', async (status, body, code) => {
    const good = await serve(object('hello'));
    const { origin } = await serve(refusing(status, body));
    const { entries } = await (await open(`${origin}/SECRET?SECRET\ta\n${good.origin}/b\tb`)).list({});
    expect(entries[0]?.fault).toMatchObject({ code });
    expect(entries[0]?.fault?.message).not.toContain('SECRET');
    expect(entries[1]).toMatchObject({ key: 'b', size: 5 });
  });

  it.each([
    [503, 'throttled'],
    [500, 'server-error'],
  ])('%i is asked again, three times', async (status, code) => {
    const { origin, asked } = await serve(refusing(status));
    expect((await (await open(`${origin}/a\ta`)).list({})).entries[0]?.fault).toMatchObject({
      code,
      class: 'temporary',
    });
    expect(asked).toHaveLength(3);
  });

  it('is a redirect to a host that was not allowed', async () => {
    const to = (location: string) => serve(refusing(302, '', { location }));
    const ask = async (origin: string, allowed: string[] = []) =>
      (await (await open(`${origin}/a\ta`, allowed)).list({})).entries[0];
    const there = await serve(object('hello'));
    const elsewhere = (await to(`http://localhost:${new URL(there.origin).port}/x?SECRET`)).origin;
    const { host } = new URL(elsewhere);
    const refused = (await ask(elsewhere))?.fault;
    expect(refused).toMatchObject({ code: 'untrusted-host', remedy: 'If you trust it, add --allow-host localhost.' });
    expect(refused?.message).toBe(`a: ${host} redirects to localhost:${new URL(there.origin).port}`);
    expect(await ask(elsewhere, ['localhost'])).toMatchObject({ size: 5 });
    expect(await ask((await to(`${there.origin}/x`)).origin)).toMatchObject({ size: 5 });
    const circle = await serve((_, response) => void response.writeHead(307, { location: '/again' }).end());
    expect((await ask(circle.origin))?.fault?.message).toBe('a: too many redirects');
    expect(circle.asked).toHaveLength(6);
  });
});

it('is opened by the name of its list, whichever that is', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'xsync-urls-')), 'list');
  closing.push(() => rm(dirname(file), { recursive: true }));
  await writeFile(file, 'http://h/a\ta\t5\t5d41402abc4b2a76b9719d911017c592');
  const transport = new HttpTransport({ userAgent: 'test' });
  closing.push(() => transport.close());
  const connect = async () => ({ http: async () => transport, agents: () => Promise.reject(new Error('no SDK')) });
  const spool = async () => new SqliteSpool('');
  const resources = { transport: 'lean' as const, connect, spool, copyLinks: false, env: {} };
  const place = { remote: 'urls', bucket: file, label: file, asFile: false, asFolder: false };
  const { store, path, refuseUnwritable } = await urlsBackend.open({ type: 'urls' }, place, resources);
  expect({ path, identity: store.identity }).toMatchObject({ path: '', identity: { bucket: 'urls' } });
  expect((await store.list({})).entries).toMatchObject([{ key: 'a', size: 5 }]);
  await expect(refuseUnwritable?.(true)).rejects.toMatchObject({ code: 'usage' });
  await store.close();
  const missing = urlsBackend.open({ type: 'urls' }, { ...place, bucket: `${file}.no` }, resources);
  await expect(missing).rejects.toMatchObject({ code: 'not-readable' });
});

it('is listed in order, from any key and below any prefix', async () => {
  const keys = ['a', 'a/', 'a/b', 'a/c', 'a0', 'b', '\uffff', '\u{1f600}'];
  const md5 = '5d41402abc4b2a76b9719d911017c592';
  const store = await open(
    [...keys]
      .reverse()
      .map((key) => `http://h/x\t${key}\t5\t${md5}\n`)
      .join(''),
  );
  const page = async (options: Parameters<typeof store.list>[0]) => {
    const { entries, nextToken } = await store.list(options);
    return [entries.map(({ key }) => key), nextToken];
  };
  expect(await page({})).toEqual([keys, undefined]);
  expect(await page({ maxKeys: 2 })).toEqual([['a', 'a/'], 'a/']);
  expect(await page({ token: 'a/', maxKeys: 2 })).toEqual([['a/b', 'a/c'], 'a/c']);
  expect(await page({ prefix: 'a/' })).toEqual([['a/', 'a/b', 'a/c'], undefined]);
  expect(await page({ prefix: 'a/', startAfter: 'a', maxKeys: 1 })).toEqual([['a/'], 'a/']);
  expect(await page({ prefix: 'a/', startAfter: 'a/' })).toEqual([['a/b', 'a/c'], undefined]);
  expect(await page({ prefix: 'a/', startAfter: 'b' })).toEqual([[], undefined]);
  expect(await page({ prefix: 'x' })).toEqual([[], undefined]);
});

it('is for reading', async () => {
  const store = await open('http://h/a\ta');
  await expect(store.put()).rejects.toMatchObject({ code: 'unsupported' });
  await expect(store.head('b')).rejects.toMatchObject({ code: 'object-not-found' });
});
