/**
 * Connects to an endpoint once, step by step and without credentials, to collect the facts for `endpoint.ts`.
 * Tests: test/doctor/endpoint.test.ts
 */
import { lookup } from 'node:dns/promises';
import { request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Connection, TlsOptions } from '../store/http/connection.js';
import { authorizationOf, type ProxyServer } from '../store/http/proxy.js';
import { openTunnel } from '../store/http/tunnel.js';
import type { EndpointFacts, Fault } from './endpoint.js';

const DIRECT: Connection = { tls: {}, proxyOf: () => undefined };

/** `now`: ms since 1970. Each step ends after `timeoutMs`. Never throws. */
export async function reach(
  origin: string,
  timeoutMs: number,
  now: () => number,
  { tls, proxyOf }: Connection = DIRECT,
): Promise<EndpointFacts> {
  const url = new URL(origin);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const facts: EndpointFacts = { origin };
  const proxy = proxyOf(url.origin);
  // A proxy resolves the name itself.
  if (isIP(host) === 0 && !proxy) {
    facts.name = await resolve(host);
    if ('fault' in facts.name) return facts;
  }
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const forwarder = proxy?.protocol === 'http:' && url.protocol === 'http:' ? proxy : undefined;
  const opened = await step(timeoutMs, 'connecting', (signal) => {
    if (forwarder) return openSocket(forwarder.host, forwarder.port, signal);
    return proxy ? openTunnel(proxy, host, port, { timeoutMs, tls }) : openSocket(host, port, signal);
  });
  if ('fault' in opened) return { ...facts, connect: opened };
  const { ms, value: socket } = opened;
  try {
    facts.connect = { ms, address: proxy ? `the proxy ${proxy.name}` : (socket.remoteAddress ?? host) };
    let wire: Socket = socket;
    if (url.protocol === 'https:') {
      const secured = await step(timeoutMs, 'the TLS handshake', (signal) => secure(socket, host, tls, signal));
      if ('fault' in secured) return { ...facts, tls: secured };
      wire = secured.value;
      facts.tls = { ms: secured.ms, ...describe(secured.value, tls) };
    }
    facts.answer = await ask(url, forwarder, wire, timeoutMs, now);
    return facts;
  } finally {
    socket.destroy();
  }
}

async function resolve(host: string): Promise<NonNullable<EndpointFacts['name']>> {
  const start = performance.now();
  try {
    const found = await lookup(host, { all: true });
    return { ms: performance.now() - start, addresses: found.map(({ address }) => address) };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

/** Runs and times one step. The promise of `begin` settles soon after its signal fires. */
async function step<T>(
  timeoutMs: number,
  what: string,
  begin: (signal: AbortSignal) => Promise<T>,
): Promise<{ ms: number; value: T } | { fault: Fault }> {
  const start = performance.now();
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const value = await begin(signal);
    return { ms: performance.now() - start, value };
  } catch (error) {
    if (!signal.aborted) return { fault: faultOf(error) };
    return { fault: { code: 'ETIMEDOUT', message: `${what} took longer than ${timeoutMs / 1000} s` } };
  }
}

function openSocket(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // Without the signal, which would end the connection during a later step.
    const socket = connect({ host, port, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 1_000 });
    const giveUp = (): void => void socket.destroy(new Error('given up'));
    signal.addEventListener('abort', giveUp, { once: true });
    // Stays for later errors of the connection, which its later users receive as well.
    socket.on('error', reject);
    socket.once('connect', () => {
      signal.removeEventListener('abort', giveUp);
      resolve(socket);
    });
  });
}

/** Accepts any certificate: its errors are the finding, and nothing secret is sent. */
function secure(socket: Socket, host: string, options: TlsOptions, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const servername = isIP(host) === 0 ? host : undefined;
    const how = { ...options, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
    const tls = connectTls({ socket, host, servername, ...how });
    const fail = (error: unknown): void => {
      tls.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    tls.on('error', fail);
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    tls.once('secureConnect', () => resolve(tls));
  });
}

function describe(
  tls: TLSSocket,
  { rejectUnauthorized = true }: TlsOptions,
): { version: string; validUntilMs: number; issuer: string; untrusted?: string } {
  const certificate = tls.getPeerCertificate();
  // Node declares an Error but sets the error's code.
  const why: unknown = tls.authorizationError;
  const { O: organisation, CN: name } = certificate.issuer ?? {};
  return {
    version: tls.getProtocol() ?? 'unknown',
    validUntilMs: Date.parse(certificate.valid_to),
    issuer: String(organisation ?? name ?? ''),
    ...(!tls.authorized && rejectUnauthorized && { untrusted: why instanceof Error ? why.message : String(why) }),
  };
}

function ask(
  { host, origin }: URL,
  forwarder: ProxyServer | undefined,
  socket: Socket,
  timeoutMs: number,
  now: () => number,
): Promise<NonNullable<EndpointFacts['answer']>> {
  return new Promise((resolve) => {
    const sent = now();
    const authorization = forwarder && authorizationOf(forwarder);
    const headers = { host, ...(authorization !== undefined && { 'proxy-authorization': authorization }) };
    const path = forwarder ? `${origin}/` : '/';
    const asked = request({ method: 'HEAD', path, headers, createConnection: () => socket });
    asked.setTimeout(timeoutMs, () => asked.destroy(new Error(`no response within ${timeoutMs / 1000} s`)));
    asked.on('error', (error) => resolve({ fault: faultOf(error) }));
    asked.on('response', ({ statusCode = 0, headers }) => {
      asked.destroy();
      // A Date header has no fraction: on average, half of its second has passed.
      const dateMs = Date.parse(headers.date ?? '') + 500;
      const localMs = (sent + now()) / 2;
      resolve({ status: statusCode, localMs, ...(!Number.isNaN(dateMs) && { dateMs }) });
    });
    asked.end();
  });
}

/** The error of the first address, when several addresses failed. */
function faultOf(thrown: unknown): Fault {
  const error: unknown = thrown instanceof AggregateError ? (thrown.errors[0] ?? thrown) : thrown;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return { code, message: error instanceof Error ? error.message : String(error) };
}
