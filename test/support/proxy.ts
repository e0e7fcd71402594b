/**
 * Real little proxies on loopback: an HTTP proxy that forwards and tunnels, and a SOCKS5 server (RFC 1928, RFC 1929).
 * Every name leads to 127.0.0.1, so that tests can use names that no DNS knows.
 */
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface TestProxyOptions {
  /** `user:password`, which clients must send. */
  auth?: string;
  /** PEM: the proxy itself is reached over TLS. */
  tls?: { key: string; cert: string };
  /** Refuses every request with this status. */
  refuse?: number;
}

export interface TestProxy {
  port: number;
  /** What clients asked for: `CONNECT host:port`, `GET http://host/path`, `SOCKS host:port`. */
  log: string[];
  close(): Promise<void>;
}

export async function startHttpProxy({ auth, tls, refuse }: TestProxyOptions = {}): Promise<TestProxy> {
  const log: string[] = [];
  const denied = ({ headers }: IncomingMessage): number | undefined => {
    if (refuse !== undefined) return refuse;
    const wanted = `Basic ${Buffer.from(auth ?? '').toString('base64')}`;
    return auth !== undefined && headers['proxy-authorization'] !== wanted ? 407 : undefined;
  };
  const forward = (asked: IncomingMessage, answer: ServerResponse): void => {
    log.push(`${asked.method} ${asked.url}`);
    const status = denied(asked);
    if (status !== undefined) {
      answer.writeHead(status).end('refused by the proxy');
      return;
    }
    const { port, pathname, search } = new URL(asked.url ?? '');
    const { 'proxy-authorization': _, ...headers } = asked.headers;
    // The path as sent, not as a URL parser would write it.
    const path = (asked.url ?? '').replace(/^http:\/\/[^/]+/, '') || `${pathname}${search}`;
    const inner = request({ host: '127.0.0.1', port: port || 80, method: asked.method, path, headers }, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.rawHeaders);
      from.pipe(answer);
    });
    inner.on('error', () => answer.writeHead(502).end());
    asked.pipe(inner);
  };
  const server = tls ? createHttpsServer(tls, forward) : createHttpServer(forward);
  const sockets = track(server);
  server.on('connect', (asked: IncomingMessage, socket: Socket, head: Buffer) => {
    log.push(`CONNECT ${asked.url}`);
    const status = denied(asked);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} Refused\r\n\r\n`);
      return;
    }
    join(socket, Number(asked.url?.split(':').at(-1)), () => socket.write('HTTP/1.1 200 OK\r\n\r\n'), head);
  });
  return listening(server, sockets, log);
}

export async function startSocksProxy({ auth }: Pick<TestProxyOptions, 'auth'> = {}): Promise<TestProxy> {
  const log: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const take = reader(socket);
    void (async () => {
      const [, methods = 0] = await take(2);
      const offered = [...(await take(methods))];
      const method = auth === undefined ? 0 : 2;
      if (!offered.includes(method)) return void socket.end(Buffer.from([5, 0xff]));
      socket.write(Buffer.from([5, method]));
      if (auth !== undefined) {
        const [, length = 0] = await take(2);
        const user = (await take(length)).toString();
        const password = (await take((await take(1))[0] ?? 0)).toString();
        const right = `${user}:${password}` === auth;
        socket.write(Buffer.from([1, right ? 0 : 1]));
        if (!right) return void socket.end();
      }
      const [, , , kind] = await take(4);
      const host =
        kind === 1 ? (await take(4)).join('.') : kind === 3 ? (await take((await take(1))[0] ?? 0)).toString() : '::';
      const port = (await take(2)).readUInt16BE();
      log.push(`SOCKS ${host}:${port}`);
      take.stop();
      join(socket, port, () => socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0])));
    })();
  });
  return listening(server, track(server), log);
}

function join(socket: Socket, port: number, connected: () => void, head?: Buffer): void {
  const inner = connect(port, '127.0.0.1', () => {
    connected();
    if (head?.byteLength) inner.write(head);
    inner.pipe(socket);
    socket.pipe(inner);
  });
  inner.on('error', () => socket.destroy());
  socket.on('error', () => inner.destroy());
  socket.on('close', () => inner.destroy());
}

/** Reads exact numbers of bytes. */
function reader(socket: Socket) {
  let data = Buffer.alloc(0);
  let wake = (): void => {};
  const listen = (chunk: Buffer): void => {
    data = Buffer.concat([data, chunk]);
    wake();
  };
  socket.on('data', listen);
  const take = async (bytes: number): Promise<Buffer> => {
    while (data.byteLength < bytes) await new Promise<void>((resolve) => (wake = resolve));
    const taken = data.subarray(0, bytes);
    data = data.subarray(bytes);
    return taken;
  };
  return Object.assign(take, { stop: () => socket.off('data', listen) });
}

function track(server: Server): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  return sockets;
}

async function listening(server: Server, sockets: Set<Socket>, log: string[]): Promise<TestProxy> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, log, close };
}
