import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../src/store/http/message.js';
import { HttpTransport, type HttpTransportOptions } from '../../../src/store/http/transport.js';
import { TEST_TLS } from '../../doctor/tls.js';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Served {
  origin: string;
  sockets: Socket[];
  /** Requests, each with the number of its connection. */
  log: string[];
}

type Answer = (socket: Socket, path: string, text: string) => void;

/** Answers each request by its head; what follows a head is passed on in `more`. */
async function serve(answer: Answer, secure = false, more?: (socket: Socket, bytes: Buffer) => void): Promise<Served> {
  const sockets: Socket[] = [];
  const log: string[] = [];
  const take = (socket: Socket): void => {
    sockets.push(socket);
    const number = sockets.length;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      const path = /^[A-Z]+ (\S+) HTTP/.exec(text)?.[1];
      if (path === undefined) {
        more?.(socket, bytes);
        return;
      }
      log.push(`${number} ${path}`);
      answer(socket, path, text);
    });
  };
  const port = await listen(secure ? createTlsServer(TEST_TLS, take) : createServer(take));
  return { origin: `${secure ? 'https' : 'http'}://localhost:${port}`, sockets, log };
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function client(origin: string, options: Partial<HttpTransportOptions> = {}) {
  const transport = new HttpTransport({ userAgent: 'test', tls: { ca: TEST_TLS.cert }, ...options });
  closing.push(() => transport.close());
  const call = (path: string, more: Partial<HttpRequest> = {}) =>
    transport.request({ method: 'GET', origin, path, headers: {}, ...more });
  return Object.assign(call, { transport });
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 5));
const closed = (socket: Socket | undefined) =>
  new Promise<void>((resolve) =>
    socket === undefined || socket.destroyed ? resolve() : socket.once('close', resolve),
  );

