/**
 * Opens connections: TCP to the first address that answers, TLS, tunnels through proxies.
 * Tests: test/store/http/dial.test.ts
 */
import { connect as connectTcp, isIP, type OnReadOpts, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { AddressGuard } from './address-guard.js';
import type { SocketCongestion } from './congestion.js';
import type { TlsOptions } from './connection.js';
import type { ProxyServer } from './proxy.js';
import { openTunnel, proxyFault } from './tunnel.js';

/** Where the connections to an origin lead. */
export interface Route {
  secure: boolean;
  /** Without brackets. */
  host: string;
  port: number;
  /** The proxy through which they go. */
  tunnel?: ProxyServer;
  /** The proxy to which they lead: it gets requests for another host, without brackets. */
  forwarder?: ProxyServer;
  target?: string;
}

export interface DialOptions {
  tls?: TlsOptions & { ca?: string | Buffer };
  connectTimeoutMs: number;
  /** Sets the congestion control of each new connection; the system's default when absent. */
  congestion?: SocketCongestion;
  /** Says which addresses may be connected to; absent: all. A proxy looks names up itself. */
  guard?: AddressGuard;
}

/** Who gets what arrives on a connection. */
export interface Receiver {
  /** Takes the bytes, before their memory is used for the next read. Returns false to stop reading. */
  receive(bytes: Buffer): boolean;
  /** Memory for the next read; undefined: that of the dialer, for whatever comes. Empty memory counts as none. */
  room?(): Uint8Array | undefined;
}

/** When Node tries the next address of a host; its default of 250 ms is too short for a lossy line. */
const ADDRESS_ATTEMPT_MS = 1_000;
const TCP = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
} as const;

/**
 * All sockets read into one buffer, unless the receiver has a place for the bytes. By default Node allocates 64 KiB for each read and leaves it to the garbage
 * collector, which doubles the CPU cost of receiving. A larger one brings no gain.
 */
const shared = Buffer.allocUnsafeSlow(256 * 1024);

export class Dialer {
  readonly #options: DialOptions;
  /** TLS sessions by server, so that further connections need no new key exchange. */
  readonly #sessions = new Map<string, Buffer>();
  #context: SecureContext | undefined;

  constructor(options: DialOptions) {
    this.#options = options;
  }

  /**
   * An open connection, or the error of Node. An error of a proxy names the proxy.
   * @param receiver absent: the socket is read as any stream
   * @param signal destroys the socket while it connects
   */
  async open(route: Route, signal?: AbortSignal, receiver?: Receiver): Promise<Socket> {
    const { congestion, guard } = this.#options;
    guard?.check(route.target ?? route.host);
    const socket = await (route.tunnel
      ? this.#tunneled(route, route.tunnel, signal)
      : this.#direct(route, signal, receiver));
    congestion?.apply(socket);
    // Of a socket over another one Node ignores `onread`.
    if (route.tunnel && receiver) {
      socket.on('data', (bytes: Buffer) => void (receiver.receive(bytes) || socket.pause()));
    }
    return socket;
  }

  async #direct(route: Route, signal?: AbortSignal, receiver?: Receiver): Promise<Socket> {
    const { secure, host, port, forwarder } = route;
    const onread = receiver && readingInto(receiver);
    const lookup = forwarder ? undefined : this.#options.guard?.lookup;
    const where = { ...TCP, host, port, ...(onread && { onread }), ...(lookup && { lookup }) };
    const socket = secure ? this.#secure(route, where) : connectTcp(where);
    const opened = this.#opened(socket, secure, signal);
    if (!forwarder) return opened;
    return opened.catch((error: unknown) => {
      throw proxyFault(forwarder, error, this.#options.connectTimeoutMs);
    });
  }

  async #tunneled(route: Route, proxy: ProxyServer, signal?: AbortSignal): Promise<Socket> {
    const { secure, host, port } = route;
    const { tls = {}, connectTimeoutMs: timeoutMs, congestion } = this.#options;
    const inner = await openTunnel(proxy, host, port, { timeoutMs, tls });
    if (signal?.aborted) inner.destroy();
    inner.setNoDelay(true).setKeepAlive(true, TCP.keepAliveInitialDelay);
    if (!secure) return inner;
    congestion?.apply(inner);
    return this.#opened(this.#secure(route, { socket: inner }), true, signal);
  }

  #secure({ host, port }: Route, over: TcpSocketConnectOpts | { socket: Socket }): Socket {
    const { tls = {} } = this.#options;
    this.#context ??= tls.secureContext ?? createSecureContext({ ca: tls.ca });
    const name = `${host}:${port}`;
    const socket = connectTls({
      ...tls,
      ...over,
      host,
      port,
      secureContext: this.#context,
      // An address has no name to send (RFC 6066).
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ['http/1.1'],
      session: this.#sessions.get(name),
    });
    socket.on('session', (session) => this.#sessions.set(name, session));
    return socket;
  }

  #opened(socket: Socket, secure: boolean, signal?: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const stop = (): void => void socket.destroy();
      const timer = setTimeout(() => socket.destroy(new ConnectTimeout()), this.#options.connectTimeoutMs);
      const settled = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
      };
      signal?.addEventListener('abort', stop, { once: true });
      socket.on('error', reject);
      socket.once('close', () => {
        settled();
        reject(new Error('it was closed'));
      });
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        settled();
        resolve(socket);
      });
    });
  }
}

/** Node asks for the memory of the next read when a callback has ended. */
function readingInto(receiver: Receiver): OnReadOpts {
  let memory: Buffer = shared;
  return {
    buffer: () => {
      const room = receiver.room?.();
      memory = room && room.byteLength > 0 ? Buffer.from(room.buffer, room.byteOffset, room.byteLength) : shared;
      return memory;
    },
    callback: (length) => receiver.receive(memory.subarray(0, length)),
  };
}

class ConnectTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}
