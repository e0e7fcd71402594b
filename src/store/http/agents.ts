/**
 * Agents for the vendors' SDKs, which use Node's own HTTP client: the same proxies and certificates.
 * Tests: test/store/http/proxy.test.ts
 */
import http from 'node:http';
import https from 'node:https';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Connection } from './connection.js';
import { hostAndPort, type ProxyServer } from './proxy.js';
import { openTunnel, type TunnelOptions } from './tunnel.js';

export interface Agents {
  httpAgent: http.Agent;
  httpsAgent: https.Agent;
}

type Made = (error: Error | null, stream: Duplex) => void;

/** Plain HTTP is tunneled too, unlike in the lean transport: an agent cannot change the path of a request. */
export function agentsOf({ tls, proxyOf }: Connection, connectTimeoutMs = 15_000): Agents {
  const options = { keepAlive: true, ...tls };
  const tunnel = { timeoutMs: connectTimeoutMs, tls };
  return {
    httpAgent: new TunnelingAgent(options, proxyOf, tunnel),
    httpsAgent: new SecureTunnelingAgent(options, proxyOf, tunnel),
  };
}

class TunnelingAgent extends http.Agent {
  constructor(
    options: http.AgentOptions,
    private readonly proxyOf: Connection['proxyOf'],
    private readonly tunnel: TunnelOptions,
  ) {
    super(options);
  }

  override createConnection(options: http.ClientRequestArgs, made?: Made): Duplex | null | undefined {
    const proxy = proxyFor('http:', options, this.proxyOf);
    if (!proxy || !made) return super.createConnection(options, made);
    const { host, port } = targetOf(options, 80);
    openTunnel(proxy, host, port, this.tunnel).then((socket) => made(null, socket), failing(made));
    return undefined;
  }
}

class SecureTunnelingAgent extends https.Agent {
  constructor(
    options: https.AgentOptions,
    private readonly proxyOf: Connection['proxyOf'],
    private readonly tunnel: TunnelOptions,
  ) {
    super(options);
  }

  override createConnection(options: https.RequestOptions, made?: Made): Duplex | null | undefined {
    const proxy = proxyFor('https:', options, this.proxyOf);
    if (!proxy || !made) return super.createConnection(options, made);
    const { host, port } = targetOf(options, 443);
    openTunnel(proxy, host, port, this.tunnel).then(
      (socket) => made(null, connectTls({ ...options, host, port, path: undefined, socket })),
      failing(made),
    );
    return undefined;
  }
}

/** Node ignores the stream of an error, which its types require. */
function failing(made: Made): (error: Error) => void {
  return (error) => made(error, new Duplex());
}

function proxyFor(
  protocol: 'http:' | 'https:',
  options: http.ClientRequestArgs,
  proxyOf: Connection['proxyOf'],
): ProxyServer | undefined {
  const { host, port } = targetOf(options, protocol === 'https:' ? 443 : 80);
  return proxyOf(`${protocol}//${hostAndPort(host, port)}`);
}

function targetOf({ host, port }: http.ClientRequestArgs, usual: number): { host: string; port: number } {
  return { host: (host ?? 'localhost').replace(/^\[|\]$/g, ''), port: Number(port) || usual };
}
