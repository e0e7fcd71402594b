import dns from 'node:dns';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HttpError } from '../../src/inbound/error.js';
import { createInbound, type FastifyInstance, listen } from '../../src/inbound/server.js';

const LIMITS = { bodyBytes: 100, headersMs: 1_500, requestMs: 2_500, connections: 7 };
const opened: FastifyInstance[] = [];

/** A server that answers POST with the body that it got, and a client that says what it is told to. */
async function open(host = '127.0.0.1'): Promise<{ app: FastifyInstance; port: number }> {
  const app = await createInbound(LIMITS, ({ status, message, headers }, _request, reply) =>
    reply.code(status).headers(headers).send(`refused: ${message}`),
  );
  opened.push(app);
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw new HttpError(405, 'not that', { allow: 'POST' });
  });
  app.post('/echo', async (request) => `got ${request.body}`);
  app.post('/broken', async () => {
    throw new TypeError('oops');
  });
  const { port } = await listen(app, { host, port: 0 }, 'cannot listen', 'test');
  return { app, port };
}

afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});

/** What comes back until the server hangs up; each piece is sent after the server has had time to read the last one. */
async function speak(port: number, ...pieces: string[]): Promise<string> {
  const chunks: Buffer[] = [];
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('data', (chunk) => chunks.push(chunk));
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, 'latin1', resolve));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

const post = (headers: string, body = '', path = '/echo'): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n${body}`;

describe('the server under every endpoint', () => {
  it('has limits, so that a caller who is slow or many cannot hold it', async () => {
    const { app } = await open();
    expect(app.server).toMatchObject({
      headersTimeout: LIMITS.headersMs,
      requestTimeout: LIMITS.requestMs,
      keepAliveTimeout: 5_000,
    });
    expect(app.initialConfig.bodyLimit).toBe(LIMITS.bodyBytes);
  });

  it.each([
    ['says how long it is', post('Content-Length: 101\r\n', 'x'.repeat(101))],
    ['does not say', post('Transfer-Encoding: chunked\r\n', `65\r\n${'x'.repeat(101)}\r\n0\r\n\r\n`)],
  ])('refuses a body that is too long when it %s', async (_, text) => {
    const { port } = await open();
    expect(await speak(port, text)).toMatch(/^HTTP\/1.1 413 [\s\S]*refused: the body is longer than 100 bytes$/);
  });

  it('does not ask for a body that is too long, and asks for one that is not', async () => {
    const { port } = await open();
    expect(await speak(port, post('Expect: 100-continue\r\nContent-Length: 101\r\n'))).toMatch(/^HTTP\/1.1 413 /);
    expect(await speak(port, post('Expect: 100-continue\r\nContent-Length: 2\r\n'), 'ab')).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 [\s\S]*got ab$/,
    );
  });

  it.each(['', 'json', 'application/json', 'text/plain; charset=utf-16', 'multipart/form-data'])(
    'takes a body whatever the sender calls it: "%s"',
    async (type) => {
      const { port } = await open();
      expect(await speak(port, post(`Content-Type: ${type}\r\nContent-Length: 3\r\n`, '{"a'))).toMatch(/got \{"a$/);
    },
  );

  it('takes a body in chunks', async () => {
    const { port } = await open();
    const pieces = [post('Transfer-Encoding: chunked\r\n'), '2\r\nab\r\n', '1\r\nc\r\n0\r\n\r\n'];
    expect(await speak(port, ...pieces)).toMatch(/got abc$/);
  });

  it.each([
    ['an unknown path', post('', '', '/other'), 405],
    ['a path that cannot be decoded', post('', '', '/%zz'), 404],
    ['no path', post('', '', '*'), 405],
    ['another method', 'GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 405],
    ['a method that the framework does not know', 'PURGE /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 405],
    ['bytes that are not UTF-8', post('Transfer-Encoding: chunked\r\n', '1\r\n\x80\r\n0\r\n\r\n'), 400],
    ['a fault of ours', post('', '', '/broken'), 500],
  ])('answers %s by the one who refuses', async (_, text, status) => {
    const { port } = await open();
    expect(await speak(port, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*refused: `));
  });

  it('closes at once while connections are open, idle ones and ones in the middle of a body', async () => {
    const { app, port } = await open();
    const idle = connect(port, '127.0.0.1');
    idle.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na');
    const [answer] = await once(idle, 'data');
    expect(String(answer)).toMatch(/connection: keep-alive/i);
    const busy = connect(port, '127.0.0.1');
    busy.write('POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n');
    await once(busy, 'data');
    const cut = Promise.all([once(idle, 'close'), once(busy, 'close')]);
    await app.close();
    await cut;
    await app.close();
  });

  it('listens at one address of a name, so that its limits hold', async () => {
    // Of "localhost" Fastify asks for all addresses, and opens a server without these limits at each further one.
    const asked = vi.spyOn(dns, 'lookup');
    const { app } = await open('localhost');
    expect(app.addresses()).toHaveLength(1);
    expect(asked).not.toHaveBeenCalledWith('localhost', { all: true }, expect.anything());
    asked.mockRestore();
  });

  it.each([
    ['in.valid', 0, 'the host name does not exist', 'leave the host out, or choose 0.0.0.0 for all addresses'],
    ['192.0.2.1', 0, 'this host does not have that address', 'leave the host out, or choose 0.0.0.0 for all addresses'],
  ])('says what to do when it cannot listen at %s', async (host, port, why, remedy) => {
    const app = await createInbound(LIMITS, (_, _request, reply) => reply.send());
    await expect(listen(app, { host, port }, 'cannot listen', '--there')).rejects.toMatchObject({
      code: 'config',
      message: `cannot listen: ${why}`,
      subject: '--there',
      remedy,
    });
  });

  it('says what to do when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const app = await createInbound(LIMITS, (_, _request, reply) => reply.send());
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(listen(app, { host: '127.0.0.1', port }, 'cannot listen', '--there')).rejects.toThrow(
      'cannot listen: another program uses this port',
    );
    other.close();
  });
});
