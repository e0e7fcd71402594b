/**
 * Opens connections: TCP to the first address that answers, TLS, tunnels through proxies.
 * Tests: test/store/http/dial.test.ts
 */
import { connect as connectTcp, isIP, type OnReadOpts, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { LineWatch } from '../../model/line-state.js';
import type { AddressGuard } from './address-guard.js';
import type { SocketCongestion } from './congestion.js';
import type { TlsOptions } from './connection.js';
import { FarSockets } from './far-sockets.js';
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
  /**
   * Memory for the next bytes, and for no others; undefined: that of the dialer, for whatever comes. Empty memory counts as
   * none. It must last until it has been passed to `receive`, or the socket is destroyed.
   */
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
  readonly #far = new FarSockets();
  #context: SecureContext | undefined;

  constructor(options: DialOptions) {
    this.#options = options;
  }

  /** For looks at the lines to far servers. */
  watchLine(): LineWatch {
    return this.#far.watch();
  }

  /**
   * An open connection, or the error of Node. An error of a proxy names the proxy.
   * @param receiver absent: the socket is read as any stream
   * @param signal destroys the socket while it connects
   */
  async open(route: Route, signal?: AbortSignal, receiver?: Receiver): Promise<Socket> {
    const { guard } = this.#options;
    guard?.check(route.target ?? route.host);
    const begunMs = performance.now();
    const socket = await (route.tunnel
      ? this.#tunneled(route, route.tunnel, signal)
      : this.#direct(route, signal, receiver));
    // That of a secure tunnel is set below its TLS.
    if (!route.tunnel || !route.secure) this.#setOptions(socket, route, begunMs);
    // Of a socket over another one Node ignores `onread`.
    if (route.tunnel && receiver) {
      socket.on('data', (bytes: Buffer) => void (receiver.receive(bytes) || socket.pause()));
    }
    return socket;
  }

  async #direct(route: Route, signal?: AbortSignal, receiver?: Receiver): Promise<Socket> {
    const { secure, host, port, forwarder } = route;
    const reading = receiver && new Reading(receiver, secure);
    const lookup = forwarder ? undefined : this.#options.guard?.lookup;
    const where = { ...TCP, host, port, ...(reading && { onread: reading }), ...(lookup && { lookup }) };
    const socket = secure ? this.#secure(route, where) : connectTcp(where);
    reading?.of(socket);
    const opened = this.#opened(socket, secure, signal);
    if (!forwarder) return opened;
    return opened.catch((error: unknown) => {
      throw proxyFault(forwarder, error, this.#options.connectTimeoutMs);
    });
  }

  async #tunneled(route: Route, proxy: ProxyServer, signal?: AbortSignal): Promise<Socket> {
    const { secure, host, port } = route;
    const { tls = {}, connectTimeoutMs: timeoutMs } = this.#options;
    const begunMs = performance.now();
    const inner = await openTunnel(proxy, host, port, { timeoutMs, tls });
    if (signal?.aborted) inner.destroy();
    inner.setNoDelay(true).setKeepAlive(true, TCP.keepAliveInitialDelay);
    if (!secure) return inner;
    this.#setOptions(inner, route, begunMs);
    return this.#opened(this.#secure(route, { socket: inner }), true, signal);
  }

  /** Sets the kernel's options of a connection that began to open at the given `performance.now()`. */
  #setOptions(socket: Socket, { host, port }: Route, begunMs: number): void {
    this.#options.congestion?.apply(socket);
    void this.#far.add(socket, `${host}:${port}`, performance.now() - begunMs);
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

/** What a socket reads. Node asks for the memory of the next read when a callback has ended. */
class Reading implements OnReadOpts {
  readonly #receiver: Receiver;
  readonly #gathers: boolean;
  #socket: Socket | undefined;
  #memory: Buffer = shared;
  /** Where the next bytes are read to in the memory. Before it, those from `#from` on have not been passed on. */
  #at = 0;
  #from = 0;
  #passing: NodeJS.Immediate | undefined;

  /**
   * @param gathers what goes to the receiver's memory is passed on when it is full, or once in a turn of the event loop: TLS
   *   brings at most 16 KiB at a time, and whatever the receiver does with them costs more than their decryption
   */
  constructor(receiver: Receiver, gathers: boolean) {
    this.#receiver = receiver;
    this.#gathers = gathers;
  }

  of(socket: Socket): void {
    this.#socket = socket;
    // Before anybody else hears that nothing more will come.
    if (this.#gathers) socket.on('end', this.#passOn);
  }

  readonly buffer = (): Buffer => {
    if (this.#at > this.#from) return this.#memory.subarray(this.#at);
    const room = this.#receiver.room?.();
    this.#memory = room && room.byteLength > 0 ? Buffer.from(room.buffer, room.byteOffset, room.byteLength) : shared;
    this.#at = this.#from = 0;
    return this.#memory;
  };

  readonly callback = (length: number): boolean => {
    this.#at += length;
    if (!this.#gathers || this.#memory === shared || this.#at === this.#memory.byteLength) return this.#pass();
    this.#passing ??= setImmediate(this.#passOn);
    return true;
  };

  readonly #passOn = (): void => {
    // A closed one has told why, and nobody waits for its bytes.
    if (this.#at > this.#from && !this.#socket?.destroyed && !this.#pass()) this.#socket?.pause();
  };

  #pass(): boolean {
    clearImmediate(this.#passing);
    this.#passing = undefined;
    const bytes = this.#memory.subarray(this.#from, this.#at);
    this.#from = this.#at;
    return this.#receiver.receive(bytes);
  }
}

class ConnectTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}
