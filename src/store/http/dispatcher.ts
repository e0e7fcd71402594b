/**
 * For `fetch`: the same proxies and certificates. Plain HTTP is tunneled too, unlike in the lean transport.
 * Tests: test/store/http/congestion.test.ts
 */
import type { Dispatcher } from 'undici';
import type { Connection } from './connection.js';
import { Dialer } from './dial.js';
import { hostAndPort } from './proxy.js';
import { Agent } from './undici.js';

/** The `dispatcher` of `fetch`. Its creator closes it. */
export function dispatcherOf({ tls, proxyOf }: Connection, connectTimeoutMs = 15_000): Dispatcher {
  const dialer = new Dialer({ tls, connectTimeoutMs });
  return new Agent({
    connect: ({ protocol, hostname, port: given }, callback) => {
      const secure = protocol === 'https:';
      const host = hostname.replace(/^\[|\]$/g, '');
      const port = Number(given) || (secure ? 443 : 80);
      const tunnel = proxyOf(`${protocol}//${hostAndPort(host, port)}`);
      dialer.open({ secure, host, port, ...(tunnel && { tunnel }) }).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    },
  });
}