describe.each([
  ['http', false],
  ['https', true],
])('connections over %s', (_, secure) => {
  it('serve one request after the other, and as many at once as are allowed', async () => {
    const held: Socket[] = [];
    const { origin, sockets, log } = await serve((socket, path) => {
      if (path.startsWith('/many')) held.push(socket);
      else socket.write(OK);
      // Responses wait until all connections are there.
      if (sockets.length === 3) for (const each of held.splice(0)) each.write(OK);
    }, secure);
    const get = client(origin, { connections: 3 });
    for (let i = 0; i < 5; i++) await get(`/${i}`);
    expect(sockets).toHaveLength(1);
    const answers = await Promise.all(Array.from({ length: 20 }, (_each, n) => get(`/many/${n}`)));
    expect(answers.map(({ body }) => body.toString())).toEqual(Array(20).fill('ok'));
    expect(sockets).toHaveLength(3);
    expect(log).toHaveLength(25);
  });

  it('are kept although the response comes at once, before the request counts as sent', async () => {
    const { origin, sockets } = await serve((socket) => socket.write(OK), secure);
    const get = client(origin, { connections: 1 });
    for (let i = 0; i < 50; i++) await get('/', { method: 'PUT', body: Buffer.alloc(10) });
    expect(sockets).toHaveLength(1);
  });

  it.each([
    [
      'that the server closes after the response',
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
    ],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['that the server keeps for less than the way there', OK.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n')],
    ['with more than the response', `${OK}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother`],
  ])('%s are not used again', async (_each, response) => {
    const { origin, sockets, log } = await serve((socket) => socket.write(response), secure);
    const get = client(origin);
    for (const path of ['/a', '/b', '/c']) expect((await get(path)).body.toString()).toBe('ok');
    expect(log).toEqual(['1 /a', '2 /b', '3 /c']);
    await Promise.all(sockets.map(closed));
  });

  it('on which the server says something unasked are closed, and it is no response to the next request', async () => {
    const { origin, sockets, log } = await serve((socket) => socket.write(OK), secure);
    const get = client(origin);
    await get('/a');
    sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await closed(sockets[0]);
    expect((await get('/b')).body.toString()).toBe('ok');
    expect(log).toEqual(['1 /a', '2 /b']);
  });

  it('that the server has closed while they were idle are no fault of the next request', async () => {
    const { origin, sockets, log } = await serve((socket) => socket.write(OK), secure);
    const get = client(origin);
    await get('/a');
    sockets[0]?.end();
    await closed(sockets[0]);
    await get('/b');
    expect(log).toEqual(['1 /a', '2 /b']);
  });

  it('end an exchange that was aborted, and leave the others alone', async () => {
    const { origin, sockets, log } = await serve((socket, path) => path === '/hang' || socket.write(OK), secure);
    const get = client(origin, { connections: 2 });
    const stop = new AbortController();
    const hanging = get('/hang', { signal: stop.signal });
    const queued = Promise.all(['/1', '/2', '/3'].map((path) => get(path)));
    await queued;
    stop.abort(new Error('enough'));
    await expect(hanging).rejects.toMatchObject({ code: 'aborted' });
    await get('/4');
    expect(log.map((line) => line.split(' ')[1]).sort()).toEqual(['/1', '/2', '/3', '/4', '/hang']);
    await Promise.all(sockets.slice(0, 1).map(closed));
  });

  it('are all closed with the transport, and requests in progress say so', async () => {
    const { origin, sockets } = await serve(() => {}, secure);
    const get = client(origin, { connections: 1 });
    const calls = [get('/sent'), get('/queued')];
    const faults = Promise.all(calls.map((call) => call.catch(({ code }: { code: string }) => code)));
    while (sockets.length === 0) await turn();
    await get.transport.close();
    expect(await faults).toEqual(['aborted', 'aborted']);
    await Promise.all(sockets.map(closed));
  });
});

describe('a response before the request is sent', () => {
  const large = Buffer.alloc(32 * 1024 * 1024, 'x');

  it.each([
    ['http', false],
    ['https', true],
  ])('is taken, the rest is not sent, and the connection is not used again (%s)', async (_, secure) => {
    let taken = 0;
    const { origin, log } = await serve(
      (socket, path) => {
        socket.write(path === '/large' ? 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno' : OK);
        if (path === '/large') socket.pause();
      },
      secure,
      (_socket, bytes) => {
        taken += bytes.length;
      },
    );
    const get = client(origin);
    let paced = 0;
    const pace = (bytes: number) => {
      paced += bytes;
      return undefined;
    };
    const answer = await get('/large', { method: 'PUT', body: large, pace });
    expect([answer.status, answer.body.toString()]).toEqual([403, 'no']);
    expect(paced).toBeLessThan(large.length);
    await get('/next');
    expect(log).toEqual(['1 /large', '2 /next']);
    expect(taken).toBeLessThan(large.length);
  });

  it.each([
    ['http', false],
    ['https', true],
  ])('is no success: the server cannot have what was not sent (%s)', async (_, secure) => {
    const { origin, log } = await serve((socket, path) => {
      socket.write(OK);
      if (path === '/large') socket.pause();
    }, secure);
    const get = client(origin);
    await expect(get('/large', { method: 'PUT', body: large })).rejects.toMatchObject({ code: 'invalid-response' });
    await get('/next', { method: 'PUT', body: large.subarray(0, 1000) });
    expect(log).toEqual(['1 /large', '2 /next']);
  });

  it('may announce itself first', async () => {
    const { origin } = await serve((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
      setImmediate(() => socket.write(OK));
    });
    const answer = await client(origin)('/', { method: 'PUT', body: 'x' });
    expect([answer.status, answer.headers.link]).toEqual([200, undefined]);
  });
});

describe('a server that refuses connections', () => {
  it('fails every request, also those that wait for their turn', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const get = client(`http://127.0.0.1:${port}`, { connections: 2 });
    const faults = Array.from({ length: 7 }, () => get('/').catch(({ code }: { code: string }) => code));
    expect(await Promise.all(faults)).toEqual(Array(7).fill('unreachable'));
  });
});

describe('a body without a length', () => {
  it('ends with the connection, and is counted, for the caller to compare', async () => {
    const { origin } = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nabc'));
    const target = Buffer.alloc(5);
    expect((await client(origin)('/', { target })).received).toBe(3);
  });
});

describe('TLS', () => {
  it('takes up its session again on the next connection', async () => {
    const reused: boolean[] = [];
    const server = createTlsServer(TEST_TLS, (socket) => {
      reused.push(socket.isSessionReused());
      socket.on('error', () => {});
      socket.on('data', () => socket.end(OK.replace('\r\n', '\r\nConnection: close\r\n')));
    });
    const get = client(`https://localhost:${await listen(server)}`);
    for (let i = 0; i < 3; i++) await get('/');
    expect(reused).toEqual([false, true, true]);
  });

  it('goes on reading after a body whose end came while it was to wait', async () => {
    const size = 40 * 1024;
    const long = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`;
    const { origin, log } = await serve((socket, path) => socket.write(path === '/long' ? long : OK), true);
    const get = client(origin, { connections: 1 });
    await get('/first');
    // All of it is decrypted at once, and the pause is asked for after the first record.
    let asked = 0;
    const pace = () => (asked++ === 0 ? new Promise<void>(() => {}) : undefined);
    expect((await get('/long', { target: Buffer.alloc(size), pace })).received).toBe(size);
    expect((await get('/next')).body.toString()).toBe('ok');
    expect(log).toEqual(['1 /first', '1 /long', '1 /next']);
  });

  it('refuses a server that speaks before the request', async () => {
    const server = createTlsServer(TEST_TLS, (socket) => socket.on('error', () => {}).write('220 smtp.example\r\n'));
    await expect(client(`https://localhost:${await listen(server)}`)('/')).rejects.toMatchObject({
      code: 'invalid-response',
    });
  });
});
