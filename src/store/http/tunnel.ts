/** Opens connections through proxies: CONNECT of HTTP proxies, and SOCKS5. Tests: test/store/http/proxy.test.ts */
import http from 'node:http';
import https from 'node:https';
import { connect, type Socket } from 'node:net';
import { XsyncError } from '../../model/error.js';
import type { TlsOptions } from './connection.js';
import { authorizationOf, hostAndPort, originOfProxy, type ProxyServer } from './proxy.js';
import { translateFault } from './translate.js';

export interface TunnelOptions {
  timeoutMs: number;
  /** For a proxy that is itself reached over TLS. */
  tls: TlsOptions;
}

/**
 * A connection to `host:port` through the proxy, which resolves the name.
 * @throws unreachable, tls, network: the proxy is not there or refuses; class `person` when it wants a password
 */
export async function openTunnel(
  proxy: ProxyServer,
  host: string,
  port: number,
  options: TunnelOptions,
): Promise<Socket> {
  try {
    const open = proxy.protocol === 'socks5:' ? openSocks : openConnect;
    return await open(proxy, host, port, options);
  } catch (error) {
    throw proxyFault(proxy, error, options.timeoutMs);
  }
}

/** The error of a connection to the proxy itself. */
export function proxyFault(proxy: ProxyServer, error: unknown, timeoutMs: number): XsyncError {
  if (error instanceof XsyncError) return error;
  const context = { host: `the proxy ${proxy.name}`, answering: false, idleTimeoutMs: timeoutMs };
  const { code, message, remedy } = translateFault(error, { ...context, connectTimeoutMs: timeoutMs });
  return new XsyncError(code, message, {
    subject: proxy.name,
    remedy: code === 'tls' ? remedy : checkProxy(proxy),
    cause: error,
  });
}

function checkProxy(proxy: ProxyServer): string {
  const exceptions = proxy.variable === undefined ? '' : ', and NO_PROXY for servers that need no proxy';
  return `Check ${originOfProxy(proxy)}${exceptions}.`;
}

/** The proxy answered with this status instead of opening a connection to `place`. */
export function refusedByProxy(proxy: ProxyServer, place: string, status: number): XsyncError {
  if (status === 407) {
    const refused = authorizationOf(proxy) !== undefined;
    return new XsyncError('unreachable', passwordMessage(proxy, refused), {
      subject: proxy.name,
      status,
      remedy: `Put them into the address in ${originOfProxy(proxy)}: http://user:password@host:port.`,
      class: 'person',
    });
  }
  return new XsyncError('unreachable', `the proxy ${proxy.name} does not connect to ${place} (HTTP status ${status})`, {
    subject: proxy.name,
    status,
    remedy: `Check the endpoint, and whether the proxy in ${originOfProxy(proxy)} allows it.`,
    ...(status < 500 && { class: 'person' }),
  });
}

function passwordMessage({ name }: ProxyServer, refused: boolean): string {
  return refused
    ? `the proxy ${name} refuses the user or the password`
    : `the proxy ${name} wants a user and a password`;
}

function openConnect(
  proxy: ProxyServer,
  host: string,
  port: number,
  { timeoutMs, tls }: TunnelOptions,
): Promise<Socket> {
  const place = hostAndPort(host, port);
  const authorization = authorizationOf(proxy);
  const headers = { host: place, ...(authorization !== undefined && { 'proxy-authorization': authorization }) };
  const where = { host: proxy.host, port: proxy.port, method: 'CONNECT', path: place, agent: false as const, headers };
  return new Promise((resolve, reject) => {
    const request = proxy.protocol === 'https:' ? https.request({ ...where, ...tls }) : http.request(where);
    request.setTimeout(timeoutMs, () => request.destroy(late(proxy, timeoutMs)));
    request.once('error', reject);
    // Node reports every response to CONNECT this way.
    request.once('connect', ({ statusCode = 0 }, socket: Socket, head) => {
      socket.setTimeout(0);
      if (statusCode >= 200 && statusCode < 300) {
        if (head.byteLength > 0) socket.unshift(head);
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(refusedByProxy(proxy, place, statusCode));
    });
    request.end();
  });
}

async function openSocks(
  proxy: ProxyServer,
  host: string,
  port: number,
  { timeoutMs }: TunnelOptions,
): Promise<Socket> {
  const { username, password } = proxy;
  const { Socks5Client } = await import('./undici.js');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: proxy.host, port: proxy.port });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(late(proxy, timeoutMs)));
    socket.once('error', fail);
    socket.once('connect', () => {
      const client = new Socks5Client(socket, { username, password });
      client.on('error', (error) => fail(socksFault(proxy, hostAndPort(host, port), error)));
      client.once('close', () =>
        fail(socksFault(proxy, hostAndPort(host, port), new Error('it closed the connection'))),
      );
      client.once('authenticated', () => client.connect(host, port));
      client.once('connected', () => {
        socket.setTimeout(0);
        socket.off('error', fail).off('error', client.onSocketError).off('close', client.onSocketClose);
        resolve(socket);
      });
      client.handshake();
    });
  });
}

/** What undici's SOCKS client says, which names neither the proxy nor the server. */
function socksFault(proxy: ProxyServer, place: string, cause: Error): XsyncError {
  const code = 'code' in cause ? String(cause.code) : '';
  const authentication = code.startsWith('UND_ERR_SOCKS5_AUTH');
  const message = authentication
    ? passwordMessage(proxy, proxy.username !== '')
    : `the proxy ${proxy.name} does not connect to ${place} (${cause.message})`;
  const remedy = authentication
    ? `Put them into the address in ${originOfProxy(proxy)}: socks5://user:password@host:port.`
    : `Check the endpoint and ${originOfProxy(proxy)}.`;
  return new XsyncError('unreachable', message, {
    subject: proxy.name,
    remedy,
    cause,
    ...(authentication && { class: 'person' }),
  });
}

function late(proxy: ProxyServer, timeoutMs: number): XsyncError {
  return new XsyncError('unreachable', `no connection through the proxy ${proxy.name} within ${timeoutMs / 1000} s`, {
    subject: proxy.name,
    remedy: checkProxy(proxy),
  });
}
