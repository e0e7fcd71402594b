import { lookup } from 'node:dns';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AddressGuard } from '../../../src/store/http/address-guard.js';
import { Dialer } from '../../../src/store/http/dial.js';
import { loadSocketCalls, type SocketCalls } from '../../../src/store/http/socket-calls.js';
import { MOST_UNSENT, UnsentLimit } from '../../../src/store/http/unsent.js';
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

/** A connection to a server that never reads. */
async function connected(secure: boolean, guard?: AddressGuard): Promise<Socket> {
  const silent = (socket: Socket): void => {
    sockets.push(socket.pause());
    socket.on('error', () => undefined);
  };
  const server = secure ? createTlsServer(TEST_TLS, silent) : createServer(silent);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const dialer = new Dialer({ tls: { ca: TEST_TLS.cert }, connectTimeoutMs: 5000, guard });
  const socket = await dialer.open({ secure, host: 'localhost', port: address.port });
  sockets.push(socket);
  return socket;
}

describe('what the kernel may take before it sends it', () => {
  it.each([false, true])('is limited on a connection to a far server (TLS: %s)', async (secure) => {
    const socket = await connected(secure);
    await new UnsentLimit().apply(socket, 'far', FAR_MS);
    expect(limitOf(socket)).toBe(MOST_UNSENT);
  });

  it('is limited by a dialer whose connections take long to open', async () => {
    const slowNames: AddressGuard = {
      check: () => undefined,
      lookup: (host, options, callback) => void setTimeout(() => lookup(host, options, callback), FAR_MS),
    };
    const socket = await connected(false, slowNames);
    await vi.waitFor(() => expect(limitOf(socket)).toBe(MOST_UNSENT));
  });

  it("is the system's own on a connection to a near one, for which nothing is loaded", async () => {
    const socket = await connected(false);
    const before = limitOf(socket);
    const limit = new UnsentLimit(() => Promise.reject(new Error('loaded')));
    await limit.apply(socket, 'near', NEAR_MS);
    // This process was busy when the second one opened.
    await limit.apply(socket, 'near', FAR_MS);
    expect(limitOf(socket)).toBe(before);
  });

  it('is limited for a far server beside a near one', async () => {
    const limited: number[] = [];
    const calls: SocketCalls = {
      ...(await loadSocketCalls()),
      limitUnsent: (_, bytes) => limited.push(bytes) > 0,
    };
    const limit = new UnsentLimit(() => Promise.resolve(calls));
    const socket = await connected(false);
    await limit.apply(socket, 'near', NEAR_MS);
    await limit.apply(socket, 'far', FAR_MS);
    expect(limited).toEqual([MOST_UNSENT]);
  });

  it("is the system's own without koffi, and on a socket that has closed meanwhile", async () => {
    const socket = await connected(false);
    const before = limitOf(socket);
    await new UnsentLimit(() => Promise.reject(new Error('not installed'))).apply(socket, 'far', FAR_MS);
    expect(limitOf(socket)).toBe(before);
    socket.destroy();
    await new UnsentLimit().apply(socket, 'far', FAR_MS);
  });
});
