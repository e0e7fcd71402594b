import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { XsyncError } from '../../../src/model/error.js';
import { HttpTransport, type HttpTransportOptions } from '../../../src/store/http/transport.js';

const open: { server: Server; sockets: Set<Socket> }[] = [];
const transports: HttpTransport[] = [];

/** A server that shows the raw bytes: `answer` is called once a request's head (and body, by length) has arrived. */
async function serve(answer: (socket: Socket, head: string, body: Buffer) => void, greeting = ''): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    if (greeting) socket.write(greeting);
    let data = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      data = Buffer.concat([data, chunk]);
      for (let end = data.indexOf('\r\n\r\n'); end >= 0; end = data.indexOf('\r\n\r\n')) {
        const head = data.toString('latin1', 0, end);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (data.length < end + 4 + length) return;
        const body = data.subarray(end + 4, end + 4 + length);
        data = data.subarray(end + 4 + length);
        answer(socket, head, body);
      }
    });
  });
  open.push({ server, sockets });
  return listen(server);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

function transport(options: Partial<HttpTransportOptions> = {}): HttpTransport {
  const made = new HttpTransport({ userAgent: 'test', ...options });
  transports.push(made);
  return made;
}

function ok(body: string | Buffer, headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function faultOf(promise: Promise<unknown>): Promise<XsyncError> {
  return promise.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: XsyncError) => error,
  );
}

const get = { method: 'GET', path: '/k', headers: {} };
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

