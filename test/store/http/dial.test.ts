import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { TEST_TLS } from '../../doctor/tls.js';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  // A server waits for connections that it has accepted only after its sockets were destroyed.
  for (const close of closing.splice(0).reverse()) await close();
});

let secure = false;

/** Answers each request by its path. */
async function serve(answer: (socket: Socket, path: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (head) => answer(socket, /^GET (\S+)/.exec(head.toString('latin1'))?.[1] ?? ''));
  };
  const server: Server = secure ? createTlsServer(TEST_TLS, take) : createServer(take);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http${secure ? 's' : ''}://127.0.0.1:${address.port}`;
}

function transport(): HttpTransport {
  const made = new HttpTransport({ userAgent: 'test', tls: { ca: TEST_TLS.cert } });
  closing.push(() => made.close());
  return made;
}

const SIZE = 2_000_000;
const bytesOf = (path: string) => Buffer.alloc(SIZE, `${path}, and then some; `);
const get = { method: 'GET', headers: {} };

describe.each(['http', 'https'])('over %s', (protocol) => {
  beforeEach(() => {
    secure = protocol === 'https';
  });

  describe('one read buffer for all sockets', () => {
    it('keeps the bytes of a body that waits for its turn, whatever other connections read meanwhile', async () => {
      const origin = await serve((socket, path) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
        socket.write(bytesOf(path));
      });
      const http = transport();
      const read = async (path: string, pace?: () => Promise<void>) => {
        const target = Buffer.alloc(SIZE);
        await http.request({ ...get, origin, path, target, pace });
        return target.equals(bytesOf(path));
      };
      const held = ['/a', '/b', '/c'].map((path) => read(path, () => sleep(5)));
      const free = Array.from({ length: 20 }, (_, n) => read(`/free/${n}`));
      expect(await Promise.all([...held, ...free])).toEqual(Array(23).fill(true));
    });

    it('keeps the bytes of a listing while others come in', async () => {
      const origin = await serve((socket, path) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
        socket.write(bytesOf(path));
      });
      const http = transport();
      const paths = Array.from({ length: 8 }, (_, n) => `/page/${n}`);
      const answers = await Promise.all(paths.map((path) => http.request({ ...get, origin, path })));
      expect(answers.map(({ body }, n) => body.equals(bytesOf(paths[n] ?? '')))).toEqual(Array(8).fill(true));
    });

    it('keeps headers that arrive in two reads, with another answer between them', async () => {
      const long = 'v'.repeat(20_000);
      const origin = await serve(async (socket, path) => {
        const head = `HTTP/1.1 200 OK\r\nX-Path: ${path} ${long}\r\nX-Other: ${path}\r\nContent-Length: 0\r\n\r\n`;
        socket.write(head.slice(0, 10_000));
        await sleep(20);
        socket.write(head.slice(10_000, 20_100));
        await sleep(20);
        socket.write(head.slice(20_100));
      });
      const http = transport();
      const paths = Array.from({ length: 8 }, (_, n) => `/head/${n}`);
      const answers = await Promise.all(paths.map((path) => http.request({ ...get, origin, path })));
      expect(answers.map(({ headers }) => headers['x-path'])).toEqual(paths.map((path) => `${path} ${long}`));
      expect(answers.map(({ headers }) => headers['x-other'])).toEqual(paths);
    });

    it('reads no further ahead of a body that waits, or a bandwidth limit would bound nothing', async () => {
      let sent = 0;
      const origin = await serve((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * SIZE}\r\n\r\n`);
        const more = () => {
          while (socket.writable && socket.write(bytesOf('/x'))) sent += SIZE;
          sent += SIZE;
          socket.once('drain', more);
        };
        more();
      });
      const stop = new AbortController();
      const target = Buffer.alloc(64 * SIZE);
      const call = transport().request({
        ...get,
        origin,
        path: '/x',
        target,
        signal: stop.signal,
        pace: () => new Promise<void>(() => {}),
      });
      await sleep(150);
      const buffered = sent;
      await sleep(150);
      expect(sent).toBe(buffered);
      expect(sent).toBeLessThan(64 * SIZE);
      stop.abort();
      await expect(call).rejects.toMatchObject({ code: 'aborted' });
    });
  });

  describe('the memory of a target, into which its body is read', () => {
    const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

    it('is not written any more when the response is complete, whatever the server sends', async () => {
      let gone: Promise<unknown> | undefined;
      let sendMore = (): void => undefined;
      const origin = await serve((socket, path) => {
        gone = closed(socket);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
        socket.write(bytesOf(path));
        sendMore = () => socket.write(Buffer.alloc(SIZE, 'nobody asked for it'));
      });
      const target = Buffer.alloc(SIZE);
      await transport().request({ ...get, origin, path: '/x', target });
      sendMore();
      await gone;
      expect(target.equals(bytesOf('/x'))).toBe(true);
    });

    it('is not written any more after the request was aborted', async () => {
      let gone: Promise<unknown> | undefined;
      const origin = await serve((socket) => {
        gone = closed(socket);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * SIZE}\r\n\r\n`);
        const more = () => {
          while (socket.writable && socket.write(bytesOf('/x')));
          socket.once('drain', more);
        };
        more();
      });
      const stop = new AbortController();
      const target = Buffer.alloc(64 * SIZE);
      const pace = (bytes: number) => {
        if (bytes > 0) setImmediate(() => stop.abort());
        return undefined;
      };
      await expect(
        transport().request({ ...get, origin, path: '/x', target, pace, signal: stop.signal }),
      ).rejects.toMatchObject({ code: 'aborted' });
      target.fill(0);
      await gone;
      expect(target.equals(Buffer.alloc(64 * SIZE))).toBe(true);
    });
  });

  it('passes on what came before the server closed the connection, so that the read goes on behind it', async () => {
    const part = 300_000;
    const origin = await serve((socket, path) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
      socket.end(bytesOf(path).subarray(0, part));
    });
    const memory = Buffer.alloc(SIZE);
    let taken = 0;
    const target = {
      byteLength: SIZE,
      begin: () => undefined,
      take: (bytes: Uint8Array) => {
        memory.set(bytes, taken);
        taken += bytes.byteLength;
        return undefined;
      },
      room: () => memory.subarray(taken),
    };
    await expect(transport().request({ ...get, origin, path: '/x', target })).rejects.toMatchObject({
      code: 'truncated',
    });
    expect(taken).toBe(part);
    expect(memory.subarray(0, part).equals(bytesOf('/x').subarray(0, part))).toBe(true);
  });
});
