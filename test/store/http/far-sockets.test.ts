import { lookup } from 'node:dns';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LineWatch } from '../../../src/model/line-state.js';
import type { AddressGuard } from '../../../src/store/http/address-guard.js';
import { Dialer } from '../../../src/store/http/dial.js';
import { FarSockets, MOST_UNSENT } from '../../../src/store/http/far-sockets.js';
import { descriptorOf, loadSocketCalls, type SocketCalls, type TcpInfo } from '../../../src/store/http/socket-calls.js';
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
  const INFO: TcpInfo = { inFlight: 10, silentMs: 5, roundTripMs: 200, leastRoundTripMs: 200, lost: 0 };

  /** A look at sockets of which the kernel says this. Each is to a server of its own, or to one. */
  async function looking(infos: TcpInfo[], server: (i: number) => string = () => 'far'): Promise<LineWatch> {
    let asked = 0;
    const calls: SocketCalls = { ...(await loadSocketCalls()), info: () => infos[asked++ % infos.length] };
    const far = new FarSockets(() => Promise.resolve(calls));
    for (const [i] of infos.entries()) await far.add(await connected(false), server(i), FAR_MS);
    return far.watch();
  }

  it('is read from its structure', async () => {
    const { info } = await loadSocketCalls();
    const socket = await connected(false);
    const told = info(descriptorOf(socket) ?? -1);
    // Of loopback; in other units it would be a thousand times as much.
    expect(told?.leastRoundTripMs).toBeGreaterThan(0);
    expect(told?.leastRoundTripMs).toBeLessThan(FAR_MS);
    expect(told?.roundTripMs).toBeGreaterThanOrEqual(told?.leastRoundTripMs ?? Number.NaN);
    expect(told).toMatchObject({ inFlight: 0, lost: 0 });
    expect(info(-1)).toBeUndefined();
  });

  it('is nothing for a near server, also if its first connection took long to open', async () => {
    const far = new FarSockets();
    await far.add(await connected(false), 'near', NEAR_MS);
    expect(far.watch()()).toBeUndefined();
    await far.add(await connected(true), 'busy', FAR_MS);
    expect(far.watch()()).toBeUndefined();
  });

  it('is the median wait above the shortest round trip to the server', async () => {
    const look = await looking([
      { ...INFO, roundTripMs: 300, leastRoundTripMs: 210 },
      { ...INFO, roundTripMs: 220 },
      { ...INFO, roundTripMs: 240, leastRoundTripMs: 210 },
    ]);
    expect(look()).toEqual({ senders: 3, leastMs: 200, waitMs: 40, lossy: 0 });
  });

  it('does not compare servers with each other', async () => {
    const near = { ...INFO, roundTripMs: 21, leastRoundTripMs: 20 };
    const look = await looking([{ ...INFO, roundTripMs: 201 }, near], (i) => `server ${i}`);
    expect(look()).toMatchObject({ senders: 2, waitMs: 1 });
  });

  it('is not told by requests without a body, whose acknowledgments may wait for the answer', async () => {
    const look = await looking([INFO, { ...INFO, inFlight: 3, roundTripMs: 240 }]);
    expect(look()).toEqual({ senders: 1, leastMs: 200, waitMs: 0, lossy: 0 });
    expect((await looking([{ ...INFO, inFlight: 0 }]))()).toMatchObject({ senders: 0 });
  });

  it('is not told by connections that have been silent: the line may be down', async () => {
    const look = await looking([
      { ...INFO, silentMs: 1000 },
      { ...INFO, silentMs: 1001, roundTripMs: 300 },
    ]);
    expect(look()).toMatchObject({ senders: 1, waitMs: 0 });
  });

  it('counts the connections that have lost more since the last look, for each watch', async () => {
    const infos = [{ ...INFO }, { ...INFO, lost: 4 }];
    const look = await looking(infos);
    expect(look()?.lossy).toBe(0);
    expect(look()?.lossy).toBe(0);
    for (const one of infos) one.lost += 2;
    expect(look()?.lossy).toBe(2);
    expect(look()?.lossy).toBe(0);
  });

  it('is nothing once its connections have closed', async () => {
    const look = await looking([INFO]);
    expect(look()).toBeDefined();
    for (const socket of sockets) socket.destroy();
    expect(look()).toBeUndefined();
  });
});