afterEach(async () => {
  await Promise.all(transports.splice(0).map((t) => t.close()));
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('what goes over the wire', () => {
  it.each(['/a/../b/./c', '//a//b/', '/a%2Fb%2f?x=%20&y', '/%E2%82%AC/..?list-type=2&prefix='])(
    'sends the path %s as it is, so that no key is altered',
    async (path) => {
      let line = '';
      const origin = await serve((socket, head) => {
        line = head.split('\r\n', 1)[0] ?? '';
        socket.write(ok(''));
      });
      await transport().request({ ...get, origin, path });
      expect(line).toBe(`GET ${path} HTTP/1.1`);
    },
  );

  it.each([0, 1, 65_536, 65_537, 300_000])('sends %i bytes whole and with their length, paced or not', async (size) => {
    const body = Buffer.alloc(size, 'x');
    const seen: string[] = [];
    const origin = await serve((socket, head, got) => {
      seen.push(`${/content-length: (\d+)/i.exec(head)?.[1]} ${got.equals(body)}`);
      socket.write(ok(''));
    });
    let paced = 0;
    await transport().request({ method: 'PUT', path: '/k', headers: {}, origin, body });
    await transport().request({
      method: 'PUT',
      path: '/k',
      headers: {},
      origin,
      body,
      pace: (bytes) => {
        paced += bytes;
        return Promise.resolve();
      },
    });
    expect(seen).toEqual([`${size} true`, `${size} true`]);
    expect(paced).toBe(size);
  });

  /** Of a body that comes in two pieces. @returns what the server got, and the sizes of the writes */
  async function sendPieces(pace: () => Promise<void> | undefined): Promise<{ whole: boolean; writes: number[] }> {
    const bytes = Buffer.from(Array.from({ length: 600_000 }, (_, n) => n % 251));
    let whole = false;
    const origin = await serve((socket, _head, got) => {
      whole = got.equals(bytes);
      socket.write(ok(''));
    });
    const writes: number[] = [];
    const open = () => {
      const pieces = [bytes.subarray(0, 400_000), bytes.subarray(400_000)];
      return { next: () => pieces.shift() ?? Promise.reject(new Error('no more')) };
    };
    await transport().request({
      ...{ method: 'PUT', path: '/k', headers: {}, origin, body: { byteLength: bytes.byteLength, open } },
      pace: (size) => {
        writes.push(size);
        return pace();
      },
    });
    return { whole, writes };
  }

  it('sends a body that comes in pieces by small writes while each of them takes long', async () => {
    const K = 65_536;
    expect(await sendPieces(() => sleep(60))).toEqual({
      whole: true,
      writes: [K, K, K, K, K, K, 400_000 - 6 * K, K, K, K, 200_000 - 3 * K],
    });
  });

  it('begins with a small write of a body that comes in pieces', async () => {
    const { whole, writes } = await sendPieces(() => undefined);
    expect([whole, writes[0], writes.reduce((sum, size) => sum + size, 0)]).toEqual([true, 65_536, 600_000]);
    // None is longer than the piece.
    expect(Math.max(...writes)).toBeLessThanOrEqual(400_000);
  });

  it('keeps one connection for many requests, HEAD included', async () => {
    const sockets = new Set<Socket>();
    const origin = await serve((socket, head) => {
      sockets.add(socket);
      socket.write(head.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n' : ok('hello'));
    });
    const t = transport();
    for (const method of ['GET', 'HEAD', 'HEAD', 'GET']) await t.request({ ...get, method, origin });
    expect(sockets.size).toBe(1);
  });

  it('gives headers byte for byte and joins repeated ones', async () => {
    const origin = await serve((socket) => {
      socket.write(
        Buffer.from('HTTP/1.1 404 No\r\nX-Name: caf\u00e9 \u4e2d\r\nA: 1\r\nA: 2\r\nContent-Length: 2\r\n\r\nno'),
      );
    });
    const target = new Uint8Array(10);
    const answer = await transport().request({ ...get, origin, target });
    expect(Buffer.from(answer.headers['x-name'] ?? '', 'latin1').toString()).toBe('caf\u00e9 \u4e2d');
    expect(answer).toMatchObject({ status: 404, received: 2 });
    expect(answer.headers.a).toBe('1, 2');
    expect(answer.body.toString()).toBe('no');
    expect([...target]).toEqual(new Array(10).fill(0));
  });

  it('does not follow a redirect, which would lose the signature', async () => {
    let requests = 0;
    const origin = await serve((socket) => {
      requests++;
      socket.write('HTTP/1.1 307 Go\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n');
    });
    expect((await transport().request({ ...get, origin })).status).toBe(307);
    expect(requests).toBe(1);
  });

  it('uses a fresh connection when the server closed an idle one, so that no call fails for it', async () => {
    const origin = await serve((socket) => {
      socket.write(ok('a'));
      setTimeout(() => socket.end(), 20);
    });
    const t = transport({ connections: 1 });
    for (let i = 0; i < 3; i++) {
      expect((await t.request({ ...get, origin })).received).toBe(1);
      await sleep(60);
    }
  });
});

describe('reading into the target', () => {
  it('asks pace about bytes only, so that a pace which never waits cannot spin for ever', async () => {
    const bytes = Buffer.alloc(200_001, 'z');
    const origin = await serve((socket) => socket.write(ok(bytes)));
    const asked: number[] = [];
    const pace = (n: number) => Promise.resolve(void asked.push(n));
    await transport().request({ ...get, origin, target: new Uint8Array(bytes.length), pace });
    expect(asked).not.toContain(0);
    expect(asked.reduce((a, b) => a + b)).toBe(bytes.length);
  });

  it('fills it, honouring pace', async () => {
    const bytes = Buffer.alloc(500_000, 'z');
    const origin = await serve((socket) => socket.write(ok(bytes)));
    const target = new Uint8Array(bytes.length);
    let paced = 0;
    let waiting = 0;
    const answer = await transport().request({
      ...get,
      origin,
      target,
      pace: (n) => {
        expect(waiting).toBe(0);
        paced += n;
        waiting++;
        return sleep(1).then(() => void waiting--);
      },
    });
    expect(answer.received).toBe(bytes.length);
    expect(paced).toBe(bytes.length);
    expect(Buffer.compare(target, bytes)).toBe(0);
  });

  it('refuses more bytes than were asked for, with and without a length', async () => {
    let chunked = false;
    const origin = await serve((socket) => {
      socket.write(
        chunked ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n' : ok('abcdef'),
      );
    });
    for (chunked of [false, true]) {
      const fault = await faultOf(transport().request({ ...get, origin, target: new Uint8Array(5) }));
      expect(fault.code).toBe('invalid-response');
    }
  });

  it('cuts its bytes out of a whole object, and reads no further', async () => {
    const origin = await serve((socket, head) => {
      if (head.includes('/endless')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n0123456789');
        socket.write('x'.repeat(100));
      } else socket.write(ok('0123456789'));
    });
    const http = transport();
    for (const [path, offset, cut] of [
      ['/k', 0, true],
      ['/k', 4, true],
      ['/k', 7, false],
      ['/endless', 5, true],
    ] as const) {
      const target = Buffer.alloc(3);
      const answer = await http.request({ ...get, path, origin, target, offset });
      expect({ text: target.toString(), cut: answer.cut }).toEqual({
        text: '0123456789'.slice(offset, offset + 3),
        cut,
      });
      expect(answer.received).toBe(3);
    }
  });

  it('tells a body that was cut short from a whole one', async () => {
    const origin = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
    const fault = await faultOf(transport().request({ ...get, origin, target: new Uint8Array(10) }));
    expect(fault.code).toBe('truncated');
    const chunked = await serve((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabc'),
    );
    expect((await faultOf(transport().request({ ...get, origin: chunked }))).code).toBe('truncated');
  });
});

describe('faults', () => {
  it('names the host that refuses connections', async () => {
    const server = createServer();
    const origin = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const fault = await faultOf(transport().request({ ...get, origin }));
    expect(fault.code).toBe('unreachable');
    expect(fault.message).toContain(origin.slice('http://'.length));
  });

  it('calls a reset and a close without an answer network faults, which can be retried', async () => {
    const reset = await serve((socket) => socket.resetAndDestroy());
    const closed = await serve((socket) => socket.end());
    for (const origin of [reset, closed]) {
      const fault = await faultOf(transport().request({ ...get, origin }));
      expect(fault).toMatchObject({ code: 'network', class: 'temporary' });
    }
  });

  it('says tls when an https endpoint speaks http', async () => {
    const origin = await serve(() => {}, 'HTTP/1.1 400 Bad\r\n\r\n');
    const fault = await faultOf(transport().request({ ...get, origin: origin.replace('http', 'https') }));
    expect(fault.code).toBe('tls');
  });

  it('refuses an answer that is not HTTP, or with boundless headers', async () => {
    const noise = await serve((socket) => socket.write('220 smtp.example ESMTP\r\n'));
    expect((await faultOf(transport().request({ ...get, origin: noise }))).code).toBe('invalid-response');
    const flood = await serve((socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`));
    expect((await faultOf(transport().request({ ...get, origin: flood }))).code).toBe('invalid-response');
  });

  it('aborts at once: before, in the queue, while waiting, while reading, while paced', async () => {
    const origin = await serve((socket, head) => {
      if (head.includes('/read')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
      if (head.includes('/quick')) socket.write(ok('q'));
    });
    const t = transport({ connections: 1 });
    const gone = AbortSignal.abort();
    expect((await faultOf(t.request({ ...get, origin, signal: gone }))).code).toBe('aborted');
    const first = new AbortController();
    const waiting = faultOf(t.request({ ...get, origin, signal: first.signal }));
    const second = new AbortController();
    const queued = faultOf(t.request({ ...get, origin, signal: second.signal }));
    second.abort();
    expect((await queued).code).toBe('aborted');
    first.abort();
    expect((await waiting).code).toBe('aborted');
    for (const path of ['/read', '/hold']) {
      const controller = new AbortController();
      const never = path === '/hold' ? () => new Promise<void>(() => {}) : undefined;
      const call = faultOf(
        t.request({
          method: 'PUT',
          headers: {},
          path,
          origin,
          body: Buffer.alloc(99),
          signal: controller.signal,
          pace: never,
        }),
      );
      await sleep(50);
      controller.abort();
      expect((await call).code).toBe('aborted');
    }
    expect((await t.request({ ...get, path: '/quick', origin })).received).toBe(1);
  });
});

describe('idle timeout', () => {
  it('ends a call that gets no answer, and one whose body stalls', async () => {
    const silent = await serve(() => {});
    const stalled = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
    const t = transport({ idleTimeoutMs: 500 });
    const faults = await Promise.all([silent, stalled].map((origin) => faultOf(t.request({ ...get, origin }))));
    expect(faults.map((fault) => fault.code)).toEqual(['timeout', 'timeout']);
  });

  it('ends an upload that the server stops taking', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).pause());
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    open.push({ server, sockets });
    const origin = await listen(server);
    const body = Buffer.alloc(32 * 1024 * 1024);
    const fault = await faultOf(transport({ idleTimeoutMs: 500 }).request({ ...get, method: 'PUT', origin, body }));
    expect(fault.code).toBe('timeout');
  });

  it('never ends a call that moves slowly, in either direction', async () => {
    const drip = await serve(async (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n');
      for (let i = 0; i < 8; i++) await sleep(700).then(() => socket.write(Buffer.alloc(1000)));
    });
    let taken = 0;
    const slow = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        taken += chunk.length;
        socket.pause();
        setTimeout(() => socket.resume(), 20);
        if (taken >= 24 * 1024 * 1024) socket.write(ok(''));
      });
    });
    open.push({ server: slow, sockets: new Set() });
    const t = transport({ idleTimeoutMs: 2_000 });
    const [down, up] = await Promise.all([
      t.request({ ...get, origin: drip, target: new Uint8Array(8000) }),
      t.request({ ...get, method: 'PUT', origin: await listen(slow), body: Buffer.alloc(24 * 1024 * 1024) }),
    ]);
    expect([down.received, up.status]).toEqual([8000, 200]);
  });

  it.each([
    ['in a body', 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n', 'x'],
    ['in a body of unknown length', 'HTTP/1.1 200 OK\r\n\r\n', 'x'],
    ['in a header', 'HTTP/1.1 200 OK\r\nX-Long: ', 'x'],
    ['of responses that announce the response', '', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ])('ends a call with a byte now and then, %s', async (_where, head, more) => {
    const origin = await serve((socket) => {
      socket.write(head);
      const timer = setInterval(() => socket.write(more), 40);
      socket.on('close', () => clearInterval(timer));
    });
    const fault = await faultOf(transport({ idleTimeoutMs: 300 }).request({ ...get, origin }));
    expect(fault).toMatchObject({ code: 'timeout', class: 'temporary' });
  });

  it('waits longer for a service that keeps the connection open while it works', async () => {
    const origin = await serve(async (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n');
      for (let i = 0; i < 20; i++) await sleep(40).then(() => socket.write(' '));
    });
    const answer = await transport({ idleTimeoutMs: 300 }).request({ ...get, origin, keptOpen: true });
    expect(answer.received).toBe(20);
  });

  it('does not count its own waiting against the server', async () => {
    const origin = await serve((socket) => socket.write(ok('x'.repeat(100))));
    const target = new Uint8Array(100);
    const answer = await transport({ idleTimeoutMs: 300 }).request({ ...get, origin, target, pace: () => sleep(500) });
    expect(answer.received).toBe(100);
  });
});
