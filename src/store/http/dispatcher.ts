/**
 * For `fetch`: the same proxies and certificates. Plain HTTP is tunneled too, unlike in the lean transport.
 * Tests: test/store/http/congestion.test.ts
 */
import type { Dispatcher } from 'undici';
import type { Connection } from './connection.js';
import { hostAndPort } from './proxy.js';
import { tunnelConnector } from './tunnel.js';
import { Agent, buildConnector } from './undici.js';

/** The `dispatcher` of `fetch`. Its creator closes it. */
export function dispatcherOf({ tls, proxyOf }: Connection, connectTimeoutMs = 15_000): Dispatcher {
  const direct = buildConnector({ ...tls, timeout: connectTimeoutMs });
  return new Agent({
    connect: (wanted, callback) => {
      const port = Number(wanted.port) || (wanted.protocol === 'https:' ? 443 : 80);
      const host = wanted.hostname.replace(/^\[|\]$/g, '');
      const proxy = proxyOf(`${wanted.protocol}//${hostAndPort(host, port)}`);
      const connect = proxy ? tunnelConnector(proxy, direct, { timeoutMs: connectTimeoutMs, tls }) : direct;
      connect(wanted, callback);
    },
  });
}
