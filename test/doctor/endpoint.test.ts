import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type EndpointFacts, isReachable, judgeEndpoint } from '../../src/doctor/endpoint.js';
import { reach } from '../../src/doctor/reach.js';
import { TEST_TLS } from './tls.js';

const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 24 * 3600 * 1000;

const good = {
  origin: 'https://s3.example.com',
  name: { ms: 12, addresses: ['192.0.2.1'] },
  connect: { ms: 30, address: '192.0.2.1' },
  tls: { ms: 60, version: 'TLSv1.3', validUntilMs: NOW + 90 * DAY_MS, issuer: 'An Authority' },
  answer: { status: 403, localMs: NOW, dateMs: NOW + 800 },
} satisfies EndpointFacts;

function of(facts: Partial<EndpointFacts>, check: string) {
  return judgeEndpoint({ ...good, ...facts }).find((finding) => finding.check === check);
}

const match = (pattern: RegExp): unknown => expect.stringMatching(pattern);

describe('what is said of the way to an endpoint', () => {
  it('is nothing bad when it is well, with each step of it measured', () => {
    expect(judgeEndpoint(good).map(({ check, level, found }) => `${level} ${check}: ${found}`)).toEqual([
      'ok dns: 12 ms: 192.0.2.1',
      'ok connect: 30 ms to 192.0.2.1',
      'ok tls: TLSv1.3, 60 ms; certificate by An Authority until 2026-08-30',
      'ok clock: agrees with the server',
    ]);
    expect(isReachable(good)).toBe(true);
  });

  it('tells a name that nobody knows from name servers that do not answer', () => {
    const unknown = { fault: { code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND s3.example.com' } };
    expect(of({ name: unknown }, 'dns')).toMatchObject({ level: 'fail', remedy: match(/endpoint and the region/) });
    const silent = { fault: { code: 'EAI_AGAIN', message: 'getaddrinfo EAI_AGAIN s3.example.com' } };
    expect(of({ name: silent }, 'dns')).toMatchObject({ level: 'fail', remedy: match(/resolv\.conf/) });
    expect(of({ name: { ms: 900, addresses: ['192.0.2.1'] } }, 'dns')?.level).toBe('warn');
  });

  it('warns of a certificate that ends soon, before it stops a nightly run', () => {
    const soon = { ...good.tls, validUntilMs: NOW + 5 * DAY_MS };
    expect(of({ tls: soon }, 'tls')).toMatchObject({ level: 'warn', remedy: match(/5 days/) });
    const old = { ...good.tls, version: 'TLSv1.1' };
    expect(of({ tls: old }, 'tls')).toMatchObject({ level: 'warn', remedy: match(/1\.2/) });
  });

  it.each([
    ['CERT_HAS_EXPIRED', /^Renew the certificate/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /host name/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /--ca-cert FILE, or ca_cert/],
  ])('fails a certificate that is not believed: %s', (untrusted, remedy) => {
    const facts = { ...good, tls: { ...good.tls, untrusted } };
    expect(of(facts, 'tls')).toMatchObject({ level: 'fail', remedy: match(remedy) });
    expect(isReachable(facts)).toBe(false);
  });

  it('warns when keys would go over a network in the clear, and only then', () => {
    const plain = { origin: 'http://minio.example:9000', tls: undefined };
    expect(of(plain, 'tls')?.level).toBe('warn');
    expect(of({ ...plain, connect: { ms: 1, address: '127.0.0.1' } }, 'tls')?.level).toBe('ok');
    expect(of({ ...plain, connect: { ms: 1, address: '::1' } }, 'tls')?.level).toBe('ok');
  });

  it.each([
    [-1_500, 'ok', /agrees/],
    [20_000, 'ok', /20 s behind/],
    [3_600_000, 'warn', /60 min behind/],
    [-7_200_000, 'warn', /2 h ahead of/],
  ])('tells how far the clock is off: %d ms', (skew, level, found) => {
    const finding = of({ answer: { ...good.answer, dateMs: NOW + skew } }, 'clock');
    expect(finding).toMatchObject({ level, found: match(found) });
    expect(finding?.commands).toEqual(level === 'warn' ? ['timedatectl set-ntp true'] : undefined);
  });
});

const servers: { server: TcpServer; sockets: Set<Socket> }[] = [];

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: TcpServer | Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const go = (origin: string, timeoutMs = 5_000): Promise<EndpointFacts> => reach(origin, timeoutMs, Date.now);

describe('going there', () => {
  it('measures every step, and shows the server no credentials', async () => {
    const seen: string[][] = [];
    const answer: RequestListener = (request, response) => {
      seen.push(request.rawHeaders);
      response.writeHead(403).end();
    };
    const facts = await go(`https://localhost:${await listen(createHttpsServer(TEST_TLS, answer))}`);
    expect(facts).toMatchObject({
      name: { addresses: expect.arrayContaining(['127.0.0.1']), ms: expect.any(Number) },
      connect: { address: '127.0.0.1' },
      tls: { version: 'TLSv1.3', issuer: 'localhost', untrusted: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      answer: { status: 403, dateMs: expect.any(Number) },
    });
    expect(seen.flat().filter((text) => /authorization/i.test(text))).toEqual([]);
    expect(seen).toHaveLength(1);
  });

  it('sees how far the server is in time', async () => {
    const port = await listen(
      createHttpServer((_, response) => {
        response.writeHead(200, { date: new Date(Date.now() + 3_600_000).toUTCString() }).end();
      }),
    );
    const facts = await go(`http://127.0.0.1:${port}`);
    expect(facts.name).toBeUndefined();
    expect(judgeEndpoint(facts).at(-1)).toMatchObject({ check: 'clock', level: 'warn', found: match(/60 min behind/) });
  });

  it('says that nothing listens', async () => {
    const port = await listen(createTcpServer());
    await new Promise((resolve) => servers.pop()?.server.close(resolve));
    const facts = await go(`http://127.0.0.1:${port}`);
    expect(judgeEndpoint(facts)).toEqual([
      expect.objectContaining({ check: 'connect', level: 'fail', found: `127.0.0.1:${port} refuses connections` }),
    ]);
    expect(isReachable(facts)).toBe(false);
  });

  it('does not wait for ever for a server that says nothing', async () => {
    const port = await listen(createTcpServer());
    const secure = await go(`https://127.0.0.1:${port}`, 100);
    expect(secure.tls).toEqual({ fault: { code: 'ETIMEDOUT', message: 'the TLS handshake took longer than 0.1 s' } });
    const plain = await go(`http://127.0.0.1:${port}`, 100);
    expect(plain.answer).toMatchObject({ fault: { message: 'no response within 0.1 s' } });
  });

  it('says that a server speaks no HTTP, or no TLS', async () => {
    const greeting = createTcpServer((socket) => void socket.on('error', () => {}).end('220 mail ready\r\n'));
    const port = await listen(greeting);
    expect(judgeEndpoint(await go(`http://127.0.0.1:${port}`)).at(-1)).toMatchObject({ check: 'clock', level: 'fail' });
    expect(judgeEndpoint(await go(`https://127.0.0.1:${port}`)).at(-1)).toMatchObject({ check: 'tls', level: 'fail' });
  });
});
