import { lookup } from 'node:dns';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AddressGuard } from '../../../src/store/http/address-guard.js';
import { Dialer } from '../../../src/store/http/dial.js';
import { FarSockets, MOST_UNSENT } from '../../../src/store/http/far-sockets.js';
import { loadSocketCalls, type SocketCalls, type TcpInfo } from '../../../src/store/http/socket-calls.js';
import { TEST_TLS } from '../../doctor/tls.js';
import { socketOption } from './socket-option.js';

const FAR_MS = 200;
const NEAR_MS = 1;

const TCP_NOTSENT_LOWAT = 25;

/** Bytes, as the kernel has it. */
function limitOf(socket: Socket): number {
  return new Uint32Array(socketOption(socket, TCP_NOTSENT_LOWAT, 4).buffer)[0] ?? -1;
}

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

function dialerWith(guard?: AddressGuard): Dialer {
  return new Dialer({ tls: { ca: TEST_TLS.cert }, connectTimeoutMs: 5000, guard });
}

/** It takes long to open connections, as to a far server. */
function slowDialer(): Dialer {
  return dialerWith({
    check: () => undefined,
    lookup: (host, options, callback) => void setTimeout(() => lookup(host, options, callback), FAR_MS),
  });
}

/** A connection to a server that never reads. */
async function connected(secure: boolean, dialer = dialerWith()): Promise<Socket> {
  const silent = (socket: Socket): void => {
    sockets.push(socket.pause());
    socket.on('error', () => undefined);
  };
  const server = secure ? createTlsServer(TEST_TLS, silent) : createServer(silent);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const socket = await dialer.open({ secure, host: 'localhost', port: address.port });
  sockets.push(socket);
  return socket;
}

describe('what the kernel may take before it sends it', () => {
  it.each([false, true])('is limited on a connection to a far server (TLS: %s)', async (secure) => {
    const socket = await connected(secure);
    await new FarSockets().add(socket, 'far', FAR_MS);
    expect(limitOf(socket)).toBe(MOST_UNSENT);
  });

  it('is limited by a dialer whose connections take long to open', async () => {
    const socket = await connected(false, slowDialer());
    await vi.waitFor(() => expect(limitOf(socket)).toBe(MOST_UNSENT));
  });

  it("is the system's own on a connection to a near one, for which nothing is loaded", async () => {
    const socket = await connected(false);
    const before = limitOf(socket);
    const limit = new FarSockets(() => Promise.reject(new Error('loaded')));
    await limit.add(socket, 'near', NEAR_MS);
    // This process was busy when the second one opened.
    await limit.add(socket, 'near', FAR_MS);
    expect(limitOf(socket)).toBe(before);
  });

  it('is limited for a far server beside a near one', async () => {
    const limited: number[] = [];
    const calls: SocketCalls = {
      ...(await loadSocketCalls()),
      limitUnsent: (_, bytes) => limited.push(bytes) > 0,
    };
    const limit = new FarSockets(() => Promise.resolve(calls));
    const socket = await connected(false);
    await limit.add(socket, 'near', NEAR_MS);
    await limit.add(socket, 'far', FAR_MS);
    expect(limited).toEqual([MOST_UNSENT]);
  });

  it("is the system's own without koffi, and on a socket that has closed meanwhile", async () => {
    const socket = await connected(false);
    const before = limitOf(socket);
    await new FarSockets(() => Promise.reject(new Error('not installed'))).add(socket, 'far', FAR_MS);
    expect(limitOf(socket)).toBe(before);
    socket.destroy();
    await new FarSockets().add(socket, 'far', FAR_MS);
  });
});

describe('what the kernel says of the line', () => {
  /** Milliseconds and packets, for the sockets in the order in which they are asked. */
  async function seen(infos: TcpInfo[]): Promise<FarSockets> {
    let asked = 0;
    const calls: SocketCalls = { ...(await loadSocketCalls()), info: () => infos[asked++ % infos.length] };
    const far = new FarSockets(() => Promise.resolve(calls));
    for (const _ of infos) await far.add(await connected(false), 'far', FAR_MS);
    return far;
  }

  it('is asked of its sockets', async () => {
    const far = new FarSockets();
    const socket = await connected(false);
    await far.add(socket, 'far', FAR_MS);
    const line = far.look();
    expect(line).toMatchObject({ connections: 1, losers: 0 });
    // On loopback; in other units it would be a thousand times as much.
    expect(line?.leastMs).toBeGreaterThan(0);
    expect(line?.leastMs).toBeLessThan(FAR_MS);
    expect(line?.waitMs).toBeGreaterThanOrEqual(0);
    socket.destroy();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(far.look()).toBeUndefined();
  });

  it('is nothing for a near server', async () => {
    const far = new FarSockets();
    await far.add(await connected(false), 'near', NEAR_MS);
    expect(far.look()).toBeUndefined();
  });

  it('is the median wait above the shortest round trip of any', async () => {
    const info = { silentMs: 0, leastRoundTripMs: 210, lost: 0 };
    const far = await seen([
      { ...info, roundTripMs: 300 },
      { ...info, roundTripMs: 220, leastRoundTripMs: 200 },
      { ...info, roundTripMs: 240 },
    ]);
    expect(far.look()).toEqual({ connections: 3, leastMs: 200, waitMs: 40, losers: 0 });
  });

  it('is not that of connections that have been silent', async () => {
    const info = { roundTripMs: 200, leastRoundTripMs: 200, lost: 0 };
    const far = await seen([
      { ...info, silentMs: 1000 },
      { ...info, silentMs: 1001 },
    ]);
    expect(far.look()).toMatchObject({ connections: 1 });
  });

  it('counts the connections that have lost more since the last look', async () => {
    const info = { silentMs: 0, roundTripMs: 200, leastRoundTripMs: 200, lost: 0 };
    const infos = [{ ...info }, { ...info, lost: 4 }];
    const far = await seen(infos);
    expect(far.look()?.losers).toBe(1);
    expect(far.look()?.losers).toBe(1);
    for (const one of infos) one.lost += 2;
    expect(far.look()?.losers).toBe(3);
  });

  it('is told by a dialer whose connections take long to open', async () => {
    const dialer = slowDialer();
    await connected(false, dialer);
    await vi.waitFor(() => expect(dialer.line()).toMatchObject({ connections: 1 }));
  });
});
